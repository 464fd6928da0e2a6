"""Engines and random graphs for their tests; one seed makes one network."""

import numpy as np

from kinds.graphs import random_graph, random_samples
from spikeloom.errors import UserError
from spikeloom.reference.graph import GraphTrace, simulate_graph
from spikeloom_hw.engine.compiled import EngineProgram, Order
from spikeloom_hw.engine.compiler import compile_graph
from spikeloom_hw.engine.lowering import lower_graph
from spikeloom_hw.engine.params import EngineParams

ROOMY = EngineParams(
    lanes=4,
    weight_bits=4,
    index_bits=3,
    weight_words=1 << 15,
    pointer_words=1 << 13,
    state_bits=28,
    state_words=1 << 11,
    map_words=1 << 13,
    summary_words=1 << 11,
    program_words=1 << 12,
    most_shift=31,
    strides=(1, 2, 3),
)
"""Has room for every random graph, in widths that none of them passes."""

EXPECTED_REFUSAL = "maximum pooling of spikes"
"""What the engine does not do of what random graphs have: maximum pooling of numbers."""


def random_program(
    seed: int, *, params: EngineParams = ROOMY, order: Order | None = None, count: bool = False
) -> tuple[EngineProgram, np.ndarray, GraphTrace] | None:
    """A random graph as a program, samples, and what the reference makes of them.

    None where the graph has what `EXPECTED_REFUSAL` says; any other refusal is raised.
    """
    rng = np.random.default_rng(seed)
    graph = random_graph(rng)
    steps, samples = int(rng.integers(1, 7)), int(rng.integers(1, 3))
    events = random_samples(rng, graph, samples=samples, time_steps=steps)
    try:
        lowered = lower_graph(graph, steps, count=count)
    except UserError as error:
        if EXPECTED_REFUSAL in str(error):
            return None
        raise
    program = compile_graph(lowered, params, order=order)
    return program, events, simulate_graph(lowered.graph, events, steps)


def expected_scores(program: EngineProgram, reference: GraphTrace, sample: int) -> list[int]:
    """The membranes of the last population after the last step."""
    readout = program.lowered.graph.readout.name
    return reference.states[readout]["membrane"][sample, -1].astype(int).tolist()
