"""Room in a memory for things that are needed for some time only."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Need:
    """Words that something takes from the part `first` of a program to the part `last`.

    Attributes:
        name: of the thing.
        words: how many.
        first, last: parts of the program, both included.
    """

    name: str
    words: int
    first: int
    last: int


def place(needs: list[Need]) -> tuple[dict[str, int], int]:
    """First words of all things, and the words that they take together.

    The largest come first, each at the lowest place that is free while it is needed.
    """
    placed: list[tuple[Need, int]] = []
    for need in sorted(needs, key=lambda own: (-own.words, own.first, own.name)):
        at = 0
        for other, start in sorted(placed, key=lambda pair: pair[1]):
            apart = other.last < need.first or need.last < other.first
            if not apart and at < start + other.words and start < at + need.words:
                at = start + other.words
        placed.append((need, at))
    ends = [start + need.words for need, start in placed]
    return {need.name: start for need, start in placed}, max(ends, default=0)
