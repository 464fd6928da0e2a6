"""The folder for a flow of one's own: its README's commands run, and its test bench can fail."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig

import pytest

from spikeloom.image.identity import network_sha256
from spikeloom_cosim.environment import own_environment
from spikeloom_cosim.icarus import find_icarus
from spikeloom_hw.embedding.folder import Embedding
from spikeloom_hw.embedding.interface import INTERFACES
from spikeloom_hw.embedding.vectors import random_events
from spikeloom_hw.generate import generate
from spikeloom_hw.targets import TARGETS

SAMPLES = 3
# Many, so that rows are a word each, and one, so that fields have no bits: every rule has its case.
LANES = (16, 1)
# Optimisation is not worth its time here.
VARIABLES = {"OPT_FAST": "-O0", "OPT_GLOBAL": "-O0"}


@pytest.fixture(scope="module")
def shell():
    """Runs a command of a README in its folder, as a user does: with this environment active."""
    folders = [str(find_icarus(print)), sysconfig.get_path("scripts"), os.environ["PATH"]]
    made = " ".join(f"{name}={value}" for name, value in VARIABLES.items())
    environment = own_environment(PATH=os.pathsep.join(folders), MAKEFLAGS=made)

    def run(command, folder, **more):
        done = subprocess.run(
            command,
            shell=True,
            cwd=folder,
            env={**environment, **more},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return done.returncode, done.stdout

    return run


@pytest.fixture(params=INTERFACES)
def folder(request, small_image, tmp_path):
    embedding = Embedding(interface=request.param, events=random_events(small_image, SAMPLES))
    generate(
        small_image,
        target=TARGETS["icebreaker"],
        lanes=LANES,
        directory=tmp_path / "core",
        embedding=embedding,
    )
    return tmp_path / "core"


def command(folder, name):
    (line,) = re.findall(rf"^{name}: *(.*)$", (folder / "README.txt").read_text(), re.MULTILINE)
    return line


def passed(folder, image):
    events = len((folder / "events.mem").read_text().split())
    return f"PASS: {SAMPLES} samples, {events} events, {SAMPLES * image.outputs} scores"


def test_icarus_and_lint(shell, folder, small_image):
    code, said = shell(command(folder, "Icarus"), folder)
    assert code == 0, said
    assert passed(folder, small_image) in said
    assert "WARNING" not in said
    code, said = shell(command(folder, "Lint"), folder)
    assert code == 0, said
    assert "Warning" not in said


@pytest.mark.parametrize("folder", ["axi-stream"], indirect=True)
def test_verilator(shell, folder, small_image):
    code, said = shell(command(folder, "Verilator"), folder)
    assert code == 0, said
    assert passed(folder, small_image) in said


@pytest.mark.parametrize("folder", ["stream"], indirect=True)
def test_every_waiver_is_of_use(shell, folder):
    """One that is not would hide what a later change brings."""
    waivers = (folder / "spikeloom.vlt").read_text().splitlines(keepends=True)
    rules = [line.split()[2] for line in waivers if line.startswith("lint_off")]
    assert len(rules) == len(set(rules)) > 0
    lint = command(folder, "Lint").replace("spikeloom.vlt", "fewer.vlt")
    for rule in rules:
        kept = [line for line in waivers if f"-rule {rule} " not in line]
        (folder / "fewer.vlt").write_text("".join(kept))
        code, said = shell(lint, folder)
        assert code != 0
        assert set(re.findall(r"%Warning-(\w+)", said)) == {rule}


def flip(folder, name, line, bit=0):
    """Change one bit of a memory file."""
    words = (folder / name).read_text().split()
    words[line] = f"{int(words[line], 16) ^ 1 << bit:0{len(words[line])}x}"
    (folder / name).write_text("\n".join(words) + "\n")


def another_score(folder, _image):
    flip(folder, "scores.mem", 4)
    return "FAIL: sample 0, output 4: score"


def another_class(folder, image):
    # Only the last beat's class is compared, and with the word of that beat.
    last = image.outputs - 1
    width = max(map(int, re.findall(r"reg \[(\d+):0\] scores", bench(folder))))
    flip(folder, "scores.mem", last, bit=width)
    return f"FAIL: sample 0, output {last}: last 1 and class"


def fewer_events(folder, _image):
    text = bench(folder)
    events = int(re.findall(r"EVENTS = (\d+)", text)[0])
    text = text.replace(f"EVENTS = {events}", f"EVENTS = {events - 1}")
    (folder / "spikeloom_tb.sv").write_text(text.replace("PATIENCE = 1000000", "PATIENCE = 5000"))
    return f"FAIL: no score for 5000 cycles, after {events - 1} of {events - 1} events"


def another_weight(folder, _image):
    (weights,) = folder.glob("*layer_readout.stream.weights*.mem")
    text = weights.read_text().split()
    weights.write_text("\n".join("0" * len(word) for word in text) + "\n")
    return "FAIL: sample 0, output "


def another_label(folder, _image):
    path = folder / "example_top.v"
    text = path.read_text()
    assert text.count("label <= ") == 1
    path.write_text(text.replace("label <= ", "label <= ~"))
    return "FAIL: sample 0: class "


def bench(folder):
    return (folder / "spikeloom_tb.sv").read_text()


@pytest.mark.parametrize("folder", ["stream"], indirect=True)
@pytest.mark.parametrize(
    "plant", [another_score, another_class, fewer_events, another_weight, another_label]
)
def test_the_test_bench_finds_what_is_wrong(shell, folder, small_image, plant):
    sentence = plant(folder, small_image)
    code, said = shell(command(folder, "Icarus"), folder)
    assert code != 0, said
    assert sentence in said
    assert "PASS" not in said


@pytest.mark.parametrize("folder", ["stream"], indirect=True)
def test_the_core_in_it_is_the_one_that_is_proved(folder, small_image, tmp_path):
    plain = tmp_path / "plain"
    target = TARGETS["icebreaker"]
    generate(small_image, target=target, lanes=LANES, directory=plain, bare=True)
    for path in plain.iterdir():
        if path.name != "design.json":
            assert (folder / path.name).read_bytes() == path.read_bytes()


@pytest.mark.slow
def test_fusesoc(shell, tools, folder, small_image, tmp_path):
    """Its description is read by FuseSoC itself, in an environment of its own."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    pip = [tmp_path / "venv/bin/python", "-m", "pip", "install", "-qq", "fusesoc==2.4.7"]
    subprocess.run(pip, check=True)
    # Here FuseSoC finds `verilator` itself, as if it were the system's.
    variables = {**VARIABLES, "CFG_CXXFLAGS_STD": "-std=c++20"}
    system = tools.environment(make_variables=variables)
    system["PATH"] = os.pathsep.join([str(find_icarus(print)), system["PATH"]])
    work = tmp_path / "work"
    shutil.copytree(folder, work / "core")
    name = f"spikeloom:network:digits_{network_sha256(small_image)[:8]}"
    assert name in command(folder, "FuseSoC")
    for target, word in (("lint", ""), ("sim_icarus", "PASS"), ("sim_verilator", "PASS")):
        fusesoc = f"{tmp_path}/venv/bin/fusesoc --cores-root core run --target {target} {name}"
        code, said = shell(fusesoc, work, **system)
        assert code == 0, said
        assert (passed(folder, small_image) if word else word) in said
