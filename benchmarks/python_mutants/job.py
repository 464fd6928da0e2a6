"""What a session of tests is asked, and what it answers; both travel as a line of JSON."""

from __future__ import annotations

import msgspec


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A session of tests in the tree.

    Attributes:
        files: test files to collect, paths from the root.
        tests: those to run, in this order; None: all that are not slow.
        coverage: folder for the coverage of each test; None: not measured, and the session ends
            with the first failure.
        limit_s: after this long the session is ended.
    """

    files: list[str]
    tests: list[str] | None = None
    coverage: str | None = None
    limit_s: float


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """A test that ran."""

    test: str
    seconds: float
    passed: bool
    fixtures: list[str] = []


class Report(msgspec.Struct, kw_only=True):
    """How a session ended.

    Attributes:
        outcome: "passed"; "failed", by `failure`; "timeout"; or "broken", for reasons that are not
            the tests'.
        failure: the test, or the file that could not be imported, and what it said.
        ran: the tests that ran.
        missing: asked for, but not there.
        seconds: of the whole session.
        collect_s: of these, to import and collect.
    """

    outcome: str = "broken"
    failure: str | None = None
    said: str | None = None
    ran: list[Ran] = []
    missing: list[str] = []
    seconds: float = 0.0
    collect_s: float = 0.0
