"""Reconstruction: an example through a narrow code and back, and what is asked of the codes besides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from ..core import Distribution, Network
from ..core.check import not_negative
from .divergences import inverse_multiquadric, mmd

Penalty = Callable[..., Any]  # (params, key, codes: [b, k], cond) -> scalar, its weight inside
SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def autoencoding(
    encode: Network,
    decode: Network,
    penalties: Sequence[Penalty] = (),
    noise: float = 0.0,
    names: tuple[str, str] = ("encoder", "decoder"),
):
    """`E |x - D(E(x + noise * e), cond)|^2` and the penalties, for `x: f32[d]`: a player's loss.

    Squares are summed over entries and averaged over the batch. `encode.apply(params, x, cond)` is a code
    `f32[k]`, `decode.apply(params, z, cond)` an example. With `noise` the input is blurred by normal e and
    the target is not: the best map is `x + noise^2 grad log p(x)` with p the law of the blurred data.

    Vincent et al. (2008), ICML; Alain & Bengio (2014), arXiv:1211.4246. Raises ValueError for a negative
    noise, as the penalties below do for their weights.
    """
    not_negative("autoencoding", noise=noise)
    encoder, decoder = names
    codes_of = jax.vmap(encode.apply, (None, 0, 0))
    made_of = jax.vmap(decode.apply, (None, 0, 0))

    def loss(params, carry, key, batch):
        blur, *keys = jax.random.split(key, 1 + len(penalties))
        x, cond = batch
        seen = x + noise * jax.random.normal(blur, x.shape) if noise else x
        codes = codes_of(params[encoder], seen, cond)
        away = made_of(params[decoder], codes, cond) - x
        error = jnp.sum(away**2) / len(x)
        extra = sum(
            (p(params, k, codes, cond) for p, k in zip(penalties, keys, strict=True)), jnp.zeros(())
        )
        return error + extra, (carry, {"error": error, "penalty": extra})

    return loss


def small_codes(weight: float) -> Penalty:
    """`weight/2 E |z|^2`: codes stay near zero. Ghosh et al. (2019), arXiv:1903.12436."""
    not_negative("small_codes", weight=weight)
    return lambda params, key, codes, cond: weight / 2 * jnp.sum(codes**2) / len(codes)


def small_weights(weight: float, name: str = "decoder") -> Penalty:
    """`weight |theta|^2` of all numbers of a block, so that the decoder is smooth.

    Ghosh et al. (2019), arXiv:1903.12436: RAE-L2.
    """
    not_negative("small_weights", weight=weight)

    def penalty(params, key, codes, cond):
        return weight * sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(params[name]))

    return penalty


def small_slope(weight: float, decode: Network, name: str = "decoder") -> Penalty:
    """`weight E |dD/dz|^2`, the squared entries of the Jacobian, by one random direction an example.

    `|J|^2 = E |J u|^2` for normal u. Ghosh et al. (2019), arXiv:1903.12436: RAE-GP.
    """
    not_negative("small_slope", weight=weight)

    def one(params, key, z, cond):
        u = jax.random.normal(key, z.shape)
        return jnp.sum(jax.jvp(lambda z: decode.apply(params, z, cond), (z,), (u,))[1] ** 2)

    def penalty(params, key, codes, cond):
        keys = jax.random.split(key, len(codes))
        return weight * jnp.mean(jax.vmap(one, (None, 0, 0, 0))(params[name], keys, codes, cond))

    return penalty


def like_prior(weight: float, prior: Distribution) -> Penalty:
    """`weight * MMD^2` between the codes of a batch and as many draws of the prior, without bias.

    The kernel is a mean of inverse multiquadrics, whose scales are 0.1 to 10 times `2 k`, the expected square
    of a distance of two standard normal codes. Tolstikhin et al. (2017), arXiv:1711.01558.
    """
    not_negative("like_prior", weight=weight)

    def penalty(params, key, codes, cond):
        keys = jax.random.split(key, len(codes))
        drawn = jax.vmap(prior.sample, (None, 0, 0))(params, keys, cond)
        kernel = inverse_multiquadric(*(2 * codes.shape[1] * s for s in SCALES))
        return weight * mmd(codes, drawn, kernel)

    return penalty
