"""Where examples come from: prepared sets, files of one's own, and toys whose density is known."""

from .dataset import Data
from .load import absolute, load
from .order import order
from .prepared import OURS
from .stream import stream
from .toys import TOYS

__all__ = ["OURS", "TOYS", "Data", "absolute", "load", "order", "stream"]
