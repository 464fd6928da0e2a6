"""Board tops: clock, reset, pins, and the core behind its host port."""
