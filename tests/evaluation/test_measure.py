"""All numbers of a model at once."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.core import Batch, Distribution, Event, Model, Unnormalized, initial
from probtransform.data import load
from probtransform.evaluation import as_reals, evaluate, measure
from probtransform.families import registry
from probtransform.features import digits_classifier

KEY = jax.random.key(0)
CLAIMED = {
    "claim",
    "bits_per_dim",
    "bits_per_dim_se",
    "bits_per_dim_kind",
    "bound_bits_per_dim",
    "count",
    "not_asked",
}
SAMPLED = {
    *("mmd", "mmd_squared", "sliced_wasserstein", "wasserstein", "energy_distance", "two_sample"),
    *("precision", "recall", "density", "coverage", "authenticity", "nearest_ratio"),
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
    asked = SAMPLED - ({"authenticity", "nearest_ratio"} if event.levels else set())
    assert set(seen) == CLAIMED | asked | {f"{name}_floor" for name in asked} | {"two_sample_se"}
    why = {"bits_per_dim"} if claim == "None" else set()
    why |= (
        {"authenticity"} if event.levels else set()
    )  # of 27 symbols new data are training data too
    assert set(seen["not_asked"]) == {"FD", "KD", "inception_score"} | why
    assert (seen["claim"], seen["bits_per_dim_kind"]) == (claim, kind)
    assert (seen["bits_per_dim"] is None) == (claim == "None")
    assert seen["bound_bits_per_dim"] is None
    for name in asked:
        for number in (seen[name], seen[f"{name}_floor"]):
            assert type(number) is float and math.isfinite(number)


def test_a_bound_reports_itself_plain_and_sharpened():
    model, batch = registry["vae"].tiny()
    params, (train, test) = start(model), halves(batch)
    seen = evaluate(model, params, Event((2,)), train, test, KEY)
    assert set(seen) >= CLAIMED | SAMPLED and seen["claim"] == "Bound"
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


def test_a_flat_density_has_no_constant_and_no_bits():
    key = jax.random.key(1)
    energy = Unnormalized(lambda params, key, x, cond=None: jnp.zeros(()))
    seen = evaluate(
        gaussian_of_labels(energy), {}, Event((2,), classes=3), labelled(KEY), labelled(key), KEY
    )
    assert seen["claim"] == "Unnormalized" and seen["bits_per_dim"] is None
    assert "interval: got" in seen["not_asked"]["bits_per_dim"]


@pytest.mark.parametrize("train, test, count", [(50, 300, 50), (200, 5, 5), (2100, 2050, 2000)])
def test_counts_are_equal_and_at_most_two_thousand(monkeypatch, train, test, count):
    asked = []
    monkeypatch.setattr(measure, "distances", lambda x, y, *_: asked.append((len(x), len(y))) or {})
    monkeypatch.setattr(measure, "repeats", lambda *_: {})
    model = Model(
        Distribution(lambda key: {}, lambda p, key, c: jax.random.normal(key, (2,)), None), {}
    )
    x = jax.random.normal(KEY, (2500, 2))
    seen = evaluate(model, {}, Event((2,)), Batch(x[:train]), Batch(x[-test:]), KEY)
    assert asked == [(count, count)] * 2 and seen["count"] == count
    assert ("precision" in seen["not_asked"]) == (count <= 5)


def drawing(fn):
    """A model that samples `fn(key)` and claims nothing."""
    return Model(Distribution(lambda key: {}, lambda params, key, cond: fn(key), None), {})


def test_a_sampler_that_repeats_its_training_data_is_found_out():
    train, test = (Batch(jax.random.normal(jax.random.key(i), (400, 4))) for i in (1, 2))
    near = drawing(lambda key: train.x[jax.random.randint(key, (), 0, 400)])
    honest = drawing(lambda key: jax.random.normal(key, (4,)))
    copied, fresh = (evaluate(m, {}, Event((4,)), train, test, KEY) for m in (near, honest))
    for seen in (copied, fresh):  # all else looks right
        assert seen["wasserstein"] < 1.2 * seen["wasserstein_floor"]
        assert abs(seen["precision"] - 0.95) < 0.07
    assert abs(fresh["two_sample"] - 0.5) < 0.1
    assert copied["authenticity"] == 0.0 and copied["nearest_ratio"] < 0.01
    assert abs(fresh["authenticity"] - fresh["authenticity_floor"]) < 0.1
    assert fresh["nearest_ratio"] == pytest.approx(1, abs=0.15)


def test_samples_that_are_not_finite_are_counted_and_ask_no_more():
    x = Batch(jax.random.normal(KEY, (100, 2)))
    broken = drawing(lambda key: jnp.log(jax.random.normal(key, (2,))))
    seen = evaluate(broken, {}, Event((2,)), x, x, KEY)
    assert "of 100 samples are not finite" in seen["not_asked"]["samples"]
    assert 50 < int(seen["not_asked"]["samples"].split()[0]) < 95 and "mmd" not in seen


def test_distances_in_features_are_named_after_their_extractor():
    train, test = load("digits").train, load("digits").test
    event, extractor = load("digits").event, digits_classifier()
    x = jnp.asarray(train.x)
    again = drawing(lambda key: x[jax.random.randint(key, (), 360, len(train.x))])
    seen = evaluate(again, {}, event, train, test, KEY, extractor=extractor)
    assert seen["FD-digits"] < 2 * seen["FD-digits_floor"]
    assert abs(seen["KD-digits"]) < abs(seen["KD-digits_floor"]) + 0.1
    assert 8 < seen["inception_score"] < 10 and "FD" not in seen["not_asked"]


def test_levels_become_the_middles_of_their_cells():
    np.testing.assert_allclose(
        as_reals(jnp.arange(4, dtype=jnp.uint8), Event((4,), levels=4)), [-0.75, -0.25, 0.25, 0.75]
    )
    x = jnp.ones(3)
    assert as_reals(x, Event((3,))) is x
