"""From a network to a folder of Verilog, memory contents and a description.

========================  ==================================================================
``core.v``                the bare core, module ``spikeloom_core``: clk, rst, the streams
                          ``events`` and ``scores``, and an observer's port for each layer
``top.v``, ``top.pcf``    the board's top around that very module, and its pins, for a target
                          that has one
``*.mem``                 memory contents, one hexadecimal word a line, named after their memory
``design.json``           what the core is: network, lanes, widths, files
========================  ==================================================================

In place of the board's top, :func:`generate` writes what others need to embed the core; see
:mod:`spikeloom_hw.embedding`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from spikeloom.encoding import SampleCode
from spikeloom.errors import UserError
from spikeloom.files import atomic_directory
from spikeloom.host.protocol import Identity
from spikeloom.image import NetworkImage
from spikeloom.image.identity import network_sha256
from spikeloom.results import Result
from spikeloom_hw.boards.files import write_top
from spikeloom_hw.capacity import beyond_the_link
from spikeloom_hw.core import CORE_MODULE, CoreInstance, CoreParams, LayerParams, SpikingCore
from spikeloom_hw.core.build import core_params
from spikeloom_hw.embedding.folder import Embedding, write_embedding
from spikeloom_hw.encoders import check_encoder, require_encoder
from spikeloom_hw.identity import design_sha256, identify
from spikeloom_hw.targets import Target, find_target
from spikeloom_hw.verilog import memory_shapes, write_verilog

CORE = "core.v"
VERILOG = "verilog"
"""As the platform of `elaborate`: memories that Amaranth can only simulate become instances."""

SINGLE_PORT_SOURCE = Path(__file__).parent / "core" / "single_port_ram.v"
DESIGN = "design.json"


class LayerDesign(msgspec.Struct, frozen=True, kw_only=True):
    """What others must know of a layer's gateware.

    Attributes:
        name: the layer's name in the network.
        inputs: presynaptic neurons.
        neurons: postsynaptic neurons.
        lanes: synaptic operations a cycle.
        groups: neurons a lane; trace beats a step.
        group_bits: width of a group's number.
        membrane_bits: signed width of a membrane.
        spiking: False for a readout layer.
        index_form: how a slot names its neuron.
        words: words of the weight memory.
        word_bits: width of the weight memory.
    """

    name: str
    inputs: int
    neurons: int
    lanes: int
    groups: int
    group_bits: int
    membrane_bits: int
    spiking: bool
    index_form: str
    words: int
    word_bits: int


class MemoryDesign(msgspec.Struct, frozen=True, kw_only=True):
    """A memory's contents.

    Attributes:
        file: in the design's folder, one hexadecimal word a line.
        depth: words.
        width: bits of a word.
    """

    file: str
    depth: int
    width: int


class Design(Result, msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The contents of ``design.json``.

    Attributes:
        schema: version of this description.
        network_sha256: the network that it was made for.
        design_sha256: of the core, its memories and its board; see `spikeloom_hw.identity`.
        target: name of the target.
        clock_mhz: clock that the target's top makes for the core.
        event_bits: width of ``events__payload``: address, then ``step``, then ``last``.
        address_bits: width of an event's address.
        score_bits: signed width of a score.
        label_bits: width of a class.
        loadable: a host fills the memories before the first sample; see ``core.loading``.
        time_steps: steps of the network's samples.
        count_readout: scores are spike counts.
        parameters: the gateware of each layer, whole.
        layers: in order.
        memories: every memory that is filled from a file, sorted by that.
        files: everything in the folder but ``design.json``.
        encoder: what becomes of values that a host sends in place of events, if they are taken.
    """

    schema: Literal[2]
    network_sha256: str
    design_sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    target: str
    clock_mhz: float
    event_bits: int
    address_bits: int
    score_bits: int
    label_bits: int
    loadable: bool
    time_steps: int
    count_readout: bool
    parameters: tuple[LayerParams, ...]
    layers: tuple[LayerDesign, ...]
    memories: tuple[MemoryDesign, ...]
    files: tuple[str, ...]
    encoder: SampleCode | None = None

    @property
    def identity(self) -> Identity:
        """What the board says about itself."""
        return identify(
            self.core,
            target=self.board,
            design_sha256=self.design_sha256,
            takes_frames=self.encoder is not None,
        )

    @property
    def board(self) -> Target:
        """The target with the clock that the design was made for.

        Raises:
            UserError: there is no such target.
        """
        return replace(find_target(self.target), core_clock_mhz=self.clock_mhz)

    @property
    def core(self) -> CoreParams:
        """The core's parameters, without contents."""
        return CoreParams(
            layers=self.parameters,
            contents=(),
            time_steps=self.time_steps,
            count_readout=self.count_readout,
            trace=True,
            counters=True,
        )


