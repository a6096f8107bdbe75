"""Splines of one number: slopes against autodiff, ways back, edges, tails, and another library's kernel."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probtransform.core import log_density_many, pushforward, reading
from probtransform.distributions import normal
from probtransform.networks import mlp
from probtransform.transforms import coupling, stacked
from probtransform.transforms.spline import knots, rational_quadratic
from probtransform.transforms.spline_circular import circular
from probtransform.transforms.spline_linear import piecewise_linear
from probtransform.transforms.spline_quadratic import piecewise_quadratic

KEY, BOUND = jax.random.key(0), 3.0
# name: a monotone map that is the identity outside [-BOUND, BOUND]
SPLINES = {
    "rational quadratic": rational_quadratic(8, BOUND),
    "two bins": rational_quadratic(2, BOUND),
    "linear": piecewise_linear(8, BOUND),
    "quadratic": piecewise_quadratic(8, BOUND),
}
every_spline = pytest.mark.parametrize("scalar", SPLINES.values(), ids=SPLINES.keys())


def many(fn, axes=0):
    """One program over all examples."""
    return jax.jit(jax.vmap(fn, axes))


def drawn(scalar, n, scale=2.0, seed=0):
    """Parameters `[n, size]`, numbers `[n]` within the bounds and somewhat beyond."""
    noise = np.random.default_rng(seed)
    return scale * noise.standard_normal((n, scalar.size)), noise.uniform(-4, 4, n)


@every_spline
def test_slopes_are_those_of_autodiff_both_ways(scalar):
    with jax.enable_x64(True):
        theta, z = map(jnp.asarray, drawn(scalar, 2000))
        x, log_slope = many(scalar.forward)(theta, z)
        slope = many(jax.grad(lambda z, t: scalar.forward(t, z)[0]))(z, theta)
        np.testing.assert_allclose(log_slope, jnp.log(slope), atol=1e-9)
        back, met = many(scalar.inverse)(theta, x)
        slope = many(jax.grad(lambda x, t: scalar.inverse(t, x)[0]))(x, theta)
        np.testing.assert_allclose(met, -jnp.log(slope), atol=1e-9)
        np.testing.assert_allclose(back, z, atol=1e-9)
        np.testing.assert_allclose(met, log_slope, atol=1e-9)


@every_spline
def test_derivatives_by_parameters_are_finite_differences(scalar):
    """Slopes of the parameters, forward and backward, against central differences."""
    with jax.enable_x64(True):
        theta, z = map(jnp.asarray, drawn(scalar, 20, scale=1.0))
        h, direction = 1e-6, jnp.asarray(np.random.default_rng(1).standard_normal(scalar.size))
        for way in (scalar.forward, scalar.inverse):
            both = many(lambda t, z, way=way: jnp.stack(way(t, z)))
            numeric = (both(theta + h * direction, z) - both(theta - h * direction, z)) / (2 * h)
            jac = many(jax.jacrev(lambda t, z, way=way: jnp.stack(way(t, z))))(theta, z)
            np.testing.assert_allclose(jac @ direction, numeric, rtol=1e-5, atol=1e-7)


@every_spline
def test_maps_rise_and_keep_to_their_interval(scalar):
    theta, _ = drawn(scalar, 50)
    z = jnp.linspace(-BOUND, BOUND, 500)
    x = many(lambda t: jax.vmap(lambda z: scalar.forward(t, z)[0])(z))(jnp.float32(theta))
    assert (np.diff(x, axis=1) > -1e-6).all()
    assert abs(x).max() <= BOUND + 1e-6
    np.testing.assert_allclose(x[:, [0, -1]], np.tile([-BOUND, BOUND], (50, 1)))


@every_spline
def test_zero_is_the_identity(scalar):
    z = jnp.linspace(-5, 5, 1001)
    for way in (scalar.forward, scalar.inverse):
        x, log_slope = many(way, (None, 0))(jnp.zeros(scalar.size), z)
        np.testing.assert_allclose(x, z, atol=1e-6)
        np.testing.assert_allclose(log_slope, 0, atol=1e-6)


def special(theta):
    """Zero, the bounds, one step of float32 to each side of them, far out, and every inner knot."""
    at = [-BOUND, BOUND]
    near = [np.nextafter(np.float32(b), np.float32(s * 9)) for b in at for s in (-1, 1)]
    return np.float32([0.0, *at, *near, 1e4, -1e4, *np.ravel(theta)])


@pytest.mark.parametrize("scale", [0.0, 2.0, 1e4])
@every_spline
def test_values_and_gradients_are_finite_everywhere(scalar, scale):
    """At knots too: of every spline here the inner ones on either axis are among these."""
    theta = np.float32(drawn(scalar, 8, scale)[0])
    where = many(lambda raw: knots(raw, 1e-3, BOUND))
    bins = 2 if scalar.size < 8 else 8
    z = [where(theta[:, i * bins : (i + 1) * bins]) for i in range(scalar.size // bins)]
    z = np.stack(
        [special(row) for row in np.hstack([np.linspace(-BOUND, BOUND, 9)[None].repeat(8, 0), *z])]
    )
    for way in (scalar.forward, scalar.inverse):
        both = jax.value_and_grad(lambda t, z, way=way: sum(way(t, z)), (0, 1))
        seen = many(jax.vmap(both, (None, 0)))(theta, z)
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(seen))


@every_spline
def test_a_batch_all_in_the_tails_is_left_alone_with_its_gradient(scalar):
    theta, z = np.float32(drawn(scalar, 64)[0]), jnp.linspace(BOUND, 50, 64)
    for way in (scalar.forward, scalar.inverse):
        x, log_slope = many(way)(theta, z)
        np.testing.assert_array_equal(x, z)
        np.testing.assert_array_equal(log_slope, 0)
        by_theta, by_z = many(jax.grad(lambda t, z, way=way: sum(way(t, z)), (0, 1)))(theta, z)
        np.testing.assert_array_equal(by_theta, 0)
        np.testing.assert_array_equal(by_z, 1)


@every_spline
@settings(max_examples=5, deadline=None)
@given(scale=st.floats(0.1, 50.0), seed=st.integers(0, 2**31))
def test_float32_finds_its_way_back(scalar, scale, seed):
    """Some 20,000 points, sizes and slopes down to their least: the error of z, times the local slope
    where the map is flat (x has not kept more digits), is at most 1e-4 for 99.9 in 100."""
    theta, z = map(np.float32, drawn(scalar, 4096, scale, seed))
    x, log_slope = jax.jit(jax.vmap(scalar.forward))(theta, z)
    back, _ = jax.jit(jax.vmap(scalar.inverse))(theta, x)
    error = abs(back - z) * np.minimum(1, np.exp(log_slope))
    assert np.isfinite(back).all()
    assert (error <= 1e-4).mean() >= 0.999


@every_spline
def test_float32_slopes_are_those_of_float64(scalar):
    theta, z = map(np.float32, drawn(scalar, 4096, 1.0))
    single = many(scalar.forward)(theta, z)[1], many(scalar.inverse)(theta, z)[1]
    with jax.enable_x64(True):
        theta, z = (jnp.asarray(np.float64(a)) for a in (theta, z))
        double = many(scalar.forward)(theta, z)[1], many(scalar.inverse)(theta, z)[1]
    for a, b in zip(single, double, strict=True):
        assert np.quantile(abs(np.asarray(a) - np.asarray(b)), 0.999) <= 1e-4


@pytest.mark.parametrize("layers", [1, 8])
@every_spline
def test_couplings_of_the_plane_integrate_to_one(scalar, layers):
    masks = jnp.arange(layers)[:, None] % 2 == jnp.arange(2)
    network = reading(mlp(2, 2 * scalar.size, 16, 2), lambda x, cond: x)
    step = stacked(lambda mask: coupling(network, mask, scalar), masks)
    model = pushforward(normal((2,)), step=step)
    params = jax.tree.map(lambda p: p / 2, jax.jit(model.init)(KEY))  # a grid sees no sharp peak
    axis = np.linspace(-6, 6, 600)
    x = jnp.asarray(np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2), jnp.float32)
    nats = np.asarray(log_density_many(model, params, KEY, x, chunk=40_000), np.float64)
    assert abs(np.exp(nats).sum() * (axis[1] - axis[0]) ** 2 - 1) < 1e-3


@pytest.mark.parametrize(
    "bad", [{"bins": 1}, {"bound": 0.0}, {"bound": np.inf}, {"min_width": 0.2}, {"min_slope": 0.0}]
)
def test_a_spline_without_room_is_refused(bad):
    with pytest.raises(ValueError, match=r"rational_quadratic: got .*, wanted .*; "):
        rational_quadratic(**bad)


def test_the_circle_closes():
    """Angles at the seam: any turn of an angle is the same angle, and the density has no jump."""
    scalar = circular(8)
    with jax.enable_x64(True):
        theta, z = map(jnp.asarray, drawn(scalar, 500))
        x, log_slope = many(scalar.forward)(theta, z)
        assert (x >= -np.pi).all() and (x < np.pi).all()
        slope = many(jax.grad(lambda z, t: scalar.forward(t, z)[0]))(z, theta)
        np.testing.assert_allclose(log_slope, jnp.log(slope), atol=1e-9)
        slope = many(jax.grad(lambda x, t: scalar.inverse(t, x)[0]))(x, theta)
        back, met = many(scalar.inverse)(theta, x)
        np.testing.assert_allclose(met, -jnp.log(slope), atol=1e-9)
        np.testing.assert_allclose(met, log_slope, atol=1e-9)
        np.testing.assert_allclose(jnp.exp(1j * back), jnp.exp(1j * z), atol=1e-9)
        turned = many(scalar.forward)(theta, z + 2 * jnp.pi)
        np.testing.assert_allclose(jnp.exp(1j * turned[0]), jnp.exp(1j * x), atol=1e-9)
        np.testing.assert_allclose(turned[1], log_slope, atol=1e-9)
        ends = -np.pi, np.nextafter(np.pi, 0)
        at_seam = [many(scalar.forward)(theta, end + 0 * z) for end in ends]
        np.testing.assert_allclose(at_seam[0][1], at_seam[1][1], atol=1e-7)
        circle = jnp.linspace(-np.pi, np.pi, 1001)[:-1]
        still = many(scalar.forward, (None, 0))(jnp.zeros(scalar.size), circle)
        np.testing.assert_allclose(still[0], circle, atol=1e-12)
        np.testing.assert_allclose(still[1], 0, atol=1e-12)


def test_gradients_on_the_circle_are_finite_at_the_seam():
    scalar = circular(8)
    theta = np.float32(drawn(scalar, 8, 50.0)[0])
    z = np.tile(
        np.float32([0, np.pi, -np.pi, np.nextafter(np.float32(np.pi), 0), 1e4, -1e4]), (8, 1)
    )
    for way in (scalar.forward, scalar.inverse):
        both = jax.value_and_grad(lambda t, z, way=way: sum(way(t, z)), (0, 1))
        seen = many(jax.vmap(both, (None, 0)))(theta, z)
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(seen))


@pytest.mark.peers
def test_the_kernel_is_that_of_distrax():
    """The same knots and slopes, in double precision."""
    spline = pytest.importorskip("distrax._src.bijectors.rational_quadratic_spline")
    scalar, bins = rational_quadratic(8, BOUND), 8
    with jax.enable_x64(True):
        theta, z = map(jnp.asarray, drawn(scalar, 500))
        limit = -np.log(1e-3)
        where = many(lambda raw: knots(raw, 1e-3, BOUND))
        at_knots = where(theta[:, :bins]), where(theta[:, bins : 2 * bins])
        slope = jnp.exp(limit * jnp.tanh(jnp.pad(theta[:, 2 * bins :], ((0, 0), (1, 1))) / limit))
        for ours, theirs, sign in (
            (scalar.forward, spline._rational_quadratic_spline_fwd, 1),
            (scalar.inverse, spline._rational_quadratic_spline_inv, -1),
        ):
            value, log_slope = many(ours)(theta, z)
            wanted, log_det = many(theirs)(z, *at_knots, slope)
            np.testing.assert_allclose(value, wanted, atol=1e-9)
            np.testing.assert_allclose(log_slope, sign * log_det, atol=1e-8)
