"""What makes a graph valid: each rule names the place, the value and the fix."""

from collections.abc import Iterable

import numpy as np

from spikeloom.connections import Connection, Conv2d, Identity, Linear, SparseRows
from spikeloom.errors import UserError
from spikeloom.image.graph import Graph
from spikeloom.image.names import NAME, NAME_RULE
from spikeloom.image.population import PARAMETERS, Population
from spikeloom.image.topology import InstantCycleError
from spikeloom.neurons import (
    CubaLif,
    DecayLeak,
    IntegrateLeak,
    Leak,
    Lif,
    Relay,
    ShiftLeak,
    Source,
)

STATE_BITS = range(2, 49)
"""Widths of a membrane or a current."""

LARGEST_SHIFT = 15
LARGEST_FRACTION = 24
EXACT_BITS = 62
"""A state times the multiplier of its decay stays within 64 bits."""


def _require(condition: bool, field: str, value: object, fix: str) -> None:
    if not condition:
        raise UserError(f"network: {field} is {value!r}: {fix}")


def validate_graph(graph: Graph) -> None:
    """Refuses a graph that cannot be computed, or not in the integers of the contract.

    Raises:
        UserError: the place, its value, and what it has to be.
    """
    _require(len(graph.populations) > 1, "populations", len(graph.populations), "at least two")
    _unique("populations.name", (p.name for p in graph.populations))
    _unique("connections.name", (c.name for c in graph.connections))
    for population in graph.populations:
        validate_population(population)
    _validate_source(graph)
    for connection in graph.connections:
        _validate_ends(graph, connection)
        validate_connection(connection)
    try:
        parts = graph.components
    except InstantCycleError as error:
        raise UserError(
            f"network: {error} form a cycle within one step: give one of its connections a delay "
            "of 1"
        ) from None
    for part in parts:
        _validate_part(graph, part)
    _validate_readout(graph)
    _validate_widths(graph)


def validate_population(population: Population) -> None:
    """Refuses a population whose parameters contradict each other.

    Raises:
        UserError: the field, its value, and what it has to be.
    """
    name = population.name
    _require(NAME.fullmatch(name) is not None, "a population's name", name, NAME_RULE)
    shape = population.shape
    _require(
        len(shape) in (1, 3) and min(shape) >= 1,
        f"{name}.shape",
        shape,
        "(neurons,) or (height, width, channels), none below 1",
    )
    sizes = (1, population.channels, population.neurons)
    for field in PARAMETERS:
        values = getattr(population, field)
        if values is None:
            continue
        _require(
            values.ndim == 1 and len(values) in sizes,
            f"{name}.{field}",
            values.shape,
            f"one value, one for each of {sizes[1]} channels, or one for each of {sizes[2]} "
            "neurons",
        )
    if population.stateless:
        return
    for field in ("membrane_bits", "current_bits"):
        bits = getattr(population, field)
        _require(
            bits in STATE_BITS,
            f"{name}.{field}",
            bits,
            f"it must be {STATE_BITS.start} to {STATE_BITS.stop - 1}",
        )
    match population.neuron:
        case Lif(leak=decay):
            _validate_leak(f"{name}.leak", decay, population.membrane_bits)
        case CubaLif(current_leak=current_leak, leak=decay):
            _validate_leak(f"{name}.leak", decay, population.membrane_bits)
            _validate_leak(f"{name}.current_leak", current_leak, population.current_bits)
    low, high = population.limits["membrane"]
    _require(
        -(1 << (population.membrane_bits - 1)) <= low <= 0,
        f"{name}.membrane_low",
        low,
        f"0 or less, and no less than {population.membrane_bits} bits hold",
    )
    if not population.spiking:
        return
    for value in (int(population.threshold.min()), int(population.threshold.max())):
        _require(
            1 <= value <= high,
            f"{name}.threshold",
            value,
            f"positive, and at most the {high} that {population.membrane_bits} bits hold",
        )
    if getattr(population.neuron, "reset", "") == "value":
        for value in (int(population.reset_value.min()), int(population.reset_value.max())):
            _require(low <= value <= high, f"{name}.reset_value", value, f"{low} to {high}")


