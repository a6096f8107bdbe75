"""Objectives: from a distribution to a player's loss."""

from . import (
    contrastive,
    coupling,
    discrete,
    disentangling,
    divergences,
    flow_map,
    times,
    unified,
    walks,
    weights,
)
from .adversarial import adversarial
from .autoencoding import autoencoding
from .bridge import markovian_fitting
from .contrastive_divergence import contrastive_divergence, persistent_contrast
from .cooperative import cooperative
from .divergences import divergence_between_samples
from .geodesic import geodesic_matching, squared_geodesic
from .importance_weighted import importance_weighted, pathwise
from .interpolant import score_and_flow_matching
from .joint_energy import joint_energy
from .k_means import k_means
from .likelihood import likelihood
from .matching import matching
from .noise_contrastive import (
    conditional_noise_contrastive,
    flow_contrastive,
    noise_contrastive,
    normaliser,
)
from .reverse_kl import reverse_kl
from .scheduled import scheduled
from .score_matching import (
    denoising_score_matching,
    explicit_score_matching,
    finite_difference_score_matching,
    score_matching,
    score_of,
)
from .semi_supervised import classify_codes, semi_supervised
from .straight_through import straight_through

__all__ = [
    "adversarial",
    "autoencoding",
    "classify_codes",
    "conditional_noise_contrastive",
    "contrastive",
    "contrastive_divergence",
    "cooperative",
    "coupling",
    "denoising_score_matching",
    "discrete",
    "disentangling",
    "divergence_between_samples",
    "divergences",
    "explicit_score_matching",
    "finite_difference_score_matching",
    "flow_contrastive",
    "flow_map",
    "geodesic_matching",
    "importance_weighted",
    "joint_energy",
    "k_means",
    "likelihood",
    "markovian_fitting",
    "matching",
    "noise_contrastive",
    "normaliser",
    "pathwise",
    "persistent_contrast",
    "reverse_kl",
    "scheduled",
    "score_and_flow_matching",
    "score_matching",
    "score_of",
    "semi_supervised",
    "squared_geodesic",
    "straight_through",
    "times",
    "unified",
    "walks",
    "weights",
]
