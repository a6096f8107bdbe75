"""Traces, and flows of linear fields, whose determinants and solutions are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

from probtransform.core import Network
from probtransform.integrate import adaptive
from probtransform.integrate.adaptive import ADJOINTS
from probtransform.transforms import flow
from probtransform.transforms.trace import exact, hutch_plus_plus, hutchinson

KEY = jax.random.key(0)
D = 6
DRAW = np.random.default_rng(0)
A = DRAW.normal(size=(D, D)).astype(np.float32) / 2
B = 0.3 * (A + A.T)
LINEAR = Network(lambda key: {"a": jnp.asarray(A)}, lambda p, x, t, cond: (1 + t) * p["a"] @ x)


def estimates(trace, matrix, count):
    """The trace by every of `count` keys."""

    def one(key):
        return trace.of(lambda rows: rows @ matrix.T, trace.draw(key, len(matrix)))

    return np.asarray(jax.jit(jax.vmap(one))(jax.random.split(KEY, count)), np.float64)


def test_all_unit_vectors_give_the_trace():
    np.testing.assert_allclose(estimates(exact(), A, 2), np.trace(A), rtol=1e-5)


@pytest.mark.parametrize("trace", [hutchinson(), hutchinson(3), hutch_plus_plus(2)])
def test_estimates_are_right_on_average(trace):
    seen = estimates(trace, A, 20_000)
    assert seen.std() > 0.05
    assert abs(seen.mean() - np.trace(A)) < 4 * seen.std() / 20_000**0.5


@pytest.mark.parametrize("probes", [1, 4])
def test_the_variance_of_random_signs_is_that_of_what_is_off_the_diagonal(probes):
    variance = 2 * ((B**2).sum() - (np.diag(B) ** 2).sum()) / probes
    assert estimates(hutchinson(probes), B, 20_000).var() == pytest.approx(variance, rel=0.05)


def test_what_few_directions_span_is_exact():
    low = np.outer(A[0], A[1]) + np.outer(A[2], A[3])
    np.testing.assert_allclose(estimates(hutch_plus_plus(2), low, 50), np.trace(low), atol=1e-4)
    np.testing.assert_allclose(estimates(hutch_plus_plus(D), A, 50), np.trace(A), atol=1e-4)


@pytest.mark.parametrize("trace", [hutchinson, hutch_plus_plus])
def test_no_probe_is_refused(trace):
    with pytest.raises(ValueError, match="got probes=0"):
        trace(0)


@pytest.mark.parametrize("solve", [None, adaptive(1e-6, 1e-6)], ids=["steps", "adaptive"])
def test_the_flow_of_a_linear_field_is_an_exponential_and_its_volume_the_trace(solve):
    """`(1 + t)` integrates to 3/2: `x = expm(3/2 A) z`, and the weight is `-3/2 tr A`."""
    step = flow(LINEAR, solve=solve)
    z = jnp.arange(1.0, D + 1)
    wanted = expm(1.5 * A.astype(np.float64)) @ np.asarray(z)
    x, weight = jax.jit(lambda z: step.joint(step.init(KEY), KEY, z, None))(z)
    np.testing.assert_allclose(x, wanted, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(weight, -1.5 * np.trace(A), atol=1e-4)
    home, again = jax.jit(lambda x: step.inverse.fn(step.init(KEY), KEY, x, None))(x)
    np.testing.assert_allclose(home, z, atol=1e-3)
    np.testing.assert_allclose(again, weight, atol=1e-4)


def test_one_draw_of_directions_serves_a_whole_path():
    """With probes drawn anew at each stage the weight back would not be that of the way out."""
    step = flow(LINEAR, trace=hutchinson())
    ways = jax.jit(lambda key: step.joint(step.init(KEY), key, jnp.ones(D), None))
    home = jax.jit(lambda key, x: step.inverse.fn(step.init(KEY), key, x, None)[1])
    weights = []
    for key in jax.random.split(KEY, 2):
        x, weight = ways(key)
        np.testing.assert_allclose(home(key, x), weight, atol=1e-3)
        weights.append(float(weight))
    assert abs(weights[0] - weights[1]) > 0.1


@pytest.mark.parametrize("adjoint", ADJOINTS)
def test_every_adjoint_gives_the_gradient_of_the_exponential(adjoint):
    """`d/da sum(expm(3/2 a) z)`, in the parameter and in the start, by differences in double precision."""
    with jax.enable_x64(True):
        step = flow(LINEAR, solve=adaptive(1e-9, 1e-9, adjoint))
        a, z = jnp.asarray(A, jnp.float64), jnp.arange(1.0, D + 1)
        total = lambda a, z: step.forward({"a": a}, KEY, z, None).sum()  # noqa: E731
        seen = jax.jit(jax.grad(total, (0, 1)))(a, z)
        np.testing.assert_allclose(seen[1], expm(1.5 * A.astype(float)).sum(0), rtol=1e-5)
        turn = DRAW.normal(size=(D, D))
        ends = [expm(1.5 * (A.astype(float) + s * 1e-5 * turn)) @ np.asarray(z) for s in (1, -1)]
        slope = (ends[0] - ends[1]).sum() / 2e-5
        assert float((seen[0] * turn).sum()) == pytest.approx(slope, rel=1e-5)


def test_a_solver_out_of_steps_says_so_and_another_adjoint_is_refused():
    out = adaptive(1e-8, 1e-8, most=3)(lambda x, t: jnp.sin(50 * x), jnp.ones(2), 0.0, 10.0)
    assert np.isnan(out).all()
    with pytest.raises(
        ValueError, match="adaptive: got adjoint 'other', wanted one of checkpointed"
    ):
        adaptive(adjoint="other")
