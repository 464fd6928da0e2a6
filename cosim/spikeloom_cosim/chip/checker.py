"""Compares what a chip said at its pins with what the integer reference says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.host.protocol import Identity, encode_identity
from spikeloom_cosim.chip.script import Answers
from spikeloom_cosim.divergence import KINDS, Divergence, Kind
from spikeloom_cosim.expectation import COUNTED, Expectation
from spikeloom_hw.core.counters import LAYER_COUNTS

MODE = "pins"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was compared, and what differed.

    Attributes:
        compared: integers compared, of each kind.
        mismatches: of those, how many differ; and what else went wrong.
        first: the first difference; the sample's number is that among those checked.
    """

    compared: Counter[str]
    mismatches: Counter[str]
    first: Divergence | None


def check(
    expected: Expectation, answers: Answers, *, names: Sequence[str], identity: Identity, hung: bool
) -> Verdict:
    """Compare every score, class and counter, and who the chip says it is.

    Args:
        expected: what the chip must do.
        answers: what it said.
        names: of the layers.
        identity: what it must answer when it is asked who it is.
        hung: it did not answer everything.
    """
    done = answers.samples
    trace = expected.trace
    outputs = trace.scores.shape[1]
    layers = len(names)
    counted = answers.counts[:, 1:].reshape(done + 1, layers, len(LAYER_COUNTS))
    counted = counted[:, :, : len(COUNTED)]
    in_sample = np.diff(counted, axis=0) % (1 << 32)
    compared = Counter(
        protocol=1,
        score=done * outputs,
        prediction=done,
        counter=layers * len(COUNTED) + done * layers * len(COUNTED),
    )
    found: list[tuple[int, Divergence]] = []
    mismatches: Counter[str] = Counter()

    def note(
        kind: Kind, sample: int | None, got: int | None, want: int | None, **at: object
    ) -> None:
        mismatches[kind] += 1
        order = -1 if sample is None else sample
        found.append(
            (order, Divergence(kind=kind, mode=MODE, sample=sample, got=got, expected=want, **at))  # pyright: ignore[reportArgumentType]
        )

    if answers.identity != identity:
        got, want = (
            None if said is None else int.from_bytes(encode_identity(said), "big")
            for said in (answers.identity, identity)
        )
        note("protocol", None, got, want)
    if answers.broken:
        note("protocol", None, answers.broken, 0)
    for layer, name in enumerate(names):
        for at, counter in enumerate(COUNTED):
            if got := int(counted[0, layer, at]):
                note("counter", None, got, 0, layer=name, counter=counter)
    for sample, neuron in _where(answers.scores, trace.scores[:done]):
        got, want = int(answers.scores[sample, neuron]), int(trace.scores[sample, neuron])
        note("score", sample, got, want, neuron=neuron)
    for (sample,) in _where(answers.labels, trace.predictions[:done]):
        note("prediction", sample, int(answers.labels[sample]), int(trace.predictions[sample]))
    for sample, layer, at in _where(in_sample, expected.counted[:done]):
        got, want = int(in_sample[sample, layer, at]), int(expected.counted[sample, layer, at])
        note("counter", sample, got, want, layer=names[layer], counter=COUNTED[at])
    if hung or done < expected.samples:
        note("hang", done, done, expected.samples)
    elif answers.surplus:
        note("protocol", None, answers.surplus, 0)
    ordered = sorted(found, key=lambda each: (each[0], KINDS.index(each[1].kind)))
    first = ordered[0][1] if ordered else None
    return Verdict(compared=compared, mismatches=mismatches, first=first)


def _where(got: NDArray[np.int64], expected: NDArray[np.int64]) -> Iterator[tuple[int, ...]]:
    for place in np.argwhere(got != expected):
        yield tuple(int(index) for index in place)
