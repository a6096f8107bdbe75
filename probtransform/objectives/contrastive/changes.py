"""Changes that leave what an image shows as it is: each a pure function `(key, x) -> x` of ONE image.

Images are `f32[h, w, c]` in [-1, 1], -1 is black; brightness and contrast may leave the range. All are
differentiable in x. Chen et al. (2020), arXiv:2002.05709, appendix A.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

Change = Callable[..., jax.Array]


def in_turn(*changes: Change) -> Change:
    """One change after another, each with a key of its own."""

    def change(key, x):
        for i, one in enumerate(changes):
            x = one(jax.random.fold_in(key, i), x)
        return x

    return change


def sometimes(change: Change, chance: float = 0.5) -> Change:
    """The change in that share of the draws. Raises ValueError unless `chance` is a probability."""
    if not 0 <= chance <= 1:
        raise ValueError(f"sometimes: got chance={chance}, wanted a probability; 0.5 is usual")

    def maybe(key, x):
        gate, how = jax.random.split(key)
        return jnp.where(jax.random.uniform(gate) < chance, change(how, x), x)

    return maybe


def cropped(least: float = 0.3, stretch: float = 4 / 3) -> Change:
    """A random part, `least` to all of the area and up to `stretch` times as wide as high, in full size.

    Between pixels it is bilinear. Raises ValueError unless `least` is in (0, 1] and `stretch >= 1`.
    """
    if not 0 < least <= 1 or stretch < 1:
        raise ValueError(
            f"cropped: got least={least} and stretch={stretch}, wanted a share of the area in (0, 1] and a "
            "ratio of sides of at least 1; change it"
        )

    def change(key, x):
        size, shape, *places = jax.random.split(key, 4)
        area = jax.random.uniform(size, minval=least, maxval=1.0)
        ratio = jnp.exp(jnp.log(stretch) * jax.random.uniform(shape, minval=-0.5, maxval=0.5))
        sides = jnp.minimum(jnp.sqrt(area) * jnp.stack([1 / ratio, ratio]), 1.0)
        starts = jnp.stack([jax.random.uniform(k) for k in places]) * (1 - sides)
        return mixed(x, *(partial(between, a, s) for a, s in zip(starts, sides, strict=True)))

    return change


def blurred(most: float = 1.0) -> Change:
    """The mean of neighbours under a normal weight of up to `most` pixels' deviation."""

    def change(key, x):
        scale = jax.random.uniform(key, minval=0.1, maxval=most)
        return mixed(x, partial(near, scale), partial(near, scale))

    return change


def mirrored(key, x):
    """Left for right, in half the draws."""
    return jnp.where(jax.random.bernoulli(key), x[:, ::-1], x)


def lit(strength: float = 0.4) -> Change:
    """`a x + b` about the mean, `a` and `b` uniform within `strength` of 1 and 0: contrast and brightness."""

    def change(key, x):
        a, b = jax.random.uniform(key, (2,), minval=-strength, maxval=strength)
        return x.mean() + (1 + a) * (x - x.mean()) + b

    return change


def erased(most: float = 0.5) -> Change:
    """A rectangle of up to `most` of height and width about a uniform centre becomes black."""

    def change(key, x):
        sides, centres = jax.random.uniform(key, (2, 2))
        inside = [
            jnp.abs((jnp.arange(n) + 0.5) / n - c) < most * s / 2
            for n, s, c in zip(x.shape[:2], sides, centres, strict=True)
        ]
        return jnp.where((inside[0][:, None] & inside[1])[..., None], -1.0, x)

    return change


def mixed(x, rows: Callable, columns: Callable):
    """`R x C'`: both axes of an image through matrices of weights, `n -> f32[n, n]`."""
    h, w, _ = x.shape
    return jnp.einsum("ah,hwc,bw->abc", rows(h), x, columns(w))


def between(start, side, n: int):
    """Weights of linear interpolation at n places dividing `[start, start + side]` of the unit interval."""
    at = (start + side * (jnp.arange(n) + 0.5) / n) * n - 0.5
    at = jnp.clip(at, 0, n - 1)
    return jnp.maximum(0, 1 - jnp.abs(at[:, None] - jnp.arange(n)))


def near(scale, n: int):
    """Normal weights of neighbours, rows that sum to 1."""
    away = jnp.arange(n)[:, None] - jnp.arange(n)
    return jax.nn.softmax(-(away**2) / (2 * scale**2), -1)
