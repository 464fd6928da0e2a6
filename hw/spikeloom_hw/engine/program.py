"""The engine's instructions and settings, and their place in memory words.

A program is a list of words. An instruction takes one, `SET` two: its number in the upper bits, an
operand below. Settings are registers of named fields; an instruction that works (`SCAN`, `SWEEP`,
…) reads the settings as they stand.

| instruction | does |
| --- | --- |
| `END` | ends the program; the next event starts it again |
| `SET r` | loads register `r` with the next word |
| `LOOP` | marks the place that `STEP` goes back to |
| `STEP` | goes to the next time step and back to the mark, or after the last one on, to step 0 |
| `SKIP_FIRST n` | skips `n` words in the first step |
| `SKIP_BEFORE_LAST n` | skips `n` words in every step but the last |
| `CLEAR` | sets states to 0 |
| `INPUT` | takes the events of a step into a map |
| `SCAN` | adds up the rows of a map's spikes |
| `SWEEP` | updates a population and writes down its spikes |
| `OUTPUT` | tells states as scores |

A program ends whatever its words are: `STEP` alone goes back, to the last mark passed, and at most
once for each time step.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

from spikeloom_hw.engine.params import LANE_PARAMETERS, EngineParams

OPCODE_BITS = 4
OPERAND_BITS = 12


class Opcode(IntEnum):
    """Instructions by number."""

    END = 0
    SET = 1
    LOOP = 2
    STEP = 3
    SKIP_FIRST = 4
    SKIP_BEFORE_LAST = 5
    CLEAR = 6
    INPUT = 7
    SCAN = 8
    SWEEP = 9
    OUTPUT = 10


class Rounding(IntEnum):
    """What is added before a decayed state loses its fraction."""

    DOWN = 0
    """Nothing: of no decay, and of halving."""
    FLOOR = 1
    """All ones: the part that is lost is rounded down."""
    NEAREST = 2
    """Just below a half: the part that is lost is rounded to the nearest."""
    TOWARD_ZERO = 3
    """All ones to a negative state: the part that is kept is rounded toward zero."""


class Reset(IntEnum):
    """What a spike does to a membrane."""

    SUBTRACT = 0
    """Takes the amount off it."""
    VALUE = 1
    """Sets it to the reset value."""
    LATE = 2
    """Takes the amount off it in the next step."""
    NONE = 3
    """Nothing."""


Fields = Mapping[str, int]
"""Widths of a register's fields, the lowest first, by name."""


@cache
def registers(params: EngineParams) -> Mapping[str, Fields]:
    """All settings of an engine, in the order of their numbers.

    Numbers of things are stored less one, since there is at least one of each.
    """
    size, rows, state = params.size_bits, params.row_bits, params.state_address_bits
    decay = {"keep": params.decay_bits + 1}
    return {
        # Time.
        "steps": {"last": 12},
        "pages": {"last": 12},
        "page_words": {"size": params.map_address_bits},
        "page_summary": {"size": params.summary_address_bits},
        # The map that is read: where it lies; lines of words, groups of channels, planes of bits.
        "map": {"base": params.map_address_bits},
        "map_summary": {"base": params.summary_address_bits},
        "map_kind": {"stepped": 1, "before": 1, "planes": 6},
        "map_size": {"width": size, "height": min(size, 8)},
        "map_groups": {"groups": size},
        # Its rows.
        "rows": {"base": rows},
        "row_kind": {
            "indexed": 1,
            "words": 1,
            "stride_y": 2,
            "stride_x": 2,
            "shift": params.shift_bits,
        },
        "tap_rows": {"size": rows},
        "line_rows": {"size": rows},
        "phase_rows": {"size": rows},
        "phase_lines": {"size": rows},
        "taps": {"y": params.tap_bits, "x": params.tap_bits, "back": params.tap_bits},
        "padding": {"y": min(size, 8), "x": min(size, 8)},
        # The states that are driven and updated.
        "target": {"base": state},
        "line_pitch": {"size": state},
        "place_pitch": {"size": size},
        "target_size": {"width": size, "height": min(size, 8)},
        "target_groups": {"groups": size},
        # The update.
        "neuron": {
            "spiking": 1,
            "relay": 1,
            "two": 1,
            "held": 1,
            "reset": 2,
            "rounding": 2,
            "current_rounding": 2,
        },
        "membranes": {"offset": state},
        "decay": decay,
        "current_decay": decay,
        "high": {"limit": params.state_bits},
        "low": {"limit": params.state_bits},
        "current_high": {"limit": params.state_bits},
        "current_low": {"limit": params.state_bits},
        **{name: {"value": params.state_bits} for name in LANE_PARAMETERS},
        "table": {"base": params.program_address_bits},
        "table_kind": {"used": 1, "each_place": 1},
        "lanes": {"last": max(1, params.lane_bits), "listed": 1},
        # The map that is written, or taken from events.
        "out": {"base": params.map_address_bits},
        "out_summary": {"base": params.summary_address_bits},
        "out_kind": {"emits": 1, "stepped": 1, "planes": 6},
        # What is left.
        "input": {"summaries": params.summary_address_bits},
        "clear": {"base": state},
        "clear_size": {"words": state},
        "output": {"neurons": min(12, state + params.lane_bits)},
    }


