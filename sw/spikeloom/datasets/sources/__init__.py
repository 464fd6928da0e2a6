"""A user's own files as samples: one module for each kind of source."""
