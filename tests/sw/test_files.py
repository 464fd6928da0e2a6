import json
from contextlib import nullcontext, suppress
from pathlib import Path

import numpy as np
import pytest

from spikeloom.errors import UserError
from spikeloom.files import (
    atomic_directory,
    atomic_file,
    atomic_write,
    cache_folder,
    check_writable,
    to_json,
    write_step,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


class StopError(Exception):
    pass


def write_half(output, error):
    with output as temporary:
        (temporary / "half" if temporary.is_dir() else temporary).write_text("half")
        raise error


def test_write_makes_parents_and_replaces(tmp_path):
    path = tmp_path / "a" / "b.txt"
    assert atomic_write(path, "one é") == path
    atomic_write(path, b"two")
    assert path.read_bytes() == b"two"
    assert names(path.parent) == ["b.txt"]


def test_file_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "x"
    atomic_write(path, "old")
    with pytest.raises(StopError):
        write_half(atomic_file(path), StopError)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["x"]


def test_place_that_cannot_be_written(tmp_path):
    atomic_write(tmp_path / "file", "")
    with pytest.raises(UserError, match=r"cannot write .*file/x: .*; choose an output"):
        atomic_write(tmp_path / "file" / "x", "")
    with pytest.raises(UserError, match="cannot write"), atomic_directory(tmp_path / "file" / "x"):
        pytest.fail("the body must not run")
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("place", "says"),
    [
        pytest.param("new/run", None, id="a new folder"),
        pytest.param("folder", None, id="a folder that is there"),
        pytest.param("file", None, id="a file that is there"),
        pytest.param("file/run", "file/run: not a directory", id="below a file"),
        pytest.param("/proc/zz", "cannot write /proc/zz: ", id="a system's folder"),
        pytest.param("/proc/version", "cannot write /proc/version: ", id="a system's file"),
    ],
)
def test_outputs_are_probed_and_left_alone(tmp_path, place, says):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("old")
    with nullcontext() if says is None else pytest.raises(UserError, match=says):
        check_writable(tmp_path / place)
    assert names(tmp_path) == ["file", "folder"]
    assert names(tmp_path / "folder") == []
    assert (tmp_path / "file").read_text() == "old"


def test_directory_appears_whole(tmp_path):
    place = tmp_path / "deep" / "out"
    with atomic_directory(place) as temporary:
        (temporary / "a").write_text("1")
        assert not place.exists()
    assert (place / "a").read_text() == "1"
    with atomic_directory(place) as temporary:
        (temporary / "b").write_text("2")
        assert (place / "a").exists()
    assert names(place) == [".spikeloom", "b"]
    assert names(place.parent) == ["out"]


@pytest.mark.parametrize("existed", [True, False], ids=["replaces nothing", "makes nothing"])
@pytest.mark.parametrize("error", [StopError, KeyboardInterrupt])
def test_directory_that_fails(tmp_path, existed, error):
    place = tmp_path / "out"
    if existed:
        with atomic_directory(place) as temporary:
            (temporary / "old").touch()
    with pytest.raises(error):
        write_half(atomic_directory(place), error)
    assert names(tmp_path) == (["out"] if existed else [])
    if existed:
        assert names(place) == [".spikeloom", "old"]


@pytest.mark.parametrize("make", [atomic_file, atomic_directory], ids=["file", "folder"])
@pytest.mark.parametrize("error", [StopError, KeyboardInterrupt, OSError])
def test_folders_made_for_an_output_that_fails_go_with_it(tmp_path, make, error):
    (tmp_path / "there").mkdir()
    for place in ("there/out", "made/for/out"):
        with pytest.raises(UserError if error is OSError and make is atomic_file else error):
            write_half(make(tmp_path / place), error())
        assert names(tmp_path) == ["there"]
    output = make(tmp_path / "made" / "out")
    with suppress(StopError), output:
        (tmp_path / "made" / "by someone else").touch()
        raise StopError
    assert names(tmp_path / "made") == ["by someone else"]


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        pytest.param(
            lambda place: (place.mkdir(), (place / "thesis.tex").touch()),
            "files that spikeloom did not make",
            id="a user's folder",
        ),
        pytest.param(lambda place: place.touch(), "is a file", id="a file"),
        pytest.param(lambda place: place.symlink_to("nowhere"), "is a file", id="a dangling link"),
    ],
)
def test_directory_never_replaces_what_is_not_ours(tmp_path, prepare, says):
    place = tmp_path / "out"
    prepare(place)
    with pytest.raises(UserError, match=says), atomic_directory(place):
        pytest.fail("the body must not run")
    assert place.is_symlink() or place.exists()


def test_directory_fills_an_empty_folder(tmp_path):
    with atomic_directory(tmp_path) as temporary:
        (temporary / "a").touch()
    assert names(tmp_path) == [".spikeloom", "a"]


def test_write_step(tmp_path):
    data = {"n": np.int64(3), "x": np.float32(0.5), "path": tmp_path, "set": {2, 1}, "t": (1, 2)}
    path = write_step(tmp_path, "export", 1.23456, data)
    assert json.loads(path.read_text()) == {
        "schema": 1,
        "verb": "export",
        "seconds": 1.235,
        "n": 3,
        "x": 0.5,
        "path": str(tmp_path),
        "set": [1, 2],
        "t": [1, 2],
    }


def test_json_refuses_what_it_cannot_say():
    with pytest.raises(TypeError, match="object has no JSON form"):
        to_json({"x": object()})
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json({"x": float("nan")})


def test_cache_folder(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    monkeypatch.delenv("SPIKELOOM_CACHE", raising=False)
    assert cache_folder("v") == Path("/x/spikeloom/v")
    monkeypatch.setenv("SPIKELOOM_CACHE", "/own")
    assert cache_folder("v") == Path("/own/v")
