"""Graphs in files: every kind comes back, every change is seen, and what is wrong is named."""

import json
from dataclasses import replace

import msgspec
import numpy as np
import pytest
import safetensors
import safetensors.numpy

from kinds.graphs import random_graph, random_samples, random_window, weights
from spikeloom.connections import Conv2d, Identity, Linear, SparseRows, SumPool2d, Window
from spikeloom.encoding import LatencyEncoding
from spikeloom.errors import UserError
from spikeloom.image import Graph, NetworkImage, Population, Provenance, load_image, save_image
from spikeloom.image.identity import network_sha256
from spikeloom.neurons import CubaLif, DecayLeak, Lif, Relay, ShiftLeak, Source
from spikeloom.reference.graph import simulate_graph


def image_of(graph, *, time_steps=4):
    return NetworkImage(
        graph=graph,
        time_steps=time_steps,
        encoding=LatencyEncoding(),
        readout="count" if graph.readout.spiking else "membrane",
        provenance=Provenance(dataset="none", seed=0),
    )


@pytest.fixture
def conv():
    """Three populations: a map, a convolution, a list that integrates."""
    rng = np.random.default_rng(0)
    window = Window(kernel=(3, 3), padding=(1, 1, 1, 1))
    return Graph(
        populations=(
            Population(name="input", shape=(4, 4, 2), neuron=Source()),
            Population(
                name="map",
                shape=(4, 4, 6),
                neuron=Lif(leak=ShiftLeak(shift=3, rounding="nearest")),
                threshold=np.arange(5, 11),
            ),
            Population(name="out", shape=(3,), neuron=CubaLif(), spiking=False),
        ),
        connections=(
            Conv2d.from_dense(
                weights(rng, (6, 1, 3, 3), density=1.0),
                window=window,
                groups=2,
                name="kernel",
                source="input",
                target="map",
                source_shape=(4, 4, 2),
            ),
            Linear(
                name="last",
                source="map",
                target="out",
                source_shape=(4, 4, 6),
                weights=SparseRows.from_dense(weights(rng, (96, 3))),
            ),
        ),
    )


@pytest.mark.parametrize("seed", range(25))
def test_a_file_gives_back_the_graph(tmp_path, seed):
    rng = np.random.default_rng(seed)
    image = image_of(random_graph(rng))
    path = tmp_path / "network.safetensors"
    save_image(path, image)
    again = load_image(path)
    assert network_sha256(again) == network_sha256(image)
    samples = random_samples(rng, image.graph, samples=2)
    before, after = (simulate_graph(own.graph, samples, 4) for own in (image, again))
    for population in image.graph.populations[1:]:
        name = population.name
        assert (before.outputs[name] == after.outputs[name]).all()
        for state, values in before.states[name].items():
            assert (values == after.states[name][state]).all()


def test_a_graph_is_no_chain_and_says_why(conv):
    image = image_of(conv)
    assert not image.is_chain
    with pytest.raises(UserError, match=r"no chain .*kernel is of the kind conv2d"):
        _ = image.layers


CHANGED_POPULATION = [
    ("shape", {"shape": (1, 96, 1)}),
    ("threshold", {"threshold": np.array([5, 6, 7, 8, 9, 11])}),
    ("bias", {"bias": np.array([1])}),
    ("drive", {"drive": np.array([1])}),
    ("amount", {"amount": np.array([3])}),
    ("membrane_bits", {"membrane_bits": 15}),
    ("membrane_low", {"membrane_low": -1}),
    ("leak", {"neuron": Lif(leak=ShiftLeak(shift=4, rounding="nearest"))}),
    ("rounding", {"neuron": Lif(leak=ShiftLeak(shift=3))}),
    ("decay", {"neuron": Lif(leak=DecayLeak(multiplier=1, fraction_bits=3))}),
    ("reset", {"neuron": Lif(leak=ShiftLeak(shift=3, rounding="nearest"), reset="zero")}),
    ("model", {"neuron": CubaLif(leak=ShiftLeak(shift=3, rounding="nearest"))}),
    ("spiking", {"spiking": False}),
]


@pytest.mark.parametrize(
    "change", [c for _, c in CHANGED_POPULATION], ids=[n for n, _ in CHANGED_POPULATION]
)
def test_whatever_a_population_computes_names_the_network(conv, change):
    first, middle, last = conv.populations
    other = replace(conv, populations=(first, replace(middle, **change), last))
    assert network_sha256(image_of(other)) != network_sha256(image_of(conv))


