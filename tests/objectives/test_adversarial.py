"""Games by their formulas, hand values and what must not change them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from probtransform.core import Batch, Distribution, Network, from_nnx, pushforward
from probtransform.distributions import normal
from probtransform.objectives.adversarial import (
    Augmentation,
    Game,
    adversarial,
    hinge,
    least_squares,
    non_saturating,
    r1,
    r2,
    relativistic_paired,
    saturating,
    wasserstein,
)
from probtransform.transforms import implicit

KEY = jax.random.key(0)
PLAY, _ = jax.random.split(KEY)  # the other is for penalties
DRAW, _ = jax.random.split(PLAY)  # the other is for augmentation
GAMES = {
    "saturating": saturating,
    "non_saturating": non_saturating,
    "least_squares": least_squares,
    "hinge": hinge,
    "wasserstein": wasserstein,
    "relativistic_paired": relativistic_paired,
}
CRITIC = Network(
    lambda key: {"a": jnp.ones(2), "b": jnp.zeros(())},
    lambda p, x, cond: jnp.sum(p["a"] * x**2) / 2 + p["b"],
)
SHIFT = Network(lambda key: {"shift": jnp.ones(2)}, lambda p, z, cond: z + p["shift"])
MODEL = pushforward(normal((2,)), generator=implicit(SHIFT))
BATCH = Batch(jax.random.normal(jax.random.key(1), (5, 2)))


def parameters():
    critic = {"a": jnp.array([0.5, -2.0]), "b": jnp.array(0.3)}
    return {"critic": critic, "generator": {"shift": jnp.array([1.0, -0.5])}}


def softplus(x):
    return np.logaddexp(0, x)


def by_formula(name, real, fake):
    """`(critic, generator)` losses as the papers write them, in float64."""
    d, g = (1 / (1 + np.exp(-a)) for a in (real, fake))  # what the discriminator says of both
    return {
        "saturating": (-np.log(d).mean() - np.log(1 - g).mean(), np.log(1 - g).mean()),
        "non_saturating": (-np.log(d).mean() - np.log(1 - g).mean(), -np.log(g).mean()),
        "least_squares": (
            0.5 * ((real - 1) ** 2).mean() + 0.5 * (fake**2).mean(),
            0.5 * ((fake - 1) ** 2).mean(),
        ),
        "hinge": (
            -np.minimum(0, real - 1).mean() - np.minimum(0, -fake - 1).mean(),
            -fake.mean(),
        ),
        "wasserstein": (-(real.mean() - fake.mean()), -fake.mean()),
        "relativistic_paired": (
            -np.log(1 / (1 + np.exp(fake - real))).mean(),
            -np.log(1 / (1 + np.exp(real - fake))).mean(),
        ),
    }[name]


@pytest.mark.parametrize("name", GAMES)
def test_games_are_those_of_the_papers(name):
    real, fake = np.random.default_rng(0).standard_normal((2, 50)) * 3
    with jax.enable_x64(True):
        game = GAMES[name]
        found = game.critic(jnp.asarray(real), fake), game.generator(jnp.asarray(real), fake)
    np.testing.assert_allclose(found, by_formula(name, real, fake), rtol=1e-12)


@pytest.mark.parametrize("size", [80.0, 200.0])
@pytest.mark.parametrize("name", GAMES)
def test_sure_logits_give_finite_values_and_slopes(name, size):
    """Both signs on both sides, in single precision; exp(-200) is none of its numbers."""
    real = jnp.array([size, size, -size, -size], jnp.float32)
    fake = jnp.array([size, -size, size, -size], jnp.float32)
    half = size / 2  # of softplus(size) and softplus(-size)
    pairs = (2 * np.log(2) + 2 * size) / 4
    wanted = {
        "saturating": (2 * half, -half),
        "non_saturating": (2 * half, half),
        "least_squares": (((size - 1) ** 2 + (size + 1) ** 2 + 2 * size**2) / 4, (size**2 + 1) / 2),
        "hinge": (1 + size, 0.0),
        "wasserstein": (0.0, 0.0),
        "relativistic_paired": (pairs, pairs),
    }[name]
    for loss, value in zip(GAMES[name], wanted, strict=True):
        found, slopes = jax.value_and_grad(loss, argnums=(0, 1))(real, fake)
        np.testing.assert_allclose(found, value, rtol=1e-6)
        assert np.isfinite(slopes).all()


def test_where_the_critic_is_sure_only_one_generator_has_a_slope():
    """At D = -80 on samples the saturating slope is gone, the other is -1 a sample."""
    real, fake = jnp.zeros(4), jnp.full(4, -80.0)
    gone = jax.grad(saturating.generator, 1)(real, fake)
    there = jax.grad(non_saturating.generator, 1)(real, fake)
    assert (abs(gone) < 1e-30).all()
    np.testing.assert_allclose(there, -0.25, rtol=1e-6)


# --- pairs ----------------------------------------------------------------------------------------


def test_three_pairs_by_hand():
    """`(log(1 + e^(1-3)) + log(1 + e^(2-2)) + log(1 + e^(0+1))) / 3`, and with pairs the other way."""
    real, fake = jnp.array([3.0, 2.0, -1.0]), jnp.array([1.0, 2.0, 0.0])
    critic = (np.log(1 + np.exp(-2)) + np.log(2) + np.log(1 + np.e)) / 3
    generator = (np.log(1 + np.exp(2)) + np.log(2) + np.log(1 + np.exp(-1))) / 3
    np.testing.assert_allclose(relativistic_paired.critic(real, fake), critic, rtol=1e-6)
    np.testing.assert_allclose(relativistic_paired.generator(real, fake), generator, rtol=1e-6)


def both(game, params, penalties=(), batch=BATCH):
    """Values and slopes, in all parameters, of both losses."""
    losses = adversarial(MODEL, CRITIC, game, penalties)
    return [jax.value_and_grad(lambda p: f(p, (), KEY, batch)[0])(params) for f in losses]


@pytest.mark.parametrize("name", ["relativistic_paired", "wasserstein"])
def test_a_constant_added_to_the_critic_changes_nothing_between_pairs(name):
    params = parameters()
    raised = params | {"critic": params["critic"] | {"b": params["critic"]["b"] + 4.0}}
    critic, generator = both(GAMES[name], params, [r1(0.7), r2(0.3)])
    critic_up, generator_up = both(GAMES[name], raised, [r1(0.7), r2(0.3)])
    np.testing.assert_allclose(critic[0], critic_up[0], rtol=1e-5)
    jax.tree.map(lambda p, q: np.testing.assert_allclose(p, q, atol=1e-5), critic[1], critic_up[1])
    assert abs(critic[1]["critic"]["b"]) < 1e-6
    moved = generator_up[1]["generator"]["shift"]
    np.testing.assert_allclose(generator[1]["generator"]["shift"], moved, atol=1e-5)
    if name == "relativistic_paired":
        np.testing.assert_allclose(generator[0], generator_up[0], rtol=1e-5)


def test_the_generator_of_pairs_sees_data():
    other = Batch(BATCH.x.at[2].mul(3.0))
    for name, game in GAMES.items():
        here, there = (both(game, parameters(), batch=b)[1][0] for b in (BATCH, other))
        assert (here != there) == (name == "relativistic_paired")


def test_both_penalties_act():
    """Of `D = sum a x^2 / 2 + b` the squared slope is `sum a^2 x^2`, on data and on samples."""
    params, gammas = parameters(), (0.7, 0.3)
    a, shift = (np.asarray(params[k][v]) for k, v in (("critic", "a"), ("generator", "shift")))
    fake, real = np.asarray(base_points(5)) + shift, np.asarray(BATCH.x)
    logits = [(a * x**2).sum(1) / 2 for x in (real, fake)]
    game = softplus(logits[1] - logits[0]).mean()
    paid = [g / 2 * (a**2 * x**2).sum(1).mean() for g, x in zip(gammas, (real, fake), strict=True)]
    critic_loss, _ = adversarial(MODEL, CRITIC, relativistic_paired, [r1(0.7), r2(0.3)])
    total, (_, metrics) = critic_loss(params, (), KEY, BATCH)
    np.testing.assert_allclose(metrics["critic"], game, rtol=1e-5)
    np.testing.assert_allclose(metrics["critic_penalty"], sum(paid), rtol=1e-5)
    np.testing.assert_allclose(total, game + sum(paid), rtol=1e-5)


def base_points(count):
    """What `normal` draws in `MODEL` for a batch's key `KEY`."""
    keys = jax.random.split(DRAW, count)
    return jax.vmap(lambda k: jax.random.normal(jax.random.split(k, 2)[0], (2,)))(keys)


