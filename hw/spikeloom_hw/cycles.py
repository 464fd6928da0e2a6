"""The exact cycles of a core on real samples."""

from collections.abc import Callable, Sequence

from spikeloom.cycle_statistics import CycleStatistics, count_cycles
from spikeloom.datasets import Split
from spikeloom.image import NetworkImage
from spikeloom.packing import pack_network
from spikeloom_hw.core.build import core_params
from spikeloom_hw.targets import Target


def core_cycles(
    image: NetworkImage,
    split: Split,
    *,
    target: Target,
    lanes: Sequence[int],
    loadable: bool = False,
    done: Callable[[int], object] = lambda _: None,
) -> CycleStatistics:
    """Cycles of every sample of ``split`` in the core that is built for ``target``.

    Args:
        image: the network.
        split: of two samples or more.
        target: the device.
        lanes: of each layer.
        loadable: the host fills the memories.
        done: is told of each batch how many samples it had.

    Raises:
        UserError: ``loadable``, and the network has a threshold or a bias for each neuron.
    """
    packed = pack_network(image, lanes)
    core = core_params(image, target=target, lanes=lanes, loadable=loadable, packed=packed)
    overlapped = [layer.overlapped for layer in core.layers]
    return count_cycles(image, split, packed, overlapped=overlapped, done=done)
