"""What the options of the verbs about networks and boards change."""

import json
from pathlib import Path

import numpy as np

from counting_board import IMAGE, Counting, place
from spikeloom.image import save_image

from .effects import effect
from .made_up_data import SIZES

ROOT = Path(__file__).parents[2]
BITSTREAM = ROOT / "bitstreams" / "digits-icebreaker"
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
    ("train", "--set"),
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
    set_, longer = trained("set", "--set", "training.epochs=3", "--set", "method=static")
    assert (set_["epochs"], set_["rewirings"], len(longer)) == (3, 0, 3)
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


@effect(*((verb, "--data") for verb in ("evaluate", "train", "export", "report", "place", "run")))
def own_data(bench):
    place(bench.monkeypatch, Counting(IMAGE))
    path, run, out = bench.folder / "other.npz", bench.new / "run", bench.new / "placed.safetensors"
    toml = bench.folder / "tiny.toml"
    toml.write_text(TINY)
    bench.run("train", toml, "-o", run)
    refused = bench.run("export", run, "--data", path, code=2)
    assert "was begun with other samples of 'other'" in refused.stderr
    save_image(run / "network.safetensors", IMAGE)
    for words in (
        ("train", toml, "-o", bench.new / "own"),
        ("evaluate", bench.network),
        ("place", bench.network, "-o", out, "--seconds", 0.01),
        ("run", run, "--port", "board", "--samples", 1),
    ):
        assert bench.told(*words, "--data", path)["dataset"] == "other"
        assert bench.requests[-1].source.source == str(path)
    bench.run("report", bench.folder, "--data", path)
    assert bench.requests[-1].source.source == str(path)


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
