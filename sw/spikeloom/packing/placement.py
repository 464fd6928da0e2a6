"""Which neuron lives in which bank: the order of hidden neurons that takes the fewest words.

A row takes as many words as its fullest bank has synapses, and hidden neurons may stand in any
order. What is sought is the assignment of neurons to banks that makes

    Σ over rows of  activity · (synapses in the fullest bank)

least: a partition problem, by local search over swaps of two neurons of different banks. All
swaps between banks ``a`` and ``b`` are weighed at once. A swap of ``p`` for ``q`` changes only the
rows in which one of the two has a synapse, and there by ``g`` (bank ``a`` loses one to ``b``) or
``h`` (the reverse), which depend on the row's counts alone. With ``S_p`` the 0/1 column of ``p``

    Δ(p, q) = g·S_p + h·S_q - Σ over rows of (g + h)·S_p·S_q

and the last term, over all pairs, is one matrix product.

The search descends, then anneals: each move takes a swap, or none, by heat bath, that is with
probability in proportion to ``exp(-Δ / T)`` (Geman and Geman, IEEE PAMI 6, 1984), while T falls
geometrically. Then it descends again until no swap is left that helps.
"""

import itertools
import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from spikeloom.image import Layer, NetworkImage
from spikeloom.image.permutation import Order, permute_hidden
from spikeloom.packing.pack import pack

Floats = npt.NDArray[np.float32]
Progress = Callable[[float], None]
"""Is told the fraction, 0 … 1, that is done."""

MOVES, LEAST_MOVES = 20, 10_000
"""Of the annealing: for each neuron, and in all."""
CANDIDATES = 64
"""Neurons of a bank that a move of the annealing looks at."""
HOT, COLD = 0.3, 0.05
"""First and last temperature, in standard deviations of what a swap changes at first."""
LEVELS = 4095
"""Activity is rounded to this many steps, so that sums in float32 are exact on any machine."""


def fullest_bank(layer: Layer, banks: int) -> npt.NDArray[np.int64]:
    """int64 ``[inputs]``: synapses of each row in its fullest bank, when n is in n mod banks."""
    counts = np.bincount(layer.row * banks + layer.target % banks, minlength=layer.inputs * banks)
    return counts.reshape(layer.inputs, banks).max(axis=1)


