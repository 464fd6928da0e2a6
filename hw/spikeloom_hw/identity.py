"""Who a device is: what its host must know of it, and the hash that tells it from others.

The hash of a design covers what makes the device compute what it computes: the core's Verilog and
the contents of its memories, the map of the memories that a host fills, the network, and what the
board adds. A device tells the first bytes of it; they lie in the board's top, around the core, so
that the core can be hashed before they are known. No name of Python's is in it: other names for
the same gateware leave every bitstream as it is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from spikeloom.encoding import SampleCode
from spikeloom.host.protocol import HASH_BYTES, VERSION, Identity
from spikeloom.image.identity import code_text
from spikeloom_hw.core.layouts import MemoryKind
from spikeloom_hw.core.params import CoreParams
from spikeloom_hw.core.spiking_core import counter_count
from spikeloom_hw.targets import Target

_COMMENT = re.compile(rb"/\*.*?\*/", re.DOTALL)


def design_sha256(
    core: Sequence[Path],
    params: CoreParams,
    *,
    target: Target,
    network_sha256: str,
    encoder: SampleCode | None = None,
) -> str:
    """The sha256 of a design, in hexadecimal.

    Args:
        core: the files of the core: its Verilog, and the contents of its memories.
        params: of the core; its contents are not looked at.
        target: the board, with the core's clock.
        network_sha256: of the network that it was made for.
        encoder: what becomes of values that a host sends, if they are taken.
    """
    digest = hashlib.sha256()
    for line in _facts(params, target, network_sha256, encoder):
        digest.update(f"{line}\n".encode())
    for file in sorted(core, key=lambda path: path.name):
        # The version of the tool that wrote the Verilog stands in a comment.
        content = _COMMENT.sub(b"", file.read_bytes())
        digest.update(f"{file.name}: {len(content)} bytes\n".encode() + content)
    return digest.hexdigest()


def identify(
    params: CoreParams, *, target: Target, design_sha256: str, takes_frames: bool = False
) -> Identity:
    """What a device says about itself.

    Args:
        params: of its core; its contents are not looked at.
        target: the board, with the core's clock.
        design_sha256: of its design.
        takes_frames: it encodes a sample's values itself.
    """
    return Identity(
        loadable=params.loadable,
        takes_frames=takes_frames,
        design_hash=bytes.fromhex(design_sha256)[:HASH_BYTES],
        inputs=params.layers[0].inputs,
        outputs=params.layers[-1].neurons,
        layers=len(params.layers),
        counters=counter_count(params),
        clock_hz=_clock_hz(target),
    )


def _facts(
    params: CoreParams, target: Target, network_sha256: str, encoder: SampleCode | None
) -> Iterator[str]:
    yield f"protocol: {VERSION}"
    yield f"target: {target.name}"
    yield f"clock: {_clock_hz(target)} Hz"
    yield f"network: {network_sha256}"
    if encoder is not None:
        code = code_text(encoder.encoding)
        yield f"encoder: {code}, {encoder.values} values, {encoder.time_steps} steps"
    yield from _memory_map(params)


def _memory_map(params: CoreParams) -> Iterator[str]:
    """The memories that a host fills, as it names them."""
    if not params.loadable:
        return
    for number, layer in enumerate(params.layers):
        for kind, shape in (
            (MemoryKind.POINTERS, layer.pointer_memory),
            (MemoryKind.WEIGHTS, layer.weight_memory),
        ):
            yield f"layer {number} memory {kind.value}: {shape.depth} words of {shape.width} bits"
        yield f"layer {number} memory {MemoryKind.THRESHOLD.value}: {layer.threshold_bits} bits"


def _clock_hz(target: Target) -> int:
    return round(target.core_clock_mhz * 1e6)
