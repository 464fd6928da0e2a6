"""What the cocotb test of a chip tells of a run.

A module of its own, with light imports: it is loaded into every simulation.
"""

import msgspec

OUTCOME = "outcome.json"


class Outcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a run ended.

    Attributes:
        cycles: length of the run.
        received: bytes that the chip sent.
        hung: the chip no longer answered, although the script expected bytes.
    """

    cycles: int
    received: int
    hung: bool
