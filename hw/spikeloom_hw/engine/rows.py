"""The rows of a connection in an engine, and the settings with which it reads them.

Every connection is read as windows over a map. An event at `(y, x)` falls on the outputs
`(q - j)`, where `q` and the phase `f` are quotient and remainder of its padded coordinate by the
stride, and `j` numbers the taps of that phase. So a row's number is

    base + (((f_y·stride_x + f_x)·taps_y + j_y)·taps_x + j_x)·units + unit

and its synapses count from the state of output `(q_y - j_y, q_x - j_x)`.

| rows | a row holds | unit |
| --- | --- | --- |
| list | all synapses of a neuron, from the target's first state | neuron |
| taps | the output channels of a tap | input channel |
| lines | the output channels of a line of taps, the last tap first | input channel |
| words | one weight for each lane | group of channels |

A row of `lines` is fuller where a tap alone has few synapses, and its first place may lie beyond
the border: in the halo. A row of `words` serves connections in which each channel drives itself
alone: an event is a map word with all its spikes at once.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from spikeloom.connections import (
    Connection,
    Conv2d,
    Identity,
    Linear,
    SparseRows,
    SumPool2d,
    Window,
)
from spikeloom.errors import UserError
from spikeloom.neurons import Integers
from spikeloom.packing.pack import pack
from spikeloom.packing.rows import MatrixRows
from spikeloom.packing.words import SynapseWords
from spikeloom_hw.engine.params import EngineParams
from spikeloom_hw.engine.placement import Placement

Form = Literal["list", "taps", "lines", "words"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Taps:
    """The taps of a window by phase.

    Attributes:
        stride, padding: of the window, down and across; the padding above and to the left.
        extent: taps of a phase, down and across.
    """

    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    extent: tuple[int, int] = (1, 1)

    @classmethod
    def of(cls, window: Window) -> "Taps":
        """The taps of a window."""
        height, width = (
            (window.kernel[axis] - 1) * window.dilation[axis] // window.stride[axis] + 1
            for axis in (0, 1)
        )
        return cls(
            stride=window.stride,
            padding=(window.padding[0], window.padding[2]),
            extent=(height, width),
        )

    @property
    def places(self) -> int:
        """Taps of all phases."""
        return self.stride[0] * self.stride[1] * self.extent[0] * self.extent[1]

    def place(self, window: Window, ky: Integers, kx: Integers) -> tuple[Integers, Integers]:
        """Phase, line and tap of kernel places: number of `(phases, line)`, and tap in it."""
        jy, fy = np.divmod(ky * window.dilation[0], self.stride[0])
        jx, fx = np.divmod(kx * window.dilation[1], self.stride[1])
        return (fy * self.stride[1] + fx) * self.extent[0] + jy, jx


@dataclass(frozen=True, kw_only=True, eq=False)
class ConnectionRows:
    """What a connection is in an engine.

    Attributes:
        connection: of the graph.
        form: of its rows.
        taps: of its window.
        units: rows of a tap, or of a line of taps.
        back: places that a row's first one lies before that of its last tap.
        shared: all taps have the same rows.
        words: the rows as memory words; their columns are `state·L + lane`.
    """

    connection: Connection
    form: Form
    taps: Taps
    units: int
    back: int
    shared: bool
    words: SynapseWords

    @property
    def rows(self) -> int:
        """Rows, empty ones among them."""
        return len(self.words.count)

    @property
    def cycles(self) -> float:
        """Cycles of an event far from the border, on average over units and phases."""
        phases = self.taps.stride[0] * self.taps.stride[1]
        if self.shared:
            return float(self.words.count.mean()) * self.taps.extent[0] * self.taps.extent[1]
        each = self.words.count.reshape(phases, -1, self.units)
        return float(np.maximum(each, 1).sum(axis=1).mean())

    @property
    def settings(self) -> dict[str, int]:
        """The fields that say how rows are found, all but the first row's number."""
        tap = 0 if self.shared else self.units
        if self.form == "lines":
            line, tap = tap, 0
        else:
            line = tap * self.taps.extent[1]
        phase = line * self.taps.extent[0]
        return {
            "row_kind.indexed": int(self.form == "list" or self._each_word),
            "row_kind.words": int(self.form == "words"),
            "row_kind.stride_y": self.taps.stride[0] - 1,
            "row_kind.stride_x": self.taps.stride[1] - 1,
            "tap_rows.size": tap,
            "line_rows.size": line,
            "phase_rows.size": phase,
            "phase_lines.size": phase * self.taps.stride[1],
            "taps.y": self.taps.extent[0] - 1,
            "taps.x": 0 if self.form == "lines" else self.taps.extent[1] - 1,
            "taps.back": self.back,
            "padding.y": self.taps.padding[0],
            "padding.x": self.taps.padding[1],
        }

    @property
    def _each_word(self) -> bool:
        """Whether a list drives a list word by word."""
        return self.form == "words" and len(self.connection.source_shape) == 1


