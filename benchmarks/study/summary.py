"""From finished runs to benchmarks/results/sparsity.json."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from study.cells import cells
from study.settings import PARTS, PRIMARY, SCHEMA
from study.statistics import mean_interval, paired_difference

__all__ = ["balance", "group", "summarise"]

Records = Mapping[str, Mapping[str, Any]]
Group = dict[tuple[str, float, int], dict[int, Mapping[str, Any]]]


def summarise(records: Records) -> dict[str, Any]:
    """All parts that have a finished run; a part says whether it is complete."""
    parts = {name: _part(name, records) for name in PARTS}
    used = {cell.key() for name in PARTS for cell in cells(name)}
    finished = [record for key, record in records.items() if key in used]
    return {
        "schema": SCHEMA,
        "primary_endpoint": {
            "text": "difference of test accuracy, paired by seed; everything else is exploratory",
            **PRIMARY,
        },
        "parts": {name: part for name, part in parts.items() if part["finished"]},
        "balance": balance(group("balance", records)),
        "runs": {
            "machines": Counter(str(record["machine"]) for record in finished),
            "commits": Counter(str(record["commit"]) for record in finished),
            "versions": [dict(pairs) for pairs in sorted({_pairs(r) for r in finished})],
        },
        "runs_of_other_configurations": len(records) - len(finished),
    }


def group(part: str, records: Records) -> Group:
    """Finished runs of a part that did not fail, by (arm, density, banks), then by seed."""
    groups: Group = {}
    for cell in cells(part):
        record = records.get(cell.key())
        if record is not None and "failed" not in record:
            groups.setdefault((cell.arm, cell.density, cell.banks), {})[cell.seed] = record
    return groups


def _part(name: str, records: Records) -> dict[str, Any]:
    wanted = list(cells(name))
    groups = group(name, records)
    runs = [run for seeds in groups.values() for run in seeds.values()]
    finished = sum(cell.key() in records for cell in wanted)
    tests = {place: _tests(seeds) for place, seeds in groups.items()}
    keys = {cell.key() for cell in wanted}
    return {
        "finished": finished,
        "failed": [
            run["failed"] for key, run in records.items() if key in keys and "failed" in run
        ],
        "wanted": len(wanted),
        "complete": finished == len(wanted),
        "budget_dense_epochs": PARTS[name].budget,
        "worst_budget_deviation": max((abs(run["deviation"]) for run in runs), default=0.0),
        "worst_missing_synapses": max(
            (1 - run["synapses"] / run["active"] for run in runs), default=0.0
        ),
        "primary": _against(tests, PRIMARY["densities"]) if name != "balance" else [],
        "arms": [_row(place, seeds) for place, seeds in groups.items()],
        "differences_from_pq_layer": [
            {"arm": arm, "density": density, "pq_layer_minus_arm": difference}
            for (arm, density, banks) in tests
            if not banks
            and arm != "pq-layer"
            and (difference := _difference(tests, "pq-layer", arm, density))
        ],
    }


def _against(
    tests: Mapping[tuple[str, float, int], Mapping[int, float]], densities: Sequence[float]
) -> list[dict[str, Any]]:
    return [
        {
            "density": density,
            "difference": _difference(tests, PRIMARY["arm"], PRIMARY["against"], density),
        }
        for density in densities
    ]


def _difference(
    tests: Mapping[tuple[str, float, int], Mapping[int, float]],
    arm: str,
    other: str,
    density: float,
) -> dict[str, Any] | None:
    a, b = (tests.get((name, density, 0), {}) for name in (arm, other))
    return paired_difference(a, b)


def _tests(seeds: Mapping[int, Mapping[str, Any]]) -> dict[int, float]:
    return {seed: run["accuracy"]["test"] for seed, run in seeds.items()}


def _row(place: tuple[str, float, int], seeds: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    arm, density, banks = place
    runs = list(seeds.values())
    return {
        "arm": arm,
        "density": density,
        "banks": banks,
        "test": mean_interval([run["accuracy"]["test"] for run in runs]),
        "validation": mean_interval([run["accuracy"]["validation"] for run in runs]),
        "operations_per_sample": mean_interval([run["operations_per_sample"] for run in runs]),
        "synapses": mean_interval([run["synapses"] for run in runs]),
        "connection_epochs": mean_interval([run["connection_epochs"] for run in runs]),
        "epochs": mean_interval([run["epochs"] for run in runs]),
        "words_over_least": mean_interval([run["words"] / run["words_least"] for run in runs]),
        "runs": [
            {
                "seed": seed,
                "key": run["key"],
                "test": run["accuracy"]["test"],
                "validation": run["accuracy"]["validation"],
                "synapses": run["synapses"],
                "connection_epochs": run["connection_epochs"],
            }
            for seed, run in sorted(seeds.items())
        ],
    }


def balance(groups: Group) -> list[dict[str, Any]]:
    """Balanced against unbalanced: words over their least number, and paired accuracy."""
    rows = []
    for (arm, density, banks), balanced in groups.items():
        plain = groups.get((arm, density, 0), {})
        if not banks or not plain:
            continue
        ratios = {
            name: max(run["words"] / run["words_least"] for run in runs.values())
            for name, runs in (("balanced", balanced), ("unbalanced", plain))
        }
        rows.append(
            {
                "arm": arm,
                "density": density,
                "banks": banks,
                "worst_words_over_least": ratios,
                "test_difference": paired_difference(_tests(balanced), _tests(plain)),
            }
        )
    return rows


def _pairs(record: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(record["versions"].items()))
