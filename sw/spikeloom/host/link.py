"""Requests and answers over a line that may lose or break bytes.

Two requests are under way at a time, as many as a device keeps. Requests are answered in their
order, so an answer tells that whatever was sent before it and is unanswered will stay so; and
every answer names the next ordered command, so all before that were carried out. From that alone
the link knows what to send again:

| what it hears                      | what it does                                              |
| ---------------------------------- | --------------------------------------------------------- |
| the answer to a request            | takes it, unless ordered commands before it were lost     |
| CORRUPT, OVERRUN, SEQUENCE         | sends again, when the device has nothing of ours any more |
| a broken frame                     | the same: it was the answer to the oldest request         |
| nothing for `patience` seconds     | sends again all that is unanswered                        |
| an answer to what was answered     | nothing                                                   |
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from spikeloom.host import frames
from spikeloom.host.failures import DeviceError, NoAnswerError
from spikeloom.host.protocol import (
    MAGIC,
    ORDERED,
    SEQUENCES,
    WINDOW,
    Answer,
    Command,
    Identity,
    Status,
    decode_answer,
    decode_identity,
    encode_request,
)
from spikeloom.host.transport import Transport

PATIENCE_SECONDS = 0.25
"""An answer takes far less, with a USB adapter in between."""
SILENCES = 8
"""After so many in a row, nobody is there."""
RESETS = 32
"""Attempts to reset a device, when something is heard that is no answer to it."""
ATTEMPTS = 2000
"""Of one request. Noise that lets one frame in a hundred through is overcome, a refusal is not."""

_REPEAT = frozenset({Status.CORRUPT, Status.OVERRUN, Status.SEQUENCE})
_NAMES = SEQUENCES // 2
"""Requests that are not ordered have names in the half of all numbers that is farthest from those
of the ordered ones under way."""

K = TypeVar("K")


@dataclass(frozen=True, kw_only=True)
class Request(Generic[K]):
    """What to ask.

    Attributes:
        key: tells the caller which one it is.
        command: what the device shall do.
        payload: with what.
    """

    key: K
    command: Command
    payload: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Reply(Generic[K]):
    """What came of a request.

    Attributes:
        key: of the request.
        status: OK if it was an ordered command of which only that it was carried out is known.
        payload: of the answer.
        sent: when its first byte was given to the line, in the line's time.
        heard: when its answer was there.
    """

    key: K
    status: Status | int
    payload: bytes
    sent: float
    heard: float


@dataclass(kw_only=True)
class Tally:
    """What a link has been through.

    Attributes:
        frames: requests sent, those sent again among them.
        repeated: requests sent again.
        broken: answers that arrived broken.
        refused: requests that the device could not read, or had no room for.
        silences: times that nothing came.
        bytes_sent, bytes_received: on the line.
    """

    frames: int = 0
    repeated: int = 0
    broken: int = 0
    refused: int = 0
    silences: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0


@dataclass(kw_only=True, eq=False)
class _Pending(Generic[K]):
    request: Request[K]
    name: int
    # Ordered commands before it, from the reset on.
    place: int
    ordered: bool
    attempts: int = 0
    sent: float = 0.0
    reply: Reply[K] | None = field(default=None)


class Link:
    """A conversation with one device, from its reset on.

    Args:
        transport: the line.
        patience: seconds without an answer, above what the line takes, before sending again.

    Attributes:
        tally: what it has been through.
    """

    def __init__(self, transport: Transport, *, patience: float = PATIENCE_SECONDS) -> None:
        self.transport = transport
        self.patience = patience
        self.tally = Tally()
        self._reader = frames.FrameReader()
        # Sequence number of the first ordered command; how many were given out, and carried out.
        self._origin = self._given = self._done = 0
        self._names = 0
        self._window: list[_Pending] = []
        self._flight: list[_Pending] = []
        self._holding = False
        self._silences = 0
        # A zero before a frame parts it from what noise has made of the one before.
        self._apart = True

    def reset(self) -> Identity:
        """Bring host and device together, whatever either has been through.

        Raises:
            NoAnswerError: nothing answers, or nothing that this host understands.
            PortError: the line is gone.
        """
        self._reader = frames.FrameReader()
        self._window, self._flight, self._holding = [], [], False
        # A number of its own each time: answers to those before us are still to come.
        name = secrets.randbelow(SEQUENCES)
        expected = (name + 1) % SEQUENCES
        started, heard = self.tally.bytes_received, 0
        for attempt in range(RESETS):
            if attempt >= SILENCES and not heard and not self._reader.refused:
                break
            self._apart = True
            until = self._write(self._frame(encode_request(name, Command.RESET)))
            while self.transport.now() < until:
                for answer in self._receive():
                    heard += 1
                    fits = (answer.sequence, answer.next) == (name, expected)
                    if fits and answer.payload.startswith(MAGIC):
                        self._origin, self._given, self._done = expected, 0, 0
                        return self._identity(answer)
            self.tally.silences += 1
            self.tally.repeated += 1
        raise NoAnswerError(self._unanswered(self.tally.bytes_received - started))

    def exchange(self, requests: Iterable[Request[K]]) -> Iterator[Reply[K]]:
        """Carry out requests, and give what came of them in their order.

        Requests are taken when there is room for them, so that what has been answered may decide
        what is asked next.

        Raises:
            NoAnswerError: the device has fallen silent.
            DeviceError: it has lost its place, as one does that was switched off.
            PortError: the line is gone.
        """
        source = iter(requests)
        exhausted = False
        while True:
            while not exhausted and len(self._window) < WINDOW:
                if (request := next(source, None)) is None:
                    exhausted = True
                else:
                    self._window.append(self._pending(request))
            if not self._window:
                return
            if self._window[0].reply is None:
                self._advance()
            while self._window and (reply := self._window[0].reply) is not None:
                del self._window[0]
                yield reply

    def ask(self, command: Command, payload: bytes = b"") -> Reply[None]:
        """Carry out one request; raises as `exchange` does."""
        (reply,) = self.exchange([Request(key=None, command=command, payload=payload)])
        return reply

    def _pending(self, request: Request[K]) -> _Pending[K]:
        place = self._given
        ordered = request.command in ORDERED
        if ordered:
            name = self._origin + place
            self._given += 1
        else:
            self._names = (self._names + 1) % (_NAMES // 2)
            name = self._origin + place + _NAMES + self._names
        return _Pending(request=request, name=name % SEQUENCES, place=place, ordered=ordered)

    def _advance(self) -> None:
        """Send what is to be sent, and wait until something is answered or patience ends."""
        coming: list[_Pending] = []
        if not self._holding:
            coming = [
                pending
                for pending in self._window
                if pending.reply is None and pending not in self._flight
            ]
        # In one piece: between two, a busy host might let the line stand still.
        until = self._write(b"".join(map(self._transmit, coming)))
        received = self.tally.bytes_received
        while self.transport.now() < until:
            broken = self.tally.broken
            answers = self._receive()
            for answer in answers:
                self._take(answer)
            for _ in range(self.tally.broken - broken):
                self._repeat(self._flight[1:])
            if answers or self.tally.broken > broken:
                self._silences = 0
                return
        self.tally.silences += 1
        if received == self.tally.bytes_received:
            self._silences += 1
        if self._silences >= SILENCES:
            raise NoAnswerError(
                f"{self.transport.name} has fallen silent; plug the board in again, and reconnect"
            )
        self._flight, self._holding, self._apart = [], False, True

    def _transmit(self, pending: _Pending) -> bytes:
        """A request's frame, which is under way from now on."""
        request = pending.request
        pending.attempts += 1
        if pending.attempts > ATTEMPTS:
            raise NoAnswerError(
                f"{self.transport.name} is too noisy: a request of {len(request.payload)} bytes "
                f"did not get through in {ATTEMPTS} attempts; check cable and baud rate"
            )
        if pending.attempts > 1:
            self.tally.repeated += 1
        else:
            pending.sent = self.transport.line_time()
        self._flight.append(pending)
        return self._frame(encode_request(pending.name, request.command, request.payload))

    def _frame(self, contents: bytes) -> bytes:
        coded = frames.frame(contents)
        data = frames.END + coded if self._apart else coded
        self._apart = False
        self.tally.frames += 1
        return data

    def _write(self, data: bytes) -> float:
        """Send frames, if any; by when their answers, and all before them, should be there."""
        if data:
            self.transport.write(data)
            self.tally.bytes_sent += len(data)
        return self.transport.now() + self._deadline(len(data))

    def _deadline(self, size: int) -> float:
        waiting = WINDOW * (size + 2 * frames.FRAME_BYTES) * self.transport.seconds_per_byte
        return self.patience + waiting

    def _receive(self) -> list[Answer]:
        data = self.transport.read()
        self.tally.bytes_received += len(data)
        before = self._reader.refused
        found = []
        for contents in self._reader.feed(data):
            try:
                found.append(decode_answer(contents))
            except ValueError:
                self._reader.refused += 1
        self.tally.broken += self._reader.refused - before
        return found

    def _take(self, answer: Answer) -> None:
        heard = self.transport.heard_time()
        self._follow(answer.next)
        flight = self._flight
        named = [pending for pending in flight if pending.name == answer.sequence]
        match answer.status:
            case Status.CORRUPT:
                self.tally.refused += 1
                self._repeat(flight[1:])
            case Status.OVERRUN:
                # It is the last that found no room.
                self.tally.refused += 1
                self._repeat(flight[:-1])
            case Status.SEQUENCE:
                self._repeat(flight[flight.index(named[0]) + 1 :] if named else flight)
            case _:
                self._answered(answer, heard)
        # Ordered commands that were carried out are done, whatever became of their answers.
        for pending in self._window:
            if pending.ordered and pending.reply is None and pending.place < self._done:
                self._complete(pending, Status.OK, b"", heard)
        self._holding &= bool(self._flight)

    def _answered(self, answer: Answer, heard: float) -> None:
        for pending in self._window:
            if pending.name == answer.sequence and pending.reply is None:
                if pending in self._flight:
                    # What was sent before it and is not answered now never will be.
                    del self._flight[: self._flight.index(pending) + 1]
                # An answer from before the commands that it was to follow says nothing yet.
                if pending.ordered or self._done >= pending.place:
                    self._complete(pending, answer.status, answer.payload, heard)
                break

    def _repeat(self, flight: list[_Pending]) -> None:
        """Something did not get through, and only `flight` is still to be answered.

        The device keeps no more than two, so nothing is sent until it has answered those.
        """
        self._flight = flight
        self._apart = True
        self._holding = bool(flight)

    def _follow(self, following: int) -> None:
        """Take note of which ordered command the device expects."""
        ahead = (following - self._origin - self._done) % SEQUENCES
        if ahead > self._given - self._done:
            raise DeviceError(
                f"{self.transport.name} has lost its place, as after a reset of the board; "
                "reconnect, and load its network again if it has one that is loaded"
            )
        self._done += ahead

    def _complete(
        self, pending: _Pending, status: Status | int, payload: bytes, heard: float
    ) -> None:
        pending.reply = Reply(
            key=pending.request.key,
            status=status,
            payload=payload,
            sent=pending.sent,
            heard=heard,
        )
        if pending in self._flight:
            self._flight.remove(pending)

    def _identity(self, answer: Answer) -> Identity:
        try:
            return decode_identity(answer.payload)
        except ValueError as error:
            raise NoAnswerError(
                f"{self.transport.name}: {error}; flash the board again with a bitstream of this "
                "version: spikeloom flash"
            ) from None

    def _unanswered(self, received: int) -> str:
        name = self.transport.name
        if received:
            return (
                f"{name} answers, but not as a Spikeloom device of this version ({received} bytes "
                "came); check that it is the board's port, and flash the board: spikeloom flash"
            )
        return (
            f"nothing answers at {name}; check that it is the board's port, that the board has "
            "power, and that it has been flashed: spikeloom flash"
        )
