"""Where mass goes: arrows in the plane, and walks between two draws."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from ..core import Distribution, Event
from .density import shade
from .journey import carried, cloud, named_stages
from .picture import BLUE, INK, ORANGE, aspect, box, picture
from .samples import images, is_image


def transport(distribution: Distribution[Any], params, key, real, log_density=None) -> bytes:
    """PNG of arrows from base points to the data points they become, on top of the density if known.

    `real: [m, 2]` sets the box, which is widened to hold the base. Latents of another size than two are
    seen as `journey.cloud` sees them.
    """
    _, stages = named_stages(distribution, params, key, 150)
    clouds = cloud(stages, real)
    start, end = clouds[0], clouds[-1]
    both = np.concatenate([start, end])
    whole = both[np.isfinite(both).all(1)]
    low, high = box(np.concatenate([np.quantile(whole, [0.01, 0.99], 0), real]))

    def draw(panels):
        (axes,) = panels
        if log_density is not None:
            shade(axes, log_density, low, high)
        axes.quiver(
            *(*start.T, *(end - start).T),
            angles="xy",
            scale_units="xy",
            scale=1,
            width=0.002,
            headwidth=5,
            color=INK,
            alpha=0.6,
        )
        axes.scatter(*start.T, s=8, color=ORANGE, linewidths=0, label="base")
        axes.scatter(*end.T, s=8, color=BLUE, linewidths=0, label="sample")
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        axes.set_aspect("equal")
        axes.legend(frameon=False, loc="upper right")

    return picture(4.2, 0.4 + 3.8 * aspect(low, high), 1, draw)


def interpolation(distribution: Distribution[Any], params, key, event: Event, real=None) -> bytes:
    """PNG of spherical walks between two base draws, carried to data; images a row a walk, else curves.

    `z(s) = (sin((1-s) a) z_0 + sin(s a) z_1) / sin a`, a the angle between them, keeps to where a normal
    base has its mass. White (2016), arXiv:1609.04468. A uniform base walks as `u = Phi(z)`. What a
    stochastic step adds is the same all along.

    Raises ValueError, a reason to show, where the sample is no function of a base of reals.
    """
    if event.classes:
        raise ValueError("a base point means something else under every label")
    walks, steps = (6, 9) if is_image(event) else (5, 60)
    ends = carried(distribution, params, key, np.arange(2 * walks))[0]
    if ends.dtype.kind != "f":
        raise ValueError("its base has no reals to walk between")
    uniform = bool(((ends > 0) & (ends < 1)).all())
    z = (ndtri(ends.astype(float)) if uniform else ends).reshape(2 * walks, -1)
    path = slerp(z[::2, None], z[1::2, None], np.linspace(0, 1, steps)[:, None])
    starts = np.float32(ndtr(path) if uniform else path).reshape(-1, *ends.shape[1:])
    same_noise = np.zeros(len(starts), int)
    x = carried(distribution, params, key, same_noise, None, starts)[-1]
    if is_image(event):
        return images(x, event, steps)
    curves = cloud([x], real)[0].reshape(walks, steps, 2)
    behind = cloud([np.asarray(real)])[0] if real is not None else curves.reshape(-1, 2)
    low, high = box(behind)

    def draw(panels):
        (axes,) = panels
        axes.scatter(*behind[:500].T, s=3, color=ORANGE, alpha=0.4, linewidths=0)
        for walk in curves:
            axes.plot(*walk.T, color=BLUE, linewidth=1.3)
            axes.scatter(*walk[[0, -1]].T, s=14, color=BLUE)
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))

    return picture(4.2, 0.4 + 3.8 * aspect(low, high), 1, draw)


def slerp(a, b, s):
    """The great arc from `a` to `b: [..., d]` at `s` in [0, 1]; radii go along."""
    lengths = [np.linalg.norm(v, axis=-1, keepdims=True) for v in (a, b)]
    cosine = np.sum(a * b, -1, keepdims=True) / np.maximum(lengths[0] * lengths[1], 1e-12)
    angle = np.maximum(np.arccos(np.clip(cosine, -1, 1)), 1e-6)
    return (np.sin((1 - s) * angle) * a + np.sin(s * angle) * b) / np.sin(angle)
