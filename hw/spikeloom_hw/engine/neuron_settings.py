"""A population's neurons in the engine's settings: decays, limits, resets and parameters.

Every decay becomes one product. With `keep = 2^Q - m·2^(Q-q)` and a constant `r` by rounding,

    leak(v) = (v·keep + r) >> Q

| rounding     | r                                   |
| ------------ | ----------------------------------- |
| none at all  | 0                                   |
| floor        | 2^Q - 1                             |
| nearest      | 2^(Q-1) - 1                         |
| toward zero  | 2^Q - 1 for a negative `v`, else 0  |

The first is also half of a number, which is how a relay tells its bits one by one.
"""

from dataclasses import dataclass

import numpy as np

from spikeloom.errors import UserError
from spikeloom.image.population import Population
from spikeloom.neurons import (
    CubaLif,
    DecayLeak,
    Integers,
    IntegrateLeak,
    Leak,
    Lif,
    Relay,
    ShiftLeak,
)
from spikeloom_hw.engine.params import LANE_PARAMETERS, EngineParams
from spikeloom_hw.engine.placement import Placement
from spikeloom_hw.engine.program import Reset, Rounding

ROUNDINGS = {
    "floor": Rounding.FLOOR,
    "nearest": Rounding.NEAREST,
    "toward-zero": Rounding.TOWARD_ZERO,
}
RESETS = {
    "subtract": Reset.SUBTRACT,
    "zero": Reset.VALUE,
    "value": Reset.VALUE,
    "subtract-late": Reset.LATE,
}


@dataclass(frozen=True, kw_only=True, eq=False)
class NeuronSettings:
    """How an engine updates a population.

    Attributes:
        fields: settings, by `register.field`.
        table: parameters that differ from neuron to neuron, as words in the order in which an
            update shifts them in; empty when all neurons share theirs.
    """

    fields: dict[str, int]
    table: list[int]


def neuron_settings(
    population: Population, placement: Placement, params: EngineParams, *, held: bool, planes: int
) -> NeuronSettings:
    """The settings of a population's update.

    Args:
        population: of a lowered graph, behind the source.
        placement: in the engine.
        params: of the engine.
        held: its sums are those of the first step, in every step.
        planes: bits of what it sends.

    Raises:
        UserError: the engine was not built for such neurons.
    """
    fields = {"out_kind.planes": planes - 1, "table_kind.used": 0}
    parameters: dict[str, Integers] = {}
    name = population.name
    match population.neuron:
        case Relay():
            fields |= {"neuron.relay": 1, "decay.keep": 1 << (params.decay_bits - 1)}
            fields |= _wide(params, "high", "low")
            parameters["bias"] = population.bias
        case Lif(leak=leak, reset=reset) | CubaLif(leak=leak, reset=reset):
            fields |= _decay(name, leak, params, "decay", "neuron.rounding")
            low, high = population.limits["membrane"]
            fields |= {"high.limit": high, "low.limit": low}
            fields |= {
                "neuron.spiking": int(population.spiking),
                "neuron.reset": RESETS[reset],
            }
            if population.spiking:
                parameters["threshold"] = population.threshold
                if reset == "value":
                    parameters["reset_value"] = population.reset_value
                elif reset == "zero":
                    parameters["reset_value"] = np.zeros(1, dtype=np.int64)
                else:
                    amount = population.amount
                    parameters["amount"] = population.threshold if amount is None else amount
            two = held or isinstance(population.neuron, CubaLif)
            if two:
                parameters |= {"bias": population.bias, "drive": population.drive}
                fields |= {"neuron.two": 1, "neuron.held": int(held)}
                fields["membranes.offset"] = placement.states
            else:
                parameters["bias"] = _sum(population, population.bias, population.drive)
        case _:
            raise UserError(f"{name}: the engine has no neurons of the kind {population.neuron!r}")
    if isinstance(population.neuron, CubaLif):
        fields |= _decay(
            name, population.neuron.current_leak, params, "current_decay", "neuron.current_rounding"
        )
        low, high = population.limits["current"]
        fields |= {"current_high.limit": high, "current_low.limit": low}
    elif held:
        fields |= _wide(params, "current_high", "current_low")
    _check_widths(name, fields, parameters, params)
    return _with_parameters(population, placement, params, fields, parameters)


