"""Executes the words of a program as the core does: slowly, plainly, and to the bit.

It knows nothing of networks. What it finds in the memories decides what it does, so that a program
from anywhere, or any bytes at all, do the same in it and in the gateware.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from spikeloom.neurons import Integers
from spikeloom_hw.engine import cycles
from spikeloom_hw.engine.params import LINE_WORDS, EngineParams
from spikeloom_hw.engine.program import (
    Opcode,
    Reset,
    Rounding,
    decode_word,
    registers,
    unpack_register,
)
from spikeloom_hw.engine.records import InputEvent, MapEvent, Result, RowRead, Update


class Machine:
    """An engine with its memories.

    Attributes:
        params: of the engine.
        program, pointers, weights: what a host has loaded; missing words are 0.
        states: int64 `[lanes, state_words]`.
    """

    def __init__(
        self,
        params: EngineParams,
        program: Sequence[int],
        pointers: Sequence[int],
        weights: Sequence[int],
    ) -> None:
        self.params = params
        self.program = list(program)
        self.pointers = list(pointers)
        self.states = np.zeros((params.lanes, params.state_words), dtype=np.int64)
        self.maps = [0] * params.map_words
        self.summaries = [0] * params.summary_words
        self.setting: dict[str, int] = {}
        for name in registers(params):
            self.setting |= unpack_register(params, name, 0)
        self.lane_values = {
            name: np.zeros(params.lanes, dtype=np.int64) for name in params.lane_parameters
        }
        self.step = self.page = self.map_page = self.summary_page = 0
        self.map_before = self.summary_before = 0
        self.result = Result()
        self.clock = cycles.ScanClock()
        slots = np.zeros((max(1, len(weights)), params.lanes), dtype=np.int64)
        for number, word in enumerate(weights):
            for lane in range(params.lanes):
                slots[number, lane] = word >> lane * params.slot_bits & (1 << params.slot_bits) - 1
        self._index = slots & (1 << params.index_bits) - 1
        self._weight = _signed(slots >> params.index_bits, params.weight_bits)
        self._rows: dict[int, tuple[Integers, Integers, Integers, Integers]] = {}

    # Instructions.

    def run(self, steps: Sequence[Sequence[InputEvent]]) -> Result:
        """Runs the program once.

        Args:
            steps: the events of each `INPUT`; a program that takes more of them finds none.
        """
        self.result = Result()
        waiting = iter(steps)
        self.step = self.page = self.map_page = self.summary_page = 0
        self.map_before = self.summary_before = 0
        at = mark = 0
        names = list(registers(self.params))
        while at < len(self.program):
            opcode, operand = decode_word(self.program[at])
            self.result.at = at
            at += 1
            self.result.spend(opcode, cycles.INSTRUCTION)
            match opcode:
                case Opcode.SET:
                    self.result.spend(opcode, cycles.SET - cycles.INSTRUCTION)
                    value = self._word(at)
                    at += 1
                    if operand < len(names):
                        self._set(names[operand], value)
                case Opcode.LOOP:
                    mark = at
                case Opcode.STEP:
                    if self._next_step():
                        at = mark
                case Opcode.SKIP_FIRST:
                    at += operand * (self.step == 0)
                case Opcode.SKIP_BEFORE_LAST:
                    at += operand * (self.step != self.setting["steps.last"])
                case Opcode.CLEAR:
                    self._clear()
                case Opcode.INPUT:
                    self._input(next(waiting, ()))
                case Opcode.SCAN:
                    self._scan()
                case Opcode.SWEEP:
                    self._sweep()
                case Opcode.OUTPUT:
                    self._output()
                case Opcode.END:
                    break
        return self.result

    def _word(self, at: int) -> int:
        return self.program[at] if at < len(self.program) else 0

    def _set(self, register: str, value: int) -> None:
        self.setting |= unpack_register(self.params, register, value)
        if register in self.lane_values:
            self.lane_values[register][:] = self._signed(value)

    def _signed(self, value: int) -> int:
        bits = self.params.state_bits
        value &= (1 << bits) - 1
        return value - (1 << bits) if value >> (bits - 1) else value

    def _next_step(self) -> bool:
        setting = self.setting
        if self.step == setting["steps.last"]:
            self.step = self.page = self.map_page = self.summary_page = 0
            self.map_before = self.summary_before = 0
            return False
        self.step += 1
        self.map_before, self.summary_before = self.map_page, self.summary_page
        if self.page == setting["pages.last"]:
            self.page = self.map_page = self.summary_page = 0
        else:
            self.page += 1
            self.map_page += setting["page_words.size"]
            self.summary_page += setting["page_summary.size"]
        return True

    def _clear(self) -> None:
        first, words = self.setting["clear.base"], self.setting["clear_size.words"] + 1
        self.states[:, (first + np.arange(words)) % self.params.state_words] = 0
        self._work(Opcode.CLEAR, cycles.clear_cycles(words))

    def _work(self, opcode: Opcode, worked: int) -> None:
        """Counts the cycles of a unit, of which the one that starts it is counted already."""
        self.result.spend(opcode, worked + cycles.UNIT - cycles.INSTRUCTION)

    # Maps.

    def _out(self) -> tuple[int, int]:
        """First words of the map that is written, and of its summary."""
        stepped = self.setting["out_kind.stepped"]
        return (
            self.setting["out.base"] + stepped * self.map_page,
            self.setting["out_summary.base"] + stepped * self.summary_page,
        )

    def _input(self, events: Sequence[InputEvent]) -> None:
        words, summaries = self._out()
        for number in range(self.setting["input.summaries"] + 1):
            self.summaries[(summaries + number) % self.params.summary_words] = 0
        for summary, bit, word, lane in events:
            at = (summaries + summary) % self.params.summary_words
            place = (words + word) % self.params.map_words
            fresh = not self.summaries[at] >> bit & 1
            self.summaries[at] |= 1 << bit
            self.maps[place] = (0 if fresh else self.maps[place]) | 1 << lane
        cleared = self.setting["input.summaries"] + 1
        self._work(Opcode.INPUT, cycles.input_cycles(cleared, len(events)))

    def events(self) -> Iterator[MapEvent]:
        """The spikes of the map that is read, in the order in which they are found."""
        setting = self.setting
        page, summary_page = (
            (self.map_before, self.summary_before)
            if setting["map_kind.before"]
            else (self.map_page, self.summary_page)
        )
        stepped = setting["map_kind.stepped"]
        words = setting["map.base"] + stepped * page
        summaries = setting["map_summary.base"] + stepped * summary_page
        width, height = setting["map_size.width"] + 1, setting["map_size.height"] + 1
        groups = setting["map_groups.groups"] + 1
        line = summary = 0
        for plane in range(setting["map_kind.planes"] + 1):
            first = line
            for group in range(groups):
                for y in range(height):
                    for chunk in range(0, width, LINE_WORDS):
                        bits = self.summaries[(summaries + summary) % self.params.summary_words]
                        summary += 1
                        self.clock.chunk(bits.bit_count())
                        for bit in range(LINE_WORDS):
                            if not bits >> bit & 1:
                                continue
                            x = chunk + bit
                            spikes = self.maps[(words + line + x) % self.params.map_words]
                            where = (plane, group, y, x, line - first + x)
                            whole = setting["row_kind.words"]
                            self.clock.word(bool(spikes) if whole else spikes.bit_count())
                            if whole and not spikes:
                                continue
                            if whole:
                                yield MapEvent(*where, 0, spikes)
                                continue
                            for lane in range(self.params.lanes):
                                if spikes >> lane & 1:
                                    yield MapEvent(*where, lane, (1 << self.params.lanes) - 1)
                    line += width

    # Rows.

    def reads(self, event: MapEvent) -> Iterator[RowRead]:
        """The rows of an event inside the map."""
        setting, params = self.setting, self.params
        states, rows = params.state_words, 1 << params.row_bits
        shift = min(setting["row_kind.shift"] + event.plane, (1 << params.shift_bits) - 1)
        unit = event.word if setting["row_kind.indexed"] else event.group
        whole = setting["row_kind.words"]
        if not whole:
            unit = unit * params.lanes + event.lane
        if setting["row_kind.indexed"] and not whole:
            row = (setting["rows.base"] + unit) % rows
            self.clock.read(self.row(row)[1])
            yield RowRead(row, setting["target.base"], event.mask, shift)
            return
        stride_y, stride_x = setting["row_kind.stride_y"] + 1, setting["row_kind.stride_x"] + 1
        qy, fy = self._divide(event.y + setting["padding.y"], stride_y)
        qx, fx = self._divide(event.x + setting["padding.x"], stride_x)
        line = setting["rows.base"] + unit
        line += fy * setting["phase_lines.size"] + fx * setting["phase_rows.size"]
        base = setting["target.base"] + (
            event.group if whole and not setting["row_kind.indexed"] else 0
        )
        back = setting["taps.back"]
        for jy in range(setting["taps.y"] + 1):
            y = qy - jy
            if 0 <= y <= setting["target_size.height"]:
                for jx in range(setting["taps.x"] + 1):
                    x = qx - jx - back
                    if (back or x >= 0) and x <= setting["target_size.width"]:
                        state = base + y * setting["line_pitch.size"]
                        state += x * setting["place_pitch.size"]
                        row = (line + jx * setting["tap_rows.size"]) % rows
                        self.clock.read(self.row(row)[1])
                        yield RowRead(row, state % states, event.mask, shift)
                    else:
                        self.clock.outside()
            else:
                self.clock.outside()
            line += setting["line_rows.size"]

    def _divide(self, value: int, stride: int) -> tuple[int, int]:
        return divmod(value, stride if stride in self.params.strides else 1)

    def row(self, number: int) -> tuple[int, int]:
        """First word and number of words of a row."""
        params = self.params
        at, place = divmod(number, params.pointer_rows)
        pointer = self.pointers[at] if at < len(self.pointers) else 0
        counts = [
            pointer >> params.base_bits + own * params.count_bits & params.row_words
            for own in range(params.pointer_rows)
        ]
        base = pointer & (1 << params.base_bits) - 1
        return (base + sum(counts[:place])) % (1 << params.base_bits), counts[place]

    def _row_synapses(self, number: int) -> tuple[Integers, Integers, Integers, Integers]:
        """Addresses, lanes and weights of the synapses of a row."""
        if number not in self._rows:
            base, count = self.row(number)
            words = (base + np.arange(count)) % (1 << self.params.base_bits)
            known = words < len(self._index)
            words = np.where(known, words, 0)
            index = np.where(known[:, None], self._index[words], 0)
            weight = np.where(known[:, None], self._weight[words], 0)
            address = np.cumsum(index + 1, axis=0) - 1
            used = weight != 0
            word, lane = np.nonzero(used)
            self._rows[number] = (address[word, lane], lane, weight[word, lane], word)
        return self._rows[number]

    def _scan(self) -> None:
        self.clock = cycles.ScanClock()
        for event in self.events():
            self.clock.event()
            for read in self.reads(event):
                address, lane, weight, _ = self._row_synapses(read.row)
                taken = (read.mask >> lane & 1).astype(bool)
                places = (read.base + address[taken]) % self.params.state_words
                np.add.at(self.states, (lane[taken], places), weight[taken] << read.shift)
        # The banks hold sums modulo their width.
        self.states = _signed(self.states, self.params.state_bits)
        self._work(Opcode.SCAN, self.clock.end - 1)
        self.result.events += self.clock.events
        self.result.words += self.clock.words

    # The update.

    def _sweep(self) -> None:
        setting, params = self.setting, self.params
        two, relay = bool(setting["neuron.two"]) and params.currents, setting["neuron.relay"]
        planes = setting["out_kind.planes"] + 1 if relay else 1
        width, height = setting["target_size.width"] + 1, setting["target_size.height"] + 1
        groups = setting["target_groups.groups"] + 1
        word, summary = self._out()
        table = setting["table.base"]
        all_lanes = np.ones(params.lanes, dtype=bool)
        some_lanes = np.arange(params.lanes) <= setting["lanes.last"]
        seen: list[tuple[int, bool, np.ndarray, Integers]] = []
        for plane in range(planes):
            for group in range(groups):
                if setting["table_kind.used"] and not setting["table_kind.each_place"]:
                    table = self._load(table)
                for y in range(height):
                    bits = 0
                    for x in range(width):
                        if setting["table_kind.used"] and setting["table_kind.each_place"]:
                            table = self._load(table)
                        address = setting["target.base"] + y * setting["line_pitch.size"]
                        address += x * setting["place_pitch.size"] + group
                        address %= params.state_words
                        last = x == width - 1 if setting["lanes.listed"] else group == groups - 1
                        exists = some_lanes if last else all_lanes
                        current = np.zeros(params.lanes, dtype=np.int64)
                        if two:
                            current = self._current(address)
                            seen.append((address, True, ~all_lanes, current))
                            address = (address + setting["membranes.offset"]) % params.state_words
                        spikes, value = self._membrane(address, current, two=two, plane=plane)
                        spikes &= exists
                        seen.append((address, False, spikes, value))
                        mask = sum(1 << lane for lane in np.flatnonzero(spikes).tolist())
                        if setting["out_kind.emits"]:
                            self.maps[word % params.map_words] = mask
                        word += 1
                        bits |= bool(mask) << x % LINE_WORDS
                        if x % LINE_WORDS == LINE_WORDS - 1 or x == width - 1:
                            if setting["out_kind.emits"]:
                                self.summaries[summary % params.summary_words] = bits
                            summary, bits = summary + 1, 0
        used, places = setting["table_kind.used"], height * width
        each = 1 if used and setting["table_kind.each_place"] else places if used else 0
        groups_of_walk = each or groups * places
        self._work(
            Opcode.SWEEP,
            cycles.sweep_cycles(
                params,
                walks=planes * groups * places // groups_of_walk,
                groups=groups_of_walk,
                two=two,
                loads=bool(used),
            ),
        )
        self.result.updates.append(
            Update(
                address=np.array([own[0] for own in seen], dtype=np.int64),
                current=np.array([own[1] for own in seen], dtype=bool),
                spikes=np.array([own[2] for own in seen], dtype=bool),
                values=np.array([own[3] for own in seen], dtype=np.int64),
            )
        )

    def _load(self, table: int) -> int:
        """Shifts in the parameters of the next neurons."""
        lanes, end = self.params.lanes, 1 << self.params.program_address_bits
        for name in self.params.lane_parameters:
            words = [self._signed(self._word((table + at) % end)) for at in range(lanes)]
            # The first one goes furthest.
            self.lane_values[name] = np.array(words[::-1], dtype=np.int64)
            table += lanes
        return table

    def _parameter(self, name: str) -> Integers:
        if name in self.lane_values:
            return self.lane_values[name]
        value = self._signed(self.setting[f"{name}.value"])
        return np.full(self.params.lanes, value, dtype=np.int64)

    def _limit(self, values: Integers, high: str, low: str) -> Integers:
        high_limit = self._signed(self.setting[f"{high}.limit"])
        low_limit = self._signed(self.setting[f"{low}.limit"])
        values = np.where(values > high_limit, high_limit, values)
        return np.where(values < low_limit, low_limit, values)

    def _wrap(self, values: Integers) -> Integers:
        return _signed(values, self.params.state_bits)

    def _decay(self, values: Integers, keep: str, rounding: int) -> Integers:
        one = 1 << self.params.decay_bits
        kept = self.setting[f"{keep}.keep"]
        match rounding:
            case Rounding.DOWN:
                added: Integers | int = 0
            case Rounding.FLOOR:
                added = one - 1
            case Rounding.NEAREST:
                added = one // 2 - 1
            case _:
                added = np.where(values < 0, one - 1, 0)
        return self._wrap((values * kept + added) >> self.params.decay_bits)

    def _current(self, address: int) -> Integers:
        total = self._wrap(self.states[:, address] + self._parameter("bias"))
        current = self._limit(total, "current_high", "current_low")
        if not self.setting["neuron.held"]:
            self.states[:, address] = self._decay(
                current, "current_decay", self.setting["neuron.current_rounding"]
            )
        return current

    def _membrane(
        self, address: int, current: Integers, *, two: bool, plane: int
    ) -> tuple[np.ndarray, Integers]:
        setting = self.setting
        added = self._parameter("drive" if two else "bias") if plane == 0 else 0
        u = self._wrap(self.states[:, address] + added + current)
        amount = self._parameter("amount")
        fires = (u >= self._parameter("threshold")) & bool(setting["neuron.spiking"])
        match setting["neuron.reset"]:
            case Reset.SUBTRACT:
                after = np.where(fires, self._wrap(u - amount), u)
            case Reset.VALUE:
                after = np.where(fires, self._parameter("reset_value"), u)
            case _:
                after = u
        value = self._limit(after, "high", "low")
        spikes = (u & 1).astype(bool) if setting["neuron.relay"] else fires
        left = self._decay(value, "decay", setting["neuron.rounding"])
        if setting["neuron.reset"] == Reset.LATE:
            left = np.where(fires, self._wrap(left - amount), left)
        self.states[:, address] = left
        return spikes.copy(), value

    def _output(self) -> None:
        for neuron in range(self.setting["output.neurons"] + 1):
            state, lane = divmod(neuron, self.params.lanes)
            at = (self.setting["target.base"] + state) % self.params.state_words
            self.result.scores.append(int(self.states[lane, at]))
        neurons = self.setting["output.neurons"] + 1
        self._work(Opcode.OUTPUT, cycles.output_cycles(neurons))


def _signed(values: Integers, bits: int) -> Integers:
    """`values` modulo `2^bits`, in two's complement."""
    half = 1 << (bits - 1)
    return ((values + half) & ((1 << bits) - 1)) - half
