"""f-GAN: its losses are the dual bound, its best critic is known, and a Gaussian finds a Gaussian by it."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from probtransform.core import Batch, Model, Network, Player, Transform, pushforward
from probtransform.distributions import normal
from probtransform.objectives import divergences
from probtransform.objectives.adversarial import adversarial, saturating
from probtransform.objectives.adversarial.f_gan import f_gan
from probtransform.objectives.divergences import alpha_divergence
from probtransform.training import learner

ALL = {
    **divergences.NAMED,
    "weighted_js": divergences.weighted_jensen_shannon(0.3),
    "alpha_1.5": alpha_divergence(1.5),
    "alpha_-0.5": alpha_divergence(-0.5),
}
every = pytest.mark.parametrize("name", ALL)
# laws of five symbols: expectations are sums
P, Q = np.array([0.1, 0.2, 0.3, 0.25, 0.15]), np.array([0.3, 0.15, 0.2, 0.05, 0.3])


@every
def test_the_best_critic_of_the_game(name):
    """On symbols, as many of each as its law has it: no slope there, and the value is the divergence."""
    d, game = ALL[name], f_gan(ALL[name])
    seen_p, seen_q = (np.repeat(np.arange(5), np.round(20 * law).astype(int)) for law in (P, Q))
    with jax.enable_x64(True):
        best = d.optimal(jnp.log(P / Q))

        def loss(logits):
            return game.critic(logits[seen_p], logits[seen_q])

        value = (Q * d.f(jnp.log(P / Q))).sum()
        assert -loss(best) == pytest.approx(float(value), rel=1e-12)
        assert game.generator(best[seen_p], best[seen_q]) == pytest.approx(float(value), rel=1e-12)
        np.testing.assert_allclose(jax.grad(loss)(best), 0, atol=1e-12)
        for seed in range(5):
            away = 0.3 * np.random.default_rng(seed).normal(size=5)
            if name == "total_variation":
                away = away - best
            assert loss(best + away) > loss(best)


@every
def test_finite_at_80_either_way(name):
    for saturates in (True, False):
        game = f_gan(ALL[name], saturates)
        for v in (-80.0, 0.0, 80.0):
            for w in (-80.0, 0.0, 80.0):
                logits = jnp.full(3, v), jnp.full(3, w)
                for side in game:
                    value, slopes = jax.value_and_grad(side, (0, 1))(*logits)
                    assert np.isfinite([value, *slopes[0], *slopes[1]]).all()


@every
def test_the_other_generator_climbs_what_the_critic_gives_to_data(name):
    game = f_gan(ALL[name], saturating=False)
    real, fake = jnp.array([0.3, -1.0]), jnp.array([0.5, 2.0])
    assert game.critic(real, fake) == f_gan(ALL[name]).critic(real, fake)
    wanted = -np.asarray(ALL[name].activation(fake)).mean()
    assert game.generator(real, fake) == pytest.approx(wanted, rel=1e-6)


def test_the_divergence_of_goodfellow_is_his_game(key):
    real, fake = 3 * jax.random.normal(key, (2, 10))
    game = f_gan(divergences.gan)
    assert game.critic(real, fake) == pytest.approx(float(saturating.critic(real, fake)), rel=1e-6)
    slopes = (jax.grad(g.generator, 1)(real, fake) for g in (game, saturating))
    np.testing.assert_allclose(next(slopes), next(slopes), rtol=1e-5)


def gaussian_game(divergence, mean, deviation):
    """`m + s z` against draws of a normal, judged by a parabola, which the best log-ratio is."""

    def init(key):
        return {"mean": jnp.zeros(()), "log_scale": jnp.zeros(())}

    def forward(params, key, z, cond=None):
        return params["mean"] + jnp.exp(params["log_scale"]) * z

    distribution = pushforward(normal((1,)), map=Transform(init, forward, None))
    critic = Network(
        lambda key: jnp.zeros(3),
        lambda params, x, cond: params @ jnp.stack([1.0, x[0], x[0] ** 2]),
    )
    critic_loss, generator_loss = adversarial(distribution, critic, f_gan(divergence))
    players = {
        "critic": Player(("critic",), critic_loss, repeat=4),
        "map": Player(("map",), generator_loss),
    }
    return Model(distribution, players, {"critic": critic.init})


QUICK = ("kl", "reverse_kl", "jensen_shannon", "squared_hellinger")


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in ALL]
)
def test_a_gaussian_finds_a_gaussian(name):
    """All the way, but for total variation: its game has no slope towards a best critic, and circles."""
    x = 0.6 + 0.8 * jax.random.normal(jax.random.key(1), (20_000, 1))
    model = gaussian_game(ALL[name], 0.6, 0.8)
    train = learner(model, {"critic": optax.adam(0.02), "map": optax.adam(0.005)})

    def one(state, key):
        rows = jax.random.randint(key, (512,), 0, len(x))
        state, _ = train.step(state, key, Batch(x[rows]))
        return state, state.params["map"]

    state = train.init(jax.random.key(0))
    _, seen = jax.jit(lambda s, k: jax.lax.scan(one, s, k))(
        state, jax.random.split(jax.random.key(2), 1500)
    )
    mean, scale = (np.asarray(seen[k][-400:]).mean() for k in ("mean", "log_scale"))
    rough = 0.2 if name == "total_variation" else 0.06
    assert mean == pytest.approx(0.6, abs=rough)
    assert np.exp(scale) == pytest.approx(0.8, abs=rough)
