"""Random connections and graphs, for every test of the kinds; one seed makes one network."""

from typing import Any

import numpy as np

from spikeloom.connections import (
    Connection,
    Conv2d,
    Identity,
    Linear,
    MaxPool2d,
    Shape,
    SparseRows,
    SumPool2d,
    Window,
)
from spikeloom.image.graph import Graph
from spikeloom.image.population import Population
from spikeloom.neurons import (
    CubaLif,
    DecayLeak,
    IntegrateLeak,
    Leak,
    Lif,
    Neuron,
    Relay,
    ShiftLeak,
    Source,
)

ROUNDINGS = ("floor", "nearest", "toward-zero")
RESETS = ("subtract", "zero", "value", "subtract-late")
GRANULARITIES = ("population", "channel", "neuron")
KINDS = ("linear", "conv2d", "sum_pool2d", "max_pool2d", "identity")


def pick(rng: np.random.Generator, choices: Any) -> Any:
    return choices[int(rng.integers(len(choices)))]


def random_leak(rng: np.random.Generator) -> Leak:
    rounding = pick(rng, ROUNDINGS)
    match int(rng.integers(3)):
        case 0:
            return IntegrateLeak()
        case 1:
            return ShiftLeak(shift=int(rng.integers(1, 6)), rounding=rounding)
        case _:
            bits = int(rng.integers(1, 13))
            multiplier = int(rng.integers(1, (1 << bits) + 1))
            return DecayLeak(multiplier=multiplier, fraction_bits=bits, rounding=rounding)


def random_window(rng: np.random.Generator, source: Shape, *, dilated: bool = True) -> Window:
    """A window that fits into the map."""
    while True:
        top, bottom, left, right = rng.integers(0, 3, 4).tolist()
        window = Window(
            kernel=(int(rng.integers(1, 4)), int(rng.integers(1, 4))),
            stride=(int(rng.integers(1, 4)), int(rng.integers(1, 4))),
            padding=(top, bottom, left, right),
            dilation=(int(rng.integers(1, 3)), int(rng.integers(1, 3))) if dilated else (1, 1),
        )
        try:
            window.extent(source)
        except ValueError:
            continue
        return window


def weights(
    rng: np.random.Generator, shape: Shape, *, density: float | None = None, bits: int = 4
) -> np.ndarray:
    reach = (1 << (bits - 1)) - 1
    share: float = pick(rng, (0.05, 0.3, 0.7, 1.0)) if density is None else density
    return rng.integers(-reach, reach + 1, shape) * (rng.random(shape) < share)


