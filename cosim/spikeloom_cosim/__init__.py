"""The proof that software and gateware agree: cocotb and Verilator against the reference."""
