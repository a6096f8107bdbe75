"""The lemmas of Hu et al. (2018), arXiv:1706.00550, as certificates in float64.

On the left the slope of a loss as it is trained on, its walks placed at the nodes of Gauss-Hermite rules; on
the right the slope of the divergences of the lemma, summed over a grid from densities alone.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.nn import sigmoid
from jax.scipy.stats import norm

from probtransform.core import Batch, Distribution, Exact
from probtransform.objectives.unified import (
    Components,
    explain,
    importance,
    minimax,
    reverse,
)
from probtransform.objectives.walks import Kernel, evidence, from_data, walk

KEY = jax.random.key(0)
GRID = np.linspace(-14.0, 16.0, 20_001)
AT = np.array([0.3, 0.2])  # theta_0: mean and log-scale of what is made
close = partial(np.testing.assert_allclose, rtol=1e-6, atol=1e-9)


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def hermite(count: int):
    """Nodes and weights of the mean under a standard normal."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    return nodes, weights / weights.sum()


def integral(values):
    return jnp.sum(values) * (GRID[1] - GRID[0])


def log_data(x):
    """A mixture of two normals."""
    return jnp.logaddexp(norm.logpdf(x, 2.0, 0.7), norm.logpdf(x, 5.0, 1.0)) - jnp.log(2.0)


def log_made(theta, x):
    return norm.logpdf(x, theta[0], jnp.exp(theta[1]))


def kl(log_p, log_q):
    return integral(jnp.exp(log_p) * (log_p - log_q))


def jsd(log_p, log_q):
    middle = jnp.logaddexp(log_p, log_q) - jnp.log(2.0)
    return (kl(log_p, middle) + kl(log_q, middle)) / 2


# --- lemma 1 and equation 8 -----------------------------------------------------------------------------


def slope_of_the_generator(logit, label=reverse):
    """Of `2 E_{p(y)}`, half of which is the domain that theta moves."""
    nodes, weights = hermite(150)
    generate = Kernel(lambda params, key, z, cond: params[0] + jnp.exp(params[1]) * z)
    parts = Components(walk(from_data, generate), None, lambda params, at: logit(at.end))
    loss = explain(parts, label, weigh=lambda logits: jnp.asarray(weights))
    return jax.grad(lambda theta: loss(theta, (), KEY, Batch(jnp.asarray(nodes)))[0])(
        jnp.asarray(AT)
    )


def lemma_1(logit):
    """`E_{p(y)} KL(p_theta(x|y) || q^r(x|y)) - JSD`, q^r as any discriminator makes it at theta_0."""
    log_mixture = jnp.logaddexp(log_made(AT, GRID), log_data(GRID)) - jnp.log(2.0)

    def normalised(log_q):
        log_p = log_q + log_mixture
        return log_p - jnp.log(integral(jnp.exp(log_p)))

    like_data, like_made = (normalised(jax.nn.log_sigmoid(sign * logit(GRID))) for sign in (1, -1))

    def divergence(theta):
        made, data = log_made(theta, GRID), log_data(GRID)
        return (kl(made, like_data) + kl(data, like_made)) / 2 - jsd(made, data)

    return jax.grad(divergence)(jnp.asarray(AT))


CRITICS = {
    "any": lambda x: 0.4 * x - 0.7 + 0.05 * x**2,
    "another": lambda x: 1.0 + jnp.sin(x / 2) - 0.4 * x,
    "one that knows nothing": lambda x: 0.8 + 0.0 * x,
}


@pytest.mark.parametrize("name", CRITICS)
def test_lemma_1_holds_for_any_discriminator(name):
    logit = CRITICS[name]
    got = slope_of_the_generator(logit) / 2
    close(got, lemma_1(logit))
    if name == "one that knows nothing":  # the two divergences cancel
        close(got, 0.0)
    else:
        assert (abs(got) > 1e-3).any()


def best(x):
    """The logit of `p_data / (p_data + p_made)` at theta_0."""
    return log_data(x) - log_made(AT, x)


def test_equation_8_holds_for_the_best_discriminator():
    def divergence(theta):
        made, data = log_made(theta, GRID), log_data(GRID)
        return kl(made, data) / 2 - jsd(made, data)

    got = slope_of_the_generator(best) / 2
    close(got, jax.grad(divergence)(jnp.asarray(AT)), rtol=1e-5)
    assert (abs(got) > 1).all()  # far from the data the slope does not vanish, unlike that of
    close(
        slope_of_the_generator(best, minimax) / 2,
        jax.grad(lambda t: jsd(log_made(t, GRID), log_data(GRID)))(jnp.asarray(AT)),
        rtol=1e-5,
    )


def test_weighed_walks_of_the_best_discriminator_are_data():
    """`D*/(1 - D*) p_made = p_data`: the walks of an IWGAN, made at even quantiles, have data's moments."""
    n = 100_000
    wide = jnp.array([3.5, np.log(3.0)])
    x = wide[0] + jnp.exp(wide[1]) * jax.scipy.special.ndtri((jnp.arange(n) + 0.5) / n)
    w = importance(log_data(x) - log_made(wide, x))
    close(w.sum(), 1.0)
    close(w @ x, 3.5, rtol=1e-4)
    close(w @ x**2, (2.0**2 + 0.7**2 + 5.0**2 + 1.0) / 2, rtol=1e-4)


# --- lemma 2 -------------------------------------------------------------------------------------------

THETA, ETA = np.array([1.5, 2.0, -0.2]), np.array([0.4, -0.6, -0.3])
X, Z = np.linspace(-9.0, 13.0, 1_001), np.linspace(-7.0, 7.0, 351)
DX, DZ = X[1] - X[0], Z[1] - Z[0]


