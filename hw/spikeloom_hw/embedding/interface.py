"""How a core's two streams look from outside.

``stream``: clock and synchronous reset, ``valid`` and ``ready``, and a port for each field.

``axi-stream``: AXI4-Stream (Arm IHI 0051) with ``aclk`` and ``aresetn``. Data are whole bytes, and
every byte of every beat counts, so there is no TKEEP. A packet is a sample.

====================  =======================================  ===============================
stream                TDATA                                    TLAST
====================  =======================================  ===============================
``s_axis_events``     top bit: the end of a step;              with the end of the sample's
                      low bits: address, when that is 0        last step
``m_axis_scores``     upper bytes: class so far;               with the last output: its class
                      lower bytes: score, sign-extended        is the sample's
====================  =======================================  ===============================
"""

from dataclasses import dataclass
from typing import Literal

from spikeloom_hw.core.params import CoreParams

Interface = Literal["stream", "axi-stream"]
INTERFACES: tuple[Interface, ...] = ("stream", "axi-stream")


def whole_bytes(bits: int) -> int:
    """Bits of the fewest bytes that hold ``bits``."""
    return -(-bits // 8) * 8


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Widths of a core's ports, in bits.

    Attributes:
        address: of an event's address.
        value: of a score, signed.
        label: of a class.
    """

    address: int
    value: int
    label: int

    @classmethod
    def of(cls, params: CoreParams) -> "Ports":
        """Those of a core with ``params``."""
        return cls(
            address=params.layers[0].address_bits,
            value=params.score_bits,
            label=params.label_bits,
        )

    @property
    def event_data(self) -> int:
        """Of ``s_axis_events_tdata``."""
        return whole_bytes(self.address + 1)

    @property
    def value_data(self) -> int:
        """Of the score in ``m_axis_scores_tdata``."""
        return whole_bytes(self.value)

    @property
    def label_data(self) -> int:
        """Of the class in ``m_axis_scores_tdata``."""
        return whole_bytes(self.label)

    @property
    def score_data(self) -> int:
        """Of ``m_axis_scores_tdata``."""
        return self.value_data + self.label_data
