"""A whole board, simulated, behind a pseudo-terminal: what a serial port shows of a real one."""
