import errno
import os
import subprocess
import sys

import click
import pytest

from spikeloom.cli import app as application
from spikeloom.errors import UserError

VERBS = ["train", "export", "inspect", "evaluate", "place", "estimate", "generate", "verify",
         "synth", "report", "doctor"]  # fmt: skip
MAIN = "from spikeloom.cli.app import main; main()"
BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Block())
from spikeloom.cli.app import app
app({arguments!r})
"""


def without(blocked, *arguments):
    """Runs a command line in a process in which the packages `blocked` cannot be imported."""
    script = BLOCK.format(blocked=set(blocked), arguments=list(arguments))
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)


def test_help_lists_every_verb_with_its_sentence(spikeloom):
    result = spikeloom("--help")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    for verb in VERBS:
        (line,) = (line for line in lines if line.split()[:1] == [verb])
        assert len(line.split()) > 3, f"{verb} says nothing about itself"


def test_without_a_verb_the_help_is_printed_unchanged(spikeloom):
    result = spikeloom()
    assert result.exit_code == 2
    assert result.stderr.strip() == spikeloom("--help").stdout.strip()
    assert result.stdout == ""


def test_help_needs_no_extra():
    result = without(["torch", "brevitas", "amaranth", "cocotb", "matplotlib"], "--help")
    assert result.returncode == 0, result.stderr
    assert all(verb in result.stdout for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help_with_an_example_and_json(spikeloom, verb):
    result = spikeloom(verb, "--help")
    assert result.exit_code == 0, result.stderr
    assert "xample" in result.stdout
    assert f"spikeloom {verb}" in result.stdout
    assert "--json" in result.stdout


@pytest.mark.parametrize(
    ("verb", "blocked", "extra"),
    [
        pytest.param("train", ["torch", "brevitas"], "train", id="train without torch"),
        pytest.param("generate", ["amaranth"], "hw", id="generate without amaranth"),
        pytest.param("verify", ["cocotb", "cocotb_tools"], "cosim", id="verify without cocotb"),
    ],
)
def test_missing_extra_is_named(tmp_path, network, verb, blocked, extra):
    config = tmp_path / "run.toml"
    config.write_text('[data]\nname = "digits"\n')
    arguments = {
        "train": [str(config), "-o", str(tmp_path / "out")],
        "generate": [str(network), "--target", "icebreaker", "-o", str(tmp_path / "out")],
        "verify": [str(network), "--lanes", "1"],
    }[verb]
    result = without(blocked, verb, *arguments)
    assert result.returncode == 2, result.stderr
    assert f"spikeloom[{extra}]" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()
    assert without(blocked, verb, "--help").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["trian"], "did you mean 'train'?", id="unknown verb"),
        pytest.param(["qqqq"], "verbs are train,", id="verb like no other"),
        pytest.param(["inspect"], "Missing argument 'NETWORK'", id="missing argument"),
        pytest.param(["inspect", "x", "--jsno"], "--json", id="unknown option"),
        pytest.param(
            ["inspect", "x", "--lanes", "3"], "'--lanes': '3' is not a number of lanes", id="choice"
        ),
        pytest.param(["inspect", "x", "y"], "unexpected extra argument", id="too many"),
        pytest.param(["--nonsense"], "--nonsense", id="option of the group"),
    ],
)
def test_wrong_command_line_is_one_sentence(spikeloom, one_sentence, arguments, says):
    result = spikeloom(*arguments)
    assert result.exit_code == 2
    sentence = one_sentence(result)
    assert says in sentence
    assert sentence.startswith("spikeloom: ")
    assert "--help" in sentence


@pytest.mark.parametrize(
    ("error", "says", "code"),
    [
        pytest.param(UserError("x is 3: use 4"), "x is 3: use 4", 2, id="user error"),
        pytest.param(KeyboardInterrupt(), "interrupted", 130, id="ctrl-c"),
        pytest.param(click.Abort(), "interrupted", 130, id="abort"),
        pytest.param(
            OSError(errno.EROFS, "Read-only file system", "out/a"),
            "out/a: read-only file system; choose a path that can be written",
            2,
            id="read-only",
        ),
        pytest.param(
            OSError(errno.ENOSPC, "No space left on device"), "free some space", 2, id="full disk"
        ),
        pytest.param(
            ModuleNotFoundError("No module", name="torch"),
            "pip install 'spikeloom[train]'",
            2,
            id="no torch",
        ),
        pytest.param(
            ModuleNotFoundError("No module", name="amaranth_boards.x"),
            "pip install 'spikeloom[hw]'",
            2,
            id="no boards",
        ),
        pytest.param(MemoryError(), "out of memory", 2, id="memory"),
        pytest.param(
            ZeroDivisionError("a\nb"), "ZeroDivisionError: a b (this is a bug", 1, id="bug"
        ),
        pytest.param(
            ModuleNotFoundError("No module named 'xyz'", name="xyz"), "bug", 1, id="unknown module"
        ),
    ],
)
def test_explain(error, says, code):
    sentence, given = application.explain(error)
    assert says in sentence
    assert "\n" not in sentence
    assert given == code


def test_traceback_only_on_demand(spikeloom, monkeypatch):
    monkeypatch.delenv("SPIKELOOM_DEBUG", raising=False)
    assert "Traceback" not in spikeloom("inspect", "missing").stderr
    monkeypatch.setenv("SPIKELOOM_DEBUG", "1")
    shown = spikeloom("inspect", "missing").stderr
    assert "Traceback" in shown
    assert shown.splitlines()[-1].startswith("spikeloom: there is no network file")


def test_broken_pipe_is_quiet(network):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as out:
        result = subprocess.run(
            [
                sys.executable,
                "-c",
                "from spikeloom.cli.app import main; main()",
                "inspect",
                network,
            ],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert result.returncode == 141
    assert result.stderr == ""


def test_version(spikeloom):
    assert "0.1.0" in spikeloom("--version").stdout
