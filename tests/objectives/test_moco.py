"""MoCo: its loss is written out, its queue goes round, its slow encoder follows and has no slope."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.special import logsumexp

from probtransform.core import Batch, Model, Network, Player
from probtransform.distributions.among import among
from probtransform.objectives.contrastive import cosine, moco, queue_of
from probtransform.training import fit

KEY = jax.random.key(0)
D = 5
LINEAR = Network(
    lambda key: {"w": jax.random.normal(key, (D, D))}, lambda params, x: params["w"] @ x
)
X = np.random.default_rng(0).normal(size=(6, D)).astype(np.float32)


def shifted(key, x):
    return x + jax.random.normal(key, ())


LOSS = moco(LINEAR, "e", shifted, temperature=0.3, momentum=0.9)
STEP = jax.jit(jax.value_and_grad(lambda p, c, k: LOSS(p, c, k, Batch(X)), has_aux=True))


def units(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def begun():
    return {"e": LINEAR.init(KEY)}, queue_of(LINEAR, 8, D)(jax.random.key(1))


def test_the_queue_goes_round(begun):
    """Six embeddings a step, length one, into eight places: the newest first, the oldest out."""
    params, carry = begun
    first = carry["queue"].rows
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1, atol=1e-5)
    (_, (second, _)), _ = STEP(params, carry, KEY)
    rows = second["queue"].rows
    np.testing.assert_array_equal(rows[6:], first[:2])
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    (_, (third, _)), _ = STEP(params, second, jax.random.key(2))
    np.testing.assert_array_equal(third["queue"].rows[6:], rows[:2])


def test_the_loss_is_its_formula(begun):
    """The keys are what was pushed; the queries come from the first half of the key."""
    params, carry = begun
    (value, (after, _)), _ = STEP(params, carry, KEY)
    one, _ = jax.random.split(KEY)
    moved = (
        X
        + np.asarray(jax.vmap(lambda k: jax.random.normal(k, ()))(jax.random.split(one, 6)))[
            :, None
        ]
    )
    q = units(np.asarray(moved, np.float64) @ np.asarray(params["e"]["w"], np.float64).T)
    k, queue = (np.asarray(c["queue"].rows, np.float64) for c in (after, carry))
    own = (q * k[:6]).sum(1) / 0.3
    wanted = np.mean(logsumexp(np.c_[own, q @ queue.T / 0.3], axis=1) - own)
    assert abs(float(value) - wanted) < 1e-5


def test_the_slow_encoder_follows(begun):
    """It begins as the other is, and from then on is slow: `0.9 t + 0.1 p` at the second step."""
    params, carry = begun
    (_, (after, _)), _ = STEP(params, carry, KEY)
    np.testing.assert_array_equal(after["queue"].teacher.params["w"], params["e"]["w"])
    other = {"e": {"w": params["e"]["w"] + 1}}
    (_, (later, _)), _ = STEP(other, after, KEY)
    gap = later["queue"].teacher.params["w"] - params["e"]["w"]
    np.testing.assert_allclose(gap, 0.1, atol=1e-5)


def test_keys_and_queue_have_no_slope(begun):
    """The slope is that of the same formula with keys and queue as numbers."""
    params, carry = begun
    (_, (after, _)), slope = STEP(params, carry, KEY)
    one, _ = jax.random.split(KEY)
    moved = X + jax.vmap(lambda k: jax.random.normal(k, ()))(jax.random.split(one, 6))[:, None]
    keys, queue = after["queue"].rows[:6], carry["queue"].rows

    def written(w):
        q = moved @ w.T
        q = q / jnp.linalg.norm(q, axis=1, keepdims=True)
        logits = jnp.concatenate([(q * keys).sum(1)[:, None], q @ queue.T], 1) / 0.3
        return -jax.nn.log_softmax(logits)[:, 0].mean()

    np.testing.assert_allclose(
        slope["e"]["w"], jax.jit(jax.grad(written))(params["e"]["w"]), atol=1e-5
    )


def test_it_learns_what_views_share():
    """A signal of two numbers under noise of eight: the map forgets the noise."""
    z = np.random.default_rng(1).normal(size=(2000, 10)).astype(np.float32)
    net = Network(lambda key: {"w": 0.5 * jax.random.normal(key, (4, 10))}, lambda p, x: p["w"] @ x)

    def noisy(key, x):
        return jnp.concatenate([x[:2], jax.random.normal(key, (8,))])

    loss = moco(net, "e", noisy, temperature=0.2, momentum=0.9)
    model = Model(
        among(cosine(net, 0.2), "e"), {"e": Player(("e",), loss)}, {}, queue_of(net, 256, 4)
    )
    run = fit(model, optax.adam(0.02), Batch(z), steps=300, batch=64)
    power = (np.asarray(run.state.params["e"]["w"]) ** 2).sum(0)
    assert power[:2].min() > 10 * power[2:].max()


def test_wrong_numbers_are_refused():
    with pytest.raises(ValueError, match="momentum=1"):
        moco(LINEAR, "e", shifted, momentum=1.0)
    with pytest.raises(ValueError, match="moco: got temperature=-1"):
        moco(LINEAR, "e", shifted, temperature=-1.0)
    with pytest.raises(ValueError, match="length=0"):
        queue_of(LINEAR, 0, D)