def generate(
    image: NetworkImage,
    *,
    target: Target,
    lanes: Sequence[int],
    directory: Path,
    bare: bool = False,
    loadable: bool = False,
    embedding: Embedding | None = None,
    encoder: bool = False,
) -> Design:
    """Writes the hardware of ``image`` into ``directory``, whole or not at all.

    Args:
        image: the network.
        target: the board; one without a top gets the bare core alone.
        lanes: lanes of each layer.
        directory: a folder that does not exist, is empty, or was made by this function.
        bare: leave out the board's top.
        loadable: a host fills the memories, with this network or another within their capacity.
        embedding: leave out the board's top, and write the files that this asks for.
        encoder: the board makes the events, and its host may send a sample's values.

    Raises:
        UserError: ``directory`` can not be written, or holds other files; the network has more
            outputs than the board's host link names, or can not be loaded; ``embedding`` of a core
            that is ``loadable``; ``encoder`` without a top, or of an encoding without gateware.
    """
    if embedding is not None and loadable:
        raise UserError("a core to embed has its contents in its memories: leave --loadable out")
    topped = target.has_top and not bare and embedding is None
    for excess in beyond_the_link(image.outputs, len(image.layers), target) if topped else ():
        raise UserError(excess)
    if encoder and not topped:
        raise UserError("an encoder is part of a board's top: leave --encoder out")
    code = image.sample_code if encoder else None
    if code is not None:
        check_encoder(code)
    params = core_params(image, target=target, lanes=lanes, loadable=loadable)
    network = network_sha256(image)
    with atomic_directory(directory) as folder:
        files = write_core(folder, params)
        made = design_sha256(files, params, target=target, network_sha256=network, encoder=code)
        if topped:
            files += write_top(
                CoreInstance(params),
                target=target,
                identity=identify(
                    params, target=target, design_sha256=made, takes_frames=code is not None
                ),
                directory=folder,
                encoder=None
                if code is None
                else require_encoder(code, address_bits=params.layers[0].address_bits),
            )
        others = (
            write_embedding(folder, image, params, target=target, embedding=embedding)
            if embedding is not None
            else []
        )
        design = _describe(params, target, network, made, files, others, code)
        text = msgspec.json.format(msgspec.json.encode(design), indent=2)
        (folder / DESIGN).write_bytes(text + b"\n")
    return design


def write_core(folder: Path, params: CoreParams) -> list[Path]:
    """Writes the bare core into ``folder``: ``core.v``, then its memory contents."""
    core, *memories = write_verilog(
        SpikingCore(params), name=CORE_MODULE, directory=folder, platform=VERILOG
    )
    files = [core.rename(folder / CORE), *memories]
    if any(layer.single_port for layer in params.layers):
        with files[0].open("a") as verilog:
            verilog.write(SINGLE_PORT_SOURCE.read_text())
    return files


def load_design(directory: Path) -> Design:
    """The description of a folder that :func:`generate` made.

    Raises:
        UserError: there is none, or it is damaged.
    """
    path = directory / DESIGN
    if not path.is_file():
        raise UserError(f"{path}: no such file: give a folder made by 'spikeloom generate'")
    try:
        return msgspec.json.decode(path.read_bytes(), type=Design)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path} is damaged or of another version ({error}): generate the design again"
        ) from None


def _describe(
    params: CoreParams,
    target: Target,
    network: str,
    made: str,
    files: list[Path],
    others: list[Path],
    encoder: SampleCode | None,
) -> Design:
    address_bits = params.layers[0].address_bits
    return Design(
        schema=2,
        network_sha256=network,
        design_sha256=made,
        target=target.name,
        clock_mhz=target.core_clock_mhz,
        event_bits=address_bits + 2,
        address_bits=address_bits,
        score_bits=params.score_bits,
        label_bits=params.label_bits,
        loadable=params.loadable,
        time_steps=params.time_steps,
        count_readout=params.count_readout,
        parameters=params.layers,
        layers=tuple(map(_describe_layer, params.layers)),
        memories=tuple(_memories(files)),
        files=tuple(sorted(file.name for file in [*files, *others])),
        encoder=encoder,
    )


def _memories(files: Sequence[Path]) -> Iterator[MemoryDesign]:
    sources = (file.read_text() for file in files if file.suffix == ".v")
    shapes = {name: shape for source in sources for name, shape in memory_shapes(source).items()}
    for name in sorted(file.name for file in files if file.suffix == ".mem"):
        depth, width = shapes[name]
        yield MemoryDesign(file=name, depth=depth, width=width)


def _describe_layer(layer: LayerParams) -> LayerDesign:
    return LayerDesign(
        name=layer.name,
        inputs=layer.inputs,
        neurons=layer.neurons,
        lanes=layer.lanes,
        groups=layer.groups,
        group_bits=layer.group_bits,
        membrane_bits=layer.membrane_bits,
        spiking=layer.spiking,
        index_form=layer.index_form,
        words=layer.words,
        word_bits=layer.word_bits,
    )
