"""All numbers of a model at once."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.core import Batch, Distribution, Event, Model, Unnormalized, initial
from probtransform.evaluation import as_reals, evaluate, measure
from probtransform.families import registry

KEY = jax.random.key(0)
NAMES = {
    "claim",
    "bits_per_dim",
    "bits_per_dim_se",
    "bits_per_dim_kind",
    "bound_bits_per_dim",
    "mmd",
    "mmd_floor",
    "mmd_squared",
    "mmd_squared_floor",
    "sliced_wasserstein",
    "sliced_wasserstein_floor",
}


def start(model):
    return jax.jit(lambda key: initial(model, key))(KEY)


def halves(batch):
    n = len(batch.x) // 2
    return (jax.tree.map(lambda a: a[:n], batch), jax.tree.map(lambda a: a[n:], batch))


@pytest.mark.parametrize(
    "family, claim, kind",
    [
        ("gaussian", "Exact", "exact"),
        ("autoregressive", "Exact", "exact"),
        ("gan", "None", None),
    ],
)
def test_what_each_claim_reports(family, claim, kind):
    model, batch = registry[family].tiny()
    event = Event((3,), levels=3) if family == "autoregressive" else Event((2,))
    train, test = halves(batch)
    seen = evaluate(model, start(model), event, train, test, KEY)
    assert set(seen) == NAMES
    assert (seen["claim"], seen["bits_per_dim_kind"]) == (claim, kind)
    assert (seen["bits_per_dim"] is None) == (claim == "None")
    assert seen["bound_bits_per_dim"] is None
    for name in ("mmd", "mmd_floor", "sliced_wasserstein", "sliced_wasserstein_floor"):
        assert type(seen[name]) is float and math.isfinite(seen[name])


def test_a_bound_reports_itself_plain_and_sharpened():
    model, batch = registry["vae"].tiny()
    params, (train, test) = start(model), halves(batch)
    seen = evaluate(model, params, Event((2,)), train, test, KEY)
    assert set(seen) == NAMES and seen["claim"] == "Bound"
    assert seen["bits_per_dim_kind"] == "importance bound (K=64)"
    assert seen["bound_bits_per_dim"] > seen["bits_per_dim"] + 0.01
    one = evaluate(model, params, Event((2,)), train, test, KEY, samples=1)
    assert one["bits_per_dim_kind"] == "bound"
    assert one["bound_bits_per_dim"] == one["bits_per_dim"]
    assert one["mmd"] == seen["mmd"]


def gaussian_of_labels(density):
    """`x | label ~ N(5 label, 1)`, which only the right label can match."""

    def sample(params, key, cond=None):
        return 5.0 * cond + jax.random.normal(key, (2,))

    return Model(Distribution(lambda key: {}, sample, density), {})


def labelled(key, n=600):
    labels = jnp.arange(n) % 3
    return Batch(5.0 * labels[:, None] + jax.random.normal(key, (n, 2)), labels)


def test_conditional_models_meet_the_test_halfs_labels():
    train, test = labelled(jax.random.key(1)), labelled(jax.random.key(2))
    model, event = gaussian_of_labels(None), Event((2,), classes=3)
    seen = evaluate(model, {}, event, train, test, KEY)
    assert seen["mmd"] < 2 * seen["mmd_floor"] and abs(seen["mmd_squared"]) < 0.01
    assert seen["sliced_wasserstein"] < 2 * seen["sliced_wasserstein_floor"]
    zeros = test._replace(cond=jnp.zeros_like(test.cond))
    wrong = evaluate(model, {}, event, train, zeros, KEY)
    assert wrong["mmd_squared"] > 0.1 and wrong["sliced_wasserstein"] > 2
    assert wrong["mmd_floor"] == pytest.approx(seen["mmd_floor"])


def test_an_unnormalised_density_has_no_bits():
    energy = Unnormalized(lambda params, key, x, cond=None: jnp.zeros(()))
    seen = evaluate(
        gaussian_of_labels(energy), {}, Event((2,), classes=3), labelled(KEY), labelled(KEY), KEY
    )
    assert seen["claim"] == "Unnormalized" and seen["bits_per_dim"] is None


@pytest.mark.parametrize("train, test, count", [(50, 300, 50), (900, 30, 30), (2500, 2400, 2000)])
def test_counts_are_equal_and_at_most_two_thousand(monkeypatch, train, test, count):
    asked = []
    monkeypatch.setattr(measure, "mmd", lambda x, y, *_, **__: asked.append((len(x), len(y))) or 0)
    model = Model(Distribution(lambda key: {}, lambda *_: jnp.zeros(2), None), {})
    x = jax.random.normal(KEY, (2500, 2))
    evaluate(model, {}, Event((2,)), Batch(x[:train]), Batch(x[-test:]), KEY)
    assert set(asked) == {(count, count)}


def test_levels_become_the_middles_of_their_cells():
    np.testing.assert_allclose(
        as_reals(jnp.arange(4, dtype=jnp.uint8), Event((4,), levels=4)), [-0.75, -0.25, 0.25, 0.75]
    )
    x = jnp.ones(3)
    assert as_reals(x, Event((3,))) is x
