"""What an engine was not built for, each in one sentence."""

from collections.abc import Mapping

from spikeloom.errors import UserError
from spikeloom.image.graph import Graph
from spikeloom_hw.engine.params import EngineParams
from spikeloom_hw.engine.placement import Placement

_FULL = {
    "weight_words": (
        "its weights take {used} words and the engine has {room}: lower the density, balance the "
        "banks in training, or choose a larger engine"
    ),
    "pointer_words": (
        "its rows take {used} pointer words and the engine has {room}: use fewer inputs or "
        "channels, or choose a larger engine"
    ),
    "state_words": (
        "the states of its populations take {used} words of a bank and the engine has {room}: use "
        "smaller maps or fewer channels, or choose a larger engine"
    ),
    "map_words": (
        "its spikes take {used} words of maps and the engine has {room}: use fewer time steps or "
        "smaller maps, or choose a larger engine"
    ),
    "summary_words": (
        "its maps take {used} words of summaries and the engine has {room}: use fewer time steps "
        "or smaller maps, or choose a larger engine"
    ),
    "program_words": (
        "its program takes {used} words and the engine has {room}: share parameters between "
        "neurons, or choose a larger engine"
    ),
}


def check_room(params: EngineParams, name: str, used: int) -> None:
    """Refuse what does not fit into the capacity `name`.

    Raises:
        UserError: how much it takes, how much there is, and what to change.
    """
    capacity = getattr(params, name)
    if used > capacity:
        raise UserError(_FULL[name].format(used=used, room=capacity))


def check_graph(graph: Graph, planes: Mapping[str, int], params: EngineParams) -> None:
    """Refuse a graph that an engine has not the features or widths for.

    Args:
        graph: lowered.
        planes: bits of what each population sends.
        params: of the engine.

    Raises:
        UserError: which population or connection, what it needs, and what to change.
    """
    if len(graph.readout.shape) > 1:
        raise UserError(
            f"{graph.readout.name}: the engine reads out a list of neurons, and this is a map "
            f"of {graph.readout.shape!r}: end the network with a linear connection"
        )
    for population in graph.populations:
        placement = Placement(shape=population.shape, lanes=params.lanes)
        most = 1 << min(8, params.size_bits)
        if max(placement.width, placement.groups) > 1 << params.size_bits or (
            placement.height > most
        ):
            raise UserError(
                f"{population.name}: a map of {population.shape!r} is larger than the engine's "
                f"{1 << params.size_bits} words of a line"
            )
        two = len(population.neuron.states) > 1
        if two and not params.currents:
            raise UserError(
                f"{population.name}: the engine has no synaptic currents: choose an engine "
                "with them, or train LIF neurons"
            )
        bits = max(graph.state_bits.get(population.name, {"": 0}).values())
        if population is not graph.source:
            low, high = graph.sum_range[population.name]
            bits = max(bits, max(-low - 1, high).bit_length() + 1)
        if bits > params.state_bits:
            raise UserError(
                f"{population.name}: its states take {bits} bits and the engine has "
                f"{params.state_bits}: train with narrower weights or membranes"
            )
        if planes[population.name] > 64:
            raise UserError(f"{population.name}: it sends numbers of more than 64 bits")
    for connection in graph.connections:
        shift = connection.shift + planes[connection.source] - 1
        if shift > params.most_shift:
            raise UserError(
                f"{connection.name}: it moves weights by up to {shift} bits, its values' bits "
                f"among them, and the engine by {params.most_shift}: lower its shift"
            )
