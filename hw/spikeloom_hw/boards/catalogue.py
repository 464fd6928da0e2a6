"""Every board top, by the name of its target."""

from spikeloom_hw.boards.colorlight_i5 import COLORLIGHT_I5
from spikeloom_hw.boards.ecpix5 import ECPIX5_85F
from spikeloom_hw.boards.icebreaker import ICEBREAKER
from spikeloom_hw.boards.icesugar import ICESUGAR
from spikeloom_hw.boards.orangecrab import ORANGECRAB
from spikeloom_hw.boards.top import Board
from spikeloom_hw.boards.ulx3s import ULX3S_25F, ULX3S_85F
from spikeloom_hw.boards.upduino import UPDUINO

BOARDS: dict[str, Board] = {
    "icebreaker": ICEBREAKER,
    "upduino": UPDUINO,
    "icesugar": ICESUGAR,
    "ulx3s-25f": ULX3S_25F,
    "ulx3s-85f": ULX3S_85F,
    "orangecrab": ORANGECRAB,
    "colorlight-i5": COLORLIGHT_I5,
    "ecpix5-85f": ECPIX5_85F,
}
