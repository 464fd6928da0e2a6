"""Means with 95 % t-intervals, of one arm and of differences paired by seed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from scipy.stats import t as student

__all__ = ["mean_interval", "paired_difference"]


def mean_interval(values: Sequence[float]) -> dict[str, Any]:
    """{"n", "mean", "low", "high"}: Student's 95 % interval; none (null) of fewer than two values.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("values is empty: a mean needs one at least")
    mean, n = statistics.fmean(values), len(values)
    if n < 2:
        return {"n": n, "mean": mean, "low": None, "high": None}
    half = float(student.ppf(0.975, n - 1)) * statistics.stdev(values) / math.sqrt(n)
    return {"n": n, "mean": mean, "low": mean - half, "high": mean + half}


def paired_difference(a: Mapping[int, float], b: Mapping[int, float]) -> dict[str, Any] | None:
    """Interval of a - b over the seeds that both have; None when they share none."""
    seeds = sorted(a.keys() & b.keys())
    if not seeds:
        return None
    return mean_interval([a[seed] - b[seed] for seed in seeds])
