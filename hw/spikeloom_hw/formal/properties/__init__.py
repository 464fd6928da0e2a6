"""The properties, a file for each component."""
