"""Who a device is: what its host must know of it, and the hash that tells it from others."""

import hashlib

import msgspec

from spikeloom.encoding import SampleCode
from spikeloom.host.protocol import HASH_BYTES, VERSION, Identity
from spikeloom_hw.core.params import CoreParams
from spikeloom_hw.core.spiking_core import counter_count
from spikeloom_hw.targets import Target


def identify(
    params: CoreParams,
    *,
    target: Target,
    network_sha256: str,
    encoder: SampleCode | None = None,
) -> Identity:
    """The identity of a core on a board.

    Args:
        params: of the core; its contents are not looked at.
        target: the board, with the core's clock.
        network_sha256: of the network that it was made for.
        encoder: what becomes of values that a host sends, if they are taken.
    """
    clock_hz = round(target.core_clock_mhz * 1e6)
    made_from = {
        "protocol": VERSION,
        "target": target.name,
        "clock_hz": clock_hz,
        "network_sha256": network_sha256,
        "layers": params.layers,
        "time_steps": params.time_steps,
        "count_readout": params.count_readout,
        **({} if encoder is None else {"encoder": encoder}),
    }
    digest = hashlib.sha256(msgspec.json.encode(made_from, order="deterministic")).digest()
    return Identity(
        loadable=params.loadable,
        takes_frames=encoder is not None,
        design_hash=digest[:HASH_BYTES],
        inputs=params.layers[0].inputs,
        outputs=params.layers[-1].neurons,
        layers=len(params.layers),
        counters=counter_count(params),
        clock_hz=clock_hz,
    )
