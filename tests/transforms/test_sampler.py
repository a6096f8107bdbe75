"""A table as a transform, inside the algebra."""

import jax
import numpy as np
from gaussian_field import FIVE

from probtransform import integrate, paths
from probtransform.core import Network, pushforward, sample_many
from probtransform.distributions import normal
from probtransform.integrate import grids
from probtransform.transforms import sampler


def test_it_carries_the_base_to_the_data():
    """Sample mean and deviation of 4000 draws, for a sampler with noise and one without, of one network."""
    path = paths.vp()
    field = FIVE.field(path, "data")
    network = Network(lambda key: (), lambda params, x, t, cond: field(x, t))
    for make, steps in ((integrate.unipc, 20), (integrate.ancestral, 500)):
        times = grids.power(steps, 1.5)
        model = pushforward(normal((5,)), s=sampler(network, make(path, times, "data")))
        assert model.density is None
        x = np.asarray(sample_many(model, {"s": ()}, jax.random.key(0), 4000))
        np.testing.assert_allclose(x.mean(0), FIVE.mean, atol=4 * 2 / 4000**0.5)
        np.testing.assert_allclose(x.std(0), FIVE.scale, rtol=4 / 8000**0.5)


def test_a_draw_is_that_of_the_kernel():
    network = Network(lambda key: (), lambda params, x, t, cond: x * cond)
    table = integrate.heun(paths.linear(), grids.uniform(3), "velocity")
    z, key = jax.random.normal(jax.random.key(1), (2, 3)), jax.random.key(0)
    x = sampler(network, table).forward((), key, z, 2.0)
    np.testing.assert_array_equal(x, integrate.run(table, lambda x, t: 2.0 * x, z))
