"""A board's top as files."""

import re
from dataclasses import replace

import pytest
from amaranth.hdl import Fragment

from spikeloom.errors import UserError
from spikeloom_hw.boards.catalogue import BOARDS
from spikeloom_hw.boards.files import write_top
from spikeloom_hw.targets import TARGETS


def write(core, folder, target="icebreaker"):
    return write_top(core, target=TARGETS[target], identity=core.identity, directory=folder)


def test_top_is_complete(echo_core, tmp_path):
    files = write(echo_core, tmp_path)
    assert {file.name for file in files} == {
        "top.v",
        "top.device.core.table.mem",
        "top.device.port.receiver.slots.mem",
        "top.device.port.results.values.mem",
        "top.device.port.sender.buffer.mem",
        "top.pcf",
    }
    source = (tmp_path / "top.v").read_text()
    assert set(re.findall(r'\$readmemh\("([^"]+)"', source)) == {
        file.name for file in files if file.suffix == ".mem"
    }
    table = (tmp_path / "top.device.core.table.mem").read_text().split()
    assert table == [str(address % 4) for address in range(16)]


def test_pins_and_clock(echo_core, tmp_path):
    write(echo_core, tmp_path)
    lines = (tmp_path / "top.pcf").read_text().splitlines()
    pins = dict(line.split()[1:] for line in lines if line.startswith("set_io"))
    # https://github.com/icebreaker-fpga/icebreaker: clock, serial port, LEDs, snap-off LEDs.
    assert pins["clk12_0__io"] == "35"
    assert (pins["uart_0__rx__io"], pins["uart_0__tx__io"]) == ("6", "9")
    assert (pins["led_r_0__io"], pins["led_g_0__io"]) == ("11", "37")
    assert [pins[f"led_{number}__io"] for number in (2, 3)] == ["26", "27"]
    assert "set_frequency clk12_0__io 12.0" in lines


def test_pins_and_clock_of_the_ulx3s(echo_core, tmp_path):
    files = write(echo_core, tmp_path, "ulx3s-25f")
    assert tmp_path / "top.lpf" in files
    lines = (tmp_path / "top.lpf").read_text().splitlines()
    located = dict(re.findall(r'LOCATE COMP "(\S+)__io" SITE "(\w+)";', "\n".join(lines)))
    # https://github.com/emard/ulx3s: clock, FTDI's serial port, LEDs, GPIO0 of the ESP32.
    assert located == {
        "clk25_0": "G2",
        "uart_0__rx": "M1",
        "uart_0__tx": "L4",
        "led_0": "B2",
        "led_1": "C2",
        "led_6": "E1",
        "led_7": "H3",
        "esp32_boot_0": "L2",
    }
    assert 'FREQUENCY PORT "clk25_0__io" 25000000.0 HZ;' in lines
    assert all(line.startswith(("#", "LOCATE", "IOBUF", "FREQUENCY")) for line in lines)


# From the boards' own documentation; each module of `spikeloom_hw.boards` names its source.
PINS = {
    "upduino": {
        "clk12_0": "20",
        "uart_0__rx": "15",
        "uart_0__tx": "14",
        "flash_select_0": "16",
        "rgb_led_0__g": "39",
        "rgb_led_0__b": "40",
        "rgb_led_0__r": "41",
    },
    "icesugar": {
        "clk12_0": "35",
        "uart_0__rx": "4",
        "uart_0__tx": "6",
        "rgb_led_0__b": "39",
        "rgb_led_0__r": "40",
        "rgb_led_0__g": "41",
    },
    "orangecrab": {
        "clk_0": "A9",
        "uart_0__rx": "N17",
        "uart_0__tx": "M18",
        "led_r_0": "K4",
        "led_g_0": "M3",
        "led_b_0": "J3",
    },
    "colorlight-i5": {"clk25_0": "P3", "uart_0__rx": "H18", "uart_0__tx": "J17", "led_0": "U16"},
    "ecpix5-85f": {
        "clk100_0": "K23",
        "uart_0__rx": "R26",
        "uart_0__tx": "R24",
        "led_r_0": "T23",
        "led_g_0": "R21",
        "led_b_0": "T22",
        "led_b_1": "T24",
    },
}


