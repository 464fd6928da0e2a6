"""Breaking a property's subject by hand makes its proof fail: each proof can."""

import pytest

from planted import plant
from spikeloom_hw.core.spike_queue import SpikeQueue
from spikeloom_hw.formal.catalogue import PROOFS
from spikeloom_hw.formal.sby import prove

BY_NAME = {proof.name: proof for proof in PROOFS}

BREAKS = {
    "spike_queue.stream": [
        (SpikeQueue.elaborate, "(final & self.events.ready)", "final"),
        (SpikeQueue.elaborate, "m.Elif(self.events.ready)", "m.Else()"),
    ],
    "spike_queue.bounds": [
        (SpikeQueue.elaborate, "stored > depth - self.params.groups", "stored >= depth"),
        (SpikeQueue.elaborate, "(stored != 0) & (~shown", "(~shown"),
        (SpikeQueue.elaborate, "stored + push - fetch", "stored - fetch"),
    ],
    "spike_queue.order": [
        (SpikeQueue.elaborate, "(final & self.events.ready)", "self.events.ready"),
        (SpikeQueue.elaborate, "(group.spikes.any() | group.end)", "group.spikes.any()"),
        (SpikeQueue.elaborate, "oldest.eq(_next(oldest, depth))", "oldest.eq(oldest)"),
        (SpikeQueue.elaborate, "is_step & sending.last", "sending.last"),
    ],
}
QUICK = {"spike_queue.order", "spike_queue.bounds"}
"""Proofs whose first break is tried in the fast selection."""

CASES = [
    pytest.param(
        name,
        *broken,
        id=f"{name} {number}",
        marks=() if name in QUICK and number == 0 else pytest.mark.slow,
    )
    for name, cases in BREAKS.items()
    for number, broken in enumerate(cases)
]


@pytest.mark.parametrize(("name", "method", "old", "new"), CASES)
def test_a_broken_subject_fails(name, method, old, new, monkeypatch, tmp_path):
    plant(monkeypatch, method, old, new)
    (outcome,) = prove([BY_NAME[name]], folder=tmp_path, jobs=2, tasks=["prove"])
    assert outcome.verdict in ("failed", "not closed")
    assert outcome.trace is None or (tmp_path / outcome.trace).is_file()
    assert ".py:" in outcome.detail or outcome.verdict == "not closed"


def test_every_proof_has_its_break():
    assert set(BREAKS) == set(BY_NAME)


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NAME)
def test_the_proof_holds(name, tmp_path):
    (outcome,) = prove([BY_NAME[name]], folder=tmp_path, jobs=2)
    assert outcome.verdict == "proved", outcome.detail
