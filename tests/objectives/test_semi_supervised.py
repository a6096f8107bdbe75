"""A few labels, on three normals of the line: every bound and every sum is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp
from scipy.stats import norm

from probtransform.core import (
    Batch,
    Distribution,
    Event,
    Exact,
    Maybe,
    Network,
    Unnormalized,
    log_density,
    sample_many,
)
from probtransform.distributions import gaussian, over_labels
from probtransform.families.semi_supervised_vae import semi_supervised_vae
from probtransform.objectives import classify_codes, semi_supervised
from probtransform.transforms import decoder

KEY = jax.random.key(0)
MEANS, PRIOR = np.array([-1.5, 0.2, 2.0]), np.array([0.3, -0.4, 0.6])
W, B = np.array([[-1.0], [0.2], [0.9]]), np.array([0.1, 0.3, -0.2])
X = np.array([[-1.7], [0.3], [1.1], [2.4]])
PARAMS = {"labels": jnp.asarray(PRIOR), "classifier": {"W": jnp.asarray(W), "b": jnp.asarray(B)}}


def three_normals() -> Distribution[Exact]:
    """`p(x|y) = N(x; MEANS[y], 1)`."""

    def sample(params, key, cond=None):
        return jnp.asarray(MEANS)[cond] + jax.random.normal(key, (1,))

    def fn(params, key, x, cond=None):
        return jax.scipy.stats.norm.logpdf(x, jnp.asarray(MEANS)[cond]).sum()

    return Distribution(lambda key: {}, sample, Exact(fn))


CLASSIFIER = Network(lambda key: {}, lambda p, x, cond: p["W"] @ x + p["b"])
JOINT = norm.logpdf(X, MEANS) + log_softmax(PRIOR)  # [4, 3]: log p(x, y)
LOG_Q = log_softmax(X @ W.T + B, axis=1)


def at(cond, weight=0.0, params=PARAMS):
    loss = semi_supervised(three_normals(), CLASSIFIER, 3, weight)
    value, (_, metrics) = jax.jit(loss)(params, (), KEY, Batch(jnp.asarray(X), cond))
    return float(value), metrics


def test_without_labels_the_bound_is_the_sum_over_all():
    wanted = (np.exp(LOG_Q) * (JOINT - LOG_Q)).sum(1).mean()
    absent = Maybe(jnp.asarray([2, 0, 1, 1]), jnp.zeros(4, bool))
    for cond in (None, absent):
        np.testing.assert_allclose(at(cond)[0], -wanted, rtol=1e-5)


def test_it_is_below_the_density_by_the_divergence_of_the_classifier():
    exact = logsumexp(JOINT, 1)
    posterior = JOINT - exact[:, None]
    gap = (np.exp(LOG_Q) * (LOG_Q - posterior)).sum(1).mean()
    np.testing.assert_allclose(-at(None)[0], exact.mean() - gap, rtol=1e-5)
    # p(y|x) of normals alike is softmax(x m - m^2 / 2 + prior): a linear classifier may be exact
    best = {"W": jnp.asarray(MEANS[:, None]), "b": jnp.asarray(PRIOR - MEANS**2 / 2)}
    np.testing.assert_allclose(
        -at(None, params=PARAMS | {"classifier": best})[0], exact.mean(), rtol=1e-5
    )


def test_labels_count_where_they_are_and_teach_the_classifier():
    labels, present = np.array([0, 2, 1, 2]), np.array([True, False, True, True])
    known = JOINT[np.arange(4), labels]
    unknown = (np.exp(LOG_Q) * (JOINT - LOG_Q)).sum(1)
    told = LOG_Q[np.arange(4), labels][present].mean()
    value, metrics = at(Maybe(jnp.asarray(labels), jnp.asarray(present)), weight=0.7)
    wanted = -np.where(present, known, unknown).mean() - 0.7 * told
    np.testing.assert_allclose(value, wanted, rtol=1e-5)
    right = (LOG_Q.argmax(1) == labels)[present].mean()
    assert 0 < right < 1
    np.testing.assert_allclose(metrics["accuracy"], right, rtol=1e-6)
    plain = at(jnp.asarray(labels), weight=0.7)[0]
    np.testing.assert_allclose(
        plain, -known.mean() - 0.7 * LOG_Q[np.arange(4), labels].mean(), rtol=1e-5
    )


def test_what_a_label_cannot_have_has_no_mass_and_leaves_the_other_labels_alone():
    """Uniforms on [y, y+1): under its own label x = 1.5 has `log p(x, y) = log p(y)`, elsewhere none."""

    def fn(params, key, x, cond=None):
        return jnp.where(jnp.floor(x[0]) == cond, 0.0, -jnp.inf)

    law = Distribution(lambda key: {}, None, Exact(fn))
    loss = semi_supervised(law, CLASSIFIER, 3, 0.0)

    def nats(params, label):
        batch = Batch(jnp.asarray([[1.5]]), jnp.asarray([label]))
        return -loss(params, (), KEY, batch)[0]

    value, slope = jax.value_and_grad(nats)(PARAMS, 1)
    np.testing.assert_allclose(value, log_softmax(PRIOR)[1], rtol=1e-5)
    wanted = np.eye(3)[1] - np.exp(log_softmax(PRIOR))
    np.testing.assert_allclose(slope["labels"], wanted, rtol=1e-5)
    assert all((leaf == 0).all() for leaf in jax.tree.leaves(slope["classifier"]))
    assert nats(PARAMS, 0) == nats(PARAMS, 2) == -np.inf


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_a_weight_is_a_number_at_least_zero(weight):
    with pytest.raises(ValueError, match=f"semi_supervised: got weight={weight}"):
        semi_supervised_vae(Event((2,)), label_weight=weight)


def test_a_label_out_of_range_is_not_a_number():
    assert np.isnan(at(jnp.asarray([0, 1, 3, 0]))[0])


def test_a_law_of_labels_is_the_mixture_where_they_are_absent():
    law = over_labels(three_normals(), 3)
    assert isinstance(law.density, Exact)
    for x, joint in zip(X, JOINT, strict=True):
        for cond in (None, Maybe(jnp.asarray(1), jnp.asarray(False))):
            nats = log_density(law, PARAMS, KEY, jnp.asarray(x), cond)
            np.testing.assert_allclose(nats, logsumexp(joint), rtol=1e-5)
        for y in range(3):
            for cond in (jnp.asarray(y), Maybe(jnp.asarray(y), jnp.asarray(True))):
                nats = log_density(law, PARAMS, KEY, jnp.asarray(x), cond)
                np.testing.assert_allclose(nats, norm.logpdf(x[0], MEANS[y]), rtol=1e-5)


def test_samples_without_a_label_are_those_of_the_mixture():
    law, n = over_labels(three_normals(), 3), 20_000
    share = np.exp(log_softmax(PRIOR))
    drawn = np.asarray(sample_many(law, PARAMS, KEY, n, chunk=n))
    mean = share @ MEANS
    variance = 1 + share @ MEANS**2 - mean**2
    assert abs(drawn.mean() - mean) < 5 * np.sqrt(variance / n)
    assert abs(drawn.var() / variance - 1) < 0.05
    of_one = np.asarray(sample_many(law, PARAMS, KEY, n, jnp.full(n, 2), chunk=n))
    assert abs(of_one.mean() - MEANS[2]) < 5 / np.sqrt(n) and abs(of_one.std() - 1) < 0.05


def test_codes_are_classified_and_held_still():
    """The encoder's draw is nearly sure: `z = 2 x`, so the loss is a cross-entropy of it."""
    still = Network(lambda key: {}, lambda p, z, cond: jnp.zeros(2))
    sure = Network(
        lambda key: {"slope": jnp.asarray(2.0)},
        lambda p, x, cond: jnp.concatenate([p["slope"] * x, jnp.full(1, -7.0)]),
    )
    step = decoder(still, sure, gaussian((1,)))
    params = {"decoder": step.init(KEY), "classifier": PARAMS["classifier"]}
    labels, present = np.array([0, 2, 1, 2]), np.array([True, False, True, True])
    batch = Batch(jnp.asarray(X, jnp.float32), Maybe(jnp.asarray(labels), jnp.asarray(present)))
    loss = classify_codes(step, CLASSIFIER, 3)
    log_q = log_softmax(2 * X @ W.T + B, axis=1)
    wanted = -log_q[np.arange(4), labels][present].mean()
    (value, (_, metrics)), grads = jax.value_and_grad(loss, has_aux=True)(params, (), KEY, batch)
    np.testing.assert_allclose(value, wanted, atol=5e-3)
    right = (log_q.argmax(1) == labels)[present].mean()
    np.testing.assert_allclose(metrics["accuracy"], right, rtol=1e-6)
    np.testing.assert_array_equal(grads["decoder"]["encoder"]["slope"], 0)
    assert abs(grads["classifier"]["W"]).min() > 0


def test_labels_whose_constants_are_unknown_are_no_mixture():
    law = three_normals()
    unknown = law._replace(density=Unnormalized(law.density.fn))
    with pytest.raises(ValueError, match="claims Unnormalized, wanted Exact or Bound"):
        over_labels(unknown, 3)
