"""The study's tables in Markdown, put between two marks of a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spikeloom.errors import UserError
from spikeloom.files import atomic_write
from study.plots import ARMS, FEWEST_SEEDS

__all__ = ["insert", "tables"]

BEGIN, END = (
    "<!-- tables: written by benchmarks/sparsity.py summarize -->",
    "<!-- end of tables -->",
)


def tables(summary: Mapping[str, Any]) -> str:
    """Markdown of the primary endpoint, all arms and the balance, as far as there are runs."""
    lines = ["", *_primary(summary["parts"])]
    for name, part in summary["parts"].items():
        if name != "balance":
            lines += ["", *_arms(name, part)]
    if summary["balance"]:
        lines += ["", *_balance(summary["balance"])]
    return "\n".join([*lines, ""])


def insert(page: Path, text: str) -> None:
    """Replace what stands between the marks of `page`.

    Raises:
        UserError: the page is not there, or has no such marks.
    """
    content = page.read_text(encoding="utf-8") if page.exists() else ""
    before, begin, rest = content.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise UserError(f"{page} has no place for the tables: it needs {BEGIN!r} and {END!r}")
    atomic_write(page, f"{before}{BEGIN}\n{text}\n{END}{after}")


def _primary(parts: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield "| `pq-layer` less `constant`, points of test accuracy | density | seeds | difference |"
    yield "| --- | --- | --- | --- |"
    for name, part in parts.items():
        for row in part["primary"]:
            difference = row["difference"]
            seeds = difference["n"] if difference else 0
            yield f"| {name} | {row['density']:.0%} | {seeds} | {_points(difference)} |"


def _arms(name: str, part: Mapping[str, Any]) -> Iterator[str]:
    rows = {(row["arm"], row["density"]): row for row in part["arms"] if not row["banks"]}
    densities = sorted({density for _, density in rows}, reverse=True)
    yield (
        f"{name}: test accuracy in %, mean and 95 % interval (seeds); {part['finished']} of "
        f"{part['wanted']} runs are finished."
    )
    yield ""
    yield _row(["arm", *(f"{density:.0%}" for density in densities)])
    yield _row(["---"] * (1 + len(densities)))
    for arm in ("dense", *ARMS):
        own = [rows.get((arm, density)) for density in densities]
        if any(own):
            yield _row([f"`{arm}`", *(_percent(row and row["test"]) for row in own)])
    if failed := part["failed"]:
        yield ""
        counts = Counter(reason.partition(", seed")[0] for reason in failed)
        listed = "; ".join(f"{cell} ({number})" for cell, number in counts.items())
        yield f"Did not reach their density within the budget (runs): {listed}."


def _balance(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield _row(
        [
            "banks",
            "density",
            "words / least, worst run: unbalanced",
            "balanced",
            "balanced less unbalanced, points",
            "seeds",
        ]
    )
    yield _row(["---"] * 6)
    for row in rows:
        worst, difference = row["worst_words_over_least"], row["test_difference"]
        yield _row(
            [
                row["banks"],
                f"{row['density']:.0%}",
                f"{worst['unbalanced']:.3f}",
                f"{worst['balanced']:.3f}",
                _points(difference),
                difference["n"] if difference else 0,
            ]
        )


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _percent(test: Mapping[str, Any] | None) -> str:
    if test is None:
        return ""
    if test["n"] < FEWEST_SEEDS:
        return f"{100 * test['mean']:.2f} ({test['n']})"
    return f"{100 * test['mean']:.2f} ± {100 * (test['mean'] - test['low']):.2f} ({test['n']})"


def _points(difference: Mapping[str, Any] | None) -> str:
    if difference is None:
        return "no pair yet"
    mean, low, high = (difference[key] for key in ("mean", "low", "high"))
    if low is None:
        return f"{100 * mean:+.2f}"
    return f"{100 * mean:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]"
