"""The option `--samples` of verbs that take some of a split."""

from __future__ import annotations

from typing import Any

import click


class SampleCount(click.ParamType):
    """A positive number, or `all`, which is None."""

    name = "N|all"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        """Parse one value."""
        if value == "all":
            return None
        try:
            count = int(value)
        except ValueError:
            count = 0
        if count < 1:
            self.fail(f"{value!r} is neither a positive number nor 'all'", param, ctx)
        return count
