"""Random small networks of other frameworks, as files of NIR: neurons and weights of every kind."""

import numpy as np

from nir_files import affine, chain, conv2d, end, entry, linear, neurons, pool

PROFILES = {
    "nir": {"dt": 1e-3},
    "norse": {"dt": 1e-3},
    "snntorch": {"dt": 1e-3, "reset": "subtract-late"},
    "spikingjelly": {"dt": 1e-3, "reset": "subtract", "if_gain": "r"},
    "sinabs": {"dt": 1e-3, "spikes": "one"},
    "rockpool": {"dt": 1e-3, "spikes": "one"},
    "lava": {"dt": 1e-3},
    "spyx": {"dt": 1e-3},
}
"""What each framework leaves to the user, for a time step of a millisecond."""


def cells(random, shape):
    """Neurons of any model, all with one decay and thresholds of their own."""
    kind = random.choice(["IF", "LIF", "CubaLIF"])
    # One for each neuron of a list, or for each channel of maps.
    each = (shape[0], 1, 1) if isinstance(shape, tuple) else shape
    threshold = random.uniform(0.3, 2.0) * random.uniform(0.8, 1.2, each) * np.ones(shape)
    fields = {"v_threshold": threshold, "r": random.uniform(0.5, 3.0)}
    if kind == "LIF":
        fields |= {"tau": random.uniform(2e-3, 3e-2), "v_leak": random.uniform(-0.2, 0.2)}
    if kind == "CubaLIF":
        fields |= {
            "tau_mem": random.uniform(2e-3, 3e-2),
            "tau_syn": random.uniform(2e-3, 1e-2),
            "w_in": random.uniform(0.5, 2.0),
        }
    return neurons(kind, shape, **fields)


def random_graph(seed):
    """`(nodes, edges, inputs)`: a chain or a loop of lists, or two convolutions with a pool."""
    random = np.random.default_rng(seed)
    if random.random() < 0.3:
        return *maps(random), 50
    inputs, hidden, outputs = (int(n) for n in random.integers(1, 7, 3))
    nodes, edges = chain(
        entry(inputs),
        affine(random.normal(0.3, 1, (hidden, inputs)), random.normal(0, 0.05, hidden)),
        cells(random, hidden),
        linear(random.normal(0.3, 1, (outputs, hidden))),
        cells(random, outputs),
        end(outputs),
    )
    if random.random() < 0.5:
        nodes["back"] = linear(random.normal(0, 0.5, (hidden, hidden)))
        edges += [("1", "back"), ("back", "1")]
    return nodes, edges, inputs


def maps(random):
    return chain(
        entry(2, 5, 5),
        conv2d(random.normal(0.2, 0.7, (3, 2, 3, 3)), bias=random.normal(0, 0.02, 3), padding=1),
        cells(random, (3, 5, 5)),
        pool(str(random.choice(["SumPool2d", "AvgPool2d"])), 2),
        conv2d(random.normal(0.2, 0.7, (2, 3, 2, 2))),
        cells(random, (2, 1, 1)),
        {"type": "Flatten", "start_dim": 0, "end_dim": -1},
        linear(random.normal(0.5, 1, (2, 2))),
        cells(random, 2),
        end(2),
    )


def events(seed, inputs, samples=3, steps=25):
    """Random events, bool `[samples, steps, inputs]`."""
    return np.random.default_rng(seed).random((samples, steps, inputs)) < 0.35
