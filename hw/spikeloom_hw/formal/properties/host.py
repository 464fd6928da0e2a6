"""The link to the host: bytes as they were sent, words as they are meant, rules of streams."""

from amaranth.hdl import Array, Cat, Mux, Signal

from spikeloom.host import protocol
from spikeloom.host.protocol import Status
from spikeloom_hw.events import EventLayout
from spikeloom_hw.formal.bench import Bench
from spikeloom_hw.formal.proof import Proof
from spikeloom_hw.host.commands.events import EventsCommand
from spikeloom_hw.host.frame_receiver import SLOT_BYTES, SLOTS, FrameReceiver
from spikeloom_hw.host.register import StreamRegister
from spikeloom_hw.host.samples import SampleGate
from spikeloom_hw.host.uart import FRAME_BITS, SHORTEST_BIT, UartReceiver, UartTransmitter

_INPUTS = 5
_BYTE_CYCLES = FRAME_BITS * SHORTEST_BIT + 3
_BYTES = 2


def receiver(bench: Bench) -> None:
    """Whatever the line does."""
    dut = UartReceiver(SHORTEST_BIT)
    bench.add(dut)
    line = bench.any(name="line")
    bench.m.d.comb += dut.rx.eq(line)
    bench.take(dut.bytes, "bytes")
    # A frame of zeros that begins at once.
    cycle = Signal(7)
    bench.m.d.sync += cycle.eq(cycle + ~cycle.all())
    bench.lead(line == (cycle >= (FRAME_BITS - 1) * SHORTEST_BIT))
    bench.lead(dut.bytes.ready == (cycle > _BYTE_CYCLES))
    bench.prove(bench.lawful(dut.bytes))
    bench.cover(bench.before(dut.bytes.valid & ~dut.bytes.ready) & dut.bytes.ready)


def line(bench: Bench) -> None:
    """A transmitter's line into a receiver whose bytes are taken at once."""
    m = bench.m
    sender, dut = UartTransmitter(SHORTEST_BIT), UartReceiver(SHORTEST_BIT)
    bench.add(sender, "sender")
    bench.add(dut)
    bench.drive(sender.bytes, "bytes", lawful=False)
    m.d.comb += [dut.rx.eq(sender.tx), dut.bytes.ready.eq(1)]
    # The first byte at once, the next one offered shortly before the frame's end or after it.
    pause = bench.constant(3, name="pause")
    cycle = Signal(range(_BYTES * _BYTE_CYCLES))
    m.d.sync += cycle.eq(cycle + 1)
    begins = FRAME_BITS * SHORTEST_BIT - SHORTEST_BIT + pause
    bench.assume(sender.bytes.valid == ((cycle == 0) | (cycle >= begins)))
    sent = sender.bytes.valid & sender.bytes.ready
    got = dut.bytes.valid

    number = bench.constant(1, name="number")
    sends, gets = Signal(3), Signal(3)
    byte = Signal(8)
    m.d.sync += [sends.eq(sends + sent), gets.eq(gets + got)]
    with m.If(sent & (sends == number)):
        m.d.sync += byte.eq(sender.bytes.payload)
    bench.prove(~got | (gets < sends))
    bench.prove(~(got & (gets == number)) | (dut.bytes.payload == byte))
    bench.prove(~dut.framing_errors.any() & ~dut.overruns.any())
    waited = Signal(range(_BYTE_CYCLES + 2))
    with m.If(gets == sends):
        m.d.sync += waited.eq(0)
    with m.Elif(got):
        m.d.sync += waited.eq(0)
    with m.Else():
        m.d.sync += waited.eq(waited + 1)
    bench.prove(waited <= _BYTE_CYCLES)
    bench.cover(got & (dut.bytes.payload == 0xA5))


