"""Network bodies: no probability here."""

from .attention import SelfAttention
from .conv import Conv, Residual, convnet
from .made import made
from .mlp import mlp
from .norm import GroupNorm

__all__ = ["Conv", "GroupNorm", "Residual", "SelfAttention", "convnet", "made", "mlp"]
