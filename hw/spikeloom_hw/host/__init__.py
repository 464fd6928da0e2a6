"""The link to a host computer: serial line, and bytes to events and scores."""
