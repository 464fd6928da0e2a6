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
