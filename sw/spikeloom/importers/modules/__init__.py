"""Live modules of other frameworks: read by the names of their classes, without importing torch."""
