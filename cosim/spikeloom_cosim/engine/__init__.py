"""The engine in Verilator: programs loaded one after another, compared with reference and model."""
