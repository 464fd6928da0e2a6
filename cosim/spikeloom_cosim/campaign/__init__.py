"""Random networks through loadable cores, thousands in a run, against the integer reference."""
