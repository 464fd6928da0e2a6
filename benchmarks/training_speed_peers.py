"""The peers of `training_speed.py`, each in its own documented way; needs no Spikeloom.

Runs in an interpreter that has torch and the peer. Both build the same network: linear 784-512
without bias, leaky integrate-and-fire neurons (decay 7/8, threshold 1, reset by subtraction),
linear 512-10 without bias, a membrane readout that sums over the steps, cross-entropy on what it
holds after the last one, and one step of AdamW, fused.

snnTorch: `snn.Leaky` called step by step in a Python loop, as in its tutorial 5, "Training Spiking
Neural Networks with snnTorch".

SpikingJelly: `step_mode="m"`, in which the linear layers take all steps in one product and
`neuron.LIFNode` runs its multi-step implementation, as in its tutorial "Basic Conceptions"; the
network is reset by `functional.reset_net` after each batch. The readout is a sum over the steps,
which costs less than a non-spiking node.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

PIXELS, HIDDEN, CLASSES = 784, 512, 10
DECAY = 7 / 8
LEARNING_RATE = 1e-3


class SnnTorchNetwork(nn.Module):
    """snnTorch's documented loop."""

    def __init__(self) -> None:
        super().__init__()
        import snntorch as snn  # pyright: ignore[reportMissingImports]
        from snntorch import surrogate  # pyright: ignore[reportMissingImports]

        self.fc1 = nn.Linear(PIXELS, HIDDEN, bias=False)
        self.lif1 = snn.Leaky(beta=DECAY, spike_grad=surrogate.fast_sigmoid())
        self.fc2 = nn.Linear(HIDDEN, CLASSES, bias=False)
        self.lif2 = snn.Leaky(beta=1.0, reset_mechanism="none")

    def forward(self, events: Tensor) -> Tensor:
        """Membranes [B, classes] after the last step of `events` [T, B, pixels]."""
        mem1 = self.lif1.init_leaky()
        mem2 = self.lif2.init_leaky()
        for step in range(len(events)):
            spk1, mem1 = self.lif1(self.fc1(events[step]), mem1)
            _, mem2 = self.lif2(self.fc2(spk1), mem2)
        return mem2


class SpikingJellyNetwork(nn.Module):
    """SpikingJelly in multi-step mode."""

    def __init__(self) -> None:
        super().__init__()
        from spikingjelly.activation_based import (  # pyright: ignore[reportMissingImports]
            functional,
            layer,
            neuron,
            surrogate,
        )

        self.chain = nn.Sequential(
            layer.Linear(PIXELS, HIDDEN, bias=False, step_mode="m"),
            neuron.LIFNode(
                tau=1 / (1 - DECAY),
                decay_input=False,
                v_threshold=1.0,
                v_reset=None,
                detach_reset=True,
                surrogate_function=surrogate.ATan(),
                step_mode="m",
            ),
            layer.Linear(HIDDEN, CLASSES, bias=False, step_mode="m"),
        )
        self.reset_net = functional.reset_net

    def forward(self, events: Tensor) -> Tensor:
        """Membranes [B, classes] after the last step of `events` [T, B, pixels]."""
        logits = self.chain(events).sum(dim=0)
        self.reset_net(self)
        return logits


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "snntorch": SnnTorchNetwork,
    "spikingjelly": SpikingJellyNetwork,
}


def stepper(name: str, data: Path, device: str) -> Callable[[int], float]:
    """One optimiser step of a peer on batch i; returns the loss."""
    torch.manual_seed(0)
    network = NETWORKS[name]().to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, fused=True)
    # What the peers take: float32 [T, B, pixels], made before the clock starts.
    arrays = np.load(data)
    events = torch.from_numpy(arrays["events"]).transpose(1, 2).contiguous().float().to(device)
    labels = torch.from_numpy(arrays["labels"]).to(device)

    def step(batch: int) -> float:
        loss = cross_entropy(network(events[batch % len(events)]), labels[batch % len(labels)])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


def serve(
    step: Callable[[int], float], version: str, rewire: Callable[[], None] | None = None
) -> None:
    """Answer requests on stdin, "first count" a line, with one line of JSON each.

    The answer holds the wall-clock and the processor seconds of `count` steps, and the last loss;
    a count of 0 asks for one rewiring.
    """
    _say({"version": version, "torch": torch.__version__})
    for line in sys.stdin:
        first, count = map(int, line.split())
        loss, wall, busy = 0.0, time.perf_counter(), time.process_time()
        if count == 0 and rewire:
            rewire()
        for batch in range(first, first + count):
            loss = step(batch)
        wall, busy = time.perf_counter() - wall, time.process_time() - busy
        _say({"wall": wall, "busy": busy, "loss": loss})


def _say(document: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def main() -> None:
    """`training_speed_peers.py PEER DATA THREADS DEVICE`."""
    from importlib.metadata import version

    name, data, threads, device = sys.argv[1:]
    torch.set_num_threads(int(threads))
    serve(stepper(name, Path(data), device), version(name))


if __name__ == "__main__":
    main()
