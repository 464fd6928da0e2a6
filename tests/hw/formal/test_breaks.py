"""Breaking a property's subject by hand makes its proof fail: each proof can."""

import pytest

from planted import plant
from spikeloom_hw.boards.top import SteadyReset
from spikeloom_hw.core.loadable_memory import LoadableMemory
from spikeloom_hw.core.membrane_bank import MembraneBank
from spikeloom_hw.core.neuron_lane import NeuronLane
from spikeloom_hw.core.neuron_update import NeuronUpdate
from spikeloom_hw.core.params import layer_params
from spikeloom_hw.core.readout import Readout
from spikeloom_hw.core.row_fetch import RowFetch
from spikeloom_hw.core.spike_queue import SpikeQueue
from spikeloom_hw.core.spiking_layer import SpikingLayer
from spikeloom_hw.core.word_stream import WordStream
from spikeloom_hw.encoders import DeltaEncoder, LatencyEncoder
from spikeloom_hw.engine.input_writer import InputWriter
from spikeloom_hw.engine.maps import Maps
from spikeloom_hw.formal.catalogue import PROOFS
from spikeloom_hw.formal.sby import prove
from spikeloom_hw.host.commands.events import EventsCommand
from spikeloom_hw.host.frame_receiver import FrameReceiver
from spikeloom_hw.host.frame_sender import FrameSender
from spikeloom_hw.host.register import StreamRegister
from spikeloom_hw.host.results import ResultStore
from spikeloom_hw.host.samples import SampleGate
from spikeloom_hw.host.uart import UartReceiver, UartTransmitter

BY_NAME = {proof.name: proof for proof in PROOFS}

FETCH, WORDS, UPDATE, LANE = (
    RowFetch.elaborate,
    WordStream.elaborate,
    NeuronUpdate.elaborate,
    NeuronLane.elaborate,
)
BANK, QUEUE, READOUT = MembraneBank.elaborate, SpikeQueue.elaborate, Readout.elaborate

LATENCY, DELTA = LatencyEncoder.elaborate, DeltaEncoder.elaborate

