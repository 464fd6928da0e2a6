"""Profiles: what a file of another framework leaves open, and what each framework does there.

A file of NIR does not say which step of time it was trained with, how the equation is integrated,
or what a spike does to the membrane. `resolve` gathers these from the user, from the file, and from
the habits of the framework, and remembers of each where it comes from. What matters and is not
known is refused, with the likely value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import msgspec
import numpy as np

from spikeloom.errors import UserError, nearest
from spikeloom.importers.nodes import Cell, Delaying, NodeGraph
from spikeloom.provenance import Origin, ProfileEntry

Decay = Literal["euler", "exponential"]
Gain = Literal["euler", "unit", "rockpool"]
IfGain = Literal["r", "r*dt"]
ResetRule = Literal["subtract", "subtract-late", "zero", "value"]
Compare = Literal[">", ">="]
Spikes = Literal["one", "many"]
Clamp = Literal["none", "-threshold"]
Latency = Literal["none", "synapse", "spike"]
Start = Literal["zero", "leak", "reset"]

CHOICES: Mapping[str, tuple[Any, ...]] = {
    "decay": get_args(Decay),
    "gain": get_args(Gain),
    "if_gain": get_args(IfGain),
    "reset": get_args(ResetRule),
    "compare": get_args(Compare),
    "spikes": get_args(Spikes),
    "clamp": get_args(Clamp),
    "recurrent_delay": (1,),
    "latency": get_args(Latency),
    "start": get_args(Start),
}
"""The entries of a profile besides `dt`, with what each may be."""

MEANING: Mapping[str, str] = {
    "dt": "the step of time, in the file's unit",
    "decay": "how much of a state a step takes: dt/tau, or 1 - exp(-dt/tau)",
    "gain": "what an input counts: dt/tau·r, or as it is",
    "if_gain": "what an input counts where nothing leaks",
    "reset": "what a spike does to the membrane, and when",
    "compare": "whether a membrane at the threshold spikes",
    "spikes": "how many spikes a neuron sends in a step",
    "clamp": "the lowest membrane",
    "recurrent_delay": "steps that a recurrent connection takes",
    "latency": "a step that each layer takes: at its synapses, at its spikes, or none",
    "start": "the membrane before the first step",
}


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What a graph means.

    Attributes:
        framework: whose habits were taken.
        dt: None where nothing in the graph depends on it.
        decay, gain, if_gain, reset, compare, spikes, clamp, recurrent_delay, latency, start: see
            `MEANING`.
        entries: where each comes from.
    """

    framework: str
    dt: float | None
    decay: Decay
    gain: Gain
    if_gain: IfGain
    reset: ResetRule
    compare: Compare
    spikes: Spikes
    clamp: Clamp
    recurrent_delay: int
    latency: Latency
    start: Start
    entries: tuple[ProfileEntry, ...]


@dataclass(frozen=True, kw_only=True)
class Habits:
    """What a framework does where the file is silent.

    Attributes:
        entries: value and reason of each entry that is a habit.
        likely: of the entries that are none, since a constructor decides: the likely choice.
        dt: the step that its own importer takes; None where there is no such habit.
        likely_dt: what to try where there is none.
        gains: whether its writer puts dt into r and w_in, so that dt can be read back.
    """

    entries: Mapping[str, tuple[Any, str]]
    likely: Mapping[str, str] = field(default_factory=dict)
    dt: tuple[float, str] | None = None
    likely_dt: str = "--dt 1e-4"
    gains: bool = False


def _habits(reasons: str, **entries: Any) -> Mapping[str, tuple[Any, str]]:
    plain = {
        "decay": "euler",
        "gain": "euler",
        "if_gain": "r",
        "compare": ">",
        "spikes": "one",
        "clamp": "none",
        "recurrent_delay": 1,
        "latency": "none",
        "start": "zero",
    }
    return {name: (value, reasons) for name, value in {**plain, **entries}.items()}


FRAMEWORKS: Mapping[str, Habits] = {
    "nir": Habits(
        entries=_habits("NIR's equations, by Euler's forward step", reset="value"),
        likely_dt="--dt 1e-4",
    ),
    "norse": Habits(
        entries=_habits("Norse 1.1's own importer", reset="value", start="leak"),
        likely_dt="--dt 1e-4, or --dt 1e-3 if its importer ran with its default",
    ),
    "snntorch": Habits(
        entries=_habits("snnTorch 1.0's own cells"),
        likely={
            "reset": "--reset subtract-late, which is the default of snnTorch's cells, or --reset "
            "zero if they were made with reset_mechanism='zero'"
        },
        gains=True,
    ),
    "sinabs": Habits(
        entries=_habits(
            "Sinabs 3.1's own importer",
            decay="exponential",
            gain="unit",
            reset="subtract",
            compare=">=",
            spikes="many",
            clamp="-threshold",
        ),
        dt=(1.0, "Sinabs counts in steps"),
    ),
    "spikingjelly": Habits(
        entries=_habits(
            "SpikingJelly 2.0's own cells and exporter", compare=">=", start="reset", if_gain="r*dt"
        ),
        likely={
            "reset": "--reset value, which is the default of SpikingJelly's cells, or --reset "
            "subtract if they were made with v_reset=None"
        },
        dt=(1e-4, "SpikingJelly's own exporter"),
    ),
    "rockpool": Habits(
        entries=_habits(
            "Rockpool 3.1's own cells",
            decay="exponential",
            gain="rockpool",
            reset="subtract",
            compare=">=",
            spikes="many",
        ),
    ),
    "lava": Habits(
        entries=_habits("Lava's processes", reset="value", latency="synapse"),
        dt=(1e-4, "the script of NIR's documentation"),
    ),
    "spyx": Habits(
        entries=_habits("Spyx's cells", gain="unit", reset="subtract", latency="spike"),
        dt=(1.0, "Spyx's own exporter"),
    ),
}
"""The frameworks whose habits are known, by the name that `--profile` takes."""

