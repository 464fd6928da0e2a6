"""One cycle of reset puts a core right, whatever its registers wake up with, and whenever it comes.

The cores are those of mutation testing, which have every feature between them.
"""

from dataclasses import replace

import numpy as np
import pytest

from mutants.cores import SUBJECTS
from mutants.trial import addresses, from_zero
from spikeloom_cosim.build import build_bench
from spikeloom_cosim.campaign.run import NO_MEMORY
from spikeloom_cosim.checker import check, check_rounds
from spikeloom_cosim.driver import load_payloads
from spikeloom_cosim.simulation import STREAMING, STRESS, Round, Watchdog, run_rounds
from spikeloom_cosim.wake_up import random_wake_up, without_first_values

SAMPLES = 8
SEEDS = range(1, 7)


@pytest.fixture(scope="module", params=SUBJECTS, ids=lambda subject: subject.name)
def woken(request, tools, tmp_path_factory):
    """Plays rounds to a core without first values, after a random wake-up."""
    folder = tmp_path_factory.mktemp("core")
    subject = request.param
    fitting = subject.fitting(folder / "design").with_every_address()
    core = without_first_values(fitting.core, folder=folder / "woken")
    build = build_bench(core.verilog, core.shape, tools=tools, alone=True)
    expected = fitting.expect(
        addresses(subject, samples=SAMPLES, seed=subject.seed),
    )

    def play(mode, rounds, *, seed, reset_for=1):
        return from_zero(
            run_rounds(
                build,
                core,
                rounds,
                mode,
                folder=tmp_path_factory.mktemp("run") / "run",
                seed=seed,
                watchdog=Watchdog.of(np.tile(expected.latency, len(rounds))),
                options={**random_wake_up(seed), "reset_for": reset_for},
            )
        )

    return fitting, core, expected, play


@pytest.mark.parametrize("mode", [STREAMING, STRESS], ids=lambda mode: mode.name)
def test_a_cycle_of_reset_is_enough(woken, mode):
    _, core, expected, play = woken
    for seed in SEEDS:
        recording = play(mode, [Round.of(core, expected.trace.events)], seed=seed)
        verdict = check(expected, recording, core.shape, mode=mode, seed=seed)
        assert verdict.equal, (seed, verdict.found)


def test_a_reset_may_come_in_any_cycle(woken):
    fitting, core, expected, play = woken
    loads = None
    if core.loads is not None:  # the second time it is loaded with nothing: a reset leaves it all
        loads = load_payloads([(0, NO_MEMORY, 0, 0)], fitting.params)
    random = np.random.default_rng(1)
    for seed in SEEDS:
        strike = int(random.integers(1, expected.results[-1]))
        first = Round.of(core, expected.trace.events)
        rounds = [replace(first, strike=strike), replace(first, loads=loads)]
        recording = play(STREAMING, rounds, seed=seed)
        verdicts = check_rounds([None, expected], recording, core.shape, STREAMING, seed=seed)
        assert all(own.equal for own in verdicts), (seed, strike, verdicts)
