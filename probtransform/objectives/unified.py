"""The one formulation of GANs and VAEs: walk along one law, and explain the walk by another.

Two laws hold the same variables: `p = p(z) p(x|z)` starts at a prior and generates, `q = data(x) q(z|x)`
starts at data and infers. Every player of every row walks along one of them, from a `start` to an `end`, and
descends what cannot be told back from the end, where the label y says which domain a walk is of:

    loss = - sum_y 2 p(y) sum_i w_i [ log q(y|end_i) or log q(1-y|end_i), and log back(start_i|end_i) ]

    row          start -> end     domain y = 0 | 1        told back                            w
    GAN          z -> x           made | data             1 - y                                1/n
    IWGAN        z -> x           made | data             1 - y                                softmax of D's
    InfoGAN      z -> x           made | data             1 - y, z                             1/n
    AAE          x -> z           inferred | prior        1 - y, x                             1/n
    CycleGAN     s -> t           carried over | data     1 - y, s                             1/n
    BiGAN        z -> x, x -> z   (x, z) of p | of q      1 - y, in both domains               1/n
    VAE          x -> z           data, no label          x, and log p(z)/q(z|x)               1/n
    AAVAE        x -> z           x made | x of data      x, and log p(z)/q(z|x)               q(y=1|x)/n
    wake, sleep  x -> z, z -> x   no label                x; z (the walk is held fixed)        1/n
    VAE/GAN      x -> z, z -> x   made | data             those of a VAE and of a GAN          1/n

The AAE is InfoGAN, and sleep is wake, with x and z exchanged. The side that starts is the KL that is
descended: KL(p || q) from the prior, which seeks modes, KL(q || p) from data, which covers them. A
discriminator descends `-log q(y|end)` of walks in both domains, held fixed: it infers the label as an
encoder infers a code.

Why. With densities known on both sides, a walk from a(s) along c(e|s), explained by b(e) back(s|e), has

    KL(a c || b back) = -E[ log back(s|e) + log b(e)/c(e|s) ] + const:             the evidence bound.

Where c is only sampled, a label stands in for the ratio b/c. Let p(e|0) be the law of the ends made, p(e|1)
of those given, p(y) = 1/2, m their mixture at the present parameters theta_0, and q^r(y|e) = q(1-y|e) the
reversed label. With q^r(e|y) for q^r(y|e) m(e), normalised, its definition alone gives for any q

    -E log q^r(y|e) = E_y KL(p(e|y) || q^r(e|y)) - E_y KL(p(e|y) || m) + const,

and at theta_0 the last term has the gradient of JSD(p(e|0), p(e|1)), as a mixture's own score has mean zero:
lemma 1. At the best q, q^r(e|0) is p(e|1): the generator descends KL(p(e|0) || p(e|1))/2 - JSD, equation 8.
Lemma 2: where the label is known, the same mixture's evidence has the slope of half the VAE's.

Hu et al. (2018), arXiv:1706.00550.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.nn import log_sigmoid, sigmoid, softmax

from ..core import Batch, each
from .divergences.f_divergence import FDivergence


class Walk(NamedTuple):
    """ONE example on its way from `start` to `end`, under its condition."""

    start: Any
    end: Any
    cond: Any = None


def logistic(logit):
    """`(log q(0|end), log q(1|end))` of the logit of y = 1: the discriminator of a GAN."""
    return log_sigmoid(-logit), log_sigmoid(logit)


class Components(NamedTuple):
    """What a row is made of; every function takes ONE example.

    made:         the domain y = 0, `(params, key, x, cond) -> Walk` for an example x of the data.
    given:        the domain y = 1, the same; None where there is no label to tell.
    discriminate: `(params, walk) -> ` the logit of y = 1; None likewise.
    back:         `(params, key, walk) -> ` the nats of what else is told back from the end, or None.
    link:         logit -> the scores of y = 0 and y = 1: `logistic`, or `dual_of` an f-divergence.
    prior:        p(y = 1). A loss is twice the expectation: at 1/2, means over the domains.
    """

    made: Callable[..., Any]
    given: Any = None
    discriminate: Any = None
    back: Any = None
    link: Callable[..., Any] = logistic
    prior: float = 0.5


# --- which label is told: (scores of y = 0 and of y = 1, y) -> score ---------------------------------


def straight(scores, y):
    """The true label: what a discriminator tells."""
    return scores[y]


def reverse(scores, y):
    """The other label, `q^r(y|end) = q(1-y|end)`: what one who is judged wants told."""
    return scores[1 - y]


def minimax(scores, y):
    """Not the true label: the zero-sum game, whose slope vanishes where the discriminator is sure."""
    return -scores[y]


def dual_of(divergence: FDivergence):
    """The link of an f-GAN: scores `-f*(T)` and `T` of the critic's output, with `T` its activation.

    With `minimax` both players have the bound on D_f(data || made) for their stake; with `reverse` the
    generator follows section 3.2 of Nowozin et al. (2016), arXiv:1606.00709.
    """
    return lambda v: (-divergence.conjugate(v), divergence.activation(v))


# --- how much a walk counts: logits f32[n] -> weights f32[n], always held fixed ------------------------


def alike(logits):
    """1/n each."""
    return jnp.full(logits.shape, 1 / len(logits))


def importance(logits):
    """`w_i = q^r(0|x_i) / q(0|x_i) = D/(1 - D) = exp(logit_i)`, normalised: a softmax over the batch.

    The k-sample bound of the IWGAN, equation 16: walks that come nearer to data count for more; at the
    best D, `D/(1 - D)` times the law of the walks made is that of the data.
    """
    return softmax(logits)


def convincing(temperature: float = 1.0):
    """`q^r(0|x_i)/n = D(x_i)/n`, logits divided by a temperature: the weights of the AAVAE, equation 17.

    What is real counts by how hard it is to tell from the made, and what is made by how well it deceives.
    """
    return lambda logits: sigmoid(logits / temperature) / len(logits)


# --- the program of every player -------------------------------------------------------------------


def explain(
    parts: Components,
    label: Callable[..., Any] | None = None,
    domains: Sequence[int] = (0,),
    weigh: Callable[..., Any] = alike,
    fixed: bool = False,
):
    """`-sum_y 2 p(y) sum_i w_i [label + back]` over the walks of some domains: a player's loss.

    No `label` tells none. With `fixed`, walks are held fixed and only those who explain them learn. Weights
    that differ are logged as their `effective_sample_size`, `(sum w)^2 / sum w^2`.
    """

    def loss(params, carry, key, batch):
        total, weights = jnp.zeros(()), []
        for y in domains:
            walks = walked(parts, y, fixed, params, key, batch)
            logits = judged(parts, params, walks, len(jax.tree.leaves(batch.x)[0]))
            told = jnp.zeros(())
            if label is not None:
                told += label(parts.link(logits), y)
            if parts.back is not None:
                keys = jax.random.split(jax.random.fold_in(key, 2 + y), len(logits))
                told += jax.vmap(parts.back, (None, 0, 0))(params, keys, walks)
            weights.append(jax.lax.stop_gradient(weigh(logits)))
            total -= 2 * (parts.prior if y else 1 - parts.prior) * jnp.sum(weights[-1] * told)
        w = jnp.concatenate(weights)
        w = w / w.max()  # squares of small weights would be zero
        size = {} if weigh is alike else {"effective_sample_size": w.sum() ** 2 / (w**2).sum()}
        return total, (carry, size)

    return loss


def discriminator(parts: Components, penalties: Sequence[Callable[..., Any]] = ()):
    """`-E log q(y|end)` of walks in both domains, held fixed: the loss of who tells them apart.

    `penalties` are those of `objectives.adversarial`, on the ends of both domains.
    """
    game = explain(parts._replace(back=None), straight, (0, 1), fixed=True)

    def loss(params, carry, key, batch):
        total, (carry, metrics) = game(params, carry, key, batch)
        made, given = (walked(parts, y, True, params, key, batch) for y in (0, 1))

        def judge(ends):
            there = given._replace(end=ends.x, cond=ends.cond)
            return jax.vmap(parts.discriminate, (None, 0))(params, there)

        sides = [Batch(walks.end, walks.cond) for walks in (given, made)]
        for i, penalty in enumerate(penalties):
            total += penalty(judge, jax.random.fold_in(key, 4 + i), *sides)
        return total, (carry, metrics)

    return loss


def walked(parts: Components, y: int, fixed: bool, params, key, batch) -> Walk:
    """A walk of domain y for each example of the batch; the same for the same key."""
    walks = each((parts.made, parts.given)[y], params, jax.random.fold_in(key, y), batch)
    return jax.lax.stop_gradient(walks) if fixed else walks


def judged(parts: Components, params, walks, n: int):
    """Logits `f32[n]`, zeros where nobody discriminates.

    Raises ValueError if who discriminates gives anything but a scalar.
    """
    if parts.discriminate is None:
        return jnp.zeros(n)
    logits = jax.vmap(parts.discriminate, (None, 0))(params, walks)
    if logits.ndim != 1:
        raise ValueError(
            f"unified: got a discriminator's answer of shape {logits.shape[1:]} for one example, wanted a "
            "scalar; take its only entry"
        )
    return logits
