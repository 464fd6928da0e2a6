import dataclasses
import errno
import json
import re
import tempfile
from html.parser import HTMLParser
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest

from spikeloom.arithmetic import IntegrateLeak
from spikeloom.config import dump_config, parse_config
from spikeloom.datasets import load_dataset
from spikeloom.errors import UserError
from spikeloom.files import write_step
from spikeloom.image import Layer, load_image, save_image
from spikeloom.image.identity import network_sha256
from spikeloom.report import figures
from spikeloom.report.collect import collect
from spikeloom.report.network import describe_image
from spikeloom.report.page import render_page
from spikeloom.runfolder import read_history

VERIFY = {
    "level": "rtl",
    "lanes": 8,
    "samples": 360,
    "samples_available": 360,
    "spike_mismatches": 0,
    "membrane_mismatches": 0,
    "cycle_mismatches": 0,
    "cycles": {"mean": 225.5, "max": 312, "sop_per_cycle_per_lane": 0.31},
}
SYNTH = {
    "target": "icebreaker",
    "fmax_mhz": 27.31,
    "constraint_mhz": 24.0,
    "utilization": {"ICESTORM_LC": {"used": 2510, "available": 5280}},
    "bitstream": "synth/top.bin",
    "sha256": "ab" * 32,
}


def leave(folder, verb, seconds, data):
    """A step's file, of the network in the folder unless it says otherwise."""
    sha256 = network_sha256(load_image(folder / "network.safetensors"))
    write_step(folder, verb, seconds, {"network_sha256": sha256, **data})


