"""The proof behind the RTL: a whole chip, as cells or as bits, driven by the pins of its board."""
