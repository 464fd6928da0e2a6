"""Every option of every verb through to its effect: none is taken and forgotten.

A new option fails here until it has an entry. Those of `ELSEWHERE` are in tests/hw and tests/cosim.
"""

import json
import zlib
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace

import click
import numpy as np
import pytest

from counting_board import IMAGE, Counting, place
from spikeloom.datasets import Dataset, Split
from spikeloom.datasets.split import SplitName, digit_names
from spikeloom.image import save_image

ROOT = Path(__file__).parents[2]
BITSTREAM = ROOT / "bitstreams" / "digits-icebreaker"
ELSEWHERE = {"verify", "estimate", "generate", "synth"}
SIZES: dict[SplitName, int] = {"train": 60, "validation": 31, "test": 27}
TINY = """
[network]
hidden = [6]
[sparsity]
start_epoch = 1
every_epochs = 1
[training]
epochs = 2
batch_size = 30
"""


def dataset(name, data_dir=None):
    """A data set of its own for each name and folder."""

    def split(part, samples):
        random = np.random.default_rng(zlib.crc32(f"{name} {data_dir} {part}".encode()))
        return Split(
            images=random.integers(0, 256, (samples, 64)).astype(np.uint8),
            labels=random.integers(0, 10, samples),
            index=np.arange(samples),
        )

    parts = {part: split(part, samples) for part, samples in SIZES.items()}
    return Dataset(
        name=name,
        train=parts["train"],
        validation=parts["validation"],
        test=parts["test"],
        shape=(8, 8),
        class_names=digit_names(10),
    )


@pytest.fixture
def bench(spikeloom, network, tmp_path, monkeypatch):
    """Runs verbs on a small network; data sets are made up."""
    requests = []

    def load(request):
        requests.append(request)
        return dataset(request.source.name, request.data_dir)

    for module in ("datasets.fitting", "cli.train", "cli.export"):
        monkeypatch.setattr(f"spikeloom.{module}.load", load)

    def run(*words, code=0):
        done = spikeloom(*words)
        assert done.exit_code == code, done.stderr
        return done

    return SimpleNamespace(
        run=run,
        told=lambda *words, code=0: json.loads(run(*words, "--json", code=code).stdout),
        network=network,
        folder=network.parent,
        new=tmp_path / "new",
        requests=requests,
        monkeypatch=monkeypatch,
    )


EFFECTS = {}


def effect(*options):
    """The decorated function shows the effect of options: `("verb", "--option")`."""

    def register(function):
        for option in options:
            assert option not in EFFECTS
            EFFECTS[option] = function
        return function

    return register


# --- inspect, evaluate ---------------------------------------------------------------------------


@effect(("inspect", "--lanes"))
def inspect_lanes(bench):
    for lanes, expected in ((2, [2, 2]), ("4,1", [4, 1])):
        told = bench.told("inspect", bench.network, "--lanes", lanes)
        assert [layer["lanes"] for layer in told["layers"]] == expected


@effect(("evaluate", "--dataset"), ("evaluate", "--split"), ("evaluate", "--data-dir"))
def evaluate(bench):
    def told(*words):
        found = bench.told("evaluate", bench.network, *words)
        return (found["dataset"], found["split"], found["samples"]), found["events_per_sample"]

    plain, events = told()
    assert plain == ("digits", "test", 27)
    named, others = told("--dataset", "other")
    assert named == ("other", "test", 27)
    assert others != events
    for split, samples in SIZES.items():
        assert told("--split", split)[0] == ("digits", split, samples)
    here, moved = told("--data-dir", bench.folder)
    assert (here, moved != events) == (plain, True)
    bench.monkeypatch.setenv("SPIKELOOM_DATA", str(bench.folder))
    assert told()[1] == moved


# --- train, export, report -----------------------------------------------------------------------


def history(folder):
    lines = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    return [{**line, "seconds": 0} for line in lines]


@effect(
    ("train", "--output"),
    ("train", "--seed"),
    ("train", "--method"),
    ("train", "--data-dir"),
    ("train", "--strict"),
    ("train", "--restart"),
)
def train(bench):
    bench.toml = bench.folder / "tiny.toml"
    bench.toml.write_text(TINY)

    def trained(name, *words):
        told = bench.told("train", bench.toml, "-o", bench.new / name, *words)
        assert told["run"] == str(bench.new / name)
        return told, history(bench.new / name)

    plain, lines = trained("plain")
    assert plain["seed"] == 0
    assert trained("again")[1] == lines
    seeded, others = trained("seeded", "--seed", 4)
    assert (seeded["seed"], others != lines) == (4, True)
    static, unchanged = trained("static", "--method", "static")
    assert plain["rewirings"] > static["rewirings"] == 0
    assert unchanged[0]["density"] == unchanged[1]["density"]
    assert trained("moved", "--data-dir", bench.folder)[1] != lines
    assert not plain["goal_reached"]
    bench.run("train", bench.toml, "-o", bench.new / "plain", "--strict", code=1)
    before = (bench.new / "plain" / "history.jsonl").stat().st_mtime_ns
    trained("plain")
    assert (bench.new / "plain" / "history.jsonl").stat().st_mtime_ns == before
    trained("plain", "--restart")
    assert (bench.new / "plain" / "history.jsonl").stat().st_mtime_ns > before


