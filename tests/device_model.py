"""A device in plain Python, straight from docs/protocol.md, and lines to it that break bytes.

It is slow, and obviously right. Its core is the integer reference; a loadable one reads its
weights, chunk by chunk, out of what was loaded: chunk `m · neurons + n` of a layer's weights is the
weight from input `m` to neuron `n`, in sixteen bits, and the threshold is one for all neurons.
"""

from __future__ import annotations

import random
import struct
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from cobs import cobs

from spikeloom.encoding import SampleCode, encode
from spikeloom.host.design import Contents, HostDesign, Load
from spikeloom.host.failures import PortError
from spikeloom.image import Layer, NetworkImage
from spikeloom.reference import simulate

HASH = bytes.fromhex("0123456789abcdef")
OK, CORRUPT, OVERRUN, SEQUENCE, UNKNOWN, MALFORMED, UNAVAILABLE = range(7)
WEIGHTS, THRESHOLD = 1, 2


def crc(data: bytes) -> bytes:
    """CRC-16/IBM-3740, bit by bit."""
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return value.to_bytes(2, "big")


class ModelDevice:
    """A device; `receive` takes bytes of the line, `work` carries out a request.

    Args:
        image: the network in it; its shape, if it is loadable.
        loadable: a host fills its memories.
        design_hash: that it tells.
        encoder: what becomes of values, if they are taken.
    """

    def __init__(
        self,
        image: NetworkImage,
        *,
        loadable: bool = False,
        design_hash: bytes = HASH,
        encoder: SampleCode | None = None,
    ) -> None:
        self.encoder = encoder
        self.image, self.loadable, self.design_hash = image, loadable, design_hash
        self.memory: dict[tuple[int, int, int], int] = {}
        self.counts = [0, 0, 0, 0]
        self.carried_out: list[tuple[int, bytes]] = []
        self.switch_on()

    def switch_on(self) -> None:
        """As after configuration: memories that are loaded hold anything."""
        self.memory.clear()
        self.counts = [0, 0, 0, 0]
        self.next = 0
        self.line = bytearray()
        self.kept: deque[bytes] = deque()
        self.sent = bytearray()
        self.forget()

    def forget(self) -> None:
        """As after RESET."""
        self.steps: list[list[int]] = [[]]
        self.values = bytearray()
        self.samples = 0
        self.results: dict[int, tuple[int, list[int]]] = {}

    def receive(self, data: Iterable[int]) -> None:
        """Bytes of the line come in."""
        for byte in data:
            if byte:
                self.line.append(byte)
                continue
            coded, self.line = bytes(self.line), bytearray()
            if not coded:
                continue
            contents = self.contents(coded)
            if contents is None:
                self.counts[0] = min(255, self.counts[0] + 1)
                self.answer(0xAA, b"", CORRUPT)
            elif len(self.kept) == 2:
                self.answer(0xAA, b"", OVERRUN)
            else:
                self.kept.append(contents)

    def contents(self, coded: bytes) -> bytes | None:
        """What is in a frame that a host may send, if it is whole."""
        if len(coded) > 253:
            return None
        try:
            decoded = cobs.decode(coded)
        except cobs.DecodeError:
            return None
        good = len(decoded) >= 4 and crc(decoded[:-2]) == decoded[-2:]
        return decoded[:-2] if good else None

    def answer(self, sequence: int, payload: bytes, status: int) -> None:
        contents = bytes([sequence]) + payload + bytes([self.next, status])
        self.sent += cobs.encode(contents + crc(contents)) + b"\0"

    def work(self) -> None:
        """Carry out the request that has waited longest, if there is one."""
        if not self.kept:
            return
        sequence, command, *rest = self.kept.popleft()
        payload = bytes(rest)
        if command in (2, 3, 4):
            if sequence != self.next:
                self.answer(sequence, b"", SEQUENCE)
                return
            self.next = (self.next + 1) % 256
        elif command == 0:
            self.next = (sequence + 1) % 256
        self.carried_out.append((command, payload))
        commands: dict[int, Callable[[bytes], tuple[int, bytes]]] = {
            0: self.reset,
            1: lambda _payload: (OK, self.identity()),
            2: self.events,
            3: self.load,
            4: self.frame,
            5: self.read,
            6: self.result,
            7: self.counters,
        }
        unknown = command not in commands or (command in (3, 5) and not self.loadable)
        unknown |= command == 4 and self.encoder is None
        status, answered = (UNKNOWN, b"") if unknown else commands[command](payload)
        self.answer(sequence, answered, status)

    def identity(self) -> bytes:
        image = self.image
        return b"SPKL" + struct.pack(
            "<BB8sHHBBI",
            3,
            int(self.loadable) + 2 * (self.encoder is not None),
            self.design_hash,
            image.inputs,
            image.outputs,
            len(image.layers),
            1,
            30_000_000,
        )

    def reset(self, _payload: bytes) -> tuple[int, bytes]:
        self.forget()
        return OK, self.identity()

    def events(self, payload: bytes) -> tuple[int, bytes]:
        status = OK
        for (word,) in struct.iter_unpack("<H", payload):
            if word < self.image.inputs:
                self.steps[-1].append(word)
            elif word == 0x8000:
                self.steps.append([])
            elif word == 0x8001:
                self.run()
            else:
                self.counts[3] = min(255, self.counts[3] + 1)
                status = MALFORMED
        return status, b""

    def frame(self, payload: bytes) -> tuple[int, bytes]:
        self.values += payload
        code = self.encoder
        assert code is not None
        while len(self.values) >= code.values:
            sample = np.frombuffer(bytes(self.values[: code.values]), np.uint8)
            del self.values[: code.values]
            (train,) = encode(code.encoding, sample[None], code.time_steps)
            self.steps = [np.flatnonzero(step).tolist() for step in train]
            self.run()
        return OK, b""

    def run(self) -> None:
        image = self.network()
        events = np.zeros((1, len(self.steps), image.inputs), dtype=bool)
        for step, addresses in enumerate(self.steps):
            events[0, step, addresses] = True
        trace = simulate(replace(image, time_steps=len(self.steps)), events)
        scores = [int(score) for score in trace.scores[0]]
        self.results[self.samples] = int(trace.predictions[0]), scores
        self.results.pop((self.samples - 2) % 256, None)
        self.samples = (self.samples + 1) % 256
        self.steps = [[]]

    def network(self) -> NetworkImage:
        """What a loadable core runs, from its memory; a memory never loaded holds ones."""
        if not self.loadable:
            return self.image
        layers = []
        for number, layer in enumerate(self.image.layers):
            words = [
                self.memory.get((number, WEIGHTS, at), 1)
                for at in range(layer.inputs * layer.neurons)
            ]
            weights = np.array(words, dtype=np.uint16).astype(np.int16).astype(np.int64)
            layers.append(
                Layer.from_dense(
                    weights.reshape(layer.inputs, layer.neurons),
                    name=layer.name,
                    leak=layer.leak,
                    reset=layer.reset,
                    threshold=self.memory.get((number, THRESHOLD, 0), 1) if layer.spiking else 1,
                    spiking=layer.spiking,
                    membrane_bits=layer.membrane_bits,
                    scale=layer.scale,
                )
            )
        return self.image.with_layers(tuple(layers))

    def idle(self) -> bool:
        return self.steps == [[]]

    def load(self, payload: bytes) -> tuple[int, bytes]:
        if not self.idle():
            return UNAVAILABLE, b""
        place, address, *chunks = struct.unpack(f"<{len(payload) // 2}H", payload)
        for offset, chunk in enumerate(chunks):
            self.memory[place >> 2, place & 3, address + offset] = chunk
        return OK, b""

    def read(self, payload: bytes) -> tuple[int, bytes]:
        if not self.idle():
            return UNAVAILABLE, b""
        place, address, last = struct.unpack("<HHB", payload)
        chunks = [
            self.memory.get((place >> 2, place & 3, address + at), 0) for at in range(last + 1)
        ]
        return OK, struct.pack(f"<{len(chunks)}H", *chunks)

    def result(self, payload: bytes) -> tuple[int, bytes]:
        sample, first, last = payload
        if sample not in self.results:
            return UNAVAILABLE, b""
        label, scores = self.results[sample]
        chosen = scores[first : first + last + 1]
        return OK, struct.pack(f"<B{len(chosen)}i", label, *chosen)

    def counters(self, _payload: bytes) -> tuple[int, bytes]:
        return OK, bytes(self.counts) + struct.pack("<I", len(self.carried_out))