def decay_settings(leak: Leak, params: EngineParams) -> tuple[int, Rounding] | None:
    """Factor and rounding of a decay; None where the engine's fraction is too short for it."""
    match leak:
        case IntegrateLeak():
            return 1 << params.decay_bits, Rounding.DOWN
        case ShiftLeak(shift=bits, rounding=rounding):
            multiplier = 1
        case DecayLeak(multiplier=multiplier, fraction_bits=bits, rounding=rounding):
            spare = min((multiplier & -multiplier).bit_length() - 1, bits)
            multiplier, bits = multiplier >> spare, bits - spare
    if bits > params.decay_bits:
        return None
    lost = multiplier << (params.decay_bits - bits)
    return (1 << params.decay_bits) - lost, ROUNDINGS[rounding]


def _decay(
    name: str, leak: Leak, params: EngineParams, register: str, rounding: str
) -> dict[str, int]:
    found = decay_settings(leak, params)
    if found is None:
        raise UserError(
            f"{name}: its decay {leak!r} needs a longer fraction than the engine's "
            f"{params.decay_bits} bits: train with a shorter one"
        )
    return {f"{register}.keep": found[0], rounding: found[1]}


def _wide(params: EngineParams, high: str, low: str) -> dict[str, int]:
    """Limits that no state passes."""
    reach = 1 << (params.state_bits - 1)
    return {f"{high}.limit": reach - 1, f"{low}.limit": -reach}


def _sum(population: Population, *values: Integers) -> Integers:
    """The sum of parameters, for all neurons, for each channel, or for each neuron."""
    size = max(len(own) for own in values)
    if size == population.neurons:
        return sum((population.each(own) for own in values), np.zeros(size, dtype=np.int64))
    return sum((np.broadcast_to(own, size) for own in values), np.zeros(size, dtype=np.int64))


def _check_widths(
    name: str, fields: dict[str, int], parameters: dict[str, Integers], params: EngineParams
) -> None:
    reach = 1 << (params.state_bits - 1)
    extremes = {key: (value, value) for key, value in fields.items() if key.endswith(".limit")}
    extremes |= {key: (int(own.min()), int(own.max())) for key, own in parameters.items()}
    for key, (low, high) in extremes.items():
        if low < -reach or high >= reach:
            raise UserError(
                f"{name}: {key.replace('.limit', ' limit')} reaches from {low} to {high} and the "
                f"engine's states have {params.state_bits} bits: train with narrower membranes"
            )


def _with_parameters(
    population: Population,
    placement: Placement,
    params: EngineParams,
    fields: dict[str, int],
    parameters: dict[str, Integers],
) -> NeuronSettings:
    shared = {key: int(own[0]) for key, own in parameters.items() if (own == own[0]).all()}
    varying = [key for key in LANE_PARAMETERS if key in parameters and key not in shared]
    for key in varying:
        if key not in params.lane_parameters:
            raise UserError(
                f"{population.name}: {key} differs from neuron to neuron, and the engine has one "
                "for a population: train with one, or choose an engine with more"
            )
    if not varying:
        fields |= {f"{key}.value": value for key, value in shared.items()}
        return NeuronSettings(fields=fields, table=[])
    fields |= {
        f"{key}.value": value for key, value in shared.items() if key not in params.lane_parameters
    }
    by_channel = (
        all(len(own) in (1, population.channels) for own in parameters.values())
        and not placement.listed
    )
    order = placement.in_order
    if by_channel:
        order = order[:: placement.height * placement.width]
    fields |= {"table_kind.used": 1, "table_kind.each_place": int(not by_channel)}
    zero = np.zeros(1, dtype=np.int64)
    columns = []
    for key in params.lane_parameters:
        each = np.broadcast_to(population.each(parameters.get(key, zero)), population.neurons)
        columns.append(np.where(order < 0, 0, each[order])[:, ::-1])
    return NeuronSettings(
        fields=fields, table=np.stack(columns, axis=1).reshape(-1).astype(int).tolist()
    )
