"""One compiled engine: random graphs loaded one after another, without a reset between them."""

import pytest

from hw.engine.networks import ROOMY, expected_scores, random_program
from spikeloom_cosim.engine.bench import (
    build_engine,
    load_commands,
    play,
    sample_commands,
    trace_words,
    updates,
)
from spikeloom_cosim.wake_up import random_wake_up
from spikeloom_hw.engine.comparison import first_difference
from spikeloom_hw.engine.inputs import input_events
from spikeloom_hw.engine.model import Machine

SEEDS = range(12)
WAKE_UP = random_wake_up(7)


@pytest.fixture(scope="module")
def engine(tmp_path_factory, tools):
    return build_engine(ROOMY, folder=tmp_path_factory.mktemp("engine") / "rtl", tools=tools)


def graphs(seeds=SEEDS):
    """Programs with their samples, in turn by layers and by steps."""
    made = (
        random_program(seed, order=("layers", "steps")[seed % 2], count=seed % 3 == 0)
        for seed in seeds
    )
    return [own for own in made if own is not None]


def commands(program, samples):
    yield from load_commands(program)
    for sample in samples:
        yield from sample_commands(program, sample)


def check(played, made):
    """Every spike, number, membrane, current, score and cycle."""
    assert played.ended == "END"
    at, number = 0, 0
    for program, samples, reference in made:
        words = trace_words(program)
        machine = Machine(program.params, program.program, program.pointers, program.weights)
        for sample in range(len(samples)):
            (found,) = updates(program, played.trace[at : at + words])
            at += words
            assert first_difference(program, found, reference, sample) is None
            modelled = machine.run(input_events(program, samples[sample]))
            assert played.samples[number].cycles == modelled.cycles
            scores = played.samples[number].scores
            assert scores == expected_scores(program, reference, sample)
            best = scores.index(max(scores))
            assert played.samples[number].best == best
            number += 1
    assert (at, number) == (len(played.trace), len(played.samples))


def test_graphs_follow_one_another_from_any_wake_up(engine, tmp_path):
    made = graphs()
    lines = [line for program, samples, _ in made for line in commands(program, samples)]
    check(play(engine, lines, folder=tmp_path / "run", options=WAKE_UP), made)


def test_a_reset_in_mid_sample_and_a_load_broken_off_leave_nothing_behind(engine, tmp_path):
    (program, samples, reference), (other, *_) = graphs(range(2, 6))[:2]
    whole = list(sample_commands(program, samples[0]))
    lines = list(load_commands(program))
    for cut in (1, len(whole) // 2, len(whole) - 2):
        # Half a sample, some cycles of its program, and a reset.
        lines += [*whole[:cut], "P 40", "R"]
    # Half of another network, while half a sample is under way.
    lines += whole[: len(whole) // 2]
    loads = list(load_commands(other))
    lines += loads[: len(loads) // 2]
    lines += list(commands(program, samples))
    played = play(engine, lines, folder=tmp_path / "run", options=WAKE_UP)
    kept = trace_words(program) * len(samples)
    trimmed = type(played)(
        samples=played.samples[-len(samples) :],
        trace=played.trace[-kept:],
        ended=played.ended,
        cycles=played.cycles,
    )
    check(trimmed, [(program, samples, reference)])
