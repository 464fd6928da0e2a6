"""An import from end to end: integers, their widths by samples, the image, and what it changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from spikeloom.datasets import Dataset
from spikeloom.encoding import DirectEncoding, Encoding, FramesEncoding
from spikeloom.errors import UserError
from spikeloom.files import check_writable, write_step
from spikeloom.image import NetworkImage, save_image
from spikeloom.image.identity import network_sha256
from spikeloom.importers.calibrate import state_bits
from spikeloom.importers.fidelity import Fidelity
from spikeloom.importers.foreign import ForeignNetwork
from spikeloom.importers.quantise import IntegerNetwork
from spikeloom.importers.samples import Calibration, batches
from spikeloom.importers.widths import Widths
from spikeloom.provenance import ProfileEntry
from spikeloom.runfolder import CHECKPOINT_FILE, NETWORK_FILE, PROGRESS_FILE

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


def describe_import(done: Import) -> dict[str, Any]:
    """What an import found, as plain values: origin, profile, widths, fidelity."""
    origin = done.image.provenance.imported
    assert not isinstance(origin, msgspec.UnsetType)
    widths = done.network.widths
    return {
        "network_sha256": network_sha256(done.image),
        "file": origin.file,
        "file_sha256": origin.sha256,
        "format": origin.format,
        "framework": origin.framework,
        "profile": [msgspec.to_builtins(entry) for entry in origin.entries],
        "notes": list(origin.notes),
        "widths": {
            name: getattr(widths, name)
            for name in ("weight_bits", "decay_bits", "fraction_bits", "state_bits", "rounding")
        },
        "populations": len(done.image.graph.populations),
        "synapses": done.image.synapses,
        "time_steps": done.image.time_steps,
        "is_chain": done.image.is_chain,
        "fidelity": done.fidelity.document(),
    }


def check_free(run: Path) -> None:
    """Refuse a run folder that an import would spoil, before the work.

    Raises:
        UserError: it cannot be written, or holds a training.
    """
    check_writable(run)
    if any((run / name).is_file() for name in (CHECKPOINT_FILE, PROGRESS_FILE)):
        raise UserError(f"{run} holds a training: choose another folder for the import")


def write_run(run: Path, done: Import, seconds: float) -> dict[str, Any]:
    """Leave the network and `import.json` in a run folder, and return what it says."""
    path = run / NETWORK_FILE
    save_image(path, done.image)
    document = {"network": str(path), **describe_import(done)}
    write_step(run, "import", seconds, document)
    return document


def save_run(
    run: str | Path,
    foreign: ForeignNetwork,
    *,
    time_steps: int,
    encoding: Encoding | None = None,
    weight_bits: int | None = None,
    data: str | None = None,
    data_dir: Path | None = None,
    samples: int | None = None,
    **widths: Any,
) -> dict[str, Any]:
    """Make a run folder of a foreign network, as `spikeloom import` does of a file.

    Args:
        run: the folder.
        foreign: the network.
        time_steps: T.
        encoding: how samples become events; frames unless given.
        weight_bits: of the weights; the widest form unless given.
        data: samples for widths and fidelity: a file, a folder, or the name of a data set.
        data_dir: the folder above the data sets' own.
        samples: at most so many of each split.
        widths: other bits, as `spikeloom.importers.Widths` has them.

    Raises:
        UserError: the network has no such integers, or the folder is not free.
    """
    started = time.perf_counter()
    run = Path(run)
    check_free(run)
    code = encoding or FramesEncoding()
    calibration = (
        None if data is None else Calibration(data=data, data_dir=data_dir, samples=samples)
    )
    dataset = None
    if calibration is not None:
        shape = foreign.floats.source.shape
        dataset = calibration.load(shape=shape, time_steps=time_steps, encoding=code)
    done = to_integers(
        foreign,
        Widths.for_weights(weight_bits, **widths),
        time_steps=time_steps,
        encoding=code,
        assumed=(
            ProfileEntry(name="time_steps", value=str(time_steps), origin="given"),
            ProfileEntry(
                name="encoding",
                value=str(msgspec.to_builtins(code)["kind"]),
                origin="given" if encoding else "assumed",
                why="" if encoding else "samples are events already",
            ),
        ),
        calibration=calibration,
        dataset=dataset,
        fixed_states="state_bits" in widths,
    )
    return write_run(run, done, time.perf_counter() - started)


def _all_tested(calibration: Calibration | None, dataset: Dataset | None) -> bool:
    """Whether every test sample has been run, so that the accuracy is one of the whole split."""
    if calibration is None or dataset is None:
        return False
    return calibration.samples is None or calibration.samples >= len(dataset.test)
