"""Losses of learned flow maps, X(x, s, t) from one time to another: few calls, and no density."""

from .consistency import consistency, doubling
from .continuous import continuous_consistency
from .mean_flow import mean_flow
from .metric import adaptive, pseudo_huber, squared
from .progressive import progressive
from .reflow import Pair, pairs, reflow
from .shortcut import shortcut
from .teacher import Teacher, teacher_of

__all__ = [
    "Pair",
    "Teacher",
    "adaptive",
    "consistency",
    "continuous_consistency",
    "doubling",
    "mean_flow",
    "pairs",
    "progressive",
    "pseudo_huber",
    "reflow",
    "shortcut",
    "squared",
    "teacher_of",
]