@pytest.mark.parametrize("name", PINS)
def test_pins_of_the_others(echo_core, tmp_path, name):
    write(echo_core, tmp_path, name)
    text = next(tmp_path.glob("top.[pl]?f")).read_text()
    iced = re.findall(r"set_io (\S+)__io (\w+)", text)
    located = dict(iced or re.findall(r'LOCATE COMP "(\S+)__io" SITE "(\w+)";', text))
    assert located == PINS[name]
    clock = TARGETS[name].board_clock_mhz
    hertz = rf'(set_frequency clk12_0__io {clock}\.0|FREQUENCY PORT "\S+" {clock}000000\.0 HZ;)'
    assert len(re.findall(hertz, text)) == 1


@pytest.mark.parametrize(
    ("name", "primitive", "clock"),
    [
        pytest.param("icesugar", "SB_PLL40_PAD", "PACKAGEPIN", id="the PLL's own pad"),
        pytest.param("upduino", "SB_PLL40_CORE", "REFERENCECLK", id="another pin"),
    ],
)
def test_the_pll_of_an_ice40_is_fed_by_the_pad_it_has(echo_core, tmp_path, name, primitive, clock):
    write(echo_core, tmp_path, name)
    source = (tmp_path / "top.v").read_text()
    found = re.findall(r"(SB_PLL40_\w+) #\((.*?)\) \w+ \((.*?)\);", source, re.DOTALL)
    assert [(each[0], f".{clock}(" in each[2]) for each in found] == [(primitive, True)]


@pytest.mark.parametrize(
    ("name", "colours"), [pytest.param("upduino", "gbr"), pytest.param("icesugar", "brg")]
)
def test_a_three_colour_led_is_driven_by_its_current_sources(echo_core, tmp_path, name, colours):
    """Output 0 of the driver is pin 39, and so on: each must get the colour soldered there."""
    write(echo_core, tmp_path, name)
    source = (tmp_path / "top.v").read_text()
    (ports,) = re.findall(r"SB_RGBA_DRV #\(.*?\) \w+ \((.*?)\);", source, re.DOTALL)
    for number, colour in enumerate(colours):
        assert f".RGB{number}(rgb_led_0__{colour}__io)" in ports
        assert re.search(rf"\.RGB{number}PWM\(\\?{colour} ?\)", ports)
    top = source[source.rindex("module top(") :]
    (rgb,) = re.findall(r"\\top\.rgb  rgb \((.*?)\);", top, re.DOTALL)
    assert all(re.search(rf"\.{colour}\(", rgb) for colour in "rgb")


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_has_its_board(echo_core, tmp_path, target):
    assert write(echo_core, tmp_path, target)
    assert BOARDS.keys() == TARGETS.keys()


def test_the_pll_makes_the_core_clock(echo_core, tmp_path):
    target = replace(TARGETS["ulx3s-85f"], core_clock_mhz=85)
    write_top(echo_core, target=target, identity=echo_core.identity, directory=tmp_path)
    source = (tmp_path / "top.v").read_text()
    dividers = dict(re.findall(r"\.(CLK\w+_DIV)\(32'd(\d+)\)", source))
    assert dividers == {"CLKI_DIV": "1", "CLKFB_DIV": "1", "CLKOP_DIV": "17", "CLKOS_DIV": "5"}


def test_a_device_without_a_top_is_refused(echo_core, tmp_path):
    Fragment.get(echo_core, None)  # Amaranth warns of a component that nobody elaborates
    bare = replace(TARGETS["ulx3s-25f"], name="bare", has_top=False)
    with pytest.raises(UserError, match="no board top for bare yet; build for icebreaker, "):
        write_top(echo_core, target=bare, identity=echo_core.identity, directory=tmp_path)
    assert list(tmp_path.iterdir()) == []
