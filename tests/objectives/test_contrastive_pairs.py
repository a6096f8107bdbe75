"""Losses of pairs: the formulas written out in double precision, blocks of any size, and closed forms."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit, logsumexp

from probtransform.core import Batch, Network
from probtransform.objectives.contrastive import (
    between_sides,
    between_views,
    clip_loss,
    cosine,
    nt_xent,
    rows,
    siglip_loss,
    sup_con,
    two_sides,
)

KEY = jax.random.key(0)
N, D = 23, 7
A, B = np.random.default_rng(0).normal(size=(2, N, D)).astype(np.float32)
LABELS = np.random.default_rng(1).integers(0, 4, 2 * N)
LABELS[5] = 9  # alone with its label


def cosines(a, b):
    a, b = (np.asarray(x, np.float64) for x in (a, b))
    return a @ b.T / np.linalg.norm(a, axis=1)[:, None] / np.linalg.norm(b, axis=1)


def dense_nt_xent(a, b, temperature):
    z = np.concatenate([a, b])
    s = cosines(z, z) / temperature
    partner = (np.arange(2 * N) + N) % (2 * N)
    nats = [s[i, partner[i]] - logsumexp(np.delete(s[i], i)) for i in range(2 * N)]
    return -np.mean(nats)


def dense_sup_con(z, labels, temperature):
    s = cosines(z, z) / temperature
    nats = []
    for i in range(len(z)):
        friends = [p for p in range(len(z)) if p != i and labels[p] == labels[i]]
        if friends:
            nats.append(np.mean([s[i, p] - logsumexp(np.delete(s[i], i)) for p in friends]))
    return -np.mean(nats)


def dense_clip(a, b, log_scale):
    s = np.exp(log_scale) * cosines(a, b)
    own = np.diag(s)
    return -np.mean(2 * own - logsumexp(s, 0) - logsumexp(s, 1)) / 2


def dense_siglip(a, b, log_scale, bias):
    y = 2 * np.eye(N) - 1
    return -np.log(expit(y * (np.exp(log_scale) * cosines(a, b) + bias))).sum() / N


def dense(name):
    """The formula of a case, in double precision."""
    return {
        "nt_xent": lambda a, b: dense_nt_xent(a, b, 0.2),
        "sup_con": lambda a, b: dense_sup_con(np.concatenate([a, b]), LABELS, 0.2),
        "clip": lambda a, b: dense_clip(a, b, 1.5),
        "siglip": lambda a, b: dense_siglip(a, b, 1.5, -2.0),
    }[name]


Z = np.concatenate([A, B])
CASES = {
    "nt_xent": (lambda a, b: nt_xent(a, b, 0.2), dense_nt_xent(A, B, 0.2)),
    "sup_con": (
        lambda a, b: sup_con(jnp.concatenate([a, b]), LABELS, 0.2),
        dense_sup_con(Z, LABELS, 0.2),
    ),
    "clip": (lambda a, b: clip_loss(a, b, 1.5), dense_clip(A, B, 1.5)),
    "siglip": (lambda a, b: siglip_loss(a, b, 1.5, -2.0), dense_siglip(A, B, 1.5, -2.0)),
}


@pytest.mark.parametrize("pairs", [2**23, 200])
@pytest.mark.parametrize("name", CASES)
def test_it_is_its_formula_in_blocks_of_any_size(name, pairs, monkeypatch):
    """Blocks of all 23 or 46 rows, or of 4 to 8, the last filled up."""
    monkeypatch.setattr(rows, "PAIRS", pairs)
    loss, wanted = CASES[name]
    assert abs(float(jax.jit(loss)(A, B)) - wanted) < 1e-6 * max(1, abs(wanted))


@pytest.mark.parametrize("name", CASES)
def test_slopes_do_not_depend_on_the_blocks(name, monkeypatch):
    def slopes():
        return jax.jit(lambda a, b: jax.grad(CASES[name][0], (0, 1))(a, b))(A, B)

    whole = slopes()
    monkeypatch.setattr(rows, "PAIRS", 200)
    for one, other in zip(whole, slopes(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
        assert np.abs(one).max() > 1e-3


def test_a_block_that_is_all_is_not_made_twice(monkeypatch):
    """Nothing is looped over or made again; two blocks are."""
    words = ("scan", "checkpoint", "remat")
    for pairs, wanted in ((2**23, False), (200, True)):
        monkeypatch.setattr(rows, "PAIRS", pairs)
        program = str(jax.make_jaxpr(lambda a, b: clip_loss(a, b, 1.5))(A, B))
        assert any(word in program for word in words) is wanted


@pytest.mark.parametrize("name", CASES)
def test_half_precision_is_computed_in_single(name):
    """Rows of length 800, whose squares are infinite in half, and rows of zeros."""
    a, b = (np.float16(300 * x) for x in (A, B))
    a[3], b[7] = 0, 0
    loss, _ = CASES[name]
    found, slopes = jax.jit(jax.value_and_grad(loss, (0, 1)))(a, b)
    wanted = loss(np.float32(a), np.float32(b))
    assert found.dtype == jnp.float32 and abs(float(found - wanted)) < 1e-6 * max(1, abs(wanted))
    for slope, zeros in zip(slopes, (3, 7), strict=True):
        assert np.isfinite(np.delete(slope, zeros, 0)).all()
    a, b = (np.where(x == 0, np.float16(1), x) for x in (a, b))
    wanted = dense(name)(a, b)
    assert abs(float(loss(a, b)) - wanted) < 1e-5 * max(1, abs(wanted))


@pytest.mark.parametrize("name", CASES)
def test_a_slope_is_a_difference_of_the_formula(name):
    """Against central differences of the dense formula in double precision, along one direction."""
    formula = dense(name)
    u, v = np.random.default_rng(2).normal(size=(2, N, D))
    step = 1e-5
    more, less = (formula(A + s * u, B + s * v) for s in (step, -step))
    wanted = (more - less) / (2 * step)
    ga, gb = jax.jit(lambda a, b: jax.grad(CASES[name][0], (0, 1))(a, b))(A, B)
    assert abs(float((ga * u).sum() + (gb * v).sum()) - wanted) < 1e-4 * max(1, abs(wanted))


def test_embeddings_that_are_all_alike_say_nothing():
    """Every candidate is as good as another: the logarithm of their number, with finite curvature."""
    same = jnp.ones((N, D))
    assert abs(nt_xent(same, same) - math.log(2 * N - 1)) < 1e-5
    assert abs(sup_con(jnp.ones((2 * N, D)), LABELS) - math.log(2 * N - 1)) < 1e-4
    assert abs(clip_loss(same, same, 1.0) - math.log(N)) < 1e-5
    coins = math.log1p(math.exp(-1)) + (N - 1) * math.log1p(
        math.exp(1)
    )  # logits of e - (e - 1) = 1
    assert abs(siglip_loss(same, same, 1.0, 1 - math.e) - coins) < 1e-3
    for curved in (jnp.ones((3, 2)), jnp.zeros((3, 2))):
        curvature = jax.jit(jax.hessian(lambda a: nt_xent(a, a)))(curved)
        assert np.isfinite(curvature).all()


def test_views_that_find_each_other_cost_nothing():
    apart = jnp.eye(8)
    assert nt_xent(apart, apart, 0.01) < 1e-6 and clip_loss(apart, apart, 4.6) < 1e-6


def test_one_label_a_pair_is_no_label():
    labels = jnp.tile(jnp.arange(N), 2)
    assert abs(sup_con(Z, labels, 0.3) - nt_xent(A, B, 0.3)) < 1e-5


def test_length_does_not_count():
    lengths = np.random.default_rng(3).uniform(0.1, 10, (N, 1)).astype(np.float32)
    for loss, _ in CASES.values():
        assert abs(loss(A * lengths, B) - loss(A, B)) < 1e-5


SIDES = {"clip": clip_loss, "siglip": lambda a, b, log_scale: siglip_loss(a, b, log_scale, -2.0)}


@pytest.mark.parametrize("name", SIDES)
def test_the_scale_is_cut_at_a_hundred(name):
    np.testing.assert_allclose(SIDES[name](A, B, 9.0), SIDES[name](A, B, math.log(100)), rtol=1e-6)


@pytest.mark.parametrize("name", SIDES)
def test_a_scale_that_overshoots_comes_back(name):
    """Beyond the cut the slope is that at the cut: down where pairs are mistaken, up where none is."""
    slope = jax.jit(jax.grad(SIDES[name], 2))
    np.testing.assert_allclose(slope(A, B, 9.0), slope(A, B, math.log(100)), rtol=1e-4)
    assert slope(A, B, 1.5) != 0 and slope(A, B, 4.7) > 1
    scale = 4.7
    for _ in range(20):
        scale = scale - 0.02 * float(slope(A, B, scale))
    assert scale < math.log(100)
    apart = jnp.eye(8)
    assert slope(apart, apart, 1.0) < 0


def test_temperature_and_bias_are_told_their_slopes():
    """d/d bias of a sum of coins: `sum_ij (sigmoid(l_ij) - [i = j]) / n`."""
    logits = np.exp(1.5) * cosines(A, B) - 2.0
    wanted = (expit(logits) - np.eye(N)).sum() / N
    assert abs(float(jax.grad(siglip_loss, 3)(A, B, 1.5, -2.0)) - wanted) < 1e-4
    wanted = ((expit(logits) - np.eye(N)) * (logits + 2.0)).sum() / N
    assert abs(float(jax.grad(siglip_loss, 2)(A, B, 1.5, -2.0)) - wanted) < 1e-4


IDENTITY = Network(lambda key: {"w": jnp.eye(D)}, lambda params, x: params["w"] @ x)


def test_two_views_are_two_draws():
    """The view adds its own normal draw: embeddings differ between views and between examples."""
    seen = []

    def contrast(a, b, cond):
        seen.append((a, b, cond))
        return nt_xent(a, b)

    def noisy(key, x):
        return x + 0.1 * jax.random.normal(key, x.shape)

    loss = between_views(IDENTITY, "e", noisy, contrast)
    value, (carry, metrics) = loss(
        {"e": IDENTITY.init(KEY)}, (), KEY, Batch(jnp.asarray(A), jnp.arange(N))
    )
    ((a, b, cond),) = seen
    moved = np.concatenate([a - A, b - A])
    assert len(np.unique(moved.round(6))) == moved.size and abs(moved.std() - 0.1) < 0.02
    assert value == metrics["contrast"] and (cond == np.arange(N)).all() and carry == ()


@pytest.mark.parametrize("log_scale", [math.log(2), 6.0])
def test_two_sides_meet_as_their_critic_says(log_scale):
    """The loss of the sides is that of the critic's scores of all pairs, where the scale is cut too."""
    critic = two_sides(IDENTITY, IDENTITY, temperature=0.5, bias=-1.0)
    own = critic.init(KEY)
    assert abs(own["log_scale"] - math.log(2)) < 1e-6
    own["log_scale"] = jnp.array(log_scale)
    own["right"]["w"] = own["right"]["w"].at[0, 1].set(0.7)
    loss = between_sides(
        IDENTITY, IDENTITY, "s", lambda a, b, p: siglip_loss(a, b, p["log_scale"], p["bias"])
    )
    value, _ = loss({"s": own}, (), KEY, Batch(jnp.asarray(A), jnp.asarray(B)))
    scores = jax.vmap(lambda x: jax.vmap(lambda y: critic.apply(own, x, y))(B))(A)
    y = 2 * np.eye(N) - 1
    wanted = -np.log(expit(y * np.asarray(scores, np.float64))).sum() / N
    assert abs(float(value) - wanted) < 1e-5 * max(1, wanted)
    value = clip_loss(A, np.asarray(B @ own["right"]["w"].T), log_scale)
    s = np.asarray(scores, np.float64)
    wanted = -np.mean(2 * np.diag(s) - logsumexp(s, 0) - logsumexp(s, 1)) / 2
    assert abs(float(value) - wanted) < 1e-5 * max(1, wanted)


