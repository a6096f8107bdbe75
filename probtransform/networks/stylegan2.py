"""A generator that is told its style at every layer, and its critic: mapping, modulation, noise."""

from __future__ import annotations

import math
from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx

from ..core import Network, from_nnx
from ..core.check import positive
from .convolution import resized
from .equalised import Convolved, Equalised, leaky
from .projection import Projection
from .pyramid import Shape, pyramid, reach_of
from .styled import TINY, AdaIN, Modulated, Styled


class Pixels(nnx.Module):
    """`f32[h, w, inputs]`, `w: f32[k]` -> `f32[h, w, channels]`: modulated and linear, not demodulated."""

    def __init__(self, inputs, channels, styles, rngs: nnx.Rngs):
        self.style = Equalised(styles, inputs, rngs, bias=1.0)
        self.conv = Modulated(inputs, channels, 1, rngs, demodulates=False)
        self.bias = nnx.Param(jnp.zeros(channels))

    def __call__(self, x, w):
        return self.conv(x, self.style(w)) + self.bias[...]


class Mapping(nnx.Module):
    """`z: f32[latent]`, `y: f32[classes]` -> `w: f32[styles]`: z of unit mean square, then `depth` layers."""

    def __init__(self, latent, classes, styles, depth, rngs: nnx.Rngs):
        self.label = Equalised(classes, latent, rngs) if classes else None
        sizes = [2 * latent if classes else latent] + depth * [styles]
        self.layers = nnx.List([Equalised(a, b, rngs, pace=0.01) for a, b in pairwise(sizes)])

    def __call__(self, z, y):
        w = unit(z)
        if self.label is not None:
            w = jnp.concatenate([w, unit(self.label(y))])
        for layer in self.layers:
            w = leaky(layer(w))
        return w


class Synthesis(nnx.Module):
    """`w: f32[layers, k]`, `noise: f32[places]` -> `f32[h, w, c]`: a learned image, grown in the styles w."""

    def __init__(self, shape: Shape, styles: int, width: int, adain: bool, rngs: nnx.Rngs):
        layer = AdaIN if adain else Styled
        grids, size = pyramid(shape, width), reach_of(shape)
        self.grids = tuple(grids)
        self.start = nnx.Param(jax.random.normal(rngs.params(), grids[0]))
        channels = [grids[0][2], *(c for *_, c in grids)]
        self.first = nnx.List([layer(a, b, styles, size, rngs) for a, b in pairwise(channels)])
        self.second = nnx.List([layer(b, b, styles, size, rngs) for b in channels[2:]])
        self.pixels = nnx.List([Pixels(b, shape[2], styles, rngs) for b in channels[1:]])

    def __call__(self, w, noise):
        x, image = self.start[...], 0.0
        layer, used = 0, 0

        def styled(block, x):
            nonlocal layer, used
            places = math.prod(x.shape[:2])
            layer, used = layer + 1, used + places
            return block(x, w[layer - 1], noise[used - places : used].reshape(x.shape[:2]))

        for i, (h, width, _) in enumerate(self.grids):
            if i:
                x, image = resized(x, (h, width)), resized(image, (h, width))
            x = styled(self.first[i], x)
            if i:
                x = styled(self.second[i - 1], x)
            image = image + self.pixels[i](x, w[layer])  # in the style of the layer to come
        return image


class Critic(nnx.Module):
    """`f32[h, w, c]`, `y: f32[classes]` -> a logit: residual halvings, then two linear layers."""

    def __init__(self, shape: Shape, classes: int, width: int, rngs: nnx.Rngs):
        grids, size = pyramid(shape, width)[::-1], reach_of(shape)
        self.sides = tuple(grid[:2] for grid in grids[1:])
        self.pixels = Equalised(shape[2], width, rngs)
        pairs = [(a[2], b[2]) for a, b in pairwise(grids)]
        self.same = nnx.List([Convolved(a, a, size, rngs) for a, _ in pairs])
        self.wider = nnx.List([Convolved(a, b, size, rngs) for a, b in pairs])
        self.skips = nnx.List([Equalised(a, b, rngs) for a, b in pairs])
        channels = grids[-1][2]
        self.coarsest = Convolved(channels, channels, size, rngs)
        self.all = Equalised(math.prod(grids[-1]), channels, rngs)
        self.last = Projection(channels, classes, rngs)

    def __call__(self, x, y):
        x = leaky(self.pixels(x))
        for side, same, wider, skip in zip(
            self.sides, self.same, self.wider, self.skips, strict=True
        ):
            # means of a map without a rectifier are that map of means
            x = (resized(leaky(wider(leaky(same(x)))), side) + skip(resized(x, side))) * 0.5**0.5
        x = leaky(self.coarsest(x))
        return self.last(leaky(self.all(x.reshape(-1))), y)


def unit(x):
    return x * jax.lax.rsqrt(jnp.mean(x**2) + TINY)


def mapping(latent: int, classes: int, styles: int, depth: int) -> Network:
    """`(f32[latent], f32[classes]) -> f32[styles]`: from latents to styles, `depth` layers that learn slowly.

    Karras et al. (2018), arXiv:1812.04948. Raises ValueError if a size is less than one.
    """
    positive("stylegan2", latent=latent, styles=styles, depth=depth)
    return from_nnx(lambda rngs: Mapping(latent, classes, styles, depth, rngs))


def synthesis(shape: Shape, styles: int, width: int = 32, adain: bool = False) -> Network:
    """`(f32[layers, styles], f32[places]) -> f32[*shape]`, unbounded; `extent` gives layers and places.

    One layer at the coarsest scale, two at each further one; the image is a sum over scales, each enlarged.
    With `adain`, styles scale what was normalised, and not weights, in all layers but the pixels' own: the
    layers of the first StyleGAN.
    Karras et al. (2019), arXiv:1912.04958. Raises ValueError if a size is less than one, or if there is but
    one place to normalise over.
    """
    positive("stylegan2", styles=styles, width=width)
    if adain and pyramid(shape, 1)[0][:2] == (1, 1):
        raise ValueError(
            f"stylegan2: got adain for images of shape {shape}, wanted more than one place to normalise "
            "over; leave adain out"
        )
    return from_nnx(lambda rngs: Synthesis(shape, styles, width, adain, rngs))


def extent(shape: Shape) -> tuple[int, int]:
    """How many styles a `synthesis` of such images reads, the pixels' own among them, and how much noise."""
    places = [h * w for h, w, _ in pyramid(shape, 1)]
    return 2 * len(places), 2 * sum(places) - places[0]


def critic(shape: Shape, classes: int = 0, width: int = 32) -> Network:
    """Its critic as a `Network`, `(f32[*shape], f32[classes]) -> f32[]`, labels read by a `Projection`.

    Without the paper's deviation over a batch, which would make a logit one of many examples.
    """
    positive("stylegan2", width=width)
    return from_nnx(lambda rngs: Critic(shape, classes, width, rngs))
