"""The exact field of independent normals along any path: every view of it, and where its flow leads."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from probtransform.paths import at


class Normals(NamedTuple):
    """`x ~ N(mean, scale^2)`, dimension by dimension."""

    mean: np.ndarray
    scale: np.ndarray

    def field(self, path, predicts: str):
        """`(x, t) -> prediction`, as a network would give it."""

        def field(x, t):
            # a numpy constant of a scan is remembered in the precision of its first use
            mean, scale = (jnp.asarray(c, jnp.result_type(x)) for c in self)
            r = path.rates(t)
            away = (x - r.alpha * mean) / (r.alpha**2 * scale**2 + r.sigma**2)
            noise, data = r.sigma * away, mean + r.alpha * scale**2 * away
            return {
                "noise": noise,
                "data": data,
                "v": r.alpha * noise - r.sigma * data,
                "score": -away,
                "velocity": r.alpha_dot * data + r.sigma_dot * noise,
            }[predicts]

        return field

    def spread(self, path, t):
        """Mean and standard deviation of x_t."""
        r = at(path, t)
        return r.alpha * self.mean, np.sqrt(r.alpha**2 * self.scale**2 + r.sigma**2)

    def carried(self, path, start, x, end):
        """Where the probability flow takes x from one time to another: quantiles to quantiles."""
        (m0, s0), (m1, s1) = self.spread(path, start), self.spread(path, end)
        return m1 + s1 / s0 * (x - m0)


FIVE = Normals(np.array([0.7, -0.4, 1.3, 0.2, -1.0]), np.array([0.25, 0.4, 0.7, 1.4, 2.0]))
