"""Learning what symbols will be from what they are on a path of noise: three losses, two of them bounds."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Network
from ..integrate.jumps import Jumps
from ..paths.discrete import DiscretePath, believed

EDGE = 1e-5  # how near to the ends of time a loss looks, where rates grow without end


def jump_bound(network: Network, name: str, path: DiscretePath, jumps: Jumps):
    """Minus the bound on log p(x) of the process in continuous time, in nats: a player's loss.

    `E integral_0^1 sum_y R_x log(R_x / R) - R_x + R dt`, summed over entries, where R(y) are the rates from
    x_t to y with the network's belief and R_x those with x known: what the paths of two jump processes
    differ by. Under masks it is the cross-entropy of hidden entries, weighted,
    `E kappa' / (1 - kappa) sum_(hidden i) -log p(x_i | x_t)`.

    Campbell et al. (2022), arXiv:2205.14987; Shi et al. (2024), arXiv:2406.04329; Sahoo et al. (2024),
    arXiv:2406.07524.
    """

    def at(law, x, x_t, t):
        known, guessed = (jumps.rates(end, x_t, t) for end in (path.known(x), law))
        return jnp.sum(known * log_ratio(known, guessed) - known + guessed)

    def when(key, count):
        return jnp.clip(spread(key, count), EDGE, 1 - EDGE)

    return along(network, name, path, when, at, "nats")


def step_bound(network: Network, name: str, path: DiscretePath, jumps: Jumps, steps: int):
    """Minus the bound on log p(x) of a chain of T = `steps`, in nats: a player's loss.

    `E_k T KL(q(x_(k+1) | x_k, x) || p(x_(k+1) | x_k))` for k uniform on `0 .. T-1`, the last of them the
    reconstruction. The noise at t = 0 knows nothing of x, and adds nothing.

    Austin et al. (2021), arXiv:2107.03006.
    """

    def at(law, x, x_t, t):
        s = (jnp.round(t * steps) + 1) / steps  # of the last step exactly 1
        q, p = (jumps.step(end, x_t, t, s) for end in (path.known(x), law))
        return steps * jnp.sum(q * log_ratio(q, p))

    def when(key, count):
        return jnp.floor(spread(key, count) * steps) / steps

    return along(network, name, path, when, at, "nats")


def denoising(network: Network, name: str, path: DiscretePath):
    """`E -log p(x | x_t)`, the mean over entries, t uniform: the belief alone. A player's loss.

    Gat et al. (2024), arXiv:2407.15595; Campbell et al. (2024), arXiv:2402.04997.
    """

    def at(law, x, x_t, t):
        found = jnp.take_along_axis(path.data(law, x_t, t), x[:, None], -1)
        return -jnp.mean(jnp.log(found))

    return along(network, name, path, spread, at, "cross_entropy")


def along(network: Network, name: str, path: DiscretePath, when, at, metric: str):
    """The mean of `at(law, x, x_t, t)` over a batch, at the times `when(key, batch)`."""

    def one(params, key, t, x, cond):
        x = x.reshape(-1).astype(jnp.int32)
        x_t = path.point(key, x, t)
        return at(believed(network.apply(params[name], x_t, t, cond)), x, x_t, t)

    def loss(params, carry, key, batch):
        first, rest = jax.random.split(key)
        keys, t = jax.random.split(rest, len(batch.x)), when(first, len(batch.x))
        mean = jnp.mean(jax.vmap(one, (None, 0, 0, 0, 0))(params, keys, t, batch.x, batch.cond))
        return mean, (carry, {metric: mean})

    return loss


def log_ratio(q, p):
    """`log q/p`, and 0 where q is: what is not drawn costs nothing, nor do its gradients."""
    return jnp.log(jnp.where(q > 0, q, 1.0) / jnp.where(q > 0, p, 1.0))


def spread(key, count: int):
    """Times in [0, 1), one in each of `count` equal parts, all by the same shift: `f32[count]`.

    Kingma et al. (2021), arXiv:2107.00630.
    """
    return (jnp.arange(count) + jax.random.uniform(key)) / count