# --- players --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GAMES)
def test_the_critic_holds_samples_fixed_and_the_generator_the_data_side(name):
    """No slope of the critic's loss reaches the generator; the generator's, by the chain rule, is that
    of its samples alone."""
    params = parameters()
    (_, critic), (_, generator) = both(GAMES[name], params, [r1(1.0), r2(1.0)])
    assert (critic["generator"]["shift"] == 0).all()
    fake = jax.vmap(lambda k: MODEL.sample(params, k))(jax.random.split(DRAW, 5))
    logits = [
        jax.vmap(lambda x: CRITIC.apply(params["critic"], x, None))(x) for x in (BATCH.x, fake)
    ]
    by_logit = jax.grad(GAMES[name].generator, 1)(*logits)
    wanted = by_logit @ (params["critic"]["a"] * fake)
    np.testing.assert_allclose(generator["generator"]["shift"], wanted, rtol=1e-5)


def test_no_key_is_used_twice_and_both_players_see_the_same_draws():
    """A sample is its key and the keys made of it: none may be that of a penalty, a change or another."""
    words, used, shown = jax.random.key_data, [], []

    def family_of(key):
        return jnp.concatenate([words(key)[None], words(jax.random.split(key, 6))]).reshape(-1)

    def penalty(judge, key, real, fake):
        used.append(family_of(key))
        return 0.0

    def apply(state, key, batch):
        used.append(family_of(key))
        shown.append(batch.x)
        return batch

    law = Distribution(lambda key: {}, lambda params, key, cond: family_of(key), None)
    blind = Network(lambda key: (), lambda p, x, cond: jnp.zeros(()))
    augment = Augmentation(lambda key: 0, apply, lambda state, logits: state)
    critic, generator = adversarial(law, blind, penalties=[penalty] * 3, augment=augment)
    batch = Batch(jnp.zeros((6, 2)))
    critic({"critic": ()}, {"augment": 0}, KEY, batch)
    keys = np.concatenate([*used, *shown[1]]).reshape(-1, 2)
    assert len(keys) == (3 + 2 + 6) * 7 == len(np.unique(keys, axis=0))
    generator({"critic": ()}, {"augment": 0}, KEY, batch)
    np.testing.assert_array_equal(shown[1], shown[3])


