"""Every option of `verify`, through to its effect."""

from __future__ import annotations

import json

import click
import pytest

from spikeloom.datasets.fitting import DataChoice
from spikeloom_cosim.cli import verify as cli
from spikeloom_cosim.simulation import SEEDS
from spikeloom_hw.targets import TARGETS


def without_options(verb, calls, network, tmp_path):
    verb()
    (generated,) = calls.generated
    assert generated.pop("directory").name == "0"
    assert generated == {
        "target": TARGETS["icebreaker"],
        "lanes": (8, 4),
        "bare": True,
        "loadable": False,
    }
    assert calls.samples == [{"split": "test", "count": None, "data": DataChoice()}]
    assert calls.fitted == [(calls.fitted[0][0], network)]
    (core,) = calls.cores
    core.pop("advance")
    assert core == {
        "lanes": (8, 4),
        "model": "model (8, 4)",
        "tools": "tools",
        "seed": 1,
        "jobs": None,
        "failure_folder": network.parent / "verify-failure-8,4",
    }
    assert (network.parent / "verify.json").is_file()


def lanes(verb, calls, network, tmp_path):
    verb("--lanes", "1", "--lanes", "4,2")
    assert [own["lanes"] for own in calls.generated] == [(1, 1), (4, 2)]
    assert [own["directory"].name for own in calls.generated] == ["0", "1"]
    assert [own["lanes"] for own in calls.cores] == [(1, 1), (4, 2)]
    assert [own["failure_folder"].name for own in calls.cores] == [
        "verify-failure-1,1",
        "verify-failure-4,2",
    ]


def samples(verb, calls, network, tmp_path):
    verb("--samples", "6")
    assert calls.samples[0]["count"] == 6


def split(verb, calls, network, tmp_path):
    result = verb("--split", "validation", "--json")
    assert calls.samples[0]["split"] == json.loads(result.stdout)["split"] == "validation"


def data_dir(verb, calls, network, tmp_path):
    verb("--data-dir", tmp_path)
    assert calls.samples[0]["data"] == DataChoice(data_dir=tmp_path)


def name(verb, calls, network, tmp_path):
    verb("--dataset", "mnist")
    assert calls.samples[0]["data"] == DataChoice(name="mnist")


def source(verb, calls, network, tmp_path):
    verb("--data", tmp_path)
    assert calls.samples[0]["data"] == DataChoice(source=tmp_path)


def download(verb, calls, network, tmp_path):
    verb("--download")
    assert calls.samples[0]["data"] == DataChoice(download=True)


def level(verb, calls, network, tmp_path):
    for name in ("netlist", "routed", "bitstream"):
        verb("--level", name)
    verb("--level", "host", code=3)
    assert [own["by"] for own in calls.levels] == ["chip"] * 3 + ["host"]
    assert [own["level"] for own in calls.levels] == [("netlist",), ("routed",), ("bitstream",), ()]
    assert not calls.cores
    assert not calls.samples
    told = calls.levels[0]
    assert told.pop("by") == "chip"
    assert told == {
        "network": network,
        "level": ("netlist",),
        "plan": None,
        "lanes": ((8,),),
        "samples": None,
        "split": "test",
        "data": DataChoice(),
        "design": None,
        "target": "icebreaker",
        "loadable": False,
        "jobs": None,
        "folder": network.parent,
    }
    calls.levels.clear()
    for by, *name in (("host", "host"), ("chip", "routed")):
        verb(
            *("--level", *name, "--lanes", "4", "--samples", 5, "--split", "train"),
            *("--data-dir", tmp_path, "--target", "upduino", "--loadable", "--jobs", 2),
            *("-o", tmp_path / "out"),
            code=3 if by == "host" else 0,
        )
        told = calls.levels[-1]
        assert told["by"] == by
        assert told["lanes"] == ((4,),)
        assert (told["samples"], told["split"]) == (5, "train")
        assert told["data"] == DataChoice(data_dir=tmp_path)
        assert (told["target"], told["loadable"], told["jobs"]) == ("upduino", True, 2)
        assert told["folder"] == tmp_path / "out"
        verb("--level", *name, "--design", tmp_path, code=3 if by == "host" else 0)
        assert calls.levels[-1]["design"] == tmp_path


def design(verb, calls, network, tmp_path):
    verb("--design", tmp_path / "design")
    assert not calls.generated
    assert calls.fitted == [(tmp_path / "design", network)]
    assert [own["lanes"] for own in calls.cores] == [(16, 16)]


