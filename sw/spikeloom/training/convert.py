"""A trained torch network as a NetworkImage: the integers it computes with, and nothing else."""

from __future__ import annotations

from typing import cast

import torch

from spikeloom import __version__
from spikeloom.arithmetic import Reset
from spikeloom.config import Config, dump_config
from spikeloom.image import Layer, NetworkImage, Provenance
from spikeloom.nn import GraphNetwork, Network, SpikingNetwork

__all__ = ["chain_layers", "layer_names", "to_image"]


def layer_names(layers: int) -> list[str]:
    """Names of a network's layers."""
    return [*(f"hidden{position}" for position in range(1, layers)), "readout"]


def to_image(network: Network, config: Config) -> NetworkImage:
    """The image of a network; an active weight that quantises to 0 is no synapse in it.

    The provenance claims no accuracy yet: that is for whoever has compared and measured.
    """
    provenance = Provenance(
        dataset=config.data.name,
        seed=config.training.seed,
        config=dump_config(config),
        version=__version__,
    )
    if isinstance(network, GraphNetwork):
        # The integers are those of eval mode: statistics of a batch are no part of a network.
        training = network.training
        graph = network.eval().graph()
        network.train(training)
        return NetworkImage(
            graph=graph,
            time_steps=config.data.time_steps,
            encoding=config.data.encoding,
            readout=network.readout,
            provenance=provenance,
        )
    return NetworkImage.chain(
        layers=chain_layers(network),
        time_steps=config.data.time_steps,
        encoding=config.data.encoding,
        readout=network.readout,
        provenance=provenance,
    )


def chain_layers(network: SpikingNetwork) -> tuple[Layer, ...]:
    """The layers of a chain, as integers."""
    layers = []
    names = layer_names(len(network.layers))
    for name, layer in zip(names, network.layers, strict=True):
        integers, neuron = layer.integers(), layer.neuron
        layers.append(
            Layer.from_dense(
                integers.weight.numpy().T,
                name=name,
                leak=neuron.leak,
                bias=integers.bias.numpy(),
                # An integrator compares with nothing.
                threshold=integers.threshold.numpy() if neuron.spiking else 1,
                reset=cast(Reset, neuron.reset),
                spiking=neuron.spiking,
                membrane_bits=neuron.membrane_bits,
                scale=float(torch.as_tensor(integers.scale).mean()),
            )
        )
    return tuple(layers)
