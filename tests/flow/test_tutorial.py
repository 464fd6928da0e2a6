"""Runs what docs/tutorial.md tells its reader to type, in its order."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LOADABLE = "A board that takes any network"
OWN = "A network of your own"
REAL = "A real board"


def sections():
    """Title of each section, and its blocks: language and text."""
    _, *parts = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    return {part.partition("\n")[0]: BLOCK.findall(part) for part in parts}


def run_sections(reader, titles):
    said = {}
    for title in titles:
        runnable = [block for block in sections()[title] if block[0] in ("sh", "python")]
        assert runnable, title
        said[title] = "".join(reader(*block) for block in runnable)
    return said


def test_the_tutorial(reader):
    titles = [title for title in sections() if title not in ("Set up", LOADABLE, OWN, REAL)]
    assert len(titles) == 2
    said = run_sections(reader, titles)
    assert "every score, class and count equals it" in said["Classify on a simulated board"]
    accuracy = float(said["The same in Python"].split()[0])
    assert accuracy > 0.9


@pytest.mark.slow
def test_the_tutorial_to_its_end(reader):
    said = run_sections(reader, [LOADABLE, OWN])
    assert "every score, class and count equals it" in said[LOADABLE]
    assert said[OWN].count("every score, class and count equals it") == 2


def test_two_lines_change_for_a_real_board():
    ((language, text),) = sections()[REAL]
    assert language == "console"
    flash, run = text.splitlines()
    assert flash == "spikeloom flash bitstreams/digits-icebreaker"
    (_, first), *_ = sections()["Classify on a simulated board"]
    place = "bitstreams/digits-icebreaker"
    assert run.replace(f"{place} --port /dev/ttyUSB1", f"--port sim:{place}") == first.strip()
