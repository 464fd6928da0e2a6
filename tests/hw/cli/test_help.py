"""What `--help` shows as an example can be pasted, and works."""

import shlex
from pathlib import Path

import pytest

from spikeloom.image import save_image
from spikeloom_hw.targets import TARGETS

VERBS = ("estimate", "generate", "synth", "verify")


def example(spikeloom, verb):
    """The example of a verb: one line of its help."""
    (line,) = (
        line
        for line in spikeloom(verb, "--help").output.splitlines()
        if line.strip().startswith("Example: ")
    )
    return line.strip().removeprefix("Example: spikeloom ")


@pytest.mark.parametrize("verb", VERBS)
def test_an_example_is_one_whole_line(spikeloom, verb):
    help_text = spikeloom(verb, "--help").output
    assert help_text.rstrip().endswith(example(spikeloom, verb))


@pytest.mark.parametrize("verb", ["estimate", "generate"])
def test_an_example_works_in_a_run_that_has_a_design(
    spikeloom, small_image, tmp_path, monkeypatch, verb
):
    monkeypatch.chdir(tmp_path)
    save_image(Path("runs/demo/network.safetensors"), small_image)
    assert spikeloom("generate", "runs/demo/network.safetensors").exit_code == 0
    result = spikeloom(*shlex.split(example(spikeloom, verb)))
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize("verb", VERBS)
def test_options_of_the_same_name_are_the_same(spikeloom, verb):
    help_text = spikeloom(verb, "--help").output
    assert f"--target [{'|'.join(TARGETS)}]" in " ".join(help_text.split())
    assert "-o, --output PATH" in help_text
