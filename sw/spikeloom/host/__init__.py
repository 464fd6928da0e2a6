"""The host's side of the link: what is said, in which frames, and the driver that says it."""
