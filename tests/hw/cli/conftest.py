"""Fakes of what the verbs about hardware call."""

from .faked import a_design, calls, verb

__all__ = ["a_design", "calls", "verb"]
