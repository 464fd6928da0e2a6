"""Programs of random graphs, executed word by word, against the integer reference."""

from dataclasses import replace

import numpy as np
import pytest

from hw.engine.networks import ROOMY, expected_scores, random_program
from spikeloom_hw.engine.comparison import first_difference, observe
from spikeloom_hw.engine.inputs import input_events
from spikeloom_hw.engine.model import Machine
from spikeloom_hw.engine.program import register_numbers, registers


def machine(program):
    return Machine(program.params, program.program, program.pointers, program.weights)


def check(program, events, reference):
    """Every spike, number, membrane and current of every sample, without a reset between them."""
    engine = machine(program)
    # What a bank holds when it wakes up is nobody's.
    engine.states += 12345
    engine.maps = [1] * len(engine.maps)
    for sample, values in enumerate(events):
        result = engine.run(input_events(program, values))
        assert first_difference(program, result.updates, reference, sample) is None
        assert result.scores == expected_scores(program, reference, sample)


@pytest.mark.parametrize("order", ["layers", "steps"])
@pytest.mark.parametrize("first", range(0, 8, 4))
def test_random_graphs_are_exact_in_both_orders(order, first):
    for seed in range(first, first + 4):
        made = random_program(seed, order=order, count=seed % 3 == 0)
        if made is not None:
            check(*made)


@pytest.mark.slow
def test_a_thousand_random_graphs():
    ran = 0
    for seed in range(1000):
        made = random_program(seed, order=("layers", "steps")[seed % 2], count=seed % 3 == 0)
        if made is not None:
            check(*made)
            ran += 1
    assert ran > 900


def test_a_difference_is_named():
    made = random_program(2, order="layers")
    assert made is not None
    program, events, reference = made
    result = machine(program).run(input_events(program, events[0]))
    seen = next(observe(program, result.updates))
    reference.outputs[seen.population][0, 0, 0] ^= True
    found = first_difference(program, result.updates, reference, 0)
    assert found is not None
    assert found.startswith(f"sample 0, step 0, {seen.population}: output of neuron 0 is ")


TINY = replace(ROOMY, size_bits=2, tap_bits=1, map_words=64, summary_words=16, state_words=64)
"""Nothing that a program can ask of it takes long."""


def test_any_words_are_a_program_that_ends():
    rng = np.random.default_rng(0)
    names = [name for name in registers(TINY) if name not in ("steps", "map_kind", "out_kind")]
    numbers = register_numbers(TINY)
    for _ in range(20):
        words = []
        for opcode in rng.integers(0, 16, 60).tolist():
            register = numbers[names[int(rng.integers(len(names)))]]
            words += [opcode << 12 | register, int(rng.integers(1 << 28))]
        pointers = rng.integers(0, 1 << 46, 64).tolist()
        Machine(TINY, words, pointers, rng.integers(0, 1 << 28, 64).tolist()).run([])
