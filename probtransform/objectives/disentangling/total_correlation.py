"""The divergence split in three, one of them weighed: beta-TCVAE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax.nn import logsumexp
from jax.scipy.stats import norm

from ...core import Transform
from ...core.check import not_negative
from .codes import Codes, bound, encoding


def stratified(batch: int, size: int):
    """Weights of q(z_i|x_j) in an estimate of `q(z_i) = 1/N sum_n q(z_i|x_n)` from a batch: `[batch, batch]`.

    z_i's own example has `1/N`, the others `(1 - 1/N) / (batch - 1)` each: unbiased for distinct examples,
    and the mean of minibatch stratified sampling over the order of the batch. `size` is N.

    Chen et al. (2018), arXiv:1802.04942, appendix C. Raises ValueError unless 2 <= batch <= size.
    """
    if not 2 <= batch <= size:
        raise ValueError(
            f"stratified: got a batch of {batch} from {size} examples, wanted between 2 and {size}; say how "
            "many examples there are to learn from, or take a larger batch"
        )
    others = (1 - 1 / size) / (batch - 1)
    return jnp.where(jnp.eye(batch, dtype=bool), 1 / size, others)


def weighted(batch: int, size: int):
    """Minibatch weighted sampling, `1 / (batch N)` each: `size` only adds a constant to the logarithm.

    Biased: of all data in one batch it makes `q(z_i) / N`. Chen et al. (2018), arXiv:1802.04942.
    """
    return jnp.full((batch, batch), 1 / (batch * size))


class Split(NamedTuple):
    """`KL` as mutual information of x and z, total correlation of z, and divergence of each code."""

    information: Any
    correlation: Any
    marginals: Any


def split(codes: Codes, weights) -> Split:
    """`E log q(z|x)/q(z)`, `E log q(z)/prod_l q(z_l)`, `sum_l E log q(z_l)/p(z_l)`, from one batch.

    q(z) and its marginals are mixtures of the batch's posteriors under `weights: [b, b]`.
    Chen et al. (2018), arXiv:1802.04942, equation 2.
    """
    scale = jnp.exp(codes.log_scale)
    log_q = norm.logpdf(codes.z[:, None], codes.mean, scale)  # [i, j, l]: z_i under q(.|x_j)
    log_w = jnp.log(weights)
    own = norm.logpdf(codes.z, codes.mean, scale).sum(-1)
    together = logsumexp(log_w + log_q.sum(-1), 1)
    apart = logsumexp(log_w[..., None] + log_q, 1).sum(-1)
    prior = norm.logpdf(codes.z).sum(-1)
    return Split(*map(jnp.mean, (own - together, together - apart, apart - prior)))


def total_correlation(
    step: Transform[Any],
    size: int,
    beta: float = 6.0,
    weights: Callable[[int, int], Any] = stratified,
    name: str = "decoder",
):
    """`-E log p(x|z) + KL + (beta - 1) TC`: the beta-TCVAE, of `size` examples to learn from.

    `TC = KL(q(z) || prod_l q(z_l))` is estimated in the batch, under `stratified` or `weighted`.
    Chen et al. (2018), arXiv:1802.04942. Raises ValueError for a negative beta, or `stratified` from fewer
    examples than a batch has.
    """
    not_negative("total_correlation", beta=beta)
    encode = encoding(step, name)

    def loss(params, carry, key, batch):
        codes = encode(params, key, batch)
        distortion, kl = bound(codes)
        tc = split(codes, weights(len(codes.z), size)).correlation
        seen = {"nats": distortion + kl, "kl": kl, "total_correlation": tc}
        return distortion + kl + (beta - 1) * tc, (carry, seen)

    return loss