TIMES = ("tau", "tau_mem", "tau_syn")


def resolve(graph: NodeGraph, framework: str, given: Mapping[str, Any]) -> Profile:
    """The profile of a graph.

    Args:
        graph: as read.
        framework: a name of `FRAMEWORKS`.
        given: what the user says, by entry: `dt` and those of `CHOICES`; None is nothing.

    Raises:
        UserError: the framework is not known, a value is no choice, or something that matters is
            neither given nor known.
    """
    habits = FRAMEWORKS.get(framework)
    if habits is None:
        hint = nearest(framework, FRAMEWORKS) or f": choose from {', '.join(FRAMEWORKS)}"
        raise UserError(f"there is no profile {framework!r}{hint}")
    values: dict[str, Any] = {}
    entries = []
    if_gain = given.get("if_gain") or habits.entries["if_gain"][0]
    dt, entry = _dt(graph, habits, given.get("dt"), if_gain=if_gain)
    if entry is not None:
        entries.append(entry)
    for name, choices in CHOICES.items():
        value, origin, why = given.get(name), "given", ""
        if value is None and name in habits.entries:
            (value, why), origin = habits.entries[name], "assumed"
        if value is None:
            raise UserError(
                f"{graph.label}: the file does not say {MEANING[name]}, and a constructor of "
                f"{framework} decides: pass {habits.likely[name]}"
            )
        if value not in choices:
            raise UserError(f"{name} is {value!r}: choose from {', '.join(map(str, choices))}")
        values[name] = value
        entries.append(ProfileEntry(name=name, value=str(value), origin=_origin(origin), why=why))
    return Profile(framework=framework, dt=dt, entries=tuple(entries), **values)


def _origin(word: str) -> Origin:
    return msgspec.convert(word, Origin)


def _timed(graph: NodeGraph, *, if_gain: IfGain) -> bool:
    """Whether anything in a graph depends on dt."""
    return any(
        (
            isinstance(node, Cell)
            and (any(name in node.parameters for name in TIMES) or if_gain == "r*dt")
        )
        or (isinstance(node, Delaying) and node.seconds is not None and node.seconds.any())
        for node in graph.nodes.values()
    )


def _dt(
    graph: NodeGraph, habits: Habits, given: float | None, *, if_gain: IfGain
) -> tuple[float | None, ProfileEntry | None]:
    if not _timed(graph, if_gain=if_gain):
        return None, None
    found = _dt_of_gains(graph)
    if given is not None:
        if not (np.isfinite(given) and given > 0):
            raise UserError(f"dt is {given}: a positive number, in the file's unit, is meant")
        why = (
            ""
            if found is None or np.isclose(found, given, rtol=1e-3)
            else (f"tau/r is {found:g} in every node, which would be dt for a file of snnTorch")
        )
        return given, ProfileEntry(name="dt", value=f"{given:g}", origin="given", why=why)
    if habits.gains and found is not None:
        return found, ProfileEntry(
            name="dt", value=f"{found:g}", origin="from the file", why="tau/r of every node"
        )
    if habits.gains:
        raise UserError(
            f"{graph.label}: tau/r differs from node to node, where snnTorch writes dt in all: the "
            f"writer lost a gain, or the file is not snnTorch's: pass {habits.likely_dt}, or "
            "another --profile"
        )
    if habits.dt is not None:
        value, why = habits.dt
        return value, ProfileEntry(name="dt", value=f"{value:g}", origin="assumed", why=why)
    hint = (
        habits.likely_dt if found is None else f"--dt {found:g}, since tau/r is that in all nodes"
    )
    raise UserError(f"{graph.label}: the file does not say {MEANING['dt']}: pass {hint}")


def _dt_of_gains(graph: NodeGraph) -> float | None:
    """The dt that all gains of a graph agree on: tau/r, and tau_syn/w_in where there is a current.

    snnTorch writes it into every node; other frameworks write other gains.
    """
    found: list[float] = []
    plain = True
    for node in graph.nodes.values():
        if not isinstance(node, Cell):
            continue
        own = node.parameters
        for time, gain in (("tau", "r"), ("tau_mem", "r"), ("tau_syn", "w_in")):
            if time in own:
                found += np.unique(own[time] / own[gain]).tolist()
                plain = plain and bool((own[gain] == 1).all())
    # Gains of 1 say nothing.
    if plain or not found or not np.allclose(found, found[0], rtol=1e-3, atol=0):
        return None
    # Not the last digits of whoever divided in single precision.
    return float(f"{np.median(found):.6g}")
