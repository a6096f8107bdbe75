"""A law of labels: where a label is absent, the mixture of what is known of each."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ..core import Bound, Distribution, Exact, Maybe, join, one_hot
from ..core.check import disjoint
from ..core.distribution import stages_of


def over_labels(
    conditional: Distribution[Bound], classes: int, name: str = "labels"
) -> Distribution[Any]:
    """`p(x|y)` where the condition is a label y, and `p(x) = sum_y p(y) p(x|y)` where it is absent.

    The condition is a label, `Maybe` of one, or None, which says that it is absent. The block `name` holds
    the logits of `p(y)`, `f32[classes]`. The sum is exact, and below log p(x) where `conditional` bounds its
    own: `log sum_y p(y) exp L(x|y) >= sum_y q(y) (L(x|y) + log p(y) - log q(y))` for any q, the bound that a
    classifier q makes. A density costs `classes` of the conditional's; the claim is its own. It wants bounds
    of importance weights, `E[exp L] <= p(x|y)`: a density exact on average alone, such as one by an estimated
    trace, makes the sum too large on average.

    Kingma et al. (2014), arXiv:1406.5298, equation 7. Raises ValueError unless the conditional claims a
    bound: the constants of its labels would have to be known.
    """
    if not isinstance(conditional.density, Bound):
        raise ValueError(
            f"over_labels: got a conditional that claims {type(conditional.density).__name__}, wanted Exact "
            "or Bound; a constant for each label would have to be known"
        )

    def init(key):
        return disjoint("over_labels", conditional.init(key), {name: jnp.zeros(classes)})

    def label_of(params, key, cond):
        value, present = as_maybe(cond)
        drawn = jax.random.categorical(key, params[name])
        return jnp.where(present, value, drawn)

    def stages(params, key, cond=None, z=None):
        which, rest = jax.random.split(key)
        return stages_of(conditional)(params, rest, label_of(params, which, cond), z)

    def sample(params, key, cond=None):
        return stages(params, key, cond)[-1]

    def log_density(params, key, x, cond=None):
        nats = of_every_label(conditional, classes, params, key, x)
        label = as_maybe(cond)
        chances = jnp.where(label.present, 0.0, jax.nn.softmax(params[name]))
        return jax.nn.logsumexp(nats, b=one_hot(label, classes) + chances)

    claim = join(type(conditional.density), Exact)
    return Distribution(init, sample, claim(log_density), stages=stages)


def as_maybe(cond) -> Maybe:
    """A label, `Maybe` of one, or None, as `Maybe` of one."""
    if cond is None:
        return Maybe(jnp.asarray(0), jnp.asarray(False))
    value, present = cond if isinstance(cond, Maybe) else (cond, True)
    return Maybe(jnp.asarray(value), jnp.asarray(present))


def of_every_label(conditional: Distribution[Bound], classes: int, params, key, x):
    """What `conditional` claims of x under each label: `f32[classes]`, one key for all."""
    fn = conditional.density.fn
    return jax.vmap(lambda y: fn(params, key, x, y))(jnp.arange(classes))