def connection_rows(
    connection: Connection, source: Placement, target: Placement, params: EngineParams
) -> list[ConnectionRows]:
    """The ways in which an engine can read a connection, the one without a halo first.

    Args:
        connection: of a lowered graph.
        source: of its source.
        target: of its target, with its halo, if that is known.
        params: of the engine.

    Raises:
        UserError: the engine cannot read it.
    """
    name = connection.name
    window = getattr(connection, "window", None)
    if window is not None and not set(window.stride) <= set(params.strides):
        raise UserError(
            f"{name}: its window has the strides {window.stride!r} and the engine those of "
            f"{params.strides!r}: choose another stride, or an engine with that one"
        )
    match connection:
        case Linear(weights=weights):
            return [_listed(connection, weights, source, target, params)]
        case Identity():
            return [_identity(connection, source, params)]
        case SumPool2d():
            return [_pool(connection, source, params)]
        case Conv2d():
            if _each_alone(connection):
                return [_each_channel(connection, source, params)]
            taps = _taps(connection, source, params)
            if connection.window.kernel[1] == 1 or connection.window.dilation[1] > 1:
                return [taps]
            return [taps, _lines(connection, source, target, params)]
        case _:
            raise UserError(f"{name}: the engine has no connection of the kind {connection.kind}")


def _listed(
    connection: Linear,
    weights: SparseRows,
    source: Placement,
    target: Placement,
    params: EngineParams,
) -> ConnectionRows:
    word, lane = source.word(weights.row)
    state, bank = target.state(weights.target.astype(np.int64))
    return _packed(
        connection,
        form="list",
        taps=Taps(),
        units=source.words * source.lanes,
        row=word * source.lanes + lane,
        column=state * target.lanes + bank,
        weight=weights.weight,
        params=params,
    )


