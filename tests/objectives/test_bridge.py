"""Score and flow matching, and Markovian fitting, between normals: least errors and least squares."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gaussian_bridge import APART, BRIDGE, SCALE, Ends, schroedinger
from jax.flatten_util import ravel_pytree

from probtransform.core import Batch, Distribution, Network
from probtransform.distributions import normal
from probtransform.objectives import coupling, markovian_fitting, score_and_flow_matching
from probtransform.paths import brownian, drift

KEY = jax.random.key(0)
PLACES = np.random.default_rng(0).normal(size=(5, 2))


def given_data(ends: Ends) -> Distribution:
    """`z | x`, the example itself as its condition: pairs have the coupling exactly."""
    back = np.linalg.solve(ends.b.T, ends.c.T).T
    root = np.linalg.cholesky(ends.a - back @ ends.c.T)

    def sample(params, key, x):
        return ends.m + back @ (x - ends.n) + root @ jax.random.normal(key, (len(ends.m),))

    return Distribution(lambda key: {}, sample, None)


def batch_of(ends: Ends, n: int, seed: int) -> Batch:
    x = jnp.asarray(ends.drawn(n, seed)[1], float)
    return Batch(x, x)


def linear_in_x(d: int, degree: int) -> Network:
    """`sum_k P_k(t) (W_k x + w_k)` with Legendre's polynomials: any loss of squares is a quadratic form."""

    def init(key):
        return jnp.zeros((degree + 1, d, d + 1))

    def apply(params, x, t, cond=None):
        s, p = 2 * t - 1, [1.0, 2 * t - 1]
        for k in range(1, degree):
            p.append(((2 * k + 1) * s * p[k] - k * p[k - 1]) / (k + 1))
        return jnp.tensordot(jnp.stack(jnp.broadcast_arrays(*p)), params, 1) @ jnp.append(x, 1.0)

    return Network(init, apply)


def pair(velocity: Network, score: Network) -> Network:
    def apply(params, *inputs):
        return velocity.apply(params[0], *inputs), score.apply(params[1], *inputs)

    return Network(lambda key: (velocity.init(key), score.init(key)), apply)


def minimiser(loss, start):
    """Of a quadratic form, in one step of Newton's."""
    flat, restored = ravel_pytree(start)
    of = lambda w: loss(restored(w))  # noqa: E731
    return restored(flat - jnp.linalg.solve(jax.hessian(of)(flat), jax.grad(of)(flat)))


def near(found, wanted, slack):
    """Means over repetitions, within four of their standard errors, which say something."""
    found = np.array(found)
    error = found.std(0, ddof=1) / np.sqrt(len(found))
    assert error.max() < 0.03 * np.abs(wanted).max()
    assert (np.abs(found.mean(0) - wanted) < 4 * error + slack).all()


@pytest.mark.parametrize("ends", [BRIDGE, APART], ids=["bridge", "apart"])
def test_the_least_errors_are_what_x_t_leaves_unknown(ends):
    """`tr(Cov(x - z) - K S_t K')/d` and `1 - gamma^2 tr(S_t^-1)/d` at uniform times, K the slope of v."""
    exact = Network(lambda key: (), lambda params, x, t, cond: ends.field(SCALE)(x, t))
    flow, noise = [], []
    for t in (np.arange(500) + 0.5) / 500:
        s = ends.covariance(t, SCALE)
        k = ((1 - t) * (ends.c.T - ends.a) + t * (ends.b - ends.c)) @ np.linalg.inv(s)
        flow.append(np.trace(ends.a + ends.b - ends.c - ends.c.T - k @ s @ k.T) / 2)
        noise.append(1 - SCALE**2 * t * (1 - t) * np.trace(np.linalg.inv(s)) / 2)
    loss = jax.jit(score_and_flow_matching(exact, "net", brownian(SCALE), given_data(ends)))
    seen = []
    for i, key in enumerate(jax.random.split(KEY, 20)):
        total, (_, metrics) = loss({"net": ()}, (), key, batch_of(ends, 4000, i))
        seen.append([metrics["flow"], metrics["noise"], total])
    wanted = np.array([np.mean(flow), np.mean(noise), np.mean(flow) + np.mean(noise)])
    near(seen, wanted, 1e-4)


