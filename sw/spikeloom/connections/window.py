"""Windows that slide over a map: the geometry that convolution and pooling share."""

from collections.abc import Iterator

import msgspec

from spikeloom.connections.base import Shape


class Window(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the windows of a map of outputs lie on a map of inputs.

    Output `(oy, ox)` looks at the inputs `(oy·stride + ky·dilation - top, …)` for `ky` of the
    kernel's height; inputs beyond the border are 0.

    Attributes:
        kernel: height and width of the window.
        stride: from one window to the next, down and across.
        padding: rows and columns of zeros: top, bottom, left, right.
        dilation: from one tap of a window to the next, down and across.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)

    def extent(self, source: Shape) -> tuple[int, int]:
        """Height and width of the map of outputs.

        Raises:
            ValueError: `source` is no map, or the padded map is smaller than a window.
        """
        if len(source) != 3:
            raise ValueError(f"a window needs a map (height, width, channels), not {source!r}")
        top, bottom, left, right = self.padding
        height = self._along(source[0] + top + bottom, axis=0)
        width = self._along(source[1] + left + right, axis=1)
        if height < 1 or width < 1:
            raise ValueError(
                f"a window of {self.kernel!r} with dilation {self.dilation!r} does not fit into "
                f"{source!r} with padding {self.padding!r}"
            )
        return height, width

    def _along(self, length: int, axis: int) -> int:
        reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1
        return (length - reach) // self.stride[axis] + 1

    def taps(self) -> Iterator[tuple[int, int]]:
        """The places of a window, row by row."""
        height, width = self.kernel
        return ((ky, kx) for ky in range(height) for kx in range(width))

    def outputs(self, source: Shape, y: int, x: int) -> Iterator[tuple[int, int, int, int]]:
        """The windows that an input lies in: `(oy, ox, ky, kx)`, by which tap of each."""
        height, width = self.extent(source)
        for ky, kx in self.taps():
            oy, down = divmod(y + self.padding[0] - ky * self.dilation[0], self.stride[0])
            ox, across = divmod(x + self.padding[2] - kx * self.dilation[1], self.stride[1])
            if not down and not across and 0 <= oy < height and 0 <= ox < width:
                yield oy, ox, ky, kx

    def slices(self, source: Shape, ky: int, kx: int) -> tuple[slice, slice]:
        """What a tap of all windows sees of the padded map: rows and columns."""
        starts = ky * self.dilation[0], kx * self.dilation[1]
        rows, columns = (
            slice(start, start + (length - 1) * stride + 1, stride)
            for start, length, stride in zip(starts, self.extent(source), self.stride, strict=True)
        )
        return rows, columns
