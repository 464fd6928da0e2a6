"""From the tools' names back to the design's own."""

import pytest

from spikeloom_hw.synth.names import DesignNames

NAMES = DesignNames(
    tuple(path.split("/"))
    for path in (
        "active",
        "device/lost",
        "device/transmitter/shift",
        "device/core/core/events__payload",
        "device/core/core/layer_a/bank_3/forwarded",
        "device/core/core/layer_a/stream/words__payload.first",
        "device/core/core/layer_a/update/stage_1.last",
    )
)
LAYER = "device.core.core.layer_a"


@pytest.mark.parametrize(
    ("cell", "port", "words"),
    [
        pytest.param(
            f"{LAYER}.bank_3.forwarded_SB_DFFESR_Q_1_D_SB_LUT4_O_LC",
            "I1",
            "layer_a.bank_3: forwarded",
            id="iCE40 logic",
        ),
        pytest.param(
            f"{LAYER}.bank_3.forwarded_SB_DFFE_Q_10_DFFLC",
            "O",
            "layer_a.bank_3: forwarded",
            id="iCE40 register",
        ),
        pytest.param(
            f"{LAYER}.bank_3.forwarded_TRELLIS_FF_Q_DI_CCU2C_S0_COUT_CCU2C_CIN$CCU2_COMB0",
            "A",
            "layer_a.bank_3: forwarded",
            id="ECP5 logic",
        ),
        pytest.param(
            f"{LAYER}.bank_3.potentials.0.0_RAM",
            "RDATA_3",
            "layer_a.bank_3: potentials read data",
            id="iCE40 memory, read",
        ),
        pytest.param(
            f"{LAYER}.bank_3.potentials.0.0_RAM",
            "WADDR_3",
            "layer_a.bank_3: potentials write address",
            id="iCE40 memory, address",
        ),
        pytest.param(
            f"{LAYER}.bank_3.potentials.0.0",
            "DOB7",
            "layer_a.bank_3: potentials read data",
            id="ECP5 memory, read",
        ),
        pytest.param(
            f"{LAYER}.stream.weights.words.0.46_DOA4_LUT4_D_Z",
            "A",
            "layer_a.stream: weights.words read data",
            id="memory within a component without names",
        ),
        pytest.param(
            f"{LAYER}.bank_3.potentials.0.0_DIA5_LUT4_Z",
            "D",
            "layer_a.bank_3: potentials write data",
            id="logic before a memory",
        ),
        pytest.param(
            f"{LAYER}.stream.words__payload.first_TRELLIS_FF_Q",
            "Q",
            "layer_a.stream: words.payload.first",
            id="member of a stream",
        ),
        pytest.param(
            f"{LAYER}.update.stage_1.last_SB_DFF_Q_DFFLC",
            "O",
            "layer_a.update: stage_1.last",
            id="field of a structure",
        ),
        pytest.param(
            f"{LAYER}.bank_3.read__data[1]", "", "layer_a.bank_3: read.data", id="bit of a net"
        ),
        pytest.param(
            "device.core.core.events__payload_SB_DFF_Q_2_DFFLC",
            "O",
            "core: events.payload",
            id="the core itself",
        ),
        pytest.param("device.transmitter.shift_TRELLIS_FF_Q", "M", "transmitter: shift", id="host"),
        pytest.param("device.lost_TRELLIS_FF_Q", "M", "device: lost", id="the device itself"),
        pytest.param("active_TRELLIS_FF_Q", "M", "top: active", id="the top"),
        pytest.param("device.transmitter._08_[3]", "", "transmitter: logic", id="without a name"),
        pytest.param("$nextpnr_ICESTORM_LC_3", "O", "", id="nextpnr's own"),
        pytest.param("$nextpnr_CCU2C_5$CCU2_COMB0", "F", "", id="nextpnr's own on an ECP5"),
    ],
)
def test_words(cell, port, words):
    assert NAMES.describe(cell, port) == words


def test_components_are_read_from_the_netlist(tmp_path):
    netlist = tmp_path / "top.json"
    netlist.write_text('{"a.b": {"attributes": {"hdlname": "a b stage.last", "src": "x"}}}')
    assert DesignNames.of_netlist(netlist).describe("a.b.stage.last_SB_DFF_Q") == "a.b: stage.last"
