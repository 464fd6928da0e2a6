"""A board with a network in it, or one that is simulated: the same object, the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from spikeloom.encoding import encode
from spikeloom.errors import UserError
from spikeloom.host import protocol
from spikeloom.host.design import HostDesign, Load, find_design
from spikeloom.host.failures import DeviceError, WrongDesignError
from spikeloom.host.link import PATIENCE_SECONDS, Link, Reply, Request, Tally
from spikeloom.host.outcome import Answers, Counters
from spikeloom.host.protocol import Command, Identity, Status
from spikeloom.host.samples import (
    Collector,
    Part,
    Sending,
    as_events,
    as_values,
    check_trains,
    check_values,
    sample_requests,
)
from spikeloom.host.transport import Transport, open_transport
from spikeloom.image import NetworkImage

Advance = Callable[[int], object]

BATCH = 256
"""Samples that are encoded at a time."""
RELOADS = 3
"""Times that contents are loaded which do not read back as they were."""


def _nothing(done: int) -> None:
    """Progress that nobody wants to hear of."""


class Device:
    """A device behind a port.

    Use it in a `with` statement, or close it. Whatever another host or an exception left under way
    is given up before the next use. Not for several threads at once.

    Args:
        transport: the line to it; closed with the device.
        design: what it runs; None if that does not matter, as for its counters alone.
        patience: seconds to wait for an answer, above what the line takes, before asking again.

    Attributes:
        identity: what the device says about itself.
        design: what it runs, if known.
        image: the network in it, if known.

    Raises:
        NoAnswerError: nothing answers, or no device of this version.
        WrongDesignError: the device runs another design.
        PortError: the line is gone.
    """

    identity: Identity

    def __init__(
        self,
        transport: Transport,
        *,
        design: HostDesign | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.design = design
        self.image: NetworkImage | None = None
        self._transport = transport
        self._link = Link(transport, patience=patience)
        self._samples = 0
        self._begun = True
        self._meet()

    @classmethod
    def open(
        cls,
        port: str | Path,
        *,
        design: str | Path | HostDesign | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> Self:
        """The device at a port.

        Args:
            port: a serial port, as `/dev/ttyUSB1`; or `sim:PLACE`, which simulates the board with
                the design that is there.
            design: what it runs: a folder of `bitstreams/`, or one made by `spikeloom generate`. Of
                a simulated device it is the one that is simulated.
            patience: as of the class.

        Raises:
            UserError: the design is none, or damaged.
            PortError: there is no such port, it is in use, or it may not be used.
            NoAnswerError: nothing answers there, or no device of this version.
            WrongDesignError: the device runs another design.
        """
        port = str(port)
        kind, _, place = port.partition(":")
        if design is None and kind == "sim":
            design = place
        known = find_design(design) if isinstance(design, str | Path) else design
        transport = open_transport(port)
        try:
            return cls(transport, design=known, patience=patience)
        except BaseException:
            transport.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def port(self) -> str:
        """The port's name."""
        return self._transport.name

    @property
    def tally(self) -> Tally:
        """What the link has been through since the device was opened."""
        return self._link.tally

    def close(self) -> None:
        """Give the port back; a simulated device ends."""
        self._transport.close()

    def reset(self) -> None:
        """Give up what is under way; the network stays.

        Raises:
            NoAnswerError, PortError: the device is gone.
        """
        self._begun = True
        self.identity = self._link.reset()
        self._samples = 0
        self._begun = False

    def reconnect(self) -> None:
        """Open the port again, after the board was unplugged or switched off.

        A network that was loaded has to be loaded again, since nothing tells whether it survived.

        Raises:
            PortError, NoAnswerError, WrongDesignError: as when it was opened.
        """
        self._transport.reopen()
        self.image = None
        self._meet()

    def load(self, image: NetworkImage, *, advance: Advance = _nothing) -> None:
        """Put a network into the device, and read back what lies there now.

        A device with fixed memories has its network in its bitstream: it takes that one, which
        loads nothing, and no other.

        Args:
            image: the network.
            advance: told how many more chunks have been loaded, and then read back; in all
                `chunks_to_load(image)`.

        Raises:
            UserError: the network is beyond the device, or is not the one in it.
            DeviceError: the design is not known, or the device does not keep what is loaded.
        """
        contents = self._known().contents(image)
        self.image = None
        with self._use():
            wrong = list(contents.loads)
            readable = list(contents.readable)
            for _ in range(RELOADS):
                self._load(wrong, advance)
                wrong = self._differing(readable, advance)
                if not wrong:
                    break
                readable = wrong
        if not wrong:
            self.image = image
            return
        layer, kind, address, _ = wrong[0]
        raise DeviceError(
            f"{self.port} does not keep what is loaded: memory {kind} of layer {layer}, from chunk "
            f"{address} on, {len(wrong)} chunks; flash the board again, or try another one"
        )

    def chunks_to_load(self, image: NetworkImage) -> int:
        """Chunks that `load` moves for a network, there and back; raises as it does."""
        contents = self._known().contents(image)
        return len(contents.loads) + len(contents.readable)

    def classify(
        self,
        images: NDArray[np.uint8],
        *,
        first_index: int = 0,
        alone: bool = False,
        advance: Advance = _nothing,
    ) -> Answers:
        """What the network in the device says of samples.

        Args:
            images: uint8 [S, pixels]; they are encoded with the network's own encoding, by the
                device if it has that encoder, and here if not.
            first_index: position of `images[0]` in its split, which keys the random code.
            alone: send a sample when the one before has been answered, so that each one's latency
                is its own. Else the next one is on its way meanwhile, which is faster.
            advance: told how many more samples are done.

        Raises:
            UserError: no network is in the device, or the samples do not fit it.
            NoAnswerError: the device has fallen silent.
            DeviceError: it answers what it should not.
        """
        image = self._network()
        check_values(image, images)
        if not isinstance(first_index, int) or first_index < 0:
            raise UserError(f"first_index is a place in the split, 0 or more, not {first_index!r}")
        if self._encodes(image):
            sendings = as_values(images)
        else:
            sendings = self._encoded(image, images, first_index)
        return self._run(image, sendings, len(images), alone, advance)

    def spikes(
        self, trains: NDArray[np.bool_], *, alone: bool = False, advance: Advance = _nothing
    ) -> Answers:
        """What the network in the device says of spike trains that are encoded already.

        Args:
            trains: bool [S, T, inputs]: which input spikes in which step, as
                `spikeloom.encoding.encode` makes them, or as a sensor gives them.
            alone: as for `classify`.
            advance: told how many more samples are done.

        Raises:
            UserError, NoAnswerError, DeviceError: as `classify`.
        """
        image = self._network()
        check_trains(image, trains)
        return self._run(image, as_events(trains), len(trains), alone, advance)

    def counters(self) -> Counters:
        """What the device counted until now.

        Raises:
            NoAnswerError, PortError: the device is gone.
            DeviceError: it answers what it should not.
        """
        with self._use():
            reply = self._link.ask(Command.COUNTERS)
            with self._understood(reply, "its counters"):
                link, core = protocol.decode_counters(reply.payload)
        names = self.design.count_names if self.design is not None else ()
        if len(names) != len(core):
            names = tuple(f"count{number}" for number in range(len(core)))
        return Counters(link=link, core=dict(zip(names, core, strict=True)))

    def _meet(self) -> None:
        self.reset()
        design = self.design
        if design is None:
            return
        if self.identity.design_hash != design.design_hash:
            raise WrongDesignError(
                f"{self.port} runs the design {self.identity.design_hash.hex()}, and "
                f"{design.source} is {design.design_hash.hex()}; {self._remedy(design)}"
            )
        if not design.loadable:
            self.image = design.network

    def _remedy(self, design: HostDesign) -> str:
        if self._transport.simulated:
            return "simulate and open the same one"
        return (
            f"open it with the design that it runs, or write this one's bitstream to it: spikeloom "
            f"flash {design.source} (spikeloom synth makes it)"
        )

    def _known(self) -> HostDesign:
        if self.design is None:
            raise DeviceError(
                f"what {self.port} runs is not known; open it with its design, a folder of "
                "bitstreams/ or one made by 'spikeloom generate'"
            )
        return self.design

    def _network(self) -> NetworkImage:
        if self.image is None:
            if self._known().loadable:
                missing = f"no network is in {self.port} yet; load one"
            else:
                missing = f"nothing here says which network is in {self.port}; tell it which"
            raise DeviceError(f"{missing}: device.load(spikeloom.image.load_image(FILE))")
        return self.image

    def _encodes(self, image: NetworkImage) -> bool:
        """Whether the device makes a network's events of values itself."""
        return (
            self.identity.takes_frames
            and self.design is not None
            and self.design.encoder == image.sample_code
        )

    def _encoded(
        self, image: NetworkImage, images: NDArray[np.uint8], first_index: int
    ) -> Iterator[Sending]:
        for at in range(0, len(images), BATCH):
            own = images[at : at + BATCH]
            yield from as_events(encode(image.encoding, own, image.time_steps, first_index + at))

    @contextmanager
    def _use(self) -> Iterator[None]:
        """Begin with nothing under way; what ends with an exception leaves something under way."""
        if self._begun:
            self.reset()
        self._begun = True
        yield
        self._begun = False

    def _load(self, loads: Sequence[Load], advance: Advance) -> None:
        payloads = protocol.encode_loads(loads)
        requests = (
            Request(key=len(payload), command=Command.LOAD, payload=payload) for payload in payloads
        )
        for reply in self._link.exchange(requests):
            self._check(reply, "a load")
            advance((reply.key - protocol.LOAD_HEADER_BYTES) // protocol.CHUNK_BYTES)

    def _differing(self, loads: Sequence[Load], advance: Advance) -> list[Load]:
        """Those of `loads` that do not read back as they are."""
        found: list[Load] = []
        requests = (
            Request(key=chunks, command=Command.READ, payload=payload)
            for payload, chunks in protocol.encode_reads(loads)
        )
        left = iter(loads)
        for reply in self._link.exchange(requests):
            with self._understood(reply, "a read"):
                chunks = protocol.decode_chunks(reply.payload)
            if len(chunks) != len(reply.key):
                raise DeviceError(
                    f"{self.port} answers {len(chunks)} chunks, and {len(reply.key)} were asked for"
                )
            asked = [next(left) for _ in chunks]
            found += [load for load, got in zip(asked, chunks, strict=True) if load[3] != got]
            advance(len(chunks))
        return found

    def _run(
        self,
        image: NetworkImage,
        sendings: Iterable[Sending],
        samples: int,
        alone: bool,
        advance: Advance,
    ) -> Answers:
        collected = Collector(samples, image.outputs)
        with self._use():
            apart = self._requests(image, sendings)
            for requests in apart if alone else [chain.from_iterable(apart)]:
                for reply in self._link.exchange(requests):
                    with self._understood(reply, reply.key.name):
                        complete = collected.add(
                            reply, seconds_per_byte=self._transport.seconds_per_byte
                        )
                    if complete:
                        advance(1)
        return collected.answers(simulated=self._transport.simulated)

    def _requests(
        self, image: NetworkImage, sendings: Iterable[Sending]
    ) -> Iterator[Iterator[Request[Part]]]:
        """The requests of each sample, made when they are needed."""
        for sample, sending in enumerate(sendings):
            yield sample_requests(
                sending, sample=sample, number=self._samples, outputs=image.outputs
            )
            self._samples = (self._samples + 1) % protocol.SAMPLES

    @contextmanager
    def _understood(self, reply: Reply[Any], what: str) -> Iterator[None]:
        """Refuse a reply that is none, or that can not be taken apart as it is here.

        Raises:
            DeviceError: the device answers what it should not.
        """
        self._check(reply, what)
        try:
            yield
        except ValueError as error:
            raise DeviceError(
                f"{self.port} answers {what} wrongly ({error}); check that the board has been "
                "flashed with the design that was named"
            ) from None

    def _check(self, reply: Reply[Any], what: str) -> None:
        """Refuse a reply that is none.

        Raises:
            DeviceError: the device did not do what it was asked to.
        """
        if reply.status == Status.OK:
            return
        meanings: dict[int, str] = {
            Status.UNKNOWN: "it does not know the request",
            Status.MALFORMED: "part of it means nothing to this design",
            Status.UNAVAILABLE: "it is not the time for it",
        }
        meaning = meanings.get(reply.status, "no reason known")
        raise DeviceError(
            f"{self.port} refuses {what}: {meaning} (status {int(reply.status)}); "
            "check that the board has been flashed with the design that was named"
        )
