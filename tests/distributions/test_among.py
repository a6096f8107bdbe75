"""Matches among candidates: Bayes' rule where the critic is the log-ratio of known laws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from probtransform.core import Exact, Network, log_density, sample_many
from probtransform.distributions.among import among

RHO = 0.7
RATIO = Network(  # log p(c | x) / p(c) of normals of correlation rho, up to a function of x
    lambda key: {},
    lambda p, x, c: (2 * RHO * x * c - RHO**2 * c**2) / (2 * (1 - RHO**2)),
)
LAW = among(RATIO)
X, C = 0.8, np.array([-1.0, 0.2, 0.9, 3.0])
COND = (jnp.asarray(X), jnp.asarray(C))


def posterior():
    """Each candidate was the one drawn given x, the others alone; all are equally likely before."""
    near, alone = norm(RHO * X, (1 - RHO**2) ** 0.5).pdf(C), norm.pdf(C)
    joint = [near[i] * np.delete(alone, i).prod() for i in range(4)]
    return np.array(joint) / sum(joint)


def test_it_is_the_posterior_of_which_was_drawn_with_x(key):
    params = LAW.init(key)
    found = [log_density(LAW, params, key, i, COND) for i in range(4)]
    np.testing.assert_allclose(np.exp(found), posterior(), rtol=1e-5)
    assert type(LAW.density) is Exact


@pytest.mark.parametrize("i", [-1, 4, 100])
def test_what_is_no_candidate_has_no_probability(i, key):
    nats, slope = jax.jit(
        jax.value_and_grad(lambda x: log_density(LAW, {"critic": {}}, key, i, (x, COND[1])))
    )(X)
    assert nats == -jnp.inf and slope == 0


def test_draws_are_as_frequent(key):
    n = 4000
    cond = jax.tree.map(lambda c: jnp.broadcast_to(c, (n, *c.shape)), COND)
    drawn = np.asarray(sample_many(LAW, LAW.init(key), key, n, cond))
    share = np.bincount(drawn, minlength=4) / n
    assert (abs(share - posterior()) < 5 * np.sqrt(0.25 / n)).all()


def test_a_condition_that_is_no_pair_is_refused(key):
    with pytest.raises(ValueError, match=r"among: got NoneType .* wanted \(x, candidates\)"):
        LAW.sample(LAW.init(key), key, None)
