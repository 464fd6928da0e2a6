"""Values as a run's TOML file writes them, for messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Any

__all__ = ["shown"]


def shown(value: Any) -> str:
    """A value as TOML writes it."""
    match value:
        case bool():
            return str(value).lower()
        case list():
            return f"[{', '.join(map(shown, value))}]"
        case Mapping():
            pairs = ", ".join(f"{key} = {shown(inner)}" for key, inner in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case date() | time():
            return value.isoformat()
        case _:
            return repr(value)
