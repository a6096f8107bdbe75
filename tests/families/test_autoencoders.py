"""Autoencoders whose codes get a law of their own: whatever law, and without a say in the codes."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from probtransform.core import Batch, Event, initial, sample_many
from probtransform.families.aae import aae
from probtransform.families.autoencoder import two_clouds
from probtransform.families.coded import coded, mixture, perceptrons
from probtransform.families.denoising_autoencoder import denoising_autoencoder
from probtransform.families.rae import rae
from probtransform.families.realnvp import realnvp
from probtransform.families.wae import wae
from probtransform.objectives import autoencoding
from probtransform.training import fit, learner

KEY = jax.random.key(0)
EVENT, BATCH = Event((2,)), two_clouds()
CODER = perceptrons(EVENT, 2, 16, 2)
LOSS = autoencoding(CODER.encode, CODER.decode)


def codes_of(params, x):
    return np.asarray(jax.vmap(CODER.encode.apply, (None, 0, None))(params["encoder"], x, None))


@pytest.mark.parametrize(
    "prior",
    [
        mixture(2, 4, 0),
        pytest.param(realnvp(EVENT, layers=2, width=16), marks=pytest.mark.slow),
    ],
    ids=["mixture", "flow"],
)
def test_any_law_of_codes_makes_samples_that_lie_where_the_data_do(prior):
    model = coded(prior, EVENT, CODER, LOSS)
    params = fit(model, optax.adam(3e-3), BATCH, steps=1500, batch=64).state.params
    codes = codes_of(params, BATCH.x)
    rebuilt = jax.vmap(CODER.decode.apply, (None, 0, None))(params["decoder"], codes, None)
    assert np.mean(np.sum((rebuilt - BATCH.x) ** 2, 1)) < 0.02  # of a variance of about 2.2
    drawn = np.asarray(sample_many(model.distribution, params, KEY, 2000))
    np.testing.assert_allclose(drawn.mean(0), np.mean(BATCH.x, 0), atol=0.2)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(np.asarray(BATCH.x).T), atol=0.3)
    assert np.mean(np.sign(drawn[:, 0]) == np.sign(drawn[:, 1])) > 0.9


def test_the_mixture_starts_on_codes_and_has_no_say_in_them():
    model = coded(mixture(2, 4, 0), EVENT, CODER, LOSS)
    params = learner(model, optax.sgd(0.0)).init(KEY, BATCH).params
    codes = codes_of(params, BATCH.x)
    for mean in np.asarray(params["mixture"]["mean"]):
        assert np.abs(codes - mean).sum(1).min() < 1e-5
    slope = jax.grad(lambda p: model.players["mixture"].loss(p, (), KEY, BATCH)[0])(params)
    assert all((leaf == 0).all() for leaf in jax.tree.leaves((slope["encoder"], slope["decoder"])))
    assert any((leaf != 0).any() for leaf in jax.tree.leaves(slope["mixture"]))


def test_penalties_of_rae_are_those_of_its_numbers():
    numbers = {"codes": 0.0, "weights": 0.0, "slope": 0.0}
    found = {}
    for name, weight in {"none": 0.0, "codes": 0.4, "weights": 0.1, "slope": 0.2}.items():
        model = rae(EVENT, 2, 16, 2, 4, **numbers | ({name: weight} if weight else {}))
        params = initial(model, KEY)
        found[name] = model.players["autoencoder"].loss(params, (), KEY, BATCH)[1][1]["penalty"]
    codes = codes_of(params, BATCH.x)
    assert found["none"] == 0
    np.testing.assert_allclose(found["codes"], 0.2 * np.square(codes).sum(1).mean(), rtol=1e-4)
    square = sum(np.square(leaf).sum() for leaf in jax.tree.leaves(params["decoder"]))
    np.testing.assert_allclose(found["weights"], 0.1 * square, rtol=1e-4)
    jacobian = jax.jacfwd(lambda z: CODER.decode.apply(params["decoder"], z, None))
    slopes = np.square(jax.vmap(jacobian)(codes)).sum((1, 2))
    np.testing.assert_allclose(found["slope"], 0.2 * slopes.mean(), rtol=0.3)


def test_codes_of_wae_are_drawn_to_the_prior():
    model = wae(EVENT, latent=2, width=16)
    params = fit(model, optax.adam(3e-3), BATCH, steps=1000, batch=128).state.params
    codes = codes_of(params, BATCH.x)
    np.testing.assert_allclose(codes.mean(0), 0, atol=0.3)
    np.testing.assert_allclose(np.cov(codes.T), np.eye(2), atol=0.5)


@pytest.mark.parametrize(
    "prior, names",
    [
        (aae(EVENT, latent=2, width=8), r"\['autoencoder', 'encoder'\]"),
        (mixture(2, 4, 0)._replace(extra={"encoder": CODER.encode.init}), r"\['encoder'\]"),
    ],
)
def test_a_law_of_codes_leaves_the_names_of_the_autoencoder_to_it(prior, names):
    with pytest.raises(ValueError, match=f"coded: got a model of codes that has {names} itself"):
        coded(prior, EVENT, CODER, LOSS)


@pytest.mark.parametrize("number", [-0.2, float("nan"), float("inf")])
@pytest.mark.parametrize(
    "family, name, who",
    [
        (wae, "weight", "like_prior: got weight"),
        (rae, "codes", "small_codes: got weight"),
        (rae, "weights", "small_weights: got weight"),
        (rae, "slope", "small_slope: got weight"),
        (denoising_autoencoder, "noise", "autoencoding: got noise"),
    ],
)
def test_numbers_that_mean_nothing_are_named(family, name, who, number):
    with pytest.raises(ValueError, match=f"{who}={number}, wanted a finite number >= 0"):
        family(EVENT, **{name: number})


def test_levels_come_back_as_levels():
    event = Event((3,), levels=4)
    coder = perceptrons(event, 3, 16, 2)
    model = coded(mixture(3, 2, 0), event, coder, autoencoding(coder.encode, coder.decode))
    drawn = sample_many(model.distribution, initial(model, KEY), KEY, 50)
    assert drawn.dtype == jnp.uint8 and drawn.shape == (50, 3)
    assert drawn.max() < 4 and len(np.unique(drawn)) > 2
    batch = Batch(drawn)
    assert np.isfinite(model.players["autoencoder"].loss(initial(model, KEY), (), KEY, batch)[0])
