"""Jumps against Bayes by enumeration, Kolmogorov's equation, and a law of which every kernel is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny_law import LAW, PATHS, exact, noising, states

from probtransform.integrate.jumps import euler, holding, reversal
from probtransform.paths import discrete

KINDS = {"reversal": reversal, "holding": holding, "noisy": lambda path: holding(path, 2.0)}
BELIEF = np.array([0.2, 0.7, 0.1])
PAIRS = ((0.1, 0.3), (0.5, 0.9), (0.8, 1.0))


@pytest.fixture(autouse=True)
def doubles():
    with jax.enable_x64(True):
        yield


def rows(fn, path, law, *times):
    """`fn` of each state at once, under the same law of the data."""
    all_states = jnp.arange(len(path.noise))
    return np.array(fn(jnp.tile(jnp.asarray(law), (len(all_states), 1)), all_states, *times))


@pytest.mark.parametrize("name", PATHS)
def test_the_reversal_is_bayes_rule(name):
    """`q(x_s | x_t, x)` from matrix exponentials, and its mean under `p(x | x_t)`."""
    path = PATHS[name]
    for t, s in PAIRS:
        joint = noising(path, s)[:3, :, None] * noising(path, t, s)[None]  # x, x_s, x_t
        found = [rows(reversal(path).step, path, np.eye(3)[x], t, s) for x in range(3)]
        for x in range(3):
            seen = joint[x].sum(0) > 0  # a mask, or the symbol itself
            wanted = (joint[x] / np.where(seen, joint[x].sum(0), 1)).T
            np.testing.assert_allclose(found[x][seen], wanted[seen], atol=1e-12)
        mixed = np.einsum("x,xst->ts", BELIEF, joint)
        mixed /= mixed.sum(1, keepdims=True)
        np.testing.assert_allclose(rows(reversal(path).step, path, BELIEF, t, s), mixed, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PATHS)
def test_steps_carry_marginals_to_marginals(name, kind):
    path = PATHS[name]
    jumps = KINDS[kind](path)
    for t, s in ((0.0, 0.2), *PAIRS):
        for law in np.eye(3):
            here, there = (np.asarray(path.marginal(jnp.asarray(law)[None], u))[0] for u in (t, s))
            kernel = rows(jumps.step, path, law, t, s)
            met = here > 0
            np.testing.assert_allclose(here[met] @ kernel[met], there, atol=1e-12)
            np.testing.assert_allclose(kernel[met].sum(1), 1, atol=1e-12)
            assert (kernel[met] >= 0).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PATHS)
def test_two_steps_are_one(name, kind):
    """With the data known, a step over the whole is that over both halves."""
    path = PATHS[name]
    step = KINDS[kind](path).step
    for law in np.eye(3):
        met = np.asarray(path.marginal(jnp.asarray(law)[None], 0.2))[0] > 0
        halves = rows(step, path, law, 0.2, 0.5), rows(step, path, law, 0.5, 0.8)
        later = np.where(halves[0] > 0, halves[0], 0)[met][:, met] @ halves[1][met]
        np.testing.assert_allclose(later, rows(step, path, law, 0.2, 0.8)[met], atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PATHS)
def test_rates_satisfy_kolmogorovs_equation(name, kind):
    """`dq/dt (y) = sum_x q(x) R(x, y) - q(y) sum_x R(y, x) = kappa' (delta - noise)`."""
    path = PATHS[name]
    for t in (0.2, 0.6, 0.95):
        slope = float(jax.grad(path.kappa)(t))
        for x, law in enumerate(np.eye(3)):
            q = np.asarray(path.marginal(jnp.asarray(law)[None], t))[0]
            rates = rows(KINDS[kind](path).rates, path, law, t)
            rates[q == 0] = 0
            wanted = slope * (np.eye(len(q))[x] - path.noise)
            np.testing.assert_allclose(q @ rates - q * rates.sum(1), wanted, atol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PATHS)
def test_rates_are_the_limit_of_steps(name, kind):
    path, h = PATHS[name], 1e-6
    jumps = KINDS[kind](path)
    for t in (0.2, 0.7):
        still = np.eye(len(path.noise))
        slope = (rows(jumps.step, path, BELIEF, t, t + h) - still) / h
        rates = rows(jumps.rates, path, BELIEF, t)
        np.testing.assert_allclose(slope, rates - still * rates.sum(1), rtol=1e-4, atol=1e-5)
        assert (np.diag(rates) == 0).all()


def test_under_masks_the_rates_are_those_of_the_papers():
    """Unmask at `(1 + eta t) / (1 - t)`, mask again at `eta = noise / t`: Campbell et al. (2024)."""
    path, t, noise = PATHS["masked"], 0.3, 2.0
    found, eta = rows(holding(path, noise).rates, path, BELIEF, t), noise / t
    np.testing.assert_allclose(found[3], [*(BELIEF * (1 + eta * t) / (1 - t)), 0])
    np.testing.assert_allclose(found[:3], eta * np.eye(4)[[3, 3, 3]])
    for t, s in PAIRS:
        alike = [rows(kind(path).step, path, BELIEF, t, s) for kind in (reversal, holding)]
        np.testing.assert_allclose(*alike, atol=1e-12)


def test_an_euler_step_of_a_straight_path_is_exact():
    path = PATHS["masked"]
    for t, s in PAIRS:
        found = rows(euler(holding(path)).step, path, BELIEF, t, s)
        np.testing.assert_allclose(found, rows(holding(path).step, path, BELIEF, t, s), atol=1e-12)


def carried(path, jumps, steps: int, end: float = 1.0):
    """The law of both symbols after `steps` steps with the exact belief, every kernel enumerated."""
    pairs = states(path)
    network = exact(path)
    law = path.noise[pairs].prod(1)

    @jax.jit
    def kernel(t, s):
        def ahead(x):
            step = jumps.step(discrete.believed(network.apply((), x, t)), x, t, s)
            return (step[0][:, None] * step[1]).reshape(-1)

        return jax.vmap(ahead)(jnp.asarray(pairs))

    for k in range(steps):
        law = law @ np.asarray(kernel(end * k / steps, end * (k + 1) / steps))
    return law


def wanted(path, t: float):
    """The law of both states at t, from matrix exponentials."""
    noised = noising(path, t)[:3]
    return (noised.T @ LAW @ noised).reshape(-1)


@pytest.mark.parametrize("kind", [*KINDS, "euler", "noisy euler"])
@pytest.mark.parametrize("name", ["masked", "uniform", "masked, cosine"])
def test_with_the_exact_belief_samples_tend_to_the_law(name, kind):
    """The error of the whole law falls in proportion to the step, at the end and on the way."""
    path = PATHS[name]
    chosen = KINDS["noisy" if "noisy" in kind else "holding" if "euler" in kind else kind](path)
    jumps = euler(chosen) if "euler" in kind else chosen
    for end in (1.0, 0.6):
        far, near = (abs(carried(path, jumps, n, end) - wanted(path, end)).sum() for n in (40, 80))
        assert near < 0.03 and 1.8 < far / near < 2.3


def test_bad_numbers():
    with pytest.raises(ValueError, match="noise=-1"):
        holding(PATHS["masked"], -1)
