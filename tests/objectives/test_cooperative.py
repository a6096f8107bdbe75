"""A generator and an energy that teach one another, in the family of normals where both ends are known."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from probtransform.core import Batch, Model, Network, Player, pushforward
from probtransform.distributions import normal
from probtransform.distributions.tilted import tilted
from probtransform.integrate import mala
from probtransform.objectives import likelihood
from probtransform.objectives.cooperative import cooperative
from probtransform.training import averaged, fit
from probtransform.training.average import average
from probtransform.transforms import affine

KEY = jax.random.key(0)
BASE = normal((1,))
QUADRATIC = Network(lambda key: jnp.zeros(2), lambda p, x, cond: p[0] * x[0] ** 2 / 2 + p[1] * x[0])
KERNEL = mala(0.2)
LAW = tilted(BASE, QUADRATIC, KERNEL, 10)
GENERATOR = pushforward(BASE, affine=affine(1))


def move(params, key, x, cond):
    return KERNEL(key, x, lambda x: LAW.density.fn(params, key, x, cond))[0]


@pytest.mark.slow
def test_both_reach_the_law_of_the_data():
    """A normal tilted by `a x^2 / 2 + b x` has precision 1 + a and mean -b / (1 + a)."""
    x = np.random.default_rng(0).normal(1.5, 0.6, (4000, 1)).astype(np.float32)
    loss = cooperative(LAW, GENERATOR, likelihood(GENERATOR), move, 5)
    model = Model(LAW, {"both": Player(("energy", "affine"), loss)}, {"affine": affine(1).init})
    tx = optax.chain(optax.adam(0.03), average(0.99))
    fitted = fit(model, tx, Batch(x), steps=1500, batch=256)
    params = averaged(fitted.state)
    precision = 1 + params["energy"][0]
    mean, deviation = -params["energy"][1] / precision, precision**-0.5
    assert abs(mean - x.mean()) < 0.05 and abs(deviation - x.std()) < 0.05
    made = params["affine"]
    assert abs(made["mean"][0] - x.mean()) < 0.05
    assert abs(jnp.exp(made["log_diagonal"][0]) - x.std()) < 0.05


def test_the_slopes_are_those_of_moved_draws():
    """Two moves by 1 from G(z) = m + s z: every moment is known."""
    m, s, count = 0.5, 2.0, 20_000
    params = {
        "energy": jnp.asarray([0.3, -0.2]),
        "affine": affine(1).init(KEY)
        | {"mean": jnp.full(1, m), "log_diagonal": jnp.log(jnp.full(1, s))},
    }
    x = np.random.default_rng(1).normal(0.0, 1.0, (count, 1)).astype(np.float32)
    loss = cooperative(LAW, GENERATOR, likelihood(GENERATOR), lambda p, k, x, c: x + 1, 2)
    slopes = jax.jit(jax.grad(lambda p: loss(p, (), KEY, Batch(x))[0]))(params)
    error = 5 / np.sqrt(count)
    assert abs(slopes["affine"]["mean"][0] + 2 / s**2) < error / s
    assert abs(slopes["affine"]["log_diagonal"][0] + 4 / s**2) < error * np.sqrt(2 + 16 / s**2)
    wanted = np.array([(x**2).mean() - (s**2 + (m + 2) ** 2), 2 * (x.mean() - (m + 2))]) / 2
    spread = np.sqrt([(2 * s**4 + 4 * s**2 * (m + 2) ** 2) / 4, s**2])
    assert (abs(slopes["energy"] - wanted) < error * spread).all()


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="steps=0"):
        cooperative(LAW, GENERATOR, likelihood(GENERATOR), move, 0)
