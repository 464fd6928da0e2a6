"""What every encoder has in common: its boundary, and how a sample is given up.

A sample under way may be cut short: its host is gone, or begins anew. The core can not forget half
a sample, but it can finish one, so an encoder ends what it has begun.
"""

from typing import Any

from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from spikeloom_hw.events import EventLayout

VALUE_BITS = 8


def encoder_members(address_bits: int) -> dict[str, Any]:
    """The members of an encoder.

    Members:
        frames: In, a sample's values, 8 bits each, the first one first. One sample follows the
            other; their number of values is the encoder's parameter.
        events: Out, :class:`EventLayout`: spikes, and T STEPs a sample.
        abort: In(1), gives up the sample of which a value has come and whose STEP(last) has not
            been offered. In that cycle no value is taken. If none of the sample's events has been
            offered, there will be none; else the next event after one that is offered now is
            STEP(last). The next value is the first one of another sample.
        busy: Out(1), part of a sample is in here: a value, or an event that was not taken.
        sending: Out(1), events will come, if they are taken, without another value.
    """
    return {
        "frames": In(stream.Signature(VALUE_BITS)),
        "events": Out(stream.Signature(EventLayout(address_bits))),
        "abort": In(1),
        "busy": Out(1),
        "sending": Out(1),
    }