def words(bench: Bench) -> None:
    """A word in two bytes, low byte first, has exactly the one effect that it means."""
    m = bench.m
    event = EventLayout(3)
    dut = EventsCommand(event=event, inputs=_INPUTS)
    bench.add(dut)
    bench.drive(dut.payload, "payload")
    bench.take(dut.events, "events")
    bench.take(dut.answer, "answer")
    bench.prove(bench.lawful(dut.events))
    bench.prove(bench.lawful(dut.answer))
    beat = dut.payload.payload
    taken = dut.payload.valid & dut.payload.ready

    # Naively: the word that is complete, until its effect.
    half = Signal()
    word = Signal(16)
    pending, ended, wrong = Signal(), Signal(), Signal()
    with m.If(taken & ~beat.end):
        m.d.sync += [half.eq(~half), word.eq(Cat(word[8:], beat.data))]
    with m.If(taken & beat.end):
        m.d.sync += [half.eq(0), ended.eq(1), wrong.eq(wrong | half)]
    happened = dut.events.valid & dut.events.ready
    effect = happened | dut.ignored
    with m.If(taken & ~beat.end & half):
        m.d.sync += pending.eq(1)
    with m.Elif(effect):
        m.d.sync += pending.eq(0)
    step = (word == protocol.STEP) | (word == protocol.LAST_STEP)
    meant = (word < _INPUTS) | step
    bench.prove(~effect | pending)
    bench.prove(~happened | meant)
    bench.prove(~dut.ignored | ~meant)
    bench.prove(~(happened & dut.ignored))
    with m.If(dut.ignored):
        m.d.sync += wrong.eq(1)
    # The next word begins when this one has had its effect.
    bench.prove(~taken | ~pending)
    with m.If(happened):
        bench.prove(dut.events.payload.step == step)
        bench.prove(step | (dut.events.payload.address == word))
        bench.prove(~step | (dut.events.payload.last == (word == protocol.LAST_STEP)))
    # The answer comes at the end, and says whether all was well.
    answered = dut.answer.valid & dut.answer.ready
    bench.prove(~dut.answer.valid | ended & ~pending)
    with m.If(answered):
        bench.prove(dut.answer.payload.end)
        bench.prove(dut.answer.payload.data == Mux(wrong, Status.MALFORMED, Status.OK))
        m.d.sync += [ended.eq(0), wrong.eq(0)]
    bench.assume(~(taken & ended))
    bench.cover(happened & dut.events.payload.last)
    bench.cover(answered & ~wrong)
    bench.cover(dut.ignored & (word == _INPUTS))


def slots(bench: Bench) -> None:
    """Whatever is on the line, a frame that waits is not written over."""
    m = bench.m
    dut = FrameReceiver()
    inside = bench.add(dut)
    m.d.comb += [
        dut.bytes.valid.eq(bench.any(name="valid")),
        dut.bytes.payload.eq(bench.any(8, name="byte")),
    ]
    inside.let_loose("checksum")
    bench.take(dut.frames, "frames")
    bench.take(dut.refused, "refused")
    frames = dut.frames
    full = [inside[f"full_{number}"] for number in range(SLOTS)]
    own = bench.constant(range(SLOTS), name="own")
    place = bench.constant(range(SLOT_BYTES), name="place")
    words = Array(inside.memory("slots"))
    byte = Signal(8)
    m.d.comb += byte.eq(words[Cat(place, own)])
    kept = bench.before(byte)
    waited = bench.before(Mux(own, full[1], full[0]))
    bench.prove(~waited | (byte == kept))
    bench.prove(bench.lawful(frames))
    # The slots are filled in turn, and offered in turn.
    filling, offering = inside["filling"], inside["offering"]
    bench.prove((full[0] == full[1]) == (filling == offering))
    bench.prove(~frames.valid | Mux(offering, full[1], full[0]))
    bench.prove(~(full[0] ^ full[1]) | Mux(offering, full[1], full[0]))
    # What is being written is free, or dropped at its end.
    free = ~Mux(filling, full[1], full[0])
    bench.prove((inside["length"] == 0) | inside["dropped"] | free)
    offered = Signal(8)
    m.d.comb += offered.eq(words[Cat(inside["index"], offering)])
    bench.prove(~frames.valid | (frames.payload.data == offered))
    bench.cover(full[0] & full[1])
    bench.lead(~dut.frames.ready)