@pytest.mark.parametrize("wrong", [0.0, -0.2, math.nan, math.inf])
def test_a_temperature_is_above_zero(wrong):
    """Below it pairs would be pushed apart; what is not known yet, a tracer, passes."""
    for who, call in {
        "nt_xent": lambda: nt_xent(A, B, wrong),
        "sup_con": lambda: sup_con(Z, LABELS, wrong),
        "cosine": lambda: cosine(IDENTITY, wrong),
        "two_sides": lambda: two_sides(IDENTITY, IDENTITY, wrong),
    }.items():
        with pytest.raises(ValueError, match=f"{who}: got temperature={wrong}, wanted .* > 0"):
            call()
    assert np.isfinite(jax.jit(lambda t: nt_xent(A, B, t))(0.2))


@pytest.mark.parametrize(
    "loss",
    [
        nt_xent,
        lambda a, b: sup_con(jnp.concatenate([a, b]), jnp.arange(2 * len(a)) % len(a)),
        lambda a, b: clip_loss(a, b, 1.0),
        lambda a, b: siglip_loss(a, b, 1.0, -10.0),
    ],
    ids=["nt_xent", "sup_con", "clip", "siglip"],
)
def test_memory_is_that_of_a_block(loss):
    """65,536 pairs of dimension 128 with slopes, as compiled: all pairs at once would be 16 GiB at least."""
    shapes = [jax.ShapeDtypeStruct((65_536, 128), jnp.float32)] * 2
    slopes = jax.jit(jax.value_and_grad(loss, (0, 1)))
    sizes = slopes.lower(*shapes).compile().memory_analysis()
    held = sizes.temp_size_in_bytes + sizes.argument_size_in_bytes + sizes.output_size_in_bytes
    assert held < 2**30
