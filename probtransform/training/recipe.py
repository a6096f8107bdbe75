"""How a run is trained: the numbers worth sweeping, and the optax chain they stand for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import optax

from .average import average


@dataclass(frozen=True)
class Recipe:
    """steps: updates.  batch: examples an update.  rate: peak learning rate.  weight_decay: AdamW's.
    average: decay of the parameter average.  clip: largest global norm of a gradient.
    momentum: Adam's first decay; 0 where the slopes of players turn around one another."""

    steps: int = 2000
    batch: int = 128
    rate: float = 1e-3
    weight_decay: float = 0.0
    average: float = 0.99
    clip: float = 1.0
    momentum: float = 0.9

    def __post_init__(self):
        wrong = {
            "steps": self.steps < 0,
            "batch": self.batch < 1,
            "rate": not 0 < self.rate < math.inf,
            "weight_decay": not 0 <= self.weight_decay < math.inf,
            "average": not 0 <= self.average < 1,
            "clip": not self.clip > 0,
            "momentum": not 0 <= self.momentum < 1,
        }
        if bad := [name for name, is_wrong in wrong.items() if is_wrong]:
            got = ", ".join(f"{name}={getattr(self, name)}" for name in bad)
            raise ValueError(
                f"recipe: got {got}, wanted steps >= 0, batch >= 1, finite rate > 0 and weight_decay >= 0, "
                "clip > 0 and average and momentum in [0, 1); change it"
            )


def optimizer(recipe: Recipe) -> optax.GradientTransformation:
    """Clipped AdamW under a short linear warm-up and a cosine to zero, then the average.

    Loshchilov & Hutter (2017), arXiv:1711.05101.
    """
    warm = min(100, recipe.steps // 10)
    schedule = optax.warmup_cosine_decay_schedule(
        0.0 if warm else recipe.rate, recipe.rate, warm, max(recipe.steps, warm + 1)
    )
    return optax.chain(
        optax.clip_by_global_norm(recipe.clip),
        optax.adamw(schedule, b1=recipe.momentum, weight_decay=recipe.weight_decay),
        average(recipe.average),
    )
