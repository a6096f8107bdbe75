"""The convolution of images and the slope of its kernel: two bilinear maps, whose adjoints are the same two.

On a CPU the compiler gives a convolution to a fast library only in one layout, and inside a loop it does not
change layouts by itself. The derivatives of its own convolution are in others, and a step of training takes
five to fourteen times as long in a loop as alone. So both maps are primitives that differentiate into one
another: every derivative, of any order and either way, is one of the two, in the layout that is fast.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

Joins = tuple[tuple[int, int], tuple[int, int]]


def convolve(x, kernel):
    """`y[n, p, o] = sum_ai x[n, p + a, i] kernel[a, i, o]`, p and a places, a from the middle; zeros around.

    `f32[n, h, w, inputs]`, `f32[*size, inputs, outputs]` -> `f32[n, h, w, outputs]`. Raises ValueError for an
    even size.
    """
    if not all(side % 2 for side in kernel.shape[:2]):
        raise ValueError(
            f"convolve: got a kernel of {' x '.join(map(str, kernel.shape[:2]))}, wanted odd sizes, so that "
            "it has a middle; take one more"
        )
    return convolve_p.bind(x, kernel, size=kernel.shape[:2])


def kernel_slope(x, y, size: tuple[int, int]):
    """`kernel[a, i, o] = sum_np x[n, p + a, i] y[n, p, o]`: the slope of `<y, convolve(x, kernel)>` in it."""
    return kernel_slope_p.bind(x, y, size=size)


def turned(kernel):
    """That of the adjoint of x: each place in its opposite, outputs for inputs."""
    return jnp.flip(kernel, (0, 1)).swapaxes(2, 3)


def convolved(x, kernel, size):
    pad = [(side // 2, side // 2) for side in size]
    layout = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), pad, dimension_numbers=layout)


def correlated(x, y, size):
    """Here channels are the images, images the channels, and y is a kernel as large as they are."""
    found = convolved(x.transpose(3, 1, 2, 0), y.transpose(1, 2, 0, 3), size)
    return found.transpose(1, 2, 0, 3)


def bilinear(
    name: str, fn: Callable, adjoint_in_x: Callable, adjoint_in_y: Callable, joins: Joins
) -> Primitive:
    """The primitive of `fn(x, y, size)`, with both its adjoints `(cotangent, x, y, size) ->`.

    `joins` has for x, and for y, the axis that a batch of it alone joins, and where it is in the result.
    """
    p = Primitive(name)

    def shape(x, y, size):
        like = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in (x, y)]
        found = jax.eval_shape(partial(fn, size=size), *like)
        return jax.core.ShapedArray(found.shape, found.dtype)

    def batched(pair, axes, size):
        if None not in axes:
            return jax.vmap(partial(fn, size=size), axes)(*pair), 0
        of = axes.index(None) ^ 1
        into, out = joins[of]
        many = jnp.moveaxis(pair[of], axes[of], into)
        count = many.shape[into]
        joined = many.reshape(*many.shape[:into], -1, *many.shape[into + 2 :])
        found = p.bind(*(joined if i == of else a for i, a in enumerate(pair)), size=size)
        return found.reshape(*found.shape[:out], count, -1, *found.shape[out + 1 :]), out

    p.def_impl(jax.jit(fn, static_argnames="size"))
    p.def_abstract_eval(shape)
    ad.defbilinear(p, adjoint_in_x, adjoint_in_y)
    batching.primitive_batchers[p] = batched
    mlir.register_lowering(p, mlir.lower_fun(fn, multiple_results=False))
    return p


IMAGES, INPUTS, OUTPUTS = 0, 2, 3  # axes of images, and of kernels

convolve_p = bilinear(
    "convolve",
    convolved,
    lambda ct, x, kernel, size: convolve(ct, turned(kernel)),
    lambda ct, x, kernel, size: kernel_slope(x, ct, size),
    ((IMAGES, IMAGES), (OUTPUTS, OUTPUTS)),
)
kernel_slope_p = bilinear(
    "kernel_slope",
    correlated,
    lambda ct, x, y, size: convolve(y, turned(ct)),
    lambda ct, x, y, size: convolve(x, ct),
    ((OUTPUTS, INPUTS), (OUTPUTS, OUTPUTS)),
)