def test_a_logit_is_of_one_example():
    """Whatever stands beside it in the batch, an example's logit and slope stay the same."""
    seen = []
    spy = Game(lambda real, fake: seen.append(real) or real.sum(), non_saturating.generator)
    order = jnp.array([0, 3, 1, 4, 2])
    for x in (BATCH.x, BATCH.x[order], BATCH.x.at[1:].set(7.0)):
        adversarial(MODEL, CRITIC, spy)[0](parameters(), (), KEY, Batch(x))
    np.testing.assert_array_equal(seen[0][order], seen[1])
    assert seen[0][0] == seen[2][0] and seen[0][1] != seen[2][1]


def test_conditions_reach_the_critic_and_the_generator():
    tell = Network(lambda key: (), lambda p, x, cond: x.sum() * cond)
    scaled = Network(lambda key: (), lambda p, z, cond: jnp.ones(2) * cond)
    model = pushforward(normal((2,)), generator=implicit(scaled))
    params, cond = {"critic": (), "generator": ()}, jnp.array([0.0, 1.0, 2.0])
    critic_loss, generator_loss = adversarial(model, tell, wasserstein)
    batch = Batch(jnp.ones((3, 2)), cond)
    # data 2c, samples 2c^2
    np.testing.assert_allclose(critic_loss(params, (), KEY, batch)[0], 10 / 3 - 6 / 3, rtol=1e-6)
    np.testing.assert_allclose(generator_loss(params, (), KEY, batch)[0], -10 / 3, rtol=1e-6)


