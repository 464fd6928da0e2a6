"""Frames on the line: a checksum, and a zero byte between one frame and the next.

A frame is its contents and their CRC-16 in COBS (consistent overhead byte stuffing, Cheshire and
Baker, IEEE/ACM Transactions on Networking 7(2), 1999), closed by a zero byte. COBS leaves no zero
in a frame, so whoever has lost the thread finds it again at the next zero. Contents are so short
that COBS adds one byte to every frame.

The checksum is CRC-16/IBM-3740: polynomial 0x1021, first value 0xFFFF, high bit and
high byte first.
"""

from __future__ import annotations

import binascii

from cobs import cobs

from spikeloom.host.protocol import ANSWER_BYTES, PAYLOAD_BYTES, REQUEST_BYTES

CHECKSUM_BYTES = 2
CONTENTS_BYTES = PAYLOAD_BYTES + max(REQUEST_BYTES, ANSWER_BYTES)
"""Most bytes of a frame's contents."""
FRAME_BYTES = CONTENTS_BYTES + CHECKSUM_BYTES + 2
"""Most bytes of a frame on the line."""
END = b"\0"


def checksum(contents: bytes) -> bytes:
    """The checksum of a frame's contents, two bytes."""
    return binascii.crc_hqx(contents, 0xFFFF).to_bytes(CHECKSUM_BYTES, "big")


def frame(contents: bytes) -> bytes:
    """`contents` as they travel.

    Raises:
        ValueError: these are too many bytes.
    """
    if len(contents) > CONTENTS_BYTES:
        raise ValueError(f"A frame has up to {CONTENTS_BYTES} bytes, not {len(contents)}")
    return cobs.encode(contents + checksum(contents)) + END


def frame_bytes(contents: int) -> int:
    """Bytes on the line of a frame with so many bytes of contents."""
    return contents + CHECKSUM_BYTES + 2


class FrameReader:
    """Finds the frames in bytes as they come.

    Attributes:
        refused: frames that were broken.
    """

    def __init__(self) -> None:
        self.refused = 0
        self._begun = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The contents of each frame that ends in `data`, if its checksum is right."""
        *ended, begun = (self._begun + data).split(END)
        self._begun = begun[: FRAME_BYTES + 1]
        found = [_contents(bytes(coded)) for coded in ended if coded]
        good = [contents for contents in found if contents is not None]
        self.refused += len(found) - len(good)
        return good


def _contents(coded: bytes) -> bytes | None:
    """What is in a frame, or None if it is broken."""
    if len(coded) >= FRAME_BYTES:
        return None
    try:
        decoded = cobs.decode(coded)
    except cobs.DecodeError:
        return None
    contents = decoded[:-CHECKSUM_BYTES]
    return contents if decoded[-CHECKSUM_BYTES:] == checksum(contents) else None
