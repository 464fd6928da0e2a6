"""From a network in real numbers to integers, one scale for each target channel.

For a population with the gain `G` from its input to its membrane, the scale `σ` of a channel, and
`f` fraction bits, a membrane `v` becomes `V = v / (G·σ) · 2^f`. So the gain never touches a weight:

    weight    = rint(W / σ)                 shifted left by f on its way into the sums
    bias      = rint(b / σ · 2^f)
    threshold = floor(x) + 1 for u > θ, ceil(x) for u >= θ, with x = θ / (G·σ) · 2^f
    amount    = rint(x)                     what a subtracting reset takes off
    decay     = rint((1 - keep) · 2^q)

All connections into a population share its scales. `spikeloom.importers.bounds` says how far the
integers can be from the real numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spikeloom.connections import (
    Connection,
    Conv2d,
    Identity,
    Linear,
    MaxPool2d,
    SparseRows,
    SumPool2d,
)
from spikeloom.errors import UserError
from spikeloom.image import Graph
from spikeloom.image.population import Population
from spikeloom.importers.float_graph import FloatConnection, FloatGraph, FloatPopulation
from spikeloom.importers.step import Floats, StepNeuron
from spikeloom.importers.widths import Widths
from spikeloom.neurons import (
    CubaLif,
    DecayLeak,
    Integers,
    IntegrateLeak,
    Leak,
    Lif,
    Neuron,
    Relay,
    ShiftLeak,
    Source,
)

SNAP = 1e-9
"""A quotient this close to an integer is meant to be it: doubles divide with an error of 1e-16."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantised:
    """A population's integers, with what they stand for.

    Attributes:
        population: the integers.
        unit: the real size of one step of the membrane, of each neuron: `G·σ / 2^f`.
        sum_unit: of one step of the summed input: `σ / 2^f`.
        scale: σ of each channel or neuron.
        fraction_bits: f.
    """

    population: Population
    unit: Floats
    sum_unit: Floats
    scale: Floats
    fraction_bits: int


@dataclass(frozen=True, kw_only=True, eq=False)
class IntegerNetwork:
    """The integers of a whole graph.

    Attributes:
        graph: the network.
        populations: of each population with neurons, by name.
        widths: that were asked for.
    """

    graph: Graph
    populations: Mapping[str, Quantised]
    widths: Widths


def quantise(
    graph: FloatGraph,
    widths: Widths,
    *,
    states: Mapping[str, Mapping[str, int]] | None = None,
    highest: int = 1,
) -> IntegerNetwork:
    """The integers of `graph`.

    Args:
        graph: the network in real numbers.
        widths: the bits.
        states: widths of states by population and state, where calibration found some.
        highest: the largest value of an input.

    Raises:
        UserError: a population has no such integers; which, and why.
    """
    widths.check()
    made = {
        own.name: _quantised(
            own,
            graph.incoming[own.name],
            _scales(graph, own, widths),
            widths,
            (states or {}).get(own.name),
        )
        for own in graph.populations
        if own.neuron is not None
    }
    populations = [
        made[own.name].population if own.name in made else _stateless(graph, own, highest)
        for own in graph.populations
    ]
    connections = [
        _connection(own, graph.by_name[own.target], made.get(own.target))
        for own in graph.connections
    ]
    return IntegerNetwork(
        graph=Graph(populations=tuple(populations), connections=tuple(connections)),
        populations=made,
        widths=widths,
    )


def _stateless(graph: FloatGraph, own: FloatPopulation, highest: int) -> Population:
    neuron = Source(highest=highest) if own is graph.source else Relay()
    return Population(name=own.name, shape=own.shape, neuron=neuron)


def _channels(own: FloatPopulation) -> int:
    return own.shape[-1]


def _scales(graph: FloatGraph, own: FloatPopulation, widths: Widths) -> Floats:
    """σ of each target: of each channel, or of each neuron where only matrices lead in."""
    assert own.neuron is not None
    incoming = graph.incoming[own.name]
    by_neuron = all(c.kind == "linear" for c in incoming)
    size = own.neurons if by_neuron else _channels(own)
    largest = np.zeros(size)
    for connection in incoming:
        largest = np.maximum(largest, _largest(connection, size))
    known = _units(incoming, size)
    if known is not None:
        return known
    used = largest[largest > 0]
    # A target without weights is moved by its bias alone; any scale serves it.
    largest[largest == 0] = float(np.median(used)) if used.size else 1.0
    step = largest / ((1 << (widths.weight_bits - 1)) - 1)
    if own.neuron.low is None:
        return step
    # One lower limit serves the whole population, so the limits of all have the same integer.
    depth = _per_scale(np.abs(own.neuron.low / own.neuron.whole_gain), own, size, np.max)
    return depth * float((step / depth).max())


