"""Shapes and sums of convolutions, pools and what folds into them, equal to torch's."""

import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional

from nir_files import affine, chain, conv2d, end, entry, linear, neurons, pool
from spikeloom.errors import UserError
from spikeloom.importers import from_nir
from spikeloom.importers.float_reference import run_floats
from spikeloom.importers.layout import memory_order
from spikeloom.importers.lowering import identity_neuron, lower
from spikeloom.importers.nir import READERS, Fields
from spikeloom.importers.nodes import Entry, Exit, Flattening, Matrix, NodeGraph, Stepper


def as_read(node):
    """A node as a file gives it: texts and arrays."""
    return {k: v if isinstance(v, str) else np.asarray(v) for k, v in node.items()}


def held(frame, expected, *nodes):
    """What foreign nodes make of one frame `[channels, …]`, by neurons that hold it.

    `expected` is what torch makes of it; its shape is checked, and its order is memory's here.
    """
    read = [
        READERS[node["type"]](Fields("test", f"n{place}", as_read(node), []))
        for place, node in enumerate(nodes)
    ]
    # Behind the neurons that hold, one that makes the graph whole.
    after = (
        Flattening(name="flat"),
        Matrix(name="fc", weight=np.ones((1, expected.size))),
        Stepper(name="last", step=identity_neuron()),
    )
    hold = Stepper(name="hold", step=identity_neuron())
    whole = [Entry(name="in", shape=frame.shape), *read, hold, *after, Exit(name="out")]
    graph = NodeGraph(
        label="test",
        nodes={node.name: node for node in whole},
        edges=list(itertools.pairwise(node.name for node in whole)),
    )
    floats = lower(graph, None)
    assert floats.by_name["hold"].neurons == expected.size
    x = frame.reshape(-1)[memory_order(frame.shape)]
    got = run_floats(floats, x[None, None].astype(float)).membranes["hold"][0, 0]
    return got, expected.reshape(-1)[memory_order(expected.shape)]


def check(frame, expected, *nodes):
    got, wanted = held(frame, expected, *nodes)
    assert np.abs(wanted).max() > 0
    assert np.allclose(got, wanted, rtol=0, atol=1e-12)


def tensor(values):
    return torch.tensor(np.asarray(values, dtype=float))


