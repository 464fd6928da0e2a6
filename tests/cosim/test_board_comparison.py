"""The comparison of a board through its driver, on a faked line: one difference, and it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from spikeloom.host.failures import NoAnswerError
from spikeloom.host.outcome import Answers, Counters
from spikeloom.host.protocol import Identity, encode_identity
from spikeloom_cosim.board import verify as board
from spikeloom_cosim.board.verify import BoardResult, HostRun, described, verify_board
from spikeloom_cosim.core import Core
from spikeloom_cosim.divergence import Divergence
from spikeloom_cosim.expectation import COUNTED
from spikeloom_cosim.fitting import Fitting

from .recordings import IMAGE, NAMES, OUTPUTS, OVERLAPPED, PACKED, SHAPE, SIZES, STEPS

CHUNK, SAMPLES = 3, 8
LINK = ("refused", "framing_errors", "overruns", "ignored")
IDENTITY = Identity(
    loadable=False,
    takes_frames=False,
    design_hash=b"abcdefgh",
    inputs=SIZES[0],
    outputs=OUTPUTS,
    layers=len(NAMES),
    counters=16,
    clock_hz=30_000_000,
)
FITTING = Fitting(
    core=Core(verilog=Path("core.v"), memories=(), shape=SHAPE, network_sha256=""),
    image=IMAGE,
    packed=PACKED,
    overlapped=OVERLAPPED,
    params=cast("Any", None),
)
EVENTS = np.random.default_rng(3).random((SAMPLES, STEPS, SIZES[0])) < 0.5


@dataclass
class Board:
    """A device that computes as it should, but for one thing.

    Attributes:
        identity: what it says of itself.
        score: sample and output of which it says one too much.
        label: sample of which it says another class.
        count: chunk in which a counter of a layer is one too far.
        link: what its line counts.
        silent: chunk that it does not answer.
    """

    identity: Identity = IDENTITY
    score: tuple[int, int] | None = None
    label: int | None = None
    count: tuple[int, str] | None = None
    link: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LINK, 0))
    silent: int | None = None
    loaded: list[object] = field(default_factory=list)
    opened: list[Any] = field(default_factory=list)

    def __call__(self, line: SimpleNamespace, *, design: object) -> _Talk:
        assert design == "what the driver knows"
        return _Talk(self, line)


class _Talk:
    """A conversation with a board; its counters run over in the middle."""

    def __init__(self, board: Board, line: SimpleNamespace) -> None:
        self.board, self.line, self.identity, self.chunk = board, line, board.identity, 0
        self.tally = SimpleNamespace(frames=7)
        names = (f"layer{layer}.{name}" for layer in range(len(NAMES)) for name in COUNTED)
        self.core = dict.fromkeys(names, (1 << 32) - 5)

    def __enter__(self) -> _Talk:
        return self

    def __exit__(self, *_: object) -> None:
        self.line.closed = True

    def load(self, image: object) -> None:
        self.board.loaded.append(image)

    def counters(self) -> Counters:
        return Counters(link=self.board.link, core=dict(self.core))

    def spikes(self, events: np.ndarray, *, advance: Callable[[int], object]) -> Answers:
        assert len(events) <= CHUNK
        if self.board.silent == self.chunk:
            raise NoAnswerError("nothing comes")
        trace = FITTING.expect(events)
        scores = trace.trace.scores.astype(np.int64)
        labels = trace.trace.predictions.astype(np.int64)
        first = CHUNK * self.chunk
        if self.board.score and first <= self.board.score[0] < first + len(events):
            scores[self.board.score[0] - first, self.board.score[1]] += 1
        if self.board.label is not None and first <= self.board.label < first + len(events):
            labels[self.board.label - first] += 1
        for layer in range(len(NAMES)):
            for at, name in enumerate(COUNTED):
                counted = int(trace.counted[:, layer, at].sum())
                counted += self.board.count == (self.chunk, f"layer{layer}.{name}")
                key = f"layer{layer}.{name}"
                self.core[key] = (self.core[key] + counted) % (1 << 32)
        self.chunk += 1
        advance(len(events))
        return Answers(labels=labels, scores=scores, timings=cast("Any", None))


@pytest.fixture
def run(monkeypatch) -> Callable[..., BoardResult]:
    """`run(board)`: what is told of a board."""

    def verdict(device: Board, *, jobs: int = 1, advance=lambda samples: None) -> BoardResult:
        def opened(design: Path, *, name: str, tools: object) -> SimpleNamespace:
            assert (design, name, tools) == (Path("d"), "the simulated board", "tools")
            device.opened.append(SimpleNamespace(cycles=100, closed=False))
            return device.opened[-1]

        monkeypatch.setattr(board, "open_board", opened)
        monkeypatch.setattr(board, "Device", device)
        monkeypatch.setattr(board, "CHUNK", CHUNK)
        host = HostRun(
            design=Path("d"),
            known=cast("Any", "what the driver knows"),
            identity=IDENTITY,
            image=IMAGE,
            fitting=FITTING,
            tools=cast("Any", "tools"),
        )
        return verify_board(host, EVENTS, jobs=jobs, advance=advance)

    return verdict


def test_an_equal_board_is_equal(run):
    board, advanced = Board(), []
    result = run(board, advance=advanced.append)
    chunks = 3
    assert result == BoardResult(
        samples=SAMPLES,
        compared=result.compared,
        first=None,
        cycles=100,
        frames=7,
    )
    assert result.compared == {
        "protocol": 1,
        "score": SAMPLES * OUTPUTS,
        "prediction": SAMPLES,
        "counter": chunks * (len(NAMES) * len(COUNTED) + len(LINK)),
    }
    assert not result.mismatches
    assert advanced == [3, 3, 2]
    assert board.loaded == [IMAGE]
    assert [line.closed for line in board.opened] == [True]
    assert described(result) == {
        "samples": SAMPLES,
        "compared": dict(result.compared),
        "first_divergence": None,
        "simulated_cycles": 100,
        "frames": 7,
    }


def only(result: BoardResult, kind: str, count: int = 1) -> Divergence:
    """The first difference, where nothing differs but so many of one kind."""
    assert result.mismatches == {kind: count}
    assert result.first is not None
    return result.first


def expected(sample: int):
    return FITTING.expect(EVENTS[sample : sample + 1]).trace


@pytest.mark.parametrize("sample", range(SAMPLES))
def test_every_score_and_class_in_every_chunk(run, sample):
    for neuron in range(OUTPUTS):
        right = int(expected(sample).scores[0, neuron])
        assert only(run(Board(score=(sample, neuron))), "score") == Divergence(
            kind="score", mode="host", sample=sample, neuron=neuron, got=right + 1, expected=right
        )
    right = int(expected(sample).predictions[0])
    assert only(run(Board(label=sample)), "prediction") == Divergence(
        kind="prediction", mode="host", sample=sample, got=right + 1, expected=right
    )


@pytest.mark.parametrize("chunk", range(3))
def test_every_counter_of_every_layer_in_every_chunk(run, chunk):
    part = FITTING.expect(EVENTS[chunk * CHUNK : (chunk + 1) * CHUNK])
    for layer, name in enumerate(NAMES):
        for at, counter in enumerate(COUNTED):
            right = int(part.counted[:, layer, at].sum())
            found = only(run(Board(count=(chunk, f"layer{layer}.{counter}"))), "counter")
            assert found == Divergence(
                kind="counter",
                mode="host",
                sample=chunk * CHUNK,
                layer=name,
                counter=counter,
                got=right + 1,
                expected=right,
            )


@pytest.mark.parametrize("name", LINK)
def test_nothing_gets_lost_on_the_line(run, name):
    found = only(run(Board(link={**dict.fromkeys(LINK, 0), name: 2})), "counter", 3)
    assert found == Divergence(
        kind="counter", mode="host", sample=0, counter=name, got=2, expected=0
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"version": IDENTITY.version + 1},
        {"loadable": True},
        {"takes_frames": True},
        {"design_hash": b"abcdefgi"},
        {"inputs": 30},
        {"outputs": 4},
        {"layers": 2},
        {"counters": 17},
        {"clock_hz": 12_000_000},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_every_field_of_the_identity(run, changes):
    other = replace(IDENTITY, **changes)
    got, want = (int.from_bytes(encode_identity(each), "big") for each in (other, IDENTITY))
    found = only(run(Board(identity=other)), "protocol")
    assert found == Divergence(kind="protocol", mode="host", got=got, expected=want)


@pytest.mark.parametrize("chunk", range(3))
def test_a_board_that_falls_silent(run, chunk):
    result = run(Board(silent=chunk))
    found = only(result, "hang")
    assert found == Divergence(kind="hang", mode="host", sample=chunk * CHUNK)
    assert result.samples == chunk * CHUNK
    assert result.compared["prediction"] == chunk * CHUNK
    assert (result.cycles, result.frames) == (100, 7)


@pytest.mark.parametrize("jobs", [2, 3, 8, 20])
def test_boards_side_by_side_number_their_samples_among_all(run, jobs):
    board = Board()
    result = run(board, jobs=jobs)
    boards = len(board.opened)
    assert boards == -(-SAMPLES // -(-SAMPLES // jobs))
    assert (result.samples, result.cycles, result.frames) == (SAMPLES, 100 * boards, 7 * boards)
    assert result.compared["protocol"] == boards
    assert result.compared["score"] == SAMPLES * OUTPUTS


def test_the_earliest_of_several_boards_is_told(run):
    """Each board of four samples says the second one's class wrong."""
    result = run(Board(label=1), jobs=2)
    assert result.mismatches == {"prediction": 2}
    assert result.first is not None
    assert result.first.sample == 1
    later = BoardResult()
    later.note(Divergence(kind="score", mode="host", sample=5))
    for sample, first in ((6, 5), (5, 5), (4, 4), (None, None)):
        other = BoardResult()
        other.note(Divergence(kind="hang", mode="host", sample=sample))
        total = replace(later)
        total.add(other)
        assert total.first is not None
        assert total.first.sample == first
        assert (total.first.kind == "score") is (first == 5)


def test_a_difference_in_plain_values():
    result = BoardResult()
    result.note(Divergence(kind="hang", mode="host", sample=4))
    result.note(Divergence(kind="score", mode="host", sample=4))
    first = described(result)["first_divergence"]
    assert isinstance(first, dict)
    assert (first["kind"], first["sample"]) == ("hang", 4)
