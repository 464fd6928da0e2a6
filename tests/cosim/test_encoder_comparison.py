"""The comparison of an encoder's events, on a faked simulator: one difference, and it is told."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import numpy as np
import pytest

from spikeloom.encoding import LatencyEncoding, SampleCode, encode
from spikeloom_cosim import encoders, verilator
from spikeloom_cosim.encoders import EncoderOutcome, build_encoder, compare_encoder

CODE = SampleCode(encoding=LatencyEncoding(), values=6, time_steps=3)
SAMPLES, BATCH = 5, 2
IMAGES = np.random.default_rng(2).integers(0, 256, (SAMPLES, 6)).astype(np.uint8)
STEP, LAST = 8, 24
"""Addresses of six inputs take three bits; above them stand the step's bit and the last one's."""


def payloads(sample: int) -> list[int]:
    """The stream of a sample, worked out plainly."""
    found = []
    for number, step in enumerate(encode(CODE.encoding, IMAGES, 3)[sample]):
        found += [*np.flatnonzero(step).tolist(), LAST if number == 2 else STEP]
    return found


@pytest.fixture
def compare(monkeypatch, tmp_path):
    """`compare(streams)`: what is told of an encoder that sends them."""
    asked: dict[str, Any] = {}

    def told(streams, *, hung=False, silent=False, **options) -> EncoderOutcome:
        def run_program(program, *, folder, log, plusargs):
            asked.update(program=program, plusargs=plusargs, log=log)
            asked["values"] = np.fromfile(folder / "values.bin", dtype=np.uint8)
            sent = [own for stream in streams for own in stream]
            np.array(sent, dtype="<u4").tofile(folder / "events.bin")
            if not silent:
                said = msgspec.json.encode({"cycles": 77, "hung": hung})
                (folder / "outcome.json").write_bytes(said)

        monkeypatch.setattr(verilator, "run_program", run_program)
        monkeypatch.setattr(encoders, "BATCH", BATCH)
        build = cast("Any", SimpleNamespace(folder=Path("built")))
        return compare_encoder(build, CODE, IMAGES, folder=tmp_path / "run", **options)

    return SimpleNamespace(told=told, asked=asked, folder=tmp_path / "run")


STREAMS = [payloads(sample) for sample in range(SAMPLES)]
EVENTS = sum(map(len, STREAMS))


def changed(sample: int, at: int) -> list[list[int]]:
    return [
        [own ^ (number == sample and place == at % len(stream)) for place, own in enumerate(stream)]
        for number, stream in enumerate(STREAMS)
    ]


def test_equal_streams_are_equal(compare):
    assert compare.told(STREAMS, pause=9, seed=4) == EncoderOutcome(
        samples=SAMPLES, events=EVENTS, got=EVENTS, mismatches=0, cycles=77, hung=False
    )
    assert compare.told(STREAMS).identical
    assert compare.asked["program"] == Path("built") / "bench"
    assert compare.asked["values"].tolist() == IMAGES.ravel().tolist()
    assert not compare.folder.exists()
    compare.told(STREAMS, pause=9, seed=4)
    assert compare.asked["plusargs"] == {
        "samples": SAMPLES,
        "patience": 10_024,
        "pause": 9,
        "seed": 4,
    }
    compare.told(STREAMS)
    assert (compare.asked["plusargs"]["pause"], compare.asked["plusargs"]["seed"]) == (0, 1)


@pytest.mark.parametrize("at", [0, 1, -1], ids=["first", "second", "last"])
@pytest.mark.parametrize("sample", range(SAMPLES))
def test_one_other_event_is_found_in_every_sample(compare, sample, at):
    found = compare.told(changed(sample, at))
    assert (found.mismatches, found.got, found.identical) == (1, EVENTS, False)


def test_one_event_too_many_or_too_few_is_found(compare):
    more = compare.told([*STREAMS, [0]])
    assert (more.mismatches, more.got, more.events) == (1, EVENTS + 1, EVENTS)
    assert not more.identical
    fewer = compare.told([*STREAMS[:-1], STREAMS[-1][:-1]])
    assert (fewer.mismatches, fewer.got) == (2, EVENTS - 1)
    # What is lost moves all that follows.
    lost = compare.told([STREAMS[0][1:], *STREAMS[1:]])
    assert lost.mismatches == SAMPLES + 1


def test_an_encoder_that_hangs_is_not_identical(compare):
    assert not compare.told(STREAMS, hung=True).identical


def test_a_simulator_that_breaks_down_is_told(compare):
    with pytest.raises(verilator.SimulationError, match="it left no message"):
        compare.told(STREAMS, silent=True)


def test_an_encoder_is_built_with_a_bench_of_its_width(monkeypatch, tmp_path):
    seen: dict[str, Any] = {}

    def build_program(source, bench, *, tools, cache):
        seen.update(source=source, bench=bench, tools=tools, cache=cache)
        return "built"

    def write_verilog(encoder, *, name, directory):
        assert directory.is_dir()
        return (directory / f"{name}.v",)

    monkeypatch.setattr(encoders, "build_program", build_program)
    monkeypatch.setattr(encoders, "write_verilog", write_verilog)
    monkeypatch.setattr(encoders, "require_encoder", lambda code, **given: seen.update(given))
    given: dict[str, Any] = {"tools": "tools", "cache": tmp_path}
    assert build_encoder(CODE, folder=tmp_path / "v", **given) == "built"
    assert (seen["tools"], seen["cache"], seen["address_bits"]) == ("tools", tmp_path, 3)
    assert seen["source"] == tmp_path / "v" / "encoder.v"
    # An event is an address of three bits, the step's bit, and the last one's.
    assert "wire [4:0] payload;" in seen["bench"]
    assert "  encoder dut (" in seen["bench"]


@pytest.mark.parametrize(
    ("difference", "identical"),
    [({}, True), ({"mismatches": 1}, False), ({"hung": True}, False), ({"got": 8}, False)],
)
def test_what_is_identical(difference, identical):
    sound = {"samples": 2, "events": 9, "got": 9, "mismatches": 0, "cycles": 5, "hung": False}
    assert EncoderOutcome(**{**sound, **difference}).identical is identical
