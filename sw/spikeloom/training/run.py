"""A run folder's training half: what `train` leaves there and `export` picks up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from spikeloom.arithmetic import first_leaking
from spikeloom.config import Config, dump_config
from spikeloom.datasets import Dataset
from spikeloom.encoding import encoding_inputs
from spikeloom.errors import UserError
from spikeloom.evaluation import Evaluation
from spikeloom.files import atomic_write
from spikeloom.image import NetworkImage
from spikeloom.nn import GraphNetwork, Network
from spikeloom.runfolder import CHECKPOINT_FILE, CONFIG_FILE
from spikeloom.training.checkpoint import Checkpoint, save_checkpoint
from spikeloom.training.convert import layer_names, to_image
from spikeloom.training.equivalence import Equivalence, compare
from spikeloom.training.keeper import save_history
from spikeloom.training.portable import sums_are_portable
from spikeloom.training.trainer import Trained

__all__ = ["checked_image", "describe_run", "measured", "save_run"]


def save_run(folder: Path, config: Config, trained: Trained) -> dict[str, Any]:
    """Write config.toml, history.jsonl and the checkpoint; the verb's result.

    Raises:
        UserError: the place cannot be written.
    """
    chosen = trained.history[trained.epoch - 1]
    atomic_write(folder / CONFIG_FILE, dump_config(config))
    save_history(folder, trained.history)
    save_checkpoint(
        folder / CHECKPOINT_FILE,
        Checkpoint(
            config=config,
            network=trained.network,
            epoch=trained.epoch,
            accuracy_validation=chosen["accuracy_validation"],
            data=trained.data,
        ),
    )
    return describe_run(config, trained)


def describe_run(config: Config, trained: Trained) -> dict[str, Any]:
    """What came of a training: the verb's result."""
    chosen = trained.history[trained.epoch - 1]
    places = sum(layer.mask.numel() for layer in trained.network.layers)
    return {
        "dataset": config.data.name,
        "seed": config.training.seed,
        "epochs": len(trained.history),
        "epoch": trained.epoch,
        "accuracy": {
            "train": chosen["accuracy"],
            "validation": chosen["accuracy_validation"],
        },
        "synapses": chosen["synapses"],
        "density": chosen["synapses"] / places,
        **_goal(config, trained),
        "rewirings": sum(
            any(layer["pruned"] for layer in record["layers"]) for record in trained.history
        ),
        "operations_per_sample": sum(layer["operations"] for layer in chosen["layers"]),
        "silent": _silent(trained),
        "leaks": _leaks(config, trained),
        **({"portable": sums_are_portable()} if config.training.portable else {}),
    }


def _silent(trained: Trained) -> list[str]:
    """What rewired layers lead to and makes no spike; a readout that integrates never spikes."""
    network, layers = trained.network, trained.history[trained.epoch - 1]["layers"]
    if isinstance(network, GraphNetwork):
        names = [layer.target for layer in network.sparse_layers]
        spiking = [network.by_name[name].spiking for name in names]
    else:
        names = layer_names(len(layers))
        spiking = [own.neuron.spiking for own in network.layers]
    silent = (
        name
        for name, layer, spikes in zip(names, layers, spiking, strict=True)
        if spikes and not layer["spikes"]
    )
    return list(dict.fromkeys(silent))


def _goal(config: Config, trained: Trained) -> dict[str, Any]:
    """What compression was to reach, and whether it has; None where it had no number to reach."""
    sparsity, layers = config.sparsity, trained.network.sparse_layers
    places = sum(layer.mask.numel() for layer in layers)
    active = sum(int(layer.mask.sum()) for layer in layers)
    goal: dict[str, Any] = {
        # An active weight may quantise to 0: it is no synapse, and was not compressed away either.
        "density_active": active / places,
        "density_asked": sparsity.density,
        # Layers have whole synapses, so each may round up.
        "density_reached": active < sparsity.density * places + len(layers),
        "goal_reached": None,
    }
    bits = trained.history[trained.epoch - 1].get("bits")
    if bits is not None:
        goal |= {"bits": bits, "bits_asked": sparsity.target_bits}
    if sparsity.stop_rule == "density":
        goal["goal_reached"] = goal["density_reached"]
    elif sparsity.stop_rule == "bits":
        goal["goal_reached"] = bits is not None and bits <= sparsity.target_bits
    return goal


def _leaks(config: Config, trained: Trained) -> list[dict[str, Any]]:
    """Of each layer that leaks: the smallest positive membrane that does, and how many do."""
    chosen = trained.history[trained.epoch - 1]["layers"]
    if isinstance(trained.network, GraphNetwork):
        return []
    return [
        {
            "layer": layer.name,
            "from": smallest,
            "threshold": [int(layer.threshold.min()), int(layer.threshold.max())]
            if layer.spiking
            else None,
            "share": record.get("leaking"),
        }
        for layer, record in zip(to_image(trained.network, config).layers, chosen, strict=True)
        if (smallest := first_leaking(layer.leak)) is not None
    ]


def checked_image(
    config: Config, network: Network, dataset: Dataset
) -> tuple[NetworkImage, dict[str, Equivalence]]:
    """The network's image with its measured accuracies, proved equal to torch on two splits.

    Every spike, membrane and prediction of the validation and the test split is compared.

    Returns:
        (image, comparison of "validation" and "test").

    Raises:
        UserError: the data set does not fit the network, or torch and reference differ.
    """
    inputs = encoding_inputs(config.data.encoding, dataset.pixels, config.data.time_steps)
    image = to_image(network, config)
    if inputs != image.inputs:
        raise UserError(
            f"the data set {dataset.name!r} is encoded into {inputs} inputs, but the network has "
            f"{image.inputs}: export with the data it was trained on"
        )
    return measured(image, network, dataset)


def measured(
    image: NetworkImage, network: Network, dataset: Dataset
) -> tuple[NetworkImage, dict[str, Equivalence]]:
    """The image with its data and what was measured, after all of it was compared with torch.

    Returns:
        (image, comparison of "validation" and "test").

    Raises:
        UserError: torch and reference differ.
    """
    results = {}
    for name in ("validation", "test"):
        results[name] = compare(network, image, dataset.split(name))
        if not results[name].identical:
            raise UserError(
                f"torch and the integer reference differ in {results[name].spike_mismatches} "
                f"spikes and {results[name].membrane_mismatches} membranes of the {name} split, "
                f"first at {results[name].first}: nothing was exported; report this as a defect"
            )
    provenance = msgspec.structs.replace(
        image.provenance,
        data=dataset.identity,
        accuracy_validation=results["validation"].evaluation.accuracy,
        accuracy_test=results["test"].evaluation.accuracy,
        input_events=results["validation"].evaluation.events_per_sample,
        operations=_per_sample(results["validation"].evaluation),
    )
    return replace(image, provenance=provenance), results


def _per_sample(evaluation: Evaluation) -> tuple[float, ...]:
    """Mean synaptic operations of a sample in each layer."""
    return tuple(total / evaluation.samples for total in evaluation.operations)
