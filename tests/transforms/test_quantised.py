"""Codes against enumeration: the nearest, the odds of a draw, the bound, and how many there are."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp
from scipy.stats import norm

from probtransform.core import Network, log_density, pushforward, sample_many
from probtransform.distributions import autoregressive, gaussian
from probtransform.transforms import codebook, finite_scalar, quantised

KEY = jax.random.key(0)
RNG = np.random.default_rng(0)


def codes_of(params):
    """The books `[depth, levels, size]`, which a block holds in tenths."""
    return 10 * np.asarray(params["codes"], np.float64)


def test_the_nearest_code_is_the_nearest():
    quantiser = codebook(places=5, levels=7, size=3)
    params = quantiser.init(KEY)
    (book,) = codes_of(params)
    for z in RNG.standard_normal((20, 15)):
        away = ((z.reshape(5, 1, 3) - book) ** 2).sum(-1)
        symbols = quantiser.nearest(params, jnp.asarray(z, jnp.float32))
        np.testing.assert_array_equal(symbols, away.argmin(1))
        np.testing.assert_allclose(
            quantiser.vector(params, symbols), book[away.argmin(1)].ravel(), rtol=1e-5
        )


def test_codes_in_depth_are_found_one_after_another():
    quantiser = codebook(places=2, levels=4, size=3, depth=3)
    assert (quantiser.symbols, quantiser.levels, quantiser.size) == (6, 4, 6)
    params = quantiser.init(KEY)
    books = codes_of(params)
    for z in RNG.standard_normal((20, 2, 3)):
        symbols, whole = [], []
        for place in z:
            rest = place
            for book in books:
                k = ((rest - book) ** 2).sum(1).argmin()
                symbols.append(k)
                rest = rest - book[k]
            whole.append(place - rest)
        found = quantiser.nearest(params, jnp.asarray(z, jnp.float32).ravel())
        np.testing.assert_array_equal(found, symbols)
        np.testing.assert_allclose(quantiser.vector(params, found), np.ravel(whole), rtol=1e-4)


@pytest.mark.parametrize("depth", [1, 2])
def test_a_code_is_drawn_by_its_distance(depth):
    """Odds `exp(-|rest - e|^2 / 2 s^2)`, `s` of each book, in every order of symbols there is."""
    quantiser = codebook(places=1, levels=3, size=2, depth=depth)
    params = quantiser.init(KEY) | {"log_scale": jnp.log(jnp.asarray([0.7, 0.4]))[:depth]}
    books, z = codes_of(params), np.array([0.4, -0.3])
    wanted = {}
    for symbols in itertools.product(range(3), repeat=depth):
        rest, nats = z, 0.0
        for book, scale, k in zip(books, [0.7, 0.4], symbols, strict=False):
            away = ((rest - book) ** 2).sum(1)
            nats += log_softmax(-away / 2 / scale**2)[k]
            rest = rest - book[k]
        wanted[symbols] = nats
    assert abs(sum(np.exp(list(wanted.values()))) - 1) < 1e-12
    draw = jax.jit(jax.vmap(lambda k: quantiser.draw(params, k, jnp.asarray(z, jnp.float32))))
    symbols, log_q = map(np.asarray, draw(jax.random.split(KEY, 20_000)))
    for k, nats in wanted.items():
        here = (symbols == k).all(1)
        share = np.exp(nats)
        assert abs(here.mean() - share) < 5 * np.sqrt(share / 20_000)
        np.testing.assert_allclose(log_q[here], nats, rtol=1e-4, atol=1e-4)


def test_finite_scalars_are_the_grid_and_nothing_else():
    """As many codes as the product of the levels, each its own nearest, on even steps from -1 to 1."""
    levels = (5, 4, 3)
    quantiser = finite_scalar(places=1, levels=levels)
    symbols = jnp.arange(quantiser.levels)[:, None]
    vectors = np.asarray(jax.vmap(lambda s: quantiser.vector({}, s))(symbols))
    grid = set(itertools.product(*(np.linspace(-1, 1, n).astype(np.float32) for n in levels)))
    assert quantiser.levels == 60 == len(np.unique(vectors, axis=0))
    assert {tuple(v) for v in np.round(vectors, 5)} == {tuple(np.round(g, 5)) for g in grid}
    back = jax.vmap(lambda v: quantiser.nearest({}, v))(jnp.asarray(vectors))
    np.testing.assert_array_equal(back, symbols)
    for z in RNG.standard_normal((50, 3)):
        u = np.tanh(z)
        nearest = int(quantiser.nearest({}, quantiser.within(jnp.asarray(z, jnp.float32)))[0])
        best = ((vectors - u) ** 2).sum(1).argmin()
        assert nearest == best


def test_a_finite_scalar_is_drawn_by_its_distance():
    quantiser = finite_scalar(places=1, levels=(3, 2))
    params = {"log_scale": jnp.log(jnp.asarray([0.6, 0.9]))}
    u = np.array([0.3, -0.2])
    steps = (u + 1) / 2 * np.array([2, 1])
    first = log_softmax(-((steps[0] - np.arange(3)) ** 2) / 2 / 0.6**2)
    second = log_softmax(-((steps[1] - np.arange(2)) ** 2) / 2 / 0.9**2)
    draw = jax.jit(jax.vmap(lambda k: quantiser.draw(params, k, jnp.asarray(u, jnp.float32))))
    symbols, log_q = map(np.asarray, draw(jax.random.split(KEY, 20_000)))
    for i, j in itertools.product(range(3), range(2)):
        here = symbols[:, 0] == i + 3 * j
        share = np.exp(first[i] + second[j])
        assert abs(here.mean() - share) < 5 * np.sqrt(share / 20_000)
        np.testing.assert_allclose(log_q[here], np.log(share), rtol=1e-4, atol=1e-4)


W = np.array([[1.0, -0.5], [0.3, 0.8], [0.2, 0.1]])
LOGITS = np.array([[0.5, -0.2, 0.0], [0.1, 0.4, -0.6]])


def enumerated():
    """Two symbols of three levels, one number each; `x = W z + e / 2`; every law of it is a finite sum."""
    quantiser = codebook(places=2, levels=3, size=1)
    logits = Network(lambda key: {}, lambda p, s, cond: jnp.asarray(LOGITS, jnp.float32))
    decode = Network(
        lambda key: {},
        lambda p, z, cond: jnp.concatenate(
            [jnp.asarray(W, jnp.float32) @ z, jnp.full(3, np.log(0.5))]
        ),
    )
    encode = Network(lambda key: {}, lambda p, x, cond: x[:2])
    step = quantised(quantiser, decode, encode, gaussian((3,)))
    distribution = pushforward(autoregressive(logits, (2,), 3), decoder=step)
    codes = {
        "codes": jnp.asarray([[[-0.1], [0.0], [0.12]]]),
        "log_scale": jnp.log(jnp.asarray([0.6])),
    }
    return distribution, {"logits": {}, "decoder": {"decoder": {}, "encoder": {}, "codes": codes}}


def joint_and_q(x):
    book = np.array([-1.0, 0.0, 1.2])
    log_prior = log_softmax(LOGITS, axis=1)
    for s in itertools.product(range(3), repeat=2):
        z = book[list(s)]
        log_p = log_prior[0, s[0]] + log_prior[1, s[1]] + norm.logpdf(x, W @ z, 0.5).sum()
        odds = log_softmax(-((x[:2, None] - book) ** 2) / 2 / 0.6**2, axis=1)
        yield log_p, odds[0, s[0]] + odds[1, s[1]]


def test_the_bound_is_its_enumeration_and_its_weights_average_to_the_density():
    distribution, params = enumerated()
    x = np.array([0.4, -0.3, 0.2])
    log_p, log_q = np.array(list(joint_and_q(x))).T
    bound, exact = np.exp(log_q) @ (log_p - log_q), logsumexp(log_p)
    fn = jax.jit(jax.vmap(lambda k: log_density(distribution, params, k, jnp.asarray(x))))
    nats = np.asarray(fn(jax.random.split(KEY, 20_000)), np.float64)
    error = nats.std() / np.sqrt(len(nats))
    assert abs(nats.mean() - bound) < 5 * error < (exact - bound) / 3
    weights = np.exp(nats - exact)
    assert abs(weights.mean() - 1) < 5 * weights.std() / np.sqrt(len(nats)) < 0.1


def test_samples_have_the_mean_of_the_mixture():
    distribution, params = enumerated()
    drawn = np.asarray(sample_many(distribution, params, KEY, 20_000, chunk=20_000))
    book, share = np.array([-1.0, 0.0, 1.2]), np.exp(log_softmax(LOGITS, axis=1))
    wanted = W @ (share @ book)
    assert (abs(drawn.mean(0) - wanted) < 5 * drawn.std(0) / np.sqrt(20_000)).all()


def test_what_does_not_fit_is_named():
    distribution, params = enumerated()
    with pytest.raises(ValueError, match="gaussian observation: got an example of shape"):
        log_density(distribution, params, KEY, jnp.zeros(4))
    wide = Network(lambda key: {}, lambda p, x, cond: x)
    still = Network(lambda key: {}, lambda p, z, cond: jnp.zeros(6))
    step = quantised(codebook(2, 3, 1), still, wide, gaussian((3,)))
    with pytest.raises(ValueError, match="an encoder that gives numbers of shape"):
        step.inverse.fn(step.init(KEY), KEY, jnp.zeros(3), None)
    with pytest.raises(ValueError, match="quantised: got an example of dtype"):
        step.forward(step.init(KEY), KEY, jnp.zeros(2))
    with pytest.raises(ValueError, match="codebook: got levels=0"):
        codebook(2, 0, 1)
    with pytest.raises(ValueError, match="at least 2 of each number"):
        finite_scalar(2, (3, 1))
