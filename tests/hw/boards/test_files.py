"""A board's top as files."""

import re
from dataclasses import replace

import pytest
from amaranth.hdl import Fragment

from spikeloom.errors import UserError
from spikeloom_hw.boards.files import BOARDS, write_top
from spikeloom_hw.targets import TARGETS


def write(core, folder, target="icebreaker"):
    return write_top(core, target=TARGETS[target], inputs=16, design_hash=b"hash", directory=folder)


def test_top_is_complete(echo_core, tmp_path):
    files = write(echo_core, tmp_path)
    assert {file.name for file in files} == {
        "top.v",
        "top.device.core.table.mem",
        "top.device.port.fifo.storage.mem",
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


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_has_its_board(echo_core, tmp_path, target):
    assert write(echo_core, tmp_path, target)
    assert BOARDS.keys() == TARGETS.keys()


def test_the_pll_makes_the_core_clock(echo_core, tmp_path):
    target = replace(TARGETS["ulx3s-85f"], core_clock_mhz=85)
    write_top(echo_core, target=target, inputs=16, design_hash=b"hash", directory=tmp_path)
    source = (tmp_path / "top.v").read_text()
    dividers = dict(re.findall(r"\.(CLK\w+_DIV)\(32'd(\d+)\)", source))
    assert dividers == {"CLKI_DIV": "1", "CLKFB_DIV": "1", "CLKOP_DIV": "17", "CLKOS_DIV": "5"}


def test_a_device_without_a_top_is_refused(echo_core, tmp_path):
    Fragment.get(echo_core, None)  # Amaranth warns of a component that nobody elaborates
    bare = replace(TARGETS["ulx3s-25f"], name="bare", has_top=False)
    with pytest.raises(UserError, match="no board top for bare yet; build for icebreaker, ulx3s"):
        write_top(echo_core, target=bare, inputs=16, design_hash=b"hash", directory=tmp_path)
    assert list(tmp_path.iterdir()) == []
