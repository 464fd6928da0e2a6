import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from sparsity import main
from spikeloom.errors import UserError
from study.budget import Timing, connections, fitting_epochs, planned_epochs, timing
from study.cells import Cell, cells
from study.queue import missing, work
from study.records import append_record, read_records
from study.settings import ALL_ARMS, PARTS
from study.statistics import mean_interval, paired_difference
from study.summary import summarise
from study.tables import insert

DIGITS = PARTS["digits"]


def spent(*, epochs, density, initial, kept, when):
    """Dense epochs of a run that compresses by the same share every time."""
    total, now = 0.0, initial
    for epoch in range(1, epochs + 1):
        total += now
        if now > density and epoch >= when.start and (epoch - when.start) % when.every == 0:
            now = max(density, now * kept)
    return total


@pytest.mark.parametrize(
    ("initial", "kept", "when"),
    [
        pytest.param(None, 0.0, Timing(start=5, every=5), id="constant density"),
        pytest.param(1.0, 0.0, Timing(start=12, every=1, stop=12), id="one shot"),
        pytest.param(1.0, 0.8, Timing(start=6, every=2), id="iterative"),
        pytest.param(0.5, 0.955, Timing(start=6, every=1), id="from half"),
    ],
)
@pytest.mark.parametrize("density", DIGITS.densities)
def test_planned_epochs_spend_the_budget(initial, kept, when, density):
    start = density if initial is None else initial
    epochs = planned_epochs(budget=24, density=density, initial=start, kept=kept, when=when)
    total = spent(epochs=epochs, density=density, initial=start, kept=kept, when=when)
    assert total == pytest.approx(24, abs=density / 2 + 1e-9)


@given(
    density=st.sampled_from(DIGITS.densities),
    before=st.floats(min_value=0, max_value=20),
    epochs=st.integers(min_value=0, max_value=100),
)
def test_fitting_epochs_are_the_nearest(density, before, epochs):
    total = fitting_epochs(budget=24, density=density, spent=before, epochs=epochs)
    assert before + (total - epochs) * density == pytest.approx(24, abs=density / 2 + 1e-9)


@pytest.mark.parametrize("arm", ["dense", "static", "set", "rigl", "esl"])
@pytest.mark.parametrize("part", ["digits", "mnist"])
@pytest.mark.parametrize("density", DIGITS.densities)
def test_arms_of_constant_density_meet_the_budget_exactly(part, arm, density):
    cell = Cell(part=part, arm=arm, density=density, seed=0)
    assert cell.planned_epochs() * cell.final_density == pytest.approx(PARTS[part].budget)


def test_an_epoch_counts_the_connections_that_it_trained():
    history = [
        {"density": 0.4, "layers": [{"pruned": 10, "regrown": 2}, {"pruned": 3, "regrown": 1}]},
        {"density": 0.4, "layers": [{"pruned": 0, "regrown": 0}, {"pruned": 0, "regrown": 0}]},
    ]
    assert connections(history, 100) == pytest.approx([0.5, 0.4])


@pytest.mark.parametrize("arm", ALL_ARMS)
def test_every_arm_resolves(arm):
    cell = Cell(part="digits", arm=arm, density=0.1, seed=3)
    config = cell.config()
    assert config.sparsity.density == cell.final_density
    assert config.sparsity.nonzero
    assert config.training.seed == 3
    assert config.sparsity.last_epoch(config.training.epochs) >= config.sparsity.start_epoch


def test_constant_is_pq_layer_in_all_but_the_ratio():
    ours, constant = (
        Cell(part="digits", arm=arm, density=0.05, seed=0).config()
        for arm in ("pq-layer", "constant")
    )
    different = {
        key
        for key in ours.sparsity.__struct_fields__
        if getattr(ours.sparsity, key) != getattr(constant.sparsity, key)
    }
    assert different == {"ratio", "fraction"}
    assert ours.training == constant.training


