"""The commands of README.md and the tutorial, in their order, on one cache that was empty."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMES = {" FILE": " runs/placed.safetensors", " DIR": " runs/design"}
"""What stands for a name of the reader's own."""
NEEDS_A_BOARD = ("/dev/tty", "spikeloom flash")
BUILD = "bitstreams/digits-icebreaker"
LEVELS = (
    f"spikeloom run --port sim:{BUILD} --samples 20",
    *(
        f"spikeloom verify {BUILD} --level {level} --samples 20"
        for level in ("netlist", "routed", "bitstream", "host")
    ),
)


def readme():
    """The commands of the first page."""
    for _, block in BLOCK.findall((ROOT / "README.md").read_text()):
        for line in block.splitlines():
            command, _, _ = line.partition("#")
            if command.startswith("spikeloom") and not any(word in line for word in NEEDS_A_BOARD):
                for name, own in NAMES.items():
                    command = command.replace(name, own)
                yield "sh", command


def tutorial():
    """The blocks of the tutorial that need no board."""
    yield from BLOCK.findall((ROOT / "docs" / "tutorial.md").read_text())


def test_the_pages_have_commands():
    verbs = {command.split()[1] for _, command in readme()}
    assert {"train", "export", "generate", "verify", "synth", "report"} <= verbs
    assert "spikeloom run --port sim:" in "".join(text for _, text in tutorial())


@pytest.mark.slow
def test_every_command_on_one_empty_cache(reader, tmp_path, monkeypatch):
    monkeypatch.setenv("SPIKELOOM_CACHE", str(tmp_path / "cache"))
    for language, text in (*(("sh", line) for line in LEVELS), *tutorial(), *readme()):
        reader(language, text)


@pytest.mark.slow
def test_the_levels_in_the_other_order(reader, tmp_path, monkeypatch):
    """What fills the cache first must not matter."""
    monkeypatch.setenv("SPIKELOOM_CACHE", str(tmp_path / "cache"))
    for line in reversed(LEVELS):
        reader("sh", line)
