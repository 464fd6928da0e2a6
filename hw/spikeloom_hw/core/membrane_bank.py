"""One lane's membranes: a read-modify-write every cycle, without a stall.

::

    cycle        0             1                   2
    operation    read address  add, write
    next one                   read address        add, write
                               └ same address? the sum is forwarded, not read

A block RAM has one read and one write port, which the additions of a step and the update at its
end take in turn. It holds ``leak(v) + bias`` between steps, so that the additions of a step end in
the potential ``u`` without a memory of their own.
"""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from spikeloom_hw.core.bank_shape import BankShape
from spikeloom_hw.core.layouts import OperationLayout, UpdatedLayout
from spikeloom_hw.core.memory_shape import BLOCK_RAM, DISTRIBUTED_RAM
from spikeloom_hw.core.params import LayerParams
from spikeloom_hw.core.write_port import write_port


class MembraneBank(wiring.Component):
    """The potentials of one lane's neurons.

    Cycles: one an operation, whatever its address.

    Members:
        operations: In, :class:`OperationLayout`. Never together with ``scan``.
        scan: In, the address to read for the update.
        potential: Out, what lies at the address scanned in the cycle before.
        updated: In, an address and the potential to store there. Never together with operations.
    """

    def __init__(self, params: LayerParams | BankShape, init: list[int]) -> None:
        self.params = params
        self.potentials = Memory(
            shape=signed(params.accumulator_bits),
            depth=params.bank_depth,
            init=init,
            attrs=DISTRIBUTED_RAM if params.distributed_banks else BLOCK_RAM,
        )
        super().__init__(
            {
                "operations": In(stream.Signature(OperationLayout(params), always_ready=True)),
                "scan": In(params.group_bits),
                "potential": Out(signed(params.accumulator_bits)),
                "updated": In(stream.Signature(UpdatedLayout(params), always_ready=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.potentials = self.potentials
        read = self.potentials.read_port()
        write = write_port(m, self.potentials)
        operation = self.operations.payload

        # Read what the operation, or the update, asks for.
        m.d.comb += read.addr.eq(Mux(self.operations.valid, operation.address, self.scan))

        # A cycle later: add and write.
        adding = Signal()
        address = Signal(self.params.group_bits)
        weight = Signal(signed(self.params.weight_bits))
        m.d.sync += [
            adding.eq(self.operations.valid),
            address.eq(operation.address),
            weight.eq(operation.weight),
        ]
        total = Signal(signed(self.params.accumulator_bits))
        m.d.comb += [
            total.eq(self.potential + weight),
            write.en.eq(adding | self.updated.valid),
            write.addr.eq(Mux(adding, address, self.updated.payload.address)),
            write.data.eq(Mux(adding, total, self.updated.payload.potential)),
        ]

        # The memory shows what was there before the write: a sum just made is forwarded.
        forward = Signal()
        forwarded = Signal(signed(self.params.accumulator_bits))
        m.d.sync += [
            forward.eq(adding & (read.addr == address)),
            forwarded.eq(total),
        ]
        m.d.comb += self.potential.eq(Mux(forward, forwarded, read.data))
        return m
