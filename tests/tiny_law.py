"""A law of two symbols out of three, on a path of which everything is enumerated."""

import itertools

import jax.numpy as jnp
import numpy as np
from scipy.linalg import expm

from probtransform.core import Network
from probtransform.paths import discrete

LAW = np.array([[0.30, 0.05, 0.10], [0.02, 0.20, 0.05], [0.08, 0.05, 0.15]])  # of (x_1, x_2)
DATA = np.array(list(itertools.product(range(3), repeat=2)))
PATHS = {
    "masked": discrete.masked(3),
    "uniform": discrete.uniform(3),
    "masked, cosine": discrete.masked(3, discrete.cosine),
    "uniform, cubic": discrete.uniform(3, discrete.polynomial(3.0)),
}


def noising(path, before, after=1.0):
    """`Q[x_after, x_before]`, the matrix exponential of the rates that bring noise, from late to early."""
    states = len(path.noise)
    generator = np.tile(path.noise, (states, 1)) - np.eye(states)
    lasted = np.log(float(path.kappa(after))) - np.log(float(path.kappa(before)))
    return expm(lasted * generator)


def states(path):
    """Every pair of states."""
    return np.array(list(itertools.product(range(len(path.noise)), repeat=2)))


def exact(path) -> Network:
    """The logits of `p(x_i | x_t without its own i)` under LAW."""

    def apply(params, x, t, cond=None):
        share, law = path.kappa(t), jnp.asarray(LAW)
        noise = jnp.asarray(path.noise)[x][:, None]
        seen = share * (x[:, None] == jnp.arange(3)) + (1 - share) * noise  # q(x_t | x), each entry
        return jnp.log(jnp.stack([law @ seen[1], law.T @ seen[0]]) + 1e-300)

    return Network(lambda key: (), apply)


def wrong(seed: int = 0, mask: int = 3) -> Network:
    """Logits that are anything, whatever the time."""
    table = 1.5 * np.random.default_rng(seed).standard_normal((mask + 1, mask + 1, 2, 3))
    return Network(lambda key: (), lambda params, x, t, cond=None: jnp.asarray(table)[x[0], x[1]])
