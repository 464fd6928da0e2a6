"""The runner of Python mutants: what it mutates, what it takes for a kill, and what it does not."""

import subprocess
import textwrap

import pytest

from python_mutants import trial as trial_module
from python_mutants.contexts import Suite, kept, measure
from python_mutants.mutants import find_mutants, sources
from python_mutants.results import document, group_of
from python_mutants.sample import sample
from python_mutants.slot import Slot
from python_mutants.trial import Row, trial


def changes(text):
    text = textwrap.dedent(text).encode()
    return {(one.before, one.after) for one in find_mutants("sw/spikeloom/x.py", text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a < b", {("a < b", "(a <= b)")}, id="comparison"),
        pytest.param("a == b != c", {("a == b != c", "(a != b != c)"),
                                     ("a == b != c", "(a == b == c)")}, id="chain"),
        pytest.param("a + b", {("a + b", "(a - b)")}, id="arithmetic"),
        pytest.param("a << b", {("a << b", "(a >> b)")}, id="shift"),
        pytest.param("a and b", {("a and b", "(a or b)")}, id="and"),
        pytest.param("x = 3", {("3", "4"), ("3", "2")}, id="off by one"),
        pytest.param("x = True", {("True", "False")}, id="truth"),
        pytest.param("x = 0.5", {("0.5", "1.0")}, id="fraction"),
        pytest.param("x = -a", {("-a", "(a)")}, id="sign"),
        pytest.param("if a:\n    x", {("a", "(not (a))")}, id="condition"),
        pytest.param("x = [y for y in z if y]", {("y", "(not (y))")}, id="filter"),
        pytest.param("f(a, b=c)", {("f(a, b=c)", "(f(a))"), ("f(a, b=c)", "pass")}, id="keyword"),
        pytest.param("x = f(a, b)", {("f(a, b)", "(f(b, a))")}, id="arguments"),
        pytest.param("x = np.argmax(a)", {("np.argmax(a)", "(np.argmin(a))")}, id="function"),
        pytest.param("x.y = z", {("x.y = z", "pass")}, id="attribute"),
        pytest.param("x += y", {("x += y", "pass"), ("x += y", "x -= y")}, id="running sum"),
        pytest.param("def f() -> bool:\n    return a",
                     {("return a", "return False"), ("return a", "return True")}, id="returned"),
        pytest.param("raise E(f'{x} < {1 + 2}')",
                     {("raise E(f'{x} < {1 + 2}')", "pass")}, id="refusal, whatever it says"),
        pytest.param("x: Annotated[int, Meta(ge=1)] = y",
                     {("Meta(ge=1)", "(Meta())"), ("1", "2"), ("1", "0")}, id="limits"),
        pytest.param("@option('--lanes', type=Lanes(), help='how many')\ndef f(): ...",
                     {("option('--lanes', type=Lanes(), help='how many')",
                       "(option('--lanes', help='how many'))")}, id="option"),
    ],
)  # fmt: skip
def test_what_is_mutated(text, expected):
    assert changes(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('"""What this is: 1 < 2."""', id="docstring"),
        pytest.param("def f(x: int | None) -> list[int]: ...", id="annotations"),
        pytest.param("__all__ = ['a', 'b']", id="exported names"),
        pytest.param("Leak = Shift | Decay | None", id="union of types"),
        pytest.param("x = f'{1 + 2} layers' + more", id="text"),
        pytest.param("console.note('3 layers', x < y)", id="messages"),
        pytest.param("if TYPE_CHECKING:\n    x = 1", id="for the type checker"),
        pytest.param("def elaborate(self, platform):\n    x = 1", id="elaborate"),
        pytest.param("def _count(self, m: Module):\n    x = 1", id="part of elaborate"),
        pytest.param("assert x is not None", id="assertion"),
    ],
)
def test_what_is_left_alone(text):
    assert changes(text) == set()


def test_names_stay_when_lines_are_added_above():
    text = b"def f(a):\n    x = a < 1\n    y = a < 1\n"
    names = [one.name for one in find_mutants("m.py", text)]
    assert len(set(names)) == len(names) == 6
    assert [one.name for one in find_mutants("m.py", b"import re\n\n" + text)] == names


def test_a_sample_is_spread_and_repeatable():
    large = "\n".join(f"x{n} = a + {n}" for n in range(100)).encode()
    found = {name: find_mutants(name, large) for name in ("a.py", "b.py")}
    found["small.py"] = find_mutants("small.py", b"x = a < b\n")
    chosen = sample(found, count=41, seed=3)
    assert sorted(one.module for one in chosen) == ["a.py"] * 20 + ["b.py"] * 20 + ["small.py"]
    assert {one.operator for one in chosen} == {"arithmetic", "constant", "comparison"}
    assert [one.operator for one in chosen if one.module == "a.py"].count("arithmetic") == 10
    assert sample(found, count=41, seed=3) == chosen
    assert sample(found, count=41, seed=4) != chosen


@pytest.mark.parametrize(
    ("module", "group"),
    [
        ("cosim/spikeloom_cosim/chip/checker.py", "checker"),
        ("sw/spikeloom/packing/cost.py", "packing"),
        ("sw/spikeloom/arithmetic.py", "arithmetic"),
        ("sw/spikeloom/cli/run.py", None),
    ],
)
def test_groups(module, group):
    assert group_of(module) == group


