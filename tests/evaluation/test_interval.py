"""An energy whose constant is known: the interval holds the exact bits, and is narrow."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.core import Batch, Distribution, Event, Model, Unnormalized
from probtransform.evaluation import evaluate
from probtransform.evaluation.interval import bits_interval

KEY = jax.random.key(0)
MEANS = jnp.array([[3.0, 0.0, -1.0], [-2.0, 1.0, 1.0]])
OFFSET = 17.5  # what nobody is told


def log_p(x):
    """A mixture of two Gaussians, normalised."""
    each = -0.5 * ((x - MEANS) ** 2).sum(1) - 1.5 * math.log(2 * math.pi)
    return jax.nn.logsumexp(each) - math.log(2)


def draw(key):
    which, noise = jax.random.split(key)
    return MEANS[jax.random.randint(which, (), 0, 2)] + jax.random.normal(noise, (3,))


def many(seed, n):
    return jax.vmap(draw)(jax.random.split(jax.random.key(seed), n))


ENERGY = Distribution(
    lambda key: {},
    lambda params, key, cond=None: draw(key),
    Unnormalized(lambda params, key, x, cond=None: log_p(x) + OFFSET),
)


def test_the_interval_holds_the_exact_bits():
    test = many(1, 500)
    exact = -float(jax.vmap(log_p)(test).mean()) / (3 * math.log(2))
    found = bits_interval(ENERGY, {}, KEY, Batch(test), many(2, 400), many(3, 100))
    assert found.low <= exact <= found.high and found.high - found.low < 0.1
    assert found.log_z.lower == pytest.approx(OFFSET, abs=0.1)
    each = -np.asarray(jax.vmap(log_p)(test)) / (3 * math.log(2))
    assert found.standard_error == pytest.approx(each.std(ddof=1) / math.sqrt(500), rel=1e-4)


def test_evaluate_reports_the_interval():
    model, event = Model(ENERGY, {}), Event((3,))
    train, test = Batch(many(4, 300)), Batch(many(5, 300))
    seen = evaluate(model, {}, event, train, test, KEY)
    exact = -float(jax.vmap(log_p)(test.x).mean()) / (3 * math.log(2))
    assert seen["bits_per_dim_low"] <= exact <= seen["bits_per_dim_high"]
    assert seen["bits_per_dim"] == (seen["bits_per_dim_low"] + seen["bits_per_dim_high"]) / 2
    assert (
        seen["bits_per_dim_kind"] == "interval (annealed)"
        and "bits_per_dim" not in seen["not_asked"]
    )


def test_labels_of_reals_have_a_constant_each():
    """`f(x|y) = c_y N(x; m_y, I)`: both constants, and the exact bits of examples of both labels."""
    constants = jnp.array([17.5, -4.0])

    def log_p(x, y):
        return -0.5 * ((x - MEANS[y]) ** 2).sum() - 1.5 * math.log(2 * math.pi)

    law = Distribution(
        lambda key: {},
        lambda params, key, y: MEANS[y] + jax.random.normal(key, (3,)),
        Unnormalized(lambda params, key, x, y: log_p(x, y) + constants[y]),
    )
    labels = jnp.arange(500) % 5 // 4  # four of five have the first
    test = Batch(jax.vmap(law.sample, (None, 0, 0))({}, jax.random.split(KEY, 500), labels), labels)
    exact = -float(jax.vmap(log_p)(*test).mean()) / (3 * math.log(2))
    found = bits_interval(law, {}, KEY, test, many(2, 400), many(3, 100))
    assert found.low <= exact <= found.high and found.high - found.low < 0.1
    for side in (found.log_z.lower, found.log_z.upper):
        np.testing.assert_allclose(side, constants, atol=0.1)
    seen = evaluate(Model(law, {}), {}, Event((3,), classes=2), test, test, KEY)
    assert seen["bits_per_dim_low"] <= exact <= seen["bits_per_dim_high"]


def test_conditions_that_are_no_labels_and_too_many_levels_are_not_annealed():
    with pytest.raises(ValueError, match="got a condition that is no label"):
        bits_interval(ENERGY, {}, KEY, Batch(many(1, 5), jnp.ones(5)), many(2, 40), many(3, 10))
    x = jnp.full((5, 3), 99, jnp.uint8)
    with pytest.raises(ValueError, match="100 in each of 3 entries, wanted at most 256"):
        bits_interval(ENERGY, {}, KEY, Batch(x), x, x)


def test_a_density_that_breaks_is_said():
    broken = ENERGY._replace(density=Unnormalized(lambda p, k, x, c=None: jnp.nan * x[0]))
    with pytest.raises(ValueError, match="not finite"):
        bits_interval(broken, {}, KEY, Batch(many(1, 50)), many(2, 40), many(3, 40))


def test_draws_of_another_law_are_noticed():
    """All in the wide mode, which has a fifth of the mass: from above log Z is a nat too low."""

    def log_f(x):
        wide = jax.scipy.stats.norm.logpdf(x[0], -3, 1) + math.log(0.2)
        return jnp.logaddexp(wide, jax.scipy.stats.norm.logpdf(x[0], 3, 0.15) + math.log(0.8)) + 5.0

    law = ENERGY._replace(density=Unnormalized(lambda params, key, x, cond=None: log_f(x)))
    noise = np.random.default_rng(0).normal(size=(400, 1)).astype(np.float32)
    near = np.where(np.arange(400)[:, None] % 5 == 0, noise - 3, 0.15 * noise + 3)
    with pytest.raises(ValueError, match="wanted ends in order"):
        bits_interval(law, {}, KEY, Batch(near), near, noise[:100] - 3)
