"""Block neural autoregressive flow: one masked network, each output rising in its own input."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core import Exact, Transform
from ..core.check import example, positive
from .bisection import solve_increasing


def block_autoregressive(size: int, units: int = 8, depth: int = 1) -> Transform[Exact]:
    """`z_i = e^(s_i) (x_i + w_i . h_i) + (what h_<i adds)`, from data to base in one pass; x is solved for.

    Each entry has `units` tanh units in each of `depth` layers. The first reads `e^c x_i`, each after it a
    convex combination, times `e^c`, of the layer before, so that no unit is steeper in x_i than the product
    of these; units of earlier entries are read with any weights. `w` is that product's inverse times
    `(e^v - 1) / units`, all `|v| < 2`, which keeps the slope of z_i over `e^(s_i)` between `e^-2` and `e^2`.
    Weights of the own entry are positive as in the paper; bounds are added, so that every z is reached.

    `log|det| = sum_i log dz_i/dx_i`. Sampling goes entry by entry, by the certified `solve_increasing`, and
    makes many passes for each. Zeros of `out` are the identity, which it starts as.

    Example: `z, x: f32[3]`. De Cao et al. (2019), arXiv:1904.04676.
    Raises ValueError if a size is less than one.
    """
    positive("block_autoregressive", size=size, units=units, depth=depth)
    before = jnp.tri(size, k=-1)

    def init(key):
        first, *rest = jax.random.split(key, depth)
        fan = (size * units) ** -0.5
        shape = (size, units, size, units)
        return {
            "first": jax.random.normal(first, (size, units, size)),
            "deep": [fan * jax.random.normal(k, shape) for k in rest],
            "steep": jnp.zeros((depth, size)),
            "bias": jnp.zeros((depth, size, units)).at[0].set(jnp.linspace(-2.0, 2.0, units)),
            "out": {
                "own": jnp.zeros((size, units)),
                "others": jnp.zeros((size, size, units)),
                "log_scale": jnp.zeros(size),
                "shift": jnp.zeros(size),
            },
        }

    def pass_(params, x):
        """`(z, log dz_i/dx_i)`, both `f32[size]`."""
        steep = within(params["steep"])  # [depth, size]
        others = jnp.einsum("iuj,ij,j->iu", params["first"], before, x)
        u = jnp.exp(steep[0])[:, None] * x[:, None] + others + params["bias"][0]
        h = jnp.tanh(u)
        rise = jnp.exp(steep[0])[:, None] * (1 - h**2)  # of each unit in its own entry
        for w, c, bias in zip(params["deep"], steep[1:], params["bias"][1:], strict=True):
            own = jax.nn.softmax(jnp.einsum("iuiv->iuv", w), -1) * jnp.exp(c)[:, None, None]
            others = jnp.einsum("iujv,ij,jv->iu", w, before, h)
            h = jnp.tanh(jnp.einsum("iuv,iv->iu", own, h) + others + bias)
            rise = jnp.einsum("iuv,iv->iu", own, rise) * (1 - h**2)
        out = params["out"]
        w = jnp.expm1(within(out["own"])) / units * jnp.exp(-steep.sum(0))[:, None]
        s = within(out["log_scale"])
        z = jnp.exp(s) * (x + (w * h).sum(1)) + out["shift"]
        z = z + jnp.einsum("iju,ij,ju->i", out["others"], before, h)
        return z, s + jnp.log1p((w * rise).sum(1))

    def inverse(params, key, x, cond=None):
        example("block_autoregressive", x, (size,))
        z, log_slope = pass_(params, x)
        return z, log_slope.sum()

    def forward(params, key, z, cond=None):
        def entry(x, at):
            i, z_i = at
            x_i = solve_increasing(lambda x_i: pass_(params, x.at[i].set(x_i))[0][i], z_i)
            return x.at[i].set(x_i), None

        return jax.lax.scan(entry, jnp.zeros_like(z), (jnp.arange(size), z))[0]

    return Transform(init, forward, Exact(inverse))


def within(raw):
    return 2 * jnp.tanh(raw / 2)