@pytest.fixture
def full_run(run_folder):
    for verb, seconds in (("train", 61.0), ("export", 1.5), ("estimate", 0.25), ("generate", 4.0)):
        leave(run_folder, verb, seconds, {})
    runs = [{**VERIFY, "lanes": 1, "seconds": 30.0}, {**VERIFY, "seconds": 20.0}]
    leave(run_folder, "verify", 20.0, {**VERIFY, "runs": runs})
    leave(run_folder, "synth", 91.0, SYNTH)
    layers = [
        {"density": 0.5, "pq_index": 0.1, "operations": 300.0},
        {"density": 0.8, "pq_index": 0.2, "operations": 60.0},
    ]
    lines = [
        {
            "epoch": epoch,
            **dict.fromkeys(("loss", "loss_validation"), 2.0 / epoch),
            **dict.fromkeys(("accuracy", "accuracy_validation"), 1 - 0.5 / epoch),
            "density": 0.6 - 0.1 * (epoch // 2),
            "layers": layers,
        }
        for epoch in range(1, 6)
    ]
    (run_folder / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return run_folder


class Page(HTMLParser):
    """What a browser would load, and the text it would show."""

    VOID = frozenset({"meta", "br", "link", "img", "hr", "input"})

    def __init__(self, html):
        super().__init__()
        self.text, self.loads, self.ids, self.open = "", [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        self.loads += [
            (tag, value)
            for name, value in attrs
            if (name in ("src", "href", "xlink:href") and not (value or "").startswith("#"))
            or tag in ("script", "link", "img", "iframe")
        ]
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_full_run(spikeloom, document, full_run):
    data = document(spikeloom("report", full_run, "--json"))
    assert data == json.loads((full_run / "report.json").read_text())
    assert data["schema"] == 1
    assert data["dataset"] == "digits"
    assert data["accuracy"] == {"validation": 0.125, "test": 0.25}
    assert data["weight_bits"] == 4
    assert data["time_steps"] == 8
    assert data["bits_stored"] == data["network"]["bits_stored"]
    assert data["verify"] | {"runs": None} == {
        **{name: value for name, value in VERIFY.items() if name != "cycles"},
        "seconds": 20.0,
        "mismatches": 0,
        "runs": None,
    }
    assert data["cycles"] == VERIFY["cycles"]
    assert data["synth"] == SYNTH
    assert data["steps"] == [
        {"name": "train", "seconds": 61.0},
        {"name": "export", "seconds": 1.5},
        {"name": "estimate", "seconds": 0.25},
        {"name": "generate", "seconds": 4.0},
        {"name": "verify, lanes 1", "seconds": 30.0},
        {"name": "verify, lanes 8", "seconds": 20.0},
        {"name": "synth", "seconds": 91.0},
    ]
    assert data["missing"] == []


def test_summary_and_paths_are_printed(spikeloom, full_run):
    result = spikeloom("report", full_run)
    assert result.exit_code == 0, result.stderr
    text = result.stdout
    for part in ("25.00%", "360 samples: 0 spike, 0 membrane, 0 cycle mismatches", "27.31 MHz",
                 "2,510 of 5,280", "report.html", "report.json", "top.bin"):  # fmt: skip
        assert part in text


def test_seeds_and_the_slowest_path_are_told(spikeloom, full_run):
    path = {"start": "layer.bank_1: potentials read data", "end": "layer.bank_1: forwarded",
            "delay_ns": 23.5, "logic_ns": 8.6, "routing_ns": 14.9,
            "through": ["layer.update: potential"]}  # fmt: skip
    seeds = [{"seed": seed, "fmax_mhz": 27.31 - seed, "failure": None} for seed in range(3)]
    spread = {"median": 26.31, "best": 27.31, "worst": 25.31}
    more = {"seed": 0, "seeds": seeds, "fmax_spread_mhz": spread, "critical_path": path}
    leave(full_run, "synth", 91.0, {**SYNTH, **more})
    assert spikeloom("report", full_run).exit_code == 0
    assert json.loads((full_run / "report.json").read_text())["synth"] == {**SYNTH, **more}
    text = " ".join(Page((full_run / "report.html").read_text()).text.split())
    assert "The best of 3 seeds of the placer: median 26.31, worst 25.31 MHz." in text
    assert "takes 23.5 ns, 8.6 of them in cells and 14.9 in wires: " in text
    assert (
        "layer.bank_1: potentials read data → layer.update: potential → layer.bank_1: forwarded"
        in text
    )


def test_page_is_whole_and_alone(spikeloom, full_run):
    assert spikeloom("report", full_run).exit_code == 0
    html = (full_run / "report.html").read_text()
    page = Page(html)
    assert page.loads == []
    assert page.open == []
    assert "url(http" not in html
    assert "@import" not in html
    assert len(page.ids) == len(set(page.ids))
    for heading in ("Network", "Training", "One sample, spike for spike", "Proof", "Chip", "Steps"):
        assert heading in page.text
    assert "Not in this report" not in page.text
    assert "#0102" not in html, "a marker colour was not replaced"


def test_bits_are_the_same_number_in_every_place(full_run):
    document, image = collect(full_run)
    page = Page(render_page(document, image)).text
    assert "kbit" not in page
    assert page.count(f"{document['bits_stored']:,}") == 2
    assert f"dense {document['network']['bits_dense']:,}" in page


DENSE = {"density_active": 0.3167, "density_asked": 0.1, "density_reached": False}
SIZED = {**DENSE, "bits": 35082, "bits_asked": 6000}


@pytest.mark.parametrize(
    ("trained", "shown"),
    [
        pytest.param({**DENSE, "goal_reached": False}, "31.7% active: NOT the 10.0% asked for",
                     id="a density that was missed"),
        pytest.param({**SIZED, "goal_reached": False}, "35,082: NOT the 6,000 asked for",
                     id="a size that was missed"),
        pytest.param({**DENSE, "goal_reached": True}, "31.7% active (10.0% asked for)",
                     id="a density that was reached"),
        pytest.param({**DENSE, "goal_reached": None}, None, id="no goal"),
        pytest.param({}, None, id="a run of before there were goals"),
    ],
)  # fmt: skip
def test_a_goal_that_was_missed_is_told(spikeloom, full_run, trained, shown):
    leave(full_run, "train", 61.0, trained)
    result = spikeloom("report", full_run)
    assert (shown or "asked for") in result.stdout or shown is None
    assert ("asked for" in result.stdout) == (shown is not None)
    document = json.loads((full_run / "report.json").read_text())
    assert document["training"]["goal_reached"] is trained.get("goal_reached")
    # The page has it in its tile only where it was missed.
    page = Page((full_run / "report.html").read_text()).text.partition("report.json")[0]
    missed = trained.get("goal_reached") is False
    assert (shown is not None and shown in page) == missed


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0, "< 0.1"), (0.049, "< 0.1"), (0.06, "0.1"), (1.26, "1.3"), (None, "–")],
)
def test_short_steps_are_not_without_time(full_run, seconds, shown):
    document, image = collect(full_run)
    document["steps"] = [{"name": "estimate", "seconds": seconds}]
    page = " ".join(Page(render_page(document, image)).text.split())
    assert f"estimate{shown}" in page


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("label_smoothing = 0.0", None, id="nothing"),
        pytest.param("dropout = 0.1\nlabel_smoothing = 0.0", "include dropout, which", id="one"),
        pytest.param("", "include label smoothing, which", id="the defaults"),
        pytest.param(
            "shift = 0.3\ndropout = 0.1\nactivity = 0.2",
            "include augmentation, dropout, label smoothing and the penalty on activity, which",
            id="all",
        ),
    ],
)
def test_what_only_training_includes_is_said(full_run, small_image, text, says):
    config = dump_config(parse_config(f"[training]\n{text}", source="x"))
    claimed = msgspec.structs.replace(small_image.provenance, config=config)
    image = dataclasses.replace(small_image, provenance=claimed)
    document, _ = collect(full_run)
    html = render_page(document, image, history=read_history(full_run))
    page = " ".join(Page(html).text.split())
    assert ("Training values include" in page) == (says is not None)
    assert (says or "") in page


