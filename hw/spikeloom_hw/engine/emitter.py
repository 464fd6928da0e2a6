"""Writes instructions, each setting only where it changes."""

from collections.abc import Sequence
from dataclasses import dataclass

from spikeloom_hw.engine.params import EngineParams
from spikeloom_hw.engine.program import (
    Instruction,
    Opcode,
    Reset,
    Rounding,
    Settings,
    pack_settings,
    register_numbers,
    unpack_register,
)

Run = tuple[Opcode, Settings, str]
"""An instruction, its settings, and what it works on."""


class Emitter:
    """Instructions, and which value each register is known to have.

    Attributes:
        instructions: so far.
        labels: what the instructions that work do so on, by their number.
    """

    @dataclass(frozen=True)
    class Guard:
        """A condition of the run that follows it.

        `SKIP_FIRST` leaves the run out in the first step. `SKIP_BEFORE_LAST` makes it leave
        membranes undecayed in the last step, so that they can be told.
        """

        opcode: Opcode

    def __init__(self, params: EngineParams) -> None:
        self.params = params
        self.instructions: list[Instruction] = []
        self.labels: dict[int, str] = {}
        self._known: dict[str, int] = {}

    def add(self, opcode: Opcode, operand: int = 0) -> None:
        """One instruction without settings."""
        self.instructions.append(Instruction(opcode, operand))

    def settings(self, settings: Settings) -> None:
        """Loads what is not known to be loaded."""
        for register, value in pack_settings(self.params, settings).items():
            if self._known.get(register) != value:
                self._set(register, value)

    def run(self, opcode: Opcode, settings: Settings, label: str) -> None:
        """An instruction with its settings."""
        self.settings(settings)
        self._do(opcode, settings, label)

    def _do(self, opcode: Opcode, settings: Settings, label: str) -> None:
        self.labels[len(self.instructions)] = label
        self.add(opcode)
        if settings.get("table_kind.used"):
            for name in self.params.lane_parameters:
                self._known.pop(name, None)

    def loop(self, body: Sequence[Run | Guard]) -> None:
        """Instructions for every time step; what they all have in common is loaded before."""
        wanted: dict[str, set[int]] = {}
        runs = [own for own in body if not isinstance(own, Emitter.Guard)]
        for _, settings, _ in runs:
            for register, value in pack_settings(self.params, settings).items():
                wanted.setdefault(register, set()).add(value)
        sweeps = sum(opcode is Opcode.SWEEP for opcode, _, _ in runs)
        # What the instructions themselves change.
        moving = {"decay", "neuron", *self.params.lane_parameters}
        for register, values in wanted.items():
            if len(values) == 1 and (sweeps == 1 or register not in moving):
                (value,) = values
                if self._known.get(register) != value:
                    self._set(register, value)
            else:
                self._known.pop(register, None)
        self.add(Opcode.LOOP)
        guard = None
        for own in body:
            if isinstance(own, Emitter.Guard):
                guard = own.opcode
                continue
            opcode, settings, label = own
            self.settings(settings)
            if guard is Opcode.SKIP_FIRST:
                self.add(Opcode.SKIP_FIRST, 1)
            elif guard is Opcode.SKIP_BEFORE_LAST:
                self._undecayed(settings)
            self._do(opcode, settings, label)
            guard = None
        self.add(Opcode.STEP)

    @property
    def places(self) -> dict[int, str]:
        """The labels, by the word of the program that their instructions stand in."""
        found, at = {}, 0
        for number, instruction in enumerate(self.instructions):
            if number in self.labels:
                found[at] = self.labels[number]
            at += instruction.words
        return found

    def _set(self, register: str, value: int) -> None:
        self.instructions.append(
            Instruction(Opcode.SET, register_numbers(self.params)[register], value)
        )
        self._known[register] = value

    def _undecayed(self, settings: Settings) -> None:
        """In the last step alone, what a spike and a decay leave for the next is left out."""
        packed = pack_settings(self.params, settings)
        neuron = dict(unpack_register(self.params, "neuron", packed["neuron"]))
        neuron["neuron.rounding"] = Rounding.DOWN
        if neuron["neuron.reset"] == Reset.LATE:
            neuron["neuron.reset"] = Reset.NONE
        changed = {"decay.keep": 1 << self.params.decay_bits, **neuron}
        values = pack_settings(self.params, changed)
        self.add(Opcode.SKIP_BEFORE_LAST, 2 * len(values))
        for register, value in values.items():
            self._set(register, value)
            self._known.pop(register)


__all__ = ["Emitter", "Run"]
