"""From Verilog to a bitstream with yosys, nextpnr and the packer of the device."""
