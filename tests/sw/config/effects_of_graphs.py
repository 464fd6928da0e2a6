"""What the keys of a graph change: a preset's, and those of its populations and connections."""

from itertools import product
from typing import Any

import numpy as np

from spikeloom.connections import Conv2d, Identity, MaxPool2d, SumPool2d
from spikeloom.neurons import CubaLif, DecayLeak, Lif, ShiftLeak
from tiny import TEXT

from .effects import Key, Run, with_keys

LEARNING: dict[str, Any] = {"training.learning_rate": 0.1}
EXACT: dict[str, Any] = {"quantization.scale": "max", "network.membrane_bits": 16}
WITHOUT_HIDDEN = with_keys(TEXT, {"network.hidden": []} | LEARNING | EXACT)
VGG = with_keys(WITHOUT_HIDDEN, {"network.preset": "vgg", "network.stages": [[4]]})
LISTS = with_keys(
    WITHOUT_HIDDEN,
    {
        "network.populations": [
            {"name": "a", "neurons": 6},
            {"name": "b", "neurons": 6},
            {"name": "readout"},
        ],
        "network.connections": [
            {"source": "input", "target": "a"},
            {"source": "input", "target": "b"},
            {"source": "a", "target": "readout"},
            {"source": "b", "target": "readout"},
        ],
    },
)
MAPS = with_keys(
    WITHOUT_HIDDEN,
    {
        "network.populations": [
            {"name": "a", "channels": 4},
            {"name": "pool", "neuron": {"kind": "relay"}},
            {"name": "readout"},
        ],
        "network.connections": [
            {"source": "input", "target": "a", "kind": "conv2d", "kernel": 3, "padding": 1},
            {"source": "a", "target": "pool", "kind": "sum_pool2d", "kernel": 2, "stride": 2},
            {"source": "pool", "target": "readout"},
        ],
    },
)
POPULATION, CONNECTION = "network.populations", "network.connections"


def population(run: Run, name: str = "a", *, trained: bool = False) -> Any:
    graph = (run.image if trained else run.drawn).graph
    return next(own for own in graph.populations if own.name == name)


def connection(run: Run, name: str = "a") -> Any:
    return next(own for own in run.drawn.graph.connections if own.name == name)


def connections(run: Run) -> list[tuple[str, str, str]]:
    return [(own.name, own.source, own.target) for own in run.drawn.graph.connections]


def kinds(run: Run) -> set[type]:
    return {type(own) for own in run.drawn.graph.connections}


def threshold(run: Run, name: str = "a") -> float:
    return float(population(run, name).threshold.mean())


def normalised(run: Run, name: str = "a") -> bool:
    """A bias that was trained, where none is asked for, is that of a normalisation."""
    return bool(np.any(population(run, name, trained=True).bias))


def in_population(key: str, value: Any, effect: Any, *, text: str = LISTS, **options: Any) -> Key:
    return Key(value=value, effect=effect, place=f"{POPULATION}.0.{key}", text=text, **options)


def in_connection(key: str, value: Any, effect: Any, *, text: str = MAPS, **options: Any) -> Key:
    return Key(value=value, effect=effect, place=f"{CONNECTION}.0.{key}", text=text, **options)


def window(key: str, value: Any, expected: tuple[int, ...]) -> Key:
    """A convolution's window has it."""
    return in_connection(
        key, value, lambda _, b: getattr(connection(b).window, key) == expected != ()
    )


def neuron(path: str, beside: dict[str, Any], value: Any, expected: Any) -> Key:
    """The neuron of population `a` has at `path`, below its kind, what is `expected`."""

    def effect(_: Run, after: Run) -> bool:
        found = population(after).neuron
        for name in path.split("."):
            found = getattr(found, name)
        return found == expected

    return in_population(f"neuron.{path}", value, effect, beside={f"{POPULATION}.0.neuron": beside})


SHIFT = {"kind": "shift", "shift": 2}
DECAY = {"kind": "decay", "multiplier": 3, "fraction_bits": 4}
MODELS = {"lif": ("leak",), "cuba-lif": ("leak", "current_leak")}
CHANGES = (
    ("shift", SHIFT, "shift", 4),
    ("shift", SHIFT, "rounding", "nearest"),
    ("decay", DECAY, "multiplier", 5),
    ("decay", DECAY, "fraction_bits", 6),
    ("decay", DECAY, "rounding", "nearest"),
)
NEURONS = {
    **{
        f"{POPULATION}.neuron.{model}.{state}": neuron(
            state, {"kind": model}, SHIFT, ShiftLeak(shift=2)
        )
        for model, states in MODELS.items()
        for state in states
    },
    **{
        f"{POPULATION}.neuron.{model}.{state}.{kind}.{key}": neuron(
            f"{state}.{key}", {"kind": model, state: leak}, value, value
        )
        for model, (kind, leak, key, value) in product(MODELS, CHANGES)
        for state in MODELS[model]
    },
    **{
        f"{POPULATION}.neuron.{model}.reset": neuron("reset", {"kind": model}, "zero", "zero")
        for model in MODELS
    },
}