MODULE = """\
import os


def within(value: int, limit: int) -> bool:
    return value <= limit


def count(n: int) -> int:
    total = 0
    while n > 0:
        total += 2
        n -= 1
    return total


def nobody_asks(value: int) -> bool:
    return value > 4


def die(value: int) -> None:
    if value == 3:
        os.abort()


def planted(value: int) -> int:
    return value + 1
"""
TESTS = """\
import inspect
import subprocess
import sys

from planted import plant

from spikeloom import limits

ASK = "from spikeloom.limits import within; raise SystemExit(not within(3, 3))"


def test_subprocess():
    assert subprocess.run([sys.executable, "-c", ASK]).returncode == 0


def test_count():
    assert limits.count(2) == 4


def test_living():
    limits.die(2)


def test_planted():
    plant(limits.planted, "value + 1")
    limits.planted(2)
"""
PLANT = """\
import inspect


def plant(function, old):
    assert inspect.getsource(function).count(old) == 1
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project of one module, its coverage, and a slot in which to try mutants."""
    root = tmp_path_factory.mktemp("project")
    package = root / "sw" / "spikeloom"
    package.mkdir(parents=True)
    (root / "tests").mkdir()
    (package / "__init__.py").write_text("")
    (package / "limits.py").write_text(MODULE)
    (root / "tests" / "test_limits.py").write_text(TESTS)
    (root / "tests" / "planted.py").write_text(PLANT)
    (root / "pyproject.toml").write_text(
        "[tool.pytest.ini_options]\n"
        "addopts = ['--import-mode=importlib']\nmarkers = ['slow: not here']\n"
    )
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    with Slot(root, root / ".cache" / "tree", libraries=["pytest"]) as slot:
        yield root, slot, Suite([measure(slot, "tests/test_limits.py", root)], root)


@pytest.mark.parametrize(
    ("before", "after", "fate", "by"),
    [
        pytest.param("value <= limit", "(value < limit)", "killed", "test_subprocess",
                     id="planted, seen in a subprocess"),
        pytest.param("2", "3", "killed", "test_count", id="planted"),
        pytest.param("n -= 1", "pass", "timeout", None, id="hangs"),
        pytest.param("value > 4", "(value >= 4)", "uncovered", None, id="no test runs it"),
        pytest.param("value == 3", "(value != 3)", "broken", None, id="the session dies: no kill"),
        pytest.param("value + 1", "(value - 1)", "survived", None,
                     id="a test that cannot plant its own fault: no kill"),
    ],
)  # fmt: skip
def test_fates(project, monkeypatch, before, after, fate, by):
    if fate == "timeout":
        monkeypatch.setattr(trial_module, "PATIENCE", 1.0)
        monkeypatch.setattr(trial_module, "GRACE_S", 0.5)
    root, slot, suite = project
    (module,) = set(sources(root)) - {"sw/spikeloom/__init__.py"}
    text = (root / module).read_bytes()
    (mutant,) = (
        one for one in find_mutants(module, text) if (one.before, one.after) == (before, after)
    )
    row = trial(slot, mutant, text, suite)
    assert (row.fate, row.by) == (fate, by and f"tests/test_limits.py::{by}")
    assert (slot.tree.root / module).read_bytes() == text


def covering(root, text, before):
    """Names of the tests that are taken to cover a mutant of a module with this text."""
    contexts = kept(root, "tests/test_limits.py")
    assert contexts is not None
    found = find_mutants("sw/spikeloom/limits.py", text.encode())
    mutant = next(one for one in found if one.before == before)
    return {test.partition("::")[2] for test in Suite([contexts], root).covering(mutant)}


def test_what_was_measured_holds_while_the_tests_are_the_same(project):
    root, _, _ = project
    module, test = root / "sw" / "spikeloom" / "limits.py", root / "tests" / "test_limits.py"
    assert covering(root, MODULE, "value <= limit") == {"test_subprocess"}
    assert covering(root, MODULE, "value > 4") == set()
    # In a module that has changed, any test that ran some of it may run the line.
    changed = f"import sys\n{MODULE}"
    module.write_text(changed)
    every = {"test_subprocess", "test_count", "test_living", "test_planted"}
    assert covering(root, changed, "value <= limit") == every
    module.write_text(MODULE)
    assert covering(root, MODULE, "value <= limit") == {"test_subprocess"}
    for path in (test, root / "tests" / "planted.py"):
        text = path.read_text()
        path.write_text(f"{text}\n")
        assert kept(root, "tests/test_limits.py") is None
        path.write_text(text)
    assert kept(root, "tests/test_limits.py") is not None


def test_the_score_counts_what_is_not_explained_away(monkeypatch):
    def row(name, fate):
        return Row(name=name, module="sw/spikeloom/packing/a.py", operator="constant", fate=fate)

    rows = [
        row("a", "killed"),
        row("b", "timeout"),
        row("c", "survived"),
        row("d", "broken"),
        row("e", "uncovered"),
        row("f", "killed"),
    ]
    known = {"c": "Equivalent: it makes no difference.", "e": "A path for Windows.", "f": "Old."}
    monkeypatch.setattr("python_mutants.results.explanations", lambda: known)
    results = document(rows, {"seed": 1}, [])
    assert (results["killed"], results["mutants"], results["argued_equivalent"]) == (3, 6, 1)
    assert (results["score"], results["raw_score"]) == (0.6, 0.5)
    assert results["groups"]["packing"]["score"] == 0.6
    assert [(own["name"], own["explanation"]) for own in results["survivors"]] == [
        ("c", "Equivalent: it makes no difference."),
        ("d", None),
        ("e", "A path for Windows."),
    ]
