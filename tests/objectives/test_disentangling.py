"""The losses that disentangle, on an encoder whose posteriors are written in a table."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.stats import norm

from probtransform.core import Batch, Model, Network, Player, pushforward
from probtransform.distributions import gaussian, normal
from probtransform.objectives import disentangling, likelihood
from probtransform.training import learner
from probtransform.transforms import decoder, implicit, quantise

KEY = jax.random.key(0)
MEAN = np.array([[0.8, -0.5], [-1.0, -0.9], [0.1, 1.2]])
LOG_SCALE = np.log([[0.5, 0.9], [0.7, 0.4], [1.1, 0.6]])
X = jnp.eye(3)


def table(k: int = 2, d: int = 3):
    """`x` is a row's name, one-hot; the encoder reads its posterior off the block, the decoder is linear."""

    def decode(params, z, cond):
        return jnp.concatenate([params["W"] @ z, jnp.full(d, -0.5)])

    def encode(params, x, cond):
        return jnp.concatenate([x @ params["mean"], x @ params["log_scale"]])

    weights = jnp.asarray(np.random.default_rng(0).normal(size=(d, k)), jnp.float32)
    rows = {"mean": jnp.asarray(MEAN[:, :k], jnp.float32)}
    rows["log_scale"] = jnp.asarray(LOG_SCALE[:, :k], jnp.float32)
    step = decoder(
        Network(lambda key: {"W": weights}, decode),
        Network(lambda key: rows, encode),
        gaussian((d,)),
    )
    return step, {"decoder": step.init(KEY)}


STEP, PARAMS = table()
KL = (MEAN**2 / 2 + np.exp(2 * LOG_SCALE) / 2 - 0.5 - LOG_SCALE).sum(1)


def at(loss, carry=(), params=PARAMS, key=KEY, x=X):
    return jax.jit(loss)(params, carry, key, Batch(x))


def over_keys(fn, count):
    values = jax.jit(jax.vmap(fn))(jax.random.split(jax.random.key(1), count))
    return jax.tree.map(lambda v: (np.mean(v), np.std(v) / np.sqrt(count)), values)


def test_at_beta_one_it_is_the_bound():
    """The same mean over keys as maximum likelihood, with less noise."""
    plain = likelihood(pushforward(normal((2,)), decoder=STEP))
    ours = disentangling.bottleneck(STEP, beta=1.0)
    (mean, error), (other, noise) = (
        over_keys(lambda k, loss=loss: loss(PARAMS, 0, k, Batch(X))[0], 20_000)
        for loss in (ours, plain)
    )
    assert abs(mean - other) < 5 * np.hypot(error, noise) and error < noise


def test_beta_weighs_a_divergence_that_is_summed_over_codes():
    first, second = (at(disentangling.bottleneck(STEP, beta=b), 0)[0] for b in (1.0, 3.5))
    np.testing.assert_allclose(second - first, 2.5 * KL.mean(), rtol=1e-5)


def test_twice_the_pixels_are_twice_the_nats():
    """Sums over entries, never means: the same entries twice, from the same codes."""
    twice, _ = table(d=6)
    z = disentangling.encoding(STEP, "decoder")(PARAMS, KEY, Batch(X)).z
    weights = jnp.tile(PARAMS["decoder"]["decoder"]["W"], (2, 1))
    one, two = (
        jax.vmap(step.inverse.log_likelihood, (None, 0, 0))({"decoder": {"W": w}}, z, x)
        for step, w, x in ((STEP, weights[:3], X), (twice, weights, jnp.tile(X, (1, 2))))
    )
    np.testing.assert_allclose(two, 2 * one, rtol=1e-5)


def test_capacity_grows_with_the_updates():
    loss = disentangling.bottleneck(STEP, beta=10.0, capacity=6.0, warm=4)
    plain = disentangling.bottleneck(STEP, beta=0.0)
    distortion = at(plain, 0)[0]
    for done, room in ((0, 0.0), (1, 1.5), (2, 3.0), (4, 6.0), (9, 6.0)):
        value, (carry, seen) = at(loss, jnp.int32(done))
        wanted = distortion + 10 * abs(KL.mean() - room)
        np.testing.assert_allclose(value, wanted, rtol=1e-5)
        assert carry == done + 1
        np.testing.assert_allclose(seen["kl"], KL.mean(), rtol=1e-5)
    assert 0 < KL.mean() < 1.5  # on both sides of the room: the sign is seen


