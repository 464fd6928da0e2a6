"""Does a design's folder hold what it says, and of the network that one thinks?"""

from pathlib import Path

from spikeloom.errors import UserError
from spikeloom.image import NetworkImage
from spikeloom.image.file import image_sha256
from spikeloom_hw.generate import Design, load_design


def check_design(directory: Path, *, image: NetworkImage, network: Path) -> Design:
    """The description of a design that was generated from a network.

    Args:
        directory: the design's folder.
        image: the network.
        network: where it lies, for the message.

    Raises:
        UserError: the folder has no description, a damaged one, or that of another network.
    """
    design = load_design(directory)
    if design.network_sha256 != image_sha256(image):
        raise UserError(
            f"{directory} was generated from another network than {network}; "
            "name the network it was generated from"
        )
    return design
