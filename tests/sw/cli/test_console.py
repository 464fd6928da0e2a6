import json

import numpy as np
import pytest

from spikeloom.cli import console as module
from spikeloom.cli.console import Console, network_path, run_folder, table
from spikeloom.errors import UserError


def test_json_is_one_document_and_the_rest_is_on_stderr(capsys):
    console = Console(as_json=True)
    with console.step("packing"):
        console.note("a note")
        assert list(console.track([1, 2, 3], "items")) == [1, 2, 3]
    console.result({"a": np.int64(3), "b": np.array([1, 2]), "c": 1.5}, table("t", {"x": 1}))
    out, err = capsys.readouterr()
    assert json.loads(out) == {"schema": 1, "a": 3, "b": [1, 2], "c": 1.5}
    assert [line.partition(":")[0] for line in err.splitlines()] == [
        "[1] packing …",
        "a note",
        "[1] packing",
    ]
    assert [name for name, _ in console.steps] == ["packing"]


def test_a_document_may_have_a_schema_of_its_own(capsys):
    Console(as_json=True).result({"schema": 2})
    assert json.loads(capsys.readouterr().out) == {"schema": 2}


def test_without_json_the_tables_are_printed(capsys):
    Console().result({"a": 1}, table("Title", {"name": 12345, "share": 0.25, "none": None}))
    out, err = capsys.readouterr()
    assert "Title" in out
    assert "12,345" in out
    assert "0.25" in out
    assert err == ""


def test_plain_progress_prints_a_line_now_and_then(capsys, monkeypatch):
    monkeypatch.setattr(module, "PLAIN_SECONDS", 0.0)
    with Console().track(10, "samples") as track:
        track.advance(4)
        track.advance(6, text="last samples")
    assert capsys.readouterr().err.splitlines() == [
        "    samples: 4/10",
        "    last samples: 10/10",
    ]


def test_markup_in_a_note_is_text(capsys):
    Console().note("spikeloom[train] [bold]x")
    assert capsys.readouterr().err == "spikeloom[train] [bold]x\n"


def test_step_that_fails_is_not_recorded():
    console = Console()
    with pytest.raises(UserError), console.step("synthesis"):
        raise UserError("no")
    assert console.steps == []


def test_network_path(run_folder_path, network):
    assert network_path(run_folder_path) == network
    assert network_path(network) == network
    assert run_folder(network) == run_folder(run_folder_path) == run_folder_path


@pytest.fixture
def run_folder_path(network):
    return network.parent


def test_network_path_says_what_to_do(tmp_path):
    with pytest.raises(UserError, match=r"has no network.safetensors; run: spikeloom export"):
        network_path(tmp_path)
    with pytest.raises(UserError, match=r"there is no network file .*absent"):
        network_path(tmp_path / "absent")