def test_pictures_are_xml_and_the_same_each_time(full_run):
    document, image = collect(full_run)
    dataset = load_dataset("digits")
    history = read_history(full_run)
    pages = [render_page(document, image, history=history, dataset=dataset) for _ in range(2)]
    assert pages[0] == pages[1]
    svgs = [part.partition("</svg>")[0] + "</svg>" for part in pages[0].split("<svg")[1:]]
    # The sample, two panels a picture, and three of its spikes.
    assert len(svgs) == 1 + 4 * 2 + 3
    for svg in svgs:
        ElementTree.fromstring("<svg" + svg)


@pytest.mark.parametrize(
    ("without", "panels"),
    [
        pytest.param(None, 2, id="all recorded"),
        pytest.param("operations", 1, id="no operations"),
        pytest.param("density", 0, id="no density"),
    ],
)
def test_accuracy_against_density(full_run, without, panels):
    history = [
        {
            **{key: value for key, value in line.items() if key != without},
            "layers": [
                {key: value for key, value in layer.items() if key != without}
                for layer in line["layers"]
            ],
        }
        for line in read_history(full_run)
    ]
    svg = figures.compression(history) or ""
    assert svg.count("Validation accuracy against") == panels


def test_what_was_not_run_is_named(spikeloom, document, run_folder):
    data = document(spikeloom("report", run_folder, "--json"))
    assert data["missing"] == [
        f"{verb} (not run)"
        for verb in ("train", "export", "estimate", "generate", "verify", "synth")
    ]
    assert set(data["verify"].values()) == set(data["synth"].values()) == {None}
    page = Page((run_folder / "report.html").read_text())
    assert "Not in this report" in page.text
    assert "synth (not run)" in page.text
    assert "Proof" not in page.text


def test_a_number_that_was_not_recorded_is_named(run_folder):
    leave(run_folder, "synth", 1.0, {**SYNTH, "fmax_mhz": None})
    document, _ = collect(run_folder)
    assert "synth.fmax_mhz (not recorded)" in document["missing"]


