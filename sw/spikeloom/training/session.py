"""A training as one call: `train`, and the `Run` that it returns."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from spikeloom.config import Config, NetworkConfig, configure, load_config
from spikeloom.datasets import Dataset, Request, SplitName, load
from spikeloom.datasets.checks import check_fit
from spikeloom.datasets.fitting import check_same
from spikeloom.errors import UserError, check_choice
from spikeloom.evaluation import Evaluation, evaluate_split
from spikeloom.files import check_writable, file_sha256, write_step
from spikeloom.image import NetworkImage, save_image
from spikeloom.provenance import DataSource
from spikeloom.runfolder import (
    CHECKPOINT_FILE,
    NETWORK_FILE,
    PROGRESS_FILE,
    clear,
    finished_result,
    read_history,
    read_standing,
    recorded_data,
)
from spikeloom.training.checkpoint import load_checkpoint
from spikeloom.training.equivalence import Equivalence
from spikeloom.training.keeper import Keeper
from spikeloom.training.run import checked_image, describe_run, save_run
from spikeloom.training.state import Epoch
from spikeloom.training.trainer import Trained, train_network

if TYPE_CHECKING:
    from spikeloom.report.svg import Picture

__all__ = ["Run", "finish", "train"]

CALLER = "train"
"""What refusals name as the place of a wrong setting."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """A finished training.

    Attributes:
        config: every setting, defaults written out.
        data: the samples.
        trained: the torch network of the chosen epoch, and the history.
        result: what `spikeloom train --json` prints: accuracies, synapses, what was reached.
        folder: the run folder; None where nothing was written.
    """

    config: Config
    data: Dataset
    trained: Trained
    result: Mapping[str, Any]
    folder: Path | None = None

    @property
    def history(self) -> tuple[Epoch, ...]:
        """One record an epoch; `pandas.DataFrame(run.history)` makes a table of it."""
        return self.trained.history

    @property
    def accuracy(self) -> float:
        """Of the chosen epoch, on the validation split, 0 to 1."""
        return self.trained.history[self.trained.epoch - 1]["accuracy_validation"]

    def export(self, path: str | os.PathLike[str] | None = None) -> NetworkImage:
        """The network as integers, after every spike of torch was found equal to theirs.

        Validation and test split go through torch and through the integer reference. With `path`,
        or in a run folder, the image is written, too.

        Raises:
            UserError: they differ, or the file cannot be written.
        """
        target = Path(path) if path is not None else self.folder and self.folder / NETWORK_FILE
        if target is not None:
            check_writable(target)
        image, _ = self._exported
        if target is not None:
            save_image(target, image)
        return image

    @property
    def equivalence(self) -> Mapping[str, Equivalence]:
        """By split, what was compared between torch and the integer reference."""
        return self._exported[1]

    def evaluate(self, split: SplitName = "validation") -> Evaluation:
        """Accuracy, confusion and cost of the integers on a split: train, validation or test.

        Raises:
            UserError: there is no such split.
        """
        check_choice("split", split, get_args(SplitName))
        return evaluate_split(self._exported[0], self.data.split(split))

    def plot(self) -> Picture:
        """Loss and accuracy over the epochs: a picture for a notebook, whose `svg` is its text."""
        # Matplotlib takes a second to import.
        from spikeloom.report.figures import learning
        from spikeloom.report.svg import Picture

        return Picture(svg=learning(self.trained.history) or "")

    def to_dict(self) -> dict[str, Any]:
        """`result`, with the history."""
        return {**self.result, "history": list(self.trained.history)}

    def __repr__(self) -> str:
        """In one line: data, accuracy, synapses, folder."""
        place = f", folder={str(self.folder)!r}" if self.folder else ""
        return (
            f"Run({self.data.name!r}, epoch {self.trained.epoch} of {len(self.history)}, "
            f"validation {self.accuracy:.2%}, {self.result['synapses']:,} synapses{place})"
        )

    @cached_property
    def _exported(self) -> tuple[NetworkImage, dict[str, Equivalence]]:
        image, compared = checked_image(self.config, self.trained.network, self.data)
        if self.folder is not None:
            made_of = file_sha256(self.folder / CHECKPOINT_FILE)
            origin = msgspec.structs.replace(image.provenance, checkpoint_sha256=made_of)
            image = replace(image, provenance=origin)
        return image, compared


def train(
    network: NetworkConfig | Config | str | os.PathLike[str],
    data: Dataset | str | None = None,
    *,
    output: str | os.PathLike[str] | None = None,
    restart: bool = False,
    on_epoch: Callable[[Epoch], object] = lambda _epoch: None,
    **settings: Any,
) -> Run:
    """Train a sparse, quantised spiking network, as `spikeloom train` does.

    ```python
    run = sl.train(sl.Network(hidden=[64]), "digits", method="rigl", density=0.1, epochs=20)
    ```

    Args:
        network: layers or a graph, with the other settings as keywords; or a whole configuration,
            or the path of its TOML file.
        data: the samples, or a data set's name; the configuration's own unless given.
        output: the run folder to write, in which a killed run is taken up again. Nothing is
            written unless it is given.
        restart: begin anew, whatever the run folder holds.
        on_epoch: told each epoch's record, as it is done.
        settings: keys of the TOML's tables data, quantization, sparsity and training (`density`,
            `weight_bits`, `epochs`, `time_steps` ...); `docs/training.md` has them all.

    Raises:
        UserError: a setting is unknown or out of range, the data do not fit, or the folder cannot
            be written or holds another run.
    """
    started = time.perf_counter()
    config = _configured(network, data, settings)
    dataset = data if isinstance(data, Dataset) else load(_request(config))
    check_fit(config, dataset, CALLER)
    if output is None:
        trained = train_network(config, dataset, on_epoch)
        result = {**describe_run(config, trained), "data": dataset.place}
        return Run(config=config, data=dataset, trained=trained, result=result)
    folder = Path(output)
    check_writable(folder)
    standing = "new" if restart else read_standing(folder, config)
    if standing == "finished":
        check_same(recorded_data(folder), dataset, owner=str(folder), fix="give restart=True")
        return _finished(folder, config, dataset)
    if standing == "new":
        clear(folder)
    keeper = Keeper(folder, config, dataset)
    trained = train_network(config, dataset, on_epoch, keeper=keeper)
    seconds = keeper.seconds + time.perf_counter() - started
    result = finish(folder, config, dataset, trained, seconds=seconds)
    return Run(config=config, data=dataset, trained=trained, result=result, folder=folder)


def finish(
    folder: Path, config: Config, dataset: Dataset, trained: Trained, *, seconds: float
) -> dict[str, Any]:
    """Write a finished training into its run folder; what the verb says of it.

    Raises:
        UserError: the folder cannot be written.
    """
    result = {**save_run(folder, config, trained), "data": dataset.place}
    write_step(folder, "train", seconds, result)
    # Last: until then the run can be taken up again.
    (folder / PROGRESS_FILE).unlink(missing_ok=True)
    return result


def _finished(folder: Path, config: Config, dataset: Dataset) -> Run:
    """The run that `folder` holds."""
    result = finished_result(folder)
    (folder / PROGRESS_FILE).unlink(missing_ok=True)
    checkpoint = load_checkpoint(folder / CHECKPOINT_FILE)
    trained = Trained(
        network=checkpoint.network,
        epoch=checkpoint.epoch,
        history=tuple(read_history(folder)),
        data=dataset.identity,
    )
    return Run(config=config, data=dataset, trained=trained, result=result, folder=folder)


def _configured(
    network: NetworkConfig | Config | str | os.PathLike[str],
    data: Dataset | str | None,
    settings: Mapping[str, Any],
) -> Config:
    """The configuration that the arguments of `train` mean."""
    if isinstance(network, NetworkConfig):
        if not isinstance(data, str | Dataset):
            given = "" if data is None else f", not {type(data).__name__}"
            raise UserError(f"{CALLER}: give a Dataset or the name of a data set as data{given}")
        source = data.source if isinstance(data, Dataset) else DataSource(name=data)
        if isinstance(data, Dataset):
            source = msgspec.structs.replace(source, name=data.name)
        return configure(network, data=source, source=CALLER, **settings)
    if settings:
        raise UserError(
            f"{CALLER}: {min(settings)!r} goes with a Network; a whole configuration has its own "
            "settings"
        )
    if isinstance(network, Config):
        config = network
    elif isinstance(network, str | os.PathLike):
        config = load_config(network)
    else:
        raise UserError(
            f"{CALLER}: network is {type(network).__name__}; give a Network, a Config or the path "
            "of a TOML file"
        )
    if isinstance(data, Dataset):
        # What is recorded is what was trained on, whatever the file names.
        own = msgspec.structs.replace(data.source, name=data.name)
        named = msgspec.structs.replace(config.data, **msgspec.structs.asdict(own))
        return msgspec.structs.replace(config, data=named)
    if isinstance(data, str):
        named = msgspec.structs.replace(config.data, name=data, source="")
        return msgspec.structs.replace(config, data=named)
    return config


def _request(config: Config) -> Request:
    return Request(source=config.data.samples, time_steps=config.data.time_steps)