def test_the_counter_is_kept_by_the_learner():
    loss = disentangling.bottleneck(STEP, 10.0, 6.0, 4)
    model = Model(
        pushforward(normal((2,)), decoder=STEP),
        {"vae": Player(("decoder",), loss)},
        carry=disentangling.counter,
    )
    learn = learner(model, optax.sgd(1e-3))
    state = learn.init(KEY)
    for _ in range(3):
        state, _ = learn.step(state, KEY, Batch(X))
    assert int(state.carry) == 3


# --- total correlation ----------------------------------------------------------------------------


def test_stratified_weights_are_unbiased_over_all_batches():
    """N = 5, batches of 3: own example and two others; the mean over all of them is `q(z)`."""
    rng, size, batch = np.random.default_rng(0), 5, 3
    q = rng.uniform(0.1, 2, size)  # q(z | x_n) at some z, whose own example is 0
    weights = np.asarray(disentangling.stratified(batch, size), np.float64)
    np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-6)
    found = [
        weights[0] @ q[[0, *others]] for others in itertools.combinations(range(1, size), batch - 1)
    ]
    np.testing.assert_allclose(np.mean(found), q.mean(), rtol=1e-6)
    assert np.ptp(found) > 0.1


def test_stratified_weights_are_the_paper_s_in_every_order():
    """`q*/N + sum_{m<M} q_m/M + (N-M)/(NM) q_M` with M others, averaged over their order."""
    rng, size, others = np.random.default_rng(1), 7, 3
    q = rng.uniform(0.1, 2, 1 + others)
    paper = [
        q[0] / size + sum(order[:-1]) / others + (size - others) / (size * others) * order[-1]
        for order in itertools.permutations(q[1:])
    ]
    ours = np.asarray(disentangling.stratified(1 + others, size), np.float64)[0] @ q
    np.testing.assert_allclose(ours, np.mean(paper), rtol=1e-6)


def test_weighted_sampling_knows_the_size_by_a_constant_alone():
    q = np.array([0.3, 0.9, 1.7])
    np.testing.assert_allclose(disentangling.weighted(3, 3) @ q, q.mean() / 3, rtol=1e-6)
    losses = [
        disentangling.total_correlation(STEP, size, 5.0, disentangling.weighted)
        for size in (10, 1000)
    ]
    values = [
        jax.jit(jax.value_and_grad(lambda p, f=f: f(p, (), KEY, Batch(X))[0]))(PARAMS)
        for f in losses
    ]
    # TC = log q(z) - sum over two codes: log(1/N) once against twice
    np.testing.assert_allclose(values[1][0] - values[0][0], 4 * np.log(100), rtol=1e-4)
    for a, b in zip(*(jax.tree.leaves(v[1]) for v in values), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_the_three_parts_are_those_of_quadrature():
    """All data in one batch: q(z) is the mixture itself, known on a grid."""
    axis = np.linspace(-7, 7, 561)
    cell = axis[1] - axis[0]
    each = norm.pdf(axis[:, None, None], MEAN, np.exp(LOG_SCALE))  # [grid, n, k]
    by_row = each[:, None, :, 0] * each[None, :, :, 1]  # [grid, grid, n]
    q, q0, q1 = by_row.mean(2), each[:, :, 0].mean(1), each[:, :, 1].mean(1)
    product, prior = q0[:, None] * q1, norm.pdf(axis)[:, None] * norm.pdf(axis)

    def expected(weight, ratio):
        return (weight * np.log(ratio)).sum() * cell**2

    wanted = (
        np.mean([expected(by_row[..., n], by_row[..., n] / q) for n in range(3)]),
        expected(q, q / product),
        expected(q, product / prior),
    )
    assert min(wanted) > 0.05
    encode, weights = disentangling.encoding(STEP, "decoder"), disentangling.stratified(3, 3)
    np.testing.assert_allclose(weights, 1 / 3, rtol=1e-6)
    parts = over_keys(lambda k: disentangling.split(encode(PARAMS, k, Batch(X)), weights), 20_000)
    for (mean, error), value in zip(parts, wanted, strict=True):
        assert abs(mean - value) < 5 * error and error < value / 20
    np.testing.assert_allclose(sum(wanted), KL.mean(), rtol=1e-6)


def test_beta_tcvae_adds_correlation_to_the_bound():
    encode = disentangling.encoding(STEP, "decoder")
    tc = disentangling.split(
        encode(PARAMS, KEY, Batch(X)), disentangling.stratified(3, 50)
    ).correlation
    bound, _ = at(disentangling.bottleneck(STEP, 1.0), 0)
    for beta in (1.0, 4.0):
        value, (_, seen) = at(disentangling.total_correlation(STEP, 50, beta))
        np.testing.assert_allclose(value, bound + (beta - 1) * tc, rtol=1e-5)
        np.testing.assert_allclose(seen["total_correlation"], tc, rtol=1e-5)
    assert abs(tc) > 0.1


def test_codes_far_apart_stay_finite():
    """Sharp posteriors hundreds of deviations apart: densities underflow, their logarithms do not."""
    far = {**PARAMS["decoder"]["encoder"], "log_scale": jnp.full((3, 2), -7.0)}
    params = {"decoder": {**PARAMS["decoder"], "encoder": far}}
    loss = disentangling.total_correlation(STEP, 3, 6.0)
    value, grads = jax.jit(jax.value_and_grad(lambda p: loss(p, (), KEY, Batch(X))[0]))(params)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((value, grads)))