class ModelLine:
    """A line to a model: a byte takes a while, and a waiting host's time passes in leaps.

    Args:
        device: at its other end.
        noise: what becomes of bytes on the line, to the device and back; see `Noise`.
    """

    name = "model"
    simulated = True
    seconds_per_byte = 1e-5

    def __init__(
        self, device: ModelDevice, *, noise: Callable[[bytes], bytes] = lambda data: data
    ) -> None:
        self.device, self.noise = device, noise
        self.time = 0.0
        self.cut = False
        self.opened = 1
        self._to_device = bytearray()

    def write(self, data: bytes) -> None:
        if self.cut:
            raise PortError("model is gone; plug it in again")
        self._to_device += self.noise(data)

    def read(self) -> bytes:
        self.pump()
        self.time += 0.02
        data, self.device.sent = bytes(self.device.sent), bytearray()
        return self.noise(data) if data else b""

    def pump(self) -> None:
        """All bytes arrive; a frame takes longer on the line than the device takes for it."""
        data, self._to_device = bytes(self._to_device), bytearray()
        for byte in data:
            self.device.receive([byte])
            if byte == 0 and len(self.device.kept) > 1:
                self.device.work()
        while self.device.kept:
            self.device.work()

    def now(self) -> float:
        return self.time

    def line_time(self) -> float:
        return self.time

    def heard_time(self) -> float:
        return self.time

    def reopen(self) -> None:
        self.cut = False
        self.opened += 1
        self._to_device.clear()
        self.device.sent.clear()

    def close(self) -> None:
        self.cut = True


