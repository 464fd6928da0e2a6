"""A host that speaks the protocol to a simulated device, a request at a time."""

from amaranth.hdl import Fragment
from amaranth.sim import Simulator

from spikeloom.host import protocol
from spikeloom.host.frames import FrameReader, frame

PATIENCE = 30_000


class NoAnswerError(AssertionError):
    """The device said nothing for longer than anything takes."""


class Host:
    """The host's end of a stream of bytes.

    Attributes:
        sequence: number of the next ordered command.
    """

    def __init__(self, ctx, received, sent):
        self.ctx, self.received, self.sent = ctx, received, sent
        self.reader = FrameReader()
        self.sequence = 0
        self.heard = []

    async def send(self, data):
        """Bytes to the device, one a cycle; what it says meanwhile is kept."""
        for byte in data:
            self.ctx.set(self.received.payload, byte)
            self.ctx.set(self.received.valid, 1)
            await self.listen()
        self.ctx.set(self.received.valid, 0)

    async def listen(self):
        """One cycle."""
        self.ctx.set(self.sent.ready, 1)
        said = self.ctx.get(self.sent.valid), self.ctx.get(self.sent.payload)
        await self.ctx.tick()
        if said[0]:
            self.heard += map(protocol.decode_answer, self.reader.feed(bytes([said[1]])))

    async def answer(self):
        """The next answer."""
        for _ in range(PATIENCE):
            if self.heard:
                return self.heard.pop(0)
            await self.listen()
        raise NoAnswerError

    async def ask(self, command, payload=b"", *, sequence=None):
        """The answer to a request."""
        own = self.sequence if sequence is None else sequence
        await self.send(frame(protocol.encode_request(own, command, payload)))
        answer = await self.answer()
        self.sequence = answer.next
        return answer


def simulate(dut, *benches, background=()):
    """Run each bench to its end, and those in the background as long."""
    simulator = Simulator(Fragment.get(dut, None))
    simulator.add_clock(1e-6)
    for bench in benches:
        simulator.add_testbench(bench)
    for bench in background:
        simulator.add_testbench(bench, background=True)
    simulator.run()
