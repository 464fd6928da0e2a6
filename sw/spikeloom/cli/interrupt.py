"""Ctrl-C that is not lost.

Python raises KeyboardInterrupt wherever the program stands. Inside a destructor, a callback of a
weak reference or an extension that clears errors it goes no further: the program runs on, and its
user waits. So the handler also remembers that it was called, and long computations ask at every
step.
"""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

__all__ = ["check_interrupt", "remember_interrupts"]

_heard = False


def remember_interrupts() -> None:
    """Take over Ctrl-C, unless whoever started the process had it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _hear)


def check_interrupt() -> None:
    """Raise the interrupt that was heard, since the program runs on nevertheless.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed.
    """
    global _heard
    if _heard:
        _heard = False
        raise KeyboardInterrupt


def _hear(_number: int, _frame: FrameType | None) -> NoReturn:
    global _heard
    _heard = True
    raise KeyboardInterrupt