def log_likelihood(theta, x, z):
    return norm.logpdf(x, theta[0] * jnp.sin(z) + theta[1], jnp.exp(theta[2]))


def log_posterior(eta, z, x):
    return norm.logpdf(z, eta[0] * x + eta[1], jnp.exp(eta[2]))


# noise comes as the condition, so that walks go through the nodes of a rule
GENERATE = Kernel(
    log_prob=lambda params, x, z, cond: log_likelihood(params["theta"], x, z),
)
INFER = Kernel(
    lambda params, key, x, noise: (
        params["eta"][0] * x + params["eta"][1] + jnp.exp(params["eta"][2]) * noise
    ),
    lambda params, z, x, cond: log_posterior(params["eta"], z, x),
)
NORMAL = Distribution(
    lambda key: {}, lambda *inputs: None, Exact(lambda params, key, z, cond: norm.logpdf(z))
)


def product(*rules):
    """All combinations of the nodes of some rules, and the product of their weights."""
    nodes = np.stack(np.meshgrid(*(n for n, _ in rules), indexing="ij"), -1)
    weights = np.prod(np.stack(np.meshgrid(*(w for _, w in rules), indexing="ij"), -1), -1)
    return nodes.reshape(-1, len(rules)), weights.reshape(-1)


def data_nodes():
    (a, w), noise = hermite(40), hermite(40)
    x = np.concatenate([2.0 + 0.7 * a, 5.0 + 1.0 * a]), np.concatenate([w, w]) / 2
    return product(x, noise)


def made_nodes():
    """Samples at theta_0, held fixed, and the noise of the codes that are inferred of them."""
    nodes, weights = product(*(hermite(30) for _ in range(3)))
    z, of_x, noise = nodes.T
    return np.stack([THETA[0] * np.sin(z) + THETA[1] + np.exp(THETA[2]) * of_x, noise], -1), weights


def slope_of_the_autoencoder(logit):
    """Of the AAVAE's loss, its two domains one after another; every weight is that of a node times D."""

    def of(nodes, weights):
        parts = Components(
            walk(from_data, INFER),
            None,
            lambda params, at: logit(at.start),
            evidence(NORMAL, GENERATE, INFER),
        )
        loss = explain(parts, weigh=lambda logits: weights * sigmoid(logits))
        batch = Batch(*jnp.asarray(nodes.T))
        return jax.grad(lambda params: loss(params, (), KEY, batch)[0])(params)

    params = {"theta": jnp.asarray(THETA), "eta": jnp.asarray(ETA)}
    return jax.tree.map(jnp.add, of(*made_nodes()), of(*data_nodes()))


def inverse_divergence(told_real, told_made):
    """`E_{p_theta0(x)} KL(q_eta(z|x,y) q^r(y|x) || p_theta(z, y|x))` and its slope at theta_0.

    `told(x)` is q^r(y=0|x) of an x that is real, and of one that is made; where y = 1 is inferred, z has its
    prior, so that `p_theta(z, 1|x) = p(z|1) p_data(x) / 2 p_theta(x)` leaves no integral.
    """

    def log_evidence(theta):
        made = jnp.exp(norm.logpdf(Z) + log_likelihood(theta, X[:, None], Z)).sum(1) * DZ
        return jnp.log(made), jnp.logaddexp(jnp.log(made), log_data(X)) - jnp.log(2.0)

    at = log_evidence(jnp.asarray(THETA))[0]

    def divergence(params):
        theta, eta = params["theta"], params["eta"]
        log_x = log_evidence(theta)[1]
        log_q = log_posterior(eta, Z, X[:, None])
        joint = norm.logpdf(Z) + log_likelihood(theta, X[:, None], Z) - jnp.log(2.0)
        of_zero = (jnp.exp(log_q) * (log_q - joint)).sum(1) * DZ + log_x
        of_one = log_x - log_data(X) + jnp.log(2.0)

        def total(log_weight, told):
            entropy = -jax.scipy.special.entr(told) - jax.scipy.special.entr(1 - told)
            return (
                jnp.exp(log_weight) * (told * of_zero + (1 - told) * of_one + entropy)
            ).sum() * DX

        return (total(log_data(X), told_real) + total(at, told_made)) / 2

    return jax.grad(divergence)({"theta": jnp.asarray(THETA), "eta": jnp.asarray(ETA)})


def test_lemma_2_the_vae_knows_the_label():
    """A perfect discriminator infers y = 0 of all that is real and of nothing else."""
    wanted = inverse_divergence(jnp.ones(len(X)), jnp.zeros(len(X)))
    nodes, weights = data_nodes()
    parts = Components(walk(from_data, INFER), back=evidence(NORMAL, GENERATE, INFER))
    loss = explain(parts, weigh=lambda logits: jnp.asarray(weights))
    params = {"theta": jnp.asarray(THETA), "eta": jnp.asarray(ETA)}
    batch = Batch(*jnp.asarray(nodes.T))
    slope = jax.grad(lambda params: loss(params, (), KEY, batch)[0])(params)
    jax.tree.map(lambda got, want: close(got / 2, want), slope, wanted)


@pytest.mark.parametrize("name", CRITICS)
def test_lemma_2_the_aavae_infers_the_label(name):
    """With a discriminator of any kind in its place: equation 17 descends the same divergence."""
    told = sigmoid(CRITICS[name](X))
    slope, wanted = slope_of_the_autoencoder(CRITICS[name]), inverse_divergence(told, told)
    jax.tree.map(lambda got, want: close(got / 2, want), slope, wanted)
    assert min(float(abs(leaf).max()) for leaf in jax.tree.leaves(wanted)) > 1e-2
