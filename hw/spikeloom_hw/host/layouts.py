"""What travels between the parts of the host link."""

from amaranth.lib import data


class FrameByteLayout(data.StructLayout):
    """A byte of a frame's contents; ``last`` with the final one."""

    def __init__(self) -> None:
        super().__init__({"data": 8, "last": 1})


class PayloadLayout(data.StructLayout):
    """A byte of a payload; or, with ``end``, what closes it.

    The beat that closes a request's payload has no data, that of an answer's has its status.
    """

    def __init__(self) -> None:
        super().__init__({"data": 8, "end": 1})
