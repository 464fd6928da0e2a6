"""A board's top as files."""

import re

import pytest
from amaranth.hdl import Fragment

from spikeloom.errors import UserError
from spikeloom_hw.boards.files import write_top
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


def test_a_device_without_a_top_is_refused(echo_core, tmp_path):
    Fragment.get(echo_core, None)  # Amaranth warns of a component that nobody elaborates
    with pytest.raises(UserError, match="no board top for ulx3s-25f yet; build for icebreaker"):
        write(echo_core, tmp_path, "ulx3s-25f")
    assert list(tmp_path.iterdir()) == []
