"""Where a network comes from."""

import msgspec

from spikeloom.provenance import DataIdentity, ImportedFrom


class Provenance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a network comes from, and what its training claims of it.

    Attributes:
        dataset: name of the data set it was trained on.
        seed: seed of the training run.
        accuracy_validation: fraction of validation samples classified correctly, 0 … 1.
        accuracy_test: the same of the test samples.
        input_events: mean number of events a sample sends into each layer.
        operations: mean number of synapses that they drive in each layer. Rows that are often
            asked for tend to be longer, so this is more than events times the mean fan-out.
        config: the resolved configuration of the run, as TOML.
        version: version of Spikeloom that exported it.
        data: the samples; unset, and not written, in files from before it was remembered.
        imported: file, profile and notes of a network that another framework trained; unset, and
            not written, for others.
        checkpoint_sha256: of the file that training left; "" if it was not remembered.
    """

    dataset: str
    seed: int
    accuracy_validation: float | None = None
    accuracy_test: float | None = None
    input_events: tuple[float, ...] = ()
    operations: tuple[float, ...] = ()
    config: str = ""
    version: str = ""
    data: DataIdentity | msgspec.UnsetType = msgspec.UNSET
    imported: ImportedFrom | msgspec.UnsetType = msgspec.UNSET
    checkpoint_sha256: str = ""
