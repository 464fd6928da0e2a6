"""What a network does on a split: accuracy, loss, spikes and synaptic operations."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn.functional import cross_entropy

from spikeloom.arithmetic import first_leaking
from spikeloom.datasets import Split
from spikeloom.encoding import Encoding
from spikeloom.evaluation import encoded_batches
from spikeloom.nn import Network

__all__ = ["Measurement", "measure"]


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Means over a split, the network in eval mode.

    Attributes:
        accuracy: fraction classified correctly.
        loss: cross-entropy in nats, without label smoothing.
        spikes: of the target of each sparse layer, spikes a sample.
        operations: of each sparse layer, synapses driven by events, a sample.
        leaking: of each of these targets, share of the positive membranes after a step that are
            large enough to leak; None where the leak takes nothing from any, or no membrane was
            positive.
    """

    accuracy: float
    loss: float
    spikes: tuple[float, ...]
    operations: tuple[float, ...]
    leaking: tuple[float | None, ...]


@torch.no_grad()
def measure(network: Network, split: Split, *, encoding: Encoding, time_steps: int) -> Measurement:
    """Run a whole split through the network."""
    network.eval()
    device = network.layers[0].weight.device
    correct, loss = 0, 0.0
    spikes = [0.0] * len(network.sparse_layers)
    operations = [0.0] * len(network.sparse_layers)
    smallest = [first_leaking(leak) for leak in network.leaks]
    positive, leaking = [0] * len(smallest), [0] * len(smallest)
    for events, labels in encoded_batches(split, encoding=encoding, time_steps=time_steps):
        given = torch.from_numpy(events)
        activity = network(given)
        target = torch.from_numpy(labels).to(device)
        correct += int((activity.predictions == target).sum())
        loss += float(cross_entropy(activity.logits, target, reduction="sum"))
        for position, (fired, driven) in enumerate(
            zip(*network.cost(given, activity), strict=True)
        ):
            spikes[position] += fired
            operations[position] += driven
        for position, membranes in enumerate(network.membranes(activity)):
            if (least := smallest[position]) is not None:
                positive[position] += int((membranes > 0).sum())
                leaking[position] += int((membranes >= least).sum())
    samples = max(1, len(split))
    return Measurement(
        accuracy=correct / samples,
        loss=loss / samples,
        spikes=tuple(total / samples for total in spikes),
        operations=tuple(total / samples for total in operations),
        leaking=tuple(
            some / all_of_them if all_of_them else None
            for some, all_of_them in zip(leaking, positive, strict=True)
        ),
    )
