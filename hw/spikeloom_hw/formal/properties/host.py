"""The link to the host: bytes as they were sent, words as they are meant, rules of streams."""

from amaranth.hdl import Cat, Signal

from spikeloom_hw.events import EventLayout, ScoreLayout
from spikeloom_hw.formal.bench import Bench
from spikeloom_hw.formal.proof import Proof
from spikeloom_hw.host import protocol
from spikeloom_hw.host.answers import AnswerEncoder
from spikeloom_hw.host.register import StreamRegister
from spikeloom_hw.host.uart import FRAME_BITS, SHORTEST_BIT, UartReceiver, UartTransmitter
from spikeloom_hw.host.words import WordDecoder

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
    dut = WordDecoder(event=event, inputs=_INPUTS)
    bench.add(dut)
    bench.drive(dut.bytes, "bytes")
    for name in ("events", "identify", "tell"):
        bench.take(getattr(dut, name), name)
        bench.prove(bench.lawful(getattr(dut, name)))
    taken = dut.bytes.valid & dut.bytes.ready

    # Naively: the word that is complete, until its effect.
    half = Signal()
    word = Signal(16)
    pending = Signal()
    with m.If(taken):
        m.d.sync += [half.eq(~half), word.eq(Cat(word[8:], dut.bytes.payload))]
    ignored = dut.ignored != bench.before(dut.ignored)
    happened = [port.valid & port.ready for port in (dut.events, dut.identify, dut.tell)]
    effect = happened[0] | happened[1] | happened[2] | ignored
    with m.If(taken & half):
        m.d.sync += pending.eq(1)
    with m.Elif(effect):
        m.d.sync += pending.eq(0)
    step = (word == protocol.STEP) | (word == protocol.LAST_STEP)
    meant = [
        (word < _INPUTS) | step,
        word == protocol.IDENTIFY,
        word == protocol.COUNTERS,
    ]
    nothing = ~(meant[0] | meant[1] | meant[2])
    bench.prove(~effect | pending)
    for came, means in zip(happened, meant, strict=True):
        bench.prove(~came | means)
    bench.prove(~ignored | nothing)
    # The next word begins when this one has had its effect.
    bench.prove(~taken | ~pending | ignored)
    with m.If(happened[0]):
        bench.prove(dut.events.payload.step == step)
        bench.prove(step | (dut.events.payload.address == word))
        bench.prove(~step | (dut.events.payload.last == (word == protocol.LAST_STEP)))
    bench.cover(happened[0] & dut.events.payload.last)
    bench.cover(happened[1])
    bench.cover(happened[2])
    bench.cover(ignored & (word == _INPUTS))


def answers(bench: Bench) -> None:
    """Bytes that are offered stay; a score is told in four bytes, the last one with the class."""
    m = bench.m
    score = ScoreLayout(5, 2)
    dut = AnswerEncoder(score=score, identity=b"SPKL")
    bench.add(dut)
    bench.drive(dut.scores, "scores")
    for name in ("identify", "tell"):
        bench.drive(getattr(dut, name), name)
    bench.take(dut.bytes, "bytes")
    bench.prove(bench.lawful(dut.bytes))
    sent = dut.bytes.valid & dut.bytes.ready
    told = dut.scores.valid & dut.scores.ready
    identified = dut.identify.valid & dut.identify.ready
    # Bytes since an answer began; an answer's end is the cycle that takes what it answers.
    count = Signal(4)
    m.d.sync += count.eq(count + sent)
    last = dut.scores.payload.last
    with m.If(told | identified):
        m.d.sync += count.eq(0)
    bench.prove(~told | (sent & (count == protocol.SCORE_BYTES - 1 + last)))
    bench.prove(~identified | (sent & (count == 3)))
    bench.prove(~(told & identified))
    value = Signal(8)
    m.d.comb += value.eq(dut.scores.payload.value)
    with m.If(told & last):
        bench.prove(dut.bytes.payload == dut.scores.payload.best)
    with m.If(told & ~last):
        bench.prove(dut.bytes.payload == value[-1].replicate(8))
    bench.cover(told & last)
    bench.cover(identified)


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
        "the network does not have is ignored and counted; what is offered stays.",
        size="5 addresses",
        mode="bounded",
        depth=11,
        reach=8,
        build=words,
    ),
    Proof(
        name="host.answers",
        sentence="A score is four bytes and a sample's last one five, the class; no answer is "
        "inside another; a byte that is offered stays until it is taken.",
        size="scores of 5 bits",
        mode="bounded",
        depth=16,
        reach=9,
        build=answers,
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
