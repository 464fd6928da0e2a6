"""A network of another framework as read: its equations in real numbers, and its origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from spikeloom import __version__
from spikeloom.encoding import DirectEncoding, Encoding
from spikeloom.errors import UserError
from spikeloom.files import file_sha256
from spikeloom.image import NetworkImage, Provenance
from spikeloom.image.validation import validate_image
from spikeloom.importers.float_graph import FloatGraph
from spikeloom.importers.float_reference import FloatTrace, run_floats
from spikeloom.importers.lowering import lower
from spikeloom.importers.nir import read_nir
from spikeloom.importers.profile import FRAMEWORKS, resolve
from spikeloom.importers.quantise import IntegerNetwork, quantise
from spikeloom.importers.widths import Widths
from spikeloom.provenance import DataIdentity, ImportedFrom, ProfileEntry

__all__ = ["ForeignNetwork", "from_nir"]

BRIGHTEST = 255


@dataclass(frozen=True, kw_only=True, eq=False)
class ForeignNetwork:
    """What another framework computes.

    Attributes:
        floats: populations and connections in real numbers, as the framework runs them.
        origin: file or framework, profile and notes.
    """

    floats: FloatGraph
    origin: ImportedFrom

    def run(self, samples: npt.NDArray[np.number | np.bool_], **options: Any) -> FloatTrace:
        """What it does with samples `[S, T, inputs]`, channels last, in double precision."""
        return run_floats(self.floats, samples, **options)

    @property
    def sends_many(self) -> bool:
        """Whether a neuron may send several spikes in a step, which integers cannot."""
        return any(own.neuron is not None and own.neuron.many for own in self.floats.populations)

    def single(self) -> ForeignNetwork:
        """The same network with one spike a step at most; a note says so."""
        if not self.sends_many:
            return self
        populations = tuple(
            replace(own, neuron=None if own.neuron is None else own.neuron.single())
            for own in self.floats.populations
        )
        entries = tuple(
            ProfileEntry(
                name="spikes",
                value="one",
                origin="assumed",
                why=f"{self.origin.framework} sends as many as fit, and integers one",
            )
            if entry.name == "spikes"
            else entry
            for entry in self.origin.entries
        )
        return ForeignNetwork(
            floats=replace(self.floats, populations=populations),
            origin=msgspec.structs.replace(self.origin, entries=entries),
        )

    def for_code(self, encoding: Encoding) -> ForeignNetwork:
        """The network for inputs as `encoding` makes them.

        Direct values of 0 to 255 stand for 0 to 1, so their weights are divided.
        """
        if not isinstance(encoding, DirectEncoding):
            return self
        connections = tuple(
            replace(own, weight=own.weight / BRIGHTEST)
            if own.source == self.floats.source.name
            else own
            for own in self.floats.connections
        )
        return replace(self, floats=replace(self.floats, connections=connections))

    def integers(
        self,
        widths: Widths,
        *,
        states: Mapping[str, Mapping[str, int]] | None = None,
        highest: int = 1,
    ) -> IntegerNetwork:
        """Its integers; see `spikeloom.importers.quantise`."""
        return quantise(self.floats, widths, states=states, highest=highest)

    def image(
        self,
        network: IntegerNetwork,
        *,
        time_steps: int,
        encoding: Encoding,
        dataset: str = "",
        data: DataIdentity | None = None,
        accuracy: float | None = None,
    ) -> NetworkImage:
        """The network image of integers that `integers` made.

        Raises:
            UserError: the integers make no network; where, and why.
        """
        readout = "count" if network.graph.readout.spiking else "membrane"
        image = NetworkImage(
            graph=network.graph,
            time_steps=time_steps,
            encoding=encoding,
            readout=readout,
            provenance=Provenance(
                dataset=dataset,
                seed=0,
                accuracy_test=accuracy,
                version=__version__,
                data=msgspec.UNSET if data is None else data,
                imported=self.origin,
            ),
        )
        try:
            validate_image(image)
        except UserError as error:
            raise UserError(f"{self.origin.file or self.origin.framework}: {error}") from None
        return image


def from_nir(path: str | Path, *, profile: str, **given: Any) -> ForeignNetwork:
    """The network in a file of NIR.

    Args:
        path: the file.
        profile: the framework whose habits fill what the file leaves open.
        given: entries of the profile that are known, such as `dt=1e-4` or `reset="zero"`.

    Raises:
        UserError: the file, or what it asks for; what, where, and how to mend it.
    """
    path = Path(path)
    if profile not in FRAMEWORKS:
        raise UserError(f"there is no profile {profile!r}: choose from {', '.join(FRAMEWORKS)}")
    graph = read_nir(path)
    found = resolve(graph, profile, given)
    floats = lower(graph, found)
    origin = ImportedFrom(
        format="nir",
        file=path.name,
        sha256=file_sha256(path),
        framework=profile,
        entries=found.entries,
        notes=floats.notes,
    )
    return ForeignNetwork(floats=floats, origin=origin)
