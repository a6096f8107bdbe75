"""Codes above codes: a decoder that draws them from the top down, and an encoder that meets it on the way."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from ..core import Bound, Network, Transform
from ..core.check import example, positive
from ..distributions.observation import Observation


class Rung(NamedTuple):
    """The networks of one layer, all layers alike but for their parameters; `d, h: f32[width]`, k codes.

    up:    `(params, d, cond) -> d`, one layer further from the data.
    law:   `(params, h, cond) -> f32[2k]`, mean and log-scale of this layer's codes given those above.
    guess: `(params, h, d, cond) -> f32[2k]`, what the data have to say of them.
    down:  `(params, h, z, cond) -> h`, the codes of this layer taken in.
    """

    up: Network
    law: Network
    guess: Network
    down: Network


def ladder(
    rung: Rung,
    layers: int,
    codes: int,
    width: int,
    enter: Network,
    leave: Network,
    observation: Observation,
) -> Transform[Bound]:
    """`z_l = m_l(h) + s_l(h) e_l` from the top, each taken into h, then `x ~ p(x|h)`; `e: f32[layers codes]`.

    Back, `d = enter(x, cond)` climbs by `up` past all layers; then, from the top, the law `N(m, s^2)` of the
    decoder and the guess `N(g, r^2)` of the encoder, which has read h too, are multiplied, precisions adding:
    in units of the law, `q(e_l) = N(a / (1 + b^2), b^2 / (1 + b^2))` with `a = (g - m) / s`, `b = r / s`. A
    guess that says nothing leaves the law, so that a layer costs nothing until it helps. As e is standard
    normal whatever the layers above, its base is `normal((layers * codes,))` and the weight
    `log p(x|h) - sum_l log q(e_l)`. Layers are run by a scan: depth costs no compilation.

    `leave.apply(params, h, cond)` gives the numbers of the observation model. The block holds `{"enter",
    "up", "law", "guess", "down", "leave"}`, the four between with a first axis of `layers`, the data's side
    first.

    Sonderby et al. (2016), arXiv:1602.02282; h between layers, Child (2020), arXiv:2011.10650.
    Raises ValueError for an `x` that the observation model does not know, or a number below one.
    """
    positive("ladder", layers=layers, codes=codes, width=width)

    def init(key):
        first, last, *rest = jax.random.split(key, 6)
        block = {"enter": enter.init(first), "leave": leave.init(last)}
        for (name, network), k in zip(rung._asdict().items(), rest, strict=True):
            block[name] = jax.lax.map(network.init, jax.random.split(k, layers))
        return block

    def law_of(params, h, cond):
        mean, log_scale = jnp.split(rung.law.apply(params["law"], h, cond), 2)
        return mean, jnp.exp(jnp.clip(log_scale, -5.0, 3.0))

    def descend(params, answer, given, cond):
        """h below all layers, and what `answer(params, law, h, given_l) -> (e_l, extra)` says of each."""

        def one(h, at):
            layer, given = at
            mean, scale = law_of(layer, h, cond)
            e, extra = answer(layer, (mean, scale), h, given)
            return rung.down.apply(layer["down"], h, mean + scale * e, cond), (e, extra)

        layered = {name: params[name] for name in rung._fields}
        return jax.lax.scan(one, jnp.zeros(width), (layered, given), reverse=True)

    def forward(params, key, e, cond=None):
        example("ladder", e, (layers * codes,))

        def as_given(layer, law, h, e):
            return e, ()

        h, _ = descend(params, as_given, e.reshape(layers, codes), cond)
        return observation.sample(leave.apply(params["leave"], h, cond), key)

    def inverse(params, key, x, cond=None):
        jax.eval_shape(observation.log_prob, jnp.zeros(observation.size), x)  # raises for a wrong x

        def climb(d, up):
            d = rung.up.apply(up, d, cond)
            return d, d

        def drawn(layer, law, h, given):
            d, noise = given
            mean, scale = law
            guess, log_r = jnp.split(rung.guess.apply(layer["guess"], h, d, cond), 2)
            a, b = (guess - mean) / scale, jnp.exp(jnp.clip(log_r, -7.0, 3.0)) / scale
            spread = b / jnp.sqrt(1 + b**2)
            log_q = (jax.scipy.stats.norm.logpdf(noise) - jnp.log(spread)).sum()
            return a / (1 + b**2) + spread * noise, log_q

        _, seen = jax.lax.scan(climb, enter.apply(params["enter"], x, cond), params["up"], layers)
        noise = jax.random.normal(key, (layers, codes))
        h, (e, log_q) = descend(params, drawn, (seen, noise), cond)
        numbers = leave.apply(params["leave"], h, cond)
        return e.reshape(-1), observation.log_prob(numbers, x) - log_q.sum()

    return Transform(init, forward, Bound(inverse))