@pytest.mark.parametrize(
    ("recorded", "reported"),
    [
        pytest.param("{run}/synth/top.bin", "synth/top.bin", id="absolute, inside of the run"),
        pytest.param("synth/top.bin", "synth/top.bin", id="relative to the run"),
        pytest.param("run/synth/top.bin", "synth/top.bin", id="relative to where synth was run"),
        pytest.param("{elsewhere}/top.bin", "{elsewhere}/top.bin", id="outside of the run"),
        pytest.param("gone/top.bin", "gone/top.bin", id="gone"),
    ],
)
def test_bitstream_is_seen_from_the_run(run_folder, tmp_path, monkeypatch, recorded, reported):
    elsewhere = tmp_path / "elsewhere"
    for place in (run_folder / "synth", elsewhere):
        place.mkdir()
        (place / "top.bin").touch()
    monkeypatch.chdir(tmp_path)
    names = {"run": run_folder, "elsewhere": elsewhere}
    leave(run_folder, "synth", 1.0, {**SYNTH, "bitstream": recorded.format(**names)})
    document, _ = collect(run_folder)
    assert document["synth"]["bitstream"] == reported.format(**names)


@pytest.mark.parametrize("verb", ["export", "estimate", "generate", "verify", "synth"])
@pytest.mark.parametrize("sha256", ["ab" * 32, None], ids=["another network", "does not say"])
def test_a_step_of_another_network_is_left_out(full_run, verb, sha256):
    step = json.loads((full_run / f"{verb}.json").read_text())
    leave(full_run, verb, 1.0, {**step, "network_sha256": sha256})
    document, image = collect(full_run)
    assert document["missing"] == [f"{verb} (of another network: run it again)"]
    assert not any(step["name"].startswith(verb) for step in document["steps"])
    if verb in ("verify", "synth"):
        assert set(document[verb].values()) <= {None}
        heading = {"verify": "Proof", "synth": "Chip"}[verb]
        assert heading not in Page(render_page(document, image)).text


@pytest.mark.parametrize(
    ("samples", "available", "says", "green"),
    [
        pytest.param(359, 359, "359 samples:", True, id="all"),
        pytest.param(20, 359, "20 of 359 samples:", False, id="some"),
        pytest.param(20, None, "20 samples:", False, id="does not say of how many"),
    ],
)
@pytest.mark.parametrize("many", [True, False], ids=["a run each", "one run"])
def test_only_a_whole_verification_is_green(
    spikeloom, full_run, many, samples, available, says, green
):
    step = {**VERIFY, "samples": samples, "samples_available": available, "seconds": 1.0}
    run = {name: value for name, value in step.items() if name != "samples_available"}
    leave(full_run, "verify", 1.0, {**step, "runs": [run]} if many else step)
    assert says in spikeloom("report", full_run).stdout
    html = (full_run / "report.html").read_text()
    assert ('class="good"' in html) == green
    assert 'class="bad"' not in html
    shown = says.removesuffix(" samples:")
    assert f"rtl, {shown} samples" in Page(html).text
    assert f"<td>{shown}</td>" in html
    assert json.loads((full_run / "report.json").read_text())["verify"]["samples"] == samples


def test_mismatches_show_in_red(full_run):
    leave(full_run, "verify", 1.0, {**VERIFY, "spike_mismatches": 3, "score_mismatches": 4})
    document, image = collect(full_run)
    assert document["verify"]["mismatches"] == 7
    html = render_page(document, image)
    for count in (3, 4, 7):
        assert f'class="bad">{count}' in html


def test_data_set_that_is_not_here(spikeloom, document, tmp_path, small_image):
    far = msgspec.structs.replace(small_image.provenance, dataset="mnist")
    save_image(tmp_path / "network.safetensors", dataclasses.replace(small_image, provenance=far))
    data = document(spikeloom("report", tmp_path, "--data-dir", tmp_path, "--json"))
    assert any(line.startswith("spike raster (") for line in data["missing"])
    assert "spike for spike" not in Page((tmp_path / "report.html").read_text()).text


def test_deep_network_has_a_picture_of_each_layer(full_run, small_image):
    document, _ = collect(full_run)
    first, last = small_image.layers
    middle = [
        Layer.from_dense(np.eye(12, dtype=int), name=f"middle{number}", leak=IntegrateLeak())
        for number in range(5)
    ]
    deep = small_image.with_layers((first, *middle, last))
    document["network"] = describe_image(deep, [1] * 7)
    html = render_page(document, deep, dataset=load_dataset("digits"))
    for layer in deep.layers:
        assert f"{layer.name}: {layer.synapses:,} synapses" in html
        assert bool(re.search(rf"\b{layer.name}: \d+ events", html)) == layer.spiking


