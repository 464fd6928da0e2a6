"""The verbs of the co-simulation."""
