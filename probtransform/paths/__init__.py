"""Paths between base (t = 0) and data (t = 1)."""

from .change import retimed, shift
from .gaussian import cosine, edm, exploding, linear, sub_vp, trigonometric, ve, vp
from .path import Path, Rates, at, time_of
from .views import VIEWS, as_view, view, view_at

__all__ = [
    "VIEWS",
    "Path",
    "Rates",
    "as_view",
    "at",
    "cosine",
    "edm",
    "exploding",
    "linear",
    "retimed",
    "shift",
    "sub_vp",
    "time_of",
    "trigonometric",
    "ve",
    "view",
    "view_at",
    "vp",
]
