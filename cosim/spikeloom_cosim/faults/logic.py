"""The faults that are planted in a core's logic, and where.

Each is one that gateware of this kind has had in somebody's hands: a wrong bit on the way from a
memory, a comparison off by one, a sum that is not forwarded, an event too few or too many. Names
of instances and ports are those of the components in `spikeloom_hw.core`; one that is not there is
an error, never a fault less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from spikeloom.image import IntegrateLeak
from spikeloom.packing import SynapseWords
from spikeloom.packing.pack import slot_addresses
from spikeloom.reference import Trace
from spikeloom_cosim.faults.netlist import Bits, Net, Netlist
from spikeloom_hw.core import CORE_MODULE, CoreParams, LayerParams

STRUCK = 5
"""Of the spikes that pass an event stream, the number of the one that is lost or doubled."""

Plant = Callable[[Netlist, int], None]
"""Changes a netlist: from then on the fault of that number can be switched on."""


@dataclass(frozen=True, kw_only=True)
class LogicFault:
    """A fault in the logic.

    Attributes:
        kind: what goes wrong.
        where: in which instance and net.
        plant: puts it there.
    """

    kind: str
    where: str
    plant: Plant


def logic_faults(
    netlist: Netlist, params: CoreParams, packed: Sequence[SynapseWords], trace: Trace
) -> Iterator[LogicFault]:
    """Every fault that a core can have, and that can matter to the network in it.

    Args:
        netlist: of the core.
        params: the core's.
        packed: the layers of the network.
        trace: what the network does on the samples of the check: a sum that they never need
            forwarded is none whose loss they could show.

    Raises:
        LookupError: an instance or a net is not where the components have it.
    """
    for number, layer in enumerate(params.layers):
        forwards = needs_forwarding(packed[number], trace.inputs_of(number))
        yield from _layer_faults(netlist, params, number, layer, forwards=forwards)
    yield from _event_faults(params)
    yield from _score_faults(params)


def _layer_faults(
    netlist: Netlist,
    params: CoreParams,
    number: int,
    layer: LayerParams,
    *,
    forwards: bool,
) -> Iterator[LogicFault]:
    name = f"layer_{layer.name}"
    module = netlist.module_of(CORE_MODULE, name)
    inside = {part: netlist.module_of(module, part) for part in ("fetch", "stream", "update")}

    # From the memories.
    data = Net(module=inside["stream"], cell="weights", name="data", width=1)
    if layer.spill_bits:
        memory = netlist.module_of(inside["stream"], "weights")
        data = Net(module=memory, cell="ram", name="data_out", width=1)
    weight = _bit(data, layer.index_bits)
    yield _fault("weight", f"{name}.stream.weights, lane 0, lowest bit", _flip(weight))
    if layer.index_bits:
        yield _fault("index", f"{name}.stream.weights, lane 0, lowest bit", _flip(data))
    base = Net(module=inside["fetch"], cell="pointers", name="data", width=1)
    yield _fault("pointer", f"{name}.fetch.pointers, lowest bit", _flip(base))
    count = Net(module=inside["fetch"], name="count")
    yield _fault("row length", f"{name}.fetch.count, one more", _increment(count))

    # In the membrane banks.
    parts = ("_0", "_1") if layer.overlapped else ("",)
    instances = [f"bank_{lane}{part}" for lane in range(layer.lanes) for part in parts]
    banks = [netlist.module_of(module, instance) for instance in instances]
    if forwards:
        yield _fault(
            "forwarding off",
            f"{name}.bank_*.forward, all lanes",
            [plant for bank in banks for plant in _stuck(Net(module=bank, name="forward"))],
        )
    if layer.groups > 1:
        target = Net(
            module=module, cell=instances[0], name="operations__payload", width=layer.group_bits
        )
        yield _fault("bank address", f"{name}.{instances[0]}, one more", _increment(target))
        written = Net(module=banks[0], name="address")
        where = f"{name}.{instances[0]}.address, one more where it writes"
        yield _fault("bank address", where, _increment(written))

    # In the neurons.
    update = inside["update"]
    lane = netlist.module_of(update, "lane_0")
    where = f"{name}.update.lane_0"
    if layer.spiking:
        compare = netlist.cell_of_type(lane, "$ge")
        threshold = Net(module=lane, cell=compare, name="B")
        yield _fault("threshold", f"{where}.threshold, one more", _increment(threshold))
        choice = netlist.reader(Net(module=lane, name="fires"), kind="$mux", port="S")
        reset = Net(module=lane, cell=choice, name="S")
        yield _fault("reset", f"{where}.reset, left out", _stuck(reset))
    kind = "integration" if isinstance(layer.leak, IntegrateLeak) else "leak"
    yield _fault(kind, f"{where}.leaked, one more", _increment(Net(module=lane, name="leaked")))
    last = Net(module=update, cell="lane_0", name="last")
    yield _fault("sample's end", f"{where}.last, never", _stuck(last))

    # On the way to the next layer.
    if number + 1 < len(params.layers):
        queue = f"spikes_{layer.name}"
        spike = Net(
            module=CORE_MODULE, cell=queue, name="groups__payload", low=layer.group_bits, width=1
        )
        yield _fault("spike lost", f"{queue}.groups.spikes, lane 0", _stuck(spike))
    counted = Net(module=CORE_MODULE, cell="counters", name=f"layer{number}_words")
    yield _fault("counter", f"counters.layer{number}_words, never", _stuck(counted))


def needs_forwarding(words: SynapseWords, events: NDArray[np.bool_]) -> bool:
    """Two words that follow each other in a step add to one membrane.

    Where rows interleave several blocks and fill them, none do.

    Args:
        words: of the layer.
        events: what enters it, bool [samples, steps, inputs]; a step's in ascending order.
    """
    address = np.where(words.weight != 0, slot_addresses(words), -1)
    row = np.repeat(np.arange(words.inputs), words.count)
    hit = (address[1:] == address[:-1]) & (address[1:] >= 0)
    within = row[1:][(hit & (row[1:] == row[:-1])[:, None]).any(axis=1)]
    if events[..., within].any():
        return True
    # A row's last word, then the first of the next row that has words.
    filled = np.flatnonzero(words.count)
    first = address[words.base[filled]]
    last = address[words.base[filled] + words.count[filled] - 1]
    for step in events[..., filled].reshape(-1, len(filled)):
        rows = np.flatnonzero(step)
        end, begin = last[rows[:-1]], first[rows[1:]]
        if ((end == begin) & (begin >= 0)).any():
            return True
    return False


def _event_faults(params: CoreParams) -> Iterator[LogicFault]:
    for number, layer in enumerate(params.layers):
        entry = f"layer_{layer.name}"
        source = None if number == 0 else f"spikes_{params.layers[number - 1].name}"
        ready = Net(module=CORE_MODULE, cell=source or entry, name="events__ready")
        stream = _Stream(
            valid=Net(module=CORE_MODULE, cell=source, name="events__valid"),
            ready=ready,
            skip=Net(
                module=CORE_MODULE,
                cell=source,
                name="events__payload",
                low=layer.address_bits,
                width=1,
            ),
        )
        for kind, saboteur in (("event lost", "lose"), ("event doubled", "double")):
            plant = partial(_plant_stream, saboteur, stream, STRUCK)
            yield _fault(kind, f"{entry}.events, spike {STRUCK}", [plant])
    first = params.layers[0]
    end = Net(
        module=CORE_MODULE,
        cell=f"layer_{first.name}",
        name="events__payload",
        low=first.address_bits + 1,
        width=1,
    )
    yield _fault("sample's end", f"layer_{first.name}.events.last, never", _stuck(end))


def _score_faults(params: CoreParams) -> Iterator[LogicFault]:
    def port(name: str) -> Net:
        return Net(module=CORE_MODULE, cell="readout", name=f"scores__{name}")

    payload = port("payload")
    places = {
        "score": (0, "value, lowest bit"),
        "label": (params.score_bits, "best, lowest bit"),
        "score's last": (params.score_bits + params.label_bits, "last, inverted"),
    }
    for kind, (low, what) in places.items():
        yield _fault(kind, f"readout.scores.{what}", _flip(_bit(payload, low)))
    stream = _Stream(valid=port("valid"), ready=port("ready"), skip=None)
    for kind, saboteur, what in (
        ("score lost", "lose", "the first"),
        ("score doubled", "double", "the first"),
        ("score late", "delay", "the first, by a cycle"),
    ):
        yield _fault(kind, f"readout.scores, {what}", [partial(_plant_stream, saboteur, stream, 0)])
    plant = partial(_plant_waver, payload, stream)
    yield _fault("score not held", "readout.scores.value, while it waits", [plant])


@dataclass(frozen=True, kw_only=True)
class _Stream:
    """Who offers a stream's beats and who takes them; `skip` marks beats that are let through."""

    valid: Net
    ready: Net
    skip: Net | None


