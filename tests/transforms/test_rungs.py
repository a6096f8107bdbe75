"""The ladder: its weight by hand, its product of precisions where that is the posterior, its depth."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from probtransform.core import Network, log_density, pushforward, sample_many
from probtransform.distributions import gaussian, normal
from probtransform.transforms import Rung, ladder

KEY = jax.random.key(0)
WIDTH, CODES, D = 3, 2, 4


def linear(inputs: int, outputs: int, scale: float = 0.5, bend=lambda x: x) -> Network:
    """`bend(W [inputs side by side] + b)`, whatever the condition."""

    def init(key):
        first, second = jax.random.split(key)
        W = scale * jax.random.normal(first, (outputs, inputs))
        return {"W": W, "b": scale * jax.random.normal(second, (outputs,))}

    def apply(params, *vectors):
        *vectors, _ = vectors
        return bend(params["W"] @ jnp.concatenate(vectors) + params["b"])

    return Network(init, apply)


def bent(layers: int):
    rung = Rung(
        up=linear(WIDTH, WIDTH, 1.0, jnp.tanh),
        law=linear(WIDTH, 2 * CODES),
        guess=linear(2 * WIDTH, 2 * CODES),
        down=linear(WIDTH + CODES, WIDTH, 1.0, jnp.tanh),
    )
    enter, leave = linear(D, WIDTH), linear(WIDTH, 2 * D)
    return ladder(rung, layers, CODES, WIDTH, enter, leave, gaussian((D,)))


def by_hand(params, x, e):
    """`log p(x, z) - log q(z|x)` of a chain of normals, in numpy and in z itself, not in its noise."""
    params = jax.tree.map(np.asarray, params)

    def at(name, layer, *vectors):
        W, b = (params[name][part] for part in ("W", "b"))
        if layer is not None:
            W, b = W[layer], b[layer]
        return W @ np.concatenate(vectors) + b

    d, seen = at("enter", None, x), []
    for layer in range(3):
        d = np.tanh(at("up", layer, d))
        seen.append(d)
    h, total = np.zeros(WIDTH), 0.0
    for layer in (2, 1, 0):
        mean, log_scale = np.split(at("law", layer, h), 2)
        guess, log_r = np.split(at("guess", layer, h, seen[layer]), 2)
        var, r2 = np.exp(2 * log_scale), np.exp(2 * log_r)
        q_var = 1 / (1 / var + 1 / r2)
        q_mean = q_var * (mean / var + guess / r2)
        z = mean + np.sqrt(var) * e[layer]
        total += norm.logpdf(z, mean, np.sqrt(var)).sum()
        total -= norm.logpdf(z, q_mean, np.sqrt(q_var)).sum()
        h = np.tanh(at("down", layer, h, z))
    mean, log_scale = np.split(at("leave", None, h), 2)
    return total + norm.logpdf(x, mean, np.exp(log_scale)).sum()


def test_the_weight_is_that_of_a_chain_of_normals():
    with jax.enable_x64(True):
        step = bent(3)
        params = step.init(KEY)
        for seed in range(3):
            x = np.random.default_rng(seed).standard_normal(D)
            e, weight = step.inverse.fn(params, jax.random.key(seed), jnp.asarray(x), None)
            ours = norm.logpdf(e).sum() + float(weight)
            wanted = by_hand(params, x, np.asarray(e).reshape(3, CODES))
            np.testing.assert_allclose(ours, wanted, rtol=1e-10)


def test_the_codes_are_drawn_from_the_product_of_law_and_guess():
    """One layer: mean and deviation of many draws are those of the product of two normals."""
    step = bent(1)
    params = step.init(KEY)
    x = jnp.asarray([0.3, -1.0, 0.8, 0.1])
    back = jax.jit(jax.vmap(lambda k: step.inverse.fn(params, k, x, None)[0]))
    e = np.asarray(back(jax.random.split(KEY, 20_000)))
    law = params["law"]["b"][0]
    d = jnp.tanh(params["up"]["W"][0] @ enter_of(params, x) + params["up"]["b"][0])
    guess = params["guess"]["W"][0] @ jnp.concatenate([jnp.zeros(WIDTH), d])
    guess = np.asarray(guess + params["guess"]["b"][0])
    mean, scale = np.asarray(law[:CODES]), np.exp(law[CODES:])
    g, r = guess[:CODES], np.exp(guess[CODES:])
    var = 1 / (1 / scale**2 + 1 / r**2)
    centre = var * (mean / scale**2 + g / r**2)
    z = mean + scale * e
    assert (abs(z.mean(0) - centre) < 5 * np.sqrt(var / 20_000)).all()
    np.testing.assert_allclose(z.var(0), var, rtol=0.05)


def enter_of(params, x):
    return params["enter"]["W"] @ x + params["enter"]["b"]


def known(c: float, s: float, w: float, n: float):
    """`z2 ~ N(0, 1)`, `z1 = c z2 + s e1`, `x = w z1 + n e`, the guesses those of x alone: x's likelihood.

    Every product of precisions is then the exact posterior of that layer given those above.
    """

    def own(apply):
        return Network(lambda key: {}, apply)

    rung = Rung(
        up=own(lambda p, d, cond: d),
        law=own(lambda p, h, cond: jnp.stack([c * h[0], p["log_scale"]])),
        guess=own(lambda p, h, d, cond: jnp.stack([p["slope"] * d[0], p["log_scale"]])),
        down=own(lambda p, h, z, cond: z),
    )
    enter = own(lambda p, x, cond: x)
    leave = own(lambda p, h, cond: jnp.concatenate([w * h, jnp.full(1, np.log(n))]))
    step = ladder(rung, 2, 1, 1, enter, leave, gaussian((1,)))
    above = np.sqrt(w**2 * s**2 + n**2) / abs(w * c)
    block = {"enter": {}, "leave": {}, "up": {}, "down": {}}
    block["law"] = {"log_scale": jnp.log(jnp.asarray([s, 1.0]))}
    slope = jnp.asarray([1 / w, 1 / (w * c)])
    block["guess"] = {"slope": slope, "log_scale": jnp.log(jnp.asarray([n / abs(w), above]))}
    return pushforward(normal((2,)), ladder=step), {"ladder": block}


def test_with_the_likelihood_for_a_guess_the_bound_is_the_marginal_whatever_the_key():
    c, s, w, n = 0.8, 0.5, 1.3, 0.4
    distribution, params = known(c, s, w, n)
    total = norm(0, np.sqrt(w**2 * (c**2 + s**2) + n**2))
    for seed, x in enumerate([-2.0, 0.1, 1.4]):
        nats = log_density(distribution, params, jax.random.key(seed), jnp.asarray([x]))
        np.testing.assert_allclose(nats, total.logpdf(x), rtol=1e-4)
    drawn = np.asarray(sample_many(distribution, params, KEY, 20_000, chunk=20_000))
    assert abs(drawn.std() / total.std() - 1) < 5 / np.sqrt(2 * 20_000)
    assert abs(drawn.mean()) < 5 * total.std() / np.sqrt(20_000)


def test_depth_costs_no_program():
    def size(layers):
        step = bent(layers)
        back = jax.make_jaxpr(lambda p, x: step.inverse.fn(p, KEY, x, None))
        return len(str(back(jax.eval_shape(step.init, KEY), jnp.zeros(D))).splitlines())

    assert size(3) == size(30)


@pytest.mark.parametrize("bad", [jnp.zeros((1, D)), jnp.zeros(D + 1), jnp.zeros(D, int)])
def test_a_wrong_example_is_named(bad):
    step = bent(2)
    with pytest.raises(ValueError, match="gaussian observation: got an example of"):
        step.inverse.fn(step.init(KEY), KEY, bad, None)


def test_wrong_noise_and_no_layers_are_named():
    step = bent(2)
    with pytest.raises(ValueError, match="ladder: got an example of shape"):
        step.forward(step.init(KEY), KEY, jnp.zeros(3))
    with pytest.raises(ValueError, match="ladder: got layers=0"):
        bent(0)