def random_connection(
    rng: np.random.Generator,
    kind: str,
    source_shape: Shape,
    *,
    lanes: int = 1,
    **common: Any,
) -> Connection:
    """A connection of `kind` from a map; a convolution's output channels are lanes' multiples."""
    given = {"name": "edge", "source": "a", "target": "b", "source_shape": source_shape, **common}
    channels = source_shape[-1]
    match kind:
        case "linear":
            inputs = int(np.prod(source_shape))
            dense = weights(rng, (inputs, int(rng.integers(1, 20))))
            return Linear(weights=SparseRows.from_dense(dense), **given)
        case "conv2d":
            groups = pick(rng, [g for g in (1, 1, 2, channels) if channels % g == 0])
            outputs = lanes * groups * int(rng.integers(1, 4))
            window = random_window(rng, source_shape)
            kernel = weights(rng, (outputs, channels // groups, *window.kernel))
            return Conv2d.from_dense(kernel, window=window, groups=groups, **given)
        case "sum_pool2d":
            return SumPool2d(window=random_window(rng, source_shape), **given)
        case "max_pool2d":
            return MaxPool2d(window=random_window(rng, source_shape), **given)
        case "identity":
            return Identity(weight=weights(rng, (channels,)).astype(np.int32), **given)
        case _:
            raise ValueError(f"no kind {kind!r}")


def random_values(
    rng: np.random.Generator, population: Population, shape: Shape, highest: int
) -> np.ndarray:
    """What a population may send: integers up to `highest`, most of them 0."""
    values = rng.integers(1, highest + 1, (*shape, population.neurons))
    return values * (rng.random(values.shape) < pick(rng, (0.1, 0.5, 0.9)))


def random_population(
    rng: np.random.Generator, name: str, shape: Shape, *, spiking: bool = True
) -> Population:
    """Neurons of any model, reset, rounding and granularity."""
    reset = pick(rng, RESETS)
    neuron: Neuron = (
        Lif(leak=random_leak(rng), reset=reset)
        if rng.random() < 0.6
        else CubaLif(current_leak=random_leak(rng), leak=random_leak(rng), reset=reset)
    )
    bits = int(rng.integers(8, 15))
    highest = (1 << (bits - 1)) - 1

    def parameter(low: int, high: int) -> np.ndarray:
        count = {"population": 1, "channel": shape[-1], "neuron": int(np.prod(shape))}
        size = count[pick(rng, GRANULARITIES)]
        return rng.integers(low, min(high, highest) + 1, size)

    return Population(
        name=name,
        shape=shape,
        neuron=neuron,
        threshold=parameter(1, 60),
        bias=parameter(-5, 5),
        drive=parameter(-3, 3),
        amount=parameter(1, 60) if rng.random() < 0.3 else None,
        reset_value=parameter(-9, 9),
        spiking=spiking,
        membrane_bits=bits,
        membrane_low=-int(rng.integers(0, 100)) if rng.random() < 0.3 else None,
        current_bits=int(rng.integers(8, 17)),
    )


def random_graph(rng: np.random.Generator, *, direct: bool | None = None) -> Graph:
    """A graph of two to five populations of neurons behind an input.

    Maps and lists, pooling through relays, residual branches, connections that skip, loops with a
    delay, several connections into one population, direct values or events.
    """
    shape = (int(rng.integers(3, 7)), int(rng.integers(3, 7)), int(rng.integers(1, 4)))
    direct = bool(rng.random() < 0.3) if direct is None else direct
    source = Population(name="input", shape=shape, neuron=Source(highest=255 if direct else 1))
    populations, connections = [source], []
    maps = [source]
    count = int(rng.integers(2, 5))
    for number in range(count):
        name, before = f"p{number}", maps[-1]
        if number == count - 1 or len(before.shape) == 1:
            edge = _edge(rng, "linear", before, name, connections)
        else:
            edge = _edge(rng, pick(rng, ("conv2d", "conv2d", *KINDS)), before, name, connections)
        target_shape = edge.target_shape
        relay = edge.kind in ("sum_pool2d", "max_pool2d") and rng.random() < 0.5
        if relay:
            populations.append(Population(name=name, shape=target_shape, neuron=Relay()))
        else:
            last = number == count - 1
            populations.append(
                random_population(rng, name, target_shape, spiking=not last or rng.random() < 0.5)
            )
        connections.append(edge)
        maps.append(populations[-1])
        here = populations[-1]
        if not relay:
            _extras(rng, populations, connections, here)
    return Graph(populations=tuple(populations), connections=tuple(connections))


def _edge(
    rng: np.random.Generator,
    kind: str,
    source: Population,
    target: str,
    others: list[Connection],
    *,
    delay: int = 0,
) -> Connection:
    return random_connection(
        rng,
        kind,
        source.shape,
        name=f"c{len(others)}",
        source=source.name,
        target=target,
        delay=delay,
        shift=int(rng.integers(0, 3)),
    )


def _extras(
    rng: np.random.Generator,
    populations: list[Population],
    connections: list[Connection],
    here: Population,
) -> None:
    """Branches from earlier populations of one shape, a loop, and a second connection."""
    for other in populations[:-1]:
        if other.shape == here.shape and rng.random() < 0.5:
            delay = int(rng.random() < 0.3)
            connections.append(_edge(rng, "identity", other, here.name, connections, delay=delay))
    if rng.random() < 0.3 and here.spiking:
        size = here.neurons
        connections.append(
            Linear(
                name=f"c{len(connections)}",
                source=here.name,
                target=here.name,
                source_shape=here.shape,
                delay=1,
                weights=SparseRows.from_dense(weights(rng, (size, size))),
                shape=here.shape,
            )
        )
    spiking = [p for p in populations[1:-1] if not p.stateless and p.spiking]
    if spiking and here.spiking and rng.random() < 0.2:
        back = pick(rng, spiking)
        dense = weights(rng, (here.neurons, back.neurons))
        connections.append(
            Linear(
                name=f"c{len(connections)}",
                source=here.name,
                target=back.name,
                source_shape=here.shape,
                delay=1,
                weights=SparseRows.from_dense(dense),
                shape=back.shape,
            )
        )


def random_samples(
    rng: np.random.Generator, graph: Graph, *, samples: int = 3, time_steps: int = 4
) -> np.ndarray:
    """Events `[S, T, inputs]`, or direct values `[S, inputs]`."""
    highest = int(graph.highest["input"].max())
    shape = (samples,) if highest > 1 else (samples, time_steps)
    return random_values(rng, graph.source, shape, highest)
