"""From an event to the rows of its taps.

```
 cycle    0          1           2         3 …
 event ─► divide ──► multiply ─► add up ─► a tap a cycle ─► row, base
          stride     pitch       bases     inside the map
```

`spikeloom_hw.engine.rows` has the numbers of rows. A tap outside the map is passed over in a cycle,
a line of taps outside it in one as well; no word is read for it.
"""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom_hw.engine.layouts import (
    MapEventLayout,
    PlaceLayout,
    ReadLayout,
    SettingsLayout,
)
from spikeloom_hw.engine.params import EngineParams


class RowSource(wiring.Component):
    """Counts the taps of each event.

    Cycles: one a tap inside the map, one a tap outside it in a line inside, one a line outside. The
    first row leaves four cycles behind its event.

    Members:
        settings: In.
        events: In, `MapEventLayout`.
        reads: Out, `ReadLayout`.
        busy: Out, an event is under way.
    """

    def __init__(self, params: EngineParams) -> None:
        self.params = params
        super().__init__(
            {
                "settings": In(SettingsLayout(params)),
                "events": In(stream.Signature(MapEventLayout(params))),
                "reads": Out(stream.Signature(ReadLayout(params))),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        params, settings = self.params, self.settings
        kind = settings.row_kind
        size = params.size_bits + 1
        listed = kind.indexed & ~kind.words
        common = {"mask": params.lanes, "shift": params.shift_bits, "unit": params.row_bits}
        coordinate = signed(size + 1)
        quotients = data.StructLayout(
            {**common, "group": params.size_bits, "qy": size, "fy": 2, "qx": size, "fx": 2}
        )
        state, rows = params.state_address_bits, params.row_bits
        products = data.StructLayout(
            {
                **common,
                "group": params.size_bits,
                "qy": size,
                "qx": coordinate,
                "down": state,
                "across": state,
                "lines": rows,
                "phases": rows,
            }
        )
        start = data.StructLayout(
            {
                "place": PlaceLayout(params),
                "row": rows,
                "y": coordinate,
                "x": coordinate,
            }
        )
        divided, multiplied, added = (
            Signal(layout, name=name)
            for layout, name in ((quotients, "divided"), (products, "multiplied"), (start, "added"))
        )
        divided_valid, multiplied_valid, added_valid = (
            Signal(name=name) for name in ("divided_valid", "multiplied_valid", "added_valid")
        )
        divided_ready, multiplied_ready, added_ready, tap_ready = (
            Signal(name=name)
            for name in ("divided_ready", "multiplied_ready", "added_ready", "tap_ready")
        )
        m.d.comb += [
            divided_ready.eq(~divided_valid | multiplied_ready),
            multiplied_ready.eq(~multiplied_valid | added_ready),
            added_ready.eq(~added_valid | tap_ready),
            self.events.ready.eq(divided_ready),
        ]

        # Quotients and phases; the number of the unit.
        event = self.events.payload
        unit = Signal(rows)
        where = Mux(kind.indexed, event.word, event.group)
        shift = event.plane + kind.shift
        most = (1 << params.shift_bits) - 1
        m.d.comb += unit.eq(Mux(kind.words, where, (where << params.lane_bits) + event.lane))
        qy, fy = _divide(m, "y", event.y + settings.padding.y, kind.stride_y, params)
        qx, fx = _divide(m, "x", event.x + settings.padding.x, kind.stride_x, params)
        with m.If(divided_ready):
            m.d.sync += [
                divided_valid.eq(self.events.valid),
                divided.mask.eq(event.mask),
                divided.shift.eq(Mux(shift > most, most, shift)),
                divided.unit.eq(unit),
                divided.group.eq(Mux(kind.words & ~kind.indexed, event.group, 0)),
                divided.qy.eq(qy),
                divided.fy.eq(fy),
                divided.qx.eq(qx),
                divided.fx.eq(fx),
            ]

        # Distances from the first state and the first row.
        x = Signal(coordinate)
        m.d.comb += x.eq(divided.qx - settings.taps.back)
        with m.If(multiplied_ready):
            m.d.sync += [
                multiplied_valid.eq(divided_valid),
                multiplied.mask.eq(divided.mask),
                multiplied.shift.eq(divided.shift),
                multiplied.unit.eq(divided.unit),
                multiplied.group.eq(divided.group),
                multiplied.qy.eq(divided.qy),
                multiplied.qx.eq(x),
                multiplied.down.eq(divided.qy * settings.line_pitch.size),
                multiplied.across.eq(x * settings.place_pitch.size),
                multiplied.lines.eq(_few(divided.fy, settings.phase_lines.size)),
                multiplied.phases.eq(_few(divided.fx, settings.phase_rows.size)),
            ]
        with m.If(added_ready):
            before = settings.target.base - 1
            m.d.sync += [
                added_valid.eq(multiplied_valid),
                added.place.mask.eq(multiplied.mask),
                added.place.shift.eq(multiplied.shift),
                added.place.base.eq(
                    Mux(
                        listed,
                        before,
                        before + multiplied.group + multiplied.down + multiplied.across,
                    )
                ),
                added.row.eq(
                    settings.rows.base
                    + multiplied.unit
                    + Mux(listed, 0, multiplied.lines + multiplied.phases)
                ),
                added.y.eq(multiplied.qy),
                added.x.eq(multiplied.qx),
            ]

        # Taps, across and then down.
        valid = Signal()
        tap = Signal(start)
        line = Signal(start)
        jy, jx = Signal(params.tap_bits), Signal(params.tap_bits)
        above = (tap.y >= 0) & (tap.y <= settings.target_size.height)
        beside = ((tap.x >= 0) | (settings.taps.back != 0)) & (tap.x <= settings.target_size.width)
        passed = Signal()
        line_done = Signal()
        done = Signal()
        m.d.comb += [
            self.reads.valid.eq(valid & (listed | (above & beside))),
            self.reads.payload.row.eq(tap.row),
            self.reads.payload.place.eq(tap.place),
            passed.eq(~self.reads.valid | self.reads.ready),
            line_done.eq(listed | ~above | (jx == settings.taps.x)),
            done.eq(listed | (line_done & (jy == settings.taps.y))),
            tap_ready.eq(~valid | (passed & done)),
            self.busy.eq(divided_valid | multiplied_valid | added_valid | valid),
        ]
        with m.If(tap_ready):
            m.d.sync += [valid.eq(added_valid), tap.eq(added), line.eq(added), jy.eq(0), jx.eq(0)]
        with m.Elif(passed & line_done):
            next_row = line.row + settings.line_rows.size
            next_base = line.place.base - settings.line_pitch.size
            m.d.sync += [
                jy.eq(jy + 1),
                jx.eq(0),
                tap.x.eq(line.x),
                tap.y.eq(tap.y - 1),
                tap.row.eq(next_row),
                tap.place.base.eq(next_base),
                line.row.eq(next_row),
                line.place.base.eq(next_base),
            ]
        with m.Elif(passed):
            m.d.sync += [
                jx.eq(jx + 1),
                tap.x.eq(tap.x - 1),
                tap.row.eq(tap.row + settings.tap_rows.size),
                tap.place.base.eq(tap.place.base - settings.place_pitch.size),
            ]
        return m


def _divide(
    m: Module, name: str, value: Value, stride: Value, params: EngineParams
) -> tuple[Signal, Signal]:
    """Quotient and remainder by a stride, which is given less one."""
    given = Signal(params.size_bits + 1, name=f"{name}_padded")
    quotient = Signal(params.size_bits + 1, name=f"{name}_quotient")
    phase = Signal(2, name=f"{name}_phase")
    m.d.comb += given.eq(value)
    with m.Switch(stride):
        for own in params.strides:
            with m.Case(own - 1):
                m.d.comb += [quotient.eq(given // own), phase.eq(given % own)]
        with m.Default():
            m.d.comb += quotient.eq(given)
    return quotient, phase


def _few(factor: Value, value: Value) -> Value:
    """A product with a number of two bits."""
    return Mux(factor[0], value, 0) + (Mux(factor[1], value, 0) << 1)
