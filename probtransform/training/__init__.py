"""Training: the one step, the one loop, and what a run leaves on disk."""

from .average import Average, average, averaged
from .checkpoint import Checkpoints, checkpoints
from .fit import Fitted, fit
from .learner import Learner, State, learner
from .recipe import Recipe, optimizer

__all__ = [
    "Average",
    "Checkpoints",
    "Fitted",
    "Learner",
    "Recipe",
    "State",
    "average",
    "averaged",
    "checkpoints",
    "fit",
    "learner",
    "optimizer",
]
