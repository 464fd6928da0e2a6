"""How many cycles the units of an engine take: exact, without simulating a register.

An engine works one instruction after another, and every unit but the scan takes a number of cycles
that its settings say. A scan is a pipeline in which each stage hands a thing on in the first cycle
in which it is there and the next stage is free. With `o` the cycle in which an event leaves its map
word, `q` to `t` those in which it passes the stages of `RowSource`, `r` the one in which a read is
taken by `RowFetch`, `h` the one in which its pointer is used and `w` the one in which its row is
taken by `WordStream`:

    o = max(word there, q before)       q = max(o + 1, p before)      …
    r = max(tap's turn, h before)       h = max(r + 1, w before)
    w = max(h + 1, w before + words before)

The scan is over when the last word has passed the banks, four cycles behind its row's last word.
"""

from spikeloom_hw.engine.neuron_lane import CURRENT_LEAD, LATENCY
from spikeloom_hw.engine.params import EngineParams

SET = 2
INSTRUCTION = 1
UNIT = 2
"""Cycles of an instruction around its unit's: one that starts it, and one that finds it done."""

WORDS_TO_BANKS = 4
"""Cycles from a row's last word to the one in which nothing of it is under way any more."""


def clear_cycles(words: int) -> int:
    """Cycles in which states are cleared."""
    return words


def input_cycles(summaries: int, events: int) -> int:
    """Cycles in which a step is taken whose events are there at once."""
    return summaries + 2 * events + 1


def output_cycles(neurons: int) -> int:
    """Cycles in which scores are told to a host that takes them at once."""
    return 3 * neurons


def sweep_cycles(params: EngineParams, *, walks: int, groups: int, two: bool, loads: bool) -> int:
    """Cycles of an update.

    Args:
        params: of the engine.
        walks: times that the walk pauses: for each plane, group of parameters or place.
        groups: neurons of each lane that are updated from one pause to the next.
        two: they have a current.
        loads: parameters are loaded before each walk.
    """
    load = params.lanes * len(params.lane_parameters) + 1 if loads else 0
    issue = 2 * groups - 1 if two else groups
    drain = LATENCY + 1 + CURRENT_LEAD * two
    return 1 + walks * (load + issue + drain)


class ScanClock:
    """The cycles of a scan, as its things pass by in order.

    Attributes:
        end: the first cycle in which nothing is under way; cycle 0 starts the scan.
        events, words: how many there were.
    """

    def __init__(self) -> None:
        self.end = 0
        self.events = self.words = 0
        self._chunk_at = self._chunk_left = 1
        self._words_left = 0
        self._word_at = self._word_left = 0
        self._event_at = 0
        self._divided = self._multiplied = self._added = self._tapped = 0
        self._tap_at = 0
        self._pointed = self._row_taken = self._memory_free = 0

    def chunk(self, words: int) -> None:
        """A summary word that names so many map words."""
        self._chunk_at = self._chunk_left + 1
        self._words_left = words
        if not words:
            self._leave_chunk(self._chunk_at)

    def _leave_chunk(self, cycle: int) -> None:
        self._chunk_left = cycle
        self._busy_until(cycle)

    def _busy_until(self, cycle: int) -> None:
        self.end = max(self.end, cycle + 1)

    def word(self, events: int) -> None:
        """A map word with so many events."""
        self._word_at = max(self._chunk_at, self._word_at + 1, self._word_left)
        self._words_left -= 1
        if not self._words_left:
            self._leave_chunk(self._word_at)
        self._event_at = self._word_at + 1
        if not events:
            self._word_left = self._event_at
            self._busy_until(self._word_left)

    def event(self) -> None:
        """An event of that word."""
        self.events += 1
        left = max(self._event_at, self._divided)
        self._event_at = left + 1
        self._word_left = left
        self._divided = max(left + 1, self._multiplied)
        self._multiplied = max(self._divided + 1, self._added)
        self._added = max(self._multiplied + 1, self._tapped)
        self._tap_at = self._added + 1

    def outside(self) -> None:
        """A tap of that event, or a line of taps, outside the map."""
        self._tapped = self._tap_at
        self._tap_at += 1
        self._busy_until(self._tapped)

    def read(self, words: int) -> None:
        """A tap inside the map, whose row has so many words."""
        self.words += words
        taken = max(self._tap_at, self._pointed)
        self._tapped = taken
        self._tap_at = taken + 1
        self._pointed = max(taken + 1, self._row_taken)
        self._busy_until(self._pointed)
        if words:
            self._row_taken = max(self._pointed + 1, self._memory_free)
            self._memory_free = self._row_taken + words
            self._busy_until(self._memory_free + WORDS_TO_BANKS - 1)
