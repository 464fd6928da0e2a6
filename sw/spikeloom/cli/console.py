"""What a verb says: progress and notes on stderr, its result on stdout.

On a terminal rich draws bars, and lines break between words; elsewhere (a log, a pipe, CI) the
same calls print plain lines, each whole. With `--json` stdout carries exactly one JSON document.
"""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast

import click
import rich.console
from rich import box
from rich.console import RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column, Table
from rich.text import Text

from spikeloom.cli.interrupt import check_interrupt
from spikeloom.errors import UserError
from spikeloom.files import STEP_SCHEMA, to_json, write_step
from spikeloom.runfolder import NETWORK_FILE, is_reference

__all__ = [
    "NETWORK_FILE",
    "Console",
    "Track",
    "broken",
    "json_option",
    "network_path",
    "run_folder",
    "table",
    "write_step",
]

RUNS = Path("runs")
PLAIN_SECONDS = 5.0
PLAIN_WIDTH = 120
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


def json_option(function: F) -> F:
    """Add `--json` to a verb; it arrives as the parameter `as_json: bool`."""
    option = click.option(
        "--json", "as_json", is_flag=True, help="Print the result as one JSON document."
    )
    return option(function)


class _Bars(Progress):
    """A bar that fits 60 columns, and below it a line of what may be longer.

    Attributes:
        detail: the line; "" is none.
    """

    detail = ""

    def __init__(self, console: rich.console.Console) -> None:
        left = Column(no_wrap=True, overflow="ellipsis", ratio=1)
        super().__init__(
            TextColumn("{task.description}", markup=False, table_column=left),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bar, then its detail."""
        yield from super().get_renderables()
        if self.detail:
            yield Text(broken(self.detail, self.console.width))


class Track(Generic[T]):
    """Progress over an iterable or over a total; iterate over it, or use it with `with`.

    `for x in console.track(items, "packing")` counts by itself;
    `with console.track(100, "samples") as t: t.advance(8)` is told.
    """

    def __init__(self, source: Iterable[T] | int, text: str, console: rich.console.Console) -> None:
        self._items = () if isinstance(source, int) else source
        self.total = source if isinstance(source, int) else _length(source)
        self.done = 0
        self._text, self._console = text, console
        self._bar: _Bars | None = None
        self._detail = ""
        self._next_line = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar = _Bars(self._console)
            self._bar.start()
            self._bar.add_task(self._text, total=self.total)
        else:
            self._next_line = time.monotonic() + PLAIN_SECONDS
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    def __iter__(self) -> Iterator[T]:
        with self:
            for item in self._items:
                yield item
                self.advance()

    def advance(self, amount: int = 1, text: str | None = None) -> None:
        """Count `amount` more as done; `text` says how it stands.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed, and what was under way then did not let it pass.
        """
        check_interrupt()
        self.done += amount
        self._detail = text or self._detail
        if self._bar:
            self._bar.detail = self._detail
            self._bar.update(self._bar.task_ids[0], advance=amount)
        elif time.monotonic() >= self._next_line:
            of = "" if self.total is None else f"/{self.total}"
            _plain(self._console, f"    {self._detail or self._text}: {self.done}{of}")
            self._next_line = time.monotonic() + PLAIN_SECONDS


def _length(source: Iterable[Any]) -> int | None:
    return len(cast(Sequence[Any], source)) if hasattr(source, "__len__") else None


def broken(text: str, width: int) -> str:
    """`text` in lines of at most `width` columns, broken between words and nowhere else.

    A longer word, such as a path, has a line of its own, so that it can still be copied.
    """
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines) or text


def _plain(console: rich.console.Console, text: str) -> None:
    if console.is_terminal:
        text = broken(text, console.width)
    console.print(text, markup=False, highlight=False, soft_wrap=True)


class Console:
    """The voice of one verb.

    Attributes:
        steps: name and seconds of each step that ended well, in order.
        seconds: since the console was made, for `write_step`.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.steps: list[tuple[str, float]] = []
        self._started = time.perf_counter()
        self._number = 0
        self._err = rich.console.Console(stderr=True)
        self._out = rich.console.Console()
        if not self._out.is_terminal:
            self._out = rich.console.Console(width=PLAIN_WIDTH, color_system=None)

    @property
    def seconds(self) -> float:
        """Seconds since this console was made."""
        return time.perf_counter() - self._started

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """A numbered step: a line when it starts, and one with its time when it ends."""
        self._number += 1
        label, started = f"[{self._number}] {text}", time.perf_counter()
        # No spinner: a step may hold a progress bar, and rich allows one live display at a time.
        _plain(self._err, f"{label} …")
        yield
        seconds = time.perf_counter() - started
        self.steps.append((text, round(seconds, 3)))
        _plain(self._err, f"{label}: {seconds:.1f} s")

    def track(self, source: Iterable[T] | int, text: str) -> Track[T]:
        """Progress over an iterable, or over a total that is advanced by hand; see `Track`."""
        return Track(source, text, self._err)

    def note(self, text: str) -> None:
        """One line for the reader, never part of the result."""
        _plain(self._err, text)

    def result(self, data: Mapping[str, Any], *renderables: RenderableType) -> None:
        """The verb's result on stdout: under `--json` `data` with its schema, else the renderables.

        The schema is `STEP_SCHEMA`, unless `data` has one of its own.
        """
        if self.as_json:
            click.echo(to_json({"schema": STEP_SCHEMA, **data}), nl=False)
        for renderable in () if self.as_json else renderables:
            self._out.print(renderable, markup=False, highlight=False)


def table(
    title: str,
    rows: Mapping[str, Any] | Sequence[Sequence[Any]],
    columns: Sequence[str] | None = None,
) -> Table:
    """A quiet table. A mapping gives name and value; `columns` heads a sequence of rows.

    Numbers are set right; floats keep four significant digits.
    """
    lines = list(rows.items()) if isinstance(rows, Mapping) else [tuple(row) for row in rows]
    made = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_header=columns is not None,
        pad_edge=False,
    )
    width = max([len(line) for line in lines] + [len(columns or ())], default=0)
    for index in range(width):
        cells = [line[index] for line in lines if index < len(line)]
        numeric = bool(cells) and all(isinstance(cell, int | float) for cell in cells)
        header = columns[index] if columns is not None and index < len(columns) else ""
        made.add_column(header, justify="right" if numeric else "left", overflow="fold")
    for line in lines:
        made.add_row(*(_cell(cell) for cell in line))
    return made


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "-" if value is None else str(value)


def run_folder(path: str | Path) -> Path:
    """Where the verbs leave what they find out about the network that `path` means.

    It is the run folder: `path` itself, or the folder of a network file. A folder of `bitstreams/`
    stays as it is, and results go to a run folder of its name.
    """
    path = Path(path)
    folder = path if path.is_dir() else path.parent
    return RUNS / folder.resolve().name if is_reference(folder) else folder


def network_path(path: str | Path) -> Path:
    """The network file that `path` means: itself, or `network.safetensors` of a run folder.

    Raises:
        UserError: there is no such file.
    """
    path = Path(path)
    if path.is_dir():
        file = path / NETWORK_FILE
        if not file.is_file():
            raise UserError(f"{path} has no {NETWORK_FILE}; run: spikeloom export {path}")
        return file
    if not path.is_file():
        raise UserError(f"there is no network file {path}; give a file or a run folder")
    return path