def gate(bench: Bench) -> None:
    """Events pass as they are; what is given up is ended; rest is when nothing is inside."""
    m = bench.m
    dut = SampleGate(EventLayout(3))
    inside = bench.add(dut)
    bench.drive(dut.input, "input", lawful=False)
    bench.take(dut.output, "output")
    m.d.comb += [
        dut.give_up.eq(bench.any(name="give_up")),
        dut.told.eq(bench.any(name="told")),
    ]
    sent = dut.output.valid & dut.output.ready
    ends = dut.output.payload.step & dut.output.payload.last
    # Naively: whether a sample is begun, how many are inside, and whether the one that a reset may
    # have left has had no step.
    begun = Signal()
    unclean = Signal(init=1)
    count = Signal(8)
    with m.If(sent):
        m.d.sync += begun.eq(~ends)
        with m.If(dut.output.payload.step):
            m.d.sync += unclean.eq(0)
    m.d.sync += count.eq(count + (sent & ends) - dut.told)
    bench.assume(~dut.told | (count != 0))
    bench.assume(count < 4)
    bench.prove((inside["begun"] == begun) & (inside["inside"] == count))
    bench.prove(inside["unclean"] == unclean)
    bench.prove(dut.rest == (~begun & (count == 0) & ~(dut.give_up & unclean)))
    bench.prove(dut.waiting == (count != 0))
    with m.If(dut.give_up):
        step = dut.output.payload.step & (dut.output.payload.last == ~unclean)
        due = begun | unclean
        bench.prove(~dut.input.ready & (dut.output.valid == due) & (~dut.output.valid | step))
    with m.Else():
        bench.prove(dut.output.valid == dut.input.valid)
        bench.prove(dut.input.ready == dut.output.ready)
        bench.prove(dut.output.payload.as_value() == dut.input.payload.as_value())
    bench.cover(bench.before(dut.told) & dut.rest)
    bench.cover(dut.give_up & sent)


def register(bench: Bench) -> None:
    """One beat at a time."""
    m = bench.m
    dut = StreamRegister(4)
    bench.add(dut)
    bench.drive(dut.input, "input")
    bench.take(dut.output, "output")
    bench.prove(bench.lawful(dut.output))
    held = Signal()
    beat = Signal(4)
    with m.If(dut.input.valid & dut.input.ready):
        bench.prove(~held)
        m.d.sync += [held.eq(1), beat.eq(dut.input.payload)]
    with m.If(dut.output.valid & dut.output.ready):
        bench.prove(held & (dut.output.payload == beat))
        m.d.sync += held.eq(0)
    bench.prove(held == dut.output.valid)
    bench.prove(~held | (dut.output.payload == beat))
    bench.cover(dut.output.valid & dut.output.ready & (beat == 9))


PROOFS = (
    Proof(
        name="host.receiver",
        sentence="A byte that the receiver offers stays until it is taken, whatever the line does.",
        size="4 cycles a bit",
        mode="induction",
        depth=3,
        reach=52,
        build=receiver,
    ),
    Proof(
        name="host.line",
        sentence="Each byte that is sent is received, in order, unchanged, within "
        f"{_BYTE_CYCLES} cycles, and no frame is called broken.",
        size="4 cycles a bit, two bytes, the second close behind the first",
        mode="bounded",
        depth=_BYTES * _BYTE_CYCLES,
        reach=52,
        build=line,
    ),
    Proof(
        name="host.words",
        sentence="Each pair of bytes has the one effect that it means, in order; an address that "
        "the network does not have is skipped and told; what is offered stays; the answer comes "
        "last and says whether all was well.",
        size="5 addresses",
        mode="bounded",
        depth=14,
        reach=9,
        build=words,
    ),
    Proof(
        name="host.slots",
        sentence="Whatever is on the line, a frame that waits is not written over; a byte of it "
        "that is offered stays until it is taken.",
        size="two slots of 256 bytes, any checksum",
        mode="induction",
        depth=2,
        reach=14,
        build=slots,
    ),
    Proof(
        name="host.gate",
        sentence="Events pass as they are; a sample that is given up is ended, once, and in two "
        "steps at least if a reset may have left it; the core is at rest exactly when no sample is "
        "begun or inside.",
        size="8 addresses",
        mode="induction",
        depth=2,
        reach=6,
        build=gate,
    ),
    Proof(
        name="host.register",
        sentence="Each beat that enters the register leaves it, in order, and stays until it is "
        "taken.",
        size="4 bits",
        mode="induction",
        depth=2,
        reach=6,
        build=register,
    ),
)
