"""How public functions take their arguments: the path first, and a wrong type in one sentence."""

import ast
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikeloom.arithmetic import IntegrateLeak, ShiftLeak, leak
from spikeloom.config import Config
from spikeloom.config.schema import NetworkConfig
from spikeloom.encoding import encode
from spikeloom.files import atomic_write
from spikeloom.image import Layer, NetworkImage, save_image
from spikeloom.nn import build_network
from spikeloom.nn.dynamics.membrane import Neuron
from spikeloom.training import save_checkpoint

ROOT = Path(__file__).parents[2]
WRITERS = re.compile(r"(append|insert|save|write)_\w+|insert|\w+_plot")
NO_LEAK = "leak must be IntegrateLeak(), ShiftLeak(shift=…) or DecayLeak("


def writers():
    """(place, names and annotations of the positional arguments) of each public writer."""
    for folder in ("sw", "hw", "cosim", "benchmarks"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                if not isinstance(node, ast.FunctionDef) or not WRITERS.fullmatch(node.name):
                    continue
                if node.decorator_list:  # a verb: click names its arguments
                    continue
                arguments = [*node.args.posonlyargs, *node.args.args]
                kinds = [ast.unparse(a.annotation) if a.annotation else "" for a in arguments]
                yield pytest.param(kinds, id=f"{file.stem}.{node.name}")


WRITING = list(writers())


def test_writers_are_found():
    assert {"file.save_image", "checkpoint.save_checkpoint", "generate.write_core"} <= {
        case.id for case in WRITING
    }


@pytest.mark.parametrize("kinds", WRITING)
def test_a_path_comes_before_what_is_written(kinds):
    paths = [number for number, kind in enumerate(kinds) if re.search(r"\bPath(Like)?\b", kind)]
    assert not paths or paths[0] == 0


def layer(**changes):
    values = {"name": "a", "leak": IntegrateLeak(), **changes}
    return Layer.from_dense([[1, 2]], **values)


def image(small_image, **changes):
    values = {name: getattr(small_image, name) for name in small_image.__dataclass_fields__}
    return NetworkImage(**{**values, **changes})


# What type checkers would refuse, too: users of a notebook have none.
WRONG: dict[str, Any] = {"number": 0.9, "name": "latency"}
NEURON: dict[str, Any] = {"reset": "subtract", "spiking": True, "membrane_bits": 8}
PIXELS = np.zeros((1, 4), dtype=np.uint8)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        pytest.param(
            lambda net, out: save_image(net, out),
            "path of save_image(path, image) must be str or PathLike, not NetworkImage",
            id="image and path the wrong way round",
        ),
        pytest.param(
            lambda net, out: save_image(out, net.layers),
            "image of save_image(path, image) must be NetworkImage, not tuple",
            id="layers for an image",
        ),
        pytest.param(
            lambda net, out: save_checkpoint(out, net),
            "checkpoint of save_checkpoint(path, checkpoint) must be Checkpoint, not NetworkImage",
            id="an image for a checkpoint",
        ),
        pytest.param(
            lambda net, out: atomic_write("text", out),
            "data of atomic_write(path, data) must be bytes or str, not",
            id="text and path the wrong way round",
        ),
        pytest.param(lambda net, out: layer(leak=0.9), NO_LEAK, id="a number as a layer's leak"),
        pytest.param(
            lambda net, out: Neuron(leak=WRONG["number"], **NEURON),
            "not 0.9; DecayLeak(multiplier=26, fraction_bits=8) keeps 0.9 of a membrane in a step",
            id="a number as a neuron's leak",
        ),
        pytest.param(
            lambda net, out: build_network(
                Config(network=NetworkConfig(leak=WRONG["number"])), inputs=4, classes=2
            ),
            NO_LEAK,
            id="a number as a configuration's leak",
        ),
        pytest.param(
            lambda net, out: leak(np.array([1]), WRONG["number"]), NO_LEAK, id="a number leaks"
        ),
        pytest.param(
            lambda net, out: layer(leak=ShiftLeak), NO_LEAK, id="a class as a layer's leak"
        ),
        pytest.param(
            lambda net, out: encode(WRONG["name"], PIXELS, 4),
            "encoding must be LatencyEncoding or RateEncoding or MultiThresholdEncoding or "
            "DeltaEncoding or FramesEncoding or DirectEncoding, not str",
            id="a name as an encoding",
        ),
        pytest.param(
            lambda net, out: image(net, encoding="latency"),
            "encoding must be LatencyEncoding",
            id="a name as an image's encoding",
        ),
    ],
)
def test_a_wrong_type_is_told_in_one_sentence(small_image, tmp_path, call, says):
    out = tmp_path / "out"
    with pytest.raises(TypeError) as refusal:
        call(small_image, out)
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not out.exists()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        pytest.param(
            lambda net: layer(reset="substract"),
            "reset must be 'subtract' or 'zero', not 'substract'",
            id="a layer's reset",
        ),
        pytest.param(
            lambda net: Neuron(leak=IntegrateLeak(), **{**NEURON, "reset": "sub"}),
            "reset must be 'subtract' or 'zero' or 'value' or 'subtract-late', not 'sub'",
            id="a neuron's reset",
        ),
        pytest.param(
            lambda net: image(net, readout="membrain"),
            "readout must be 'membrane' or 'count', not 'membrain'",
            id="an image's readout",
        ),
    ],
)
def test_a_misspelt_choice_is_not_taken_for_another(small_image, call, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        call(small_image)
