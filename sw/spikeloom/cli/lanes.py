"""The option ``--lanes``, as every verb about hardware takes it."""

from typing import Any

import click

from spikeloom.packing import LANES

DEFAULT_LANES = (8,)


class LanesType(click.ParamType):
    """Lanes of the busiest layer, or one number a layer with commas between."""

    name = "L[,L…]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Parses one value."""
        if isinstance(value, tuple):
            return value
        try:
            lanes = tuple(int(part) for part in str(value).split(","))
        except ValueError:
            lanes = ()
        if not lanes or set(lanes) - set(LANES):
            known = ", ".join(map(str, LANES))
            self.fail(f"{value!r} is not a number of lanes ({known}), such as 8 or 8,1", param, ctx)
        return lanes


lanes_option = click.option(
    "--lanes",
    type=LanesType(),
    default=DEFAULT_LANES,
    show_default="8",
    help="Lanes of the busiest layer, or one number a layer (8,1).",
)
