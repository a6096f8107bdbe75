"""Products of rows and of images with a kernel: bilinear maps, whose adjoints are maps of the same kind.

Mapped over examples, draws or both, `x @ kernel` is one product of matrices; but the slope of its kernel then
sums over several axes, for which the compiler first turns one factor in memory. Here rows of whatever axes
are joined, as images are: forward and back are one product of two matrices.

A convolution and the slope of its kernel are two maps, whose adjoints are the same two. On a CPU the compiler
gives a convolution to a fast library only in one layout, and inside a loop it does not change layouts by
itself. The derivatives of its own convolution are in others, and a step of training takes five to fourteen
times as long in a loop as alone. So the maps are primitives that differentiate into one another: every
derivative, of any order and either way, is one of them, in the layout that is fast.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

Joins = tuple[tuple[int, int], tuple[int, int]]


def product(x, kernel):
    """`y[..., o] = sum_i x[..., i] kernel[i, o]`, as `x @ kernel`."""
    rows = x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
    found = bound(product_p, rows, kernel, (), precision_here())
    return found.reshape(*x.shape[:-1], kernel.shape[1])


def convolve(x, kernel):
    """`y[n, p, o] = sum_ai x[n, p + a, i] kernel[a, i, o]`, p and a places, a from the middle; zeros around.

    `f32[n, h, w, inputs]`, `f32[*size, inputs, outputs]` -> `f32[n, h, w, outputs]`. Raises ValueError for an
    even size.
    """
    middle(*kernel.shape[:2])
    return bound(convolve_p, x, kernel, kernel.shape[:2], precision_here())


def middle(*size: int) -> None:
    """Raise ValueError unless every side is odd."""
    if not all(side % 2 for side in size):
        raise ValueError(
            f"convolve: got a kernel of {' x '.join(map(str, size))}, wanted odd sizes, so that it has a "
            "middle; take one more"
        )


def kernel_slope(x, y, size: tuple[int, int]):
    """`kernel[a, i, o] = sum_np x[n, p + a, i] y[n, p, o]`: the slope of `<y, convolve(x, kernel)>` in it."""
    return bound(kernel_slope_p, x, y, size, precision_here())


def precision_here():
    return jax.config.jax_default_matmul_precision  # type: ignore[attr-defined]


def bound(p: Primitive, x, y, size, precision):
    """p of both in one dtype and, inside `shard_map`, differing along the same axes of the mesh."""
    x, y = (jnp.asarray(a, jnp.result_type(x, y)) for a in (x, y))
    along = [jax.typeof(a).manual_axis_type.varying for a in (x, y)]
    new = [tuple((along[0] | along[1]) - own) for own in along]
    x, y = (jax.lax.pcast(a, n, to="varying") if n else a for a, n in zip((x, y), new, strict=True))
    return p.bind(x, y, size=size, precision=precision)


def turned(kernel):
    """That of the adjoint of x: each place in its opposite, outputs for inputs."""
    return jnp.flip(kernel, (0, 1)).swapaxes(2, 3)


def convolved(x, kernel, size, precision):
    pad = [(side // 2, side // 2) for side in size]
    layout = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(
        x, kernel, (1, 1), pad, dimension_numbers=layout, precision=precision
    )


def correlated(x, y, size, precision):
    """Here channels are the images, images the channels, and y is a kernel as large as they are."""
    found = convolved(x.transpose(3, 1, 2, 0), y.transpose(1, 2, 0, 3), size, precision)
    return found.transpose(1, 2, 0, 3)


def bilinear(
    name: str, fn: Callable, adjoint_in_x: Callable, adjoint_in_y: Callable, joins: Joins
) -> Primitive:
    """The primitive of `fn(x, y, size, precision)`, with both its adjoints `(cotangent, x, y, ...) ->`.

    `joins` has for x, and for y, the axis that a batch of it alone joins, and where it is in the result. The
    precision is that of the context at the call; what is lowered later would not see it.
    """
    p = Primitive(name)

    def shape(x, y, **static):
        like = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in (x, y)]
        found = jax.eval_shape(partial(fn, **static), *like)
        return x.update(shape=found.shape, dtype=found.dtype, weak_type=False)

    def batched(pair, axes, **static):
        if None not in axes:
            return jax.vmap(partial(fn, **static), axes)(*pair), 0
        of = axes.index(None) ^ 1
        into, out = joins[of]
        many = jnp.moveaxis(pair[of], axes[of], into)
        count, own = many.shape[into : into + 2]
        joined = many.reshape(*many.shape[:into], count * own, *many.shape[into + 2 :])
        found = p.bind(*(joined if i == of else a for i, a in enumerate(pair)), **static)
        return found.reshape(*found.shape[:out], count, own, *found.shape[out + 1 :]), out

    p.def_impl(jax.jit(fn, static_argnames=("size", "precision")))
    p.def_abstract_eval(shape)
    ad.defbilinear(p, adjoint_in_x, adjoint_in_y)
    batching.primitive_batchers[p] = batched
    mlir.register_lowering(p, mlir.lower_fun(fn, multiple_results=False))
    return p


ROWS, COLUMNS = 0, 1
product_p: Primitive = bilinear(
    "product",
    lambda x, kernel, size, precision: jnp.matmul(x, kernel, precision=precision),
    lambda ct, x, kernel, size, precision: bound(product_p, ct, kernel.T, size, precision),
    lambda ct, x, kernel, size, precision: bound(product_p, x.T, ct, size, precision),
    ((ROWS, ROWS), (COLUMNS, COLUMNS)),
)

IMAGES, INPUTS, OUTPUTS = 0, 2, 3  # axes of images, and of kernels

convolve_p: Primitive = bilinear(
    "convolve",
    convolved,
    lambda ct, x, kernel, size, precision: bound(convolve_p, ct, turned(kernel), size, precision),
    lambda ct, x, kernel, size, precision: bound(kernel_slope_p, x, ct, size, precision),
    ((IMAGES, IMAGES), (OUTPUTS, OUTPUTS)),
)
kernel_slope_p: Primitive = bilinear(
    "kernel_slope",
    correlated,
    lambda ct, x, y, size, precision: bound(convolve_p, y, turned(ct), size, precision),
    lambda ct, x, y, size, precision: bound(convolve_p, x, ct, size, precision),
    ((OUTPUTS, INPUTS), (OUTPUTS, OUTPUTS)),
)
