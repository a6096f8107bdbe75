"""Riemannian flow matching: the family at rest is a normal; trained on manifolds it meets known entropies."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import i0
from scipy.stats import dirichlet, norm

from probtransform.core import Batch, Event, initial, log_density_many, sample_many
from probtransform.families.riemannian_flow import flow_on, riemannian_flow, tangents
from probtransform.paths import simplex, so3, sphere, torus
from probtransform.training import Recipe, averaged, fit, optimizer

KEY = jax.random.key(0)
RNG = np.random.default_rng(0)


def test_at_rest_it_is_the_normal_of_each_entry():
    x = RNG.standard_normal((500, 3)).astype(np.float32) * [1, 5, 0.2] + [0, 3, -1]
    x = np.float32(x)
    model = riemannian_flow(Event((3,)), width=8, depth=1, solver_steps=2)
    params = model.prepare(initial(model, KEY), KEY, Batch(x))
    found = log_density_many(model.distribution, params, KEY, x[:50])
    wanted = norm.logpdf(x[:50], x.mean(0), x.std(0)).sum(1)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "manifold", [sphere(2), so3(), simplex(2)], ids=["sphere", "rotations", "simplex"]
)
def test_a_network_of_tangents_is_one(manifold):
    network = tangents(manifold, 0, 8, 1, 2)
    noise = np.random.default_rng(0)
    params = jax.tree.map(lambda p: p + noise.standard_normal(p.shape), network.init(KEY))
    x = manifold.uniform(KEY)
    v = network.apply(params, x, jnp.asarray(0.3), None)
    assert jnp.linalg.norm(v) > 0.1
    np.testing.assert_allclose(manifold.project(x, v), v, atol=1e-5)


def trained(model, x, steps, rate=4e-3, batch=256):
    recipe = Recipe(steps=steps, rate=rate, batch=batch, average=0.99)
    fitted = fit(
        model, optimizer(recipe), Batch(jnp.asarray(x, jnp.float32)), steps=steps, batch=batch
    )
    return averaged(fitted.state)


def excess(model, params, x, truth):
    """`E log p_true - log p` on held-out points, nats: the divergence from the truth, and its error."""
    found = np.asarray(
        log_density_many(model.distribution, params, KEY, jnp.asarray(x, jnp.float32))
    )
    gap = truth - np.float64(found)
    return gap.mean(), gap.std() / np.sqrt(len(gap))


def bumps_on_sphere(n, rng):
    """Draws of three von Mises-Fisher bumps on S^2, and their log-density."""
    kappa = np.array([20.0, 8.0, 40.0])
    means = np.array([[1.0, 0, 0], [-0.6, 0.8, 0], [0, 0, -1.0]])
    which = rng.integers(0, 3, n)
    k, mean = kappa[which], means[which]
    u = rng.uniform(size=n)
    height = 1 + np.log(u + (1 - u) * np.exp(-2 * k)) / k
    side = rng.standard_normal((n, 3))
    side -= (side * mean).sum(1, keepdims=True) * mean
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    x = height[:, None] * mean + np.sqrt(1 - height**2)[:, None] * side

    def log_density(x):
        parts = kappa * (x @ means.T - 1) + np.log(kappa / (2 * np.pi * -np.expm1(-2 * kappa)))
        return np.log(np.exp(parts).mean(1))

    return x, log_density


def bumps_on_torus(n, rng):
    """Two von Mises bumps, one of them across both seams."""
    kappa, means = 6.0, np.array([[np.pi, np.pi], [0.0, 1.0]])

    def log_density(x):
        parts = kappa * np.cos(x[:, None] - means).sum(-1) - 2 * np.log(2 * np.pi * i0(kappa))
        return np.log(np.exp(parts).mean(1))

    return rng.vonmises(means[rng.integers(0, 2, n)], kappa), log_density


def bumps_of_rotations(n, rng):
    """Two bumps `exp(k <q, m>^2)`, Bingham's distribution about one axis, by rejection."""
    kappa, means = 8.0, np.array([[1.0, 0, 0, 0], [0, 0.6, 0.8, 0]])

    def height(q):
        return np.exp(kappa * ((q @ means.T) ** 2 - 1)).mean(1)

    q = rng.standard_normal((60 * n, 4))
    q /= np.linalg.norm(q, axis=1, keepdims=True)
    q = q[rng.uniform(size=len(q)) < height(q)][:n]
    # over the half sphere, slice by slice
    mass = quad(
        lambda s: 4 * np.pi * np.sin(s) ** 2 * np.exp(-kappa * np.sin(s) ** 2), 0, np.pi / 2
    )
    return q, lambda q: np.log(height(q) / mass[0])


def probabilities(n, rng):
    """A Dirichlet distribution as one of roots: its density in p times `2^n prod x_i`."""
    alpha = np.array([2.0, 5.0, 3.0])

    def log_density(x):
        return dirichlet.logpdf((x**2).T, alpha) + np.log(2 * x).sum(1) - np.log(2)

    return np.sqrt(rng.dirichlet(alpha, n)), log_density


LAWS = {
    "sphere": (sphere(2), bumps_on_sphere),
    "torus": (torus(2), bumps_on_torus),
    "rotations": (so3(), bumps_of_rotations),
    "simplex": (simplex(2), probabilities),
}


@pytest.mark.parametrize("name", LAWS)
def test_the_laws_are_densities_of_their_draws(name):
    """Against uniform points: mass one, and the mean of a wave of the embedding."""
    manifold, law = LAWS[name]
    x, log_density = law(20_000, np.random.default_rng(0))
    assert len(x) == 20_000
    u = np.asarray(jax.vmap(manifold.uniform)(jax.random.split(KEY, 100_000)), np.float64)
    u = u / np.linalg.norm(u, axis=1, keepdims=True) if manifold.size > 2 else u
    weight = np.exp(log_density(u) + manifold.log_volume)
    assert abs(weight.mean() - 1) < 4 * weight.std() / np.sqrt(len(u))
    wave = [np.sin(2 * np.asarray(jax.vmap(manifold.embed)(a)) + 0.3) for a in (x, u)]
    error = np.hypot(wave[0].std(0), (wave[1] * weight[:, None]).std(0) / np.sqrt(5)) / np.sqrt(
        20_000
    )
    assert (abs(wave[0].mean(0) - (wave[1] * weight[:, None]).mean(0)) < 4.5 * error).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", LAWS)
def test_likelihoods_approach_the_true_entropy(name):
    manifold, law = LAWS[name]
    x, log_density = law(20_000, np.random.default_rng(0))
    held_out, _ = law(4000, np.random.default_rng(1))
    model = flow_on(manifold, width=64, depth=3, frequencies=4, solver_steps=24)
    params = trained(model, x, steps=2500)
    gap, error = excess(model, params, held_out, log_density(held_out))
    assert -4 * error < gap < 0.05
    drawn = sample_many(model.distribution, params, KEY, 2000)
    assert jax.vmap(lambda x: manifold.contains(x, 1e-6))(drawn).all()
    seen, wanted = (np.asarray(jax.vmap(manifold.embed)(jnp.asarray(a))) for a in (drawn, held_out))
    spread = 5 * np.sqrt(seen.var(0) / len(seen) + wanted.var(0) / len(wanted))
    assert (abs(seen.mean(0) - wanted.mean(0)) < spread + 0.03).all()
