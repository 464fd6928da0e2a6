"""The core that is built of a network for a target."""

from collections.abc import Sequence

from spikeloom.image import NetworkImage
from spikeloom.packing import SynapseWords, pack_network
from spikeloom_hw.core.loading import make_loadable
from spikeloom_hw.core.params import CoreParams
from spikeloom_hw.targets import Target


def core_params(
    image: NetworkImage,
    *,
    target: Target,
    lanes: Sequence[int],
    loadable: bool = False,
    packed: Sequence[SynapseWords] | None = None,
) -> CoreParams:
    """The core for ``image`` as it is built for ``target``; observers' ports are brought out.

    Args:
        image: the network.
        target: the device.
        lanes: of each layer.
        loadable: the host fills the memories.
        packed: the layers, if they have been packed with these lanes before.

    Raises:
        UserError: ``loadable``, and the network has a threshold or a bias for each neuron.
    """
    core = CoreParams.from_packed(
        image,
        pack_network(image, lanes) if packed is None else packed,
        trace=True,
        counters=True,
        distributed_depth=target.distributed_depth,
    )
    return make_loadable(core, single_ports=target.sprams) if loadable else core
