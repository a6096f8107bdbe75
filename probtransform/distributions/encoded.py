"""The way back through an encoder, with the parts of its weight apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..core import Bound


@dataclass(frozen=True)
class Encoded(Bound):
    """The `Bound` of a decoder with an encoder `q(z|x) = N(mean, diag exp(2 log_scale))`.

    Its `fn(params, key, x, cond)` draws z from q and gives `(z, log p(x|z) - log q(z|x))`. Objectives that
    weigh the parts of the bound anew read them here; `params` are those of the step's own block.

    posterior:      `(params, x, cond) -> (mean, log_scale)` of q, `f32[k]` each.
    log_likelihood: `(params, z, x, cond) -> log p(x|z)`, in nats.

    Kingma & Welling (2013), arXiv:1312.6114.
    """

    posterior: Callable[..., Any]
    log_likelihood: Callable[..., Any]
