"""What a trained model is worth: bits per dimension, and distances between samples."""

from . import disentanglement
from .annealed import Sandwich, annealed, sandwich
from .bits import Bits, bits_per_dim
from .calibration import expected_calibration_error
from .distances import bandwidths, mmd, sliced_wasserstein
from .energy_distance import energy_distance
from .frechet import Moments, frechet_distance, frechet_infinity, merge, moments
from .importance import importance
from .inception_score import inception_score
from .kernel_distance import kernel_distance
from .latent_importance import latent_importance
from .latent_sandwich import latent_sandwich
from .machine_sandwich import machine_sandwich
from .manifold import precision_recall
from .measure import as_reals, evaluate, floors
from .memorisation import authenticity, memorisation
from .modes import modes_covered, modes_of
from .probe import linear_probe, neighbour_accuracy
from .reweighted import Reweighted, reweighted
from .seeds import over_seeds
from .settled import settled
from .transport import sinkhorn_divergence, wasserstein
from .two_sample import classifier_two_sample

__all__ = [
    "Bits",
    "Moments",
    "Reweighted",
    "Sandwich",
    "annealed",
    "as_reals",
    "authenticity",
    "bandwidths",
    "bits_per_dim",
    "classifier_two_sample",
    "disentanglement",
    "energy_distance",
    "evaluate",
    "expected_calibration_error",
    "floors",
    "frechet_distance",
    "frechet_infinity",
    "importance",
    "inception_score",
    "kernel_distance",
    "latent_importance",
    "latent_sandwich",
    "linear_probe",
    "machine_sandwich",
    "memorisation",
    "merge",
    "mmd",
    "modes_covered",
    "modes_of",
    "moments",
    "neighbour_accuracy",
    "over_seeds",
    "precision_recall",
    "reweighted",
    "sandwich",
    "settled",
    "sinkhorn_divergence",
    "sliced_wasserstein",
    "wasserstein",
]
