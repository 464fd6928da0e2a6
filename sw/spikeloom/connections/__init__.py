"""The kinds of connection, in integers: who drives whom.

`CONNECTIONS` registers each kind under the name that it has in files. The counterparts of a kind
in torch and in the gateware have the same file name; `tests/kinds` holds all of them to `rows`.
"""

from spikeloom.connections.base import Connection, Shape
from spikeloom.connections.conv2d import Conv2d
from spikeloom.connections.identity import Identity
from spikeloom.connections.linear import Linear
from spikeloom.connections.pool2d import MaxPool2d, SumPool2d
from spikeloom.connections.sliding import convolve, pool
from spikeloom.connections.sparse_rows import SparseRows
from spikeloom.connections.window import Window

CONNECTIONS: dict[str, type[Connection]] = {
    kind.kind: kind for kind in (Linear, Conv2d, SumPool2d, MaxPool2d, Identity)
}

__all__ = [
    "CONNECTIONS",
    "Connection",
    "Conv2d",
    "Identity",
    "Linear",
    "MaxPool2d",
    "Shape",
    "SparseRows",
    "SumPool2d",
    "Window",
    "convolve",
    "pool",
]
