import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import rich.console

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


WIDTHS = (60, 80, 120)
METRICS = "loss 0.512, validation 97.2%, density 19.1%, PQ index 0.13 0.05 [bold], operations 1,535"
PATH = "a/run/folder/whose/name/is/longer/than/any/line/of/the/terminal/that/it/is/told/on/network"


def terminal(width):
    """A terminal of so many columns, and what is drawn on it."""
    drawn = io.StringIO()
    return rich.console.Console(
        file=drawn, width=width, height=20, force_terminal=True, color_system=None
    ), drawn


@pytest.mark.parametrize("width", WIDTHS)
def test_the_bar_and_the_time_that_is_left_stay_visible(width):
    console, drawn = terminal(width)
    with module.Track(60, "epochs", console) as track:
        track.advance(1)
        track.advance(29, text=METRICS)
        assert track._bar is not None
        track._bar.refresh()
        frame = drawn.getvalue().rpartition("\x1b[2K")[2].splitlines()
    bar, *detail = (line.rstrip() for line in frame)
    assert bar.startswith("epochs ━━━━━━━━")
    assert " 30/60 0:00:0" in bar
    assert " left 0:0" in bar, "the time that is left"
    assert "…" not in bar
    assert max(map(len, [bar, *detail])) <= width
    assert " ".join(detail) == METRICS


@pytest.mark.parametrize("width", WIDTHS)
def test_a_note_breaks_between_words_only(width, monkeypatch):
    said, (stderr, drawn) = Console(), terminal(width)
    monkeypatch.setattr(said, "_err", stderr)
    note = f"the density is 31.7%, above the 10.0% asked for; see {PATH} for the non-negative rest"
    said.note(note)
    lines = drawn.getvalue().splitlines()
    assert " ".join(lines).split() == note.split()
    assert all(len(line) <= width or line == PATH for line in lines)
    assert len(lines) > 1


def test_a_sentence_on_a_terminal_breaks_between_words_only(tmp_path):
    # A terminal of 40 columns, as only a real one is told apart from a pipe.
    inner, outer = os.openpty()
    try:
        process = subprocess.run(
            [sys.executable, "-c", "from spikeloom.cli.app import main; main()", "inspect", PATH],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=outer,
            env={**os.environ, "COLUMNS": "40"},
            check=False,
        )
        os.close(outer)
        said = os.read(inner, 4096).decode().split("\r\n")
    finally:
        os.close(inner)
    assert process.returncode == 2
    assert said == [
        "spikeloom: there is no network file",
        f"{PATH};",
        "give a file or a run folder",
        "",
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