def _identity(connection: Identity, source: Placement, params: EngineParams) -> ConnectionRows:
    """A weight for each channel; in a list, every neuron is one."""
    channels = np.arange(source.channels)
    return _packed(
        connection,
        form="words",
        taps=Taps(),
        units=-(-source.channels // source.lanes),
        row=channels // source.lanes,
        column=channels % source.lanes,
        weight=np.broadcast_to(connection.weight, source.channels),
        params=params,
    )


def _pool(connection: SumPool2d, source: Placement, params: EngineParams) -> ConnectionRows:
    """Weights of 1; all taps share their rows, if every phase has as many of them."""
    window, taps = connection.window, Taps.of(connection.window)
    channels = np.arange(source.channels)
    if window.dilation == (1, 1) and not any(
        window.kernel[axis] % window.stride[axis] for axis in (0, 1)
    ):
        return _packed(
            connection,
            form="words",
            taps=taps,
            units=source.groups,
            shared=True,
            row=channels // source.lanes,
            column=channels % source.lanes,
            weight=np.ones(source.channels, dtype=np.int32),
            params=params,
        )
    ky, kx = (own.ravel() for own in np.indices(window.kernel))
    line, tap = taps.place(window, ky, kx)
    number = (line * taps.extent[1] + tap)[:, None] * source.groups + channels // source.lanes
    return _packed(
        connection,
        form="words",
        taps=taps,
        units=source.groups,
        row=number.ravel(),
        column=np.broadcast_to(channels % source.lanes, number.shape).ravel(),
        weight=np.ones(number.size, dtype=np.int32),
        params=params,
    )


def _each_alone(connection: Conv2d) -> bool:
    """Whether each channel drives itself alone (a depthwise convolution)."""
    return connection.groups == connection.weights.rows == connection.channels


def _kernel(connection: Conv2d) -> tuple[Integers, Integers, Integers, Integers]:
    """Input channel, tap down and across, and output channel of each weight."""
    weights = connection.weights
    tap, output = np.divmod(weights.target.astype(np.int64), connection.channels)
    ky, kx = np.divmod(tap, connection.window.kernel[1])
    return weights.row.astype(np.int64), ky, kx, output


def _each_channel(connection: Conv2d, source: Placement, params: EngineParams) -> ConnectionRows:
    channel, ky, kx, _ = _kernel(connection)
    taps = Taps.of(connection.window)
    line, tap = taps.place(connection.window, ky, kx)
    return _packed(
        connection,
        form="words",
        taps=taps,
        units=source.groups,
        row=(line * taps.extent[1] + tap) * source.groups + channel // source.lanes,
        column=channel % source.lanes,
        weight=connection.weights.weight,
        params=params,
    )


def _taps(connection: Conv2d, source: Placement, params: EngineParams) -> ConnectionRows:
    channel, ky, kx, output = _kernel(connection)
    taps, units = Taps.of(connection.window), source.groups * source.lanes
    line, tap = taps.place(connection.window, ky, kx)
    return _packed(
        connection,
        form="taps",
        taps=taps,
        units=units,
        row=(line * taps.extent[1] + tap) * units + channel,
        column=output,
        weight=connection.weights.weight,
        params=params,
    )


def _lines(
    connection: Conv2d, source: Placement, target: Placement, params: EngineParams
) -> ConnectionRows:
    channel, ky, kx, output = _kernel(connection)
    taps, units = Taps.of(connection.window), source.groups * source.lanes
    line, tap = taps.place(connection.window, ky, kx)
    back = taps.extent[1] - 1
    return _packed(
        connection,
        form="lines",
        taps=taps,
        units=units,
        back=back,
        row=line * units + channel,
        column=(back - tap) * target.groups * target.lanes + output,
        weight=connection.weights.weight,
        params=params,
    )


def _packed(
    connection: Connection,
    *,
    form: Form,
    taps: Taps,
    units: int,
    row: Integers,
    column: Integers,
    weight: np.ndarray,
    params: EngineParams,
    back: int = 0,
    shared: bool = False,
) -> ConnectionRows:
    places = taps.places // (taps.extent[1] if form == "lines" else 1)
    used = weight != 0
    matrix = SparseRows.from_synapses(
        row[used],
        column[used],
        weight[used],
        shape=(units * (1 if shared else places), int(column.max(initial=0)) + 1),
    )
    if matrix.weight_bits > params.weight_bits:
        raise UserError(
            f"{connection.name}: its weights take {matrix.weight_bits} bits and the engine has "
            f"{params.weight_bits}: train with fewer, or choose an engine with more"
        )
    words = pack(
        MatrixRows(name=connection.name, matrix=matrix),
        params.lanes,
        index_form="gap",
        index_bits=params.index_bits,
        pointer_rows=1,
        granule=1,
    )
    if int(words.count.max(initial=0)) > params.row_words:
        raise UserError(
            f"{connection.name}: a row takes {int(words.count.max())} words and the engine has "
            f"room for {params.row_words}: lower its density, or take an engine with more lanes"
        )
    return ConnectionRows(
        connection=connection,
        form=form,
        taps=taps,
        units=units,
        back=back,
        shared=shared,
        words=words,
    )