GEOMETRIES = [
    pytest.param(groups, kernel, stride, padding, dilation, id=f"{groups} groups, {kernel}, stride "
                 f"{stride}, padding {padding}, dilation {dilation}")
    for groups, kernel, stride, padding, dilation in itertools.product(
        (1, 2, 4), ((3, 3), (1, 3), (2, 5)), (1, 2), ("same", 0, (2, 1)), (1, 2)
    )
    if not (padding == "same" and stride == 2)
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
@pytest.mark.parametrize(("groups", "kernel", "stride", "padding", "dilation"), GEOMETRIES)
def test_convolutions(groups, kernel, stride, padding, dilation):
    random = np.random.default_rng(1)
    weight, bias = random.normal(size=(8, 4 // groups, *kernel)), random.normal(size=8)
    frame = random.random((4, 9, 11)) < 0.4
    given = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    expected = functional.conv2d(tensor(frame)[None], tensor(weight), tensor(bias), **given)[0]
    check(frame, expected.numpy(), conv2d(weight, bias=bias, **given))


@pytest.mark.parametrize("groups", [1, 3])
def test_convolutions_of_lines(groups):
    random = np.random.default_rng(2)
    weight, frame = random.normal(size=(6, 3 // groups, 4)), random.random((3, 17)) < 0.4
    node = {**conv2d(weight, stride=2, padding=1, dilation=2, groups=groups), "type": "Conv1d"}
    given = {"stride": 2, "padding": 1, "dilation": 2, "groups": groups}
    expected = functional.conv1d(tensor(frame)[None], tensor(weight), **given)[0]
    check(frame, expected.numpy(), node)


@pytest.mark.parametrize("kernel", [2, 3, (3, 2)])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1])
def test_pools(kernel, stride, padding):
    frame = np.random.default_rng(3).random((3, 9, 8)) < 0.5
    area = int(np.prod(np.broadcast_to(kernel, 2)))
    expected = functional.avg_pool2d(tensor(frame)[None], kernel, stride, padding)[0].numpy()
    check(frame, expected * area, pool("SumPool2d", kernel, stride, padding))
    if not padding:
        check(frame, expected, pool("AvgPool2d", kernel, stride))


def test_a_mean_then_weights_in_the_order_of_a_flatten():
    random = np.random.default_rng(4)
    frame, weight = random.random((3, 4, 6)) < 0.5, random.normal(size=(5, 18))
    pooled = functional.avg_pool2d(tensor(frame)[None], 2)
    expected = functional.linear(pooled.flatten(1), tensor(weight))[0].numpy()
    flat = {"type": "Flatten", "start_dim": 0, "end_dim": -1}
    check(frame, expected, pool("AvgPool2d", 2), flat, linear(weight))


def test_scales_and_matrices_fold():
    random = np.random.default_rng(5)
    frame = random.random(4) < 0.7
    first, second = random.normal(size=(3, 4)), random.normal(size=(2, 3))
    bias, scale = random.normal(size=3), random.normal(size=3)
    expected = second @ (scale * (first @ frame + bias))
    # The bias is carried through what follows it.
    check(frame, expected, affine(first, bias), {"type": "Scale", "scale": scale}, linear(second))


def test_neurons_behind_a_flatten_keep_the_places_of_their_maps(nir_file):
    """A flat list of neurons behind a convolution: the next matrix counts channels first."""
    random = np.random.default_rng(6)
    kernel, weight = random.normal(size=(3, 2, 3, 3)), random.normal(size=(4, 48))
    flat = {"type": "Flatten", "start_dim": 0, "end_dim": -1}
    before = chain(
        entry(2, 6, 6), conv2d(kernel), neurons("IF", (3, 4, 4)), flat, linear(weight),
        neurons("IF", 4), end(4),
    )  # fmt: skip
    behind = chain(
        entry(2, 6, 6), conv2d(kernel), flat, neurons("IF", 48), linear(weight),
        neurons("IF", 4), end(4),
    )  # fmt: skip
    events = random.random((3, 20, 72)) < 0.3
    found = [
        from_nir(nir_file(*graph), profile="norse").run(events).scores for graph in (before, behind)
    ]
    assert found[0].sum() > 20
    assert np.array_equal(found[0], found[1])


def test_parameters_of_each_neuron_follow_their_place(nir_file):
    threshold = np.arange(1.0, 25.0).reshape(2, 3, 4) / 10
    nodes, edges = chain(
        entry(2, 3, 4), {**neurons("IF", (2, 3, 4)), "v_threshold": threshold},
        {"type": "Flatten", "start_dim": 0, "end_dim": -1}, linear(np.ones((1, 24))),
        neurons("IF", 1), end(1),
    )  # fmt: skip
    neuron = from_nir(nir_file(nodes, edges), profile="norse").floats.populations[1].neuron
    assert neuron is not None
    assert neuron.threshold.reshape(3, 4, 2)[2, 1, 1] == threshold[1, 2, 1]


def test_a_bias_counts_once_for_two_sources(nir_file):
    nodes = {
        "input": entry(1),
        "a": neurons("IF", 1, v_threshold=0.5),
        "b": neurons("IF", 1, v_threshold=0.5),
        "fc": affine([[1.0]], [0.25]),
        "last": neurons("IF", 1, v_threshold=99.0),
        "output": end(1),
    }
    edges = [("input", "a"), ("input", "b"), ("a", "fc"), ("b", "fc"), ("fc", "last"),
             ("last", "output")]  # fmt: skip
    foreign = from_nir(nir_file(nodes, edges), profile="norse")
    trace = foreign.run(np.ones((1, 4, 1), dtype=bool))
    assert trace.membranes["last"][0, :, 0].tolist() == [2.25, 4.5, 6.75, 9.0]


REFUSED = {
    "a pool behind a convolution": (
        [conv2d(np.ones((2, 2, 3, 3))), pool("SumPool2d", 2), neurons("IF", (2, 3, 3))],
        "node '1': it pools what comes out of the weights of '0'",
    ),
    "a mean with padding": (
        [neurons("IF", (2, 8, 8)), pool("AvgPool2d", 2, padding=1), neurons("IF", (2, 5, 5))],
        "averages with padding",
    ),
    "a scale within a channel": (
        [
            {"type": "Scale", "scale": np.arange(128.0).reshape(2, 8, 8)},
            conv2d(np.ones((2, 2, 3, 3))),
            neurons("IF", (2, 6, 6)),
        ],
        "factors that differ within a channel",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fold_is_refused(nir_file, name):
    nodes, expected = REFUSED[name]
    size = int(np.prod(nodes[-1]["r"].shape))
    flat = {"type": "Flatten", "start_dim": 0, "end_dim": -1}
    last = (flat, linear(np.ones((1, size))), neurons("IF", 1), end(1))
    with pytest.raises(UserError, match=expected):
        from_nir(nir_file(*chain(entry(2, 8, 8), *nodes, *last)), profile="norse")


def test_a_cycle_through_two_populations_needs_a_delay(nir_file):
    nodes, edges = chain(
        entry(1), linear([[1.0]]), neurons("IF", 1), linear([[1.0]]), neurons("IF", 1), end(1)
    )
    back = {**nodes, "back": linear([[1.0]])}
    loop = [*edges, ("3", "back"), ("back", "1")]
    with pytest.raises(UserError, match="a cycle through several populations"):
        from_nir(nir_file(back, loop), profile="norse", dt=1e-3)
    delayed = {**back, "wait": {"type": "Delay", "delay": np.array([1e-3])}}
    loop = [*edges, ("3", "wait"), ("wait", "back"), ("back", "1")]
    foreign = from_nir(nir_file(delayed, loop), profile="norse", dt=1e-3)
    assert sorted(c.delay for c in foreign.floats.connections) == [0, 0, 1]
