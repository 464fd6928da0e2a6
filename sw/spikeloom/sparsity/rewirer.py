"""The parts put together: ratio, score, regrowth and schedule, applied to a network's layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from spikeloom.config import SparsityConfig
from spikeloom.sparsity.balance import best_words, rebalance, swap_slots
from spikeloom.sparsity.budget import Budget, layer_indices
from spikeloom.sparsity.initial import InitialValues
from spikeloom.sparsity.layer import Layers, SparseLayer
from spikeloom.sparsity.nonzero import keep_nonzero
from spikeloom.sparsity.pq_index import PQParameters
from spikeloom.sparsity.ratio import RATIOS, Ratio
from spikeloom.sparsity.regrowth import GradientTrace
from spikeloom.sparsity.rewiring import (
    exchange_counts,
    forget_state,
    prune_and_regrow,
)
from spikeloom.sparsity.schedule import Schedule
from spikeloom.sparsity.score import NEEDS_RATES, SCORES, InputRates
from spikeloom.sparsity.size import PackedSize
from spikeloom.sparsity.turning import TurningPoint

__all__ = ["Rewirer", "Rewiring"]


@dataclass(frozen=True, kw_only=True)
class Rewiring:
    """What one rewiring did, a number a layer: active synapses before, pruned, regrown."""

    before: tuple[int, ...]
    pruned: tuple[int, ...]
    regrown: tuple[int, ...]


class Rewirer:
    """Keeps pruned weights at zero between rewirings, and rewires when the schedule says so.

    The order of calls in a batch is `after_forward`, backward, `after_backward`, optimiser step,
    `after_step`; after an epoch, `after_epoch`.

    Args:
        layers: what is rewired; their weights are drawn already.
        ratio: how many to prune.
        trace: where to regrow.
        schedule: when, and down to which density.
        parameters: orders of the PQ index.
        index_on, score: names in `SCORES`: what the index is taken of, what is pruned first.
        turning: ends compression where the index turns; None compresses down to the density.
        rewind: go back to the present weights whenever something was pruned.
        banks: membrane banks to balance each presynaptic row over; 0 for none.
        full_words: prune and regrow whole words, one place of each bank; the last layer, which may
            have fewer neurons than there are banks, is left to the plain balance.
        blocks: interleaved blocks of a bank's addresses, whose words take turns in a row.
        nonzero: keep active weights from quantising to 0 once the last rewiring is due.
    """

    def __init__(
        self,
        layers: Sequence[SparseLayer],
        *,
        ratio: Ratio,
        trace: GradientTrace,
        schedule: Schedule,
        parameters: PQParameters,
        index_on: str = "magnitude",
        score: str = "magnitude",
        turning: TurningPoint | None = None,
        rewind: bool = False,
        banks: int = 0,
        full_words: bool = False,
        blocks: int = 1,
        nonzero: bool = False,
        readout_density: float = 0.0,
        size: PackedSize | None = None,
    ) -> None:
        self.layers = tuple(layers)
        self.schedule = schedule
        self._trace, self._parameters = trace, parameters
        self._score = SCORES[score]
        self._budget = Budget(
            ratio=ratio,
            index_on=SCORES[index_on],
            schedule=schedule,
            parameters=parameters,
            turning=turning,
            readout_density=readout_density,
            size=size,
        )
        self._size = size
        self._rates = InputRates() if NEEDS_RATES & {index_on, score} else None
        self._turning = turning
        self._initial = InitialValues(layers) if rewind else None
        self._rewound = 0
        self._banks, self._full_words, self._nonzero = banks, full_words, nonzero
        self._blocks = blocks
        # The masks in the weights' type, and of which version of which mask they were made.
        self._kept = [torch.empty(0)] * len(self.layers)
        self._kept_of = [(torch.empty(0), -1)] * len(self.layers)

    @classmethod
    def from_config(
        cls,
        layers: Sequence[SparseLayer],
        config: SparsityConfig,
        *,
        epochs: int,
        generator: torch.Generator,
        weight_bits: int = 8,
    ) -> Rewirer:
        """The combination of parts that a configuration names."""
        by_size = config.stop_rule == "bits"
        parameters = PQParameters(
            p=config.p, q=config.q, eta=config.eta, gamma=config.gamma, beta=config.beta
        )
        return cls(
            layers,
            ratio=RATIOS[config.ratio](parameters, config.fraction, config.shrinkage),
            trace=GradientTrace(config.regrow, generator),
            schedule=Schedule(
                start_epoch=config.start_epoch,
                every_epochs=config.every_epochs,
                stop_epoch=config.last_epoch(epochs),
                density=config.density,
                rho=config.rho,
                decay=config.decay,
            ),
            parameters=parameters,
            index_on=config.index_on,
            score=config.score,
            turning=TurningPoint(config.patience) if config.stop_rule == "turn" else None,
            rewind=config.rewind,
            banks=config.banks,
            full_words=config.full_words,
            blocks=config.blocks,
            nonzero=config.nonzero or config.banks > 0 or by_size,
            readout_density=config.readout_density,
            size=PackedSize(config.target_bits, lanes=config.target_lanes, weight_bits=weight_bits)
            if by_size
            else None,
        )

    @property
    def needs_rates(self) -> bool:
        """Whether it asks for what arrives at the layers."""
        return self._rates is not None

    def after_forward(self, arriving: Sequence[Tensor]) -> None:
        """Show what arrived at each layer in a batch, [..., presynaptic neurons]."""
        if self._rates is not None:
            self._rates.observe(arriving)

    def after_backward(self) -> None:
        """Show the dense gradients to the regrowth, then mask them for the optimiser."""
        gradients = [layer.weight.grad for layer in self.layers]
        dense = [gradient for gradient in gradients if gradient is not None]
        if len(dense) != len(gradients):
            raise RuntimeError("a layer has no gradient: call this after backward")
        self._trace.observe([gradient.flatten(1) for gradient in dense])
        for keep, gradient in zip(self._keep(), dense, strict=True):
            gradient.mul_(keep)

    @torch.no_grad()
    def after_step(self) -> None:
        """Hold pruned weights at exactly 0, whatever the optimiser's memory did."""
        for layer, keep in zip(self.layers, self._keep(), strict=True):
            layer.weight.mul_(keep)

    def _keep(self) -> list[Tensor]:
        """The masks as 0 and 1 of the weights' type, by which a product is five times as fast."""
        for i, layer in enumerate(self.layers):
            mask, version = layer.mask, layer.mask._version
            if mask is not self._kept_of[i][0] or version != self._kept_of[i][1]:
                self._kept[i] = mask.to(layer.weight.dtype)
                self._kept_of[i] = (mask, version)
        return self._kept

    @torch.no_grad()
    def after_epoch(self, epochs_done: int, optimizer: torch.optim.Optimizer) -> Rewiring | None:
        """Rewire if it is due after `epochs_done` epochs; what it did, or None."""
        self._settle(epochs_done)
        if not self.schedule.due(epochs_done):
            return None
        layers = self._trained()
        prune, rho = self._budget.counts(layers, epochs_done, regrows=self._trace.kind != "none")
        worth, wish = self._score(layers), self._trace.scores(layers.weights)
        done = Rewiring(before=(), pruned=(), regrown=())
        for layer, mask, own_worth, own_wish, count, rewired in zip(
            self.layers, layers.masks, worth, wish, prune, self._rewirings(), strict=True
        ):
            room = (~mask).reshape(len(count), -1).sum(dim=1)
            gone, come = exchange_counts(count, rho, room)
            new = rewired(mask, own_worth, own_wish, gone, come)
            forget_state(optimizer, layer.weight, (new != mask).reshape(layer.weight.shape))
            before, gone, come = int(mask.sum()), int((mask & ~new).sum()), int((new & ~mask).sum())
            layer.set_mask(new.reshape(layer.weight.shape))
            done = Rewiring(
                before=(*done.before, before),
                pruned=(*done.pruned, gone),
                regrown=(*done.regrown, come),
            )
        if self._initial and any(done.pruned):
            self._initial.restore(optimizer)
            self._rewound = epochs_done
            self._settle(epochs_done)
        if self._rates is not None:
            self._rates.reset()
        return done

    def _settle(self, epochs_done: int) -> None:
        if self._nonzero and epochs_done >= self.schedule.last_due:
            for layer in self.layers:
                keep_nonzero(layer)

    def _masked(self) -> Layers:
        return Layers(
            weights=[layer.weight.flatten(1) for layer in self.layers],
            masks=[layer.mask.flatten(1) for layer in self.layers],
        )

    def _trained(self) -> Layers:
        """The layers with what the method measured in training."""
        if self._rates is None:
            return self._masked()
        return replace(self._masked(), rates=self._rates.means(self.layers[0].weight.device))

    def _rewirings(self) -> list[Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]]:
        """What makes a layer's new mask, for each layer."""
        if not self._full_words:
            return [self._rewired] * len(self.layers)
        return [*[self._whole_words] * (len(self.layers) - 1), self._rewired]

    def _rewired(
        self, mask: Tensor, worth: Tensor, wish: Tensor, prune: Tensor, regrow: Tensor
    ) -> Tensor:
        new = prune_and_regrow(worth, mask, wish, prune=prune, regrow=regrow)
        if not self._banks:
            return new
        # What is kept is balanced by itself: the new ones are no synapses until they are trained.
        kept = rebalance(
            mask & new,
            score=worth,
            candidates=mask,
            base=torch.zeros_like(mask),
            banks=self._banks,
        )
        come = rebalance(new & ~mask, score=wish, candidates=~mask, base=kept, banks=self._banks)
        return kept | come

    def _whole_words(
        self, mask: Tensor, worth: Tensor, wish: Tensor, prune: Tensor, regrow: Tensor
    ) -> Tensor:
        come = int(regrow.sum())
        less = int(prune.sum()) - come
        kept = mask
        if less:
            left = int(mask.sum()) - less
            kept = best_words(
                worth, candidates=mask, count=left, banks=self._banks, blocks=self._blocks
            )
        return swap_slots(
            kept,
            worth=worth,
            wish=wish,
            candidates=~mask,
            count=come,
            banks=self._banks * self._blocks,
        )

    def period(self, epoch: int, epochs: int) -> tuple[int, int]:
        """Epochs done when the training that `epoch` belongs to began and will have ended.

        Rewinding starts training anew, and its learning rate with it; else it is all `epochs`.
        """
        if self._initial is None:
            return 0, epochs
        spare = self._budget.spare(self._masked())
        following = self.schedule.next_due(epoch) if spare else None
        return self._rewound, epochs if following is None else following

    def state_dict(self) -> dict[str, Any]:
        """What it carries from batch to batch: nested mappings of tensors and plain values."""
        return {
            "rewound": self._rewound,
            **{name: part.state_dict() for name, part in self._parts().items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave; the layers' masks are part of their own state."""
        device = self.layers[0].weight.device
        self._rewound = int(state["rewound"])
        for name, part in self._parts().items():
            part.load_state_dict(_on(device, state[name]))

    def _parts(self) -> dict[str, Any]:
        parts = {
            "trace": self._trace,
            "rates": self._rates,
            "turning": self._turning,
            "initial": self._initial,
        }
        return {name: part for name, part in parts.items() if part is not None}

    def bits(self) -> int | None:
        """Bits that the active synapses are packed into; None where no size is asked for."""
        return self._size and self._size.bits(self._masked().masks)

    def indices(self) -> list[float]:
        """PQ index of each layer's active weights."""
        return layer_indices(self._masked(), self._parameters)


def _on(device: torch.device, state: Mapping[str, Any]) -> dict[str, Any]:
    """The state of a part with the tensors in its lists on a device."""
    return {
        key: [v.to(device) if isinstance(v, Tensor) else v for v in value]
        if isinstance(value, list)
        else value
        for key, value in state.items()
    }
