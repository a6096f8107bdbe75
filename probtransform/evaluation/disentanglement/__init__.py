"""Disentanglement: whether each code of a representation answers to one known factor of variation.

`codes: [n, k]` are representations of n examples, usually the means of an encoder, and `factors: [n, f]` the
values of f factors, integers from zero, of the same examples.
"""

from .dci import DCI, completeness, dci, disentanglement
from .fixed_factor import beta_vae_score, factor_vae_score
from .information import discretised, mig, modularity, mutual_information
from .interventional import irs
from .sap import sap
from .scores import scores

__all__ = [
    "DCI",
    "beta_vae_score",
    "completeness",
    "dci",
    "discretised",
    "disentanglement",
    "factor_vae_score",
    "irs",
    "mig",
    "modularity",
    "mutual_information",
    "sap",
    "scores",
]
