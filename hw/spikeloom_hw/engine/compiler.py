"""From a network to the memories of an engine: order, rows, places, instructions.

A program computes *parts* one after another, each for all its steps before the next. In the order
"layers" a part is a population, or the populations of a loop: only its states are alive, and the
spikes of all steps wait in maps, a page of them for each step. In the order "steps" there is one
part with every population in it: every state is alive, and maps are two pages at most.
"""

from dataclasses import dataclass, field
from functools import cached_property

from spikeloom.connections import Connection
from spikeloom.errors import UserError
from spikeloom.image import NetworkImage
from spikeloom.image.population import Population
from spikeloom_hw.engine.capacity import check_graph, check_room
from spikeloom_hw.engine.compiled import EngineProgram, Order
from spikeloom_hw.engine.contents import first_rows, pointer_words, weight_words
from spikeloom_hw.engine.emitter import Emitter, Run
from spikeloom_hw.engine.lowering import Lowered, lower
from spikeloom_hw.engine.memory_plan import Need, place
from spikeloom_hw.engine.neuron_settings import NeuronSettings, neuron_settings
from spikeloom_hw.engine.params import EngineParams
from spikeloom_hw.engine.placement import Placement
from spikeloom_hw.engine.program import Opcode, encode
from spikeloom_hw.engine.rows import ConnectionRows, connection_rows


def compile_network(
    image: NetworkImage, params: EngineParams, *, order: Order | None = None
) -> EngineProgram:
    """The program of a network; see `compile_graph`."""
    return compile_graph(lower(image), params, order=order)


def compile_graph(
    lowered: Lowered, params: EngineParams, *, order: Order | None = None
) -> EngineProgram:
    """The program of a lowered graph for an engine.

    Args:
        lowered: the graph.
        params: of the engine.
        order: of its parts; None takes "layers", or "steps" if only that fits.

    Raises:
        UserError: the engine has not the room or the features; in one sentence.
    """
    if order is not None:
        return _Compilation(lowered, params, order).run()
    try:
        return _Compilation(lowered, params, "layers").run()
    except UserError as error:
        try:
            return _Compilation(lowered, params, "steps").run()
        except UserError:
            raise error from None


