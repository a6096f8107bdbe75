"""Learning through a rounding: gradients by finite differences and enumeration, codes by k-means."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.special import log_softmax
from scipy.stats import norm

from probtransform.core import Batch, Model, Network, Player, pushforward
from probtransform.distributions import autoregressive, gaussian
from probtransform.objectives import k_means, straight_through
from probtransform.objectives.straight_through import perplexities
from probtransform.training import learner
from probtransform.transforms import codebook, decoder, finite_scalar, quantised

KEY = jax.random.key(0)
RNG = np.random.default_rng(0)
BOOK = np.array([[-1.0, 0.2], [0.1, 0.9], [1.1, -0.4]])
UNIT = 10.0  # a block holds codes in tenths


def bent(A, B):
    """`z = tanh(A x)` is rounded to a code of `BOOK`, and `x ~ N(tanh(B e), 0.5^2)`."""

    def decode(params, z, cond):
        return jnp.concatenate([jnp.tanh(params["B"] @ z), jnp.full(3, np.log(0.5))])

    quantiser = codebook(places=1, levels=3, size=2)
    step = quantised(
        quantiser,
        Network(lambda key: {"B": jnp.asarray(B)}, decode),
        Network(lambda key: {"A": jnp.asarray(A)}, lambda p, x, cond: jnp.tanh(p["A"] @ x)),
        gaussian((3,)),
    )
    codes = {"codes": jnp.asarray(BOOK[None] / UNIT), "log_scale": jnp.log(jnp.asarray([0.5]))}
    block = {"decoder": {"B": jnp.asarray(B)}, "encoder": {"A": jnp.asarray(A)}, "codes": codes}
    return step, {"decoder": block}


A, B = RNG.standard_normal((2, 3)), RNG.standard_normal((3, 2))
X = RNG.standard_normal((4, 3))


def differences(fn, at, h=1e-5):
    """The gradient of `fn` by central differences."""
    grad = np.zeros_like(at)
    for i in np.ndindex(at.shape):
        up, down = at.copy(), at.copy()
        up[i], down[i] = up[i] + h, down[i] - h
        grad[i] = (fn(up) - fn(down)) / (2 * h)
    return grad


def test_the_encoder_gets_the_decoders_gradient_at_the_code_and_the_commitment():
    """With the rounding `e - z` held, the loss is smooth, and its differences are the gradient."""
    beta = 0.7
    z0 = np.tanh(X @ A.T)
    e = BOOK[((z0[:, None] - BOOK) ** 2).sum(-1).argmin(1)]

    def held(A, B):
        z = np.tanh(X @ A.T)
        nats = -norm.logpdf(X, np.tanh((z + e - z0) @ B.T), 0.5).sum(1) + np.log(3)
        return np.mean(nats + beta * ((z - e) ** 2).sum(1))

    with jax.enable_x64(True):
        step, params = bent(A, B)
        loss = straight_through(step, beta)
        grads = jax.grad(lambda p: loss(p, (), KEY, Batch(jnp.asarray(X)))[0])(params)["decoder"]
        value = float(loss(params, (), KEY, Batch(jnp.asarray(X)))[0])
    np.testing.assert_allclose(value, held(A, B), rtol=1e-10)
    np.testing.assert_allclose(
        grads["encoder"]["A"], differences(lambda a: held(a, B), A), atol=1e-7
    )
    np.testing.assert_allclose(
        grads["decoder"]["B"], differences(lambda b: held(A, b), B), atol=1e-7
    )
    np.testing.assert_array_equal(grads["codes"]["codes"], 0)


def test_the_sharpness_learns_the_bound_of_drawn_codes():
    """Its gradient is on average that of `sum_s q(s) (log p(x|s) - log K - log q(s))`."""

    def bound(log_scale):
        total = 0.0
        for x in X:
            away = ((np.tanh(A @ x) - BOOK) ** 2).sum(1)
            log_q = log_softmax(-away / 2 * np.exp(-2 * log_scale))
            log_p = norm.logpdf(x, np.tanh(BOOK @ B.T), 0.5).sum(1) - np.log(3)
            total += np.exp(log_q) @ (log_p - log_q)
        return total / len(X)

    step, params = bent(A, B)
    params = jax.tree.map(lambda p: p.astype(jnp.float32), params)
    loss, batch = straight_through(step), Batch(jnp.asarray(X, jnp.float32))

    def slope(key):
        grads = jax.grad(lambda p: loss(p, (), key, batch)[0])(params)
        return grads["decoder"]["codes"]["log_scale"][0]

    slopes = np.asarray(jax.jit(jax.vmap(slope))(jax.random.split(KEY, 20_000)), np.float64)
    wanted = -(bound(np.log(0.5) + 1e-5) - bound(np.log(0.5) - 1e-5)) / 2e-5
    error = slopes.std() / np.sqrt(len(slopes))
    assert abs(slopes.mean() - wanted) < 5 * error < abs(wanted) / 3


def plain(levels: int, size: int, decay: float, depth: int = 1, least: float = 0.03):
    """A model whose encoder is the identity and whose decoder knows nothing: codes are all that moves."""
    quantiser = codebook(1, levels, size, depth)
    still = Network(lambda key: {}, lambda p, z, cond: jnp.zeros(2 * size))
    same = Network(lambda key: {}, lambda p, x, cond: x)
    step = quantised(quantiser, still, same, gaussian((size,)))
    uniform = Network(lambda key: {}, lambda p, s, cond: jnp.zeros((depth, levels)))
    distribution = pushforward(autoregressive(uniform, (depth,), levels), decoder=step)
    means = k_means(levels, size, depth, decay, least)
    loss = straight_through(step, means=means)
    player = Player(("decoder",), loss)
    return Model(distribution, {"codes": player}, carry=lambda key: means.init())


def run(model, batches, codes):
    """The codes after each batch, by plain descent at the rate one of the codes."""
    learn = learner(model, optax.sgd(1 / UNIT**2))
    state = learn.init(KEY)
    block = state.params["decoder"]["codes"] | {"codes": jnp.asarray(codes / UNIT, jnp.float32)}
    decoder = state.params["decoder"] | {"codes": block}
    state = state._replace(params=state.params | {"decoder": decoder})
    seen = []
    for x in batches:
        state, _ = learn.step(state, KEY, Batch(jnp.asarray(x, jnp.float32)))
        seen.append(UNIT * np.asarray(state.params["decoder"]["codes"]["codes"]))
    return seen


def clouds(n: int):
    centres = np.array([[2.0, 0.0], [-2.0, 0.5], [0.0, 2.5]])
    return centres[RNG.integers(0, 3, n)] + 0.3 * RNG.standard_normal((n, 2))


def test_descent_is_online_k_means():
    """Code k is the mean of all vectors it ever stood for, weighed by `decay ** age`."""
    decay, codes = 0.8, np.array([[1.0, 0.0], [-1.0, 0.0], [0.3, 1.0]])
    batches = [clouds(30) for _ in range(6)]
    found = run(plain(3, 2, decay), batches, codes[None])
    history = []
    for t, x in enumerate(batches):
        nearest = ((x[:, None] - codes) ** 2).sum(-1).argmin(1)
        history.append((x, nearest))
        for k in range(3):
            age = [decay ** (t - i) * (n == k) for i, (_, n) in enumerate(history)]
            weights = np.concatenate(age)
            codes[k] = weights @ np.concatenate([x for x, _ in history]) / weights.sum()
        np.testing.assert_allclose(found[t][0], codes, atol=1e-4)


def test_in_depth_each_book_follows_what_those_before_have_left():
    books = np.array([[[2.0, 0.0], [-2.0, 0.0]], [[0.5, 0.5], [-0.5, -0.5]]])
    x = clouds(60)
    (found,) = run(plain(2, 2, 0.0, depth=2), [x], books)
    rest = x
    for book, after in zip(books, found, strict=True):
        nearest = ((rest[:, None] - book) ** 2).sum(-1).argmin(1)
        wanted = [rest[nearest == k].mean(0) for k in range(2)]
        np.testing.assert_allclose(after, wanted, atol=1e-4)
        rest = rest - book[nearest]


def test_a_code_out_of_use_starts_anew_at_a_vector():
    codes = np.array([[2.0, 0.0], [-2.0, 0.5], [0.0, 2.5], [50.0, 50.0]])
    x = clouds(40)
    first, second = run(plain(4, 2, 0.9), [x, x], codes[None])
    away = abs(x - first[0, 3]).max(1)
    assert away.min() < 1e-4
    nearest = ((x[:, None] - codes) ** 2).sum(-1).argmin(1)
    for k in range(3):
        np.testing.assert_allclose(first[0, k], x[nearest == k].mean(0), atol=1e-4)
    assert abs(second[0, 3] - first[0, 3]).max() < 2.0  # in use: it goes on from there


def test_a_code_in_rare_use_starts_anew_only_below_the_least_share():
    x = np.concatenate([np.full((60, 2), 1.0), np.full((1, 2), -5.0)])
    codes = np.array([[[1.0, 1.0], [-4.0, -4.0]]])
    (kept,) = run(plain(2, 2, 0.9, least=0.01), [x], codes)
    (moved,) = run(plain(2, 2, 0.9, least=0.5), [x], codes)
    np.testing.assert_allclose(kept[0, 1], [-5.0, -5.0], atol=1e-4)
    assert abs(moved[0, 1] - x).max(1).min() < 1e-4


def test_perplexity_counts_codes_in_even_use():
    even = jnp.arange(12)[:, None] % 4
    np.testing.assert_allclose(perplexities(even, 8), [4.0], rtol=1e-6)
    np.testing.assert_allclose(perplexities(jnp.zeros((5, 1), int), 8), [1.0], rtol=1e-6)
    shares = np.array([0.5, 0.25, 0.25])
    uneven = jnp.asarray([0, 0, 1, 2])[:, None]
    wanted = np.exp(-(shares * np.log(shares)).sum())
    np.testing.assert_allclose(perplexities(uneven, 8), [wanted], rtol=1e-6)


def test_what_does_not_fit_is_named():
    step, _ = bent(A, B)
    other = Network(lambda key: {}, lambda p, x, cond: jnp.zeros(4))
    with pytest.raises(ValueError, match="wanted Quantised"):
        straight_through(decoder(other, other, gaussian((2,))))
    with pytest.raises(ValueError, match="got commitment=-1"):
        straight_through(step, -1.0)
    with pytest.raises(ValueError, match="k_means: got decay=1"):
        k_means(3, 2, decay=1.0)
    for least in (0.0, 1.0, float("nan")):
        with pytest.raises(ValueError, match=f"k_means: got least={least}"):
            k_means(3, 2, least=least)
    grid = quantised(finite_scalar(2, (3,)), other, other, gaussian((3,)))
    with pytest.raises(ValueError, match="got running means for a quantiser whose codes are fixed"):
        straight_through(grid, means=k_means(3, 1))
