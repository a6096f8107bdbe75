"""Noise, data, v, score and velocity: five views of one prediction, converted here and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import Network
from .path import Path, Rates, at

VIEWS = ("noise", "data", "v", "score", "velocity")


def row(what, rates: Rates) -> tuple[Any, Any]:
    """`(a, b)` such that the view is `a x + b z`; a score, which may be infinite, is that of the noise."""
    if not isinstance(what, str):
        return what
    known(what)
    zero, one = 0 * rates.alpha, 1 + 0 * rates.alpha
    return {
        "data": (one, zero),
        "noise": (zero, one),
        "score": (zero, one),
        "v": (-rates.sigma, rates.alpha),
        "velocity": (rates.alpha_dot, rates.sigma_dot),
    }[what]


def known(what: str) -> None:
    if what not in VIEWS:
        raise ValueError(f"path: got the prediction {what!r}, wanted one of {', '.join(VIEWS)}")


def view(rates: Rates, source, target) -> tuple[Any, Any]:
    """`(p, q)` such that the target is `p x_t + q source`.

    With `x_t = alpha x + sigma z`: data x, noise z, v `alpha z - sigma x`, score `-z / sigma`, velocity
    `alpha' x + sigma' z`, or any `a x + b z` given as `(a, b)`. Two of them and x_t have one plane. Not
    finite where x_t and the source do not tell the target, as noise at alpha = 0 does not tell the data.

    Salimans & Ho (2022), arXiv:2202.00512; Song et al. (2021), arXiv:2011.13456.
    """
    if isinstance(target, str) and source == target:
        return 0 * rates.alpha, 1 + 0 * rates.alpha
    (a, b), (c, d) = row(source, rates), row(target, rates)
    area = rates.alpha * b - rates.sigma * a
    p, q = (c * b - d * a) / area, (rates.alpha * d - rates.sigma * c) / area
    if source == "score":
        q = -rates.sigma * q
    return (p / -rates.sigma, q / -rates.sigma) if target == "score" else (p, q)


def view_at(path: Path, t, source: str, target: str) -> tuple[np.ndarray, np.ndarray]:
    """`view` at times that are known, in double precision.

    Raises ValueError where it is singular: noise or score at zero SNR, velocity where a slope is infinite.
    """
    return finite(at(path, t), source, target)


def finite(rates: Rates, source: str, target) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        pair = view(rates, source, target)
    broken = ~(np.isfinite(pair[0]) & np.isfinite(pair[1]))
    if broken.any():
        when = np.broadcast_to(rates.t, broken.shape)[broken].ravel()[0]
        wanted = target if isinstance(target, str) else "drift"
        raise ValueError(
            f"path: at t = {when:g} the {source} and x_t do not tell the {wanted} (alpha or sigma is 0, or "
            "changes too fast there); start or end a little further in, or predict something else"
        )
    return pair


def as_view(network: Network, path: Path, predicts: str, target: str) -> Network:
    """The same parameters, another view: `(x, t, cond) -> target`, of a network that predicts `predicts`."""
    known(predicts)
    known(target)

    def apply(params, x, t, cond=None):
        p, q = view(path.rates(t), predicts, target)
        return p * x + q * network.apply(params, x, t, cond)

    return network if predicts == target else Network(network.init, apply)