def _fault(kind: str, where: str, plants: Sequence[Plant]) -> LogicFault:
    def plant(netlist: Netlist, number: int) -> None:
        for one in plants:
            one(netlist, number)

    return LogicFault(kind=kind, where=where, plant=plant)


def _bit(net: Net, low: int) -> Net:
    return Net(module=net.module, cell=net.cell, name=net.name, low=low, width=1)


def _flip(net: Net) -> list[Plant]:
    return [partial(_plant, "saboteur_flip", net, {"MASK": 1})]


def _stuck(net: Net) -> list[Plant]:
    return [partial(_plant, "saboteur_stuck", net, {"VALUE": 0})]


def _increment(net: Net) -> list[Plant]:
    return [partial(_plant, "saboteur_increment", net, {})]


def _plant(kind: str, net: Net, parameters: dict[str, int], netlist: Netlist, number: int) -> None:
    before, after = netlist.cut(net)
    netlist.splice(
        net.module,
        kind,
        name=_unique(netlist, net.module, kind, number),
        inputs={"in": before},
        outputs={"out": after},
        parameters={"WIDTH": len(before), "NUMBER": number, **parameters},
    )


def _plant_stream(
    saboteur: str, stream: _Stream, which: int, netlist: Netlist, number: int
) -> None:
    module = stream.valid.module
    never: Bits = ["0"]
    skip = never if stream.skip is None else netlist.bits(stream.skip)
    valid, valid_out = netlist.cut(stream.valid)
    ready_out, ready = netlist.cut(stream.ready)
    kind = f"saboteur_{saboteur}"
    netlist.splice(
        module,
        kind,
        name=_unique(netlist, module, kind, number),
        inputs={"skip": skip, "valid": valid, "ready_out": ready_out},
        outputs={"valid_out": valid_out, "ready": ready},
        parameters={"NUMBER": number, "WHICH": which},
        clocked=True,
    )


def _plant_waver(payload: Net, stream: _Stream, netlist: Netlist, number: int) -> None:
    valid, ready = netlist.bits(stream.valid), netlist.bits(stream.ready)
    before, after = netlist.cut(payload)
    kind = "saboteur_waver"
    netlist.splice(
        payload.module,
        kind,
        name=_unique(netlist, payload.module, kind, number),
        inputs={"in": before, "valid": valid, "ready": ready},
        outputs={"out": after},
        parameters={"WIDTH": len(before), "NUMBER": number},
        clocked=True,
    )


def _unique(netlist: Netlist, module: str, kind: str, number: int) -> str:
    return f"{kind}_{number}_{netlist.cells(module)}"
