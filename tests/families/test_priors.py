"""Priors that are learned: the mixture of posteriors against scipy, and what they share with the encoder."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from probtransform.core import Event, encode, initial, log_density, sample_many
from probtransform.distributions import posterior_mixture
from probtransform.families import vae
from probtransform.families.coding import decoder_of
from probtransform.families.flow_prior_vae import flow_prior_vae
from probtransform.families.vamp_vae import vamp_vae

KEY = jax.random.key(0)
SLOPE = np.array([[1.0, -0.5, 0.2], [0.3, 0.8, -1.0]])
INPUTS = np.array([[0.5, 1.0, -1.0], [2.0, 0.0, 0.4], [-1.0, 0.7, 0.0]])


def linear_posterior(params, u, cond):
    return params["encoder"] @ u, jnp.asarray([-0.5, 0.2]) * u[0]


LAW = posterior_mixture(linear_posterior, inputs=3, components=3, size=2)
PARAMS = {"encoder": jnp.asarray(SLOPE), "pseudo": jnp.asarray(INPUTS)}


def mixture(z, slope=SLOPE, inputs=INPUTS):
    means, scales = inputs @ slope.T, np.exp(np.outer(inputs[:, 0], [-0.5, 0.2]))
    return logsumexp(norm.logpdf(z, means, scales).sum(1)) - np.log(3)


def test_a_mixture_of_posteriors_is_that_mixture():
    assert jax.eval_shape(LAW.init, KEY)["pseudo"].shape == (3, 3)
    for z in np.random.default_rng(0).standard_normal((5, 2)):
        nats = log_density(LAW, PARAMS, KEY, jnp.asarray(z))
        np.testing.assert_allclose(nats, mixture(z), rtol=1e-5)
    n = 20_000
    drawn = np.asarray(sample_many(LAW, PARAMS, KEY, n, chunk=n))
    means, scales = INPUTS @ SLOPE.T, np.exp(np.outer(INPUTS[:, 0], [-0.5, 0.2]))
    second = (means**2 + scales**2).mean(0)
    assert (abs(drawn.mean(0) - means.mean(0)) < 5 * drawn.std(0) / np.sqrt(n)).all()
    assert (abs((drawn**2).mean(0) - second) < 5 * (drawn**2).std(0) / np.sqrt(n)).all()


def test_it_teaches_the_encoder_and_the_inputs():
    """Both gradients are those of central differences of the scipy mixture."""
    z, h = np.array([0.4, -0.7]), 1e-6
    with jax.enable_x64(True):
        params = {"encoder": jnp.asarray(SLOPE), "pseudo": jnp.asarray(INPUTS)}
        grads = jax.grad(lambda p: log_density(LAW, p, KEY, jnp.asarray(z)))(params)
    for name, given in (("encoder", SLOPE), ("pseudo", INPUTS)):
        for i in np.ndindex(given.shape):
            step = np.zeros_like(given)
            step[i] = h
            both = [
                mixture(z, given + s, INPUTS) if name == "encoder" else mixture(z, SLOPE, given + s)
                for s in (step, -step)
            ]
            np.testing.assert_allclose(grads[name][i], (both[0] - both[1]) / (2 * h), atol=1e-7)


def test_with_one_input_on_the_example_the_prior_is_its_posterior():
    """Then `log p(z) - log q(z|x)` is zero, and the bound is `log p(x|z)` alone."""
    event = Event((3,), levels=5)
    model = vamp_vae(event, latent=2, width=8, components=1)
    x = jnp.asarray([0, 3, 4], jnp.uint8)
    params = initial(model, KEY)
    noise = np.random.default_rng(0)
    params = jax.tree.map(lambda p: p + 0.3 * noise.standard_normal(p.shape), params)
    params = params | {"pseudo": (2 * (x.astype(jnp.float32) + 0.5) / 5 - 1)[None]}
    network, observation = decoder_of(event, 2, 8, 2)
    for seed in range(3):
        key = jax.random.key(seed)
        z = encode(model.distribution, params, key, x)
        numbers = network.apply(params["decoder"]["decoder"], z, None)
        nats = log_density(model.distribution, params, key, x)
        np.testing.assert_allclose(nats, observation.log_prob(numbers, x), rtol=1e-4)


def test_inputs_start_on_examples():
    model = vamp_vae(Event((2,)), latent=1, width=8, components=5)
    batch = vae.tiny()[1]
    params = model.prepare(initial(model, KEY), KEY, batch)
    np.testing.assert_allclose(params["pseudo"], batch.x[:5], atol=0.06)


def test_a_flow_that_is_the_identity_leaves_the_vae():
    """Before training, when the couplings are the identity: the same bound on average."""
    model = flow_prior_vae(Event((2,)), latent=3, width=8, layers=2, prior_width=8)
    plain = vae.vae(Event((2,)), latent=3, width=8)
    params = initial(model, KEY)
    x = jnp.asarray([0.4, -1.0])

    keys = jax.random.split(KEY, 20_000)
    first, second = (
        np.asarray(jax.jit(jax.vmap(lambda k: log_density(d, p, k, x)))(keys))
        for d, p in ((model.distribution, params), (plain.distribution, params))
    )
    error = np.hypot(first.std(), second.std()) / np.sqrt(20_000)
    assert abs(first.mean() - second.mean()) < 5 * error


@pytest.mark.parametrize("numbers", [{"components": 0}, {"size": 0}])
def test_what_does_not_fit_is_named(numbers):
    with pytest.raises(ValueError, match="posterior_mixture: got"):
        posterior_mixture(linear_posterior, **({"inputs": 3, "components": 3, "size": 2} | numbers))
    with pytest.raises(ValueError, match="posterior_mixture: got an example of shape"):
        log_density(LAW, PARAMS, KEY, jnp.zeros(3))
