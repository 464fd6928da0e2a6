"""Named methods: each stands for the keys of the table `[sparsity]` that make it.

A method is a combination of parts, and a preset no more than its list. Those that keep their
density start at it; the budget (`density`, epochs of the schedule) stays the user's. Sources:

- static: a random graph that never changes, the control.
- set: Mocanu et al., Nature Communications 9, 2018.
- rigl: Evci et al., "Rigging the Lottery", ICML 2020.
- esl: ESL-SNNs, Shen et al., AAAI 2023, arXiv 2306.03693, at its constant density.
- sap: Diao et al., ICLR 2023, arXiv 2302.05601: prune by the PQ index, then rewind the weights.
- one-shot, iterative: magnitude pruning of a dense network, Han et al., NIPS 2015.
- pq-layer, pq-neuron, pq-global: Shen et al., ICLR 2025, arXiv 2502.13572.
- pq-spike: pq-layer on what a synapse drives, |weight| times its input's rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["METHODS", "expand"]

METHODS = (
    "dense",
    "static",
    "set",
    "rigl",
    "esl",
    "sap",
    "one-shot",
    "iterative",
    "pq-layer",
    "pq-neuron",
    "pq-global",
    "pq-spike",
)

# Every method says these, so that changing from one to another leaves nothing of the first behind.
COMMON: Mapping[str, Any] = {
    "distribution": "erdos-renyi",
    "decay": "none",
    "score": "magnitude",
    "index_on": "magnitude",
    "shrinkage": 0.0,
    "rewind": False,
    "stop_rule": "density",
}


def expand(method: str, density: float) -> dict[str, Any]:
    """The keys that a method stands for, given the density that the run is to end with.

    Raises:
        KeyError: there is no such method.
    """
    same = {"initial_density": density, "rho": 1.0}
    from_dense = {"initial_density": 1.0, "regrow": "none", "rho": 0.0}
    paper = {"initial_density": max(0.5, density), "regrow": "momentum", "eta": 0.001}
    own: dict[str, dict[str, Any]] = {
        "dense": {
            "density": 1.0,
            "initial_density": 1.0,
            "ratio": "none",
            "regrow": "none",
            "rho": 1.0,
        },
        "static": {**same, "ratio": "none", "regrow": "none"},
        "set": {**same, "ratio": "constant", "fraction": 0.3, "regrow": "random"},
        "rigl": {
            **same,
            "ratio": "constant",
            "fraction": 0.3,
            "regrow": "gradient",
            "decay": "cosine",
        },
        "esl": {
            **same,
            "ratio": "constant",
            "fraction": 0.3,
            "regrow": "momentum",
            "decay": "cosine",
        },
        "sap": {**from_dense, "ratio": "pq-layer", "eta": 0.0, "rewind": True},
        "one-shot": {**from_dense, "ratio": "constant-global", "fraction": 1.0},
        "iterative": {**from_dense, "ratio": "constant-global", "fraction": 0.2},
        "pq-layer": {**paper, "ratio": "pq-layer"},
        "pq-neuron": {**paper, "ratio": "pq-neuron"},
        "pq-global": {**paper, "ratio": "pq-global"},
        "pq-spike": {**paper, "ratio": "pq-layer", "index_on": "drive", "score": "drive"},
    }
    return {**COMMON, **own[method]}
