"""The verb `monitor`."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.live import Live
from rich.table import Table

from spikeloom.cli.console import STEP_SCHEMA, Console, json_option, table
from spikeloom.cli.port import design_option, port_option, simulated_place
from spikeloom.host.design import find_design
from spikeloom.host.device import Device
from spikeloom.host.outcome import Counters

INTERVAL_SECONDS = 1.0
_WIDTH = 32


@click.command(epilog="Example: spikeloom monitor --port /dev/ttyUSB1")
@port_option
@design_option(default="what is simulated")
@click.option("--once", is_flag=True, help="Look once, and end.")
@json_option
def monitor(port: str, design: Path | None, once: bool, as_json: bool) -> None:
    """Show what a board counts, once a second, until Ctrl-C.

    With `--json` each second is a line of its own. With `--design` the counts have their names,
    and the board must run that design.
    """
    console = Console(as_json=as_json)
    place = design or simulated_place(port)
    known = None if place is None else find_design(place)
    with Device.open(port, design=known) as device:
        looks = _Looks(device)
        if as_json:
            _lines(looks, once=once)
        elif once:
            console.result({}, looks.table())
        else:
            with Live(looks.table(), auto_refresh=False) as live:
                _until_interrupted(lambda: live.update(looks.table(), refresh=True))


class _Looks:
    """The counters of a device, and how fast they grow from look to look."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._before: tuple[float, Counters] | None = None

    def look(self) -> dict[str, Any]:
        """What the device counts now."""
        moment, now = time.monotonic(), self._device.counters()
        rates: dict[str, float | None] = dict.fromkeys(now.core)
        if self._before is not None:
            then, counters = self._before
            rates = _rates(counters.core, now.core, moment - then)
        self._before = moment, now
        return {
            "port": self._device.port,
            "design_hash": self._device.identity.design_hash.hex(),
            "clock_hz": self._device.identity.clock_hz,
            "link": dict(now.link),
            "core": dict(now.core),
            "per_second": rates,
        }

    def table(self) -> Table:
        """The same for a person."""
        seen = self.look()
        rows: list[tuple[object, ...]] = [(name, count) for name, count in seen["link"].items()]
        rates = seen["per_second"]
        rows += [(name, count, _shown(rates[name])) for name, count in seen["core"].items()]
        title = f"{seen['port']}, design {seen['design_hash']}, {seen['clock_hz'] / 1e6:g} MHz"
        return table(title, rows, columns=["", "count", "a second"])


def _rates(
    before: Mapping[str, int], after: Mapping[str, int], seconds: float
) -> dict[str, float | None]:
    return {name: (count - before[name]) % (1 << _WIDTH) / seconds for name, count in after.items()}


def _shown(rate: float | None) -> str:
    return "" if rate is None else f"{rate:,.0f}"


def _lines(looks: _Looks, *, once: bool) -> None:
    def line() -> None:
        click.echo(json.dumps({"schema": STEP_SCHEMA, **looks.look()}))

    line()
    if not once:
        _until_interrupted(line)


def _until_interrupted(look: Any) -> None:
    try:
        while True:
            time.sleep(INTERVAL_SECONDS)
            look()
    except KeyboardInterrupt:
        # That is how one ends it.
        return