def test_keys_tell_runs_apart():
    keys = {cell.key() for cell in cells("digits")}
    # Dense is one network a seed, whatever the density.
    sparse = (len(DIGITS.arms) - 1) * len(DIGITS.densities) * DIGITS.seeds
    assert len(keys) == sparse + DIGITS.seeds


def test_a_key_changes_with_settings_and_schema(monkeypatch):
    cell = Cell(part="digits", arm="constant", density=0.1, seed=0)
    before = cell.key()
    monkeypatch.setattr("study.cells.SCHEMA", -1)
    assert cell.key() != before
    monkeypatch.undo()
    changed = replace(DIGITS, ratio={"pq-layer": 0.5})
    monkeypatch.setattr("study.cells.PARTS", {"digits": changed})
    assert cell.key() != before


def test_balance_shares_its_unbalanced_runs_with_the_digits():
    plain = Cell(part="balance", arm="pq-layer", density=0.1, seed=0)
    assert plain.key() == Cell(part="digits", arm="pq-layer", density=0.1, seed=0).key()
    assert plain.key() != Cell(part="balance", arm="pq-layer", density=0.1, seed=0, banks=8).key()


def test_schedules_differ_as_described():
    assert timing("one-shot", 24, every=2, exchange=5) == Timing(start=12, every=1, stop=12)
    assert timing("pq-layer", 24, every=2, exchange=5) == timing(
        "constant", 24, every=2, exchange=5
    )


def test_interval_is_students():
    # t(0.975, 4) = 2.7764, deviation sqrt(2.5), n = 5.
    interval = mean_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert interval["mean"] == 3.0
    assert interval["high"] - 3.0 == pytest.approx(2.7764 * 2.5**0.5 / 5**0.5, rel=1e-4)
    assert 3.0 - interval["low"] == pytest.approx(interval["high"] - 3.0)


def test_one_value_has_no_interval():
    assert mean_interval([0.5]) == {"n": 1, "mean": 0.5, "low": None, "high": None}
    with pytest.raises(ValueError, match="values is empty"):
        mean_interval([])


def test_differences_are_paired_by_seed():
    difference = paired_difference({0: 1.0, 1: 5.0, 2: 9.0}, {1: 4.0, 0: 0.0, 7: 3.0})
    assert difference == {"n": 2, "mean": 1.0, "low": 1.0, "high": 1.0}
    assert paired_difference({0: 1.0}, {1: 1.0}) is None


def fake(cell):
    """A record as `perform` leaves it, its accuracy a function of the cell."""
    test = 0.9 + 0.01 * (cell.arm == "pq-layer") + 0.001 * cell.seed
    return {
        "key": cell.key(),
        "accuracy": {"test": test, "validation": test},
        "deviation": 0.01,
        "synapses": 99,
        "active": 100,
        "words": 13,
        "words_least": 10 + 3 * (cell.banks == 8),
        "operations_per_sample": 5.0,
        "connection_epochs": 24.0,
        "epochs": 10,
        "machine": "m",
        "commit": "c",
        "versions": {"torch": "2"},
        "seconds": 1.0,
    }


class KilledError(Exception):
    pass


def test_a_killed_study_goes_on_where_it_was(tmp_path):
    path = tmp_path / "runs.jsonl"
    wanted = list(cells("balance"))
    performed = []

    def perform(cell):
        if len(performed) == 4:
            raise KilledError
        performed.append(cell)
        return fake(cell)

    with pytest.raises(KilledError):
        work(missing(wanted, path), path, perform=perform)
    with path.open("a") as file:
        file.write('{"key": "torn')
    assert len(read_records(path)) == 4
    again = []
    left = missing(wanted, path)
    assert work(left, path, perform=lambda cell: again.append(cell) or fake(cell)) == len(left)
    assert performed + again == wanted
    assert missing(wanted, path) == []
    assert [json.loads(line)["key"] for line in path.read_text().splitlines()] == [
        cell.key() for cell in wanted
    ]