# --- density ratio --------------------------------------------------------------------------------

RHO = 0.8


def correlated(n):
    """Codes that are, but for a thousandth, a normal pair of correlation RHO; and their discriminator."""

    def encode(params, x, cond):
        return jnp.concatenate([params["scale"] * x, jnp.full(2, -7.0)])

    def decode(params, z, cond):
        return jnp.concatenate([params["W"] @ z, jnp.zeros(2)])

    step = decoder(
        Network(lambda key: {"W": jnp.eye(2)}, decode),
        Network(lambda key: {"scale": jnp.ones(2)}, encode),
        gaussian((2,)),
    )

    def judge(params, z):
        return params @ jnp.stack([jnp.ones(()), z[0] ** 2 + z[1] ** 2, z[0] * z[1]])

    s = 1 - RHO**2
    best = jnp.asarray([-0.5 * np.log(s), -(RHO**2) / (2 * s), RHO / s], jnp.float32)
    z = np.random.default_rng(0).multivariate_normal([0, 0], [[1, RHO], [RHO, 1]], n)
    params = {"decoder": step.init(KEY), "discriminator": best}
    losses = disentangling.density_ratio(step, Network(lambda key: best, judge), gamma=3.0)
    return params, losses, jnp.asarray(z, jnp.float32)


def test_the_best_discriminator_is_the_density_ratio():
    """At `log q(z) / prod q(z_l)` its loss has no slope, and the mean is the total correlation."""
    params, (vae, discriminator), z = correlated(100_000)
    slope = jax.jit(jax.grad(lambda p, k, z: discriminator(p, (), k, Batch(z))[0]))
    parts = jnp.split(z, 20)
    slopes = np.stack(
        [
            slope(params, k, x)["discriminator"]
            for k, x in zip(jax.random.split(KEY, 20), parts, strict=True)
        ]
    )
    error = slopes.std(0, ddof=1) / np.sqrt(20)
    assert (abs(slopes.mean(0)) < 5 * error).all() and (error < 5e-3).all()
    value, (_, seen) = jax.jit(vae)(params, (), KEY, Batch(z))
    np.testing.assert_allclose(seen["total_correlation"], -0.5 * np.log(1 - RHO**2), atol=0.02)
    np.testing.assert_allclose(value, seen["nats"] + 3 * seen["total_correlation"], rtol=1e-5)


def test_each_player_learns_its_own_part():
    params, (vae, discriminator), z = correlated(500)
    grads = jax.grad(lambda p: discriminator(p, (), KEY, Batch(z))[0])(params)
    assert all((leaf == 0).all() for leaf in jax.tree.leaves(grads["decoder"]))
    assert (grads["discriminator"] != 0).all()

    def value(scale):
        block = params["decoder"] | {"encoder": {"scale": scale}}
        return vae(params | {"decoder": block}, (), KEY, Batch(z))[0]

    found = jax.grad(value)(jnp.ones(2))
    for i, e in enumerate(jnp.eye(2) * 1e-2):
        wanted = (value(1 + e) - value(1 - e)) / 2e-2
        np.testing.assert_allclose(found[i], wanted, rtol=2e-2)


def test_shuffled_codes_keep_their_marginals_alone():
    z = jax.random.normal(KEY, (1000, 1)) + jnp.arange(3) * 0.0  # three equal columns
    shuffled = np.asarray(disentangling.permuted(jax.random.key(1), z))
    np.testing.assert_array_equal(np.sort(shuffled, 0), np.sort(z, 0))
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert abs(np.corrcoef(shuffled[:, i], shuffled[:, j])[0, 1]) < 5 / np.sqrt(1000)
    assert np.corrcoef(shuffled[:, 0], z[:, 0])[0, 1] < 0.2