def place(
    layer: Layer,
    banks: int,
    *,
    activity: npt.ArrayLike | None = None,
    seed: int = 0,
    seconds: float = 20.0,
    progress: Progress = lambda _fraction: None,
) -> Order:
    """The order of neurons in which rows are spread most evenly over ``banks``.

    It is never worse than the present order, which is returned when nothing better is found.
    Within a bank the neurons keep their present order.

    Args:
        layer: its rows, as they are.
        banks: neuron n of the order lives in bank n mod banks.
        activity: mean spikes of each presynaptic neuron, ``[inputs]``; by default all count alike.
            A row that never spikes still counts a little, since it is stored.
        seed: of the annealing.
        seconds: the search ends by then. When it does not need them all, the result depends on the
            seed alone.
        progress: called now and then.

    Raises:
        ValueError: ``banks`` is below 1, or ``activity`` is not one number ≥ 0 for each row.
    """
    if banks < 1:
        raise ValueError(f"banks must be at least 1, not {banks!r}")
    weight = _weights(layer, activity)
    used = np.flatnonzero(layer.fan_out)
    identity = np.arange(layer.neurons)
    if banks == 1 or layer.neurons <= banks or not used.size:
        return identity
    present = np.zeros((layer.neurons, layer.inputs), dtype=np.float32)
    present[layer.target, layer.row] = 1
    state = _State(present[:, used], weight[used], banks)
    bound = float(weight @ -(-layer.fan_out // banks))
    began = time.monotonic()
    least, best = state.cost, identity
    for phase in (
        lambda: _descend(state, began + 0.25 * seconds),
        lambda: _anneal(state, np.random.default_rng(seed), began + 0.9 * seconds, progress),
        lambda: _descend(state, began + seconds),
    ):
        if least > bound:
            phase()
            if state.cost < least:
                least, best = state.cost, state.order()
    return best


def place_network(
    image: NetworkImage,
    lanes: Sequence[int],
    *,
    activity: Sequence[npt.ArrayLike] | None = None,
    seed: int = 0,
    seconds: float = 20.0,
    progress: Progress = lambda _fraction: None,
) -> tuple[Order, ...]:
    """Orders of each hidden layer's neurons, placed for the layer's number of ``lanes``.

    :func:`spikeloom.image.permutation.permute_hidden` takes them. A layer keeps its order when the
    exact packing of the network would not take fewer words or, with as many, fewer bits.
    ``activity`` has mean spikes ``[inputs]`` for each layer. The hidden layers share ``seconds``;
    the rest is as in :func:`place`.
    """
    hidden = image.layers[:-1]
    orders = tuple(np.arange(layer.neurons) for layer in hidden)
    least = _words_and_bits(image, lanes)
    for number, layer in enumerate(hidden):
        found = place(
            layer,
            lanes[number],
            activity=None if activity is None else activity[number],
            seed=seed,
            seconds=seconds / len(hidden),
            progress=lambda fraction, done=number: progress((done + fraction) / len(hidden)),
        )
        tried = (*orders[:number], found, *orders[number + 1 :])
        cost = _words_and_bits(permute_hidden(image, tried), lanes)
        if cost < least:
            least, orders = cost, tried
    return orders


def _words_and_bits(image: NetworkImage, lanes: Sequence[int]) -> tuple[int, int]:
    packed = [pack(layer, own) for layer, own in zip(image.layers, lanes, strict=True)]
    return sum(each.words for each in packed), sum(each.bits for each in packed)


def _weights(layer: Layer, activity: npt.ArrayLike | None) -> Floats:
    if activity is None:
        return np.ones(layer.inputs, dtype=np.float32)
    means = np.asarray(activity, dtype=np.float64)
    if means.shape != (layer.inputs,) or not np.all(np.isfinite(means) & (means >= 0)):
        raise ValueError(f"activity must be {layer.inputs} numbers, 0 or more")
    levels = np.round(means * (LEVELS / max(means.max(), 1e-300)))
    return np.maximum(levels, 1).astype(np.float32)


class _State:
    """Neurons in banks, and the synapses that each row has in each bank.

    ``members`` lists the neurons of each bank; ``counts`` is ``[banks, rows]``.
    """

    def __init__(self, present: Floats, weight: Floats, banks: int) -> None:
        self._present, self._weight, self.banks = present, weight, banks
        self.members = [np.arange(bank, len(present), banks) for bank in range(banks)]
        self.counts = np.stack([present[own].sum(axis=0) for own in self.members])

    @property
    def neurons(self) -> int:
        return len(self._present)

    @property
    def cost(self) -> float:
        return float(self._weight.astype(np.float64) @ self.counts.max(axis=0))

    def changes(self, a: int, b: int, p: Order, q: Order) -> Floats:
        """What the cost would change by swapping the p-th of bank a with the q-th of bank b."""
        others = np.delete(self.counts, (a, b), axis=0).max(axis=0, initial=0)
        in_a, in_b = self.counts[a], self.counts[b]
        now = np.maximum(others, np.maximum(in_a, in_b))
        a_to_b = np.maximum(others, np.maximum(in_a - 1, in_b + 1)) - now
        b_to_a = np.maximum(others, np.maximum(in_a + 1, in_b - 1)) - now
        a_to_b, b_to_a = a_to_b * self._weight, b_to_a * self._weight
        of_p, of_q = self._present[self.members[a][p]], self._present[self.members[b][q]]
        both = (of_p * (a_to_b + b_to_a)) @ of_q.T
        return (of_p @ a_to_b)[:, None] + of_q @ b_to_a - both

    def swap(self, a: int, b: int, p: int, q: int) -> None:
        """Exchanges the p-th neuron of bank a for the q-th of bank b."""
        leaves, comes = self.members[a][p], self.members[b][q]
        self.members[a][p], self.members[b][q] = comes, leaves
        more = self._present[comes] - self._present[leaves]
        self.counts[a] += more
        self.counts[b] -= more

    def order(self) -> Order:
        """The neurons, bank b's at b, b + banks, …, each bank in ascending order."""
        order = np.empty(self.neurons, dtype=np.int64)
        for bank, own in enumerate(self.members):
            order[bank :: self.banks] = np.sort(own)
        return order


def _descend(state: _State, end: float) -> None:
    """Takes the best swap of each pair of banks until no swap helps, or the time is over."""
    everyone = [np.arange(len(own)) for own in state.members]
    improved = True
    while improved:
        improved = False
        for a, b in itertools.combinations(range(state.banks), 2):
            while time.monotonic() < end:
                changes = state.changes(a, b, everyone[a], everyone[b])
                p, q = divmod(int(changes.argmin()), changes.shape[1])
                if changes[p, q] >= 0:
                    break
                state.swap(a, b, p, q)
                improved = True


def _anneal(state: _State, random: np.random.Generator, end: float, progress: Progress) -> None:
    """Heat-bath swaps; T falls with the moves or with the time, whichever runs out first."""
    total = max(MOVES * state.neurons, LEAST_MOVES)
    began, spread, move = time.monotonic(), 0.0, 0
    while True:
        elapsed = (time.monotonic() - began) / max(end - began, 1e-9)
        done = min(1.0, max(move / total, elapsed))
        if move % 64 == 0 or done >= 1:
            progress(done)
        if done >= 1:
            return
        a, b = random.choice(state.banks, 2, replace=False)
        p, q = (_some(random, len(state.members[bank])) for bank in (a, b))
        changes = state.changes(a, b, p, q)
        spread = spread or float(changes.std())
        temperature = spread * HOT * (COLD / HOT) ** done
        # The largest of scores with Gumbel noise is a draw from their softmax; 0 is no swap.
        drawn = random.gumbel(size=changes.shape) * temperature - changes
        i, j = divmod(int(drawn.argmax()), changes.shape[1])
        if drawn[i, j] > random.gumbel() * temperature:
            state.swap(a, b, int(p[i]), int(q[j]))
        move += 1


def _some(random: np.random.Generator, members: int) -> Order:
    if members <= CANDIDATES:
        return np.arange(members)
    return random.choice(members, CANDIDATES, replace=False)