def _validate_leak(field: str, decay: Leak, state_bits: int) -> None:
    match decay:
        case IntegrateLeak():
            return
        case ShiftLeak(shift=shift):
            bits = shift
            _require(1 <= shift <= LARGEST_SHIFT, f"{field}.shift", shift, "it must be 1 to 15")
        case DecayLeak(multiplier=multiplier, fraction_bits=bits):
            _require(
                1 <= bits <= LARGEST_FRACTION,
                f"{field}.fraction_bits",
                bits,
                f"it must be 1 to {LARGEST_FRACTION}",
            )
            _require(
                1 <= multiplier <= 1 << bits,
                f"{field}.multiplier",
                multiplier,
                f"it must be 1 to {1 << bits}",
            )
    _require(
        state_bits + bits <= EXACT_BITS,
        f"{field}",
        decay,
        f"a state of {state_bits} bits leaves {EXACT_BITS - state_bits} for its decay",
    )


def validate_connection(connection: Connection) -> None:
    """Refuses a connection whose arrays or settings contradict each other.

    Raises:
        UserError: the field, its value, and what it has to be.
    """
    name = connection.name
    _require(NAME.fullmatch(name) is not None, "a connection's name", name, NAME_RULE)
    _require(connection.delay in (0, 1), f"{name}.delay", connection.delay, "0 or 1 steps")
    _require(
        0 <= connection.shift <= LARGEST_SHIFT,
        f"{name}.shift",
        connection.shift,
        f"0 to {LARGEST_SHIFT} bits",
    )
    _require(
        bool(np.isfinite(connection.scale)) and connection.scale > 0,
        f"{name}.scale",
        connection.scale,
        "a positive number",
    )
    channels = connection.source_shape[-1]
    match connection:
        case Linear(weights=weights):
            _validate_rows(name, weights, expected=connection.inputs)
            _require(
                connection.neurons == weights.columns,
                f"{name}.shape",
                connection.target_shape,
                f"a shape of {weights.columns} neurons",
            )
        case Conv2d(weights=weights, groups=groups):
            _validate_window(connection)
            _validate_rows(name, weights, expected=channels)
            height, width = connection.window.kernel
            _require(
                weights.columns % (height * width) == 0 and weights.columns > 0,
                f"{name}.columns",
                weights.columns,
                f"a multiple of the kernel's {height * width} taps",
            )
            outputs = connection.channels
            _require(
                groups >= 1 and channels % groups == 0 and outputs % groups == 0,
                f"{name}.groups",
                groups,
                f"a divisor of {channels} input and {outputs} output channels",
            )
            group = weights.row // (channels // groups)
            own = weights.target % outputs // (outputs // groups)
            strays = np.flatnonzero(group != own)
            _require(
                strays.size == 0,
                f"{name}.weights",
                int(weights.weight[strays[0]]) if strays.size else None,
                f"a synapse leaves its group; the kernel has {groups} groups",
            )
        case Identity(weight=weight):
            _require(
                weight.ndim == 1 and len(weight) in (1, channels),
                f"{name}.weight",
                weight.shape,
                f"one integer, or one for each of {channels} channels",
            )
        case _:
            _validate_window(connection)


def _validate_window(connection: Connection) -> None:
    window = getattr(connection, "window", None)
    if window is None:
        return
    name = connection.name
    for field, least in (("kernel", 1), ("stride", 1), ("padding", 0), ("dilation", 1)):
        values = getattr(window, field)
        _require(min(values) >= least, f"{name}.window.{field}", values, f"none below {least}")
    try:
        window.extent(connection.source_shape)
    except ValueError as error:
        raise UserError(f"network: {name}: {error}: change its window or its source") from None


