"""Divergences: how far one law is from another, by densities, by duals, or by samples alone."""

from .between_samples import divergence_between_samples
from .f_divergence import (
    NAMED,
    FDivergence,
    alpha_divergence,
    dual,
    gan,
    jeffreys,
    jensen_shannon,
    kl,
    neyman,
    pearson,
    reverse_kl,
    squared_hellinger,
    total_variation,
    weighted_jensen_shannon,
)
from .gaussian import Gaussian, bures, gaussian_of
from .mmd import energy_kernel, gaussian_kernel, inverse_multiquadric, mmd
from .sinkhorn import entropic_transport, sinkhorn_divergence
from .wasserstein import (
    max_sliced_wasserstein,
    sliced_wasserstein,
    wasserstein,
    wasserstein_on_a_line,
)

__all__ = [
    "NAMED",
    "FDivergence",
    "Gaussian",
    "alpha_divergence",
    "bures",
    "divergence_between_samples",
    "dual",
    "energy_kernel",
    "entropic_transport",
    "gan",
    "gaussian_kernel",
    "gaussian_of",
    "inverse_multiquadric",
    "jeffreys",
    "jensen_shannon",
    "kl",
    "max_sliced_wasserstein",
    "mmd",
    "neyman",
    "pearson",
    "reverse_kl",
    "sinkhorn_divergence",
    "sliced_wasserstein",
    "squared_hellinger",
    "total_variation",
    "wasserstein",
    "wasserstein_on_a_line",
    "weighted_jensen_shannon",
]