def target(verb, calls, network, tmp_path):
    verb("--target", "ulx3s-85f")
    assert calls.generated[0]["target"] is TARGETS["ulx3s-85f"]


def loadable(verb, calls, network, tmp_path):
    verb("--loadable")
    assert calls.generated[0]["loadable"] is True


def seed(verb, calls, network, tmp_path):
    verb("--seed", SEEDS - 1)
    assert calls.cores[0]["seed"] == SEEDS - 1
    verb("--seed", 0)
    for wrong in (-1, SEEDS):
        verb("--seed", wrong, code=2)


def jobs(verb, calls, network, tmp_path):
    verb("--jobs", 3)
    assert calls.cores[0]["jobs"] == 3
    verb("--jobs", 0, code=2)


def selftest(verb, calls, network, tmp_path):
    verb("--selftest")
    assert not calls.cores
    (told,) = calls.selftests
    told.pop("found")
    told.pop("jobs")
    assert told == {"lanes": (8, 4), "tools": "tools", "seed": 1, "level": "rtl"}
    assert (network.parent / "selftest.json").is_file()
    assert not (network.parent / "verify.json").exists()
    more = ("--lanes", "1", "--lanes", "2", "--level", "netlist", "--seed", 4, "--jobs", 3)
    verb("--selftest", *more, "-o", tmp_path / "out")
    assert not calls.levels
    assert [told["lanes"] for told in calls.selftests[1:]] == [(1, 1), (2, 2)]
    assert {(told["level"], told["seed"], told["jobs"]) for told in calls.selftests[1:]} == {
        ("netlist", 4, 3)
    }
    assert (tmp_path / "out" / "selftest.json").is_file()
    verb("--selftest", "--level", "routed", code=2)


def output(verb, calls, network, tmp_path):
    verb("-o", tmp_path / "out")
    assert (tmp_path / "out" / "verify.json").is_file()
    assert calls.cores[0]["failure_folder"] == tmp_path / "out" / "verify-failure-8,4"
    assert not (network.parent / "verify.json").exists()


def as_json(verb, calls, network, tmp_path):
    assert verb("--json").stdout.startswith("{")
    assert not verb().stdout.startswith("{")


EFFECTS = [
    *(lanes, samples, split, data_dir, name, source, download, level, design, target),
    *(loadable, seed, jobs, selftest, output, as_json),
]


@pytest.mark.parametrize("effect", [without_options, *EFFECTS], ids=lambda effect: effect.__name__)
def test_every_option_has_its_effect(verb, calls, network, tmp_path, effect):
    effect(verb, calls, network, tmp_path)


def test_no_option_is_left_out():
    options = {own.name for own in cli.verify.params if isinstance(own, click.Option)}
    assert options == {effect.__name__ for effect in EFFECTS}


@pytest.mark.parametrize(
    ("options", "plan"),
    [
        pytest.param((), True, id="as its manifest says"),
        pytest.param(("--lanes", "8"), False, id="lanes"),
        pytest.param(("--target", "icebreaker"), False, id="target"),
        pytest.param(("--loadable",), False, id="loadable"),
        pytest.param(("--samples", "3", "--jobs", "1"), True, id="other options"),
    ],
)
@pytest.mark.parametrize("level", ["netlist", "host"])
def test_a_bitstream_s_folder_is_verified_as_it_is_unless_told_otherwise(
    verb, calls, network, options, plan, level
):
    (network.parent / "manifest.json").write_text("{}")
    verb("--level", level, *options, code=3 if level == "host" else 0)
    assert calls.levels[0]["plan"] == (network.parent if plan else None)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--lanes", "8"), "leave out --lanes"),
        (("--target", "icebreaker"), "leave out --target"),
        (("--loadable",), "leave out --loadable"),
    ],
)
@pytest.mark.parametrize("level", ["rtl", "netlist", "host"])
def test_a_design_is_as_it_was_generated(verb, tmp_path, options, says, level):
    assert says in verb("--design", tmp_path, "--level", level, *options, code=2).stderr


def test_a_place_that_cannot_be_written_is_refused_first(verb, calls, tmp_path):
    (tmp_path / "file").write_text("")
    for more in ((), ("--selftest",)):
        assert "cannot write" in verb("-o", tmp_path / "file" / "below", *more, code=2).stderr
    assert not calls.samples
