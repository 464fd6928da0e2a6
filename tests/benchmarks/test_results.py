"""Every recorded result says where it comes from, and one helper alone writes them."""

import ast
import json
import re
from datetime import datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
WRITERS = sorted(
    path
    for folder in ("benchmarks", "hw/spikeloom_hw/formal")
    for path in (ROOT / folder).rglob("*.py")
    if "python_mutants" not in path.parts  # works in copies of the tree, and in the cache
)
WRITES = {"atomic_write", "atomic_file", "write_text", "write_bytes", "dump", "save", "savez"}
NO_RESULTS = {
    "benchmarks/boards.py: write_table": "a table in docs/",
    "benchmarks/calibration.py: fit": "the coefficients of the model",
    "benchmarks/core.py: write_page": "a page of docs/",
    "benchmarks/fuzz_imports.py: work": "damaged files, in a folder of its own",
    "benchmarks/fuzzing/loaders.py: survive": "an input, in a folder of its own",
    "benchmarks/fuzzing/worker.py: main": "inputs to begin with, in a folder of its own",
    "benchmarks/million.py: main": "a configuration, in a folder of its own",
    "benchmarks/million.py: make": "samples, in a folder of its own",
    "benchmarks/mutants/constant.py: constant_bits": "a script, in a folder of its own",
    "benchmarks/noise.py: verilog_device": "Verilog, in a folder of its own",
    "benchmarks/study/plots.py: _save": "a plot of docs/",
    "benchmarks/study/tables.py: insert": "a page of docs/",
    "benchmarks/training_speed.py: prepare_events": "arrays, in a folder of its own",
    "hw/spikeloom_hw/formal/__main__.py: formal": "the tools' folder",
    "hw/spikeloom_hw/formal/sby.py: prove": "the tools' folder",
    "benchmarks/study/records.py: append_record": "lines, of which each has its stamp",
}
"""Functions that write something else, or in another way."""


@pytest.mark.parametrize("path", sorted(RESULTS.rglob("*.json")), ids=lambda path: path.stem)
def test_a_result_says_where_it_comes_from(path):
    document = json.loads(path.read_text())
    assert re.fullmatch("[0-9a-f]{12}", document["commit"]), document["commit"]
    assert datetime.fromisoformat(document["date"]).utcoffset() is not None
    assert {"python", "spikeloom"} <= set(document["versions"])
    assert re.fullmatch(r".+, \d+ cores?, \w+", document["machine"])


def test_so_does_every_line_of_the_study():
    lines = (RESULTS / "sparsity-runs.jsonl").read_text().splitlines()
    assert lines
    for line in lines:
        record = json.loads(line)
        assert record["commit"]
        assert {"python", "spikeloom"} <= set(record["versions"])
        assert " cores, " in record["machine"]
        assert datetime.fromisoformat(record["finished"]).utcoffset() is not None


def writes(path):
    """Names of the functions in a file that write a file themselves."""
    tree = ast.parse(path.read_text())
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            if any(is_write(call) for call in calls):
                yield f"{path.relative_to(ROOT)}: {function.name}"


def is_write(call):
    name = getattr(call.func, "attr", getattr(call.func, "id", None))
    if name == "open":
        words = [word.value for word in ast.walk(call) if isinstance(word, ast.Constant)]
        return any(isinstance(word, str) and set(word) & set("wax+") for word in words)
    return name in WRITES


def test_nothing_but_the_helper_writes_results():
    found = {name for path in WRITERS for name in writes(path)}
    assert found == set(NO_RESULTS)
