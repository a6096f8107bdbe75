"""The sphere, and what is a sphere in other words: rotations of space, and probabilities."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..core.check import positive
from .manifold import Manifold, length


def sphere(n: int) -> Manifold:
    """The unit sphere `S^n` in `R^(n+1)`: geodesics are great circles, `n >= 1`.

    `exp_x(v) = cos|v| x + sin|v| v/|v|`. Between antipodes, where every direction is shortest, log takes
    one of them.
    """
    positive("sphere", n=n)

    def exp(x, v):
        angle = length(v)
        return unit(jnp.cos(angle) * x + jnp.sinc(angle / jnp.pi) * v)

    def log(x, y):
        toward = project(x, y - x)
        sine, cosine = length(toward), jnp.sum(x * y)
        lost = sine < 10 * jnp.finfo(toward.dtype).eps  # at x itself, or at its antipode
        ratio = jnp.arctan2(sine, cosine) / jnp.where(lost, 1.0, sine)
        here_or_there = jnp.where(cosine > 0, toward, jnp.pi * aside(x))
        return jnp.where(lost, here_or_there, ratio * toward)

    def embed(x):
        return x

    return Manifold(
        n + 1,
        n,
        exp,
        log,
        project,
        nearest=unit,
        tangent=project,
        embed=embed,
        log_volume=math.log(2) + (n + 1) / 2 * math.log(math.pi) - math.lgamma((n + 1) / 2),
        uniform=lambda key: direction(key, n + 1),
    )


def simplex(n: int) -> Manifold:
    """Probabilities `p_0 .. p_n` as the point `x = sqrt(p)` of the sphere's positive part.

    Lengths are half those of Fisher and Rao, `distance = arccos sum_i sqrt(p_i q_i)`. Fields are replicator
    equations, `p_i' = 2 p_i (w_i - sum_j p_j w_j)`, which keep a probability positive.

    Davis et al. (2024), arXiv:2405.14664; Cheng et al. (2024), arXiv:2405.16441.
    """
    positive("simplex", n=n)
    ball = sphere(n)

    def nearest(w):
        return unit(jnp.maximum(w, 0.0))

    return ball._replace(
        exp=lambda x, v: nearest(ball.exp(x, v)),
        nearest=nearest,
        tangent=lambda x, w: project(x, x * w),
        log_volume=ball.log_volume - (n + 1) * math.log(2),
        uniform=lambda key: jnp.abs(direction(key, n + 1)),
    )


def so3() -> Manifold:
    """Rotations of space as unit quaternions `(w, x, y, z)`: q and -q are one rotation.

    The distance is half the angle between two rotations, at most pi/2. Fields are `q' = q w`, and a
    network reads the nine entries of the matrix. Matrices become quaternions by
    `scipy.spatial.transform.Rotation.from_matrix(m).as_quat(scalar_first=True)`.
    """
    ball = sphere(3)

    def log(q, r):
        return ball.log(q, jnp.where(jnp.sum(q * r) < 0, -r, r))

    return ball._replace(
        log=log,
        tangent=lambda q, w: project(q, multiplied(q, w)),
        embed=lambda q: rotation(q).reshape(-1),
        log_volume=ball.log_volume - math.log(2),
    )


def multiplied(a, b):
    """Hamilton's product of quaternions `(w, x, y, z)`."""
    real = a[0] * b[0] - jnp.sum(a[1:] * b[1:])
    return jnp.append(real, a[0] * b[1:] + b[0] * a[1:] + jnp.cross(a[1:], b[1:]))


def rotation(q):
    """The matrix `f32[3, 3]` of a unit quaternion: column i is where `e_i` goes, `q e_i q*`."""
    conjugate = q * jnp.array([1, -1, -1, -1], q.dtype)
    turned = [multiplied(multiplied(q, e), conjugate)[1:] for e in jnp.eye(4, dtype=q.dtype)[1:]]
    return jnp.stack(turned, 1)


def project(x, w):
    return w - jnp.sum(x * w) * x


def unit(w):
    return w / jnp.maximum(length(w), jnp.finfo(w.dtype).tiny)


def direction(key, size: int):
    return unit(jax.random.normal(key, (size,)))


def aside(x):
    """Some unit tangent at x: along the axis that x leans on least."""
    return unit(project(x, jnp.eye(len(x), dtype=x.dtype)[jnp.argmin(jnp.abs(x))]))