def test_least_squares_of_entropic_pairs_are_the_bridge():
    """[SF]2M of the exact coupling with a network linear in x: velocity, score and drift of the bridge."""
    with jax.enable_x64(True):
        one = linear_in_x(2, 4)
        field = pair(one, one)
        loss = score_and_flow_matching(field, "net", brownian(SCALE), given_data(BRIDGE))

        @jax.jit
        def solved(key, batch):
            return minimiser(lambda w: loss({"net": w}, (), key, batch)[0], field.init(key))

        def seen(field, params):
            ahead = drift(field, brownian(SCALE), lambda t: SCALE**2 / 2)
            every = [(*field.apply(params, x, t), ahead.apply(params, x, t)) for x, t in where]
            return np.array(every)

        where = [(x, jnp.asarray(t)) for x in PLACES for t in (0.2, 0.5, 0.8)]
        found = [
            seen(field, solved(key, batch_of(BRIDGE, 16_000, i)))
            for i, key in enumerate(jax.random.split(KEY, 8))
        ]
        exact = Network(field.init, lambda params, x, t, cond=None: BRIDGE.field(SCALE)(x, t))
        wanted, other = seen(exact, ()), [APART.field(SCALE)(x, t)[0] for x, t in where]
        near(found, wanted, 0.01)
        assert np.abs(wanted[:, 0] - np.array(other)).max() > 0.5


def test_a_batch_of_a_plan_at_twice_the_variance_is_paired_as_the_bridge():
    """Sinkhorn's pairs on the line have the covariance of the bridge, at `epsilon = 2 s^2` and no other."""
    a, b, n = 1.0, 0.36, 500
    rng, found = np.random.default_rng(0), []
    plan = jax.jit(coupling.sinkhorn(2 * SCALE**2))
    for i in range(40):
        z = np.float32(rng.normal(size=(n, 1)) * a**0.5)
        x = np.float32(rng.normal(size=(n, 1)) * b**0.5)
        found.append(np.mean(z[np.asarray(plan(jax.random.key(i), z, x, None))] * x))

    def closed(s):
        zero, one = np.zeros(1), np.eye(1)
        return float(schroedinger(zero, zero, a * one, b * one, s).c[0, 0])

    error = np.std(found, ddof=1) / np.sqrt(len(found))
    assert abs(np.mean(found) - closed(SCALE)) < 4 * error + 2 / n
    for other in (SCALE / 2**0.5, SCALE * 2**0.5):
        assert abs(closed(SCALE) - closed(other)) > 2 * (4 * error + 2 / n)


# --- Markovian fitting ----------------------------------------------------------------------------


class Line(NamedTuple):
    """The affine drift, mean over bridges, of pairs on the line."""

    ends: Ends
    scale: float

    def __call__(self, x, u):
        exact = Network(lambda k: (), lambda p, x, t, cond: self.ends.field(self.scale)(x, t))
        level = lambda t: self.scale**2 / 2  # noqa: E731
        return drift(exact, brownian(self.scale), level).apply((), x, u)


def carried(f, mean, var, scale, steps):
    """Mean, variance of the end of `dx = f du + s dW` by steps of bridges, and covariance with its start."""
    cov, h, times = var, 1 / steps, np.arange(steps) / steps
    rests = jax.vmap(lambda u: f(jnp.zeros(1), u))(times)
    slopes = jax.vmap(lambda u: f(jnp.ones(1), u))(times) - rests
    for u, slope, rest in zip(times, np.asarray(slopes), np.asarray(rests), strict=True):
        mean = mean + h * (slope * mean + rest)
        cov = cov * (1 + h * slope)
        var = var * (1 + h * slope) ** 2 + scale**2 * h * (1 - u - h) / (1 - u)
    return mean, np.reshape(var, (1, 1)), np.reshape(cov, (1, 1))


def rounds(m, n, a, b, scale, steps, count):
    """The drifts of iterative Markovian fitting in closed form, `(forward, backward)` for each round."""
    ahead = Line(Ends(m, n, a, b, 0 * a), scale)
    back = Line(Ends(n, m, b, a, 0 * a), scale)
    for _ in range(count):
        yield ahead, back
        m_, a_, c = carried(back, n, b, scale, steps)
        n_, b_, c_ = carried(ahead, m, a, scale, steps)
        ahead = Line(Ends(m_, n, a_, b, c), scale)
        back = Line(Ends(n_, m, b_, a, c_), scale)


