"""Network bodies: no probability here."""

from .made import made
from .mlp import mlp

__all__ = ["made", "mlp"]