KEYS = {
    "network.preset": Key(
        value="resnet",
        effect=lambda a, b: Identity in kinds(b) - kinds(a),
        text=VGG,
    ),
    "network.stages": Key(
        value=[[5], [2]],
        effect=lambda _, b: (
            [own.shape for own in b.drawn.graph.populations if own.name.startswith("conv")]
            == [(4, 4, 5), (2, 2, 2)]
        ),
        text=VGG,
    ),
    "network.pooling": Key(
        value="max",
        effect=lambda a, b: SumPool2d in kinds(a) - kinds(b) and MaxPool2d in kinds(b),
        text=VGG,
    ),
    POPULATION: Key(
        value=[{"name": "a", "neurons": 6}, {"name": "b", "neurons": 9}, {"name": "readout"}],
        effect=lambda _, b: [own.neurons for own in b.drawn.graph.populations] == [16, 6, 9, 3],
        text=LISTS,
    ),
    CONNECTION: Key(
        value=[
            {"source": "input", "target": "a"},
            {"source": "a", "target": "b"},
            {"source": "b", "target": "readout"},
        ],
        effect=lambda _, b: (
            connections(b) == [("a", "input", "a"), ("b", "a", "b"), ("readout", "b", "readout")]
        ),
        text=LISTS,
    ),
    "network.batch_norm": Key(
        value=False,
        effect=lambda a, b: normalised(a) and not normalised(b),
        text=LISTS,
    ),
    "network.fraction_bits": Key(
        value=3,
        effect=lambda a, b: (
            [own.shift for own in b.drawn.graph.connections] == [3, 3, 3, 3]
            and 7 * threshold(a) < threshold(b) < 9 * threshold(a)
        ),
        text=LISTS,
    ),
    "sparsity.exempt": Key(
        value=["b"],
        effect=lambda a, b: (
            bool(b.masks[1].all()) and not a.masks[1].all() and not b.masks[0].all()
        ),
        beside={"sparsity.initial_density": 0.5},
        text=LISTS,
    ),
    f"{POPULATION}.name": in_population(
        "name",
        "z",
        lambda _, b: [own.name for own in b.drawn.graph.populations][1] == "z",
        also={f"{CONNECTION}.0.target": "z", f"{CONNECTION}.2.source": "z"},
    ),
    f"{POPULATION}.neurons": in_population("neurons", 9, lambda _, b: population(b).shape == (9,)),
    f"{POPULATION}.channels": in_population(
        "channels", 5, lambda _, b: population(b).shape == (4, 4, 5), text=MAPS
    ),
    f"{POPULATION}.neuron": in_population(
        "neuron",
        {"kind": "cuba-lif", "leak": DECAY},
        lambda a, b: (
            isinstance(population(a).neuron, Lif)
            and population(b).neuron == CubaLif(leak=DecayLeak(multiplier=3, fraction_bits=4))
        ),
    ),
    **NEURONS,
    f"{POPULATION}.membrane_bits": in_population(
        "membrane_bits",
        12,
        lambda _, b: [own.membrane_bits for own in b.drawn.graph.populations][1:3] == [12, 16],
    ),
    f"{POPULATION}.current_bits": in_population(
        "current_bits",
        12,
        lambda _, b: population(b).current_bits == 12,
        beside={f"{POPULATION}.0.neuron": {"kind": "cuba-lif"}},
    ),
    f"{POPULATION}.threshold": in_population(
        "threshold",
        2.0,
        lambda a, b: (
            1.8 * threshold(a) < threshold(b) < 2.2 * threshold(a)
            and threshold(a, "b") == threshold(b, "b")
        ),
        beside={"network.batch_norm": False, "network.fraction_bits": 4},
    ),
    f"{POPULATION}.batch_norm": in_population(
        "batch_norm",
        False,
        lambda a, b: normalised(a) and not normalised(b) and normalised(b, "b"),
    ),
    f"{CONNECTION}.source": Key(
        value="a",
        effect=lambda _, b: connections(b)[1] == ("b", "a", "b"),
        place=f"{CONNECTION}.1.source",
        text=LISTS,
    ),
    f"{CONNECTION}.target": Key(
        value="a",
        effect=lambda _, b: connections(b)[3] == ("b-a", "b", "a"),
        place=f"{CONNECTION}.3.target",
        text=LISTS,
    ),
    f"{CONNECTION}.name": in_connection(
        "name", "first", lambda _, b: connections(b)[0] == ("first", "input", "a")
    ),
    f"{CONNECTION}.kind": Key(
        value="max_pool2d",
        effect=lambda _, b: isinstance(connection(b, "pool"), MaxPool2d),
        place=f"{CONNECTION}.1.kind",
        text=MAPS,
    ),
    f"{CONNECTION}.kernel": window("kernel", [1, 3], (1, 3)),
    f"{CONNECTION}.stride": window("stride", 2, (2, 2)),
    f"{CONNECTION}.padding": window("padding", [0, 1, 1, 0], (0, 1, 1, 0)),
    f"{CONNECTION}.dilation": window("dilation", [1, 2], (1, 2)),
    f"{CONNECTION}.groups": in_connection(
        "groups",
        2,
        lambda a, b: (
            isinstance(connection(b), Conv2d)
            and (connection(a).groups, connection(b).groups) == (1, 2)
            and 2 * b.weights[0].numel() == a.weights[0].numel()
        ),
        beside={"data.encoding": {"kind": "multithreshold", "levels": 2}},
    ),
    f"{CONNECTION}.delay": in_connection(
        "delay", 1, lambda _, b: [own.delay for own in b.drawn.graph.connections] == [1, 0, 0]
    ),
    f"{CONNECTION}.shift": in_connection(
        "shift", 2, lambda _, b: [own.shift for own in b.drawn.graph.connections] == [2, 0, 0]
    ),
}
