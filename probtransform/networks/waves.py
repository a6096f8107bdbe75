"""Time and label as one vector: what a body of a diffusion or flow reads besides the image."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from ..core import Network, from_nnx, one_hot
from ..core.check import positive
from .linear import Linear

SLOWEST, FASTEST = 0.1, 100.0  # radians a unit


def waves(t, size: int):
    """`f32[*places] -> f32[*places, size]`: `cos(w_i t)` for all i, then `sin(w_i t)`, in float32.

    The frequencies `w_1 .. w_(size/2)` are geometric from 0.1 to 100 radians a unit, one scale for
    two clocks: a time in [0, 1], of which the fastest tells thousandths apart, and a log-SNR in
    [-15, 15], over which the slowest does not yet repeat. A clock of steps 0 .. T is divided by T.

    Vaswani et al. (2017), arXiv:1706.03762; Ho et al. (2020), arXiv:2006.11239.
    Raises ValueError unless `size` is even.
    """
    positive("waves", size=size)
    if size % 2:
        raise ValueError(
            f"waves: got a size of {size}, wanted a sine for every cosine; choose an even size"
        )
    frequencies = np.geomspace(SLOWEST, FASTEST, size // 2, dtype=np.float32)
    angles = jnp.asarray(t, jnp.float32)[..., None] * frequencies
    return jnp.concatenate([jnp.cos(angles), jnp.sin(angles)], -1)


class Embedding(nnx.Module):
    """`(t, cond) -> f32[size]`: `silu(linear(silu(linear(waves(t)))) + label)`.

    `cond` is as for `one_hot`; an absent label adds nothing.
    """

    def __init__(self, size: int, classes: int, rngs: nnx.Rngs):
        self.first = Linear(size, size, rngs=rngs)
        self.second = Linear(size, size, rngs=rngs)
        label = nnx.initializers.normal(0.5)
        self.labels = nnx.Param(label(rngs.params(), (classes, size))) if classes else None
        self.size, self.classes = size, classes

    def __call__(self, t, cond=None):
        e = self.second(jax.nn.silu(self.first(waves(t, self.size))))
        if self.labels is not None:
            e = e + one_hot(cond, self.classes) @ self.labels[...]
        return jax.nn.silu(e)


def timed(who: str, body: Network, size: int, classes: int, compute: str) -> Network:
    """`(f32[*event], t, cond) -> f32[*event]` of a body `(x[*event], e[size]) -> y[*event]`.

    The body sees parameters, x and e in the number format `compute`, and so computes in it; outside
    all is float32: parameters, gradients, output, and the embedding e, for bfloat16 knows a time to
    two digits only.

    Raises ValueError, in the name of `who`, for another format, or a time that is no scalar.
    """
    if compute not in ("float32", "bfloat16"):
        raise ValueError(
            f"{who}: got compute={compute!r}, wanted a number format of enough range; "
            "pass 'float32' or 'bfloat16'"
        )
    embedding = from_nnx(lambda rngs: Embedding(size, classes, rngs))

    def init(key):
        first, second = jax.random.split(key)
        return {"embedding": embedding.init(first), "body": body.init(second)}

    def apply(params, x, t, cond=None):
        if jnp.ndim(t):
            raise ValueError(
                f"{who}: got times of shape {jnp.shape(t)}, wanted a scalar for ONE example; "
                "map over the batch with jax.vmap"
            )
        e = embedding.apply(params["embedding"], t, cond)
        cast = jax.tree.map(lambda a: jnp.asarray(a, compute), (params["body"], x, e))
        return body.apply(*cast).astype(jnp.float32)

    return Network(init, apply)
