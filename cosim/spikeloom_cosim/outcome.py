"""What the cocotb test tells of a run.

A module of its own, with light imports: it is loaded into every simulation.
"""

import msgspec

OUTCOME = "outcome.json"


class Outcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a run ended.

    Attributes:
        cycles: length of the run, without reset.
        results: samples whose last score was taken.
        unstable: cycles in which a waiting score changed or vanished.
        hung: nothing moved any more, or the run came to no end, although events or results were
            outstanding.
    """

    cycles: int
    results: int
    unstable: int
    hung: bool
