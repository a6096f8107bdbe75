"""Every exact bijection, by one constructor a line, against the jacobian in double precision."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import kstest, norm
from test_contracts import KEY, contract_bijection, contract_dequantisation

from probtransform.core import Bound, Event, Network, Transform, reading
from probtransform.networks import mlp
from probtransform.transforms import (
    affine,
    affine_of,
    coupling,
    flow,
    invert,
    marginal,
    marginal_of,
    onto,
    quantise,
    reshape,
    shift,
    shift_and_scale,
    spread,
    squash,
    stacked,
)

MASK = [0.0, 1.0, 0.0, 1.0]
MASKS = jnp.array([MASK, [1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 1.0, 0.0]])


def with_label(outputs):
    return reading(mlp(5, outputs, 8, 2), lambda x, c: jnp.append(x, c))


def in_time(velocity):
    return reading(velocity, lambda x, t, c: jnp.append(x, t + c))


# name: (transform of f32[4], tolerance: rounding, or that of the solver)
BIJECTIONS = {
    "affine": (lambda: affine(4), 1e-9),
    "coupling": (lambda: coupling(with_label(8), MASK), 1e-9),
    "additive coupling": (lambda: coupling(with_label(4), MASK, shift()), 1e-9),
    "stacked": (lambda: stacked(lambda m: coupling(with_label(8), m), MASKS), 1e-9),
    "squash": (lambda: squash(4), 1e-9),
    "marginal": (lambda: marginal(4, 5), 1e-9),
    "reshape": (lambda: reshape((2, 2, 1)), 1e-12),
    "flow": (lambda: flow(in_time(mlp(5, 4, 8, 2)), steps=64), 1e-6),
    "inverted affine": (lambda: invert(affine(4)), 1e-9),
    "inverted coupling": (lambda: invert(coupling(with_label(8), MASK)), 1e-9),
    "inverted squash inverted": (lambda: invert(invert(squash(4))), 1e-9),
}


@pytest.mark.parametrize("name", BIJECTIONS)
def test_bijection(name):
    build, tolerance = BIJECTIONS[name]
    transform = build()
    params = transform.init(KEY)
    noise = np.random.default_rng(0)
    with jax.enable_x64(True):
        params = jax.tree.map(
            lambda p: jnp.asarray(np.asarray(p, float) + 0.3 * noise.standard_normal(p.shape)),
            params,
        )
        for _ in range(3):
            z = jnp.asarray(noise.standard_normal(4))
            contract_bijection(transform, params, z, jnp.asarray(0.5), tolerance)


def test_affine_of_carries_the_normal_to_that_mean_and_covariance():
    covariance = jnp.array([[2.0, 0.6], [0.6, 0.5]])
    params, step = affine_of(jnp.array([1.0, -1.0]), covariance), affine(2)
    matrix = jax.jacfwd(lambda z: step.forward(params, KEY, z, None))(jnp.zeros(2))
    np.testing.assert_allclose(matrix @ matrix.T, covariance, rtol=1e-6)
    np.testing.assert_allclose(step.forward(params, KEY, jnp.zeros(2), None), [1.0, -1.0])


def test_stacked_layers_are_those_of_a_chain_one_after_another():
    def layer(mask):
        return coupling(with_label(8), mask)

    deep = stacked(layer, MASKS)
    params = jax.tree.map(lambda p: p + 0.3 * jax.random.normal(KEY, p.shape), deep.init(KEY))
    z = x = jax.random.normal(KEY, (4,))
    total = 0.0
    for i, mask in enumerate(MASKS):
        x, weight = layer(mask).joint(jax.tree.map(lambda p: p[i], params), KEY, x, 0.5)
        total = total + weight
    for got, wanted in (
        (deep.forward(params, KEY, z, 0.5), x),
        (deep.joint(params, KEY, z, 0.5), (x, total)),
        (deep.inverse.fn(params, KEY, x, 0.5), (z, total)),
    ):
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5), got, wanted)


def test_stacked_layers_keep_their_claim_and_draw_noise_of_their_own():
    noisy = Transform(lambda key: {}, lambda p, key, z, cond: z + jax.random.normal(key), None)
    deep = stacked(lambda _: noisy, jnp.zeros(5000))
    assert deep.inverse is None and deep.joint is None
    x = deep.forward(deep.init(KEY), KEY, jnp.zeros(()), None)
    assert 0 < abs(x) < 5 * np.sqrt(5000)  # equal noise would add up to thousands
    rounded = stacked(
        lambda _: Transform(*noisy[:2], Bound(lambda p, k, x, c: (x, 2.0))), jnp.zeros(3)
    )
    assert type(rounded.inverse) is Bound and rounded.joint is None
    assert rounded.inverse.fn({}, KEY, jnp.ones(()))[1] == 6.0


@pytest.mark.parametrize("over", [jnp.zeros((0, 4)), (jnp.zeros((2, 4)), jnp.zeros((3, 4)))])
def test_stacked_wants_one_number_of_layers(over):
    with pytest.raises(ValueError, match="wanted one number of layers"):
        stacked(lambda mask: coupling(with_label(8), mask), over)


def test_coupling_leaves_the_masked_half_bit_for_bit():
    step = coupling(with_label(8), MASK)
    z = jax.random.normal(KEY, (4,))
    x = step.forward(step.init(KEY), KEY, z, 0.5)
    np.testing.assert_array_equal(x[1::2], z[1::2])
    assert (x[::2] != z[::2]).all()


def test_coupling_scales_stay_within_their_bound():
    loud = Network(lambda key: {}, lambda *_: jnp.array([1e6] * 4 + [0.0] * 4))
    step = coupling(loud, MASK, shift_and_scale(2.0))
    x = step.forward({}, KEY, jnp.ones(4), None)
    np.testing.assert_allclose(x, [np.exp(2), 1, np.exp(2), 1], rtol=1e-6)


def test_squash_is_finite_with_its_gradient_on_the_edges_of_the_data():
    weight, slope = jax.value_and_grad(lambda x: squash(2).inverse.fn({}, KEY, x, None)[1])(
        jnp.array([-1.0, 1.0])
    )
    assert np.isfinite(weight) and np.isfinite(slope).all()


def test_marginal_of_equal_masses_is_the_normal_cdf():
    z = jnp.linspace(-3, 3, 7)
    x = marginal(7, 4).forward({"log_mass": jnp.zeros((7, 4))}, KEY, z, None)
    np.testing.assert_allclose(x, 2 * norm.cdf(z) - 1, atol=1e-6)


def test_marginal_of_data_makes_each_entry_standard_normal():
    rng = np.random.default_rng(0)
    cells = np.stack([rng.choice(8, 4000, p=rng.dirichlet(np.ones(8))) for _ in range(2)], 1)
    x = ((cells + rng.uniform(size=(4000, 2))) / 4 - 1).astype(np.float32)
    step, params = marginal(2, 8), marginal_of(jnp.asarray(x), 8)
    z = jax.vmap(lambda x: step.inverse.fn(params, KEY, x, None)[0])(x)
    for entry in np.asarray(z).T:
        assert kstest(entry, norm.cdf).statistic < 0.025


def test_marginal_is_finite_at_the_ends_of_its_interval_and_far_out():
    step = marginal(2, 4)
    z, weight = step.inverse.fn(step.init(KEY), KEY, jnp.array([-1.0, 1.0]), None)
    assert np.isfinite(z).all() and np.isfinite(weight)
    x, weight = step.joint(step.init(KEY), KEY, jnp.array([-40.0, 40.0]), None)
    np.testing.assert_allclose(x, [-1, 1])
    assert np.isfinite(weight)


def test_flow_of_a_linear_field_is_the_exponential():
    """`dx/dt = a x`: `x(1) = e^a z` and `log|det| = 2a` in the plane."""
    field = Network(lambda key: {}, lambda params, x, t, cond: 0.7 * x)
    x, weight = flow(field, steps=16).joint({}, KEY, jnp.array([1.0, -2.0]), None)
    np.testing.assert_allclose(x, np.exp(0.7) * np.array([1.0, -2.0]), rtol=1e-5)
    np.testing.assert_allclose(weight, -1.4, rtol=1e-5)


@pytest.mark.parametrize("levels", [2, 17, 256])
def test_dequantisation(levels):
    contract_dequantisation(quantise((2,), levels), levels)


def test_what_is_no_level_has_no_mass():
    weight = quantise((2,), 5).inverse.fn({}, KEY, jnp.array([1, 5]), None)[1]
    assert weight == -jnp.inf
    byte = jnp.array([0, 255], jnp.uint8)
    assert jnp.isfinite(quantise((2,), 256).inverse.fn({}, KEY, byte, None)[1])


@pytest.mark.parametrize("levels", [2, 17, 256, 300])
def test_rounding_undoes_dequantisation(levels):
    step = quantise((2, 1, 1), levels)
    x = jnp.array([0, levels - 1]).reshape(2, 1, 1)
    for i in range(20):
        z, _ = step.inverse.fn({}, jax.random.key(i), x, None)
        back = step.forward({}, KEY, z, None)
        np.testing.assert_array_equal(back, x)
    assert back.dtype == (jnp.uint8 if levels <= 256 else jnp.int32)
    assert (step.forward({}, KEY, jnp.array([-9.0, 9.0]), None) == x).all()


def test_spread_is_quantise_the_other_way():
    up, down = spread((2,), 5), quantise((2,), 5)
    z = jnp.array([0, 4], jnp.uint8)
    for i in range(20):
        x = up.forward({}, jax.random.key(i), z, None)
        back, weight = up.inverse.fn({}, KEY, x, None)
        np.testing.assert_array_equal(back, z)
        np.testing.assert_array_equal(down.forward({}, KEY, x, None), z)
    np.testing.assert_allclose(weight, -2 * np.log(2 / 5), rtol=1e-6)


@pytest.mark.parametrize(
    "step",
    [
        affine(2),
        coupling(with_label(4), [0, 1]),
        squash(2),
        reshape((2,)),
        spread((2,), 3),
        marginal(2, 3),
    ],
)
@pytest.mark.parametrize("bad", [jnp.zeros((1, 2)), jnp.zeros(3), jnp.zeros(2, int)])
def test_a_wrong_example_is_named(step, bad):
    with pytest.raises(ValueError, match=r"got an example of .*, wanted .*; "):
        step.inverse.fn(step.init(KEY), KEY, bad, 0.0)


@pytest.mark.parametrize("bad", [jnp.zeros((1, 2), int), jnp.zeros(3, int), jnp.zeros(2)])
def test_symbols_are_wanted_where_there_are_levels(bad):
    with pytest.raises(ValueError, match="quantise: got an example of"):
        onto(Event((2,), levels=3)).inverse.fn({}, KEY, bad, None)