@dataclass(eq=False)
class _Compilation:
    lowered: Lowered
    params: EngineParams
    order: Order
    placements: dict[str, Placement] = field(default_factory=dict)
    rows: dict[str, ConnectionRows] = field(default_factory=dict)
    first_row: dict[str, int] = field(default_factory=dict)
    neurons: dict[str, NeuronSettings] = field(default_factory=dict)
    tables: dict[str, int] = field(default_factory=dict)

    def run(self) -> EngineProgram:
        """Everything, in the order in which it depends on each other."""
        check_graph(self.lowered.graph, self.planes, self.params)
        self._choose_rows()
        packed = [self.rows[own.name] for own in self.lowered.graph.connections]
        self.first_row = first_rows(packed, self.params)
        pointers, weights = pointer_words(packed, self.params), weight_words(packed, self.params)
        self._place_states()
        self._place_maps()
        for population in self.behind:
            self.neurons[population.name] = neuron_settings(
                population,
                self.placements[population.name],
                self.params,
                held=population.name in self.held,
                planes=self.planes[population.name],
            )
        room = {
            "weight_words": len(weights),
            "pointer_words": len(pointers),
            "state_words": self.state_words,
            "map_words": self.map_words,
            "summary_words": self.summary_words,
        }
        for name, used in room.items():
            check_room(self.params, name, used)
        try:
            program = self._program()
        except OverflowError as error:
            raise UserError(f"the network is too large for the engine: {error}") from None
        room["program_words"] = len(program)
        return EngineProgram(
            params=self.params,
            lowered=self.lowered,
            order=self.order,
            parts=self.parts,
            placements=self.placements,
            planes=self.planes,
            rows=self.rows,
            held=self.held,
            program=program,
            pointers=pointers,
            weights=weights,
            labels=self._instructions().places,
            room=room,
        )

    @cached_property
    def behind(self) -> list[Population]:
        """The populations behind the source."""
        return [p for p in self.lowered.graph.populations if p is not self.lowered.graph.source]

    @cached_property
    def source(self) -> str:
        return self.lowered.graph.source.name

    @cached_property
    def parts(self) -> tuple[tuple[str, ...], ...]:
        """The populations behind the source that are computed together."""
        parts = [part for part in self.lowered.graph.components if part != (self.source,)]
        if self.order == "steps":
            return (tuple(name for part in parts for name in part),)
        return tuple(parts)

    @cached_property
    def part_of(self) -> dict[str, int]:
        """Number of the part of each population; the source lies before the first."""
        return {name: number for number, part in enumerate(self.parts) for name in part} | {
            self.source: -1
        }

    @cached_property
    def planes(self) -> dict[str, int]:
        """Bits of what each population sends."""
        highest = self.lowered.graph.highest
        return {
            name: max(1, int(values.max(initial=0)).bit_length())
            for name, values in highest.items()
        }

    @cached_property
    def held(self) -> frozenset[str]:
        """Populations that the same values reach in every step."""
        graph = self.lowered.graph
        if self.planes[self.source] == 1 or not self.params.currents:
            return frozenset()
        return frozenset(
            population.name
            for population in self.behind
            if population.neuron.states == ("membrane",)
            and all(
                c.source == self.source and not c.delay for c in graph.incoming[population.name]
            )
        )

    @cached_property
    def consumers(self) -> dict[str, list[Connection]]:
        """The connections that read each population."""
        graph = self.lowered.graph
        return {
            population.name: [c for c in graph.connections if c.source == population.name]
            for population in graph.populations
        }

    def _choose_rows(self) -> None:
        graph, lanes = self.lowered.graph, self.params.lanes
        plain = {p.name: Placement(shape=p.shape, lanes=lanes) for p in graph.populations}
        backs = dict.fromkeys(plain, 0)
        for connection in graph.connections:
            source, target = plain[connection.source], plain[connection.target]
            found = connection_rows(connection, source, target, self.params)
            best = min(found, key=lambda own: own.cycles)
            self.rows[connection.name] = best
            backs[connection.target] = max(backs[connection.target], best.back)
        for population in graph.populations:
            self.placements[population.name] = Placement(
                shape=population.shape, lanes=lanes, halo=backs[population.name]
            )
        for connection in graph.connections:
            target = self.placements[connection.target]
            if self.rows[connection.name].form == "list" and target.halo:
                source = plain[connection.source]
                self.rows[connection.name] = connection_rows(
                    connection, source, target, self.params
                )[0]

    def _place_states(self) -> None:
        needs = []
        for population in self.behind:
            name = population.name
            two = name in self.held or len(population.neuron.states) > 1
            words = self.placements[name].states * (1 + two)
            part = self.part_of[name]
            needs.append(Need(name, words, part, part))
        self.states, self.state_words = place(needs)
        self.state_needs = {need.name: need.words for need in needs}

    def _place_maps(self) -> None:
        """Maps in a page for each step, and the planes of direct values before all pages."""
        graph, steps = self.lowered.graph, self.lowered.time_steps
        source = self.placements[self.source]
        self.static = self.planes[self.source] > 1
        needs, summaries = [], []
        for population in graph.populations:
            name = population.name
            if not self.consumers[name] or (self.static and name == self.source):
                continue
            placement, planes = self.placements[name], self.planes[name]
            first = self.part_of[name]
            last = max([first, *(self.part_of[c.target] for c in self.consumers[name])])
            needs.append(Need(name, placement.words * planes, first, last))
            summaries.append(Need(name, placement.summaries * planes, first, last))
        self.maps, self.page_words = place(needs)
        self.summaries, self.page_summary = place(summaries)
        delayed = any(c.delay for c in graph.connections)
        several = self.order == "layers"
        self.pages = steps if several else min(steps, 1 + delayed)
        planes = self.planes[self.source] if self.static else 0
        self.maps[self.source] = self.maps.get(self.source, 0)
        self.summaries[self.source] = self.summaries.get(self.source, 0)
        self.map_words = self.pages * self.page_words + planes * source.words
        self.summary_words = self.pages * self.page_summary + planes * source.summaries
        if self.static:
            self.maps[self.source] = self.pages * self.page_words
            self.summaries[self.source] = self.pages * self.page_summary

    # Instructions.

    def _program(self) -> list[int]:
        """The words of the program, tables of parameters behind its instructions."""
        # Places that differ from one another, as the true ones do: so the length is the true one.
        self.tables = {
            name: number
            for number, (name, neurons) in enumerate(self.neurons.items())
            if neurons.table
        }
        length = len(encode(self._instructions().instructions))
        words: list[int] = []
        for name, neurons in self.neurons.items():
            if neurons.table:
                self.tables[name] = length + len(words)
                words += neurons.table
        mask = (1 << self.params.program_bits) - 1
        check_room(self.params, "program_words", length + len(words))
        return [word & mask for word in encode(self._instructions().instructions) + words]

    def _instructions(self) -> Emitter:
        emitter = Emitter(self.params)
        emitter.settings(
            {
                "steps.last": self.lowered.time_steps - 1,
                "pages.last": self.pages - 1,
                "page_words.size": self.page_words & (self.params.map_words - 1),
                "page_summary.size": self.page_summary & (self.params.summary_words - 1),
            }
        )
        if self.static:
            emitter.run(Opcode.INPUT, self._input(), self.source)
        elif self.order == "layers":
            emitter.loop([(Opcode.INPUT, self._input(), self.source)])
        for part in self.parts:
            self._part(emitter, part)
        emitter.add(Opcode.END)
        return emitter

    def _part(self, emitter: Emitter, part: tuple[str, ...]) -> None:
        graph = self.lowered.graph
        for name in part:
            clear = {
                "clear.base": self.states[name],
                "clear_size.words": self.state_needs[name] - 1,
            }
            emitter.run(Opcode.CLEAR, clear, name)
        for name in part:
            if name in self.held:
                for connection in graph.incoming[name]:
                    emitter.run(Opcode.SCAN, self._scan(connection), connection.name)
        body: list[Run | Emitter.Guard] = []
        if self.order == "steps" and not self.static:
            body.append((Opcode.INPUT, self._input(), self.source))
        for name in part:
            for connection in graph.incoming[name]:
                if name in self.held:
                    continue
                if connection.delay:
                    body.append(Emitter.Guard(Opcode.SKIP_FIRST))
                body.append((Opcode.SCAN, self._scan(connection), connection.name))
            if name == graph.readout.name:
                body.append(Emitter.Guard(Opcode.SKIP_BEFORE_LAST))
            body.append((Opcode.SWEEP, self._sweep(name), name))
        emitter.loop(body)
        if graph.readout.name in part:
            placement = self.placements[graph.readout.name]
            emitter.run(Opcode.OUTPUT, self._output(placement), graph.readout.name)

    def _input(self) -> dict[str, int]:
        planes, placement = self.planes[self.source], self.placements[self.source]
        return {
            "out.base": self.maps[self.source],
            "out_summary.base": self.summaries[self.source],
            "out_kind.emits": 1,
            "out_kind.stepped": int(not self.static),
            "out_kind.planes": planes - 1,
            "input.summaries": planes * placement.summaries - 1,
        }

    def _target(self, name: str) -> dict[str, int]:
        placement = self.placements[name]
        return {
            "target.base": self.states[name] + placement.first_state,
            "line_pitch.size": placement.line_pitch & (self.params.state_words - 1),
            "place_pitch.size": placement.place_pitch,
            "target_size.width": placement.width - 1,
            "target_size.height": placement.height - 1,
            "target_groups.groups": placement.groups - 1,
        }

    def _scan(self, connection: Connection) -> dict[str, int]:
        source = self.placements[connection.source]
        static = self.static and connection.source == self.source
        rows = self.rows[connection.name]
        return {
            **self._target(connection.target),
            **rows.settings,
            "row_kind.shift": connection.shift,
            "rows.base": self.first_row[connection.name],
            "map.base": self.maps[connection.source],
            "map_summary.base": self.summaries[connection.source],
            "map_kind.stepped": int(not static),
            "map_kind.before": connection.delay,
            "map_kind.planes": self.planes[connection.source] - 1,
            "map_size.width": source.width - 1,
            "map_size.height": source.height - 1,
            "map_groups.groups": source.groups - 1,
        }

    def _sweep(self, name: str) -> dict[str, int]:
        placement, emits = self.placements[name], int(bool(self.consumers[name]))
        return {
            **self._target(name),
            **self.neurons[name].fields,
            **({"table.base": self.tables[name]} if name in self.tables else {}),
            "lanes.last": placement.last_lanes - 1,
            "lanes.listed": int(placement.listed),
            "out.base": self.maps.get(name, 0),
            "out_summary.base": self.summaries.get(name, 0),
            "out_kind.emits": emits,
            "out_kind.stepped": 1,
        }

    def _output(self, placement: Placement) -> dict[str, int]:
        name = self.lowered.graph.readout.name
        target = self.states[name] + placement.first_state
        two = name in self.held or len(self.lowered.graph.readout.neuron.states) > 1
        return {
            "target.base": target + two * placement.states,
            "output.neurons": placement.neurons - 1,
        }
