"""A layer: one stage of a chain, its neurons with the synapses that lead into them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from spikeloom.arithmetic import Integers, Leak, Reset, check_neuron
from spikeloom.image.widths import accumulator_range, signed_bits

IntegerType = TypeVar("IntegerType", bound=np.signedinteger)


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """One layer of neurons and the synapses that lead into it.

    Synapses are rows of compressed sparse rows by *presynaptic* neuron, since the targets of one
    presynaptic neuron are what its event needs.

    Attributes:
        name: unique within the network.
        row_ptr: int32 ``[inputs + 1]``, starts at 0, never falls.
        target: int32 ``[synapses]``, postsynaptic neuron, ascending within a row.
        weight: int16 ``[synapses]``, never 0.
        bias: int32 ``[neurons]``, added once a step.
        threshold: int32 ``[neurons]``, positive; unused when the layer does not spike.
        leak: how the membrane decays in a step.
        reset: what a spike does to the membrane.
        spiking: False for a readout layer, which integrates and never spikes.
        membrane_bits: 2 … 32, signed width of the membrane's rails.
        scale: the real weight is ``weight·scale``, or scale is the mean of the neurons' own; for
            the reader's eyes only.
    """

    name: str
    row_ptr: npt.NDArray[np.int32]
    target: npt.NDArray[np.int32]
    weight: npt.NDArray[np.int16]
    bias: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.int32]
    leak: Leak
    reset: Reset
    spiking: bool
    membrane_bits: int
    scale: float

    def __post_init__(self) -> None:
        check_neuron(self.leak, self.reset)

    @classmethod
    def from_dense(
        cls,
        weights: npt.ArrayLike,
        *,
        name: str,
        leak: Leak,
        bias: npt.ArrayLike = 0,
        threshold: npt.ArrayLike = 1,
        reset: Reset = "subtract",
        spiking: bool = True,
        membrane_bits: int = 16,
        scale: float = 1.0,
    ) -> Self:
        """A layer of integer ``weights [inputs, neurons]``, in which 0 means "no synapse".

        ``bias`` and ``threshold`` are one integer a neuron, or one for all.

        Raises:
            ValueError: a weight, bias or threshold is no integer of its type.
        """
        dense = np.asarray(weights)
        inputs, neurons = dense.shape
        row, target = np.nonzero(dense)
        return cls(
            name=name,
            row_ptr=np.searchsorted(row, np.arange(inputs + 1)).astype(np.int32),
            target=target.astype(np.int32),
            weight=_integers("weight", dense[row, target], np.int16),
            bias=_integers("bias", np.broadcast_to(bias, (neurons,)), np.int32),
            threshold=_integers("threshold", np.broadcast_to(threshold, (neurons,)), np.int32),
            leak=leak,
            reset=reset,
            spiking=spiking,
            membrane_bits=membrane_bits,
            scale=scale,
        )

    @property
    def inputs(self) -> int:
        return len(self.row_ptr) - 1

    @property
    def neurons(self) -> int:
        return len(self.bias)

    @property
    def synapses(self) -> int:
        return len(self.target)

    @property
    def density(self) -> float:
        """Synapses as a fraction of ``inputs·neurons``."""
        return self.synapses / (self.inputs * self.neurons)

    @cached_property
    def row(self) -> npt.NDArray[np.int64]:
        """int64 ``[synapses]``: the presynaptic neuron of each synapse."""
        return np.repeat(np.arange(self.inputs), self.fan_out)

    @cached_property
    def fan_out(self) -> npt.NDArray[np.int64]:
        """int64 ``[inputs]``: synapses of each presynaptic neuron."""
        return np.diff(self.row_ptr.astype(np.int64))

    @cached_property
    def weight_bits(self) -> int:
        """The signed width that the weights in use need, at least 2."""
        low, high = int(self.weight.min(initial=0)), int(self.weight.max(initial=0))
        return max(2, signed_bits(low, high))

    @cached_property
    def accumulator_range(self) -> tuple[int, int]:
        """What ``leak(v) + a`` can reach while its events arrive, in any order."""
        return accumulator_range(
            membrane_bits=self.membrane_bits,
            leak_spec=self.leak,
            bias=self.bias.astype(np.int64),
            negative=self._column_sums(np.minimum(self.weight, 0)),
            positive=self._column_sums(np.maximum(self.weight, 0)),
        )

    @cached_property
    def accumulator_bits(self) -> int:
        """The width in which no order of events can overflow."""
        return signed_bits(*self.accumulator_range)

    def _column_sums(self, weight: npt.NDArray[np.int16]) -> Integers:
        sums = np.zeros(self.neurons, dtype=np.int64)
        np.add.at(sums, self.target, weight)
        return sums

    def dense(self) -> Integers:
        """The weights as int64 ``[inputs, neurons]``."""
        weights = np.zeros((self.inputs, self.neurons), dtype=np.int64)
        weights[self.row, self.target] = self.weight
        return weights


def _integers(
    field: str, values: npt.NDArray[Any], dtype: type[IntegerType]
) -> npt.NDArray[IntegerType]:
    """``values`` as integers of ``dtype``, refused where the cast would change one."""
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    changed = values[(values != np.trunc(values)) | (values < low) | (values > high)]
    if changed.size:
        raise ValueError(f"{field} {changed[0].item()!r} is no integer from {low} to {high}")
    return values.astype(dtype)
