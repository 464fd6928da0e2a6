"""From a word's slots to one operation for each membrane bank."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom_hw.core.layouts import OperationLayout, StepLayout, WordLayout
from spikeloom_hw.core.params import LayerParams


class Unpack(wiring.Component):
    """Decodes the index of every slot and drops padding and escapes.

    Cycles: one a word; operations leave a cycle after their word.

    Members:
        words: In, :class:`WordLayout`.
        operations: Out, :class:`OperationLayout`, one stream a lane, always taken.
        steps: Out, :class:`StepLayout`, behind the operations of its step.
    """

    def __init__(self, params: LayerParams) -> None:
        self.params = params
        operation = stream.Signature(OperationLayout(params), always_ready=True)
        super().__init__(
            {
                "words": In(stream.Signature(WordLayout(params), always_ready=True)),
                "operations": Out(operation).array(params.lanes),
                "steps": Out(stream.Signature(StepLayout(), always_ready=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = self.words.payload
        m.d.sync += [
            self.steps.valid.eq(self.words.valid & word.step),
            self.steps.payload.last.eq(word.last),
        ]
        for lane, operation in enumerate(self.operations):
            slot = word.slots[lane]
            address = Signal(self.params.group_bits, name=f"address_{lane}")
            if self.params.index_form == "absolute":
                m.d.comb += address.eq(Cat(word.block, slot.index))
            else:
                origin = Signal(self.params.group_bits, name=f"origin_{lane}")
                with m.If(word.first):
                    m.d.comb += address.eq(slot.index)
                with m.Else():
                    m.d.comb += address.eq(origin + slot.index)
                with m.If(self.words.valid):
                    m.d.sync += origin.eq(address + 1)
            m.d.sync += [
                operation.valid.eq(self.words.valid & ~word.step & (slot.weight != 0)),
                operation.payload.address.eq(address),
                operation.payload.weight.eq(slot.weight),
            ]
        return m