def test_logits_of_any_size_are_finite():
    params, losses, z = correlated(8)
    for size in (80.0, -80.0, 1e4):
        sure = params | {"discriminator": jnp.asarray([size, 0.0, 0.0])}
        for loss in losses:
            value, grads = jax.value_and_grad(lambda p, f=loss: f(p, (), KEY, Batch(z))[0])(sure)
            assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((value, grads)))
        expected = (np.logaddexp(0, -size) + np.logaddexp(0, size)) / 2
        np.testing.assert_allclose(losses[1](sure, (), KEY, Batch(z))[0], expected, rtol=1e-6)


# --- moments --------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("of_codes", [False, True])
def test_moments_are_drawn_to_the_identity(k, of_codes):
    step, params = table(k)
    value, (_, seen) = at(disentangling.moments(step, 3.0, 7.0, of_codes), params=params)
    base, _ = at(disentangling.bottleneck(step, 1.0), 0, params)
    c = np.cov(MEAN[:, :k].T, bias=True).reshape(k, k)
    if of_codes:
        c = c + np.diag(np.exp(2 * LOG_SCALE[:, :k]).mean(0))
    wanted = 7 * ((np.diag(c) - 1) ** 2).sum() + 3 * sum(
        c[i, j] ** 2 for i in range(k) for j in range(k) if i != j
    )
    np.testing.assert_allclose(seen["moments"], wanted, rtol=1e-4)
    np.testing.assert_allclose(value - base, wanted, rtol=1e-4)


# --- errors ---------------------------------------------------------------------------------------


def test_what_has_no_encoder_is_refused():
    body = Network(lambda key: {}, lambda params, z, cond: z)
    for step, kind in ((implicit(body), "NoneType"), (quantise((2,), 4), "Bound")):
        with pytest.raises(ValueError, match=f"way back is {kind}, wanted Encoded"):
            disentangling.bottleneck(step)


def test_bad_numbers():
    with pytest.raises(ValueError, match=r"a batch of 8 from 5 examples.*or take a larger batch"):
        disentangling.stratified(8, 5)
    with pytest.raises(ValueError, match="a batch of 1 from 5 examples"):
        disentangling.stratified(1, 5)
    with pytest.raises(ValueError, match="warm=0"):
        disentangling.bottleneck(STEP, warm=0)
    judge = Network(lambda key: {}, lambda params, z: z.sum())
    for loss, bad in (
        (disentangling.bottleneck, {"beta": -1.0}),
        (disentangling.bottleneck, {"capacity": np.inf}),
        (disentangling.total_correlation, {"size": 10, "beta": -1.0}),
        (disentangling.density_ratio, {"discriminator": judge, "gamma": np.nan}),
        (disentangling.moments, {"diagonal": -1.0}),
    ):
        with pytest.raises(ValueError, match="wanted a finite number >= 0"):
            loss(STEP, **bad)


def test_an_encoder_of_an_odd_width_is_named():
    step = decoder(
        Network(lambda key: {}, lambda params, z, cond: jnp.zeros(6)),
        Network(lambda key: {}, lambda params, x, cond: jnp.zeros(5)),
        gaussian((3,)),
    )
    with pytest.raises(ValueError, match=r"numbers of shape \(5,\), wanted \(2k,\)"):
        at(disentangling.bottleneck(step), 0, {"decoder": step.init(KEY)})


def test_an_encoder_of_another_width_than_the_decoder_reads_is_named():
    step = decoder(
        Network(lambda key: jnp.ones((4, 6)), lambda params, z, cond: z @ params),
        Network(lambda key: {}, lambda params, x, cond: jnp.zeros(10)),
        gaussian((3,)),
    )
    with pytest.raises(ValueError, match=r"codes of shape \(5,\), which its network does not take"):
        at(disentangling.bottleneck(step), 0, {"decoder": step.init(KEY)})


def test_the_parts_make_up_the_weight():
    block = PARAMS["decoder"]
    z, weight = STEP.inverse.fn(block, KEY, X[0], None)
    mean, log_scale = STEP.inverse.posterior(block, X[0], None)
    np.testing.assert_allclose(mean, MEAN[0], rtol=1e-6)
    log_q = norm.logpdf(z, mean, np.exp(log_scale)).sum()
    wanted = STEP.inverse.log_likelihood(block, z, X[0], None) - log_q
    np.testing.assert_allclose(weight, wanted, rtol=1e-5)