BREAKS = {
    "encoder.latency": [
        (LATENCY, "value < self.threshold", "value <= self.threshold"),
        (LATENCY, "read.en.eq(free)", "read.en.eq(1)"),
        (LATENCY, "free = ~offered | self.events.ready", "free = offered | ~offered"),
    ],
    "encoder.delta": [
        (DELTA, "moved <= -self.delta", "moved < -self.delta"),
        (DELTA, "stop = self.abort | stopping", "stop = self.abort"),
        (DELTA, "Mux(first, 0, read.data)", "read.data"),
    ],
    "row_fetch.stream": [
        (FETCH, "leave.eq(~self.rows.valid | self.rows.ready)", "leave.eq(1)"),
        (FETCH, "advance.eq(~held | leave)", "advance.eq(~held)"),
    ],
    "row_fetch.exactly_once_1": [
        (FETCH, "held & ~empty", "held"),
        (FETCH, "~known | (count == 0)", "count == 0"),
        (FETCH, "advance.eq(~held | leave)", "advance.eq(1)"),
    ],
    "row_fetch.exactly_once_4": [
        (FETCH, "number > row", "number >= row"),
        (FETCH, "pointers.enable.eq(advance)", "pointers.enable.eq(1)"),
    ],
    "word_stream.in_place": [
        (WORDS, "waits.eq(step | updating), self", "waits.eq(updating), self"),
        (WORDS, "(remaining <= 1) & ~waits", "(remaining <= 2) & ~waits"),
        (WORDS, "first.eq(take)", "first.eq(self.rows.valid)"),
    ],
    "word_stream.overlapped": [
        (WORDS, "self.rows.payload.step & (step | updating)", "self.rows.payload.step & step"),
        (WORDS, "block.eq(block + 1)", "block.eq(block)"),
    ],
    "membrane_bank.exact": [
        (layer_params, "=layer.accumulator_bits,", "=layer.accumulator_bits - 1,"),
        (BANK, "Mux(forward, forwarded, read.data)", "read.data"),
        (BANK, "adding & (read.addr == address)", "adding"),
    ],
    "neuron_lane.shift": [
        (LANE, "self.potential >= self.threshold", "self.potential > self.threshold"),
        (NeuronLane._leak, "membrane - (membrane >> shift)", "membrane >> shift"),
    ],
    "neuron_lane.decay": [
        (NeuronLane._leak, "self.params.membrane_bits + fraction_bits + 2", "fraction_bits"),
        (NeuronLane._leak, "held.eq(membrane)", "held.eq(held)"),
    ],
    "neuron_lane.integrate": [
        (LANE, "_clamp(reset, params.membrane_bits)", "reset[: params.membrane_bits]"),
        (LANE, "Mux(self.last, 0, leaked)", "leaked"),
    ],
    "neuron_update.in_place": [
        (UPDATE, "(now.group != 0) | ~self.blocked", "Const(1)"),
        (UPDATE, "Mux(now.end, 0, group + 1)", "group + 1"),
        (UPDATE, "exists = ~stages[ready + 1].end if", "exists = Const(1) if"),
        (UPDATE, "stages[latency - 1].group", "stages[latency].group"),
    ],
    "neuron_update.overlapped": [
        (UPDATE, "stages[ready].group", "stages[0].group"),
        (UPDATE, "neuron.last.eq(done.last)", "neuron.last.eq(0)"),
    ],
    "spike_queue.stream": [
        (QUEUE, "(final & self.events.ready)", "final"),
        (QUEUE, "m.Elif(self.events.ready)", "m.Else()"),
    ],
    "spike_queue.bounds": [
        (QUEUE, "stored > depth - self.params.groups", "stored >= depth"),
        (QUEUE, "(stored != 0) & (~shown", "(~shown"),
        (QUEUE, "stored + push - fetch", "stored - fetch"),
    ],
    "spike_queue.order": [
        (QUEUE, "(final & self.events.ready)", "self.events.ready"),
        (QUEUE, "(group.spikes.any() | group.end)", "group.spikes.any()"),
        (QUEUE, "oldest.eq(_next(oldest, depth))", "oldest.eq(oldest)"),
        (QUEUE, "is_step & sending.last", "sending.last"),
    ],
    "readout.membrane": [
        (READOUT, "value > best_value", "value >= best_value"),
        (READOUT, "leave.eq(~self.scores.valid | self.scores.ready)", "leave.eq(1)"),
        (READOUT, "read.en.eq(advance |", "read.en.eq(1 |"),
        (READOUT, "(telling == 0) | (value", "(value"),
    ],
    "readout.count": [
        (READOUT, "Mux(fresh, 0, read.data[lane])", "read.data[lane]"),
        (READOUT, "fresh.eq(passing.last)", "fresh.eq(1)"),
    ],
    "chain.queue_in_place": [
        (QUEUE, "stored > depth - self.params.groups", "stored >= depth"),
        (UPDATE, "(now.group != 0) | ~self.blocked", "Const(1)"),
    ],
    "chain.queue_overlapped": [
        (QUEUE, "stored > depth - self.params.groups", "stored >= depth"),
    ],
    "chain.readout_in_place": [
        (UPDATE, "(now.group != 0) | ~self.blocked", "Const(1)"),
    ],
    "chain.readout_overlapped": [
        (UPDATE, "(now.group != 0) | ~self.blocked", "Const(1)"),
    ],
    "progress.layer_in_place": [
        (UPDATE, "walking.eq(1), last.eq(self.steps.payload.last)", "last.eq(0)"),
        (WORDS, "m.Elif(self.resume)", "m.Elif(self.resume & (remaining != 0))"),
    ],
    "progress.layer_overlapped": [
        (WORDS, "m.Elif(self.resume)", "m.Elif(self.resume & (remaining != 0))"),
    ],
    "host.receiver": [
        (UartReceiver.elaborate, "self.bytes.valid & ~self.bytes.ready", "Const(0)"),
        (UartReceiver.elaborate, "m.If(self.bytes.ready)", "m.If(1)"),
    ],
    "host.line": [
        (UartReceiver.elaborate, "Cat(shift[1:], line)", "Cat(line, shift[:-1])"),
        (UartTransmitter.elaborate, "(bits == 1) & (timer == 1)", "(bits == 2) & (timer == 1)"),
    ],
    "host.words": [
        (EventsCommand.elaborate, "word < self.inputs", "word <= self.inputs"),
        (EventsCommand.elaborate, "with m.If(self.events.ready)", "with m.If(1)"),
        (EventsCommand.elaborate, "word[-1] & word[0]", "word[-1]"),
        (EventsCommand.elaborate, "malformed.eq(malformed | half)", "malformed.eq(malformed)"),
    ],
    "host.slots": [
        (FrameReceiver._receive, "decoded & ~full[filling]", "decoded"),
        (FrameReceiver._offer, "m.Elif(self.frames.ready)", "m.Else()"),
    ],
    "host.gate": [
        (SampleGate.elaborate, "inside + (sent & ends) - self.told", "inside + (sent & ends)"),
        (SampleGate.elaborate, "payload.last.eq(~unclean)", "payload.last.eq(1)"),
        (SampleGate.elaborate, "unclean & ~self.output.payload.step", "0"),
        (SampleGate.elaborate, "~begun & (inside == 0) & ", "(inside == 0) & "),
    ],
    "host.register": [
        (StreamRegister.elaborate, "ready.eq(~self.output.valid)", "ready.eq(1)"),
        (StreamRegister.elaborate, "eq(~self.output.ready)", "eq(0)"),
    ],
    "reset.core_in_place": [
        (BANK, "write_port(m, self.potentials)", "self.potentials.write_port()"),
        (QUEUE, "write_port(m, queue)", "queue.write_port()"),
        (READOUT, "write_port(m, kept)", "kept.write_port()"),
        (READOUT, "neuron = Signal(self.label_bits)", "neuron = Signal(1, reset_less=True)"),
    ],
    "reset.core_overlapped": [
        (SpikingLayer._accumulate_apart, "write_port(m, membranes)", "membranes.write_port()"),
    ],
    "reset.core_loadable": [
        (LoadableMemory.elaborate, "unless_reset(selected[:chunks])", "selected[:chunks]"),
        (LoadableMemory.elaborate, "write_port(m, memory, ", "memory.write_port("),
        (LoadableMemory._spilled, "write_port(m, memory)", "memory.write_port()"),
        (SpikingLayer._load, "m.If(unless_reset(stores))", "m.If(stores)"),
    ],
    "reset.engine": [
        (Maps.elaborate, "write_port(m, memory)", "memory.write_port()"),
        (InputWriter.elaborate, "cleared = Signal(", "cleared = Signal(reset_less=True, shape="),
    ],
    "reset.host_latency": [
        (LATENCY, "write_port(m, steps)", "steps.write_port()"),
        (ResultStore.elaborate, "write_port(m, values)", "values.write_port()"),
        (FrameReceiver._receive, "write_port(m, slots)", "slots.write_port()"),
        (FrameSender.elaborate, "write_port(m, buffer)", "buffer.write_port()"),
    ],
    "reset.host_delta": [
        (DELTA, "write_port(m, references)", "references.write_port()"),
    ],
    "reset.board": [
        (SteadyReset.elaborate, "m.d.por += timer.eq(0)", "m.d.por += timer.eq(timer)"),
        (SteadyReset.elaborate, "with m.If(~steady)", "with m.If(~steady & ~timer[-1])"),
    ],
    "reset.uart_receiver": [
        (UartReceiver.elaborate, "reset_less=False", "reset_less=True"),
    ],
    "reset.uart_transmitter": [
        (
            UartTransmitter.elaborate,
            "Signal(FRAME_BITS, init=-1)",
            "Signal(FRAME_BITS, init=-1, reset_less=True)",
        ),
    ],
    "progress.core": [
        (
            READOUT,
            "writing & passing.end & passing.last)",
            "writing & passing.last & ~writing)",
        ),
        (QUEUE, "(group.spikes.any() | group.end)", "group.spikes.any()"),
    ],
}
QUICK = {
    "spike_queue.order",
    "membrane_bank.exact",
    "row_fetch.exactly_once_1",
    "neuron_lane.shift",
}
"""Proofs whose first break is tried in the fast selection."""

CASES = [
    pytest.param(
        name,
        *broken,
        id=f"{name} {number}",
        marks=() if name in QUICK and number == 0 else pytest.mark.slow,
    )
    for name, cases in BREAKS.items()
    for number, broken in enumerate(cases)
]


@pytest.mark.parametrize(("name", "method", "old", "new"), CASES)
def test_a_broken_subject_fails(name, method, old, new, monkeypatch, tmp_path):
    plant(monkeypatch, method, old, new)
    (outcome,) = prove([BY_NAME[name]], folder=tmp_path, jobs=2, tasks=["prove"])
    assert outcome.verdict in ("failed", "not closed")
    assert outcome.trace is None or (tmp_path / outcome.trace).is_file()
    assert ".py:" in outcome.detail or outcome.verdict == "not closed"


def test_every_proof_has_its_break():
    assert set(BREAKS) == set(BY_NAME)


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NAME)
def test_the_proof_holds(name, tmp_path):
    (outcome,) = prove([BY_NAME[name]], folder=tmp_path, jobs=2)
    assert outcome.verdict == "proved", outcome.detail