LINE = Ends(np.array([0.5]), np.array([-1.0]), np.eye(1), 0.36 * np.eye(1), np.zeros((1, 1)))


def test_fitting_in_closed_form_tends_to_the_bridge():
    """The covariance of the pairs goes from none to that of the bridge, up to the size of the steps."""
    wanted, gaps = schroedinger(*LINE[:4], SCALE).c, []
    with jax.enable_x64(True):
        for ahead, back in rounds(*LINE[:4], SCALE, steps=4000, count=7):
            gaps.append([abs(line.ends.c - wanted).item() for line in (ahead, back)])
    gaps = np.array(gaps) / wanted.item()
    assert (gaps[0] > 0.99).all() and (gaps[1:3] < 0.3 * gaps[:2]).all()
    assert gaps[-1].max() < 2e-3


def test_players_fit_what_the_closed_form_fits():
    """Round by round, each loss minimised by least squares over the other's simulated pairs."""
    count, steps, where = 4, 10, [(x, u) for x in (-1.0, 1.0) for u in (0.2, 0.5, 0.8)]
    with jax.enable_x64(True):
        network, base = linear_in_x(1, 5), normal((1,))
        moved = base._replace(sample=lambda p, k, c: LINE.m + base.sample(p, k, c))
        found = markovian_fitting(network, network, moved, SCALE, 1, steps)

        @jax.jit
        def turn(params, carry, key):
            draw, ahead, back = jax.random.split(key, 3)
            x = LINE.n + 0.6 * jax.random.normal(draw, (20_000, 1))
            new = {}
            for name, loss, k in (
                ("forward", found.forward, ahead),
                ("backward", found.backward, back),
            ):
                of = lambda w, name=name, loss=loss, k=k: loss(  # noqa: E731
                    params | {name: w}, carry, k, Batch(x)
                )
                new[name] = minimiser(lambda w, of=of: of(w)[0], params[name])
                carry = of(params[name])[1][0]
            return new, carry

        def seen(f):
            return [float(f(jnp.full(1, x), jnp.asarray(u))[0]) for x, u in where]

        chains = []
        for key in jax.random.split(KEY, 8):
            params, carry = (
                {n: network.init(key) for n in ("forward", "backward")},
                found.carry(key),
            )
            chains.append([])
            for i in range(count):
                params, carry = turn(params, carry, jax.random.fold_in(key, i))
                fields = [
                    lambda x, u, w=params[n]: network.apply(w, x, u)
                    for n in ("forward", "backward")
                ]
                chains[-1].append([seen(f) for f in fields])
        wanted = [[seen(f) for f in both] for both in rounds(*LINE[:4], SCALE, steps, count)]
        near(chains, np.array(wanted), 0.02)
        assert np.abs(np.subtract(wanted[0], wanted[-1])).max() > 0.3
        assert int(carry["forward"].count) == int(carry["backward"].count) == count


def test_the_other_is_frozen_for_a_round():
    """In the first round it is not asked; in a later one only as it was when that began."""
    network = Network(lambda key: jnp.zeros(()), lambda w, x, t, cond: w * jnp.ones_like(x))
    found = markovian_fitting(network, network, normal((2,)), 1.0, updates=3, steps=4)
    carry, x = found.carry(KEY), Batch(jnp.ones((16, 2)))
    values, others = [], []
    for i in range(7):
        params = {"forward": jnp.zeros(()), "backward": jnp.asarray(float(i))}
        value, (carry, _) = found.forward(params, carry, KEY, x)
        values.append(float(value))
        others.append(float(carry["forward"].other))
        assert int(carry["backward"].count) == 0
    assert others == [0, 0, 0, 3, 3, 3, 6]
    assert values[0] == values[1] == values[2] != values[3] == values[4] == values[5] != values[6]


def test_bad_numbers():
    network = linear_in_x(1, 2)
    with pytest.raises(ValueError, match="got updates=0"):
        markovian_fitting(network, network, normal((1,)), 1.0, 0)
    with pytest.raises(ValueError, match="got scale=0"):
        markovian_fitting(network, network, normal((1,)), 0.0, 1)
    with pytest.raises(ValueError, match="steps=0"):
        markovian_fitting(network, network, normal((1,)), 1.0, 1, 0)