def test_what_the_critic_is_shown_is_augmented_on_both_sides_and_its_state_moves_once():
    """A state s adds s to all entries; of `D = sum x` both sides then rise by 2 s."""
    linear = Network(lambda key: (), lambda p, x, cond: x.sum())
    raise_all = Augmentation(
        lambda key: jnp.array(1.0),
        lambda s, key, batch: batch._replace(x=batch.x + s),
        lambda s, logits: s + logits.mean(),
    )
    gap = Game(lambda real, fake: real.mean(), lambda real, fake: fake.mean())
    losses = adversarial(MODEL, linear, gap, augment=raise_all)
    params, carry = parameters() | {"critic": ()}, {"augment": jnp.array(2.0), "other": 1}
    real = BATCH.x.sum(1).mean()
    plain = [f(params, (), KEY, BATCH)[0] for f in adversarial(MODEL, linear, gap)]
    (critic, (after, _)), (generator, (kept, _)) = (f(params, carry, KEY, BATCH) for f in losses)
    np.testing.assert_allclose([critic - plain[0], generator - plain[1]], 4.0, rtol=1e-5)
    np.testing.assert_allclose(after["augment"], 2 + real + 4, rtol=1e-5)
    assert after["other"] == 1 and kept is carry


def test_a_critic_that_reads_a_batch_is_refused():
    """Statistics of a batch would make one example's logit depend on the others."""

    class Judge(nnx.Module):
        def __init__(self, rngs):
            self.norm, self.last = nnx.BatchNorm(2, rngs=rngs), nnx.Linear(2, 1, rngs=rngs)

        def __call__(self, x, cond):
            return self.last(self.norm(x))[0]

    with pytest.raises(
        ValueError, match=r"layers that keep state .*BatchStat.*GroupNorm for BatchNorm"
    ):
        from_nnx(lambda rngs: Judge(rngs))


def test_a_critic_of_several_numbers_is_refused():
    wide = Network(lambda key: (), lambda p, x, cond: x)
    with pytest.raises(ValueError, match=r"adversarial: got a critic's answer of shape \(2,\)"):
        adversarial(MODEL, wide)[0](parameters(), (), KEY, BATCH)


@pytest.mark.peers
def test_games_against_torch():
    torch = pytest.importorskip("torch")
    from torch.nn import functional as F

    real, fake = (torch.randn(64, dtype=torch.float64) * 5 for _ in range(2))
    one, zero = torch.ones(64, dtype=torch.float64), torch.zeros(64, dtype=torch.float64)
    bce, mse = F.binary_cross_entropy_with_logits, F.mse_loss
    wanted = {
        "saturating": (bce(real, one) + bce(fake, zero), -bce(fake, zero)),
        "non_saturating": (bce(real, one) + bce(fake, zero), bce(fake, one)),
        "least_squares": ((mse(real, one) + mse(fake, zero)) / 2, mse(fake, one) / 2),
        "hinge": (F.relu(1 - real).mean() + F.relu(1 + fake).mean(), -fake.mean()),
        "wasserstein": (fake.mean() - real.mean(), -fake.mean()),
        "relativistic_paired": (bce(real - fake, one), bce(fake - real, one)),
    }
    with jax.enable_x64(True):
        for name, game in GAMES.items():
            found = [loss(jnp.asarray(real.numpy()), jnp.asarray(fake.numpy())) for loss in game]
            np.testing.assert_allclose(found, [float(v) for v in wanted[name]], rtol=1e-12)
