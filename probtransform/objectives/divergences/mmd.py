"""The maximum mean discrepancy of two samples, and kernels to see it by.

A kernel is `(a: f32[n, d], b: f32[m, d]) -> f32[n, m]`, positive definite, or so for weights that sum to
zero. Gretton et al. (2012), JMLR 13.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from ..coupling.cost import between

Kernel = Callable[[Any, Any], Any]


def mmd(x, y, kernel: Kernel, biased: bool = False):
    """`mean k(x_i, x_j) + mean k(y_i, y_j) - 2 mean k(x_i, y_j)`, the squared discrepancy.

    `x: f32[n, d]` and `y: f32[m, d]`. The first two means are over i != j, so that it is zero in
    expectation for one law and may be negative; or over all pairs if `biased`, and then it is the squared
    distance of the samples themselves. Raises ValueError without bias for fewer than two of either.
    """
    if not biased and min(len(x), len(y)) < 2:
        raise ValueError(
            f"mmd: got {len(x)} and {len(y)} examples, wanted two or more of each; pass biased=True"
        )

    def within(a):
        gram, n = kernel(a, a), len(a)
        return jnp.mean(gram) if biased else (jnp.sum(gram) - jnp.trace(gram)) / (n * (n - 1))

    return within(x) + within(y) - 2 * jnp.mean(kernel(x, y))


def gaussian_kernel(*bandwidths: float) -> Kernel:
    """The mean of `exp(-|a - b|^2 / (2 h^2))` over bandwidths h, in the units of the data."""
    positive("gaussian_kernel", bandwidths, "median distance")
    return mixed(lambda squares, h: jnp.exp(-squares / (2 * h**2)), bandwidths)


def inverse_multiquadric(*scales: float) -> Kernel:
    """The mean of `s / (s + |a - b|^2)` over scales s, in squared units: it sees far ones as well.

    Tolstikhin et al. (2018), arXiv:1711.01558, with `s = 2 d` times 0.1 .. 10 for codes in d dimensions.
    """
    positive("inverse_multiquadric", scales, "median squared distance")
    return mixed(lambda squares, s: s / (s + squares), scales)


def energy_kernel(a, b):
    """`-|a - b|`: the discrepancy is the energy distance. No bandwidth to choose.

    Székely & Rizzo (2013), J. Stat. Plan. Inference 143.
    """
    squares = between(a, b)
    apart = squares > 0  # the slope of the root is not a number at zero
    return -jnp.where(apart, jnp.sqrt(jnp.where(apart, squares, 1)), 0)


def mixed(of_squares, numbers) -> Kernel:
    def kernel(a, b):
        squares = between(a, b)
        return sum(of_squares(squares, number) for number in numbers) / len(numbers)

    return kernel


def positive(who: str, numbers, usual: str) -> None:
    if not numbers or not all(0 < number < math.inf for number in numbers):
        raise ValueError(
            f"{who}: got {numbers}, wanted one finite number above zero or several; pass the {usual} of two "
            "examples, say"
        )
