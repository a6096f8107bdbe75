"""A Boltzmann machine of reals that is told from a trained flow: its constant is learned, and is counted."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree

from probtransform.core import (
    Batch,
    Event,
    Model,
    Player,
    log_density_many,
    sample_many,
)
from probtransform.distributions.harmonium import chained, enumerated, harmonium
from probtransform.distributions.layer import normals
from probtransform.families.realnvp import realnvp
from probtransform.objectives.noise_contrastive import noise_contrastive, normaliser
from probtransform.training import averaged, fit
from probtransform.training.average import average

KEY = jax.random.key(0)
HIDDEN, RATIO, COUNT = 2, 3, 20_000
LAYER = normals((2,))
MACHINE = harmonium(LAYER, HIDDEN)
COUNTED = enumerated(MACHINE, LAYER, HIDDEN)
FLOW = realnvp(Event((2,)), layers=2, width=16)


def trained(model, data, rate, steps, batch):
    tx = optax.chain(optax.adam(optax.cosine_decay_schedule(rate, steps)), average(0.99))
    return averaged(fit(model, tx, data, steps=steps, batch=batch).state)


@pytest.fixture(scope="module")
def law():
    """Four normals at the corners of a parallelogram, the law of a machine: its parameters, and draws."""
    params = MACHINE.init(KEY)
    params["machine"] |= {
        "weights": jnp.array([[3.0, -0.5], [0.5, 2.5]]),
        "visible": jnp.array([0.3, -0.2]),
        "hidden": jnp.array([-0.2, 0.4]),
    }
    return params, Batch(sample_many(COUNTED, params, jax.random.key(1), COUNT))


@pytest.fixture(scope="module")
def noise(law):
    """What a flow makes of the draws in a few steps, its blocks as nobody's."""
    return trained(FLOW, law[1], 1e-2, 300, 256)


def error_of_the_constant(params, noise, x, y) -> float:
    """The standard error of `constant - log Z` over draws x of the data and y of the noise.

    The slope's variance between two inverse curvatures, with `log p(x) - delta` the model: delta is what
    the constant misses. Gutmann & Hyvärinen (2012), theorem 3; symmetries have no curvature.
    """
    flat, unravel = ravel_pytree(params["machine"])

    def log_p(flat, x):
        return COUNTED.density.fn(params | {"machine": unravel(flat)}, KEY, x)

    def seen(x):
        """The odds of the data in logarithm, and how log p moves with parameters and constant."""
        slope = jax.vmap(jax.grad(log_p), (None, 0))(flat, x)
        gap = jax.vmap(log_p, (None, 0))(flat, x) - log_density_many(
            FLOW.distribution, noise, KEY, x
        )
        slope = np.concatenate([slope, -np.ones((len(x), 1))], 1).astype(np.float64)
        return np.asarray(gap, np.float64)[:, None] - np.log(RATIO), slope

    (real, data), (fake, drawn) = seen(x), seen(y)
    missed, taken = data / (1 + np.exp(real)), drawn / (1 + np.exp(-fake))
    curvature = np.linalg.pinv(missed.T @ data / len(x), rcond=1e-4, hermitian=True)
    spread = np.cov(missed.T) / len(x) + RATIO**2 * np.cov(taken.T) / len(y)
    return float(np.sqrt((curvature @ spread @ curvature)[-1, -1]))


def test_the_constant_told_from_a_flow_is_the_one_that_is_counted(law, noise):
    true, data = law
    energy = normaliser(chained(MACHINE, LAYER, 1))
    loss = noise_contrastive(energy, FLOW.distribution, RATIO)
    extra = {name: lambda key, block=block: block for name, block in noise.items()}
    model = Model(energy, {"machine": Player(("machine", "constant"), loss)}, extra)
    params = trained(model, data, 3e-2, 2000, 256)
    jax.tree.map(np.testing.assert_array_equal, {n: params[n] for n in noise}, noise)

    x = sample_many(COUNTED, true, jax.random.key(2), COUNT)
    y = sample_many(FLOW.distribution, noise, jax.random.key(3), RATIO * COUNT)
    learned, counted, best, flow = (
        np.asarray(log_density_many(d, p, KEY, x), np.float64)
        for d, p in (
            (energy, params),
            (COUNTED, params),
            (COUNTED, true),
            (FLOW.distribution, noise),
        )
    )
    log_z = float(params["constant"]) + (learned - counted).mean()
    error = error_of_the_constant(params, noise, x, y)
    assert error < 0.005 and abs(float(params["constant"]) - log_z) < 5 * error
    assert log_z > 1
    lost = best - counted
    assert abs(lost.mean()) < 0.002 + 4 * lost.std() / np.sqrt(COUNT)
    assert (best - flow).mean() > 0.05
