"""Planar, radial and Sylvester flows, and any map made conditional, against the Jacobian."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.conformance import check_transform
from probtransform.core import reading
from probtransform.networks import mlp
from probtransform.transforms import implicit
from probtransform.transforms.conditioned import conditioned
from probtransform.transforms.planar import planar
from probtransform.transforms.radial import radial
from probtransform.transforms.sylvester import sylvester

KEY = jax.random.key(0)
MAPS = {"planar": planar, "radial": radial, "sylvester": lambda d: sylvester(d, 2)}


def label(outputs):
    return reading(mlp(1, outputs, 8, 1), lambda cond: cond[None])


@pytest.mark.parametrize("name", MAPS)
def test_keeps_what_an_exact_bijection_promises(name):
    report = check_transform(MAPS[name](2), jnp.zeros(2), points=100)
    assert report.findings["identity at init"].number == 0


@pytest.mark.parametrize("loud", [1.0, 10.0])
@pytest.mark.parametrize("name", MAPS)
def test_invertible_whatever_the_parameters(name, loud):
    """Constraints hold where raw parameters would fold the map; weights are those of the Jacobian."""
    step = MAPS[name](4)
    with jax.enable_x64(True):

        @jax.jit
        @jax.vmap
        def seen(key):
            first, second = jax.random.split(key)
            leaves, tree = jax.tree.flatten(step.init(KEY))
            keys = jax.random.split(first, len(leaves))
            noise = [
                loud * jax.random.normal(k, p.shape) for k, p in zip(keys, leaves, strict=True)
            ]
            params = jax.tree.unflatten(tree, [p + n for p, n in zip(leaves, noise, strict=True)])
            params = {
                k: v / loud if k == "vectors" or k == "log_a" else v for k, v in params.items()
            }
            z = 3 * jax.random.normal(second, (4,))
            x, on_the_way = step.joint(params, KEY, z, None)
            back, weight = step.inverse.fn(params, KEY, x, None)
            jacobian = jax.jacfwd(lambda z: step.forward(params, KEY, z, None))(z)
            return z, back, on_the_way, weight, *jnp.linalg.slogdet(jacobian)

        z, back, on_the_way, weight, sign, log_det = seen(jax.random.split(KEY, 100))
        assert (sign * sign[0] > 0).all()
        np.testing.assert_allclose(back, z, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(on_the_way, -log_det, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(weight, -log_det, rtol=1e-6, atol=1e-6)


def test_a_sylvester_flow_of_one_direction_is_planar():
    with jax.enable_x64(True):
        w = jnp.array([0.6, 0.8, 0.0])
        # one reflection carries w onto the first axis, so that Q is w
        vector = w - jnp.array([1.0, 0.0, 0.0])
        r, s = 0.5, 0.8
        one = {
            "vectors": vector[None],
            "r": jnp.arctanh(jnp.array([[r / 0.97]])),
            "s": jnp.arctanh(jnp.array([[s / 0.97]])),
            "b": jnp.array([0.3]),
        }
        z = jnp.array([1.0, -2.0, 0.5])
        x, weight = sylvester(3, 1).joint(one, KEY, z, None)
        bend = np.tanh(s * (w @ z) + 0.3)
        np.testing.assert_allclose(x, z + r * w * bend, rtol=1e-12)
        np.testing.assert_allclose(weight, -np.log(1 + r * s * (1 - bend**2)), rtol=1e-12)


def test_the_centre_of_a_radial_flow_stays_with_finite_gradients():
    step, params = radial(2), {"log_a": 0.3, "raw_b": 1.0, "centre": jnp.array([1.0, -1.0])}
    params = jax.tree.map(jnp.asarray, params)
    for way in (step.joint, step.inverse.fn):
        x, _ = way(params, KEY, params["centre"], None)
        np.testing.assert_array_equal(x, params["centre"])
        slopes = jax.grad(lambda p: sum(map(jnp.sum, way(p, KEY, jnp.array([1.0, -1.0]), None))))
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(slopes(params)))


def test_sylvester_wants_no_more_directions_than_numbers():
    with pytest.raises(ValueError, match="sylvester: got width=3 for size=2"):
        sylvester(2, 3)


def test_a_conditioned_map_is_exact_at_every_condition_and_another_map_at_each():
    step = conditioned(planar(2), label(5))
    for cond in (0.5, 1.0):
        check_transform(step, jnp.zeros(2), jnp.asarray(cond), points=50)
    params = jax.tree.map(lambda p: p + 0.5, step.init(KEY))
    low, high = (step.forward(params, KEY, jnp.ones(2), jnp.asarray(c)) for c in (0.0, 1.0))
    assert (abs(low - high) > 1e-3).any()


def test_a_conditioned_map_keeps_its_claim_and_names_a_wrong_network():
    none = conditioned(implicit(reading(mlp(2, 2, 4, 1), lambda z, c: z)), label(22))
    assert none.inverse is None and none.joint is None
    wrong = conditioned(planar(2), label(4))
    with pytest.raises(ValueError, match=r"output shape \(4,\), wanted \(5,\)"):
        wrong.forward(wrong.init(KEY), KEY, jnp.ones(2), jnp.asarray(0.0))
