"""Circles cut open to lines: conformance, the law of a uniform angle, and the ends."""

import jax
import jax.numpy as jnp
import numpy as np

from probtransform import check_transform
from probtransform.core import pushforward
from probtransform.distributions import normal, uniform_on
from probtransform.paths import torus
from probtransform.transforms import unwrap

KEY = jax.random.key(0)
RNG = np.random.default_rng(0)
near = np.testing.assert_allclose


def test_angles_become_normals():
    """Conformance but for the mass of a normal, which reaches beyond the circle; exactness of the law."""
    report = check_transform(unwrap(2), jnp.zeros(2), domain=(3.1, 5.0), raises=False)
    assert set(report.failed) == {"mass one"}
    with jax.enable_x64(True):
        line = pushforward(uniform_on(torus(3)), line=unwrap(3))
        for x in RNG.standard_normal((5, 3)):
            wanted = normal((3,)).density.fn({}, KEY, jnp.asarray(x), None)
            near(line.density.fn({"line": {}}, KEY, jnp.asarray(x), None), wanted, rtol=1e-13)


def test_the_ends_of_the_line_are_finite():
    ends = jnp.array([-jnp.pi, 3.1415925, 0.0])
    x = unwrap(3).forward({}, KEY, ends)
    assert 5 < -x[0] < 6 and 4.9 < x[1] < 6 and x[2] == 0
    z, weight = unwrap(3).inverse.fn({}, KEY, 20 * ends, None)
    assert jnp.isfinite(weight) and torus(3).contains(z)
