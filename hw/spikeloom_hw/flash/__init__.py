"""From a bitstream's file into the board: which file, for which board, and the tool that writes."""
