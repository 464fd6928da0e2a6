"""The `spikeloom` command: finds its verbs, and turns every failure into one sentence.

Verbs are found through the entry points `spikeloom.commands`, so that a package adds its own
without being imported by this one. A verb's module is loaded only when the verb runs: the list
that `--help` prints comes from the docstrings in the sources, which needs no torch and no
Amaranth, and so works whatever extras are installed.
"""

from __future__ import annotations

import ast
import difflib
import errno
import importlib.util
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

from spikeloom import __version__
from spikeloom.cli.interrupt import remember_interrupts
from spikeloom.errors import UserError
from spikeloom.extras import missing_module

COMMANDS = "spikeloom.commands"
EXIT_BUG, EXIT_USER, EXIT_INTERRUPT, EXIT_PIPE, EXIT_TERMINATED = 1, 2, 130, 141, 143
_ORDER = (
    "train", "export", "import", "inspect", "evaluate", "place", "estimate", "generate", "verify",
    "synth", "flash", "run", "monitor", "report", "doctor",
)  # fmt: skip


@cache
def _verbs() -> dict[str, EntryPoint]:
    found = {point.name: point for point in entry_points(group=COMMANDS)}
    known = [name for name in _ORDER if name in found]
    return {name: found[name] for name in [*known, *sorted(found.keys() - set(known))]}


def _summary(point: EntryPoint) -> str:
    """First sentence of a verb's docstring, read from its source without running it."""
    try:
        spec = importlib.util.find_spec(point.module)
        if spec is None or spec.origin is None:
            return ""
        tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    except (ImportError, OSError, SyntaxError):
        return ""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == point.attr:
            paragraph = (ast.get_docstring(node) or "").partition("\n\n")[0]
            return " ".join(paragraph.split())
    return ""


def _without_extra(name: str, summary: str, sentence: str) -> click.Command:
    """A stand-in for a verb whose extra is missing: it has help, and says what to install."""

    def refuse(**_: Any) -> NoReturn:
        raise UserError(sentence)

    return click.Command(
        name,
        callback=refuse,
        params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
        help=f"{summary}\n\nNot available here: {sentence}",
        context_settings={"ignore_unknown_options": True},
    )


