"""What a reset does, whenever it comes and whatever the registers hold."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from amaranth.hdl import Const, Value
from amaranth.lib.wiring import Flow

from spikeloom.host.protocol import HASH_BYTES, Identity
from spikeloom_hw.boards.top import SteadyReset
from spikeloom_hw.core.layouts import core_load_layout
from spikeloom_hw.core.loading import make_loadable
from spikeloom_hw.core.params import CoreParams
from spikeloom_hw.core.spiking_core import SpikingCore, counter_count
from spikeloom_hw.encoders import DeltaEncoder, Encoder, LatencyEncoder
from spikeloom_hw.engine.engine_core import EngineCore
from spikeloom_hw.engine.params import EngineParams
from spikeloom_hw.events import EventLayout, ScoreLayout
from spikeloom_hw.formal.bench import Bench
from spikeloom_hw.formal.proof import Proof
from spikeloom_hw.formal.small import small_layer
from spikeloom_hw.formal.state import State
from spikeloom_hw.host.port import HostPort
from spikeloom_hw.host.uart import UartReceiver, UartTransmitter

_ADDRESS_BITS = 4
_CLOCK_MHZ = 0.1
_UNLOCKED_CYCLES = 3


def reset(bench: Bench, *, component: Callable[[], Any], writes: int) -> None:
    """In reset nothing is stored, and at its clock edge every register is put right."""
    m = bench.m
    on = bench.reset()
    dut = component()
    for path, member, value in dut.signature.flatten(dut):
        if member.flow is Flow.In:
            name = "__".join(map(str, path))
            m.d.comb += Value.cast(value).eq(bench.any(len(Value.cast(value)), name=name))
    state = State(dut)
    m.submodules.dut = state.fragment
    assert len(state.enables) == writes
    was_on = bench.before(on)
    for enable in state.enables:
        bench.prove(~on | (enable == 0))
        bench.cover(enable.any())
    for register, mask in state.registers():
        first = Const(register.init, len(register))
        kept = bench.before(register) if register.reset_less else first
        bench.prove(~was_on | ((register ^ kept) & mask == 0))
    bench.cover(was_on & ~on)


def board(bench: Bench) -> None:
    """Without its lock, the clock of a board puts the device in reset."""
    on = bench.reset(free=False)
    dut = SteadyReset(_CLOCK_MHZ)
    bench.m.submodules.dut = dut
    bench.m.d.comb += dut.locked.eq(bench.any(name="locked"))
    unlocked = ~dut.locked
    for _ in range(_UNLOCKED_CYCLES):
        unlocked = bench.before(unlocked)
    bench.prove(~unlocked | on)
    bench.cover(bench.before(on) & ~on)


def _params(*, overlapped: bool = False, loadable: bool = False) -> CoreParams:
    small = partial(small_layer, overlapped=overlapped, shallow=not loadable)
    hidden = small([[7, -7] * 4] * 3, lanes=4, index_form="absolute", blocks=1)
    output = small([[1, 2]] * 8, lanes=1, spiking=False)
    core = CoreParams(
        layers=(replace(hidden.params, name="hidden"), replace(output.params, name="output")),
        contents=(hidden.contents, output.contents),
        time_steps=2,
        count_readout=False,
        counters=True,
    )
    return make_loadable(core, single_ports=1) if loadable else core


def _port(*, encoder: Callable[[], Encoder], loadable: bool = False) -> HostPort:
    core = _params(loadable=loadable)
    identity = Identity(
        loadable=loadable,
        takes_frames=True,
        design_hash=bytes(HASH_BYTES),
        inputs=1 << _ADDRESS_BITS,
        outputs=2,
        layers=len(core.layers),
        counters=counter_count(core),
        clock_hz=30_000_000,
    )
    return HostPort(
        event=EventLayout(_ADDRESS_BITS),
        score=ScoreLayout(core.score_bits, core.label_bits),
        identity=identity,
        load=core_load_layout(core) if loadable else None,
        encoder=encoder(),
    )


def _core(**settings: bool) -> SpikingCore:
    return SpikingCore(_params(**settings))


def _latency() -> Encoder:
    return LatencyEncoder(values=5, time_steps=2, threshold=9, address_bits=_ADDRESS_BITS)


def _delta() -> Encoder:
    return DeltaEncoder(channels=5, time_steps=2, delta=9, address_bits=_ADDRESS_BITS)


def _engine() -> EngineCore:
    return EngineCore(
        EngineParams(
            lanes=1,
            weight_bits=2,
            index_bits=1,
            weight_words=2,
            row_words=1,
            pointer_rows=1,
            pointer_words=2,
            state_bits=4,
            state_words=2,
            map_words=2,
            summary_words=2,
            program_words=4,
            size_bits=2,
            tap_bits=1,
            decay_bits=2,
            most_shift=1,
            strides=(1,),
        )
    )


SUBJECTS: tuple[tuple[str, str, int, int, Callable[[], Any]], ...] = (
    ("core_in_place", "8-2 neurons", 7, 40, _core),
    ("core_overlapped", "8-2 neurons", 17, 40, partial(_core, overlapped=True)),
    ("core_loadable", "8-2 neurons, a single port", 12, 40, partial(_core, loadable=True)),
    ("engine", "1 lane", 6, 24, _engine),
    ("host_latency", "encoder of 5 values", 4, 24, partial(_port, encoder=_latency)),
    ("host_delta", "encoder of 5 channels", 4, 24, partial(_port, encoder=_delta, loadable=True)),
    ("uart_receiver", "4 cycles a bit", 0, 4, partial(UartReceiver, 4)),
    ("uart_transmitter", "4 cycles a bit", 0, 4, partial(UartTransmitter, 4)),
)
"""Name, size, write ports, cycles within which all of them are used, and what makes it."""

PROOFS = (
    *(
        Proof(
            name=f"reset.{name}",
            sentence="While reset is on, no memory is written and nothing that was loaded changes; "
            "a clock edge of it puts every other register to its first value, from any state.",
            size=size,
            mode="induction",
            depth=2,
            reach=reach,
            build=partial(reset, component=component, writes=writes),
        )
        for name, size, writes, reach, component in SUBJECTS
    ),
    Proof(
        name="reset.board",
        sentence=f"Whatever its registers hold, {_UNLOCKED_CYCLES} clock edges without the PLL's "
        "lock put the device in reset.",
        size=f"{_CLOCK_MHZ} MHz",
        mode="induction",
        depth=_UNLOCKED_CYCLES + 1,
        reach=8,
        build=board,
    ),
)
