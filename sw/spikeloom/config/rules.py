"""Rules between the keys of a configuration, and ranges that the schema does not declare."""

from __future__ import annotations

from spikeloom.arithmetic import IntegrateLeak
from spikeloom.config.schema import Config
from spikeloom.config.shown import shown
from spikeloom.config.wiring import leak_rules
from spikeloom.encoding import (
    DeltaEncoding,
    DirectEncoding,
    FramesEncoding,
    MultiThresholdEncoding,
)
from spikeloom.errors import UserError
from spikeloom.packing import LANES

__all__ = ["check_together"]


def check_together(config: Config, source: str) -> None:
    """Refuse a configuration whose keys contradict one another; `source` names it.

    Raises:
        UserError: table, key, value, and what it has to be.
    """
    sparsity, training = config.sparsity, config.training
    last = sparsity.last_epoch(training.epochs)
    if sparsity.stop_epoch:
        reason = f"stop_epoch = {last}"
    else:
        reason = f"{last}, three quarters of training.epochs = {training.epochs}"
    # Words of one block have as many synapses as there are lanes; those of B blocks take turns.
    banks = LANES if sparsity.blocks > 1 else (0, *LANES, 2 * max(LANES))
    rules = [
        (sparsity.p < sparsity.q, "sparsity", "p", sparsity.p, f"less than q = {sparsity.q}"),
        (
            sparsity.density <= sparsity.initial_density,
            "sparsity",
            "density",
            sparsity.density,
            f"at most initial_density = {sparsity.initial_density}",
        ),
        (
            not sparsity.full_words or bool(config.network.hidden),
            "sparsity",
            "full_words",
            True,
            "false where network.hidden is empty: the last layer keeps the plain balance",
        ),
        (
            config.network.is_graph or not isinstance(config.data.encoding, DirectEncoding),
            "data.encoding",
            "kind",
            "direct",
            "a code of events where the network is a chain; values need a graph",
        ),
        (
            not sparsity.full_words
            or 0 < sparsity.banks * sparsity.blocks <= min(config.network.hidden, default=0),
            "sparsity",
            "banks",
            sparsity.banks,
            "1 to the neurons of the smallest hidden layer where full_words is true, times blocks",
        ),
        (
            sparsity.banks in banks,
            "sparsity",
            "banks",
            sparsity.banks,
            f"one of {', '.join(map(str, banks))}: a core's lanes, or lanes times blocks",
        ),
        (
            sparsity.blocks.bit_count() == 1,
            "sparsity",
            "blocks",
            sparsity.blocks,
            "a power of two, since the packer has no others",
        ),
        (
            sparsity.full_words or sparsity.blocks == 1,
            "sparsity",
            "blocks",
            sparsity.blocks,
            "1 where full_words is false",
        ),
        (
            sparsity.topology != "local"
            or not isinstance(
                config.data.encoding, MultiThresholdEncoding | DeltaEncoding | FramesEncoding
            ),
            "sparsity",
            "topology",
            sparsity.topology,
            "'random' with the multithreshold, delta and frames encodings, whose addresses are no "
            "pixels",
        ),
        (
            config.quantization.scale != "fixed" or not config.quantization.per_channel,
            "quantization",
            "scale",
            config.quantization.scale,
            "'max' or 'learned' where per_channel is true",
        ),
        (
            not config.network.learn_leak or not isinstance(config.network.leak, IntegrateLeak),
            "network.leak",
            "kind",
            "none",
            "'shift' or 'decay' where learn_leak is true",
        ),
        (
            sparsity.stop_rule != "bits" or sparsity.target_bits > 0,
            "sparsity",
            "target_bits",
            sparsity.target_bits,
            "more than 0 where stop_rule is 'bits'",
        ),
        (
            len(sparsity.target_lanes) in (1, len(config.network.hidden) + 1),
            "sparsity",
            "target_lanes",
            sparsity.target_lanes,
            f"one number, or {len(config.network.hidden) + 1}, one a layer",
        ),
        (
            set(sparsity.target_lanes) <= set(LANES),
            "sparsity",
            "target_lanes",
            sparsity.target_lanes,
            f"of {', '.join(map(str, LANES))}, which a core can have",
        ),
        (
            sparsity.stop_rule != "bits" or sparsity.regrow == "none" or sparsity.rho < 1,
            "sparsity",
            "rho",
            sparsity.rho,
            "less than 1 where stop_rule is 'bits', or nothing is ever compressed",
        ),
        (
            sparsity.stop_epoch <= training.epochs,
            "sparsity",
            "stop_epoch",
            sparsity.stop_epoch,
            f"at most training.epochs = {training.epochs}",
        ),
        (
            sparsity.ratio == "none" or max(1, sparsity.start_epoch) <= max(1, last),
            "sparsity",
            "start_epoch",
            sparsity.start_epoch,
            f"at most {reason}, or nothing is ever rewired",
        ),
        (
            sparsity.ratio == "none" or last > 0,
            "training",
            "epochs",
            training.epochs,
            "at least 2, or nothing is ever rewired",
        ),
    ]
    for key, leak in (
        ("leak", config.network.leak),
        ("readout_leak", config.network.readout_leak),
    ):
        rules += leak_rules(f"network.{key}", leak)
    for holds, table, key, value, allowed in rules:
        if not holds:
            raise UserError(
                f"{source}: table [{table}]: {key} is {shown(value)}, but it must be {allowed}"
            )
