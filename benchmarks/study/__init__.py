"""The parts of the sparsity study; `benchmarks/sparsity.py` is its command."""
