"""Where examples come from: prepared sets, files of one's own, and toys whose density is known."""

from .dataset import Data
from .factors import RENDERED, Factors, sprites
from .load import absolute, load
from .order import order
from .prepared import OURS
from .stacked import stacked
from .stream import stream
from .toys import TOYS

__all__ = [
    "OURS",
    "RENDERED",
    "TOYS",
    "Data",
    "Factors",
    "absolute",
    "load",
    "order",
    "sprites",
    "stacked",
    "stream",
]
