"""A session of pytest in a fresh process of the warm server: what it watches and reports."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

from python_mutants.job import Job, Ran, Report

PLANTED = "planted.py"
"""The helper of tests that break a method by its text. That it no longer finds the text says
nothing about what the method does."""
FIXTURE = "fixture:"
"""Begins the context of what a fixture for several tests runs."""
COLLECTION = "collection"
MEASURED = ("sw", "hw", "cosim", "tests")
ARGUMENTS = (
    *("-q", "-p", "no:cacheprovider", "-p", "_hypothesis_pytestplugin", "-m", "not slow"),
    *("--hypothesis-profile=mutation", "--basetemp=.cache/tests"),
)


def run(job: Job) -> Report:
    """Run the tests of a job in this process."""
    watcher = _Watcher(job)
    # A failing example need not become small, and a deadline means nothing on a busy machine.
    from hypothesis import Phase, settings

    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutation", derandomize=True, deadline=None, phases=phases)
    measured = None
    if job.coverage is not None:
        measured = _Measured(Path(job.coverage))
    plugins = [watcher] if measured is None else [watcher, measured]
    started = time.monotonic()
    code = pytest.main([*ARGUMENTS, *job.files], plugins=plugins)
    if measured is not None:
        measured.save()
    report = watcher.report
    report.seconds = time.monotonic() - started
    # A failed test is the watcher's to report, or it could not plant its own fault.
    ended = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED, pytest.ExitCode.TESTS_FAILED)
    if report.failure is not None:
        report.outcome = "failed"
    elif code in ended:
        report.outcome = "passed"
    return report


class _Watcher:
    """Chooses and orders the tests, and ends the session with the first that fails."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._started = time.monotonic()
        self._seconds: dict[str, float] = {}
        self._failed: set[str] = set()
        self.report = Report()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        self.report.collect_s = time.monotonic() - self._started
        wanted = self._job.tests
        if wanted is not None:
            known = {item.nodeid: item for item in items}
            items[:] = [known[name] for name in wanted if name in known]
            self.report.missing = [name for name in wanted if name not in known]
        self._fixtures = {
            item.nodeid: list(item.fixturenames) if isinstance(item, pytest.Function) else []
            for item in items
        }
        self._session = session

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and self.report.failure is None:
            self.report.failure = f"{report.nodeid} ({COLLECTION})"
            self.report.said = _last_line(report.longreprtext)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid
        self._seconds[name] = self._seconds.get(name, 0.0) + report.duration
        if report.failed:
            self._failed.add(name)
            if self._job.coverage is None and not _cannot_plant(report):
                self.report.failure = name
                self.report.said = _last_line(report.longreprtext)
                self._session.shouldfail = "killed"
        if report.when == "teardown":
            self.report.ran.append(
                Ran(
                    test=name,
                    seconds=round(self._seconds[name], 4),
                    passed=name not in self._failed,
                    fixtures=self._fixtures.get(name, []),
                )
            )


class _Measured:
    """The coverage of each test, that of its subprocesses, and that of fixtures for several."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        rc = folder / "rc"
        data = folder.resolve() / "data"
        # A subprocess is told its test by pytest, and reads this when it starts.
        rc.write_text(
            f"[run]\nparallel = true\ndata_file = {data}\ncontext = ${{PYTEST_CURRENT_TEST-}}\n"
            f"source = {','.join(str(Path(name).resolve()) for name in MEASURED)}\n"
        )
        os.environ["COVERAGE_PROCESS_START"] = str(rc.resolve())
        self._data = data
        self._coverage = coverage.Coverage(config_file=str(rc))
        self._coverage.start()
        self._test = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._test = item.nodeid
        self._coverage.switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            self._coverage.switch_context("")

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> Iterator[None]:
        if fixturedef.scope == "function":
            return (yield)
        self._coverage.switch_context(f"{FIXTURE}{fixturedef.argname}")
        try:
            return (yield)
        finally:
            self._coverage.switch_context(self._test)

    def save(self) -> None:
        self._coverage.stop()
        self._coverage.save()
        combined = coverage.Coverage(config_file=str(self._data.parent / "rc"))
        combined.combine([str(self._data.parent)], strict=True)
        combined.save()


def _cannot_plant(report: pytest.TestReport) -> bool:
    crash = getattr(report.longrepr, "reprcrash", None)
    return crash is not None and Path(crash.path).name == PLANTED


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith("E ")]
    return lines[0][1:].strip()[:200] if lines else ""
