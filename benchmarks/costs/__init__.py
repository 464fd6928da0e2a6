"""Synthesis of varied designs, and the small model of area and speed that is fitted on it."""
