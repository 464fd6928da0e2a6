"""What is read from nextpnr's report and log."""

import pytest

from spikeloom_hw.synth.families import family
from spikeloom_hw.synth.names import DesignNames
from spikeloom_hw.synth.nextpnr import Usage, _overflow, parse_report
from spikeloom_hw.synth.tools import ToolError
from spikeloom_hw.targets import TARGETS

RESOURCES = family(TARGETS["icebreaker"]).resources
NAMES = DesignNames([("core", "a"), ("core", "b"), ("core", "c")])
CELLS = ("ICESTORM_LC", "ICESTORM_RAM", "ICESTORM_SPRAM", "ICESTORM_DSP", "SB_IO", "ICESTORM_PLL")


def hop(kind, delay, cell):
    return {
        "type": kind,
        "delay": delay,
        "from": {"cell": cell, "port": "O"},
        "to": {"cell": cell, "port": "I1"},
    }


def report(fmax):
    return {
        "fmax": fmax,
        "utilization": {name: {"used": 3, "available": 8} for name in CELLS},
        "critical_paths": [
            {"from": "posedge clk", "to": "<async>", "path": []},
            {
                "from": "posedge clk",
                "to": "posedge clk",
                "path": [
                    hop("clk-to-q", 1.5, "core.a_SB_DFF_Q_DFFLC"),
                    hop("routing", 2.0, "core.b_SB_LUT4_O_LC"),
                    hop("logic", 1.0, "core.b_SB_LUT4_O_LC"),
                    hop("routing", 3.0, "$nextpnr_ICESTORM_LC_3"),
                    hop("setup", 0.25, "core.c_SB_DFFE_Q_LC"),
                ],
            },
        ],
    }


def test_report():
    placement = parse_report(
        report({"clk": {"achieved": 28.123456, "constraint": 24.0015}}), RESOURCES, NAMES
    )
    assert (placement.fmax_mhz, placement.constraint_mhz) == (28.12, 24.0015)
    assert placement.utilization == {
        name: Usage(used=3, available=8) for name in ("LC", "EBR", "SPRAM", "DSP", "IO")
    }
    path = placement.critical_path
    assert path is not None
    assert (path.start, path.end) == ("core: a", "core: c")
    assert (path.delay_ns, path.logic_ns, path.routing_ns) == (7.75, 2.75, 5.0)
    assert path.through == ("core: b",)


def test_the_clock_nearest_to_its_limit_counts():
    placement = parse_report(
        report(
            {
                "fast": {"achieved": 90.0, "constraint": 80.0},
                "slow": {"achieved": 30.0, "constraint": 12.0},
            }
        ),
        RESOURCES,
        NAMES,
    )
    assert (placement.fmax_mhz, placement.constraint_mhz) == (90.0, 80.0)
    assert placement.critical_path is None


def test_no_clock_is_refused():
    with pytest.raises(ToolError, match="no clock"):
        parse_report(report({}), RESOURCES, NAMES)


@pytest.mark.parametrize(
    ("log", "overflow"),
    [
        pytest.param("Info: \t   ICESTORM_LC:   471/ 5280     8%\n", "", id="fits"),
        pytest.param(
            "Info: \t  ICESTORM_RAM:    32/   30   106%\n",
            "EBR: needs 32, the device has 30",
            id="block RAM",
        ),
        pytest.param(
            "Info: \t  ICESTORM_RAM:    32/   30   106%\nInfo: \t ICESTORM_LC:  5281/ 5280  100%\n",
            "LC: needs 5281, the device has 5280; EBR: needs 32, the device has 30",
            id="two resources",
        ),
        pytest.param("ERROR: cannot open file\n", "", id="another failure"),
    ],
)
def test_overflow_names_resource_need_and_capacity(log, overflow):
    assert _overflow(log, RESOURCES) == overflow


def test_overflow_of_an_ecp5():
    log = "Info: \t          DP16KD:      66/     56   117%\nInfo: \t  TRELLIS_COMB: 9/24288 0%\n"
    overflow = _overflow(log, family(TARGETS["ulx3s-25f"]).resources)
    assert overflow == "DP16KD: needs 66, the device has 56"
