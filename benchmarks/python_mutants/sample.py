"""A sample of mutants, spread over modules and kinds of mutation."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import isqrt

from python_mutants.mutants import Mutant


def sample(found: Mapping[str, Sequence[Mutant]], *, count: int, seed: int) -> list[Mutant]:
    """Choose mutants, the same ones for the same seed and sources.

    A module's share grows with the square root of the number of its mutants, so that large
    modules do not crowd out small ones. Within a module, kinds of mutation take turns, so that
    constants and keywords, the most frequent, do not crowd out the others.
    """
    generator = random.Random(seed)
    queues = {module: _turns(own, generator) for module, own in sorted(found.items()) if own}
    weights = {module: isqrt(len(queue)) + 1 for module, queue in queues.items()}
    taken = dict.fromkeys(queues, 0)
    # Modules in random order, so that a count below their number takes them by chance.
    order = generator.sample(sorted(queues), len(queues))
    for _ in range(min(count, sum(map(len, queues.values())))):
        open_modules = [module for module in order if taken[module] < len(queues[module])]
        module = min(open_modules, key=lambda one: taken[one] / weights[one])
        taken[module] += 1
    chosen = [mutant for module in queues for mutant in queues[module][: taken[module]]]
    generator.shuffle(chosen)
    return chosen


def _turns(mutants: Sequence[Mutant], generator: random.Random) -> list[Mutant]:
    """Mutants in random order, kind after kind."""
    kinds: defaultdict[str, list[Mutant]] = defaultdict(list)
    for mutant in generator.sample(mutants, len(mutants)):
        kinds[mutant.operator].append(mutant)
    names = generator.sample(sorted(kinds), len(kinds))
    rounds = max(len(own) for own in kinds.values())
    return [kinds[name][at] for at in range(rounds) for name in names if at < len(kinds[name])]
