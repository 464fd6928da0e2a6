"""A reader of the documents: does what they say, in a folder that looks like a clone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def reader(tmp_path):
    """Does what a block says, in a folder that looks like a clone; returns what was printed."""
    for name in ("bitstreams", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "spikeloom").write_text(
        f"#!{sys.executable}\nfrom spikeloom.cli.app import main\nmain()\n"
    )
    (programs / "spikeloom").chmod(0o755)

    def run(language, text):
        environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
        command = {"sh": ["sh", "-e", "-c", text], "python": [sys.executable, "-c", text]}[language]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{text}\n{done.stderr}"
        return done.stdout

    return run
