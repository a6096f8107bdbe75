"""What the experiment on energies measures, of energies whose answers are known in closed form."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import energies
from probtransform.core import Network, sample_many
from probtransform.distributions import normal
from probtransform.distributions.tilted import tilted
from probtransform.integrate import mala
from probtransform.objectives import normaliser

KEY = jax.random.key(0)
QUADRATIC = Network(lambda key: jnp.zeros(()), lambda a, x, cond: a * jnp.sum(x**2) / 2)


def test_a_normal_beside_another_is_judged_right():
    """Precision 1 + a beside 4, in the plane: log Z, KL and the score's error, for a = 3 and a = 1."""
    law = normaliser(tilted(normal((2,)), QUADRATIC, mala(0.1), 1))
    truth = energies.correlated(covariance=((0.25, 0.0), (0.0, 0.25)))
    x = sample_many(truth, {}, KEY, 10_000)
    for a, c in ((3.0, -0.5), (1.0, 0.3)):
        params = {"energy": jnp.asarray(a), "constant": jnp.asarray(c)}
        found = energies.judged(law, params, truth, x, KEY)
        kl = (1 + a) / 4 - 1 - math.log((1 + a) / 4)
        np.testing.assert_allclose(found["log Z, learned"], c + math.log(1 + a), atol=1e-3)
        np.testing.assert_allclose(found["score"], abs(3 - a) / 4, atol=1e-5)
        assert abs(found["kl"] - kl) < 4 * abs(3 - a) / 4 / math.sqrt(10_000) + 1e-4
        assert abs(found["log Z, annealed"]) < 0.02


@pytest.mark.parametrize("name", energies.LAWS)
def test_laws_are_normalised_and_sampled(name):
    """A normal covers them: their mass is one, their covariance at most the identity."""
    law = energies.LAWS[name]()
    assert abs(energies.mass(law, {})) < 1e-3
    x = np.asarray(sample_many(law, {}, KEY, 20_000), np.float64)
    assert np.linalg.eigvalsh(np.cov(x.T)).max() < 1
    score = jax.jit(jax.vmap(jax.grad(lambda x: law.density.fn({}, None, x))))(x)
    outer = np.einsum("ni,nj->nij", x, np.asarray(score, np.float64))
    error = outer.std(0) / np.sqrt(len(x))
    assert (abs(outer.mean(0) + np.eye(2)) < 5 * error).all()


@pytest.mark.slow
def test_one_score_by_five_ways_and_a_constant_learned():
    found = energies.main(energies.Config(laws=("mixture",), seeds=1))["mixture"]
    rows = {name: row for name, [row] in found.items()}
    scores = {name: row["score"] for name, row in rows.items() if name.startswith("score")}
    assert len(scores) == 5 and max(scores.values()) < 0.05
    assert abs(rows["noise, normal"]["log Z, learned"]) < 0.02
    assert abs(rows["noise, a flow"]["log Z, learned"]) < 0.02
    assert max(abs(row["log Z, annealed"]) for row in rows.values()) < 0.05
