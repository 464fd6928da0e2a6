"""From a word's synapses to one operation for each bank."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom_hw.core.layouts import OperationLayout
from spikeloom_hw.engine.banks import bank_shape
from spikeloom_hw.engine.layouts import WordLayout
from spikeloom_hw.engine.params import EngineParams


class Unpack(wiring.Component):
    """Counts each lane's gaps from one before its row begins, and moves its weight to the left.

    Cycles: one a word; operations leave a cycle after their word.

    Members:
        words: In, `WordLayout`.
        operations: Out, one stream a lane, always taken.
        busy: Out, operations are under way.
    """

    def __init__(self, params: EngineParams) -> None:
        self.params = params
        operation = stream.Signature(OperationLayout(bank_shape(params)), always_ready=True)
        super().__init__(
            {
                "words": In(stream.Signature(WordLayout(params), always_ready=True)),
                "operations": Out(operation).array(params.lanes),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        params, word = self.params, self.words.payload
        working = Signal()
        m.d.sync += working.eq(self.words.valid)
        m.d.comb += self.busy.eq(working)
        for lane, operation in enumerate(self.operations):
            slot = word.slots[lane]
            origin = Signal(params.state_address_bits, name=f"origin_{lane}")
            address = Signal(params.state_address_bits, name=f"address_{lane}")
            moved = Signal(signed(params.state_bits), name=f"moved_{lane}")
            m.d.comb += [
                # From one before: less its gap's complement is its gap and one more.
                address.eq(
                    Mux(word.first, word.place.base, origin) - Cat(~slot.index, 1).as_signed()
                ),
                moved.eq(slot.weight << word.place.shift),
            ]
            with m.If(self.words.valid):
                m.d.sync += origin.eq(address)
            used = (slot.weight != 0) & word.place.mask[lane]
            m.d.sync += [
                operation.valid.eq(self.words.valid & used),
                operation.payload.address.eq(address),
                operation.payload.weight.eq(moved),
            ]
        return m
