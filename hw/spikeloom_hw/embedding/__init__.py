"""A core for people with a flow of their own: Verilog, an example, a test bench, and FuseSoC."""
