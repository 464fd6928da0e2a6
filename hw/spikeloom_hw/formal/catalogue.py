"""Every proof that is made."""

from spikeloom_hw.formal.proof import Proof
from spikeloom_hw.formal.properties import spike_queue

PROOFS: tuple[Proof, ...] = (*spike_queue.PROOFS,)