@cache
def register_numbers(params: EngineParams) -> Mapping[str, int]:
    """Numbers of the registers."""
    return {name: number for number, name in enumerate(registers(params))}


Settings = Mapping[str, int]
"""Fields by `register.field`; a field that is not named is 0."""


def pack_settings(params: EngineParams, settings: Settings) -> dict[str, int]:
    """The values of the registers of which `settings` names a field.

    Raises:
        KeyError: there is no such field.
        OverflowError: a value does not fit its field; the message names the field.
    """
    values: dict[str, int] = {}
    table = registers(params)
    for name, value in settings.items():
        register, field = name.split(".")
        width = table[register][field]
        low, high = -(1 << (width - 1)), (1 << width) - 1
        if not low <= value <= high:
            raise OverflowError(f"{name} is {value!r}: it has {width} bits")
        offset = 0
        for other, bits in table[register].items():
            if other == field:
                break
            offset += bits
        values[register] = values.get(register, 0) | (value & high) << offset
    return values


def unpack_register(params: EngineParams, register: str, value: int) -> dict[str, int]:
    """Fields of a register, by `register.field`."""
    found = {}
    for field, bits in registers(params)[register].items():
        found[f"{register}.{field}"] = value & (1 << bits) - 1
        value >>= bits
    return found


@dataclass(frozen=True)
class Instruction:
    """One of a program.

    Attributes:
        opcode: what it does.
        operand: a register's number, or words to skip.
        value: what `SET` loads.
    """

    opcode: Opcode
    operand: int = 0
    value: int = 0

    @property
    def words(self) -> int:
        """Words that it takes."""
        return 2 if self.opcode is Opcode.SET else 1


def encode(instructions: list[Instruction]) -> list[int]:
    """The words of a program."""
    words = []
    for instruction in instructions:
        words.append(instruction.opcode << OPERAND_BITS | instruction.operand)
        if instruction.opcode is Opcode.SET:
            words.append(instruction.value)
    return words


def decode_word(word: int) -> tuple[Opcode, int]:
    """Instruction and operand of a word; a number that means nothing is `END`."""
    number = word >> OPERAND_BITS & (1 << OPCODE_BITS) - 1
    known = number in Opcode.__members__.values()
    return Opcode(number) if known else Opcode.END, word & (1 << OPERAND_BITS) - 1


def listing(params: EngineParams, words: list[int]) -> Iterator[str]:
    """A program as text, a line an instruction, up to its first `END`."""
    names = list(registers(params))
    at = 0
    while at < len(words):
        opcode, operand = decode_word(words[at])
        if opcode is Opcode.SET and at + 1 < len(words) and operand < len(names):
            fields = unpack_register(params, names[operand], words[at + 1])
            text = ", ".join(f"{name} = {value}" for name, value in fields.items())
            yield f"{at:4}  SET {text}"
            at += 2
            continue
        skips = opcode in (Opcode.SKIP_FIRST, Opcode.SKIP_BEFORE_LAST)
        yield f"{at:4}  {opcode.name}{f' {operand}' if skips else ''}"
        if opcode is Opcode.END:
            return
        at += 1
