"""From the map of a step to its spikes, one a cycle.

```
 summary word ─► lowest set bit ─► map word ─► lowest set bit ─► event
      │ 16 words of a line             │ L neurons of a place
      └ none set: a cycle              └ all at once, where words drive
```

A summary tells which words of a line have spikes, so empty words take no time: a line of sixteen
empty words takes a cycle. Both memories show their word until it is used up; their addresses run
one ahead.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom_hw.engine.layouts import MapEventLayout, SettingsLayout
from spikeloom_hw.engine.params import LINE_WORDS, EngineParams

CHUNK_BITS = (LINE_WORDS - 1).bit_length()


class MapScan(wiring.Component):
    """Finds the spikes of a map.

    Cycles: one an event, while whoever takes them is ready; the first one three cycles behind the
    start, if the first word has one.

    Members:
        settings: In, as they stand while it is busy.
        start: In, begin in the next cycle.
        map_first, summary_first: In, first words of the map and of its summary.
        busy: Out, from the cycle behind `start` until the last event is taken.
        summary_address, summary_enable, summary_word: the read port of the summaries.
        map_address, map_enable, map_word: the read port of the maps.
        events: Out, `MapEventLayout`.
    """

    def __init__(self, params: EngineParams) -> None:
        self.params = params
        super().__init__(
            {
                "settings": In(SettingsLayout(params)),
                "start": In(1),
                "map_first": In(params.map_address_bits),
                "summary_first": In(params.summary_address_bits),
                "busy": Out(1),
                "summary_address": Out(params.summary_address_bits),
                "summary_enable": Out(1),
                "summary_word": In(LINE_WORDS),
                "map_address": Out(params.map_address_bits),
                "map_enable": Out(1),
                "map_word": In(params.lanes),
                "events": Out(stream.Signature(MapEventLayout(params))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        params, settings = self.params, self.settings
        line = data.StructLayout(
            {
                "plane": 6,
                "group": params.size_bits,
                "y": min(8, params.size_bits),
                "chunk": max(1, params.size_bits - CHUNK_BITS),
                "map": params.map_address_bits,
                "word": params.map_address_bits,
            }
        )

        # The summary word that is addressed: lines of chunks, groups of lines, planes of groups.
        walking = Signal()
        at = Signal(line)
        advance = Signal()
        last_chunk = settings.map_size.width[CHUNK_BITS:] == at.chunk
        last_line = last_chunk & (at.y == settings.map_size.height)
        last_group = last_line & (at.group == settings.map_groups.groups)
        last_plane = last_group & (at.plane == settings.map_kind.planes)
        m.d.comb += self.summary_enable.eq(advance)
        with m.If(advance & walking):
            m.d.sync += [
                self.summary_address.eq(self.summary_address + 1),
                at.chunk.eq(Mux(last_chunk, 0, at.chunk + 1)),
            ]
            with m.If(last_chunk):
                m.d.sync += [
                    at.y.eq(Mux(last_line, 0, at.y + 1)),
                    at.map.eq(at.map + settings.map_size.width + 1),
                    at.word.eq(Mux(last_group, 0, at.word + settings.map_size.width + 1)),
                ]
            with m.If(last_line):
                m.d.sync += at.group.eq(Mux(last_group, 0, at.group + 1))
            with m.If(last_group):
                m.d.sync += at.plane.eq(at.plane + 1)
            with m.If(last_plane):
                m.d.sync += walking.eq(0)
        with m.If(self.start):
            m.d.sync += [
                walking.eq(1),
                at.eq(0),
                at.map.eq(self.map_first),
                self.summary_address.eq(self.summary_first),
            ]

        # The summary word that is there: its words with spikes, from the lowest.
        chunk = Signal(line)
        chunk_valid = Signal()
        words_taken = Signal(LINE_WORDS)
        word_ready = Signal()
        words = self.summary_word & ~words_taken
        word = _lowest(m, "word", words)
        word_valid = chunk_valid & words.any()
        x = Signal(params.size_bits)
        m.d.comb += [
            x.eq(Cat(word.number, chunk.chunk)),
            advance.eq(~chunk_valid | ~words.any() | (word.last & word_ready)),
            self.map_address.eq(chunk.map + x),
            self.map_enable.eq(word_ready),
        ]
        with m.If(advance):
            m.d.sync += [chunk_valid.eq(walking), chunk.eq(at), words_taken.eq(0)]
        with m.Elif(word_ready):
            m.d.sync += words_taken.eq(words_taken | word.mask)

        # The map word that is there: its spikes, from the lowest.
        place = Signal(line)
        place_x = Signal(params.size_bits)
        place_word = Signal(params.map_address_bits)
        place_valid = Signal()
        taken = Signal(params.lanes)
        spikes = self.map_word & ~taken
        spike = _lowest(m, "spike", spikes)
        whole = settings.row_kind.words
        event = self.events.payload
        m.d.comb += [
            self.events.valid.eq(place_valid & spikes.any()),
            event.plane.eq(place.plane),
            event.group.eq(place.group),
            event.y.eq(place.y),
            event.x.eq(place_x),
            event.word.eq(place_word),
            event.lane.eq(Mux(whole, 0, spike.number)),
            event.mask.eq(Mux(whole, self.map_word, Const((1 << params.lanes) - 1, params.lanes))),
            word_ready.eq(
                ~place_valid | ~spikes.any() | ((whole | spike.last) & self.events.ready)
            ),
            self.busy.eq(walking | chunk_valid | place_valid),
        ]
        with m.If(word_ready):
            m.d.sync += [
                place_valid.eq(word_valid),
                place.eq(chunk),
                place_x.eq(x),
                place_word.eq(chunk.word + x),
                taken.eq(0),
            ]
        with m.Elif(self.events.ready):
            m.d.sync += taken.eq(taken | spike.mask)
        return m


class _Lowest:
    """The lowest set bit of a value: its mask, its number, and whether it is the only one."""

    def __init__(self, mask: Signal, number: Signal, last: Signal) -> None:
        self.mask, self.number, self.last = mask, number, last


def _lowest(m: Module, name: str, bits: Value) -> _Lowest:
    width = len(bits)
    found = _Lowest(
        Signal(width, name=f"{name}_mask"),
        Signal((width - 1).bit_length(), name=f"{name}_number"),
        Signal(name=f"{name}_last"),
    )
    m.d.comb += [found.mask.eq(bits & (~bits + 1)), found.last.eq((bits & ~found.mask) == 0)]
    for bit in range((width - 1).bit_length()):
        chosen = [found.mask[at] for at in range(width) if at >> bit & 1]
        m.d.comb += found.number[bit].eq(Cat(*chosen).any())
    return found
