"""Transforms: maps from one distribution to another, one kind a file."""

from .actnorm import actnorm, actnorm_of
from .affine import affine, affine_of
from .bisection import solve_increasing
from .block_autoregressive import block_autoregressive
from .codebook import codebook
from .compose import compose
from .conditioned import conditioned
from .coupling import coupling, half_coupling
from .cut import cut
from .decoder import decoder
from .denoising_chain import denoising_chain
from .dequantise import dequantise
from .exact_sampler import exact_sampler
from .finite_scalar import finite_scalar
from .flow import flow
from .flow_map import flow_map, renoised
from .geodesic_flow import geodesic_flow
from .householder import householder
from .implicit import implicit
from .invert import invert
from .jacobi import jacobi
from .jump_chain import jump_chain
from .ladder import Rung, ladder
from .lu import lu, lu_of, pointwise
from .marginal import marginal, marginal_of
from .masked_autoregressive import masked_autoregressive
from .monotone import monotone
from .onto import onto, quantise, reshape, spread, squash
from .permute import permute
from .planar import planar
from .probability_flow import probability_flow
from .quantised import quantised
from .radial import radial
from .residual import residual
from .reversible import reversible
from .sampler import sampler
from .scalar import Scalar, entrywise, shift, shift_and_scale
from .spline import rational_quadratic
from .spline_circular import circular
from .spline_linear import piecewise_linear
from .spline_quadratic import piecewise_quadratic
from .squeeze import split, squeeze
from .stacked import stacked
from .sylvester import sylvester
from .trace import Trace, hutch_plus_plus, hutchinson
from .unwrap import unwrap

__all__ = [
    "Rung",
    "Scalar",
    "Trace",
    "actnorm",
    "actnorm_of",
    "affine",
    "affine_of",
    "block_autoregressive",
    "circular",
    "codebook",
    "compose",
    "conditioned",
    "coupling",
    "cut",
    "decoder",
    "denoising_chain",
    "dequantise",
    "entrywise",
    "exact_sampler",
    "finite_scalar",
    "flow",
    "flow_map",
    "geodesic_flow",
    "half_coupling",
    "householder",
    "hutch_plus_plus",
    "hutchinson",
    "implicit",
    "invert",
    "jacobi",
    "jump_chain",
    "ladder",
    "lu",
    "lu_of",
    "marginal",
    "marginal_of",
    "masked_autoregressive",
    "monotone",
    "onto",
    "permute",
    "piecewise_linear",
    "piecewise_quadratic",
    "planar",
    "pointwise",
    "probability_flow",
    "quantise",
    "quantised",
    "radial",
    "rational_quadratic",
    "renoised",
    "reshape",
    "residual",
    "reversible",
    "sampler",
    "shift",
    "shift_and_scale",
    "solve_increasing",
    "split",
    "spread",
    "squash",
    "squeeze",
    "stacked",
    "sylvester",
    "unwrap",
]
