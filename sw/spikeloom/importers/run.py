"""An import from end to end: integers, their widths by samples, the image, and what it changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from spikeloom.datasets import Dataset
from spikeloom.encoding import DirectEncoding, Encoding
from spikeloom.image import NetworkImage
from spikeloom.importers.calibrate import state_bits
from spikeloom.importers.fidelity import Fidelity
from spikeloom.importers.foreign import ForeignNetwork
from spikeloom.importers.quantise import IntegerNetwork
from spikeloom.importers.samples import Calibration, batches
from spikeloom.importers.widths import Widths
from spikeloom.provenance import ProfileEntry

Advance = Callable[[int], None]
"""Called with each number of samples that have been compared."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Import:
    """What an import made.

    Attributes:
        foreign: the network in real numbers, as its framework runs it.
        network: its integers.
        image: the network image.
        fidelity: what changed; without samples, the parts that need none.
    """

    foreign: ForeignNetwork
    network: IntegerNetwork
    image: NetworkImage
    fidelity: Fidelity


def to_integers(
    foreign: ForeignNetwork,
    widths: Widths,
    *,
    time_steps: int,
    encoding: Encoding,
    assumed: tuple[ProfileEntry, ...] = (),
    calibration: Calibration | None = None,
    dataset: Dataset | None = None,
    fixed_states: bool = False,
    advance: Advance | None = None,
) -> Import:
    """Make integers of `foreign`, and measure what changes.

    Args:
        foreign: the network.
        widths: the bits.
        time_steps: T.
        encoding: how samples become events.
        assumed: entries of the profile that are not the file's: T and the code.
        calibration: which samples of `dataset`; None for none.
        dataset: samples that fit.
        fixed_states: the states keep the bits of `widths`, whatever samples need.
        advance: is told of progress.

    Raises:
        UserError: the network has no such integers; where, and why.
    """
    entries = (*foreign.origin.entries, *assumed)
    origin = msgspec.structs.replace(foreign.origin, entries=entries)
    foreign = ForeignNetwork(floats=foreign.floats, origin=origin).for_code(encoding)
    highest = 255 if isinstance(encoding, DirectEncoding) else 1
    network = foreign.integers(widths, highest=highest)
    fidelity = Fidelity(foreign=foreign, network=network)
    accuracy = None
    if dataset is not None and calibration is not None:
        neurons = sum(own.neurons for own in foreign.floats.populations)
        code = {"encoding": encoding, "time_steps": time_steps, "neurons": neurons}
        if not fixed_states:
            seen = calibration.part(dataset.train)
            states = state_bits(network, (events for events, _ in batches(seen, **code)))
            network = foreign.integers(widths, states=states, highest=highest)
        fidelity = Fidelity(foreign=foreign, network=network)
        for events, labels in batches(calibration.part(dataset.test), **code):
            fidelity.add(events, labels)
            if advance is not None:
                advance(len(labels))
        found = fidelity.document()["accuracy"]
        accuracy = None if found is None else float(found["integers"])
    image = foreign.single().image(
        network,
        time_steps=time_steps,
        encoding=encoding,
        dataset="" if dataset is None else dataset.name,
        data=None if dataset is None else dataset.identity,
        accuracy=accuracy if _all_tested(calibration, dataset) else None,
    )
    return Import(foreign=foreign, network=network, image=image, fidelity=fidelity)


def _all_tested(calibration: Calibration | None, dataset: Dataset | None) -> bool:
    """Whether every test sample has been run, so that the accuracy is one of the whole split."""
    if calibration is None or dataset is None:
        return False
    return calibration.samples is None or calibration.samples >= len(dataset.test)
