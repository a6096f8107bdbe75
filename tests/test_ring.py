"""What the experiment on energies and other families measures on the ring, of laws in closed form."""

import math

import jax.numpy as jnp
import pytest

from experiments import ring
from probtransform.core import Network, pushforward
from probtransform.distributions import normal
from probtransform.distributions.tilted import tilted
from probtransform.integrate import mala
from probtransform.transforms import affine, affine_of

QUADRATIC = Network(lambda key: jnp.zeros(()), lambda a, x, cond: a * jnp.sum(x**2) / 2)


def as_wide(deviation: float):
    """`N(0, deviation^2)` in the plane, and its parameters."""
    law = pushforward(normal((2,)), place=affine(2))
    return law, {"place": affine_of(jnp.zeros(2), deviation**2 * jnp.eye(2))}


@pytest.mark.parametrize("a", [0.0, 2.0])
def test_the_mass_of_a_tilted_normal(a):
    """A precision of 1 + a leaves one in 1 + a of the mass, in the plane."""
    law = tilted(normal((2,)), QUADRATIC, mala(0.1), 1)
    found = ring.log_mass(law, {"energy": jnp.asarray(a)})
    assert abs(found + math.log(1 + a)) < 1e-4


def test_the_divergence_from_a_normal():
    """Less that from another: entropies cancel, and `E|x|^2 = 8 + 2/8` is all that matters."""
    found = ring.divergence_of(*as_wide(2.0)) - ring.divergence_of(*as_wide(3.0), 0.25)
    wanted = (8.25 / 8 + 2 * math.log(2.0)) - (8.25 / 18 + 2 * math.log(3.0) + 0.25)
    assert abs(found - wanted) < 1e-3


def test_draws_of_the_law_are_known_as_such():
    """Three deviations of a mean hold `1 - exp(-9/2)` of a normal in the plane; a normal has fewer there."""
    right, count = 1 - math.exp(-4.5), 4000
    found = ring.samples_of(ring.TRUTH, {}, count)
    error = math.sqrt(right * (1 - right) / count)
    assert abs(found["good"] - right) < 5 * error and abs(found["distance"]) < 0.005
    assert found["shares"] < 30 / (
        2 * count
    )  # of eight counts: half a chi-squared of seven over the count
    other = ring.samples_of(*as_wide(2.0), count)
    assert other["good"] < 0.6 and other["distance"] > 0.02