def _validate_rows(name: str, rows: SparseRows, *, expected: int) -> None:
    pointers, target, weight = rows.row_ptr, rows.target, rows.weight
    _require(rows.rows == expected, f"{name}.row_ptr", rows.rows, f"{expected} rows")
    _require(int(pointers[0]) == 0, f"{name}.row_ptr[0]", int(pointers[0]), "it must be 0")
    falls = np.flatnonzero(np.diff(pointers.astype(np.int64)) < 0)
    if falls.size:
        place = int(falls[0]) + 1
        _require(False, f"{name}.row_ptr[{place}]", int(pointers[place]), "pointers never fall")
    _require(
        int(pointers[-1]) == len(target) == len(weight),
        f"{name}.row_ptr[-1]",
        int(pointers[-1]),
        f"the number of targets ({len(target)}) and of weights ({len(weight)})",
    )
    if not len(target):
        return
    for extreme in (int(target.min()), int(target.max())):
        _require(0 <= extreme < rows.columns, f"{name}.target", extreme, f"0 to {rows.columns - 1}")
    disorder = np.flatnonzero((rows.row[1:] == rows.row[:-1]) & (np.diff(target) <= 0))
    if disorder.size:
        place = int(disorder[0]) + 1
        _require(False, f"{name}.target[{place}]", int(target[place]), "a row's targets ascend")
    zeros = np.flatnonzero(weight == 0)
    if zeros.size:
        _require(False, f"{name}.weight[{int(zeros[0])}]", 0, "a zero weight is no synapse")


def _unique(field: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        _require(name not in seen, field, name, "names must be unique")
        seen.add(name)


def _validate_source(graph: Graph) -> None:
    for position, population in enumerate(graph.populations):
        is_source = isinstance(population.neuron, Source)
        _require(
            is_source == (position == 0),
            f"{population.name}.neuron",
            population.model_name,
            "the first population is the source, and no other",
        )
    source = graph.source.neuron
    highest = getattr(source, "highest", 1)
    _require(1 <= highest <= 255, f"{graph.source.name}.highest", highest, "1 to 255")


def _validate_ends(graph: Graph, connection: Connection) -> None:
    name = connection.name
    for field in ("source", "target"):
        end = getattr(connection, field)
        _require(
            end in graph.by_name,
            f"{name}.{field}",
            end,
            f"one of the populations {', '.join(graph.by_name)}",
        )
    source, target = graph.by_name[connection.source], graph.by_name[connection.target]
    _require(
        connection.source_shape == source.shape,
        f"{name}.source_shape",
        connection.source_shape,
        f"the {source.shape} of {source.name}",
    )
    _validate_window(connection)
    _require(
        connection.target_shape == target.shape,
        f"{name}.target_shape",
        connection.target_shape,
        f"the {target.shape} of {target.name}",
    )
    _require(target is not graph.source, f"{name}.target", target.name, "nothing drives the source")
    _require(
        source.stateless or source.spiking,
        f"{name}.source",
        source.name,
        "neurons that do not spike drive nothing",
    )


def _validate_part(graph: Graph, part: tuple[str, ...]) -> None:
    for name in part:
        population = graph.by_name[name]
        incoming = graph.incoming[name]
        if population is not graph.source:
            _require(len(incoming) > 0, f"{name}", "without input", "connect it, or leave it out")
        if not isinstance(population.neuron, Relay):
            continue
        _require(
            not graph.loops(part) and all(c.delay == 0 for c in incoming),
            f"{name}.neuron",
            "relay",
            "a relay keeps nothing: no loop and no delay leads through it",
        )
        low = min(int(c.sums(graph.highest[c.source])[0].min()) for c in incoming)
        low += int(population.bias.min())
        _require(low >= 0, f"{name}", low, "what a relay sends on is never negative")


def _validate_readout(graph: Graph) -> None:
    readout = graph.readout
    _require(
        not readout.stateless,
        readout.name,
        readout.model_name,
        "the last population spikes or integrates",
    )


def _validate_widths(graph: Graph) -> None:
    for name, states in graph.state_bits.items():
        for state, bits in states.items():
            _require(
                bits <= EXACT_BITS,
                f"{name}.{state}",
                f"{bits} bits wide",
                f"lower its weights, shifts or bias until {EXACT_BITS} bits suffice",
            )
