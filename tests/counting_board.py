"""A model of a board that counts as one does, at a port called `board`."""

import struct

import numpy as np

from device_model import ModelDevice, ModelLine, model_design
from networks import random_network
from spikeloom.cli import monitor as monitor_module
from spikeloom.cli import run as run_module
from spikeloom.host import device as device_module
from spikeloom.host.failures import PortError

IMAGE = random_network(np.random.default_rng(1), (64, 9, 10))
NAMES = ("cycles", "layer0.operations", "layer1.operations")


class Counting(ModelDevice):
    """A model that counts, as a board does; and `wrong` operations too many."""

    wrong = 0

    def switch_on(self):
        super().switch_on()
        self.operations = np.zeros(2, dtype=np.int64)
        self.cycles = 0

    def run(self):
        events = np.zeros((1, len(self.steps), 64), bool)
        for step, addresses in enumerate(self.steps):
            events[0, step, addresses] = True
        trace = run_module.simulate(self.network(), events)
        super().run()
        self.operations += trace.operations[0] + self.wrong
        self.cycles += 100

    def counters(self, _payload):
        counts = [self.cycles % 2**32, *self.operations.tolist()]
        return 0, bytes(self.counts) + struct.pack("<3I", *counts)


def place(monkeypatch, model, **changes):
    """Put a model of `IMAGE` behind the port; the paths that designs are looked for at."""
    design = model_design(IMAGE, **{"loadable": model.loadable, "count_names": NAMES, **changes})
    asked = []

    def opened(port):
        if port != "board":
            raise PortError(f"there is no port {port}: ports here are board")
        line = ModelLine(model)
        line.name = port
        return line

    def find(path):
        asked.append(path)
        return design

    monkeypatch.setattr(device_module, "open_transport", opened)
    for module in (run_module, monitor_module):
        monkeypatch.setattr(module, "find_design", find)
    return asked
