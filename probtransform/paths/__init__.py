"""Paths between base (t = 0) and data (t = 1)."""

from . import discrete
from .change import retimed, shift
from .flow_map import as_flow_map, straight
from .gaussian import cosine, edm, exploding, linear, log_linear, sub_vp, trigonometric, ve, vp
from .geodesic import Geodesic
from .interpolant import Interpolant, blurred, brownian, drift
from .manifold import Manifold, euclidean, product, torus
from .path import Path, Rates, at, time_of
from .preconditioned import preconditioned
from .sphere import simplex, so3, sphere
from .views import VIEWS, as_view, view, view_at

__all__ = [
    "VIEWS",
    "Geodesic",
    "Interpolant",
    "Manifold",
    "Path",
    "Rates",
    "as_flow_map",
    "as_view",
    "at",
    "blurred",
    "brownian",
    "cosine",
    "discrete",
    "drift",
    "edm",
    "euclidean",
    "exploding",
    "linear",
    "log_linear",
    "preconditioned",
    "product",
    "retimed",
    "shift",
    "simplex",
    "so3",
    "sphere",
    "straight",
    "sub_vp",
    "time_of",
    "torus",
    "trigonometric",
    "ve",
    "view",
    "view_at",
    "vp",
]
