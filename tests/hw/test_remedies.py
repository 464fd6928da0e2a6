"""What makes a network fit: what is tried, in which order, and which of it is told."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from spikeloom_hw import remedies as module
from spikeloom_hw.remedies import remedies
from spikeloom_hw.targets import TARGETS

ICEBREAKER = TARGETS["icebreaker"]
LARGER = sorted(
    (own for own in TARGETS.values() if own.memory_bits > ICEBREAKER.memory_bits),
    key=lambda own: own.memory_bits,
)
Tried = tuple[str, int, bool]


@pytest.fixture
def told(monkeypatch):
    """`told(fits, …)`: remedies where `fits(target, most lanes, loadable)`, and what was tried."""

    def run(fits, *, lanes=(8, 2), loadable=False, target=ICEBREAKER):
        tried: list[Tried] = []

        def answer(_image, packed, own, *, loadable, encoder):
            assert encoder == "encoder"
            tried.append((own.name, max(words.lanes for words in packed), loadable))
            return fits(*tried[-1])

        def pack(_image, lanes):
            return [SimpleNamespace(lanes=own) for own in lanes]

        monkeypatch.setattr(module, "_fits", answer)
        monkeypatch.setattr(module, "propose_lanes", lambda _image, most: (most, 1))
        monkeypatch.setattr(module, "pack_network", pack)
        packed = cast("Any", pack(None, lanes))
        given: dict[str, Any] = {"target": target, "loadable": loadable, "encoder": "encoder"}
        return remedies(cast("Any", None), packed, **given), tried

    return run


def test_nothing_helps(told):
    found, tried = told(lambda *_: False)
    assert found == ()
    assert tried == [
        ("icebreaker", 8, True),
        *(("icebreaker", lanes, filled) for lanes in (4, 2) for filled in (False, True)),
        *((own.name, 8, False) for own in LARGER),
    ]


def test_a_loadable_core_is_tried_first_and_is_enough(told):
    found, tried = told(lambda _, lanes, filled: (lanes, filled) == (8, True))
    assert found == ("--loadable",)
    assert [own for own in tried if own[0] == "icebreaker"] == [("icebreaker", 8, True)]


@pytest.mark.parametrize("lanes", [4, 2])
@pytest.mark.parametrize("filled", [False, True])
def test_the_most_lanes_with_which_it_fits(told, lanes, filled):
    found, _ = told(lambda _, most, loadable: most <= lanes and loadable >= filled)
    assert found == (f"--lanes {lanes}" + (" --loadable" if filled else ""),)


def test_one_lane_is_one_packing_too_many(told):
    assert told(lambda _, most, __: most == 1) == ((), told(lambda *_: False)[1])
    assert told(lambda _, most, __: most == 1, lanes=(4, 4))[0] == ("--lanes 1",)


def test_a_core_that_is_loadable_already_stays_so(told):
    found, tried = told(lambda _, most, loadable: most == 2 and loadable, loadable=True)
    assert found == ("--lanes 2",)
    assert all(own[2] for own in tried)
    assert ("icebreaker", 8, True) not in tried


def test_the_smallest_target_that_is_large_enough(told):
    for large in (LARGER[0], LARGER[-1]):

        def fits(name, most, loadable, large=large):
            return TARGETS[name].memory_bits >= large.memory_bits and (most, loadable) == (8, False)

        (found,), _ = told(fits)
        own = TARGETS[found.removeprefix("--target ")]
        assert own.memory_bits == large.memory_bits
    assert told(lambda name, *_: name == "icebreaker", target=LARGER[-1])[0] == ()


def test_each_remedy_is_enough_on_its_own(told):
    found, _ = told(lambda *_: True)
    assert found == ("--loadable", f"--target {LARGER[0].name}")
