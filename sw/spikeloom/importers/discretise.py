"""From neurons of a file to their equation of one step, under a profile."""

from __future__ import annotations

import numpy as np

from spikeloom.importers.nodes import Cell, Floats, NodeGraph
from spikeloom.importers.profile import Profile
from spikeloom.importers.step import Reset, StepNeuron, one


def discretise(graph: NodeGraph, cell: Cell, profile: Profile) -> StepNeuron:
    """The step that `cell` makes under `profile`, its membrane counted from where it starts.

    Raises:
        UserError: the step is longer than a time constant, or the neuron spikes before any input.
    """
    own = cell.parameters
    place = f"node {cell.name!r}"
    r = own["r"]
    zero = np.zeros_like(r)
    tau = own.get("tau", own.get("tau_mem"))
    share = zero if tau is None else _share(graph, place, tau, profile)
    leak, reset = own.get("v_leak", zero), own.get("v_reset", zero)
    start = {"zero": zero, "leak": leak, "reset": reset}[profile.start]
    current_keep = current_gain = None
    if "tau_syn" in own:
        taken = _share(graph, place, own["tau_syn"], profile)
        current_keep = 1 - taken
        current_gain = _current_gain(profile, taken, own["w_in"])
    spiking = "v_threshold" in own
    threshold = own["v_threshold"] - start if spiking else np.ones_like(r)
    if (threshold <= 0).any():
        raise graph.refuse(
            place,
            f"it starts at {float(start.flat[0]):g} ({profile.start}), at or above its threshold",
            "pass --start zero, or write another v_leak",
        )
    # A membrane that decays to v_leak is driven there, from where it starts.
    drive = np.where(share > 0, share * (leak - start), 0.0)
    kind, target = _reset(profile, reset, start)
    return StepNeuron(
        keep=1 - share,
        gain=_gain(profile, share, r, current=current_keep is not None),
        drive=drive,
        current_keep=current_keep,
        current_gain=current_gain,
        threshold=threshold,
        strict=profile.compare == ">",
        many=profile.spikes == "many" and spiking,
        reset=kind,
        amount=own.get("v_threshold", one(0.0)),
        reset_value=target,
        low=-own["v_threshold"] - start if profile.clamp != "none" and spiking else None,
        spiking=spiking,
    )


def _share(graph: NodeGraph, place: str, tau: Floats, profile: Profile) -> Floats:
    """The share of a state that a step takes."""
    if profile.dt is None:
        raise AssertionError(place)
    ratio = profile.dt / tau
    if profile.decay == "exponential":
        return -np.expm1(-ratio)
    if (ratio > 1 + 1e-6).any():
        raise graph.refuse(
            place,
            f"dt {profile.dt:g} is longer than tau {float(tau.min()):g}, so that Euler's step "
            "overshoots",
            f"pass a smaller --dt, in the unit of tau, such as {float(tau.min()) / 10:g}",
        )
    return np.minimum(ratio, 1.0)


def _current_gain(profile: Profile, taken: Floats, w_in: Floats) -> Floats:
    match profile.gain:
        case "euler":
            return taken * w_in
        case "unit":
            return np.ones_like(taken)
        case "rockpool":
            # An input joins the current before the current decays.
            return 1 - taken


def _gain(profile: Profile, share: Floats, r: Floats, *, current: bool) -> Floats:
    if profile.gain == "unit" or (profile.gain == "rockpool" and current):
        return np.ones_like(r)
    if not share.any():
        return r if profile.if_gain == "r" or profile.dt is None else r * profile.dt
    euler = share if profile.decay == "euler" or profile.dt is None else -np.log1p(-share)
    return euler * r


def _reset(profile: Profile, v_reset: Floats, start: Floats) -> tuple[Reset, Floats]:
    match profile.reset:
        case "subtract" | "subtract-late" as kind:
            return kind, one(0.0)
        case "zero":
            return "value", -start
        case "value":
            return "value", v_reset - start
