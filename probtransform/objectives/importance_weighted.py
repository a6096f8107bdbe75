"""Importance weighting: the bound of several draws as a loss, and sharp gradients for the encoder."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax.lax import stop_gradient
from jax.scipy.stats import norm

from ..core import Batch, Bound, Distribution, Exact, Transform, each
from ..core.check import positive
from ..distributions.encoded import Encoded


def importance_weighted(distribution: Distribution[Bound], samples: int):
    """`-mean log (1/k) sum_i exp fn(params, key_i, x, cond)` over k = `samples` draws: a player's loss.

    In nats, of any bound with `E exp fn <= p(x)`, as where weights are ratios of densities. The estimated
    trace of an ODE has only `E fn <= log p(x)`: several draws may come out above log p, and the claim does
    not tell; take the exact trace there. One sample is `likelihood`. The gradient weighs each draw's own by
    its share, `w_i / sum_j w_j`. What does not depend on the key, such as an encoder, is evaluated once an
    example, and what does, in one product of matrices for all draws. `ess` is the effective part of the
    draws, `1 / (k sum_i share_i^2)`.

    Burda et al. (2015), arXiv:1509.00519. Raises ValueError for a claim that is no bound, or no samples.
    """
    positive("importance_weighted", samples=samples)
    if not isinstance(distribution.density, Bound):
        raise ValueError(
            f"importance_weighted: got a claim of {type(distribution.density).__name__}, wanted Bound or "
            "Exact; only a bound on a normalised density can be sharpened"
        )
    draws = jax.vmap(distribution.density.fn, (None, 0, None, None))

    def weights(params, key, x, cond):
        return draws(params, jax.random.split(key, samples), x, cond)

    def loss(params, carry, key, batch):
        log_w = each(weights, params, key, batch)
        return judged(log_w, -bound(log_w), carry)

    return loss


def pathwise(
    prior: Distribution[Exact],
    step: Transform[Any],
    samples: int,
    squared: bool = True,
    name: str = "decoder",
):
    """The same loss for `pushforward(prior, decoder=step)`; the encoder learns through its draws alone.

    In `log w = log p(z) + log p(x|z) - log q(z|x)`, q's own numbers are held still: their gradient at a fixed
    z is zero on average for one draw, and drowns the signal for many. The encoder descends
    `sum_i share_i^2 dlog w_i/dz_i dz_i` (doubly reparameterised: unbiased for the bound of k draws), or,
    not `squared`, `sum_i share_i dlog w_i/dz_i dz_i` (sticking the landing: unbiased for one draw, and
    without noise where q is exact). Prior and decoder learn as in `importance_weighted`.

    `step` is a `decoder` with the block `name`. Tucker et al. (2018), arXiv:1810.04152; Roeder et al. (2017),
    arXiv:1703.09194. Raises ValueError for a step without an encoder, or no samples.
    """
    positive("pathwise", samples=samples)
    bound_of = path_bound(prior, step, squared, name)

    def loss(params, carry, key, batch):
        draw, look = jax.random.split(key)
        mean, _ = jax.eval_shape(step.inverse.posterior, params[name], *one_of(batch))
        noise = jax.random.normal(draw, (len(batch.x), samples, *mean.shape))
        log_w, nats = bound_of(params, look, noise, batch)
        return judged(log_w, -nats, carry)

    return loss


def path_bound(prior: Distribution[Exact], step: Transform[Any], squared: bool, name: str):
    """`(params, key, noise: [b, k, latent], batch) -> (log w: [b, k], mean bound)`, its gradient as above."""
    examples = jax.vmap(latent_weights(prior, step, name), (None, None, 0, 0, 0, 0))
    posterior_of = jax.vmap(step.inverse.posterior, (None, 0, 0))

    def bound_of(params, key, noise, batch):
        posterior = posterior_of(params[name], *batch)
        mean, log_scale = (numbers[:, None] for numbers in posterior)
        z = mean + jnp.exp(log_scale) * noise
        blocks = jax.eval_shape(prior.init, key).keys() | {name}
        read = {block: params[block] for block in blocks}

        def log_weights(read, z):
            return examples(read, key, z, stop_gradient(posterior), *batch)

        log_w, back = jax.vjp(log_weights, *stop_gradient((read, z)))
        share = jax.nn.softmax(log_w)
        to_read, to_z = back(share / len(z))
        to_z = to_z * share[..., None] if squared else to_z
        return log_w, with_gradient(bound(log_w), (read, z), (to_read, to_z))

    return bound_of


def latent_weights(prior: Distribution[Exact], step: Transform[Any], name: str):
    """`(params, key, z: [k, latent], (mean, log_scale), x, cond) -> log p(z) p(x|z) / q(z|x)`, ONE example.

    Raises ValueError for a step without an encoder.
    """
    way = step.inverse
    if not isinstance(way, Encoded):
        raise ValueError(
            f"latent_weights: got a step whose way back is {type(way).__name__}, wanted Encoded, that of a "
            "decoder with an encoder; make it by transforms.decoder, or take importance_weighted"
        )

    def one(params, key, z, posterior, x, cond):
        mean, log_scale = posterior
        log_q = norm.logpdf(z, mean, jnp.exp(log_scale)).sum()
        log_p = way.log_likelihood(params[name], z, x, cond)
        return prior.density.fn(params, key, z, cond) + log_p - log_q

    return jax.vmap(one, (None, None, 0, None, None, None))


def bound(log_w):
    """`log mean w` over the last axis, averaged over examples: a mean of logarithms of means."""
    return jnp.mean(jax.nn.logsumexp(log_w, -1)) - math.log(log_w.shape[-1])


def judged(log_w, nats, carry):
    """A loss with its metrics."""
    share = jax.nn.softmax(stop_gradient(log_w))
    ess = jnp.mean(1 / jnp.sum(share**2, -1)) / share.shape[-1]
    return nats, (carry, {"nats": nats, "ess": ess})


def with_gradient(value, inputs, cotangents):
    """`value`, whose gradient in `inputs` is `cotangents`, whatever made it."""
    pairs = zip(jax.tree.leaves(inputs), jax.tree.leaves(cotangents), strict=True)
    still = stop_gradient
    return still(value) + sum(jnp.vdot(still(c), x - still(x)) for x, c in pairs)


def one_of(batch: Batch):
    """The first example and its condition."""
    return jax.tree.map(lambda leaf: leaf[0], (batch.x, batch.cond))
