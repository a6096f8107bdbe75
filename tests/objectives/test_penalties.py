"""Penalties where they are known by hand, by quadrature, or to be nothing at all."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from probtransform.core import Batch
from probtransform.objectives.adversarial import (
    dragan,
    gradient_penalty,
    r1,
    r2,
    weight_clipping,
)

KEY = jax.random.key(0)
PENALTIES = {"r1": r1, "r2": r2, "gradient_penalty": gradient_penalty, "dragan": dragan}
UNIT_SLOPE = [gradient_penalty, dragan]


def linear(w):
    return lambda batch: jnp.tensordot(batch.x, w, w.ndim)


def half_square(batch):
    """`D(x) = |x|^2 / 2`, whose slope is x."""
    return jnp.sum(batch.x.reshape(len(batch.x), -1) ** 2, 1) / 2


def drawn(shape, seed):
    return Batch(jnp.asarray(np.random.default_rng(seed).standard_normal(shape)))


@pytest.mark.parametrize("penalty", UNIT_SLOPE)
@pytest.mark.parametrize("shape", [(3,), (4, 2, 3)])
def test_a_linear_critic_pays_for_its_norm_exactly(penalty, shape):
    """`D = w . x` has the slope w everywhere: `5 (|w| - 1)^2`, |w| over all entries of ONE example."""
    with jax.enable_x64(True):
        for scale in (0.1, 1.0, 3.0):
            w = scale * jnp.asarray(np.random.default_rng(2).standard_normal(shape))
            for seed in range(2):
                real, fake = drawn((7, *shape), seed), drawn((7, *shape), seed + 5)
                found = penalty(5.0)(linear(w), jax.random.key(seed), real, fake)
                wanted = 5 * (np.linalg.norm(np.ravel(w)) - 1) ** 2
                np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("penalty", UNIT_SLOPE)
def test_a_critic_that_says_nothing_has_a_finite_slope(penalty):
    real, fake = drawn((7, 3), 0), drawn((7, 3), 1)
    value, slope = jax.value_and_grad(lambda w: penalty(5.0)(linear(w), KEY, real, fake))(
        jnp.zeros(3)
    )
    assert value == 5.0 and (slope == 0).all()


def test_slopes_on_data_and_on_samples_by_hand():
    """Of `D = |x|^2 / 2` the squared slopes are |x|^2: gamma/2 times 25 and 2, and not times 8."""
    real, fake = Batch(jnp.array([[3.0, 4.0], [0.0, 5.0]])), Batch(jnp.array([[1.0, 1.0], [-1, 1]]))
    np.testing.assert_allclose(r1(8.0)(half_square, KEY, real, fake), 4 * 25, rtol=1e-6)
    np.testing.assert_allclose(r2(8.0)(half_square, KEY, real, fake), 4 * 2, rtol=1e-6)


def test_the_slope_of_r1_is_that_of_the_formula():
    """Of `D = sum a x^2 / 2`, `d/da_k gamma/2 E sum a^2 x^2 = gamma a_k E x_k^2`."""
    real, a = drawn((9, 3), 0), jnp.array([1.0, -2.0, 0.5])
    found = jax.grad(lambda a: r1(0.6)(lambda b: b.x**2 @ a / 2, KEY, real, real))(a)
    np.testing.assert_allclose(found, 0.6 * a * np.mean(np.asarray(real.x) ** 2, 0), rtol=1e-5)


def test_places_on_the_line_are_uniform_and_of_each_example():
    """From (0, 1) to (1, 0) the slope is (a, 1 - a): `E (|slope| - 1)^2` by quadrature, and its spread
    that of 4096 places of their own, not of one shared place."""
    n = 4096
    real, fake = (Batch(jnp.tile(jnp.array(x), (n, 1))) for x in ([1.0, 0.0], [0.0, 1.0]))
    a = (np.arange(100_000) + 0.5) / 100_000
    each = (np.hypot(a, 1 - a) - 1) ** 2
    found = [gradient_penalty(1.0)(half_square, jax.random.key(i), real, fake) for i in range(8)]
    error = each.std() / np.sqrt(n)
    assert (abs(np.array(found) - each.mean()) < 5 * error).all()
    assert len(set(map(float, found))) == 8


def test_places_near_the_data_are_normal_about_it():
    """At data -1 and 1 in each of two entries: `E (|y| - 1)^2`, y normal about (1, 1), deviation 1/2."""
    n = 20_000
    real = Batch(jnp.tile(jnp.array([[1.0, 1.0], [-1.0, -1.0]]), (n // 2, 1)))
    t, w = np.polynomial.hermite_e.hermegauss(60)
    x, y = np.meshgrid(1 + t / 2, 1 + t / 2)
    mass = np.outer(w, w) / w.sum() ** 2
    each = (np.hypot(x, y) - 1) ** 2
    mean = (mass * each).sum()
    error = np.sqrt((mass * (each - mean) ** 2).sum() / n)
    assert abs(dragan(1.0)(half_square, KEY, real, real) - mean) < 5 * error
    assert error < 0.02 * mean


@pytest.mark.parametrize("name", PENALTIES)
def test_penalties_agree_with_finite_differences(name):
    """In the critic's own parameters, through slopes of slopes."""
    with jax.enable_x64(True):
        real, fake = drawn((6, 3), 0), drawn((6, 3), 1)
        p = jnp.asarray(np.random.default_rng(3).standard_normal((2, 3, 4)))

        def loss(p):
            return PENALTIES[name](2.0)(lambda b: jnp.tanh(b.x @ p[0]) @ p[1, 0], KEY, real, fake)

        slope, h = jax.grad(loss)(p), 1e-5
        for at in ((0, 0, 0), (0, 2, 3), (1, 0, 1)):
            e = jnp.zeros_like(p).at[at].set(h)
            np.testing.assert_allclose(
                slope[at], (loss(p + e) - loss(p - e)) / (2 * h), rtol=1e-6, atol=1e-9
            )


