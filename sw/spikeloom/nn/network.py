"""A feed-forward chain of spiking layers with a readout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from spikeloom.config import Config
from spikeloom.image.network import Readout
from spikeloom.neurons import Leak
from spikeloom.nn.dynamics.membrane import Neuron
from spikeloom.nn.layer import SpikingLinear

__all__ = ["Activity", "SpikingNetwork", "build_chain"]


@dataclass(frozen=True, kw_only=True)
class Activity:
    """What a network did on a batch.

    Attributes:
        logits: [B, outputs] in real units, for the loss.
        scores: integers [B, outputs]: membranes after the last step, or spike counts.
        spikes: of each layer, integers [T, B, neurons].
        membranes: of each layer, integers after each step [T, B, neurons] in eval mode, after the
            last step [1, B, neurons] in training.
    """

    logits: Tensor
    scores: Tensor
    spikes: tuple[Tensor, ...]
    membranes: tuple[Tensor, ...]

    @property
    def predictions(self) -> Tensor:
        """int64 [B], argmax of the scores; a tie goes to the lowest index."""
        return self.scores.argmax(dim=1)


class SpikingNetwork(nn.Module):
    """Layers in a chain; the last one is read out by membrane or by spike count."""

    def __init__(
        self, layers: Sequence[SpikingLinear], *, readout: Readout, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if layers[-1].neuron.spiking != (readout == "count"):
            raise ValueError(f"readout {readout!r} does not fit the last layer's neurons")
        self.chain = nn.ModuleList(layers)
        self.readout: Readout = readout
        self.dropout = dropout

    @property
    def layers(self) -> tuple[SpikingLinear, ...]:
        """The layers in order."""
        return tuple(cast(SpikingLinear, layer) for layer in self.chain)

    @property
    def sparse_layers(self) -> tuple[SpikingLinear, ...]:
        """The layers that structure learning prunes and regrows: all of them."""
        return self.layers

    @property
    def inputs(self) -> int:
        """Neurons of the input."""
        return self.layers[0].mask.shape[1]

    @property
    def classes(self) -> int:
        """Neurons of the readout."""
        return self.layers[-1].mask.shape[0]

    @property
    def leaks(self) -> list[Leak]:
        """The leak of each layer."""
        return [layer.neuron.leak for layer in self.layers]

    def membranes(self, activity: Activity) -> tuple[Tensor, ...]:
        """Of each layer, after each step of eval mode."""
        return activity.membranes

    def arriving(self, events: Tensor, activity: Activity) -> list[Tensor]:
        """What arrived at each layer, [..., presynaptic neurons]."""
        return [events, *activity.spikes[:-1]]

    def computed(self, activity: Activity) -> list[tuple[Tensor, dict[str, Tensor]]]:
        """Of each layer: spikes, and states by name, [B, T, neurons] each, of eval mode."""
        return [
            (spikes.transpose(0, 1), {"membrane": membranes.transpose(0, 1)})
            for spikes, membranes in zip(activity.spikes, activity.membranes, strict=True)
        ]

    @torch.no_grad()
    def cost(self, events: Tensor, activity: Activity) -> tuple[list[float], list[float]]:
        """Spikes of each layer, and synapses that events drove in it; sums over a batch."""
        spikes, operations = [], []
        arriving = events.sum(dim=(0, 1)).double()
        for layer, fired in zip(self.layers, activity.spikes, strict=True):
            fan_out = (layer.integers().weight != 0).sum(dim=0).double()
            operations.append(float(arriving @ fan_out))
            arriving = fired.double().sum(dim=(0, 1)).cpu()
            spikes.append(float(arriving.sum()))
        return spikes, operations

    def _drop(self, spikes: Tensor) -> Tensor:
        """In training, silence whole neurons of a sample; the rest are not scaled up.

        Spikes are 0 or 1 in training, too, so the thresholds see what they see on the chip.
        """
        if not self.training or not self.dropout:
            return spikes
        kept = torch.rand(spikes.shape[1:], device=spikes.device) >= self.dropout
        return spikes * kept

    def forward(self, events: Tensor) -> Activity:
        """Run a batch; `events` is bool or float [B, T, inputs]."""
        device = self.layers[0].weight.device
        arriving = events.to(device).transpose(0, 1)
        spikes, membranes = [], []
        scale = torch.ones((), device=device)
        for layer in self.layers:
            fired, membrane, scale = layer(arriving, every_step=not self.training)
            spikes.append(fired)
            membranes.append(membrane)
            arriving = self._drop(fired)
        if self.readout == "membrane":
            scores = membranes[-1][-1]
            logits = scores * scale
        else:
            scores = logits = spikes[-1].sum(dim=0)
        return Activity(
            logits=logits, scores=scores, spikes=tuple(spikes), membranes=tuple(membranes)
        )


def build_chain(config: Config, *, inputs: int, classes: int) -> SpikingNetwork:
    """The chain that a configuration describes, dense and without its initial weights drawn."""
    network = config.network
    hidden = Neuron(
        leak=network.leak,
        reset=network.reset,
        spiking=True,
        membrane_bits=network.membrane_bits,
        surrogate=config.training.surrogate,
        surrogate_width=config.training.surrogate_width,
    )
    spiking = network.readout == "count"
    last = replace(
        hidden,
        spiking=spiking,
        leak=network.leak if spiking else network.readout_leak,
        membrane_bits=network.readout_membrane_bits,
    )
    sizes = [inputs, *network.hidden, classes]
    layers = [
        SpikingLinear(
            fan_in,
            neurons,
            neuron=neuron,
            weight_bits=config.quantization.weight_bits,
            scale=config.quantization.scale,
            limit=config.quantization.limit,
            # Membranes that are compared with one another need one unit.
            per_channel=config.quantization.per_channel and neuron.spiking,
            threshold=network.threshold,
            bias=network.bias,
            learn_threshold=network.learn_threshold if neuron.spiking else "none",
            learn_leak=network.learn_leak and neuron.spiking,
        )
        for (fan_in, neurons), neuron in zip(
            pairwise(sizes), [*[hidden] * len(network.hidden), last], strict=True
        )
    ]
    return SpikingNetwork(layers, readout=network.readout, dropout=config.training.dropout)
