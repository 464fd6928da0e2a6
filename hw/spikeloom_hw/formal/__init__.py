"""Proofs about the gateware: what holds for every input, found by a solver instead of a test.

::

    property + component ──► Bench ──► RTLIL ──► sby ──► yosys ──► SMT ──► z3 ──► verdict

``python -m spikeloom_hw.formal`` proves everything in :mod:`spikeloom_hw.formal.catalogue`.
"""