@effect(("export", "--output"), ("export", "--data-dir"))
def export(bench):
    bench.toml = bench.folder / "tiny.toml"
    bench.toml.write_text(TINY)
    run = bench.new / "run"
    bench.run("train", bench.toml, "-o", run)
    plain = bench.told("export", run)
    assert plain["network"] == str(run / "network.safetensors")
    elsewhere = bench.new / "elsewhere" / "other.safetensors"
    assert bench.told("export", run, "-o", elsewhere)["network"] == str(elsewhere)
    assert elsewhere.read_bytes() == (run / "network.safetensors").read_bytes()
    # What lies there are other samples than the run's.
    refused = bench.run("export", run, "--data-dir", bench.folder, code=2)
    assert "was begun with other samples of 'digits'" in refused.stderr


@effect(("report", "--data-dir"), ("report", "--dataset"))
def report(bench):
    def page(*words):
        bench.run("report", bench.folder, *words)
        return (bench.folder / "report.html").read_text()

    plain = page()
    assert page("--data-dir", bench.new) != plain
    assert page("--dataset", "other") != plain


@effect(
    *((verb, "--download") for verb in ("evaluate", "train", "export", "report", "place", "run"))
)
def download(bench):
    place(bench.monkeypatch, Counting(IMAGE))
    toml = bench.folder / "tiny.toml"
    toml.write_text(TINY)
    run, out = bench.new / "run", bench.new / "placed.safetensors"
    for words in (
        ("train", toml, "-o", run, "--restart"),
        ("export", run),
        ("evaluate", bench.network),
        ("report", bench.folder),
        ("place", bench.network, "-o", out, "--seconds", 0.01, "--dataset", "digits"),
        ("run", run, "--port", "board", "--samples", 1),
    ):
        if words[0] == "run":
            save_image(run / "network.safetensors", IMAGE)
        bench.run(*words)
        assert not bench.requests[-1].download
        bench.run(*words, "--download")
        assert bench.requests[-1].download


# --- place ---------------------------------------------------------------------------------------


@effect(
    ("place", "--output"),
    ("place", "--lanes"),
    ("place", "--seconds"),
    ("place", "--seed"),
    ("place", "--dataset"),
    ("place", "--data-dir"),
)
def place_options(bench):
    calls = []

    def place_network(image, lanes, **options):
        calls.append((tuple(lanes), options))
        return [np.arange(layer.neurons)[::-1] for layer in image.layers[:-1]]

    bench.monkeypatch.setattr("spikeloom.cli.place.place_network", place_network)
    out = bench.new / "placed.safetensors"

    def placed(*words):
        told = bench.told("place", bench.network, "-o", out, *words)
        assert told["network"] == str(out)
        lanes, options = calls[-1]
        return told, lanes, options

    told, lanes, options = placed()
    # Eight for the busiest layer, and for the readout its share.
    assert (lanes, options["seconds"], options["seed"]) == ((8, 4), 20.0, 0)
    assert (told["dataset"], options["activity"]) == (None, None)
    assert out.read_bytes() != bench.network.read_bytes()
    told, lanes, options = placed("--lanes", "4,2", "--seconds", 0.5, "--seed", 9)
    assert (lanes, options["seconds"], options["seed"]) == ((4, 2), 0.5, 9)
    assert (told["lanes"], told["seed"]) == ([4, 2], 9)
    told, _, options = placed("--dataset", "other")
    assert told["dataset"] == "other"
    events = options["activity"]
    assert [len(own) for own in events] == [64, 12]
    _, _, options = placed("--dataset", "other", "--data-dir", bench.folder)
    assert not np.array_equal(options["activity"][0], events[0])


# --- run, monitor --------------------------------------------------------------------------------


