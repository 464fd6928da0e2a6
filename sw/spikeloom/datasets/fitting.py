"""The samples for a network: its own, recognised by their fingerprint, or others that fit.

This is the one place that compares fingerprints: every verb that takes a run, or a network, and
data asks here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from spikeloom.datasets.registry import UnknownDatasetError, known_names, load
from spikeloom.datasets.request import Request
from spikeloom.datasets.source import load_source
from spikeloom.datasets.split import Dataset
from spikeloom.encoding import encoding_inputs
from spikeloom.errors import UserError
from spikeloom.image import NetworkImage
from spikeloom.preparation import AsIs
from spikeloom.provenance import DataIdentity, DataSource

__all__ = ["DataChoice", "check_same", "data_of", "fitting_dataset", "named_source"]


@dataclass(frozen=True, kw_only=True)
class DataChoice:
    """What a user says about the samples; nothing means the network's own.

    Attributes:
        name: a data set's name.
        source: a file or folder of the user's own.
        data_dir: the folder above the data sets' own.
        download: fetch the data set, if it is not here.
    """

    name: str | None = None
    source: Path | None = None
    data_dir: Path | None = None
    download: bool = False

    @property
    def given(self) -> bool:
        """Whether any are named."""
        return self.name is not None or self.source is not None

    def request(self, source: DataSource, time_steps: int) -> Request:
        """The request for `source`, to be found where the user said."""
        given = {} if self.data_dir is None else {"data_dir": self.data_dir}
        return Request(source=source, time_steps=time_steps, download=self.download, **given)


def check_same(recorded: DataIdentity | None, dataset: Dataset, *, owner: str, fix: str) -> None:
    """Refuse data that are not those that a run, or a network, was trained on.

    Args:
        recorded: what it remembers; None where it is from before anything was remembered.
        dataset: the data.
        owner: what remembers, for the sentence.
        fix: what else the user can do.

    Raises:
        UserError: the data are others; with what differs.
    """
    if recorded is None or recorded.fingerprint == dataset.identity.fingerprint:
        return
    place = f" (now read from {dataset.place})" if dataset.place else ""
    raise UserError(
        f"{owner} was begun with other samples of {dataset.name!r}{place}: "
        f"{_difference(recorded, dataset.identity)}; give it the same data, or {fix}"
    )


def _difference(before: DataIdentity, now: DataIdentity) -> str:
    """What is seen to differ between two identities."""
    if before.class_names != now.class_names:
        return f"the classes were {_few(before.class_names)}, now {_few(now.class_names)}"
    if before.shape != now.shape:
        return f"the shape of a sample was {list(before.shape)}, now {list(now.shape)}"
    if before.samples != now.samples:
        return (
            f"train, validation and test had {list(before.samples)} samples, now "
            f"{list(now.samples)}"
        )
    return "as many, with other values or labels"


def _few(names: tuple[str, ...], most: int = 6) -> str:
    shown = ", ".join(map(repr, names[:most]))
    return f"{shown}, ... ({len(names)})" if len(names) > most else shown


def fitting_dataset(path: Path, image: NetworkImage, choice: DataChoice) -> Dataset:
    """The data that a user chose for the network in `path`; its own unless others are named.

    Raises:
        UserError: there are no such data, they do not fit the network, or they are said to be its
            own and are others.
    """
    recorded = image.provenance.data or None
    if choice.source is not None:
        return _checked(path, image, _given(image, choice, recorded))
    own = recorded.source if recorded else DataSource(name=image.provenance.dataset)
    if not own.name and not choice.given:
        raise UserError(
            f"{path} does not say which samples it was trained on: name them with --dataset, or "
            "give them with --data"
        )
    source = own if choice.name in (None, own.name) else DataSource(name=choice.name)
    try:
        dataset = load(choice.request(source, image.time_steps))
    except UnknownDatasetError as error:
        if choice.name is not None:
            raise
        raise UserError(
            f"{path} was trained on {own.name!r}, which is no data set that is known here "
            f"({error}): if it is data of your own, give them with --data"
        ) from None
    _checked(path, image, dataset)
    if source is own:
        check_same(recorded, dataset, owner=str(path), fix="name the others with --data")
    return dataset


def data_of(image: NetworkImage, data: Dataset | str | os.PathLike[str] | None) -> Dataset:
    """The data for a network in Python: a `Dataset`, a name, a path, or None for its own.

    Raises:
        UserError: there are no such data, or they do not fit the network.
    """
    owner = Path("the network")
    if isinstance(data, Dataset):
        return _checked(owner, image, data)
    if data is None:
        return fitting_dataset(owner, image, DataChoice())
    if isinstance(data, str) and data in known_names():
        return fitting_dataset(owner, image, DataChoice(name=data))
    if not isinstance(data, str | os.PathLike):
        raise UserError(
            f"data is {type(data).__name__}; give a Dataset, a data set's name or a path"
        )
    return fitting_dataset(owner, image, DataChoice(source=Path(data)))


def _given(image: NetworkImage, choice: DataChoice, recorded: DataIdentity | None) -> Dataset:
    """A user's own source, prepared as the network's data were.

    Data that are not the network's own and came in one piece are not divided: every split is all
    of them, since none was trained on.
    """
    before = recorded.source if recorded else DataSource()
    source = named_source(before, choice)
    request = choice.request(source, image.time_steps)
    dataset = load_source(request, recorded)
    if recorded is None and not isinstance(dataset.preparation, AsIs):
        raise UserError(
            f"the network does not remember how its data were prepared, and {choice.source} needs "
            "preparing: give uint8 values of 0 to 255, as it was trained with"
        )
    own = recorded is not None and recorded.fingerprint == dataset.identity.fingerprint
    if own or dataset.divided:
        return dataset
    whole = dataset.whole()
    return replace(dataset, train=whole, validation=whole, test=whole)


def named_source(before: DataSource, choice: DataChoice) -> DataSource:
    """The settings `before`, with the source that was chosen instead of its own."""
    if choice.source is None:
        return before
    return msgspec.structs.replace(
        before, source=str(choice.source), name=choice.source.stem, kind="auto"
    )


def _checked(path: Path, image: NetworkImage, dataset: Dataset) -> Dataset:
    """Refuse data that do not fit the network in `path`."""
    inputs = encoding_inputs(image.encoding, dataset.pixels, image.time_steps)
    if inputs != image.inputs:
        raise UserError(
            f"{path} has {image.inputs} inputs, but {dataset.name!r} is encoded into {inputs}: "
            "take the data set it was trained on"
        )
    if dataset.classes > image.outputs:
        raise UserError(
            f"{path} has {image.outputs} outputs, but {dataset.name!r} has {dataset.classes} "
            "classes: take the data set it was trained on"
        )
    return dataset
