"""What a trained model is worth: bits per dimension, and distances between samples."""

from .bits import Bits, bits_per_dim
from .distances import bandwidths, mmd, sliced_wasserstein
from .importance import importance
from .measure import as_reals, evaluate

__all__ = [
    "Bits",
    "as_reals",
    "bandwidths",
    "bits_per_dim",
    "evaluate",
    "importance",
    "mmd",
    "sliced_wasserstein",
]
