import pytest

from spikeloom.sparsity import TurningPoint


@pytest.mark.parametrize(
    ("indices", "patience", "turns_at"),
    [
        pytest.param([5, 4, 3, 2], 1, None, id="falling"),
        pytest.param([5, 4, 6], 1, 3, id="turned"),
        pytest.param([5, 4, 6, 3, 6, 7], 2, 6, id="a new minimum starts it again"),
        pytest.param([1, 2, 3], 2, 3, id="rising from the start"),
        pytest.param([3, 3, 3], 2, 3, id="level"),
    ],
)
def test_it_turns_when_the_minimum_is_old_enough(indices, patience, turns_at):
    point = TurningPoint(patience)
    turned = []
    for index in indices:
        point.observe(index)
        turned.append(point.turned)
    assert turned == [turns_at is not None and n >= turns_at for n in range(1, len(indices) + 1)]


def test_it_stays_turned():
    point = TurningPoint(1)
    for index in (2.0, 3.0, 1.0):
        point.observe(index)
    assert point.turned


def test_state_round_trips():
    point, other = TurningPoint(1), TurningPoint(1)
    point.observe(2.0)
    other.load_state_dict(point.state_dict())
    other.observe(3.0)
    assert other.turned
    assert not point.turned


def test_patience_is_checked():
    with pytest.raises(ValueError, match="not 0"):
        TurningPoint(0)
