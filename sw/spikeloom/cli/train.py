"""The verb `train`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click
import msgspec

from spikeloom.cli.console import Console, json_option, table, write_step
from spikeloom.cli.data import data_dir_option
from spikeloom.config import METHODS, Config, load_config
from spikeloom.datasets import Dataset, UnknownDatasetError, load_dataset
from spikeloom.errors import UserError
from spikeloom.files import check_writable
from spikeloom.runfolder import (
    PROGRESS_FILE,
    RESTART,
    clear,
    finished_result,
    read_standing,
)


@click.command(epilog="Example: spikeloom train examples/digits.toml -o runs/demo")
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The run folder to write.",
)
@click.option("--seed", type=click.IntRange(min=0, max=2**32 - 1), help="Instead of the file's.")
@click.option(
    "--method", type=click.Choice(METHODS), help="Of sparsity, instead of the file's keys for it."
)
@click.option("--restart", is_flag=True, help="Begin anew, whatever the run folder holds.")
@data_dir_option
@json_option
def train(
    config: Path,
    output: Path,
    seed: int | None,
    method: str | None,
    restart: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Train a sparse, quantised spiking network.

    CONFIG is a TOML file; the resolved configuration, the history of all epochs and the trained
    weights are left in the run folder. The choice of the epoch is made on validation data; test
    data is not touched.

    The run is saved as it goes. The same command goes on with a run that was interrupted or killed,
    which then ends bit-identical to one that was not; of a finished run it says the result again.
    """
    console = Console(as_json=as_json)
    settings = load_config(config, method=method)
    if seed is not None:
        training = msgspec.structs.replace(settings.training, seed=seed)
        settings = msgspec.structs.replace(settings, training=training)
    check_writable(output)
    standing = "new" if restart else read_standing(output, settings)
    if standing == "finished":
        result = finished_result(output)
        (output / PROGRESS_FILE).unlink(missing_ok=True)
        console.note(f"{output} holds this run, finished; {RESTART} to train it again")
    else:
        try:
            result = _train(console, settings, config, output, data_dir, new=standing == "new")
        except (KeyboardInterrupt, SystemExit):
            if (output / PROGRESS_FILE).is_file():
                console.note(
                    f"to go on with it: {_command(config, output, seed, method, data_dir)}"
                )
            raise
    _say(console, settings, output, result)


def _train(
    console: Console,
    config: Config,
    source: Path,
    output: Path,
    data_dir: Path | None,
    *,
    new: bool,
) -> dict[str, Any]:
    from spikeloom.training import Keeper, save_run, train_network

    with console.step(f"load {config.data.name}"):
        dataset = _load(config, source, data_dir)
    if new:
        clear(output)
    keeper = Keeper(output, config, dataset)
    epochs, done = config.training.epochs, 0
    if keeper.position:
        epoch, batches = keeper.position
        done = epoch - 1
        where = f"epoch {epoch}, batch {batches + 1}" if done < epochs else "its end"
        console.note(f"resuming {output} at {where}, after {keeper.seconds:.0f} s")
        for change in keeper.changes:
            console.note(f"the last bits may differ from an uninterrupted run's: {change}")
    with (
        console.step(f"train {epochs} epochs"),
        console.track(epochs, "epochs") as progress,
    ):
        progress.advance(done)
        trained = train_network(
            config,
            dataset,
            lambda epoch: progress.advance(text=_describe(epoch)),
            keeper=keeper,
        )
    result = save_run(output, config, trained)
    write_step(output, "train", keeper.seconds + console.seconds, result)
    # Last: until then the run can be taken up again.
    (output / PROGRESS_FILE).unlink(missing_ok=True)
    return result


def _load(config: Config, source: Path, data_dir: Path | None) -> Dataset:
    """The data set, found fit for the configuration in `source`."""
    try:
        dataset = load_dataset(config.data.name, data_dir)
    except UnknownDatasetError as error:
        raise UserError(f"{source}: table [data]: name: {error}") from None
    if config.training.batch_size > len(dataset.train):
        raise UserError(
            f"{source}: table [training]: batch_size is {config.training.batch_size}, but it must "
            f"be at most {len(dataset.train)}, the training samples of {dataset.name!r}"
        )
    return dataset


def _say(console: Console, config: Config, output: Path, result: dict[str, Any]) -> None:
    console.result(
        {"run": str(output), **result},
        table(
            f"Trained {output}",
            {
                "accuracy, validation": f"{result['accuracy']['validation']:.2%}",
                "chosen epoch": f"{result['epoch']} of {result['epochs']}",
                "synapses": f"{result['synapses']:,} ({result['density']:.1%} of dense)",
                "rewirings": result["rewirings"],
                "operations a sample": round(result["operations_per_sample"]),
            },
        ),
    )
    if config.sparsity.stop_rule == "density" and not result.get("density_reached", True):
        console.note(
            f"the density is {result['density']:.1%}, above the {result['density_asked']:.1%} "
            "asked for; rewire more often (sparsity.every_epochs) or longer (stop_epoch), "
            "or regrow less (rho)"
        )
    if result.get("bits", 0) > config.sparsity.target_bits:
        console.note(
            f"the synapses take {result['bits']:,} bits, more than the {result['bits_asked']:,} "
            "asked for; rewire more often (sparsity.every_epochs) or longer (stop_epoch)"
        )
    console.note(f"next: spikeloom export {output}")


def _command(
    config: Path, output: Path, seed: int | None, method: str | None, data_dir: Path | None
) -> str:
    words = ["spikeloom", "train", str(config), "-o", str(output)]
    words += [] if seed is None else ["--seed", str(seed)]
    words += [] if method is None else ["--method", method]
    words += [] if data_dir is None else ["--data-dir", str(data_dir)]
    return shlex.join(words)


def _describe(epoch: dict[str, Any]) -> str:
    layers = epoch["layers"]
    indices = " ".join(f"{layer['pq_index']:.2f}" for layer in layers)
    return (
        f"loss {epoch['loss']:.3f}, validation {epoch['accuracy_validation']:.1%}, "
        f"density {epoch['density']:.1%}, "
        f"PQ index {indices}, "
        f"operations {sum(layer['operations'] for layer in layers):,.0f}"
    )
