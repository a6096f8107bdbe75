"""Residual flows: slopes under a bound whatever the parameters, fixed points right or NaN, fair estimates."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.conformance import check_transform
from probtransform.core import Batch, Event, log_density_many
from probtransform.families import residual_flow
from probtransform.training import Recipe, fit, optimizer
from probtransform.transforms.contraction import Contraction, bend, contraction, spectral_bound
from probtransform.transforms.residual import residual

KEY = jax.random.key(0)
LINEAR = Contraction(lambda key: jnp.zeros((3, 3)), lambda a, cond: lambda x: a @ x, 0.9)
# eigenvalues 0.6 +- 0.6i, of length 0.849, and -0.88
A = jnp.array([[0.6, -0.6, 0.0], [0.6, 0.6, 0.0], [0.0, 0.0, -0.88]])
LOG_DET = np.log(1.6**2 + 0.6**2) + np.log(0.12)


def loud(network, size, key=KEY):
    """Parameters with noise of that size on every number."""
    params = network.init(key)
    leaves, tree = jax.tree.flatten(params)
    keys = jax.random.split(key, len(leaves))
    noise = [size * jax.random.normal(k, p.shape) for k, p in zip(keys, leaves, strict=True)]
    return jax.tree.unflatten(tree, [p + n for p, n in zip(leaves, noise, strict=True)])


def test_keeps_what_an_exact_bijection_promises():
    """With a condition, in the plane: round trips, both Jacobians, mass one, finite gradients."""
    report = check_transform(
        residual(contraction(2, 1, 4), 2), jnp.zeros(2), jnp.array([0.5]), points=40
    )
    assert report.findings["identity at init"].number == 0
    assert "mass one" in report.findings


# --- slopes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 5), (64, 20)])
def test_a_bound_on_singular_values_lies_just_above(shape):
    bound = jax.jit(spectral_bound)
    for size in (1e-20, 1.0, 1e18):
        w = size * jax.random.normal(KEY, shape)
        largest = np.linalg.svd(np.asarray(w, np.float64), compute_uv=False)[0]
        assert largest * (1 - 1e-5) <= bound(w) <= largest * min(shape) ** (1 / 128) * (1 + 1e-5)


def test_a_bound_on_singular_values_is_smooth_where_they_are_equal_or_zero():
    assert spectral_bound(-5 * jnp.eye(4)) == pytest.approx(5 * 4 ** (1 / 128), rel=1e-5)
    # all four share the slope alike
    np.testing.assert_allclose(
        jax.grad(spectral_bound)(-5 * jnp.eye(4)), -np.eye(4) / 4 * 4 ** (1 / 128), atol=1e-5
    )
    assert spectral_bound(jnp.zeros((3, 2))) < 1e-20
    assert (jax.grad(spectral_bound)(jnp.zeros((3, 2))) == 0).all()
    # one stands out: its two directions
    w = jnp.array([[0.0, 3.0], [1.0, 0.0], [0.0, 0.0]])
    slope = np.array([[0.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(jax.grad(spectral_bound)(w), slope, atol=1e-6)


def test_the_activation_is_of_slope_one():
    h = jnp.linspace(-30, 30, 100_001)
    slope = jnp.linalg.norm(jax.vmap(jax.jacfwd(lambda h: bend(h[None])))(h), axis=1)
    assert 0.9999 < slope.max() <= 1
    assert slope.min() > 0.6  # it bends, and never flattens


def test_no_parameters_reach_the_slope():
    """Over pairs near and far, and of the Jacobian; in double precision, where differences are exact."""
    network = contraction(5, 2, 16, 2, slope=0.97)

    @jax.jit
    @partial(jax.vmap, in_axes=(None, 0, 0))
    def seen(params, x, y):
        g = network.at(params, jnp.array([1.0, -2.0]))
        apart = jnp.linalg.norm(g(y) - g(x)) / jnp.linalg.norm(y - x)
        return apart, jnp.linalg.norm(jax.jacfwd(g)(x), 2)

    draw = np.random.default_rng(0)
    x = draw.normal(size=(2000, 5))
    y = x + draw.normal(size=x.shape) * 10.0 ** draw.uniform(-3, 1, (2000, 1))
    for size in (1.0, 30.0, 1e30):
        params = loud(network, size)
        # near the identity: steps of all layers along one another
        params["kernel"] = [w + 10 * size * jnp.eye(*w.shape) for w in params["kernel"]]
        with jax.enable_x64(True):
            params = jax.tree.map(lambda p: np.asarray(p, np.float64), params)
            slopes = np.asarray(seen(params, size * x, size * y))
        assert (slopes.max(1) > 0.3).all() and slopes.max() <= 0.97


def test_the_slope_is_nearly_reached():
    """Through identities, at the steepest place of the activation: only what the bounds give away is lost."""
    network = contraction(5, 0, 5, 1, slope=0.97)
    kernel = [3 * jnp.eye(5), 3 * jnp.eye(5, 10)]
    g = network.at({"kernel": kernel, "bias": jnp.zeros((1, 5))}, None)
    steepest = 0.97 * 1.0998 / 1.1044 / 5 ** (2 / 128)
    jacobian = jax.jacfwd(g)(jnp.full(5, 2.3994 * 5 ** (1 / 128)))
    np.testing.assert_allclose(jacobian, steepest * np.eye(5), atol=1e-3)


# --- both directions ------------------------------------------------------------------------------


def test_an_inverse_is_right_or_nan():
    """Whatever the parameters, in single precision; some may be lost where numbers inside are large."""
    network = contraction(5, 0, 16, 2)
    step = residual(network, 5)

    @jax.jit
    @partial(jax.vmap, in_axes=(None, 0))
    def there_and_back(params, x):
        z, _ = step.inverse.fn(params, KEY, x)
        return z, step.forward(params, KEY, z)

    x = 3 * jax.random.normal(KEY, (500, 5))
    for size, share in (1.0, 0.0), (30.0, 0.05), (1e4, 1.0):
        z, back = map(np.asarray, there_and_back(loud(network, size), x))
        lost = np.isnan(back).any(1)
        assert lost.mean() <= share
        assert np.isnan(back[lost]).all()
        scale = 1 + np.linalg.norm(x, axis=1) + np.linalg.norm(z, axis=1)
        error = np.linalg.norm(back - x, axis=1) / scale
        assert (error[~lost] < 3e-5).all()


def test_linear_maps_have_their_closed_form():
    """Value, weight, inverse, and the gradients of all three, in double precision."""
    step, v = residual(LINEAR, 3), np.array([1.0, 0.3, -0.7])
    near = partial(np.testing.assert_allclose, rtol=1e-10, atol=1e-10)
    with jax.enable_x64(True):
        a, z = jnp.asarray(A, jnp.float64), jnp.array([1.0, -2.0, 0.5], jnp.float64)
        home = np.linalg.inv(np.eye(3) + a)
        image, weight = step.inverse.fn(a, KEY, z)
        near(image, z + a @ z)
        near(weight, np.log(np.linalg.det(np.eye(3) + a)))
        near(jax.grad(lambda a: step.inverse.fn(a, KEY, z)[1])(a), home.T)

        near(step.forward(a, KEY, z), home @ z)
        of_a, of_z = jax.grad(lambda a, z: v @ step.forward(a, KEY, z), (0, 1))(a, z)
        near(of_z, home.T @ v)
        near(of_a, -np.outer(home.T @ v, home @ z))
        near(jax.jacfwd(lambda z: step.forward(a, KEY, z))(z), home)


def test_what_has_not_converged_is_nan():
    z = jnp.array([1.0, -2.0, 0.5])
    few, many = (residual(LINEAR, 3, steps=n).forward(A, KEY, z) for n in (20, 200))
    assert jnp.isnan(few).all() and jnp.isfinite(many).all()
    # of slope two, against its word: no fixed point is near
    assert jnp.isnan(residual(LINEAR, 3).forward(-2 * jnp.eye(3), KEY, z)).all()
    assert jnp.isnan(residual(LINEAR, 3).forward(A, KEY, jnp.array([1.0, jnp.inf, 0.0]))).all()
    # squares overflow here: a length of infinity is no certificate
    far = residual(LINEAR, 3).forward(A, KEY, 1e30 * z)
    assert jnp.isnan(far).all()


# --- estimates ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["linear", "network"])
def test_estimates_have_the_mean_of_what_they_estimate(kind):
    """Value and gradients, in parameters and point, within five standard errors over 40 000 keys."""
    network = LINEAR if kind == "linear" else contraction(3, 0, 4, 1)
    params = A if kind == "linear" else loud(network, 1.0)
    x = jnp.array([0.3, -0.6, 0.2])

    def seen(step):
        def nats(params, x, key):
            z, weight = step.inverse.fn(params, key, x)
            return weight, z

        return jax.value_and_grad(nats, (0, 1), has_aux=True)

    known = jax.jit(seen(residual(network, 3)))(params, x, KEY)
    keys = jax.random.split(KEY, 40_000)
    drawn = jax.jit(jax.vmap(seen(residual(network, 3, exact=2, terms=2)), (None, None, 0)))(
        params, x, keys
    )
    if kind == "linear":
        assert known[0][0] == pytest.approx(LOG_DET, abs=1e-5)
    for right, of_keys in zip(*map(jax.tree.leaves, (known, drawn)), strict=True):
        of_keys = np.asarray(of_keys, np.float64)
        error = of_keys.std(0) / np.sqrt(len(keys))
        assert (error < 0.1).all()
        assert (abs(of_keys.mean(0) - right) <= 5 * error + 1e-5).all()


def test_from_65_numbers_on_the_key_matters():
    def spread(size):
        step, a = residual(LINEAR, size), jnp.diag(jnp.ones(size - 1), 1) / 2
        nats = jax.jit(jax.vmap(lambda key: step.inverse.fn(a, key, jnp.ones(size))[1]))
        return np.ptp(nats(jax.random.split(KEY, 8)))

    assert spread(64) == 0 and spread(65) > 1


# --- the family, and errors -----------------------------------------------------------------------


def test_a_flow_learns_from_labels():
    """Two arcs, one a label: the data's own labels become the likelier ones."""
    angle = jnp.pi * jax.random.uniform(KEY, (256,))
    label = jnp.arange(256) % 2
    arc = jnp.stack([jnp.cos(angle), jnp.sin(angle) - 0.5], 1)
    x = jnp.where(label[:, None] == 0, arc, -arc) + 0.1 * jax.random.normal(KEY, (256, 2))
    model = residual_flow.residual_flow(Event((2,), classes=2), layers=2, width=16, slope=0.97)
    recipe = Recipe(steps=150, batch=64, rate=2e-2)
    fitted = fit(model, optimizer(recipe), Batch(x, label), steps=150, batch=64, fuse=50)
    first, *_, last = (row["nats"] for row in fitted.history)
    assert last < first - 0.3
    nats = partial(log_density_many, model.distribution, fitted.state.params, KEY, x)
    assert nats(label).mean() > nats(1 - label).mean() + 0.5


def test_errors():
    with pytest.raises(ValueError, match=r"residual: got a network of slope 1\.0, wanted one in"):
        residual(contraction(2, slope=1.0), 2)
    with pytest.raises(ValueError, match="got width=0, wanted at least 1"):
        contraction(2, width=0)
    with pytest.raises(ValueError, match=r"got an example of shape \(5, 2\), wanted \(2,\)"):
        residual(contraction(2), 2).inverse.fn(contraction(2).init(KEY), KEY, jnp.zeros((5, 2)))
    with pytest.raises(ValueError, match="residual_flow: got layers=0, wanted at least 1"):
        residual_flow.residual_flow(Event((2,)), layers=0)
