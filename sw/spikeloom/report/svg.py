"""Matplotlib pictures as inline SVG that takes its colours and its font from the page.

A figure is drawn in marker colours, which become CSS variables afterwards: so one picture serves
the light page, the dark page and the printed one. The same input gives the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

ROW, WIDEST, NARROWEST = 9.2, 4.6, 3.0
"""Widths in inches: of a row of pictures on a wide page, and of one picture."""

PAPER = (
    "--ink:#1b1d1f;--muted:#6a6f73;--rule:#dfdfda;"
    "--series-1:#2f5d8c;--series-2:#c2703d;--series-3:#4a8a6f;--series-4:#8a5a94"
)
"""The page's colours by day, for a picture on its own."""
INK, MUTED, RULE = "#010203", "#010204", "#010205"
SERIES = ("#010211", "#010212", "#010213", "#010214")
_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    RULE: "--rule",
    **{color: f"--series-{number}" for number, color in enumerate(SERIES, 1)},
}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "axes.prop_cycle": cycler(color=list(SERIES)),
}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A drawing outside of a page, as in a notebook.

    Attributes:
        svg: its text, whose colours are the page's.
    """

    svg: str

    def _repr_html_(self) -> str:
        return f'<div style="color:#1b1d1f;{PAPER}">{self.svg}</div>'


@contextmanager
def drawing(
    name: str, panels: int = 1, *, height: float = 2.7
) -> Iterator[tuple[list[str], list[Axes]]]:
    """Axes to draw on, a picture for each; together they are appended to the list that is yielded.

    The page sets the pictures side by side where there is room, and below each other where there
    is not. None is wider than `WIDEST`, so its text stays readable on a telephone.

    Args:
        name: keeps the ids of these pictures apart from those of others.
        panels: how many.
        height: of each, in inches.
    """
    done: list[str] = []
    width = min(WIDEST, max(NARROWEST, ROW / panels))
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        figures = [Figure(figsize=(width, height), layout="constrained") for _ in range(panels)]
        yield done, [figure.add_subplot() for figure in figures]
        pictures = [_picture(figure, f"{name}-{n}") for n, figure in enumerate(figures, 1)]
    done.append(f'<div class="panels">{"".join(pictures)}</div>')


def _picture(figure: Figure, name: str) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return _inline(out.getvalue(), name)


def _inline(svg: str, name: str) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"\bid=\"([^\"]+)\"", rf'id="{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    svg = re.sub(r"href=\"#([^\"]+)\"", rf'href="#{name}-\1"', svg)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r"font-family: [^;\"]*", "font-family: var(--sans)", svg)
    for color, variable in _VARIABLES.items():
        svg = svg.replace(color, f"var({variable})")
    return svg