def test_settings_that_compute_nothing_name_nothing(conv):
    """The width of a current that is not there, the value of a reset that is another."""
    first, middle, last = conv.populations
    for change in ({"current_bits": 9}, {"reset_value": np.array([4])}, {"name": "other"}):
        connections = tuple(
            replace(
                c,
                **{
                    end: change.get("name", "map")
                    for end in ("source", "target")
                    if getattr(c, end) == "map"
                },
            )
            for c in conv.connections
        )
        other = Graph(populations=(first, replace(middle, **change), last), connections=connections)
        assert network_sha256(image_of(other)) == network_sha256(image_of(conv))


@pytest.mark.parametrize(
    "change",
    [
        {"delay": 1},
        {"shift": 1},
        {"window": Window(kernel=(3, 3), padding=(2, 0, 1, 1))},
        {"groups": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_a_connection_computes_names_the_network(conv, change):
    kernel, last = conv.connections
    other = replace(conv, connections=(replace(kernel, **change), last))
    assert network_sha256(image_of(other)) != network_sha256(image_of(conv))


def test_a_network_of_floor_and_of_nearest_are_two(conv):
    """A chain whose leak rounds to the nearest is no chain of today's core."""
    source = Population(name="input", shape=(2,), neuron=Source())
    edge = Linear(
        name="c",
        source="input",
        target="n",
        source_shape=(2,),
        weights=SparseRows.from_dense([[1], [2]]),
    )
    hashes = set()
    for leak, chain in (
        (ShiftLeak(shift=2), True),
        (ShiftLeak(shift=2, rounding="nearest"), False),
        (ShiftLeak(shift=2, rounding="toward-zero"), False),
    ):
        neuron = Lif(leak=leak)
        end = Population(name="n", shape=(1,), neuron=neuron, spiking=False)
        image = image_of(Graph(populations=(source, end), connections=(edge,)))
        assert image.is_chain == chain
        hashes.add(network_sha256(image))
    assert len(hashes) == 3


def population(graph, name, /, **changes):
    return replace(
        graph,
        populations=tuple(
            replace(p, **changes) if p.name == name else p for p in graph.populations
        ),
    )


def connection(graph, name, /, **changes):
    return replace(
        graph,
        connections=tuple(
            replace(c, **changes) if c.name == name else c for c in graph.connections
        ),
    )


def rows(**changes):
    plain = {
        "row_ptr": np.array([0, 1, 2], dtype=np.int32),
        "target": np.array([0, 1], dtype=np.int32),
        "weight": np.array([1, 1], dtype=np.int32),
        "columns": 54,
    }
    return SparseRows(**{**plain, **changes})


def ints(*values):
    return np.array(values, dtype=np.int32)


WRONG = [
    ("a name", lambda g: population(g, "map", name="1st"), r"population's name is '1st'"),
    ("a name twice", lambda g: population(g, "out", name="map"), r"names must be unique"),
    ("a shape", lambda g: population(g, "map", shape=(4, 24)), r"map.shape is \(4, 24\)"),
    ("a width", lambda g: population(g, "map", membrane_bits=49), r"map.membrane_bits is 49"),
    ("a current", lambda g: population(g, "out", current_bits=1), r"out.current_bits is 1"),
    (
        "a parameter's size",
        lambda g: population(g, "map", bias=np.zeros(5, dtype=np.int64)),
        r"map.bias is \(5,\): .*6 channels.*96",
    ),
    ("no threshold", lambda g: population(g, "map", threshold=np.array([0])), "threshold is 0"),
    (
        "a threshold out of reach",
        lambda g: population(g, "map", threshold=np.array([1 << 15])),
        r"threshold is 32768: .*at most the 32767 that 16 bits hold",
    ),
    (
        "a reset value out of reach",
        lambda g: population(g, "map", neuron=Lif(reset="value"), reset_value=np.array([-40000])),
        r"reset_value is -40000",
    ),
    (
        "a lower limit above 0",
        lambda g: population(g, "map", membrane_low=1),
        r"map.membrane_low is 1: 0 or less",
    ),
    (
        "a leak's shift",
        lambda g: population(g, "map", neuron=Lif(leak=ShiftLeak(shift=16))),
        r"map.leak.shift is 16",
    ),
    (
        "a current's leak",
        lambda g: population(
            g, "out", neuron=CubaLif(current_leak=DecayLeak(multiplier=0, fraction_bits=3))
        ),
        r"out.current_leak.multiplier is 0: it must be 1 to 8",
    ),
    (
        "a decay too fine for its state",
        lambda g: population(
            g,
            "map",
            membrane_bits=48,
            neuron=Lif(leak=DecayLeak(multiplier=1, fraction_bits=15)),
        ),
        r"a state of 48 bits leaves 14 for its decay",
    ),
    ("a delay", lambda g: connection(g, "kernel", delay=2), r"kernel.delay is 2: 0 or 1"),
    ("a shift", lambda g: connection(g, "kernel", shift=16), r"kernel.shift is 16"),
    ("a scale", lambda g: connection(g, "kernel", scale=0.0), r"kernel.scale is 0.0"),
    ("no such source", lambda g: connection(g, "last", source="mop"), r"last.source is 'mop'"),
    (
        "a source's shape",
        lambda g: connection(g, "last", source_shape=(96,)),
        r"last.source_shape is \(96,\): the \(4, 4, 6\) of map",
    ),
    (
        "a target's shape",
        lambda g: connection(g, "kernel", window=Window(kernel=(3, 3))),
        r"kernel.target_shape is \(2, 2, 6\): the \(4, 4, 6\) of map",
    ),
    (
        "a window larger than the map",
        lambda g: connection(g, "kernel", window=Window(kernel=(9, 1))),
        r"kernel: a window of \(9, 1\) .* does not fit",
    ),
    (
        "a stride of 0",
        lambda g: connection(
            g, "kernel", window=Window(kernel=(3, 3), stride=(0, 1), padding=(1, 1, 1, 1))
        ),
        r"kernel.window.stride is \(0, 1\)",
    ),
    (
        "a synapse that leaves its group",
        lambda g: connection(g, "kernel", weights=rows(target=ints(5, 3))),
        r"kernel.weights is 1: a synapse leaves its group",
    ),
    ("groups", lambda g: connection(g, "kernel", groups=4), r"kernel.groups is 4: a divisor"),
    (
        "columns",
        lambda g: connection(g, "kernel", weights=rows(columns=55)),
        r"kernel.columns is 55: a multiple of the kernel's 9 taps",
    ),
    (
        "too few rows",
        lambda g: connection(g, "kernel", weights=rows(row_ptr=ints(0, 2))),
        r"kernel.row_ptr is 1: 2 rows",
    ),
    (
        "falling pointers",
        lambda g: connection(g, "kernel", weights=rows(row_ptr=ints(0, 3, 2))),
        r"kernel.row_ptr\[2\] is 2: pointers never fall",
    ),
    (
        "pointers past the end",
        lambda g: connection(g, "kernel", weights=rows(row_ptr=ints(0, 1, 3))),
        r"kernel.row_ptr\[-1\] is 3",
    ),
    (
        "a target out of reach",
        lambda g: connection(g, "kernel", weights=rows(target=ints(0, 54))),
        r"kernel.target is 54: 0 to 53",
    ),
    (
        "a zero weight",
        lambda g: connection(g, "kernel", weights=rows(weight=ints(1, 0))),
        r"kernel.weight\[1\] is 0",
    ),
    (
        "no input",
        lambda g: replace(g, connections=g.connections[:1]),
        r"out is 'without input'",
    ),
    (
        "a second source",
        lambda g: population(g, "map", neuron=Source()),
        r"map.neuron is 'source': the first population is the source, and no other",
    ),
    (
        "a source of too much",
        lambda g: population(g, "input", neuron=Source(highest=256)),
        r"input.highest is 256: 1 to 255",
    ),
    (
        "a readout that keeps nothing",
        lambda g: population(g, "out", neuron=Relay()),
        r"(out is -\d+: what a relay sends on is never negative|out is 'relay')",
    ),
    (
        "neurons that do not spike and drive",
        lambda g: population(g, "map", spiking=False),
        r"last.source is 'map': neurons that do not spike drive nothing",
    ),
]


@pytest.mark.parametrize(("change", "message"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_what_is_wrong_is_named_and_not_written(conv, tmp_path, change, message):
    path = tmp_path / "network.safetensors"
    with pytest.raises(UserError, match=message):
        save_image(path, image_of(change(conv)))
    assert list(tmp_path.iterdir()) == []


def test_a_cycle_within_a_step_is_named(conv):
    back = Identity(name="back", source="map", target="map", source_shape=(4, 4, 6), weight=ints(1))
    looped = replace(conv, connections=(*conv.connections, back))
    with pytest.raises(UserError, match="map → map form a cycle within one step: give one"):
        save_image("nowhere", image_of(looped))
    late = replace(conv, connections=(*conv.connections, replace(back, delay=1)))
    assert late.loops(("map",))


def test_a_relay_in_a_loop_or_behind_a_delay_is_named(conv):
    first, _, last = conv.populations
    pooled = Graph(
        populations=(first, Population(name="map", shape=(2, 2, 2), neuron=Relay()), last),
        connections=(
            SumPool2d(
                name="pool",
                source="input",
                target="map",
                source_shape=(4, 4, 2),
                delay=1,
                window=Window(kernel=(2, 2), stride=(2, 2)),
            ),
            Linear(
                name="last",
                source="map",
                target="out",
                source_shape=(2, 2, 2),
                weights=SparseRows.from_dense(np.ones((8, 3), dtype=int)),
            ),
        ),
    )
    with pytest.raises(UserError, match=r"map.neuron is 'relay': a relay keeps nothing"):
        save_image("nowhere", image_of(pooled))


@pytest.fixture
def written(conv, tmp_path):
    path = tmp_path / "network.safetensors"
    save_image(path, image_of(conv))
    with safetensors.safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["spikeloom"])
    return path, header, safetensors.numpy.load_file(path)


def rewrite(path, header, tensors):
    """The file with another header, rightly signed."""
    from spikeloom.image.file import _digest

    text = json.dumps({**header, "sha256": ""}, separators=(",", ":"))
    signed = text.removesuffix('""}') + f'"{_digest(text, tensors)}"}}'
    safetensors.numpy.save_file(tensors, path, {"spikeloom": signed})


FORGED = [
    ("a kind", lambda h, t: h["connections"][0].update(kind="conv3d"), "kind 'conv3d'"),
    (
        "a parameter",
        lambda h, t: h["populations"][1].update(parameters=["colour"]),
        "the parameter 'colour'",
    ),
    ("a setting", lambda h, t: h["connections"][0]["settings"].pop("groups"), "'kernel': its"),
    ("an array", lambda h, t: t.pop("connections.kernel.weight"), "kernel.weight' is missing"),
    (
        "a type",
        lambda h, t: t.update({"connections.kernel.weight": np.zeros(54, dtype=np.int64)}),
        "it must be a list of int32",
    ),
    (
        "a width",
        lambda h, t: h["populations"][1]["state_bits"].update(membrane=99),
        "map.state_bits is stored as",
    ),
    (
        "a count",
        lambda h, t: h["connections"][0].update(synapses=1),
        "kernel.synapses is stored as 1",
    ),
    ("a field", lambda h, t: h["populations"][1].update(colour="red"), "colour"),
]


@pytest.mark.parametrize(("forge", "message"), [f[1:] for f in FORGED], ids=[f[0] for f in FORGED])
def test_a_forged_header_is_refused(written, forge, message):
    path, header, tensors = written
    forge(header, tensors)
    rewrite(path, header, tensors)
    with pytest.raises(UserError, match=message):
        load_image(path)


def test_a_changed_byte_is_seen(written):
    path, _, _ = written
    whole = bytearray(path.read_bytes())
    whole[-1] ^= 1
    path.write_bytes(whole)
    with pytest.raises(UserError, match="damaged"):
        load_image(path)


def test_provenance_names_no_graph(conv):
    image = image_of(conv)
    claimed = msgspec.structs.replace(image.provenance, seed=5, config="[data]")
    assert network_sha256(replace(image, provenance=claimed)) == network_sha256(image)


def test_random_windows_are_those_of_their_map():
    rng = np.random.default_rng(3)
    for _ in range(20):
        shape = (int(rng.integers(1, 6)), int(rng.integers(1, 6)), 1)
        assert min(random_window(rng, shape).extent(shape)) >= 1
