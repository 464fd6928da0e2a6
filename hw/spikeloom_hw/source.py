"""A design, from whatever a user names: a reference build, a generated folder, or a network.

=========================================  =====================================================
given                                      the design
=========================================  =====================================================
a folder of ``bitstreams/``                that of its manifest
a folder made by ``spikeloom generate``    that folder
a network, or a run folder that holds one  what ``generate`` makes of it when nothing else is said
=========================================  =====================================================
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from spikeloom.cli.console import NETWORK_FILE
from spikeloom.cli.lanes import DEFAULT_LANES
from spikeloom.encoding import SampleCode
from spikeloom.errors import UserError
from spikeloom.host.design import Contents, HostDesign
from spikeloom.host.protocol import Identity
from spikeloom.image import NetworkImage
from spikeloom.image.identity import network_sha256
from spikeloom.lineage import check_built_from, load_network
from spikeloom.packing import resolve_lanes
from spikeloom_hw.core.build import core_params
from spikeloom_hw.core.counters import count_names
from spikeloom_hw.core.layouts import MemoryKind
from spikeloom_hw.core.loading import load_sequence
from spikeloom_hw.core.params import CoreParams
from spikeloom_hw.design_check import open_design
from spikeloom_hw.generate import DESIGN, generate, load_design, write_core
from spikeloom_hw.identity import design_sha256, identify
from spikeloom_hw.synth.manifest import MANIFEST, read_manifest
from spikeloom_hw.targets import TARGETS, Target

DEFAULT_TARGET = "icebreaker"


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """A design.

    Attributes:
        place: what the user named.
        folder: where it has been generated; None if it has not.
        network: the network that it is made for; None if only its hash is known.
        network_sha256: its hash.
        target: the board.
        lanes: of each layer.
        loadable: a host fills its memories.
        encoder: what becomes of values that a host sends, if they are taken.
    """

    place: Path
    folder: Path | None
    network: NetworkImage | None
    network_sha256: str
    target: Target
    lanes: tuple[int, ...]
    loadable: bool
    encoder: SampleCode | None = None

    @cached_property
    def core(self) -> CoreParams:
        """The core; without contents, if it has been generated."""
        if self.folder is not None:
            return load_design(self.folder).core
        assert self.network is not None
        return core_params(
            self.network, target=self.target, lanes=self.lanes, loadable=self.loadable
        )

    @cached_property
    def identity(self) -> Identity:
        """What the board says about itself; takes some seconds if it has not been generated."""
        if self.folder is not None:
            return load_design(self.folder).identity
        with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
            made = design_sha256(
                write_core(Path(scratch), self.core),
                self.core,
                target=self.target,
                network_sha256=self.network_sha256,
                encoder=self.encoder,
            )
        return identify(
            self.core,
            target=self.target,
            design_sha256=made,
            takes_frames=self.encoder is not None,
        )

    def write(self, directory: Path) -> None:
        """Generate the design, which has not been generated, into `directory`.

        Raises:
            UserError: it can not be generated.
        """
        assert self.network is not None
        generate(
            self.network,
            target=self.target,
            lanes=self.lanes,
            directory=directory,
            loadable=self.loadable,
            encoder=self.encoder is not None,
        )

    def contents(self, image: NetworkImage) -> Contents:
        """What a host loads so that the device runs a network.

        Raises:
            UserError: the network is beyond the core, or not the one in it.
        """
        if not self.loadable:
            if network_sha256(image) != self.network_sha256:
                raise UserError(
                    f"{self.place} has fixed memories with another network in them: flash a design "
                    "of this network, or one that was made with --loadable"
                )
            return Contents(loads=(), readable=())
        loads = load_sequence(image, self.core)
        kept = [load for load in loads if load[1] != MemoryKind.THRESHOLD.value]
        return Contents(loads=loads, readable=kept)

    def host_design(self) -> HostDesign:
        """What a host must know of it."""
        return HostDesign(
            source=str(self.place),
            board=self.target.board,
            design_hash=self.identity.design_hash,
            loadable=self.loadable,
            network=self.network,
            contents=self.contents,
            count_names=count_names(len(self.core.layers)),
            encoder=self.encoder,
        )


def find_source(place: Path) -> Source | None:
    """The design that a path means; None if it means none.

    Raises:
        UserError: the design is damaged.
    """
    if (place / DESIGN).is_file():
        return _generated(place)
    network = place / NETWORK_FILE if place.is_dir() else place
    if not network.is_file():
        return None
    image = load_network(network)
    if place.is_dir() and (place / MANIFEST).is_file():
        recorded, recipe = read_manifest(place)
        check_built_from(place, recorded["sha256"].get("network"))
        return _made_of(place, image, recipe.board, recipe.lanes, loadable=recipe.loadable)
    return _made_of(place, image, TARGETS[DEFAULT_TARGET], DEFAULT_LANES, loadable=False)


def find(place: Path) -> HostDesign | None:
    """What a host must know of the design that a path means; None if it means none.

    Raises:
        UserError: the design is damaged.
    """
    source = find_source(place)
    return None if source is None else source.host_design()


def _generated(folder: Path) -> Source:
    design = open_design(folder)
    return Source(
        place=folder,
        folder=folder,
        network=None,
        network_sha256=design.network_sha256,
        target=design.board,
        lanes=tuple(layer.lanes for layer in design.layers),
        loadable=design.loadable,
        encoder=design.encoder,
    )


def _made_of(
    place: Path, image: NetworkImage, target: Target, lanes: Sequence[int], *, loadable: bool
) -> Source:
    return Source(
        place=place,
        folder=None,
        network=image,
        network_sha256=network_sha256(image),
        target=target,
        lanes=resolve_lanes(image, lanes),
        loadable=loadable,
    )
