"""What others published, or what their code does in simulation."""

from __future__ import annotations

__all__ = ["PEERS"]

PEERS = (
    {
        "name": "Spiker+, 784-128-10",
        "device": "Xilinx FPGA",
        "weights": "100,352 dense",
        "accuracy": "93.85 %",
        "cells": "7,612 logic cells",
        "clock_mhz": None,
        "microseconds": 780,
        "operations_per_cycle": None,
        "bits_per_weight": None,
        "source": "Carpegna et al., Spiker+, arXiv:2401.01141",
    },
    {
        "name": "SYNtzulu",
        "device": "iCE40UP5K",
        "weights": "dense, inputs in groups of four",
        "accuracy": None,
        "cells": "3,486 LC",
        "clock_mhz": 26,
        "microseconds": None,
        "operations_per_cycle": "8 at most, 1.7 to 2.6 useful",
        "bits_per_weight": 27,
        "source": "Leone et al., IEEE TCAS-I 72(2), 2025, doi:10.1109/TCSI.2024.3450966; "
        "cells and clock: its RTL through yosys 0.70 and nextpnr 0.11",
    },
    {
        "name": "ODIN",
        "device": "simulated",
        "weights": "dense",
        "accuracy": None,
        "cells": None,
        "clock_mhz": None,
        "microseconds": None,
        "operations_per_cycle": "0.50 (2.0 cycles each)",
        "bits_per_weight": None,
        "source": "Frenkel et al., IEEE TBioCAS 13(1), 2019, doi:10.1109/TBCAS.2018.2880425; "
        "cycles: its RTL in simulation",
    },
    {
        "name": "Catalyst N1",
        "device": "simulated",
        "weights": None,
        "accuracy": None,
        "cells": None,
        "clock_mhz": None,
        "microseconds": None,
        "operations_per_cycle": "0.17 (6.0 cycles each)",
        "bits_per_weight": None,
        "source": "its RTL in simulation",
    },
)
