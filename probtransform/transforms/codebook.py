"""A codebook: each symbol is a vector of its own, or a step on the way to one."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..core.check import positive
from ..distributions.quantised import Quantiser

UNIT = 10.0


def codebook(places: int, levels: int, size: int, depth: int = 1) -> Quantiser:
    """`places` vectors `f32[size]`, each the nearest of `levels` codes: vector quantisation.

    With `depth > 1` each is a sum of so many codes, of a book of its own each, found one after another: the
    nearest to z, the nearest to what is left, and so on. A draw takes code k with probability
    `softmax_k(-|rest - e_k|^2 / 2 s^2)`, `s` one number a book. Symbols are listed place by place.

    The block holds `codes: [depth, levels, size]` in units of `UNIT = 10`, since Adam moves every number by
    about the rate, and codes have further to go than weights (Karras et al. (2017), arXiv:1710.10196), and
    `log_scale: [depth]`. `book(params)` gives the codes themselves.

    Example: `codebook(16, 64, 4)` is 16 symbols of 64 levels for `f32[64]`. van den Oord et al. (2017),
    arXiv:1711.00937; in depth, Lee et al. (2022), arXiv:2203.01941. Raises ValueError if a size is below one.
    """
    positive("codebook", places=places, levels=levels, size=size, depth=depth)

    def init(key):
        # each book half as wide as the one before: what is left grows less
        wide = 0.5 ** jnp.arange(depth)
        codes = jax.random.normal(key, (depth, levels, size)) * wide[:, None, None]
        return {"codes": codes / UNIT, "log_scale": jnp.log(wide)}

    def search(params, z, pick):
        """Symbols by `pick(i, closeness: [places, levels])`: `-|rest - e|^2 / 2` up to a constant."""

        def one(rest, at):
            i, codes = at
            symbol, extra = pick(i, rest @ codes.T - (codes**2).sum(-1) / 2)
            return rest - codes[symbol], (symbol, extra)

        books = (jnp.arange(depth), book(params))
        symbols, extra = jax.lax.scan(one, z.reshape(places, size), books)[1]
        return symbols.T.reshape(-1), extra

    def nearest(params, z):
        return search(params, z, lambda i, closeness: (closeness.argmax(-1), ()))[0]

    def draw(params, key, z):
        def pick(i, closeness):
            logits = closeness * jnp.exp(-2 * params["log_scale"][i])
            symbol = jax.random.categorical(jax.random.fold_in(key, i), logits)
            log_q = jnp.take_along_axis(jax.nn.log_softmax(logits), symbol[:, None], 1)
            return symbol, log_q.sum()

        symbols, log_q = search(params, z, pick)
        return symbols, log_q.sum()

    def vector(params, symbols):
        return vectors(book(params), symbols.reshape(places, depth)).sum(1).reshape(-1)

    n = places * depth
    return Quantiser(n, levels, places * size, init, lambda z: z, vector, nearest, draw, book)


def book(params):
    """The codes `[depth, levels, size]` of a block."""
    return UNIT * params["codes"]


def vectors(codes, symbols):
    """`[..., depth]` symbols of `codes: [depth, levels, size]` as their vectors, `[..., depth, size]`."""
    return codes[jnp.arange(len(codes)), symbols]
