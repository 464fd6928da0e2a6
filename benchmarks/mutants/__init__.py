"""Mutation testing of the gateware: see benchmarks/mutation.py."""
