"""An energy as the prior of a decoder: factor analysis with a narrower normal, whose evidence is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from linear_gaussian import MEAN, NOISE, C, D, W
from scipy.stats import multivariate_normal

from probtransform.core import Batch, Density, Network, each, pushforward
from probtransform.distributions import gaussian, normal
from probtransform.distributions.tilted import tilted
from probtransform.integrate import mala
from probtransform.objectives import persistent_contrast
from probtransform.transforms import decoder

KEY = jax.random.key(0)
A = 1.5  # the prior is N(0, I / (1 + A))
PRIOR = tilted(
    normal((C,)),
    Network(lambda key: jnp.asarray(A), lambda a, z, cond: a * jnp.sum(z**2) / 2),
    mala(0.2),
    100,
)


def linear(params, z):
    return jnp.concatenate([MEAN + params["W"] @ z, jnp.full(D, np.log(NOISE))])


def exact(params, x, cond):
    return jnp.concatenate([params["back"] @ (x - MEAN), params["log_scale"]])


@pytest.fixture(scope="module")
def model():
    """The prior, a decoder, and the encoder that is its posterior; `(distribution, params)`."""
    precision = np.diag((1 + A) * np.eye(C) + W.T @ W / NOISE**2)

    def fixed(**params):
        return lambda key: {name: jnp.asarray(p, jnp.float32) for name, p in params.items()}

    decode = Network(fixed(W=W), lambda params, z, cond: linear(params, z))
    back, log_scale = (W / precision / NOISE**2).T, -np.log(precision) / 2
    step = decoder(decode, Network(fixed(back=back, log_scale=log_scale), exact), gaussian((D,)))
    whole = pushforward(PRIOR, decoder=step)
    return whole, whole.init(KEY)


def evidence(a, w):
    return multivariate_normal(MEAN, w @ w.T / (1 + a) + NOISE**2 * np.eye(D))


def test_the_claim_is_a_bound_up_to_a_constant(model):
    """`log p(x) + log Z`, and with the posterior itself as encoder no key says otherwise."""
    whole, params = model
    assert type(whole.density) is Density
    x = np.random.default_rng(0).normal(size=(50, D)).astype(np.float32)
    nats = each(whole.density.fn, params, KEY, Batch(x))
    np.testing.assert_allclose(nats, evidence(A, W).logpdf(x) - C / 2 * np.log(1 + A), atol=1e-4)


def test_samples_are_of_the_evidence(model):
    whole, params = model
    keys = jax.random.split(KEY, 4000)
    x = np.asarray(jax.jit(jax.vmap(lambda k: whole.sample(params, k, None)))(keys))
    law = evidence(A, W)
    spread = np.sqrt(np.diag(law.cov) / len(x))
    assert (abs(x.mean(0) - MEAN) < 5 * spread).all()
    wide = np.sqrt(np.outer(np.diag(law.cov), np.diag(law.cov)) * 2 / len(x))
    assert (abs(np.cov(x.T) - law.cov) < 5 * wide).all()


def test_the_slope_is_that_of_the_evidence(model):
    """Chains that are draws of the prior: energy and decoder learn by maximum likelihood, Z counted."""
    whole, params = model
    x = np.random.default_rng(1).normal(0.3, 1.2, (2000, D)).astype(np.float32)
    count, draws = 20_000, 16
    chains = jax.random.normal(KEY, (draws, count, C)) / np.sqrt(1 + A)
    loss = persistent_contrast(
        PRIOR, lambda params, key, z, cond: z, lambda key: jnp.zeros(C), carried=whole
    )

    def slope(key, chains):
        return jax.grad(lambda p: loss(p, {"chains": chains}, key, Batch(x))[0])(params)

    slopes = jax.jit(jax.vmap(slope))(jax.random.split(KEY, draws), chains)

    def nats(a, w):
        return -evidence(a, w).logpdf(x.astype(float)).mean()

    def near(found, wanted):
        found = np.asarray(found, np.float64)
        error = found.std(0, ddof=1) / np.sqrt(draws)
        assert (abs(found.mean(0) - wanted) < 5 * error + 1e-4).all()
        assert (error < 0.05 * abs(wanted).max()).all()

    step = 1e-4
    near(slopes["energy"], (nats(A + step, W) - nats(A - step, W)) / (2 * step))
    ways = step * np.eye(D * C).reshape(D * C, D, C)
    moved = [(nats(A, W + way) - nats(A, W - way)) / (2 * step) for way in ways]
    near(slopes["decoder"]["decoder"]["W"], np.reshape(moved, (D, C)))
