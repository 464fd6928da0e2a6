"""The worked event of `docs/engine.md`: every number of the page, computed from the memories."""

from pathlib import Path

import numpy as np

from hw.engine.test_rows import alone
from spikeloom.connections import Conv2d, Window
from spikeloom_hw.engine.compiler import compile_graph
from spikeloom_hw.engine.cycles import ScanClock
from spikeloom_hw.engine.model import Machine
from spikeloom_hw.engine.params import EngineParams
from spikeloom_hw.engine.program import listing

PAGE = Path(__file__).parents[3] / "docs" / "engine.md"
PARAMS = EngineParams(lanes=4, index_bits=3, pointer_rows=4, pointer_words=64, state_bits=18)
SHAPE = (4, 4, 8)
EVENT = (0, 3, 5)
WEIGHTS = {(0, 0, 1): 3, (1, 0, 0): -2, (1, 1, 2): 5, (1, 2, 7): 1, (1, 2, 4): -4, (2, 1, 6): 7}
"""Of input channel 5: tap down, tap across and output channel."""


def example() -> Conv2d:
    kernel = np.zeros((8, 8, 3, 3), dtype=int)
    for (ky, kx, output), weight in WEIGHTS.items():
        kernel[output, EVENT[2], ky, kx] = weight
    # Full taps elsewhere make lines the better form.
    kernel[:, 0, :, 0] = 1
    return Conv2d.from_dense(
        kernel,
        window=Window(kernel=(3, 3), padding=(1, 1, 1, 1)),
        name="edge",
        source="a",
        target="b",
        source_shape=SHAPE,
    )


def worked() -> tuple[list[str], dict[int, int]]:
    """The lines of the page, and the weights that reach a neuron of the map."""
    connection = example()
    program = compile_graph(alone(connection), PARAMS)
    assert program.rows["edge"].form == "lines"
    text = list(listing(PARAMS, program.program))
    scan = next(int(line.split()[0]) for line in text if line.split()[1] == "SCAN")
    machine = Machine(PARAMS, program.program[:scan], program.pointers, program.weights)
    machine.run([[]])
    y, x, channel = EVENT
    neuron = np.array((y * SHAPE[1] + x) * SHAPE[2] + channel)
    source, target = program.placements["a"], program.placements["b"]
    word, lane = (int(own) for own in source.word(neuron))
    summary, bit = (int(own) for own in source.summary(neuron))
    machine.summaries = [0] * len(machine.summaries)
    first = machine.setting["map_summary.base"]
    machine.summaries[first + summary] = 1 << bit
    machine.maps[machine.setting["map.base"] + word] = 1 << lane
    lines = [
        f"event (y {y}, x {x}, channel {channel}): group {channel // 4}, lane {lane}, "
        f"map word {word}, summary word {summary}, bit {bit}"
    ]
    reached = {}
    machine.clock = ScanClock()
    (event,) = machine.events()
    machine.clock.event()
    for read in machine.reads(event):
        start, count = machine.row(read.row)
        lines.append(f"row {read.row}: words {start} to {start + count - 1}, base {read.base}")
        addresses, lanes, weights, _ = machine._row_synapses(read.row)
        for address, own, weight in zip(addresses, lanes, weights, strict=True):
            state = int(read.base + address)
            place, group = divmod(state - target.first_state, target.groups)
            down, across = divmod(place, target.width + target.halo)
            output = group * PARAMS.lanes + int(own)
            inside = across < target.width
            if inside:
                reached[(down * target.width + across) * SHAPE[2] + output] = int(weight)
            where = f"y {down}, x {across}, channel {output}" if inside else "halo"
            lines.append(f"  lane {own}: state {state} += {weight:2}   ({where})")
    lines.append(f"over in cycle {machine.clock.end}")
    return lines, reached


def test_the_page_has_every_number_of_the_example():
    page = PAGE.read_text()
    for line in worked()[0]:
        assert line in page


def test_the_example_is_what_the_connection_says():
    y, x, channel = EVENT
    rows = dict(example().rows((y * SHAPE[1] + x) * SHAPE[2] + channel))
    assert worked()[1] == rows
