"""The exact flow map of mixtures on a line along any path: quantiles to quantiles, in double precision."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm

from probtransform.core import Network
from probtransform.paths import view
from probtransform.paths.flow_map import jump


class Mixture(NamedTuple):
    """Dimension by dimension the same mixture of normals: shares, means, deviations `[k]`."""

    share: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    def parts(self, path, x, t):
        """Means, deviations and standardised places of the components at t, `[..., k]`."""
        r = path.rates(t)
        spread = jnp.sqrt(r.alpha**2 * self.scale**2 + r.sigma**2)
        return r, spread, (x[..., None] - r.alpha * self.mean) / spread

    def cdf(self, path, x, t):
        return norm.cdf(self.parts(path, x, t)[2]) @ self.share

    def density(self, path, x, t):
        _, spread, away = self.parts(path, x, t)
        return (norm.pdf(away) / spread) @ self.share

    def velocity(self, path, x, t):
        """`E[alpha' x + sigma' z | x_t]`."""
        r, spread, away = self.parts(path, x, t)
        weight = self.share * norm.pdf(away) / spread
        data = self.mean + r.alpha * self.scale**2 * away / spread
        noise = r.sigma * away / spread
        inside = r.alpha_dot * data + r.sigma_dot * noise
        return (weight * inside).sum(-1) / weight.sum(-1)

    def carried(self, path, x, s, t):
        """`F_t^-1(F_s(x))`: found by halving, and by one Newton step, through which it is differentiated."""
        wanted = self.cdf(path, x, s)
        goal, end = jax.lax.stop_gradient((wanted, t))

        def halve(_, ends):
            low, high = ends
            middle = (low + high) / 2
            below = self.cdf(path, middle, end) < goal
            return jnp.where(below, middle, low), jnp.where(below, high, middle)

        ends = jnp.full_like(goal, -30.0), jnp.full_like(goal, 30.0)
        near = sum(jax.lax.fori_loop(0, 60, halve, ends)) / 2
        return near - (self.cdf(path, near, t) - wanted) / self.density(path, near, t)

    def network(self, path, predicts="velocity") -> Network:
        """The exact prediction `(X(x, s, t) - p x) / q`, at s = t that of the velocity; params bend it.

        `{"wrong": f[3]}`: at zero it is exact.
        """

        def apply(params, x, s, t, cond=None):
            still = abs(t - s) < 1e-7
            end = jnp.where(still, jnp.where(s < 0.5, s + 0.1, s - 0.1), t)
            p, q = jump(path, predicts, s, end)
            far = (self.carried(path, x, s, end) - p * x) / q
            a, b = view(path.rates(s), "velocity", predicts)
            near = a * x + b * self.velocity(path, x, s)
            sway, drift, pull = params["wrong"]
            bent = sway * jnp.sin(2 * x) + drift * (t - 0.3) + pull * s * x
            return jnp.where(still, near, far) + bent

        return Network(lambda key: {"wrong": jnp.zeros(3)}, apply)


THREE = Mixture(np.array([0.5, 0.2, 0.3]), np.array([-1.0, 0.4, 1.5]), np.array([0.3, 0.5, 0.2]))
