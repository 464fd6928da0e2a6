"""How a bitstream gets into a board: the program that writes it, and what the board can keep."""

from dataclasses import dataclass, replace
from typing import Self

OPENFPGALOADER = "openFPGALoader"
ICESPROG = "icesprog"


@dataclass(frozen=True, kw_only=True)
class Programmer:
    """What programs a board.

    Attributes:
        program: name of the tool.
        options: its options that name the board.
        volatile: options that write the configuration memory, gone when the power is; None when
            the board has no way to it.
        persistent: options that write the flash, from which the board starts.
        hint: what a person does first; empty when nothing.
    """

    program: str = OPENFPGALOADER
    options: tuple[str, ...]
    volatile: tuple[str, ...] | None = None
    persistent: tuple[str, ...] = ()
    hint: str = ""

    def command(self, bitstream: str, *, persistent: bool) -> tuple[str, ...]:
        """The command that writes the file `bitstream`.

        Raises:
            ValueError: `persistent` is False and the board keeps its bitstream in flash only.
        """
        mode = self.persistent if persistent else self.volatile
        if mode is None:
            raise ValueError(f"{' '.join(self.options)} writes flash only")
        return (self.program, *self.options, *mode, bitstream)

    def of_board(self, name: str) -> Self:
        """The same with another of openFPGALoader's names for the board."""
        return replace(self, options=("-b", name, *self.options[2:]))
