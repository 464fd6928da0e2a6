"""What makes the tables of a graph a network; each refusal names the table, the value and the fix.

Shapes need the data, and are checked where the network is built.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import UNSET

from spikeloom.config.graph import INPUT, ConnectionConfig, PopulationConfig
from spikeloom.config.shown import shown
from spikeloom.errors import UserError, nearest
from spikeloom.image.names import NAME
from spikeloom.image.topology import InstantCycleError, components
from spikeloom.neurons import CubaLif, DecayLeak, Leak, Lif, Relay, ShiftLeak

if TYPE_CHECKING:
    from spikeloom.config.schema import Config

__all__ = ["check_graph", "connection_names", "leak_rules"]

POOLING = ("sum_pool2d", "max_pool2d")

Rule = tuple[bool, str, str, object, str]
"""Whether it holds, table, key, value, and what it must be."""


def check_graph(config: Config, source: str) -> None:
    """Refuse tables that make no network, and keys that a graph does not take.

    Raises:
        UserError: one sentence.
    """
    populations, connections = config.network.tables()
    rules = [
        *_names(populations, connections),
        *_connections(populations, connections),
        *_populations(populations, connections),
        *_keys(config, connection_names(connections)),
    ]
    for holds, table, key, value, allowed in rules:
        if not holds:
            raise UserError(
                f"{source}: table [{table}]: {key} is {shown(value)}, but it must be {allowed}"
            )
    edges = [(own.source, own.target, own.delay) for own in connections]
    try:
        components([INPUT, *(own.name for own in populations)], edges)
    except InstantCycleError as error:
        raise UserError(
            f"{source}: table [network.connections]: the loop {error} has no delay, but one of its "
            "connections must have delay = 1"
        ) from None


def connection_names(connections: list[ConnectionConfig]) -> list[str]:
    """The names of connections; those without one are named for their target."""
    targets = Counter(own.target for own in connections)
    return [
        own.name or (own.target if targets[own.target] == 1 else f"{own.source}-{own.target}")
        for own in connections
    ]


def leak_rules(table: str, leak: Leak) -> list[Rule]:
    """The ranges of a leak's settings."""
    match leak:
        case ShiftLeak(shift=shift):
            return [(1 <= shift <= 15, table, "shift", shift, "1 to 15")]
        case DecayLeak(multiplier=multiplier, fraction_bits=bits):
            most = 1 << max(0, min(bits, 15))
            return [
                (1 <= bits <= 15, table, "fraction_bits", bits, "1 to 15"),
                (1 <= multiplier <= most, table, "multiplier", multiplier, f"1 to {most}"),
            ]
        case _:
            return []


def _names(populations: list[PopulationConfig], connections: list[ConnectionConfig]) -> list[Rule]:
    rules: list[Rule] = [
        (bool(populations), "network", "populations", [], "at least one table"),
        (bool(connections), "network", "connections", [], "at least one table"),
    ]
    for kind, names in (
        ("populations", [own.name for own in populations]),
        ("connections", connection_names(connections)),
    ):
        counted = Counter(names)
        for position, name in enumerate(names):
            table = f"network.{kind}[{position}]"
            good = NAME.fullmatch(name) is not None
            rules.append((good, table, "name", name, "a letter, then letters, digits, '_' or '-'"))
            rules.append((counted[name] == 1, table, "name", name, "unique"))
            rules.append((name != INPUT, table, "name", name, "another: the input has it"))
    return rules


def _connections(
    populations: list[PopulationConfig], connections: list[ConnectionConfig]
) -> list[Rule]:
    names = [INPUT, *(own.name for own in populations)]
    relays = {own.name for own in populations if isinstance(own.neuron, Relay)}
    rules: list[Rule] = []
    for position, own in enumerate(connections):
        table = f"network.connections[{position}]"
        for key, name in (("source", own.source), ("target", own.target)):
            hint = nearest(name, names) or f"; there are {', '.join(names)}"
            rules.append((name in names, table, key, name, f"a population's name{hint}"))
        rules.append((own.target != INPUT, table, "target", own.target, "no input"))
        rules.append(
            (
                (own.target in relays) == (own.kind in POOLING),
                table,
                "kind",
                own.kind,
                "a pooling where its target is a relay, and only there",
            )
        )
    return rules


def _populations(
    populations: list[PopulationConfig], connections: list[ConnectionConfig]
) -> list[Rule]:
    reached = {own.target for own in connections}
    rules: list[Rule] = []
    for position, own in enumerate(populations):
        table, last = f"network.populations[{position}]", position == len(populations) - 1
        rules += [
            (own.name in reached, table, "name", own.name, "the target of a connection"),
            (
                not (own.neurons and own.channels),
                table,
                "channels",
                own.channels,
                "without neurons",
            ),
        ]
        neuron = Lif() if own.neuron is UNSET else own.neuron
        if isinstance(neuron, Relay):
            rules.append((not last, table, "neuron", "relay", "one that is read out"))
            continue
        sized = bool(own.neurons or own.channels)
        rules.append((last or sized, table, "neurons", 0, "given, or channels of a map"))
        if isinstance(neuron, Lif | CubaLif):
            rules += leak_rules(f"{table}.neuron", neuron.leak)
        if isinstance(neuron, CubaLif):
            rules += leak_rules(f"{table}.neuron", neuron.current_leak)
    return rules


def _keys(config: Config, names: list[str]) -> list[Rule]:
    network, sparsity = config.network, config.sparsity
    rules: list[Rule] = [
        (
            network.learn_threshold == "none",
            "network",
            "learn_threshold",
            network.learn_threshold,
            "'none' in a graph, whose batch_norm trains its thresholds",
        ),
        (not network.learn_leak, "network", "learn_leak", True, "false in a graph"),
        (
            config.quantization.scale != "learned",
            "quantization",
            "scale",
            "learned",
            "'max' or 'fixed' in a graph",
        ),
        (sparsity.stop_rule != "bits", "sparsity", "stop_rule", "bits", "another in a graph"),
        (sparsity.topology == "random", "sparsity", "topology", "local", "'random' in a graph"),
        (not network.preset or bool(network.stages), "network", "stages", [], "widths, by stage"),
    ]
    for name in sparsity.exempt:
        hint = nearest(name, names) or f"; there are {', '.join(names)}"
        rules.append((name in names, "sparsity", "exempt", name, f"a connection's name{hint}"))
    return rules
