"""What a run's TOML may say: tables, keys, types, ranges and defaults."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from spikeloom.arithmetic import IntegrateLeak, Leak, Reset, ShiftLeak
from spikeloom.config.graph import ConnectionConfig, PopulationConfig
from spikeloom.config.presets import resnet, vgg
from spikeloom.encoding import Encoding, LatencyEncoding
from spikeloom.provenance import DataSource

__all__ = [
    "Config",
    "DataConfig",
    "NetworkConfig",
    "QuantizationConfig",
    "SparsityConfig",
    "TrainingConfig",
]

Positive = Annotated[float, Meta(gt=0)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Density = Annotated[float, Meta(gt=0, le=1)]
Count = Annotated[int, Meta(ge=0)]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A TOML table: every key has a default, and no other key is taken."""


class DataConfig(DataSource, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the samples come from (see `DataSource`) and how they become events.

    Attributes:
        time_steps: T, steps of a sample.
        encoding: the code that makes events of values.
    """

    time_steps: Annotated[int, Meta(ge=1, le=256)] = 8
    encoding: Encoding = msgspec.field(default_factory=LatencyEncoding)

    @property
    def samples(self) -> DataSource:
        """The part of it that says which samples."""
        return DataSource(**{name: getattr(self, name) for name in DataSource.__struct_fields__})


class NetworkConfig(_Table, frozen=True):
    """Layers of neurons.

    Attributes:
        hidden: neurons of each hidden layer.
        leak, reset: of the hidden neurons (and of the output's, when it spikes).
        membrane_bits: signed width of hidden membranes.
        readout: "membrane" (the last layer integrates) or "count" (it spikes).
        readout_leak: leak of the last layer, when it integrates.
        readout_membrane_bits: signed width of the last layer's membranes.
        bias: whether neurons have an integer bias, added each step.
        threshold: real threshold of spiking neurons, in units of the real weights.
        learn_threshold: train the threshold of each spiking "layer" or "neuron", from there.
        learn_leak: train the leak of each spiking layer, from `leak`, of whose kind it stays.
        preset: "vgg" or "resnet" make a graph of `stages` and `hidden`; see
            `spikeloom.config.presets`.
        stages: widths of the preset's convolutions or blocks, stage by stage.
        pooling: of a preset, "sum" or "max".
        populations, connections: a graph; `hidden` is then without meaning.
        batch_norm: of a graph's hidden populations.
        fraction_bits: of a graph: bits to the left that all sums are moved by, so that leaks and
            thresholds are rounded more finely.
    """

    hidden: Annotated[list[Annotated[int, Meta(ge=1, le=16384)]], Meta(max_length=16)] = (
        msgspec.field(default_factory=lambda: [128])
    )
    leak: Leak = msgspec.field(default_factory=lambda: ShiftLeak(shift=3))
    reset: Reset = "subtract"
    membrane_bits: Annotated[int, Meta(ge=4, le=20)] = 10
    readout: Literal["membrane", "count"] = "membrane"
    readout_leak: Leak = msgspec.field(default_factory=IntegrateLeak)
    readout_membrane_bits: Annotated[int, Meta(ge=4, le=20)] = 10
    bias: bool = False
    threshold: Positive = 1.0
    learn_threshold: Literal["none", "layer", "neuron"] = "none"
    learn_leak: bool = False
    preset: Literal["", "vgg", "resnet"] = ""
    stages: list[Annotated[list[Annotated[int, Meta(ge=1)]], Meta(min_length=1)]] = msgspec.field(
        default_factory=list
    )
    pooling: Literal["sum", "max"] = "sum"
    populations: list[PopulationConfig] = msgspec.field(default_factory=list)
    connections: list[ConnectionConfig] = msgspec.field(default_factory=list)
    batch_norm: bool = True
    fraction_bits: Annotated[int, Meta(ge=0, le=8)] = 0

    @property
    def is_graph(self) -> bool:
        """Whether it is a graph, and not a chain of fully connected layers."""
        return bool(self.preset or self.populations)

    def tables(self) -> tuple[list[PopulationConfig], list[ConnectionConfig]]:
        """The graph's populations and connections, those of a preset written out."""
        match self.preset:
            case "vgg":
                return vgg(self.stages, self.hidden, self.pooling)
            case "resnet":
                return resnet(self.stages, self.hidden, self.pooling)
            case _:
                return self.populations, self.connections


class QuantizationConfig(_Table, frozen=True):
    """Integer weights, by Brevitas.

    Attributes:
        weight_bits: signed width, narrow range: -(2^(b-1) - 1) ... 2^(b-1) - 1.
        scale: of a layer's integers: "fixed" (the largest integer is `limit` thresholds, which
            keeps the integer threshold still in training), "max" (it is the layer's largest
            magnitude) or "learned" (a parameter, begun there).
        limit: for "fixed", in units of the threshold.
        per_channel: each spiking neuron has a scale of its own, and so an integer threshold of its
            own; for "max" and "learned". A readout by membrane keeps one: its neurons are compared.
    """

    weight_bits: Annotated[int, Meta(ge=2, le=8)] = 4
    scale: Literal["fixed", "max", "learned"] = "fixed"
    limit: Positive = 0.5
    per_channel: bool = False


class SparsityConfig(_Table, frozen=True):
    """The mask of synapses: where it starts, and how rewiring moves it.

    Attributes:
        method: a named combination of the keys below (`spikeloom.config.methods`), which keys given
            beside it override; "custom" stands for none.
        initial_density: synapses / dense synapses at the start, all layers together.
        distribution: how layers share it: "erdos-renyi" or "erk" (more to small layers; they differ
            for convolutions) or "uniform".
        topology: "random", or "local": the first layer's neurons begin with receptive fields,
            patches around a centre of their own, on data of square images with an address a pixel.
        density: where compression stops.
        readout_density: the last layer is not compressed below it, nor rewired there.
        ratio: what sets the fraction to prune: the PQ index of each layer ("pq-layer"), of each
            neuron ("pq-neuron"), of the network ("pq-global"), or `fraction` of each layer
            ("constant") or of the network ("constant-global"); "none" never rewires.
        index_on: what the index is taken of: the weights' "magnitude" or their "drive", magnitude
            times the mean spikes a step of the presynaptic neuron.
        shrinkage: for "pq-neuron", synapses of the layer's index that a neuron's own is mixed with.
        p, q, eta, gamma, beta: of the PQ index's bound.
        fraction: pruned at each rewiring when the ratio is constant.
        score: what is pruned first, the smallest "magnitude" or the smallest "drive".
        rho: regrown / pruned while compressing; at `density` it is 1.
        start_epoch: epochs of ordinary training before the first rewiring (stage 1).
        every_epochs: epochs between rewirings (stage 2).
        stop_epoch: no rewiring from this epoch on; 0 means three quarters of all epochs.
        stop_rule: compression ends at `density`, or already where the index of the network has
            turned ("turn"): its lowest value lies `patience` rewirings back; or, whatever the
            density, where the packed network takes `target_bits` ("bits"), and nothing is rewired
            from then on.
        target_bits, target_lanes: for "bits"; lanes of each layer, or one number for all.
        patience: see `stop_rule`.
        decay: the pruned fraction falls with rewirings ("cosine") or not ("none").
        regrow: what ranks absent synapses: "momentum" or "gradient" of the loss, "random", or
            "none": what is pruned is gone.
        rewind: after pruning, weights return to their initial values and training starts again.
        banks: each presynaptic row spreads its synapses evenly over this many membrane banks, so
            that a core with as many lanes reads full words; 0 leaves them where they are.
        full_words: each presynaptic row has equally many synapses in each bank, so that no word has
            an empty slot: what is pruned and regrown is whole words. The last layer, which has few
            neurons, keeps the plain balance.
        blocks: for `full_words`, interleaved blocks of a bank's addresses: a row's words take turns
            among them, and an index names a place within a block, so that it is shorter.
        exempt: connections of a graph, by name, that stay dense and are never rewired; the density
            is that of the others.
        nonzero: from the last rewiring on, active weights do not end an epoch quantised to 0, so
            that every active place is a synapse; `banks` and `stop_rule` "bits" imply it.
    """

    method: Literal[
        "custom",
        "dense",
        "static",
        "set",
        "rigl",
        "esl",
        "sap",
        "one-shot",
        "iterative",
        "pq-layer",
        "pq-neuron",
        "pq-global",
        "pq-spike",
    ] = "custom"
    initial_density: Density = 0.5
    distribution: Literal["erdos-renyi", "erk", "uniform"] = "erdos-renyi"
    topology: Literal["random", "local"] = "random"
    density: Density = 0.2
    readout_density: Fraction = 0.0
    ratio: Literal["pq-layer", "pq-neuron", "pq-global", "constant", "constant-global", "none"] = (
        "pq-layer"
    )
    index_on: Literal["magnitude", "drive"] = "magnitude"
    shrinkage: Annotated[float, Meta(ge=0)] = 0.0
    p: Positive = 0.5
    q: Positive = 1.0
    eta: Annotated[float, Meta(ge=0)] = 0.001
    gamma: Positive = 1.0
    beta: Annotated[float, Meta(gt=0, lt=1)] = 0.9
    fraction: Annotated[float, Meta(gt=0, le=1)] = 0.15
    score: Literal["magnitude", "drive"] = "magnitude"
    rho: Fraction = 0.3
    start_epoch: Count = 10
    every_epochs: Annotated[int, Meta(ge=1)] = 2
    stop_epoch: Count = 0
    stop_rule: Literal["density", "turn", "bits"] = "density"
    target_bits: Count = 0
    target_lanes: Annotated[list[Annotated[int, Meta(ge=1, le=32)]], Meta(min_length=1)] = (
        msgspec.field(default_factory=lambda: [8])
    )
    patience: Annotated[int, Meta(ge=1)] = 2
    decay: Literal["none", "cosine"] = "none"
    regrow: Literal["momentum", "gradient", "random", "none"] = "momentum"
    rewind: bool = False
    banks: Annotated[int, Meta(ge=0, le=64)] = 0
    full_words: bool = False
    blocks: Annotated[int, Meta(ge=1, le=64)] = 1
    nonzero: bool = False
    exempt: list[str] = msgspec.field(default_factory=list)

    def last_epoch(self, epochs: int) -> int:
        """The last epoch after which rewiring may be due, in a run of `epochs`."""
        return self.stop_epoch or 3 * epochs // 4


class TrainingConfig(_Table, frozen=True):
    """Optimisation.

    Attributes:
        epochs, batch_size, learning_rate, seed: as ever.
        optimizer: "adamw" or "sgd" (Nesterov momentum 0.9).
        schedule: of the learning rate over all epochs.
        weight_decay: decoupled for adamw.
        label_smoothing: share of the target spread over all classes.
        shift: largest random displacement of a training image in pixels, each way; fractions
            interpolate.
        rotation: largest random turn of a training image in degrees, each way.
        zoom: largest random change of a training image's size, as a logarithm, each way.
        elastic: standard deviation of random displacements of a training image's parts in pixels:
            of the knots of a coarse grid, between which the image follows.
        noise: standard deviation of random levels (0 ... 255) added to the ink of training images.
        dropout: share of a hidden layer's neurons that are silenced for a training sample.
        activity: weight of the mean spikes a hidden neuron and sample in the loss.
        surrogate: derivative that stands in for the spike's.
        surrogate_width: half width of it, in units of the threshold.
        gain: initial weights are normal with deviation gain * threshold / sqrt(active fan-in).
        threads: of torch; 0 leaves it alone. Results repeat exactly for one seed and number of
            threads.
        portable: take kernels whose sums have the same bits on every x86-64 processor with AVX2, so
            that a run repeats on another machine; a step takes up to half as long again.
        device: "auto" takes a GPU when there is one.
        checkpoint_seconds: within an epoch the run is saved this often; 0 is after every batch.
            Changes nothing in what is computed.
    """

    epochs: Annotated[int, Meta(ge=1)] = 60
    batch_size: Annotated[int, Meta(ge=1)] = 64
    learning_rate: Positive = 5e-3
    seed: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 0
    optimizer: Literal["adamw", "sgd"] = "adamw"
    schedule: Literal["cosine", "constant"] = "cosine"
    weight_decay: Annotated[float, Meta(ge=0)] = 0.0
    label_smoothing: Annotated[float, Meta(ge=0, lt=1)] = 0.1
    shift: Annotated[float, Meta(ge=0, le=4)] = 0.0
    rotation: Annotated[float, Meta(ge=0, le=180)] = 0.0
    zoom: Annotated[float, Meta(ge=0, le=1)] = 0.0
    elastic: Annotated[float, Meta(ge=0, le=4)] = 0.0
    noise: Annotated[float, Meta(ge=0, le=128)] = 0.0
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    activity: Annotated[float, Meta(ge=0)] = 0.0
    surrogate: Literal["rectangle", "triangle", "fast-sigmoid"] = "triangle"
    surrogate_width: Positive = 1.0
    gain: Positive = 1.5
    threads: Annotated[int, Meta(ge=0, le=256)] = 1
    portable: bool = False
    device: Literal["auto", "cpu", "cuda"] = "auto"
    checkpoint_seconds: Annotated[float, Meta(ge=0)] = 5.0


class Config(_Table, frozen=True):
    """One run: data, network, integers, sparsity, training."""

    data: DataConfig = msgspec.field(default_factory=DataConfig)
    network: NetworkConfig = msgspec.field(default_factory=NetworkConfig)
    quantization: QuantizationConfig = msgspec.field(default_factory=QuantizationConfig)
    sparsity: SparsityConfig = msgspec.field(default_factory=SparsityConfig)
    training: TrainingConfig = msgspec.field(default_factory=TrainingConfig)
