"""Augmentation: how often, how much, and how the probability follows the critic."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from probtransform.core import Batch, Model, Network, Player, pushforward
from probtransform.distributions import normal
from probtransform.objectives.adversarial import adaptive, adversarial
from probtransform.objectives.adversarial.augment import (
    MOST,
    brighter,
    changed,
    contrasted,
    covered,
    mirrored,
    moved,
)
from probtransform.training import fit
from probtransform.transforms import implicit

KEY = jax.random.key(0)
SHAPE = (8, 6, 2)
IMAGE = jnp.asarray(np.random.default_rng(0).standard_normal(SHAPE), jnp.float32)


def draws(change, count=2000, x=IMAGE):
    return np.asarray(jax.jit(jax.vmap(lambda k: change(k, x)))(jax.random.split(KEY, count)))


def near(share, p, count=2000):
    assert abs(share - p) < 5 * np.sqrt(p * (1 - p) / count)


def test_at_probability_zero_nothing_changes():
    augment = adaptive(SHAPE)
    batch = Batch(jnp.stack([IMAGE, 2 * IMAGE]), jnp.arange(2))
    after = augment.apply(augment.init(KEY), KEY, batch)
    np.testing.assert_array_equal(after.x, batch.x)
    assert after.cond is batch.cond


def test_each_change_has_its_chance():
    """All keep still by chance or draw: mirrored half the time, moved by nothing in one of nine."""
    p = 0.3
    still = (draws(lambda k, x: changed(p, k, x)) == np.asarray(IMAGE)).all((1, 2, 3)).mean()
    near(still, (1 - p / 2) * (1 - p * 8 / 9) * (1 - p) ** 3)


def test_half_are_mirrored():
    found = draws(mirrored)
    left, right = ((found == a).all((1, 2, 3)) for a in (IMAGE, IMAGE[:, ::-1]))
    assert (left | right).all()
    near(right.mean(), 1 / 2)


def test_moves_are_the_nine_of_one_pixel_and_edges_reflect():
    """`y[i] = x[i + s]`, and where that leaves the image, -1 is 1 and n is n - 2."""
    found, x = draws(moved), np.asarray(IMAGE)

    def at(n, s):
        rows = np.abs(np.arange(n) + s)
        return np.where(rows > n - 1, 2 * (n - 1) - rows, rows)

    shares = []
    for s in (-1, 0, 1):
        for t in (-1, 0, 1):
            wanted = x[at(8, s)][:, at(6, t)]
            shares.append((found == wanted).all((1, 2, 3)).mean())
    np.testing.assert_allclose(sum(shares), 1)
    for share in shares:
        near(share, 1 / 9)


@pytest.mark.parametrize("n", [4, 8, 28])
def test_no_pattern_is_lost_by_moving(n):
    """A move is on average linear in the image; what it does with probability p must be undone."""
    edge, moves = -(-n // 8), []
    for s in range(-edge, edge + 1):
        rows = np.abs(np.arange(n) + s)
        moves.append(np.eye(n)[np.where(rows > n - 1, 2 * (n - 1) - rows, rows)])
    shift = np.mean(moves, 0)
    along = np.linalg.eigvals(shift)
    both = np.multiply.outer(along, along).reshape(-1)
    kept = [abs(1 - p + p * both).min() for p in np.linspace(0, MOST, 71)]
    assert min(kept) > 0.05

    # and the mean over keys is that of these shifts
    x = jnp.asarray(np.random.default_rng(0).standard_normal((n, n, 1)), jnp.float32)
    keys = jax.random.split(KEY, 20_000)
    found = jax.jit(lambda: jax.lax.map(lambda k: moved(k, x), keys, batch_size=1000).mean(0))()
    error = np.abs(x).max() * 5 / np.sqrt(len(keys))
    np.testing.assert_allclose(found[..., 0], shift @ np.asarray(x[..., 0]) @ shift.T, atol=error)


def test_brightness_and_contrast_have_their_laws():
    """A number added, normal of deviation 0.2; a factor, its log2 normal of deviation 0.5."""
    added = draws(brighter) - np.asarray(IMAGE)
    factor = np.log2(draws(contrasted) / np.asarray(IMAGE))
    for found, deviation in ((added, 0.2), (factor, 0.5)):
        assert (np.ptp(found, (1, 2, 3)) < 1e-5).all()  # one number an image
        found = found[:, 0, 0, 0]
        assert abs(found.mean()) < 5 * deviation / np.sqrt(len(found))
        assert abs(found.std() / deviation - 1) < 5 / np.sqrt(2 * len(found))


def test_a_rectangle_of_half_the_sides_is_covered():
    """A row is covered when within h/4 of a uniform centre: half of h in the middle, less at the ends."""
    gone = (draws(covered) == 0).all(-1)
    rows, columns = gone.any(2), gone.any(1)
    np.testing.assert_array_equal(gone, rows[:, :, None] & columns[:, None, :])
    for seen, n in ((rows, 8), (columns, 6)):
        place = np.arange(n) + 0.5
        chance = (np.minimum(place + n / 4, n) - np.maximum(place - n / 4, 0)) / n
        for share, p in zip(seen.mean(0), chance, strict=True):
            near(share, p)
        assert (np.abs(np.diff(seen.astype(int), axis=1)).sum(1) <= 2).all()  # in one piece


def test_samples_feel_the_slope_through_every_change():
    """For one key the change is affine in the image, so one finite step gives its slope exactly."""
    with jax.enable_x64(True):
        x, w = (jnp.asarray(np.random.default_rng(i).standard_normal(SHAPE)) for i in range(2))
        f = jax.jit(lambda x, key: jnp.sum(w * changed(0.8, key, x)))
        slope = jax.jit(jax.grad(f))
        for key in jax.random.split(KEY, 8):
            change = f(x + w, key) - f(x, key)
            np.testing.assert_allclose(change, jnp.sum(slope(x, key) * w), rtol=1e-10)


def test_examples_and_keys_differ_and_flat_images_are_read_as_images():
    augment, batch = adaptive(SHAPE), Batch(jnp.stack([IMAGE] * 3))
    p = jnp.array(0.8)
    first, other = (augment.apply(p, k, batch).x for k in jax.random.split(KEY))
    assert len(np.unique(np.asarray([*first, *other]).reshape(6, -1), axis=0)) == 6
    flat = augment.apply(p, KEY, Batch(batch.x.reshape(3, -1))).x
    np.testing.assert_array_equal(flat, augment.apply(p, KEY, batch).x.reshape(3, -1))


def test_the_probability_follows_the_signs_on_data():
    """Up by `b / horizon` where more than 80% of signs are positive, else down; always in [0, 0.7]."""
    augment = adaptive(SHAPE, target=0.6, horizon=1000)
    sure = jnp.full(10, 0.01)
    even = jnp.where(jnp.arange(10) < 7, 100.0, -0.1)
    nearly = jnp.where(jnp.arange(10) < 9, 0.1, -100.0)
    p = jnp.array(0.3)
    for logits, wanted in ((sure, 0.31), (even, 0.29), (nearly, 0.31)):
        np.testing.assert_allclose(augment.update(p, logits), wanted, rtol=1e-5)
    np.testing.assert_allclose(augment.update(jnp.array(0.695), sure), 0.7, rtol=1e-6)
    assert augment.update(jnp.array(0.005), even) == 0


def test_vectors_are_refused():
    with pytest.raises(ValueError, match=r"adaptive: got examples of shape \(2,\), wanted images"):
        adaptive((2,))


@pytest.mark.parametrize("bad", [{"target": 1.0}, {"target": float("nan")}, {"horizon": 0}])
def test_numbers_out_of_range_are_named(bad):
    with pytest.raises(ValueError, match=r"adaptive: got target=.* and horizon="):
        adaptive(SHAPE, **bad)


def test_training_carries_the_probability():
    """Data whose sign a critic reads at once: p rises by `b / horizon` a step, once a critic's update."""
    linear = Network(lambda key: {"w": jnp.ones(())}, lambda p, x, cond: p["w"] * x.sum())
    dark = Network(lambda key: {"shift": jnp.zeros(())}, lambda p, z, cond: z - 5 + p["shift"])
    distribution = pushforward(normal((4, 4, 1)), generator=implicit(dark))
    augment = adaptive((4, 4, 1), horizon=1000)
    critic_loss, generator_loss = adversarial(distribution, linear, augment=augment)
    players = {
        "critic": Player(("critic",), critic_loss, repeat=2),
        "generator": Player(("generator",), generator_loss),
    }
    model = Model(
        distribution,
        players,
        {"critic": linear.init},
        carry=lambda key: {"augment": augment.init(key)},
    )
    bright = Batch(jnp.full((32, 4, 4, 1), 5.0))
    found = fit(model, optax.sgd(1e-6), bright, steps=5, batch=8)
    np.testing.assert_allclose(found.state.carry["augment"], 5 * 2 * 8 / 1000, rtol=1e-5)
