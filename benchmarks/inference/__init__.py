"""What inference costs on the chip: cycles, cells and clock of the reference networks."""
