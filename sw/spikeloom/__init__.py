"""Spiking neural networks from PyTorch to an open FPGA, compared bit for bit.

```python
import spikeloom as sl

run = sl.train(sl.Network(hidden=[64]), "digits", method="rigl", density=0.1, epochs=20)
image = run.export()                  # integers, found equal to torch's in every spike
print(image.evaluate(), image.estimate("icebreaker"))
image.verify(samples=100)             # the Verilog, simulated
image.synth("build", "icebreaker")    # the bitstream
```

Names are loaded when they are first used: torch with `train`, the gateware with what makes it.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from spikeloom.errors import UserError

if TYPE_CHECKING:
    from spikeloom.config import Config
    from spikeloom.config import NetworkConfig as Network
    from spikeloom.config.graph import ConnectionConfig as Connection
    from spikeloom.config.graph import PopulationConfig as Population
    from spikeloom.datasets import Dataset, load_dataset
    from spikeloom.encoding import encode
    from spikeloom.evaluation import Evaluation
    from spikeloom.host import Device
    from spikeloom.image import NetworkImage
    from spikeloom.lineage import load
    from spikeloom.nn import Neuron, SpikingLinear
    from spikeloom.training.modules import export, make_sparse
    from spikeloom.training.session import Run, train

__version__ = version("spikeloom")

_HOMES = {
    "Config": ("spikeloom.config", "Config"),
    "Connection": ("spikeloom.config.graph", "ConnectionConfig"),
    "Dataset": ("spikeloom.datasets", "Dataset"),
    "Device": ("spikeloom.host", "Device"),
    "Evaluation": ("spikeloom.evaluation", "Evaluation"),
    "Network": ("spikeloom.config", "NetworkConfig"),
    "Neuron": ("spikeloom.nn", "Neuron"),
    "SpikingLinear": ("spikeloom.nn", "SpikingLinear"),
    "encode": ("spikeloom.encoding", "encode"),
    "export": ("spikeloom.training.modules", "export"),
    "make_sparse": ("spikeloom.training.modules", "make_sparse"),
    "NetworkImage": ("spikeloom.image", "NetworkImage"),
    "Population": ("spikeloom.config.graph", "PopulationConfig"),
    "Run": ("spikeloom.training.session", "Run"),
    "load": ("spikeloom.lineage", "load"),
    "load_dataset": ("spikeloom.datasets", "load_dataset"),
    "train": ("spikeloom.training.session", "train"),
}

__all__ = [
    "Config",
    "Connection",
    "Dataset",
    "Device",
    "Evaluation",
    "Network",
    "NetworkImage",
    "Neuron",
    "Population",
    "Run",
    "SpikingLinear",
    "UserError",
    "__version__",
    "encode",
    "export",
    "load",
    "load_dataset",
    "make_sparse",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, own = _HOMES[name]
    try:
        found = getattr(import_module(module), own)
    except ModuleNotFoundError as error:
        from spikeloom.extras import missing_module

        if (sentence := missing_module(error)) is None:
            raise
        raise UserError(f"{name}: {sentence}") from None
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
