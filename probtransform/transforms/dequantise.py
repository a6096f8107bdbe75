"""Variational dequantisation: where in its cell a symbol came from, as a learned distribution says."""

from __future__ import annotations

from ..core import Bound, Distribution, Exact, Transform, sample_and_log_density
from .onto import quantise


def dequantise(shape: tuple[int, ...], levels: int, noise: Distribution[Exact]) -> Transform[Bound]:
    """`quantise`, with a place in its cell that is drawn from `noise` instead of uniformly.

    `noise` is a distribution of `u: f32[d]` in [0, 1) given `(middles, cond)`, the cells' middles
    `f32[d]` in [-1, 1] and the condition: `z = 2 (x + u) / levels - 1`, and the weight is
    `d log(2 / levels) - log q(u | x)`. The bound is tight where q is the model's own density within the
    cell; with a uniform q it is that of `quantise`.

    Example: `dequantise((8, 8, 1), 17, noise)` maps `f32[64]` to `u8[8, 8, 1]`; couplings whose networks
    read the middles, and `squash` to an interval after them, make such a noise.
    Ho et al. (2019), arXiv:1902.00275; Theis et al. (2016), arXiv:1511.01844.
    Raises ValueError for an `x` of another shape or of reals.
    """
    plain = quantise(shape, levels)

    def inverse(params, key, x, cond=None):
        _, weight = plain.inverse.fn({}, key, x, cond)  # which refuses what is no symbol
        middles = (x.reshape(-1) + 0.5) / levels * 2 - 1
        u, nats = sample_and_log_density(noise, params, key, (middles, cond))
        return (x.reshape(-1) + u) / levels * 2 - 1, weight - nats

    return Transform(noise.init, plain.forward, Bound(inverse))