def _units(incoming: Sequence[FloatConnection], size: int) -> Floats | None:
    """The scale that weights have already, where all that lead into a population agree on one."""
    units = [
        np.broadcast_to(own.unit.reshape(-1, size)[0] if own.unit.size > 1 else own.unit, size)
        for own in incoming
        if own.unit is not None
    ]
    if not units or any(not np.allclose(own, units[0], rtol=1e-6) for own in units):
        return None
    return units[0].copy()


def _largest(connection: FloatConnection, size: int) -> Floats:
    """The largest magnitude of the weights into each target channel, or neuron."""
    match connection.kind:
        case "linear":
            into = np.abs(connection.weight).max(axis=0)
            return into.reshape(-1, size).max(axis=0)
        case "conv2d":
            return np.abs(connection.weight).reshape(len(connection.weight), -1).max(axis=1)
        case _:
            return np.broadcast_to(np.abs(connection.weight), size)


def _per_scale(values: Floats, own: FloatPopulation, size: int, join: Any) -> Floats:
    whole = np.broadcast_to(values, own.neurons)
    return join(whole.reshape(-1, size), axis=0)


def _spread(values: Floats, own: FloatPopulation) -> Floats:
    """One value for each channel, or neuron, as one for each neuron."""
    return np.tile(values, own.neurons // len(values))


def _fit(
    own: FloatPopulation, incoming: Sequence[FloatConnection], scale: Floats, widths: Widths
) -> tuple[int, Floats]:
    """Fraction bits and scale with which the threshold leaves room in the states."""
    neuron = own.neuron
    assert neuron is not None
    wanted = neuron.threshold / (_spread(scale, own) * neuron.whole_gain)
    spare = widths.state_bits - 1 - widths.room - int(np.ceil(np.log2(wanted.max() + 1)))
    fraction = min(widths.fraction_bits, max(spare, 0)) if neuron.spiking else widths.fraction_bits
    if not widths.fewer_fractions:
        return widths.fraction_bits, scale
    integers = any(connection.unit is not None for connection in incoming)
    if widths.narrower_weights and neuron.spiking and spare < 0 and not integers:
        scale = scale * 2.0**-spare
    return fraction, scale


def _quantised(
    own: FloatPopulation,
    incoming: Sequence[FloatConnection],
    scale: Floats,
    widths: Widths,
    states: Mapping[str, int] | None,
) -> Quantised:
    neuron = own.neuron
    assert neuron is not None
    states = states or {}
    fraction, scale = _fit(own, incoming, scale, widths)
    sum_unit = _spread(scale, own) / (1 << fraction)
    unit = sum_unit * neuron.whole_gain
    threshold, amount = _thresholds(own, neuron, unit)
    target = _rint(neuron.reset_value / unit)
    low = _low(own, neuron, unit)
    limit = (1 << (states.get("membrane", widths.state_bits) - 1)) - 1
    if neuron.spiking and int(threshold.max()) > limit:
        raise UserError(
            f"{own.origin}: its threshold is {int(threshold.max()):,} in integers, beyond states "
            f"of {widths.state_bits} bits: give more --state-bits, or fewer --weight-bits"
        )
    population = Population(
        name=own.name,
        shape=own.shape,
        neuron=_model(own, neuron, widths, to_zero=not target.any()),
        threshold=_short(threshold, own),
        bias=_short(_rint(own.bias / sum_unit), own),
        drive=_short(_rint(neuron.drive / unit), own),
        amount=None if (amount == threshold).all() else _short(amount, own),
        reset_value=_short(target, own),
        spiking=neuron.spiking,
        membrane_bits=states.get("membrane", widths.state_bits),
        membrane_low=low,
        current_bits=states.get("current", widths.state_bits),
    )
    return Quantised(
        population=population,
        unit=unit,
        sum_unit=sum_unit,
        scale=scale,
        fraction_bits=fraction,
    )


def _low(own: FloatPopulation, neuron: StepNeuron, unit: Floats) -> int | None:
    """The lowest membrane, the same integer for all neurons."""
    if neuron.low is None:
        return None
    lowest = _rint(neuron.low / unit)
    if lowest.max() - lowest.min() > 1:
        raise UserError(
            f"{own.origin}: its lowest membranes differ within a channel, and a population has "
            "one: give a channel one threshold, or pass --clamp none"
        )
    return int(lowest.max())


def _thresholds(
    own: FloatPopulation, neuron: StepNeuron, unit: Floats
) -> tuple[Integers, Integers]:
    """Threshold and amount of each neuron, in integers."""
    wanted = np.broadcast_to(neuron.threshold / unit, own.neurons)
    near = np.rint(wanted)
    exact = np.where(np.abs(wanted - near) <= SNAP * np.maximum(1, near), near, wanted)
    threshold = np.floor(exact) + 1 if neuron.strict else np.ceil(exact)
    if neuron.spiking and (threshold < 1).any():
        raise UserError(
            f"{own.origin}: a threshold is below 1 in integers: give more --fraction-bits"
        )
    amount = np.rint(np.broadcast_to(neuron.amount / unit, own.neurons))
    if neuron.reset == "value":
        amount = threshold
    return threshold.astype(np.int64), amount.astype(np.int64)


def _rint(values: Floats) -> Integers:
    return np.rint(values).astype(np.int64)


def _short(values: Integers, own: FloatPopulation) -> Integers:
    """One value where all are the same, one a channel where its places are, else one a neuron."""
    whole = np.broadcast_to(values, own.neurons)
    if (whole == whole[0]).all():
        return whole[:1].copy()
    per_channel = whole.reshape(-1, _channels(own))
    return per_channel[0].copy() if (per_channel == per_channel[0]).all() else whole.copy()


def _model(own: FloatPopulation, neuron: StepNeuron, widths: Widths, *, to_zero: bool) -> Neuron:
    leak = integer_leak(own, neuron.keep, widths)
    reset = neuron.reset
    if reset == "value" and to_zero:
        reset = "zero"
    if neuron.current_keep is None:
        return Lif(leak=leak, reset=reset)
    return CubaLif(
        current_leak=integer_leak(own, neuron.current_keep, widths), leak=leak, reset=reset
    )


def integer_leak(own: FloatPopulation, keep: Floats, widths: Widths) -> Leak:
    """The decay nearest to what is kept, in lowest terms.

    Raises:
        UserError: neurons of a population keep different shares.
    """
    low, high = float(keep.min()), float(keep.max())
    if high - low > 1e-6 * max(high, 1e-12):
        raise UserError(
            f"{own.origin}: its neurons decay differently ({low:.6g} to {high:.6g} is left after a "
            "step), and a population has one decay: give them one time constant, or a layer for "
            "each"
        )
    # The mean of what single precision made of one time constant.
    share = 1 - float(keep.mean())
    multiplier, bits = round(share * (1 << widths.decay_bits)), widths.decay_bits
    if share < 0 or share > 1 + 1e-9:
        raise UserError(f"{own.origin}: a step leaves {1 - share:.6g} of a state: 0 to 1 is meant")
    if multiplier == 0:
        if share > 0:
            raise UserError(
                f"{own.origin}: a step takes {share:.3g} of a state, less than {widths.decay_bits} "
                "bits of decay can say: give more --decay-bits"
            )
        return IntegrateLeak()
    while multiplier % 2 == 0 and bits > 1:
        multiplier, bits = multiplier // 2, bits - 1
    if multiplier == 1 and bits <= 15:
        return ShiftLeak(shift=bits, rounding=widths.rounding)
    return DecayLeak(multiplier=multiplier, fraction_bits=bits, rounding=widths.rounding)


def integer_weights(connection: FloatConnection, scale: Floats) -> Integers:
    """`rint(W / σ)`, shaped like the weights."""
    match connection.kind:
        case "linear":
            per_target = np.tile(scale, connection.weight.shape[1] // len(scale))
            return _rint(connection.weight / per_target)
        case "conv2d":
            return _rint(connection.weight / scale[:, None, None, None])
        case _:
            return _rint(connection.weight / scale)


def _connection(
    own: FloatConnection, target: FloatPopulation, made: Quantised | None
) -> Connection:
    common: dict[str, Any] = {
        "name": own.name,
        "source": own.source,
        "target": own.target,
        "source_shape": own.source_shape,
        "delay": own.delay,
    }
    if own.kind in ("sum_pool2d", "max_pool2d"):
        assert own.window is not None
        kind = SumPool2d if own.kind == "sum_pool2d" else MaxPool2d
        return kind(**common, window=own.window)
    assert made is not None
    common |= {"shift": made.fraction_bits, "scale": float(np.mean(made.scale))}
    weights = integer_weights(own, made.scale)
    match own.kind:
        case "linear":
            rows = SparseRows.from_dense(weights)
            shape = target.shape if len(target.shape) > 1 else ()
            return Linear(**common, weights=rows, shape=shape)
        case "conv2d":
            assert own.window is not None
            return Conv2d.from_dense(weights, window=own.window, groups=own.groups, **common)
        case _:
            return Identity(**common, weight=weights.astype(np.int32))