def test_one_run_serves_all_cells_that_mean_it(tmp_path):
    dense = [cell for cell in cells("digits") if cell.arm == "dense"]
    assert len(missing(dense, tmp_path / "none.jsonl")) == DIGITS.seeds


def test_no_run_is_begun_after_the_time(tmp_path):
    assert work(cells("balance"), tmp_path / "r.jsonl", perform=fake, seconds=0) == 0


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / "runs.jsonl"
    append_record(path, {"key": "a"})
    path.write_text(path.read_text() + "{broken\n")
    with pytest.raises(UserError, match="line 2 is no finished run"):
        read_records(path)


def test_the_summary_says_whether_it_is_complete():
    wanted = [cell for cell in cells("digits") if cell.arm in ("pq-layer", "constant")]
    records = {cell.key(): fake(cell) for cell in wanted}
    part = summarise({**records, "of another study": fake(wanted[0])})["parts"]["digits"]
    assert not part["complete"]
    assert [row["density"] for row in part["primary"]] == [0.10, 0.05]
    for row in part["primary"]:
        assert row["difference"]["n"] == 10
        assert row["difference"]["mean"] == pytest.approx(0.01)
    assert part["worst_missing_synapses"] == pytest.approx(0.01)


def test_the_summary_compares_banks():
    records = {cell.key(): fake(cell) for cell in cells("balance")}
    rows = summarise(records)["balance"]
    assert [row["density"] for row in rows] == [0.2, 0.1, 0.05]
    assert rows[0]["worst_words_over_least"] == {"balanced": 1.0, "unbalanced": 1.3}
    assert rows[0]["test_difference"]["mean"] == 0.0


def test_a_run_that_cannot_meet_the_budget_is_listed_and_not_counted():
    wanted = [cell for cell in cells("digits") if cell.density == 0.1 and cell.seed < 2]
    records = {cell.key(): fake(cell) for cell in wanted}
    lost = next(cell for cell in wanted if cell.arm == "sap")
    records[lost.key()] = {
        name: value for name, value in fake(lost).items() if name in ("key", "machine", "commit")
    } | {"failed": "too dear", "versions": {"torch": "2"}}
    part = summarise(records)["parts"]["digits"]
    assert part["failed"] == ["too dear"]
    assert next(row for row in part["arms"] if row["arm"] == "sap")["test"]["n"] == 1


PAGE = """# Study

before
<!-- tables: written by benchmarks/sparsity.py summarize -->
old
<!-- end of tables -->
after
"""


def test_the_page_takes_the_tables_and_the_plots(tmp_path):
    records = {}
    for number, cell in enumerate([*cells("digits"), *cells("balance")]):
        if cell.seed < 3:
            trace = [[0.5 * 0.9**epoch, 0.9 + number % 7 / 100, 0.1, 0.2] for epoch in range(9)]
            records[cell.key()] = {**fake(cell), "trace": trace}
    results, docs = tmp_path / "results", tmp_path / "docs"
    for record in records.values():
        append_record(results / "sparsity-runs.jsonl", record)
    docs.mkdir()
    (docs / "sparsity-study.md").write_text(PAGE)
    arguments = ["summarize", "--results", str(results), "--docs", str(docs)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    page = (docs / "sparsity-study.md").read_text()
    assert page.startswith("# Study\n\nbefore\n")
    assert page.endswith("\nafter\n")
    assert "old" not in page
    assert "| digits | 10% | 3 | +1.00 [+1.00, +1.00] |" in page
    assert "| `static` | 90.10 ± 0.25 (3) |" in page
    assert "| 8 | 20% | 1.300 | 1.000 | +0.00 [+0.00, +0.00] | 3 |" in page
    assert sorted(file.name for file in (docs / "figures").iterdir()) == [
        "sparsity-digits-curve.svg",
        "sparsity-digits-differences.svg",
        "sparsity-digits.svg",
    ]


def test_a_page_without_marks_is_refused(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("nothing here")
    with pytest.raises(UserError, match="has no place for the tables"):
        insert(page, "text")
    assert page.read_text() == "nothing here"