@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_a_weight_that_is_none_is_named(name, weight):
    with pytest.raises(ValueError, match=f"{name}: got .*={weight}, wanted a finite"):
        PENALTIES[name](weight)


def test_a_scale_that_is_none_is_named():
    with pytest.raises(ValueError, match="dragan: got scale=nan, wanted a finite"):
        dragan(1.0, scale=float("nan"))


def test_clipped_weights_stay_in_the_box_and_come_back():
    """A step of 1 down the slope: 0.05 - 1 and 0.05 + 1 meet the walls, 0.05 - 0.02 does not; then back."""
    tx = optax.chain(optax.sgd(1.0), weight_clipping(0.1))
    p = jnp.full(3, 0.05)
    state = tx.init(p)
    for slope, wanted in (
        (jnp.array([1.0, -1.0, 0.02]), [-0.1, 0.1, 0.03]),
        (jnp.array([-0.15, 0.15, 0.0]), [0.05, -0.05, 0.03]),
    ):
        updates, state = tx.update(slope, state, p)
        p = optax.apply_updates(p, updates)
        np.testing.assert_allclose(p, wanted, atol=1e-7)


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan")])
def test_a_box_without_inside_is_refused(limit):
    with pytest.raises(ValueError, match=f"weight_clipping: got limit={limit}"):
        weight_clipping(limit)


@pytest.mark.peers
@pytest.mark.parametrize("name", ["r1", "r2"])
def test_slopes_against_torch(name):
    torch = pytest.importorskip("torch")
    draw = np.random.default_rng(0)
    w, v = draw.standard_normal((3, 8)), draw.standard_normal(8)
    sides = draw.standard_normal((2, 5, 3))
    x = torch.tensor(sides[int(name == "r2")], requires_grad=True)
    logits = torch.tanh(x @ torch.tensor(w)) @ torch.tensor(v)
    (slopes,) = torch.autograd.grad(logits.sum(), x)
    with jax.enable_x64(True):
        real, fake = (Batch(jnp.asarray(side)) for side in sides)
        found = PENALTIES[name](0.4)(lambda b: jnp.tanh(b.x @ w) @ v, KEY, real, fake)
        np.testing.assert_allclose(found, 0.2 * float((slopes**2).sum(1).mean()), rtol=1e-12)
