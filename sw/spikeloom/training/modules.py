"""Modules of a user's own: rewired in a loop of the user's own, and exported as integers.

A module may hold our layers among whatever it likes, and have any loss and any loop. What it
computes must be its layers one behind another, in the order in which they were registered; that is
not read off its `forward`, but found by comparing its answers with the integer reference.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikeloom import __version__
from spikeloom.config import NetworkConfig, configure
from spikeloom.datasets import Dataset, SplitName
from spikeloom.encoding import Encoding, LatencyEncoding, encoding_inputs
from spikeloom.errors import UserError
from spikeloom.evaluation import encoded_batches
from spikeloom.image import NetworkImage, Provenance
from spikeloom.image.validation import validate_image
from spikeloom.nn import SpikingLinear, SpikingNetwork
from spikeloom.provenance import DataSource
from spikeloom.reference import simulate
from spikeloom.sparsity import Rewirer, initialise_masks
from spikeloom.training.convert import chain_layers
from spikeloom.training.run import measured

__all__ = ["export", "make_sparse"]

SPLITS: tuple[SplitName, ...] = ("validation", "test")


def make_sparse(
    module: nn.Module, *, epochs: int, seed: int = 0, gain: float = 1.5, **sparsity: Any
) -> Rewirer:
    """Give a module's layers their first masks and weights, and the rewirer for its loop.

    ```python
    rewirer = sl.make_sparse(net, epochs=20, method="rigl", density=0.1)
    for epoch in range(1, 21):
        for events, labels in batches:
            loss(net(events), labels).backward()
            rewirer.after_backward()
            optimizer.step()
            rewirer.after_step()
            optimizer.zero_grad()
        rewirer.after_epoch(epoch, optimizer)
    ```

    Args:
        module: holds `SpikingLinear` layers; their weights are drawn anew.
        epochs: of the loop.
        seed: of masks and weights.
        gain: initial weights are normal with deviation gain * threshold / sqrt(active fan-in).
        sparsity: keys of the TOML's table of that name.

    Raises:
        UserError: the module has no such layers, or a setting is wrong.
    """
    layers = _layers(module)
    config = configure(
        NetworkConfig(), data=DataSource(), source="make_sparse", epochs=epochs, sparsity=sparsity
    )
    generator = torch.Generator().manual_seed(seed)
    initialise_masks(layers, config.sparsity, generator)
    for layer in layers:
        layer.initialise(gain, generator)
    return Rewirer.from_config(layers, config.sparsity, epochs=epochs, generator=generator)


@torch.no_grad()
def export(
    module: nn.Module,
    data: Dataset,
    *,
    time_steps: int,
    encoding: Encoding | None = None,
    seed: int = 0,
) -> NetworkImage:
    """A module's layers as integers, after they were found equal to torch's.

    The module takes events, bool [B, T, inputs], and returns scores [B, classes]. Validation and
    test split go through it and through the integer reference: every spike and membrane of the
    layers is compared, and every class of the module.

    Args:
        module: holds `SpikingLinear` layers, the last of which is read out; put into eval mode.
        data: what it was trained on.
        time_steps: T.
        encoding: how its samples became events; latency unless given.
        seed: of the training, for the record.

    Raises:
        UserError: its layers do not follow one another, no image may have their shapes, or the
            module computes something else.
    """
    layers = _layers(module)
    encoding = encoding or LatencyEncoding()
    _check_sizes(layers, encoding_inputs(encoding, data.pixels, time_steps), data)
    readout = "count" if layers[-1].neuron.spiking else "membrane"
    # The module goes on with the mode it was in, and with layers of its own.
    chain = SpikingNetwork(copy.deepcopy(layers), readout=readout).eval()
    image = NetworkImage.chain(
        layers=chain_layers(chain),
        time_steps=time_steps,
        encoding=encoding,
        readout=readout,
        provenance=Provenance(dataset=data.name, seed=seed, version=__version__),
    )
    validate_image(image)
    image, _ = measured(image, chain, data)
    training = module.training
    module.eval()
    try:
        for name in SPLITS:
            _check_classes(module, image, data, name)
    finally:
        module.train(training)
    return image


def _layers(module: nn.Module) -> list[SpikingLinear]:
    layers = [own for own in module.modules() if isinstance(own, SpikingLinear)]
    if not layers:
        raise UserError(
            f"the module {type(module).__name__} has no spikeloom.nn.SpikingLinear among its layers"
        )
    return layers


def _check_sizes(layers: Sequence[SpikingLinear], inputs: int, data: Dataset) -> None:
    """Refuse layers that cannot follow one another on these data."""
    shapes = [tuple(layer.mask.shape) for layer in layers]
    for (before, _), (_, after) in pairwise(shapes):
        if before != after:
            raise UserError(
                f"a layer of {before} neurons stands before one of {after} inputs: register the "
                "layers in the order in which they compute"
            )
    if shapes[0][1] != inputs:
        raise UserError(
            f"the first layer has {shapes[0][1]} inputs, but {data.name!r} is encoded into {inputs}"
        )
    if shapes[-1][0] < data.classes:
        raise UserError(
            f"the last layer has {shapes[-1][0]} neurons, but {data.name!r} has {data.classes} "
            "classes"
        )
    for number, layer in enumerate(layers[:-1], 1):
        if not layer.neuron.spiking:
            raise UserError(f"layer {number} does not spike, and only the last may be so")


def _check_classes(module: nn.Module, image: NetworkImage, data: Dataset, name: SplitName) -> None:
    """Refuse a module whose classes are not those of its layers, one behind another."""
    done = 0
    for events, labels in encoded_batches(
        data.split(name), encoding=image.encoding, time_steps=image.time_steps
    ):
        scores = module(torch.from_numpy(events))
        if not isinstance(scores, Tensor) or scores.shape != (len(labels), image.outputs):
            raise UserError(
                "the module must return scores [B, classes] = "
                f"[{len(labels)}, {image.outputs}] of events [B, T, inputs], not "
                f"{list(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__}"
            )
        expected = simulate(image, events)
        differ = np.flatnonzero(scores.argmax(dim=1).cpu().numpy() != expected.predictions)
        if len(differ):
            raise UserError(
                f"the module's class differs from that of its layers one behind another, first at "
                f"{name} sample {done + int(differ[0])}: what else its forward computes has no "
                "integers"
            )
        done += len(labels)
