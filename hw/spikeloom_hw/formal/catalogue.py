"""Every proof that is made."""

from spikeloom_hw.formal.proof import Proof
from spikeloom_hw.formal.properties import (
    chain,
    encoders,
    host,
    membrane_bank,
    neuron_update,
    progress,
    readout,
    reset,
    row_fetch,
    spike_queue,
    word_stream,
)

PROOFS: tuple[Proof, ...] = (
    *row_fetch.PROOFS,
    *word_stream.PROOFS,
    *membrane_bank.PROOFS,
    *neuron_update.PROOFS,
    *spike_queue.PROOFS,
    *readout.PROOFS,
    *chain.PROOFS,
    *progress.PROOFS,
    *host.PROOFS,
    *encoders.PROOFS,
    *reset.PROOFS,
)
