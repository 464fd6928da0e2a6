"""Reads the program, loads settings, and lets the units work one after another."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom_hw.core.loadable_memory import ChunkLayout, LoadableMemory
from spikeloom_hw.core.memory_shape import CHUNK_BITS
from spikeloom_hw.engine.layouts import SettingsLayout
from spikeloom_hw.engine.params import LANE_PARAMETERS, EngineParams
from spikeloom_hw.engine.program import (
    OPCODE_BITS,
    OPERAND_BITS,
    Opcode,
    register_numbers,
    registers,
)

UNITS = (Opcode.CLEAR, Opcode.INPUT, Opcode.SCAN, Opcode.SWEEP, Opcode.OUTPUT)
"""Instructions that a unit carries out, in the order of the bits of `start`."""


class Sequencer(wiring.Component):
    """Executes a program, from its first word whenever an event is there and nothing runs.

    Cycles: two for `SET`, one for each other instruction; one more behind a unit.

    Members:
        go: In, an event is there.
        stop: In, something is loaded: be idle as soon as the unit under way is.
        start: Out, one bit for each of `UNITS`, in the cycle before it begins.
        working: In, a unit is busy.
        settings: Out.
        broadcast: Out, a parameter for all lanes.
        map_page, summary_page: Out, where the page of the step begins.
        map_before, summary_before: Out, where that of the step before does.
        table_address: In, a word of the program that a unit reads while it works.
        word: Out, the word read in the cycle before.
        running: Out, a program is under way.
        load, chunk: of the program memory, as `LoadableMemory` has them.
    """

    def __init__(self, params: EngineParams) -> None:
        self.params = params
        self.program = LoadableMemory(params.memories["program"], init=[], loadable=True)
        chunk = ChunkLayout(self.program.shape.address_bits)
        value = data.StructLayout({"parameter": 3, "value": signed(params.state_bits)})
        super().__init__(
            {
                "go": In(1),
                "stop": In(1),
                "start": Out(len(UNITS)),
                "working": In(1),
                "settings": Out(SettingsLayout(params)),
                "broadcast": Out(stream.Signature(value, always_ready=True)),
                "map_page": Out(params.map_address_bits),
                "summary_page": Out(params.summary_address_bits),
                "map_before": Out(params.map_address_bits),
                "summary_before": Out(params.summary_address_bits),
                "table_address": In(params.program_address_bits),
                "word": Out(params.program_bits),
                "running": Out(1),
                "load": In(stream.Signature(chunk, always_ready=True)),
                "chunk": Out(CHUNK_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        params, settings = self.params, self.settings
        m.submodules.program = program = self.program
        wiring.connect(m, wiring.flipped(self.load), program.load)
        m.d.comb += [
            self.chunk.eq(program.chunk),
            self.word.eq(program.data),
            program.enable.eq(1),
        ]

        # Time: the step, and the page of its maps.
        time = Signal(12)
        page = Signal(12)
        last_step = time == settings.steps.last
        last_page = page == settings.pages.last
        next_step, rewind = Signal(), Signal()
        with m.If(next_step):
            m.d.sync += [
                time.eq(time + 1),
                page.eq(Mux(last_page, 0, page + 1)),
                self.map_before.eq(self.map_page),
                self.summary_before.eq(self.summary_page),
                self.map_page.eq(Mux(last_page, 0, self.map_page + settings.page_words.size)),
                self.summary_page.eq(
                    Mux(last_page, 0, self.summary_page + settings.page_summary.size)
                ),
            ]
        with m.If(rewind):
            m.d.sync += [
                time.eq(0),
                page.eq(0),
                self.map_page.eq(0),
                self.summary_page.eq(0),
                self.map_before.eq(0),
                self.summary_before.eq(0),
            ]

        # Instructions. The word of the address in a cycle is there in the next one.
        at = Signal(params.program_address_bits)
        mark = Signal(params.program_address_bits)
        register = Signal(OPERAND_BITS)
        beyond = Signal()
        operand = self.word[:OPERAND_BITS]
        opcode = self.word[OPERAND_BITS : OPERAND_BITS + OPCODE_BITS]
        following = Signal(params.program_address_bits + 1)
        skips = Signal()
        m.d.comb += [
            self.running.eq(1),
            following.eq(at + 1),
            program.address.eq(following),
        ]

        def go_on() -> None:
            m.d.sync += [at.eq(following), beyond.eq(following >= params.program_words)]

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [
                    self.running.eq(0),
                    following.eq(0),
                    rewind.eq(1),
                ]
                m.d.sync += [at.eq(0), mark.eq(0), beyond.eq(0)]
                with m.If(self.go & ~self.stop):
                    m.next = "DECODE"
            with m.State("DECODE"):
                go_on()
                with m.Switch(opcode):
                    with m.Case(Opcode.SET):
                        m.d.sync += register.eq(operand)
                        m.next = "VALUE"
                    with m.Case(Opcode.LOOP):
                        m.d.sync += mark.eq(following)
                    with m.Case(Opcode.STEP):
                        with m.If(last_step):
                            m.d.comb += rewind.eq(1)
                        with m.Else():
                            m.d.comb += [next_step.eq(1), following.eq(mark)]
                    with m.Case(Opcode.SKIP_FIRST):
                        m.d.comb += skips.eq(time == 0)
                    with m.Case(Opcode.SKIP_BEFORE_LAST):
                        m.d.comb += skips.eq(~last_step)
                    for bit, unit in enumerate(UNITS):
                        with m.Case(unit):
                            m.d.comb += self.start[bit].eq(~beyond & ~self.stop)
                            m.next = "WAIT"
                    with m.Default():
                        m.next = "IDLE"
                with m.If(skips):
                    m.d.comb += following.eq(at + 1 + operand)
                with m.If(beyond | self.stop):
                    m.next = "IDLE"
            with m.State("VALUE"):
                go_on()
                m.next = "DECODE"
                for name, number in register_numbers(params).items():
                    with m.If(register == number):
                        m.d.sync += settings[name].as_value().eq(self.word)
                        if name in LANE_PARAMETERS:
                            m.d.comb += [
                                self.broadcast.valid.eq(1),
                                self.broadcast.payload.parameter.eq(LANE_PARAMETERS.index(name)),
                            ]
                with m.If(beyond | self.stop):
                    m.next = "IDLE"
            with m.State("WAIT"):
                m.d.comb += program.address.eq(self.table_address)
                with m.If(~self.working):
                    m.d.comb += program.address.eq(at)
                    m.next = "DECODE"
                    with m.If(self.stop):
                        m.next = "IDLE"
        m.d.comb += self.broadcast.payload.value.eq(self.word)
        assert len(registers(params)) <= 1 << OPERAND_BITS
        return m
