"""Energy models before training, where the law is the data's normal, and at any parameters by quadrature."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from probtransform.core import Batch, Event, Maybe, each, initial, sample_many
from probtransform.families.ebm import ebm
from probtransform.families.energies import body_of
from probtransform.families.jem import jem

KEY = jax.random.key(0)
SLOW = pytest.mark.slow
SMALL = {"width": 16, "chains": 4, "moves": 1}


def prepared(model, x, shake=0.0):
    rng = np.random.default_rng(0)
    params = model.prepare(initial(model, KEY), KEY, Batch(x))
    moved = jax.tree.map(lambda p: p + shake * rng.normal(size=p.shape), params["energy"])
    return params | {"energy": jax.tree.map(lambda p: jnp.asarray(p, jnp.float32), moved)}


def data(shape):
    rng = np.random.default_rng(1)
    d = math.prod(shape)
    x = rng.normal(size=(500, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)
    return jnp.asarray(x.reshape(500, *shape), jnp.float32)


@pytest.mark.parametrize("shape", [pytest.param((3,), marks=SLOW), (1, 3, 1)])
def test_it_begins_as_the_normal_of_the_data(shape):
    x = data(shape)
    model = ebm(Event(shape), **SMALL)
    nats = each(model.distribution.density.fn, prepared(model, x), KEY, Batch(x))
    flat = np.asarray(x, np.float64).reshape(500, -1)
    cov = np.cov(flat.T, bias=True)
    law = multivariate_normal(flat.mean(0), cov + 0.02 * np.trace(cov) / 3 * np.eye(3))
    wanted = law.logpdf(flat)
    np.testing.assert_allclose(nats - nats.mean(), wanted - wanted.mean(), atol=2e-3)


def test_the_energy_of_an_image_is_of_its_pixels():
    """Beyond the normal, log f is what the network says of x as it is; the loss is chains less data."""
    event = Event((1, 3, 1))
    x, model = data(event.shape), ebm(event, **SMALL)
    params, flat = prepared(model, x), np.asarray(x, np.float64).reshape(500, -1)
    cov = np.cov(flat.T, bias=True)
    law = multivariate_normal(flat.mean(0), cov + 0.02 * np.trace(cov) / 3 * np.eye(3))
    loss = jax.jit(model.players["energy"].loss)
    value, (carry, _) = loss(params, model.carry(KEY), KEY, Batch(x))
    chains = multivariate_normal(np.zeros(3)).logpdf(carry["chains"]).mean()
    np.testing.assert_allclose(value, chains - law.logpdf(flat).mean(), atol=1e-3)
    params, body = prepared(model, x, 0.5), body_of(event, 1, 16, 2)
    nats = each(model.distribution.density.fn, params, KEY, Batch(x))
    said = jax.vmap(body.apply, (None, 0))(params["energy"], x.reshape(500, -1))[:, 0]
    np.testing.assert_allclose(nats, law.logpdf(flat) + said, atol=1e-2)


@pytest.mark.parametrize("shape, shake", [((2,), 0.25), pytest.param((1, 2, 1), 0.5, marks=SLOW)])
def test_chains_end_in_the_law_of_the_density(shape, shake):
    """Moments of draws against a sum over the plane, at parameters that are far from the normal."""
    x = data(shape)
    model = ebm(Event(shape), width=32, step_size=0.2, sweeps=60, chains=4, moves=1)
    params = prepared(model, x, shake)
    drawn = np.asarray(sample_many(model.distribution, params, KEY, 4000), np.float64).reshape(
        -1, 2
    )
    low, high = drawn.min(0) - 1, drawn.max(0) + 1
    axes = [np.linspace(a, b, 150) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, *shape)
    nats = each(model.distribution.density.fn, params, KEY, Batch(jnp.asarray(grid, jnp.float32)))
    p = np.exp(np.asarray(nats, np.float64) - nats.max())
    flat, p = grid.reshape(-1, 2), p / p.sum()
    normal = np.asarray(x, np.float64).reshape(-1, 2)
    away = abs(p @ flat - normal.mean(0)) / normal.std(0)
    assert away.max() > 0.1  # the tilt is felt
    for moment in (lambda v: v, lambda v: v**2, lambda v: v[:, :1] * v[:, 1:]):
        seen = moment(drawn)
        error = seen.std(0) / np.sqrt(len(seen))
        assert (abs(p @ moment(flat) - seen.mean(0)) < 5 * error).all()


@pytest.mark.parametrize("temperature", [1.0, 0.4])
def test_labels_are_the_entries_of_one_energy(temperature):
    """`log f(x|y) - log f(x) = log softmax f(x)[y]`: what a generative classifier says is the softmax."""
    x = data((2,))
    event = Event((2,), classes=3)
    model = jem(event, **SMALL, depth=1, temperature=temperature)
    params = prepared(model, x, 0.5)
    fn = model.distribution.density.fn
    z = jax.vmap(
        lambda v: jnp.linalg.solve(
            jnp.tril(params["affine"]["below"], -1)
            + jnp.diag(jnp.exp(params["affine"]["log_diagonal"])),
            v - params["affine"]["mean"],
        )
    )(x)
    body = body_of(event, 3, 16, 1)
    logits = temperature * jax.vmap(body.apply, (None, 0))(params["energy"], z)
    wanted = jax.nn.log_softmax(logits)
    absent = Maybe(jnp.zeros(500, int), jnp.zeros(500, bool))
    whole = each(fn, params, KEY, Batch(x, absent))
    normal = jax.scipy.stats.norm.logpdf(z).sum(1) - params["affine"]["log_diagonal"].sum()
    energy = np.log(np.exp(np.asarray(logits, float)).sum(1)) / temperature
    np.testing.assert_allclose(whole, normal + energy, atol=1e-3)
    for label in range(3):
        of_label = each(fn, params, KEY, Batch(x, jnp.full(500, label)))
        np.testing.assert_allclose(of_label - whole, wanted[:, label], atol=1e-3)
    assert np.isnan(each(fn, params, KEY, Batch(x, jnp.full(500, 3)))).all()


@pytest.mark.parametrize("classes", [0, 2])
def test_a_buffer_keeps_more_chains_than_walk(classes):
    event = Event((2,), classes=classes)
    labels = jnp.arange(500) % 2 if classes else None
    for family in (ebm, jem):
        model = family(event, **SMALL, buffer=20)
        params, carry = prepared(model, data((2,)), 0.5), model.carry(KEY)
        assert carry["chains"].shape == (20, 2)
        batch = Batch(data((2,)), labels)
        _, (after, _) = model.players["energy"].loss(params, carry, KEY, batch)
        walked = (after["chains"] != carry["chains"]).any(-1)
        assert 0 < walked.sum() <= 4


def test_wrong_sizes_are_refused():
    with pytest.raises(ValueError, match="sweeps=0"):
        ebm(Event((2,)), sweeps=0)
    with pytest.raises(ValueError, match="weight=-1"):
        jem(Event((2,), classes=2), contrast_weight=-1.0)
    with pytest.raises(ValueError, match="temperature=0"):
        jem(Event((2,), classes=2), temperature=0.0)
