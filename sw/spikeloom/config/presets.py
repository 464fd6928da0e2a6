"""Named shapes of deep networks: each stands for tables of populations and connections.

- "vgg": `stages` are the widths of 3×3 convolutions, with a pooling of 2×2 behind each stage.
- "resnet": `stages` are the widths of residual blocks, in tdBN's form: the input spikes of a block
  join the sum of its second convolution, before the neuron.

`hidden` are fully connected populations behind them. VGGSNN of Shen et al. (ICLR 2025) is "vgg"
with `VGGSNN`, ResNet19 (Zheng et al., AAAI 2021) is "resnet" with `RESNET19`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from spikeloom.config.graph import INPUT, ConnectionConfig, PopulationConfig
from spikeloom.neurons import Relay

__all__ = ["RESNET19", "VGGSNN", "resnet", "vgg"]

VGGSNN = [[64, 128], [256, 256], [512, 512], [512, 512]]
"""Widths of the convolutions of VGGSNN; nothing hidden behind them."""

RESNET19 = [[128, 128, 128], [256, 256, 256], [512, 512]]
"""Widths of the blocks of ResNet19; `hidden = [256]` behind them."""

IDENTITY_SHIFT = 2
"""A spike of the branch that changes nothing then weighs up to four of the largest weights."""

Tables = tuple[list[PopulationConfig], list[ConnectionConfig]]


@dataclass(kw_only=True)
class _Tables:
    """The tables so far, and the population that stands at their end."""

    pooling: str
    populations: list[PopulationConfig] = field(default_factory=list)
    connections: list[ConnectionConfig] = field(default_factory=list)
    last: str = INPUT

    def convolution(self, name: str, channels: int, *, stride: int = 1) -> None:
        self.populations.append(PopulationConfig(name=name, channels=channels))
        self.connections.append(
            ConnectionConfig(
                source=self.last, target=name, kind="conv2d", kernel=3, padding=1, stride=stride
            )
        )
        self.last = name

    def pool(self, name: str, kernel: int) -> None:
        kind = "max_pool2d" if self.pooling == "max" else "sum_pool2d"
        self.populations.append(PopulationConfig(name=name, neuron=Relay()))
        self.connections.append(
            ConnectionConfig(source=self.last, target=name, kind=kind, kernel=kernel, stride=kernel)
        )
        self.last = name

    def lists(self, hidden: Sequence[int]) -> Tables:
        for number, neurons in enumerate(hidden, 1):
            self.populations.append(PopulationConfig(name=f"hidden{number}", neurons=neurons))
            self.connections.append(ConnectionConfig(source=self.last, target=f"hidden{number}"))
            self.last = f"hidden{number}"
        self.populations.append(PopulationConfig(name="readout"))
        self.connections.append(ConnectionConfig(source=self.last, target="readout"))
        return self.populations, self.connections


def vgg(stages: Sequence[Sequence[int]], hidden: Sequence[int], pooling: str) -> Tables:
    """Stages of 3×3 convolutions, each with a pooling of 2×2 behind it."""
    tables = _Tables(pooling=pooling)
    for stage, widths in enumerate(stages, 1):
        for number, channels in enumerate(widths, 1):
            tables.convolution(f"conv{stage}_{number}", channels)
        tables.pool(f"pool{stage}", 2)
    return tables.lists(hidden)


def resnet(stages: Sequence[Sequence[int]], hidden: Sequence[int], pooling: str) -> Tables:
    """A convolution, then stages of residual blocks; every stage but the first halves the map."""
    tables = _Tables(pooling=pooling)
    channels = stages[0][0]
    tables.convolution("conv1", channels)
    for stage, widths in enumerate(stages, 1):
        for number, width in enumerate(widths, 1):
            halves = stage > 1 and number == 1
            block, before = f"block{stage}_{number}", tables.last
            tables.convolution(f"{block}a", width, stride=2 if halves else 1)
            tables.convolution(f"{block}b", width)
            same = width == channels and not halves
            tables.connections.append(
                ConnectionConfig(
                    source=before,
                    target=f"{block}b",
                    name=f"{block}-branch",
                    kind="identity" if same else "conv2d",
                    kernel=1,
                    stride=2 if halves else 1,
                    shift=IDENTITY_SHIFT if same else 0,
                )
            )
            channels = width
    tables.pool("pool", 2)
    return tables.lists(hidden)
