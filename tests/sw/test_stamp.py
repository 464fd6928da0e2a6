"""What a result says of its origin."""

import json
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from spikeloom import __version__, stamp

KEYS = {"commit", "date", "versions", "machine"}


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone with one file of code and one result, both committed."""
    for name in ("sw/code.py", "benchmarks/results/old.json", "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1\n")
    monkeypatch.setattr(stamp, "_ROOT", tmp_path)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "code: begun.")
    return tmp_path


def git(folder, *words):
    done = subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_stamp(clone):
    made = stamp.stamp("numpy", "no-such-package", yosys="0.9")
    assert made.commit == git(clone, "rev-parse", "HEAD")[:12]
    assert timedelta() <= datetime.now(UTC) - datetime.fromisoformat(made.date) < timedelta(hours=1)
    assert set(made.versions) == {"python", "spikeloom", "numpy", "no-such-package", "yosys"}
    assert made.versions["spikeloom"] == __version__
    assert made.versions["no-such-package"] == "not installed"
    assert made.versions["yosys"] == "0.9"
    assert " cores, " in made.machine


@pytest.mark.parametrize(
    ("changed", "dirty"),
    [
        pytest.param("sw/code.py", True, id="code"),
        pytest.param("sw/new.py", True, id="code that git does not know"),
        pytest.param("benchmarks/results/old.json", False, id="a result"),
        pytest.param("README.md", False, id="a text"),
    ],
)
def test_uncommitted_code_is_told(clone, changed, dirty):
    (clone / changed).write_text("2\n")
    assert stamp.stamp().commit.endswith("-dirty") is dirty


def test_outside_of_a_clone_the_commit_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setattr(stamp, "_ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert stamp.stamp().commit == "unknown"


def test_a_result_holds_its_stamp(tmp_path):
    made = stamp.stamp()
    written = stamp.write_result(tmp_path / "new" / "result.json", {"schema": 1, "sum": 2}, made)
    document = json.loads((tmp_path / "new" / "result.json").read_text())
    assert document == written
    assert set(document) == {"schema", "sum", *KEYS}
    assert document["commit"] == made.commit


@pytest.mark.parametrize("key", sorted(KEYS))
def test_a_document_has_no_stamp_of_its_own(tmp_path, key):
    with pytest.raises(ValueError, match=f"The document has '{key}', which is the stamp's"):
        stamp.write_result(tmp_path / "result.json", {key: 1}, stamp.stamp())
    assert not (tmp_path / "result.json").exists()
