import pytest

from spikeloom.sparsity import Schedule

SCHEDULE = Schedule(start_epoch=4, every_epochs=3, stop_epoch=10, density=0.2, rho=0.3)


def test_schedule_is_due_between_start_and_stop():
    assert [epoch for epoch in range(1, 20) if SCHEDULE.due(epoch)] == [4, 7, 10]


def test_cosine_decay_falls_to_zero():
    decaying = Schedule(
        start_epoch=4, every_epochs=3, stop_epoch=10, density=0.2, rho=0.3, decay="cosine"
    )
    assert [round(decaying.strength(epoch), 3) for epoch in (4, 7, 10)] == [1.0, 0.5, 0.0]
    assert SCHEDULE.strength(10) == 1.0


@pytest.mark.parametrize(
    ("active", "pruned", "wanted"),
    [
        pytest.param(500, 100, 0.3, id="compressing"),
        pytest.param(250, 100, 0.5, id="the last compression lands on the target"),
        pytest.param(200, 100, 1.0, id="at the target"),
        pytest.param(150, 100, 1.0, id="below it"),
        pytest.param(500, 0, 1.0, id="nothing pruned"),
    ],
)
def test_share_regrown(active, pruned, wanted):
    assert SCHEDULE.regrown_share(active=active, places=1000, pruned=pruned) == wanted


@pytest.mark.parametrize(
    ("start", "every", "stop", "last"),
    [
        pytest.param(4, 3, 10, 10, id="on the stop"),
        pytest.param(4, 3, 9, 7, id="before the stop"),
        pytest.param(4, 3, 3, 0, id="stop before start"),
        pytest.param(0, 5, 4, 0, id="none but at the very start"),
        pytest.param(0, 5, 5, 5, id="from the very start"),
    ],
)
def test_last_and_next_rewiring(start, every, stop, last):
    schedule = Schedule(
        start_epoch=start, every_epochs=every, stop_epoch=stop, density=0.2, rho=0.3
    )
    due = [epoch for epoch in range(1, 30) if schedule.due(epoch)]
    assert schedule.last_due == max(due, default=0) == last
    for epoch in range(1, 30):
        assert schedule.next_due(epoch) == min((d for d in due if d >= epoch), default=None)


@pytest.mark.parametrize(("active", "spare"), [(500, 300), (200, 0), (150, 0)])
def test_spare_synapses(active, spare):
    assert SCHEDULE.spare(active=active, places=1000) == spare
