"""Results of steps, as plain values and for notebooks."""

from __future__ import annotations

import html
from typing import Any

import msgspec

__all__ = ["Result"]


class Result:
    """What a step returns: a dataclass or struct whose fields are its figures."""

    def to_dict(self) -> dict[str, Any]:
        """Every field as plain values that JSON takes."""
        return msgspec.to_builtins(self, enc_hook=_plain)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(_short(value))}</td></tr>"
            for name, value in self.to_dict().items()
        )
        return f"<table><caption>{html.escape(type(self).__name__)}</caption>{rows}</table>"


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _short(value: Any, most: int = 120) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"