def test_text_from_files_is_escaped(full_run):
    leave(full_run, "synth", 1.0, {**SYNTH, "target": "<script>alert(1)</script>"})
    document, image = collect(full_run)
    assert "<script" not in render_page(document, image)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        pytest.param("verify.json", "{", "verify.json is not JSON", id="cut off"),
        pytest.param("verify.json", '{"schema": 9}', "is not of schema 1", id="other schema"),
        pytest.param("verify.json", "[]", "is not of schema 1", id="not an object"),
        pytest.param("history.jsonl", '{"epoch": 1}\n{"ep', "history.jsonl is damaged", id="log"),
    ],
)
def test_damaged_files_are_named(spikeloom, one_sentence, full_run, name, text, says):
    (full_run / name).write_text(text)
    result = spikeloom("report", full_run)
    assert result.exit_code == 2
    assert says in one_sentence(result)
    assert not (full_run / "report.html").exists()


def test_a_place_that_takes_no_file_is_refused_before_the_work(
    spikeloom, one_sentence, full_run, monkeypatch
):
    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    result = spikeloom("report", full_run)
    assert result.exit_code == 2
    assert f"cannot write {full_run}: no space left on device" in one_sentence(result)
    assert not (full_run / "report.json").exists()


@pytest.mark.parametrize("exists", [True, False], ids=["empty folder", "no folder"])
def test_no_run(tmp_path, exists):
    folder = tmp_path if exists else tmp_path / "no"
    with pytest.raises(UserError, match=r"spikeloom (export|train)"):
        collect(folder)


def test_a_history_of_its_own_kind_is_no_fault(full_run):
    document, image = collect(full_run)
    html = render_page(document, image, history=[{"epoch": 1, "loss": 2.0}, {"epoch": 2}])
    assert "Training" not in Page(html).text


TELEPHONE = 400
"""Columns of pixels of a small screen."""


def css(html):
    """The declarations of each rule outside of a media query, by selector."""
    text = html[html.index("<style>") : html.index("</style>")]
    plain = re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", text)
    return {
        selector.strip(): declarations
        for rule in re.findall(r"([^{}]+)\{([^{}]*)\}", plain)
        for selector, declarations in [rule]
    }


def test_the_page_fits_a_telephone(full_run):
    document, image = collect(full_run)
    dataset, history = load_dataset("digits"), read_history(full_run)
    html = render_page(document, image, history=history, dataset=dataset)
    rules = css(html)
    # As many tiles and panels a row as there is room for, and figures that may break.
    assert "repeat(auto-fit, minmax(8.5rem, 1fr))" in rules[".figures"]
    assert "repeat(auto-fit, minmax(min(100%, 17rem), 1fr))" in rules[".panels"]
    assert "nowrap" not in rules[".figures dd"]
    assert "overflow-wrap: anywhere" in rules[".figures dd"]
    assert "overflow-wrap: anywhere" in rules["h1, p, code.hash"]
    # What may be wider than the page has a box of its own to scroll in.
    assert "overflow-x: auto" in rules[".wide"]
    assert "overflow: auto" in rules["pre"]
    assert html.count("<table") == html.count('<div class="wide"><table')
    assert rules[".panels > svg"].startswith(" display: block; width: 100%")
    pictures = "".join(re.findall(r'<div class="panels">(.*?)</div>', html, re.DOTALL))
    panels = re.findall(r'viewBox="0 0 ([\d.]+) [\d.]+"(.*?)</svg>', pictures, re.DOTALL)
    assert len(panels) == 4 * 2 + 3
    for width, drawn in panels:
        sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", drawn)]
        families = set(re.findall(r"font-family: ([^;\"]*)", drawn))
        assert families == {"var(--sans)"}, "the page's font"
        # The page leaves 16 pixels on either side.
        readable = min(sizes) * (TELEPHONE - 32) / float(width)
        assert 8.5 < readable < 16
