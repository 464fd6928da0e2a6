"""The wheel installs into an empty environment, and its command line is whole."""

import subprocess
import sys
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-qq", "--no-deps", "-w", folder, ROOT], check=True
    )
    (path,) = folder.glob("*.whl")
    return path


@pytest.mark.slow
def test_wheel_holds_every_source_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    packages = {"sw": "spikeloom", "hw": "spikeloom_hw", "cosim": "spikeloom_cosim"}
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *packages]
    sources = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    expected = {name.partition("/")[2] for name in sources.splitlines()}
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert any(name.endswith("licenses/LICENSE") for name in names)


@pytest.mark.slow
def test_wheel_in_an_empty_environment(wheel, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    binaries = tmp_path / "venv" / "bin"
    subprocess.run(
        [binaries / "python", "-m", "pip", "install", "-qq", "-c", ROOT / "constraints.txt", wheel],
        check=True,
    )
    listing = subprocess.run(
        [binaries / "spikeloom", "--help"], capture_output=True, text=True, check=True, cwd=tmp_path
    ).stdout
    words = {line.split()[0] for line in listing.splitlines() if line.strip()}
    verbs = {point.name for point in entry_points(group="spikeloom.commands")}
    assert verbs <= words
    packages = subprocess.run(
        [binaries / "python", "-m", "pip", "list"], capture_output=True, text=True, check=True
    ).stdout
    assert "torch" not in packages
    assert "amaranth" not in packages
    generate = subprocess.run(
        [binaries / "spikeloom", "generate", "x", "--target", "icebreaker", "-o", "y"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert generate.returncode == 2
    assert "spikeloom[hw]" in generate.stderr
    doctor = subprocess.run(
        [binaries / "spikeloom", "doctor"], capture_output=True, text=True, cwd=tmp_path
    )
    assert doctor.returncode == 0, doctor.stderr
    assert "not installed" in doctor.stdout
