"""Modes: which of the known peaks of a mixture a sampler reaches, and in what shares."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .frechet import finite


class Modes(NamedTuple):
    """covered: modes with their least share; near: share of samples at any mode; kl: nats."""

    covered: int
    near: float
    kl: float


def modes_covered(x, centres, radius: float, least: float, weights=None) -> Modes:
    """How `x: [n, *event]` falls upon modes at `centres: [modes, *event]`.

    A sample belongs to the nearest centre if that is within `radius`; a mode is covered by a share
    `least` of all samples or more. `kl = KL(shares || weights)` among the samples that are near; weights
    are equal unless given. It is 0 for the right shares and `log modes` for one mode alone; inf if
    no sample is near. An example: 0.1 of the share due, `least=0.1 / modes`.

    Lin et al. (2018), arXiv:1712.04086. Raises ValueError for samples and centres of other shapes.
    """
    x, centres = np.asarray(x), np.asarray(centres)
    if x.shape[1:] != centres.shape[1:] or not len(x) or not radius > 0:
        raise ValueError(
            f"modes_covered: got samples of shape {x.shape}, centres of shape {centres.shape} and radius "
            f"{radius}, wanted examples of one shape and a radius above zero; stack along the first axis"
        )
    x = finite("modes_covered", x.reshape(len(x), -1))
    centres = finite("modes_covered", centres.reshape(len(centres), -1))
    distance = np.stack([np.linalg.norm(x - centre, axis=1) for centre in centres], axis=1)
    nearest = distance.argmin(1)[distance.min(1) <= radius]
    return modes_of(np.bincount(nearest, minlength=len(centres)), least, weights, total=len(x))


def modes_of(counts, least: float, weights=None, total: int | None = None) -> Modes:
    """The same of `counts: [modes]`, say how often a classifier named each class, out of `total` samples."""
    counts = np.asarray(counts, np.float64)
    weights = np.ones_like(counts) if weights is None else np.asarray(weights, np.float64)
    if counts.shape != weights.shape or (weights <= 0).any() or not 0 < least <= 1:
        raise ValueError(
            f"modes_of: got counts of shape {counts.shape}, weights of shape {weights.shape} and least="
            f"{least}, wanted a positive weight a mode and a share in (0, 1]; leave out modes without weight"
        )
    seen = counts.sum()
    total = seen if total is None else total
    if not seen:
        return Modes(0, 0.0, float("inf"))
    share, due = counts / seen, weights / weights.sum()
    hit = share > 0
    kl = (share[hit] * np.log(share[hit] / due[hit])).sum()
    return Modes(int((counts >= least * total).sum()), float(seen / total), float(max(kl, 0.0)))
