"""The verb `doctor`."""

from __future__ import annotations

from dataclasses import asdict

import click

from spikeloom.cli.console import Console, json_option, table
from spikeloom.doctor import Check, all_checks
from spikeloom.errors import UserError

_WRONG = ("missing", "wrong version")


def _state(check: Check) -> str:
    if check.ok:
        return "ok"
    return ("wrong version" if check.version else "missing") if check.needed else "not installed"


@click.command(epilog="Example: spikeloom doctor")
@json_option
def doctor(as_json: bool) -> None:
    """Look for every tool, and say how to get what is missing.

    Ends with code 2 when something is missing that an installed part needs. Tools of an extra
    that is not installed are listed, and are no fault.
    """
    console = Console(as_json=as_json)
    found = all_checks()
    rows = [(c.name, _state(c), "; ".join(filter(None, [c.version, c.fix]))) for c in found]
    missing = [check for check in found if check.needed and not check.ok]
    data = {"ok": not missing, "checks": [asdict(check) for check in found]}
    console.result(data, table("Tools", rows, columns=["tool", "state", "version or fix"]))
    if missing:
        states = {state: [c.name for c in missing if _state(c) == state] for state in _WRONG}
        said = "; ".join(f"{state}: {', '.join(names)}" for state, names in states.items() if names)
        raise UserError(f"{said}; the fix stands beside each in the list")
