"""Populations that keep no state: they pass on, within the step, what they receive.

A `Source` receives nothing: the encoded sample is its output. A `Relay` stands between two
connections that follow each other without neurons, as behind a sum pooling: its outputs are the
sums that arrive, numbers of spikes in place of spikes.
"""

import numpy as np

from spikeloom.neurons.base import NeuronModel, Parameters, States
from spikeloom.neurons.decay import Integers


class Source(NeuronModel, frozen=True, kw_only=True, tag="source", forbid_unknown_fields=True):
    """The input of a network.

    Attributes:
        highest: the largest value of an input in a step: 1 for events, 255 for direct values.
    """

    highest: int = 1


class Relay(NeuronModel, frozen=True, kw_only=True, tag="relay", forbid_unknown_fields=True):
    """Sends on the sums that it receives in the same step; they are never negative."""

    def step(
        self,
        states: States,
        a: Integers,
        parameters: Parameters,  # noqa: ARG002 - as every model's step
    ) -> tuple[Integers, States]:
        """One time step; see `NeuronModel.step`."""
        return np.asarray(a), states