class Noise:
    """Breaks bytes at random, and now and then puts garbage between two frames.

    Args:
        seed: of all of it.
        one_in: a byte in so many is another one.
        garbage: probability of up to 300 bytes of garbage before a frame.
    """

    def __init__(self, *, seed: int, one_in: int, garbage: float) -> None:
        self.random = random.Random(seed)
        self.one_in, self.garbage = one_in, garbage
        self.flipped = self.added = 0
        self.between = True

    def __call__(self, data: bytes) -> bytes:
        draw = self.random
        made = bytearray()
        if self.between and draw.random() < self.garbage:
            made += draw.randbytes(draw.randrange(1, 300))
            self.added += len(made)
        self.between = data.endswith(b"\0")
        for byte in data:
            flipped = draw.randrange(self.one_in) == 0
            self.flipped += flipped
            made.append(byte ^ draw.randrange(1, 256) if flipped else byte)
        return bytes(made)


def model_design(image: NetworkImage, **changes: Any) -> HostDesign:
    """What a host knows of a `ModelDevice` of the shape of `image`, loadable unless it is said."""
    if not changes.get("loadable", True):
        changes = {"contents": lambda _image: Contents(loads=(), readable=()), **changes}
    return HostDesign(
        **{
            "source": "the model",
            "board": "model",
            "design_hash": HASH,
            "loadable": True,
            "network": image,
            "contents": contents,
            "count_names": ("requests",),
            **changes,
        }
    )


def contents(image: NetworkImage) -> Contents:
    """What makes a loadable `ModelDevice` run `image`."""
    weights: list[Load] = []
    thresholds: list[Load] = []
    for number, layer in enumerate(image.layers):
        chunks = layer.dense().astype(np.int16).view(np.uint16).ravel()
        weights += [(number, WEIGHTS, at, int(chunk)) for at, chunk in enumerate(chunks)]
        if layer.spiking:
            thresholds.append((number, THRESHOLD, 0, int(layer.threshold[0])))
    return Contents(loads=weights + thresholds, readable=weights)