@effect(
    ("run", "--port"),
    ("run", "--design"),
    ("run", "--dataset"),
    ("run", "--split"),
    ("run", "--samples"),
    ("run", "--data-dir"),
)
def run_options(bench):
    asked = place(bench.monkeypatch, Counting(IMAGE))
    save_image(bench.network, IMAGE)

    def ran(*words):
        found = bench.told("run", bench.network, "--port", "board", *words)
        assert found["exact"]
        named = found["port"], found["dataset"], found["split"], found["samples"]
        return named, found["operations"]

    plain, operations = ran()
    assert plain == ("board", "digits", "test", 27)
    assert asked == [bench.network]
    for split, samples in SIZES.items():
        assert ran("--split", split)[0] == ("board", "digits", split, samples)
    # As many samples of another split are other samples.
    assert ran("--split", "train", "--samples", 27)[1] != operations
    named, others = ran("--dataset", "other")
    assert named == ("board", "other", "test", 27)
    assert others != operations
    fewer, less = ran("--samples", 5)
    assert (fewer[3], less < operations) == (5, True)
    here, moved = ran("--data-dir", bench.folder)
    assert (here, moved != operations) == (plain, True)
    ran("--design", bench.folder)
    assert asked[-1] == bench.folder
    bench.run("run", bench.network, "--port", "elsewhere", code=2)


@effect(("monitor", "--port"), ("monitor", "--design"), ("monitor", "--once"))
def monitor(bench):
    asked = place(bench.monkeypatch, Counting(IMAGE))
    looks = []

    def sleep(seconds):
        looks.append(seconds)
        if len(looks) == 3:
            raise KeyboardInterrupt

    bench.monkeypatch.setattr("spikeloom.cli.monitor.time.sleep", sleep)
    once = bench.told("monitor", "--port", "board", "--once")
    assert (once["port"], looks, asked) == ("board", [], [])
    lines = bench.run("monitor", "--port", "board", "--json").stdout.splitlines()
    assert (len(lines), looks) == (3, [1.0, 1.0, 1.0])
    assert "cycles" not in once["core"]
    named = bench.told("monitor", "--port", "board", "--once", "--design", bench.folder)
    assert asked == [bench.folder]
    assert list(named["core"]) == ["cycles", "layer0.operations", "layer1.operations"]
    bench.run("monitor", "--port", "elsewhere", "--once", code=2)


# --- flash ---------------------------------------------------------------------------------------


@effect(
    ("flash", "--target"),
    ("flash", "--persistent"),
    ("flash", "--board"),
    ("flash", "--dry-run"),
)
def flash(bench):
    written = []
    bench.monkeypatch.setattr(
        "spikeloom_hw.cli.flash.write_bitstream", lambda command, tell: written.append(command)
    )

    def told(*words):
        return bench.told("flash", BITSTREAM, "--dry-run", *words)

    plain = told()
    assert (plain["target"], plain["dry_run"], written) == ("icebreaker", True, [])
    done = bench.told("flash", BITSTREAM)
    assert (done["dry_run"], [list(own) for own in written]) == (False, [plain["command"]])
    assert told("--target", "icebreaker") == plain
    bench.run("flash", BITSTREAM, "--dry-run", "--target", "ulx3s-85f", code=2)
    assert told("--persistent")["command"] == plain["command"]
    ecp5 = ROOT / "bitstreams" / "fashion-ulx3s-25f"
    kept, lost = (
        bench.told("flash", ecp5, "--dry-run", word) for word in ("--persistent", "--volatile")
    )
    assert (kept["persistent"], lost["persistent"]) == (True, False)
    assert kept["command"] != lost["command"]
    assert lost == bench.told("flash", ecp5, "--dry-run")
    assert "ulx3s_v3" in bench.told("flash", ecp5, "--dry-run", "--board", "ulx3s_v3")["command"]


# --- all -----------------------------------------------------------------------------------------


def verbs():
    return {entry.name: entry.load() for entry in entry_points(group="spikeloom.commands")}


def options():
    """All options but `--json`, by their longest name."""
    return {
        (verb, max(option.opts, key=len))
        for verb, command in verbs().items()
        if verb not in ELSEWHERE
        for option in command.params
        if isinstance(option, click.Option) and "--json" not in option.opts
    }


@pytest.mark.parametrize("show", dict.fromkeys(EFFECTS.values()), ids=lambda show: show.__name__)
def test_every_option_has_its_effect(bench, show):
    show(bench)


def test_no_option_is_left_out():
    assert set(EFFECTS) == options()


@pytest.mark.parametrize(
    "verb", sorted(set(verbs()) - ELSEWHERE - {"flash", "synth", "train", "export"})
)
def test_json_prints_a_document_and_nothing_else(bench, verb):
    """Of the others, the effects above read it."""
    place(bench.monkeypatch, Counting(IMAGE))
    words = {
        "monitor": ["--port", "board", "--once"],
        "run": [bench.network, "--port", "board"],
        "place": [bench.network, "-o", bench.new / "placed.safetensors", "--seconds", 0.01],
        "generate": [bench.network, "--lanes", 1],
        "doctor": [],
        "report": [bench.folder],
    }.get(verb, [bench.network])
    if verb == "run":
        save_image(bench.network, IMAGE)
    assert isinstance(bench.told(verb, *words), dict)
    with pytest.raises(json.JSONDecodeError):
        json.loads(bench.run(verb, *words).stdout)
