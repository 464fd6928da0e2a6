"""What differs between device families on the way to a bitstream."""

from collections.abc import Mapping
from dataclasses import dataclass

from spikeloom_hw.targets import Target


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family's tools, files and words.

    Attributes:
        synthesis: yosys' command; the top module is `top`.
        placer: the place-and-route tool.
        device: its options that name a device, with `{device}`, `{package}` and `{speed}`.
        constraints: file of pins and clocks.
        constraints_option: how the placer is told of it.
        constraints_words: first words of the lines that belong in it.
        placed: the placed and routed design.
        placed_option: how the placer is told where to write it.
        packer: the tool that makes a bitstream of it.
        packer_arguments: with `{placed}` and `{bitstream}`.
        bitstream: file name of the bitstream.
        preamble: bytes by which the device knows where the bitstream begins.
        resources: the placer's cell types in the field's words; others are of no interest.
    """

    synthesis: str
    placer: str
    device: tuple[str, ...]
    constraints: str
    constraints_option: str
    constraints_words: tuple[str, ...]
    placed: str
    placed_option: str
    packer: str
    packer_arguments: tuple[str, ...]
    bitstream: str
    preamble: bytes
    resources: Mapping[str, str]

    @property
    def tools(self) -> tuple[str, str, str]:
        """Names of the tools, in the order in which they run."""
        return ("yosys", self.placer, self.packer)

    def device_options(self, target: Target) -> tuple[str, ...]:
        """The placer's options that name the device of `target`."""
        names = {"device": target.device, "package": target.package, "speed": target.speed}
        return tuple(word.format(**names) for word in self.device)


_FAMILIES = {
    "ice40": Family(
        # `-device u` lets the mapper weigh paths with the UP5K's own delays.
        synthesis="synth_ice40 -device u -spram -top top",
        placer="nextpnr-ice40",
        device=("--{device}", "--package", "{package}"),
        constraints="top.pcf",
        constraints_option="--pcf",
        constraints_words=("set_io", "set_frequency"),
        placed="top.asc",
        placed_option="--asc",
        packer="icepack",
        packer_arguments=("{placed}", "{bitstream}"),
        bitstream="top.bin",
        preamble=b"\x7e\xaa\x99\x7e",
        resources={
            "ICESTORM_LC": "LC",
            "ICESTORM_RAM": "EBR",
            "ICESTORM_SPRAM": "SPRAM",
            "ICESTORM_DSP": "DSP",
            "SB_IO": "IO",
        },
    ),
    "ecp5": Family(
        synthesis="synth_ecp5 -top top",
        placer="nextpnr-ecp5",
        device=("--{device}", "--package", "{package}", "--speed", "{speed}"),
        constraints="top.lpf",
        constraints_option="--lpf",
        constraints_words=("LOCATE", "IOBUF", "FREQUENCY"),
        placed="top.config",
        placed_option="--textcfg",
        packer="ecppack",
        packer_arguments=("--compress", "--input", "{placed}", "--bit", "{bitstream}"),
        bitstream="top.bit",
        preamble=b"\xff\xff\xbd\xb3",
        resources={
            "TRELLIS_COMB": "LUT4",
            "TRELLIS_FF": "FF",
            "DP16KD": "DP16KD",
            "MULT18X18D": "MULT18X18D",
            "TRELLIS_IO": "IO",
        },
    ),
}


def family(target: Target) -> Family:
    """What is particular to the family of `target`."""
    return _FAMILIES[target.family]
