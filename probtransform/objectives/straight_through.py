"""Learning through a rounding: the gradient at the code is taken for that at what was rounded."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax.lax import stop_gradient

from ..core import Transform, each
from ..core.check import not_negative
from ..distributions.quantised import Quantised
from .k_means import KMeans


def straight_through(
    step: Transform[Any], commitment: float = 0.25, means: KMeans | None = None, name="decoder"
):
    """`-log p(x | e) + n log K + commitment |z - sg(e)|^2`, averaged over a batch: a player's loss, in nats.

    z is the encoder's vector and e that of the nearest symbols, n of K levels. The first two terms are the
    bound under the uniform law of symbols, with q all on the nearest. The decoder sees `z + sg(e - z)`, whose
    value is e and whose gradient goes to z: codes get none of it, nor of the commitment. What moves them is
    `means`, codes to running means, for which the model's carry is `means.init()`.

    q's sharpness, `log_scale` of the quantiser, learns the same bound by symbols drawn from q, whose score is
    weighed by what they gain over the nearest, an estimate without bias. `rebuilt` is the first term alone,
    and `perplexity` the exponential of the entropy of a batch's symbols, K at most, averaged over books.

    van den Oord et al. (2017), arXiv:1711.00937; Bengio et al. (2013), arXiv:1308.3432. Raises ValueError for
    a step that is not `quantised`, a negative commitment, or `means` where there is no book for them.
    """
    way = step.inverse
    if not isinstance(way, Quantised):
        raise ValueError(
            f"straight_through: got a step whose way back is {type(way).__name__}, wanted Quantised; make "
            "it by transforms.quantised"
        )
    not_negative("straight_through", commitment=commitment)
    quantiser = way.quantiser
    if means is not None and quantiser.book is None:
        raise ValueError(
            "straight_through: got running means for a quantiser whose codes are fixed, wanted a `codebook`; "
            "leave `means` out"
        )
    nothing_known = quantiser.symbols * math.log(quantiser.levels)

    def one(params, key, x, cond):
        block = params[name]
        codes = stop_gradient(block["codes"])
        z = way.read(block, x, cond)
        symbols = quantiser.nearest(codes, z)
        e = quantiser.vector(codes, symbols)
        nats = nothing_known - way.log_likelihood(block, z + stop_gradient(e - z), x, cond)
        away = jnp.sum((z - e) ** 2)

        sharp = codes | {"log_scale": block["codes"]["log_scale"]}
        drawn, log_q = quantiser.draw(sharp, key, stop_gradient(z))
        drawn_nats = nothing_known - way.log_likelihood(
            stop_gradient(block), quantiser.vector(codes, drawn), x, cond
        )
        gain = stop_gradient(nats - drawn_nats - log_q)
        score = -gain * (log_q - stop_gradient(log_q))  # zero, but for its gradient
        return nats, away, score, z, symbols

    def loss(params, carry, key, batch):
        draw, restart = jax.random.split(key)
        nats, away, score, z, symbols = each(one, params, draw, batch)
        total = jnp.mean(nats + commitment * away + score)
        metrics = {"rebuilt": nats.mean() - nothing_known, "away": away.mean()}
        depth = 1
        if quantiser.book is not None:
            codes = quantiser.book(params[name]["codes"])
            depth = len(codes)
            if means is not None:
                vectors, chosen = z.reshape(-1, codes.shape[-1]), symbols.reshape(-1, depth)
                pull, carry = means.loss(codes, carry, restart, vectors, chosen)
                total = total + pull
        perplexity = perplexities(symbols.reshape(-1, depth), quantiser.levels).mean()
        return total, (carry, metrics | {"perplexity": perplexity})

    return loss


def perplexities(symbols, levels: int):
    """`exp(-sum_k p_k log p_k)` of the shares of `levels` symbols in each column of `symbols: [n, depth]`."""
    shares = jax.nn.one_hot(symbols, levels).mean(0)
    return jnp.exp(-jax.scipy.special.xlogy(shares, shares).sum(-1))
