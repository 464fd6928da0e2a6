"""A sample as an engine takes it."""

import numpy as np

from spikeloom_hw.engine.compiled import EngineProgram
from spikeloom_hw.engine.records import InputEvent


def input_events(program: EngineProgram, sample: np.ndarray) -> list[list[InputEvent]]:
    """The events of a sample, by the step in which the engine takes them.

    Args:
        program: the network.
        sample: bool `[T, inputs]`, or direct values `[inputs]`, which are one step of bit planes.
    """
    source = program.lowered.graph.source.name
    placement, planes = program.placements[source], program.planes[source]
    neurons = np.arange(placement.neurons)
    word, lane = placement.word(neurons)
    summary, bit = placement.summary(neurons)
    steps = []
    for values in np.atleast_2d(sample):
        events: list[InputEvent] = []
        for plane in range(planes):
            set_bits = np.flatnonzero(values.astype(np.int64) >> plane & 1)
            columns = (
                plane * placement.summaries + summary[set_bits],
                bit[set_bits],
                plane * placement.words + word[set_bits],
                lane[set_bits],
            )
            events += list(zip(*(column.tolist() for column in columns), strict=True))
        steps.append(events)
    return steps
