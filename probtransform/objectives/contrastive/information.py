"""Lower bounds on the mutual information of two sides, from the scores of all pairs of a batch.

`scores: f32[n, n]` holds `f(x_i, y_j)`: pairs that belong together on the diagonal, draws of the product of
the margins beside it. Each is to be made as great as it will go; then f has learned the density ratio:

    bound             best f                        bias of a batch             variance
    donsker_varadhan  log p(x,y)/p(x)p(y) + any c   above: the log of a mean    grows like exp I
    nwj               log p(x,y)/p(x)p(y) + 1       none                        grows like exp I
    info_nce          log p(y|x)/p(y) + any c(x)    below, never above log n    little
    nce               log p(x,y)/p(x)p(y)           below, by less as n grows   little
    smile             read, not learned             either way: what is cut     grows like exp cut

Poole et al. (2019), arXiv:1905.06922; Song & Ermon (2020), arXiv:1910.06222.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp


def donsker_varadhan(scores):
    """`mean f(x_i, y_i) - log mean_{i != j} exp f(x_i, y_j)`, nats.

    Donsker & Varadhan (1983); Belghazi et al. (2018), arXiv:1801.04062.
    """
    return joint(scores) - log_mean_exp_apart(scores)


def nwj(scores):
    """`mean f(x_i, y_i) - mean_{i != j} exp(f(x_i, y_j) - 1)`, nats: unbiased.

    Nguyen, Wainwright & Jordan (2010), arXiv:0809.0853.
    """
    return joint(scores) - jnp.exp(log_mean_exp_apart(scores) - 1)


def info_nce(scores):
    """`mean_i log( exp f(x_i, y_i) / mean_j exp f(x_i, y_j) )`, nats, j over all n: never above `log n`.

    `nats - log n` is the mean log-likelihood of the partners under `among`.
    van den Oord et al. (2018), arXiv:1807.03748.
    """
    return math.log(len(scores)) + joint(scores) - jnp.mean(jax.nn.logsumexp(scores, 1))


def nce(scores):
    """`1 + log m - mean softplus(-G(x_i, y_i)) - m mean_{i != j} softplus(G(x_i, y_j))`, `G = f - log m`.

    Nats. Each pair is told on its own from the m = n - 1 others of its row: the noise is the product of the
    margins, and f learns its own constant, which `info_nce` leaves open. The 1 makes up for what the others
    cost at least, `E m log(1 + r/m) + E r log(1 + r/m) >= E r` over the margins, r the ratio: with m it nears
    the information, and is never above `1 + log m`.
    Gutmann & Hyvärinen (2012), JMLR 13; Tian et al. (2019), arXiv:1910.10699, whose bound lacks the 1.
    """
    own, m = joint(scores), len(scores) - 1
    told = jax.nn.softplus(scores - math.log(m))
    # softplus(-G) is softplus(G) - G
    paired, total = jnp.mean(jnp.diagonal(told)), jnp.sum(told)
    apart = (total - len(scores) * paired) / (len(scores) * m)
    return 1 + own - paired - m * apart


def smile(scores, cut: float = 5.0):
    """`mean f(x_i, y_i) - log mean_{i != j} exp clip(f(x_i, y_j), -cut, cut)`, nats.

    The cut bounds the variance, and is a bias: without one it is `donsker_varadhan`. It has no slope beyond
    the cut: let the critic learn by another bound, and read this one.
    Song & Ermon (2020), arXiv:1910.06222, equation 13.
    Raises ValueError unless `cut` is positive.
    """
    if not cut > 0:
        raise ValueError(f"smile: got cut={cut}, wanted a positive one; 5 is usual")
    return joint(scores) - log_mean_exp_apart(jnp.clip(scores, -cut, cut))


def joint(scores):
    """The mean score of pairs that belong together. Raises ValueError unless scores are square."""
    n = len(scores)
    if scores.shape != (n, n) or n < 2:
        raise ValueError(
            f"information: got scores of shape {scores.shape}, wanted [n, n] with n >= 2; "
            "score every x, a row each, with every y, a column each"
        )
    return jnp.mean(jnp.diagonal(scores))


def log_mean_exp_apart(scores):
    """`log mean_{i != j} exp f(x_i, y_j)`."""
    n = len(scores)
    apart = jnp.where(jnp.eye(n, dtype=bool), -jnp.inf, scores)
    return jax.nn.logsumexp(apart) - math.log(n * (n - 1))
