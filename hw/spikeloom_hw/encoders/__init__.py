"""From a sample's values to its events, on the chip, as `spikeloom.encoding` makes them."""

from spikeloom_hw.encoders.delta import DeltaEncoder
from spikeloom_hw.encoders.factory import (
    Encoder,
    check_encoder,
    encoder_memory,
    make_encoder,
    require_encoder,
)
from spikeloom_hw.encoders.latency import LatencyEncoder

__all__ = [
    "DeltaEncoder",
    "Encoder",
    "LatencyEncoder",
    "check_encoder",
    "encoder_memory",
    "make_encoder",
    "require_encoder",
]
