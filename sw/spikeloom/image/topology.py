"""The order in which a graph can be computed."""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter


class InstantCycleError(ValueError):
    """Populations that wait for one another within one step; `names` goes round."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        super().__init__(" → ".join(self.names))


def components(
    names: Sequence[str], edges: Iterable[tuple[str, str, int]]
) -> tuple[tuple[str, ...], ...]:
    """Populations in the order of computation, those of a loop together.

    A part of one population whose output never comes back to it can be computed for all steps at
    once, as everything that leads to it stands before it. The populations of a loop have to be
    computed step by step, in the order given: within a step, the sources of connections without
    delay come first.

    Args:
        names: of all populations.
        edges: `(source, target, delay)` of all connections.

    Returns:
        Parts, sources first; the populations of a part in their order within a step.

    Raises:
        InstantCycleError: a cycle has no delay.
    """
    edges = list(edges)
    within = _order(names, [(source, target) for source, target, delay in edges if not delay])
    part = _strong_components(names, [(source, target) for source, target, _ in edges])
    order = _order(
        sorted(set(part.values())),
        [(part[a], part[b]) for a, b, _ in edges if part[a] != part[b]],
    )
    return tuple(tuple(name for name in within if part[name] == own) for own in order)


def _order(names: Sequence[str], edges: Iterable[tuple[str, str]]) -> list[str]:
    sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(names, ()))
    for source, target in edges:
        sorter.add(target, source)
    try:
        return list(sorter.static_order())
    except CycleError as error:
        raise InstantCycleError(error.args[1][::-1]) from None


def _strong_components(names: Sequence[str], edges: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """The first population of the loop that each belongs to: itself where there is none."""
    forward, backward = (
        {name: _reached(name, edges, turned=turned) for name in names} for turned in (False, True)
    )
    return {
        name: next(other for other in names if other in forward[name] & backward[name])
        for name in names
    }


def _reached(start: str, edges: Sequence[tuple[str, str]], *, turned: bool) -> set[str]:
    reached, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        for source, target in edges:
            if turned:
                source, target = target, source
            if source == here and target not in reached:
                reached.add(target)
                waiting.append(target)
    return reached
