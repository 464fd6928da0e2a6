"""Files of NIR for tests, written node by node, whole or with a defect."""

import itertools
from typing import Any

import h5py
import numpy as np

TEXT = h5py.string_dtype()

# The steps in which the trace of a single LIF neuron has an input spike.
LIF_INPUT = [
    60,
    220,
    270,
    310,
    320,
    350,
    370,
    400,
    410,
    430,
    440,
    450,
    460,
    470,
    480,
    490,
    500,
    510,
    520,
    530,
    670,
    680,
    690,
    700,
    710,
    720,
    730,
    740,
    750,
    760,
    770,
    780,
    840,
    850,
]
EULER_SPIKES = [460, 510, 710, 760]
EXPONENTIAL_SPIKES = [450, 500, 710, 760]
LIF_STEPS = 1000


def write_group(group, tree):
    """Dictionaries become groups, texts strings, all else arrays."""
    for name, value in tree.items():
        if isinstance(value, dict):
            write_group(group.create_group(name), value)
        elif isinstance(value, str):
            group.create_dataset(name, data=value, dtype=TEXT)
        elif name == "edges":
            pairs = np.array(value, dtype=object).reshape(-1, 2)
            group.create_dataset(name, data=pairs, dtype=TEXT)
        else:
            group.create_dataset(name, data=value)


def write(path, nodes, edges, *, version="1.0"):
    """A file of the graph."""
    with h5py.File(path, "w") as file:
        write_group(file, {"version": version, "node": graph(nodes, edges)})
    return path


def graph(nodes, edges):
    return {"type": "NIRGraph", "nodes": nodes, "edges": edges}


def entry(*shape):
    return {"type": "Input", "shape": np.array(shape)}


def end(*shape):
    return {"type": "Output", "shape": np.array(shape)}


def linear(weight):
    return {"type": "Linear", "weight": np.asarray(weight, dtype=float)}


def affine(weight, bias):
    return {**linear(weight), "type": "Affine", "bias": np.asarray(bias, dtype=float)}


def conv2d(weight, *, bias=None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups=1):
    node = {
        "type": "Conv2d",
        "weight": np.asarray(weight, dtype=float),
        "stride": np.atleast_1d(stride),
        "padding": padding if isinstance(padding, str) else np.atleast_1d(padding),
        "dilation": np.atleast_1d(dilation),
        "groups": groups,
    }
    return node if bias is None else {**node, "bias": np.asarray(bias, dtype=float)}


def pool(kind, kernel, stride=None, padding=0):
    given = {"kernel_size": kernel, "stride": stride or kernel, "padding": padding}
    return {"type": kind, **{name: np.atleast_1d(value) for name, value in given.items()}}


def neurons(kind, count, **fields):
    """Neurons of one shape, each field the same for all of them."""
    plain = {
        "I": {"r": 1.0},
        "IF": {"r": 1.0, "v_threshold": 1.0},
        "LI": {"tau": 0.01, "r": 1.0, "v_leak": 0.0},
        "LIF": {"tau": 0.01, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0},
        "CubaLIF": {
            "tau_syn": 0.01,
            "tau_mem": 0.02,
            "r": 1.0,
            "w_in": 1.0,
            "v_leak": 0.0,
            "v_threshold": 1.0,
        },
    }[kind]
    given = {name: value for name, value in {**plain, **fields}.items() if value is not None}
    return {"type": kind, **{name: np.full(count, value) for name, value in given.items()}}


def chain(*nodes):
    """Nodes one after another, named by their place: `(nodes, edges)`."""
    names = ["input", *map(str, range(len(nodes) - 2)), "output"]
    return dict(zip(names, nodes, strict=True)), list(itertools.pairwise(names))


def one_lif(**fields):
    """The graph of the LIF trace: one input, a weight of 1, one LIF neuron."""
    plain = {"tau": 0.0025, "v_threshold": 0.1}
    return chain(entry(1), affine([[1.0]], [0.0]), neurons("LIF", 1, **{**plain, **fields}), end(1))


def lif_input():
    """The trace's input, bool [1, 1000, 1]."""
    events = np.zeros((1, LIF_STEPS, 1), dtype=bool)
    events[0, LIF_INPUT] = True
    return events
