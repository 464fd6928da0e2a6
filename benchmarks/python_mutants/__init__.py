"""Mutation testing of the Python sources: see benchmarks/mutation_python.py."""