class ExplainingGroup(click.Group):
    """A group that ends every failure with one sentence: the one place for error handling."""

    def main(  # type: ignore[override]  # click declares overloads for its own return values
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command line. Ends the process with 0, 2 (user), 130 (Ctrl-C) or 1 (a bug)."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        arguments = list(sys.argv[1:] if args is None else args)
        try:
            code = super().main(
                arguments, prog_name or "spikeloom", complete_var, standalone_mode=False, **extra
            )
        except click.exceptions.NoArgsIsHelpError as error:
            # Not a sentence but the whole help, which click prints as `--help` does.
            error.show()
            code = EXIT_USER
        except BaseException as error:
            if isinstance(error, SystemExit | GeneratorExit):
                raise
            sentence, code = explain(error)
            if "--debug" in arguments[:1] or os.environ.get("SPIKELOOM_DEBUG"):
                traceback.print_exception(error)
            click.echo(_for_reader(f"spikeloom: {sentence}"), err=True)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; ends with 141, as by SIGPIPE, when nobody reads on what it prints."""
        try:
            return super().invoke(ctx)
        except (BrokenPipeError, SystemExit) as error:
            # rich makes an exit with 1 of it, which would be a mismatch.
            if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
                raise
            with suppress(OSError, ValueError):
                # What is still to be flushed at the end goes nowhere.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(EXIT_PIPE)


class VerbGroup(ExplainingGroup):
    """The group whose commands are entry points."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all installed verbs, in the order of the flow."""
        return list(_verbs())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one verb; a verb whose extra is missing still has a help text."""
        point = _verbs().get(cmd_name)
        if point is None:
            return None
        try:
            return point.load()
        except ModuleNotFoundError as error:
            if (sentence := missing_module(error)) is None:
                raise
            return _without_extra(cmd_name, _summary(point), sentence)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, except that an unknown verb names the nearest one."""
        name = args[0]
        if not name.startswith("-") and name not in _verbs():
            near = difflib.get_close_matches(name, _verbs(), n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}?" if near else f"verbs are {', '.join(_verbs())}"
            raise click.UsageError(f"there is no verb {name!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs with their one-line summaries, loading none of them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, _summary(point)) for name, point in _verbs().items()])


def explain(error: BaseException) -> tuple[str, int]:
    """The sentence that tells a user about `error`, and the exit code that goes with it."""
    match error:
        case UserError():
            return str(error), EXIT_USER
        case click.UsageError():
            where = error.ctx.command_path if error.ctx else "spikeloom"
            sentence = error.format_message().strip().rstrip(".")
            sentence = " ".join(sentence.split())
            return f"{sentence} (see: {where} --help)", EXIT_USER
        case click.ClickException():
            return " ".join(error.format_message().split()), EXIT_USER
        case click.Abort() | KeyboardInterrupt():
            # click makes an Abort of a KeyboardInterrupt, which may know what was left behind.
            cause = error.__cause__ if isinstance(error.__cause__, KeyboardInterrupt) else error
            told = str(cause) or "interrupted; nothing half-written was left behind"
            return told, EXIT_INTERRUPT
        case ModuleNotFoundError() if (sentence := missing_module(error)) is not None:
            return sentence, EXIT_USER
        case OSError() if error.errno is not None:
            return _os_sentence(error), EXIT_USER
        case MemoryError():
            return "out of memory; try fewer samples at once or a smaller network", EXIT_USER
        case _:
            kind, text = type(error).__name__, " ".join(str(error).split())
            hint = "this is a bug in spikeloom: set SPIKELOOM_DEBUG=1 for its traceback"
            return f"{kind}: {text} ({hint})", EXIT_BUG


def _for_reader(sentence: str) -> str:
    """A sentence for stderr: whole, but on a terminal broken between words."""
    if not sys.stderr.isatty():
        return sentence
    # Here, since the command line should start without what draws on terminals.
    from spikeloom.cli.console import broken

    return broken(sentence, shutil.get_terminal_size().columns)


def _os_sentence(error: OSError) -> str:
    reason = (error.strerror or str(error)).lower()
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    fix = {
        errno.ENOENT: "check the path",
        errno.ENOTDIR: "a part of the path is a file, so choose another path",
        errno.EISDIR: "name a file, not a folder",
        errno.EACCES: "choose a path you may use",
        errno.EPERM: "choose a path you may use",
        errno.EROFS: "choose a path that can be written",
        errno.ENOSPC: "free some space or choose another disk",
        errno.EDQUOT: "free some space or choose another disk",
    }.get(error.errno or 0, "check the path and the disk")
    return f"{where}{reason}; {fix}"


EXAMPLE = """\b
Example, from data to a verified bitstream:
  spikeloom train examples/digits.toml -o runs/demo
  spikeloom export runs/demo
  spikeloom verify runs/demo
  spikeloom synth runs/demo --target icebreaker
  spikeloom report runs/demo
"""


@click.group(cls=VerbGroup, epilog=EXAMPLE, context_settings={"max_content_width": 100})
@click.option("--debug", is_flag=True, help="Show the traceback of an error, too.")
@click.version_option(__version__, prog_name="spikeloom")
def app(debug: bool) -> None:
    """Spiking neural networks from PyTorch to an open FPGA, compared bit for bit."""
    if debug:
        os.environ["SPIKELOOM_DEBUG"] = "1"


def _terminate(_signum: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(EXIT_TERMINATED)


def main() -> None:
    """Entry point of the `spikeloom` script."""
    # SystemExit instead of sudden death: temporary files are removed on the way out.
    signal.signal(signal.SIGTERM, _terminate)
    remember_interrupts()
    app()
