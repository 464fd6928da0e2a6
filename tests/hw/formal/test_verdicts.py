"""What sby leaves behind, and the verdict that is read from it."""

import pytest

from spikeloom_hw.formal import sby
from spikeloom_hw.formal.catalogue import PROOFS

STATUSES = {
    "both pass": ("PASS", "PASS", "proved", "prove"),
    "a counter-example": ("FAIL", "PASS", "failed", "prove"),
    "an induction that does not close": ("UNKNOWN", "PASS", "not closed", "prove"),
    "a cover statement out of reach": ("PASS", "FAIL", "not reached", "cover"),
    "no time left for the proof": ("TIMEOUT", "PASS", "timed out", "prove"),
    "no time left for the cover": ("PASS", "TIMEOUT", "timed out", "cover"),
    "an error in the proof": ("ERROR", "PASS", "broken", "prove"),
    "an error in the cover": ("PASS", "ERROR", "broken", "cover"),
    "no status": (None, "PASS", "broken", "prove"),
}


@pytest.mark.parametrize(
    ("proved", "covered", "verdict", "log"), STATUSES.values(), ids=STATUSES.keys()
)
def test_verdict(proved, covered, verdict, log, monkeypatch, tmp_path):
    def leave(_tool, calls, *, folder, **_):
        for call, status in zip(calls, (proved, covered), strict=True):
            name = call.log.removesuffix(".log")
            (folder / name).mkdir()
            if status is not None:
                (folder / name / "status").write_text(f"{status} 1 0\n")
            (folder / call.log).write_text("Elapsed clock time [H:MM:SS (secs)]: 0:00:03 (3)\n")

    monkeypatch.setattr(sby, "run_tools", leave)
    monkeypatch.setattr(sby, "run_tool", lambda *_, **__: None)
    monkeypatch.setattr(sby, "find_sby", lambda: None)
    (outcome,) = sby.prove(PROOFS[:1], folder=tmp_path, jobs=1)
    assert outcome.verdict == verdict
    assert outcome.seconds == 6
    if verdict != "proved":
        assert outcome.detail == f"see {PROOFS[0].name}.{log}.log"
