"""Ctrl-C ends a long computation even where it was swallowed at first."""

import contextlib
import os
import signal

import pytest

from spikeloom.cli.console import Console
from spikeloom.cli.interrupt import check_interrupt, remember_interrupts


@pytest.fixture
def handler():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    remember_interrupts()
    yield
    with contextlib.suppress(KeyboardInterrupt):
        check_interrupt()
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("handler")
def test_an_interrupt_that_was_swallowed_ends_the_loop_at_its_next_step():
    with Console().track(4, "steps") as track:
        track.advance()
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            track.advance()
    check_interrupt()


@pytest.mark.usefixtures("handler")
def test_an_interrupt_is_raised_at_once():
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        remember_interrupts()
        os.kill(os.getpid(), signal.SIGINT)
        check_interrupt()
    finally:
        signal.signal(signal.SIGINT, before)
