"""The NetworkImage: a graph of populations and connections, with the code of its inputs."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Self, get_args

from spikeloom.encoding import Encoding, SampleCode, check_encoding, encoding_pixels
from spikeloom.errors import UserError, check_choice
from spikeloom.image.chain import as_layer, chain_graph, obstacle
from spikeloom.image.graph import Graph
from spikeloom.image.layer import Layer
from spikeloom.image.provenance import Provenance
from spikeloom.image.verbs import Verbs

Readout = Literal["membrane", "count"]


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkImage(Verbs):
    """A trained network as integers: all that the hardware needs and nothing else.

    Attributes:
        graph: its populations and connections.
        time_steps: T, steps a sample takes.
        encoding: how a frame becomes events.
        readout: "membrane" takes the argmax of the last population's membranes after the last
            step; "count" the argmax of its spike counts. A tie goes to the lowest index.
        provenance: where it comes from.
    """

    graph: Graph
    time_steps: int
    encoding: Encoding
    readout: Readout
    provenance: Provenance

    def __post_init__(self) -> None:
        check_encoding(self.encoding)
        check_choice("readout", self.readout, get_args(Readout))

    @classmethod
    def chain(
        cls,
        *,
        layers: Sequence[Layer],
        time_steps: int,
        encoding: Encoding,
        readout: Readout,
        provenance: Provenance,
    ) -> Self:
        """The network of fully connected layers, each driven by the one before."""
        return cls(
            graph=chain_graph(layers),
            time_steps=time_steps,
            encoding=encoding,
            readout=readout,
            provenance=provenance,
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network's file, whole or not at all.

        Raises:
            UserError: the place cannot be written.
        """
        # The file's writer knows this class.
        from spikeloom.image.file import save_image

        save_image(path, self)

    @property
    def is_chain(self) -> bool:
        """Whether it is fully connected layers, one behind another, as the chain core runs them."""
        return obstacle(self.graph) is None

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of a chain, in order; a layer's inputs are the neurons of the one before.

        Raises:
            UserError: the network is no chain.
        """
        reason = obstacle(self.graph)
        if reason is not None:
            raise UserError(
                f"this network is no chain of fully connected layers ({reason}), and the chain "
                "core runs nothing else: evaluate it in integers with spikeloom evaluate"
            )
        return tuple(
            as_layer(population, self.graph.incoming[population.name][0])
            for population in self.graph.populations[1:]
        )

    def with_layers(self, layers: Sequence[Layer]) -> Self:
        """The chain of other layers, all else as it is."""
        return replace(self, graph=chain_graph(layers))

    @property
    def inputs(self) -> int:
        """Neurons of the input."""
        return self.graph.source.neurons

    @property
    def outputs(self) -> int:
        """Neurons that are read out."""
        return self.graph.readout.neurons

    @property
    def sample_code(self) -> SampleCode:
        """How its samples become events."""
        return SampleCode(
            encoding=self.encoding,
            values=encoding_pixels(self.encoding, self.inputs, self.time_steps),
            time_steps=self.time_steps,
        )

    @property
    def synapses(self) -> int:
        """Weights that are not 0."""
        return self.graph.synapses

    @property
    def density(self) -> float:
        """Synapses as a fraction of all the weights that there could be."""
        return self.graph.synapses / max(1, self.graph.places)

    @property
    def weight_bits(self) -> int:
        """The signed width of the widest weights."""
        return max(connection.weight_bits for connection in self.graph.connections)

    @property
    def shape(self) -> Sequence[int]:
        """Neurons of every population, the inputs first."""
        return [population.neurons for population in self.graph.populations]
