"""Transforms: maps from one distribution to another, one kind a file."""

from .affine import affine, affine_of
from .coupling import coupling
from .decoder import decoder
from .flow import flow
from .implicit import implicit
from .invert import invert
from .marginal import marginal, marginal_of
from .onto import onto, quantise, reshape, spread, squash
from .scalar import Scalar, shift, shift_and_scale
from .stacked import stacked

__all__ = [
    "Scalar",
    "affine",
    "affine_of",
    "coupling",
    "decoder",
    "flow",
    "implicit",
    "invert",
    "marginal",
    "marginal_of",
    "onto",
    "quantise",
    "reshape",
    "shift",
    "shift_and_scale",
    "spread",
    "squash",
    "stacked",
]
