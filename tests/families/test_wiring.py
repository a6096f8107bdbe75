"""What a family hands to its objective: every number in its place, where no parameter is zero by accident."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.stats import norm

from probtransform.core import Batch, Event, initial, pushforward
from probtransform.distributions import gaussian, normal
from probtransform.families import (
    aae,
    beta_tcvae,
    beta_vae,
    bigan,
    dip_vae,
    factor_vae,
    fsq_vae,
    iwae,
    iwgan,
    unified,
    vae,
    vae_gan,
    vq_vae,
    wake_sleep,
)
from probtransform.families.labelled import critic_of, labelled
from probtransform.families.of_codes import observed_codes
from probtransform.families.unified import Laws
from probtransform.networks import mlp
from probtransform.objectives import disentangling, k_means, straight_through
from probtransform.objectives.adversarial import r1
from probtransform.objectives.importance_weighted import pathwise
from probtransform.objectives.k_means import Running
from probtransform.objectives.walks import Kernel, normal_about, observed_by, of_decoder, of_network
from probtransform.transforms import codebook, finite_scalar, implicit

KEY = jax.random.key(0)
D, K = 3, 2  # of an example, of its code
EVENT, BODY = Event((D,)), {"width": 4, "depth": 1}
SIZE = {"latent": K, **BODY}
BATCH = Batch(jax.random.normal(jax.random.key(1), (6, D)))
PRIOR, STEP = normal((K,)), vae.observed(EVENT, **SIZE)
GENERATOR, ENCODER = labelled(K, D, 0, **BODY), labelled(D, K, 0, **BODY)
GENERATE, INFER = of_network(GENERATOR, "generator"), of_network(ENCODER, "encoder")


def to_dip_vae():
    numbers = {"off_diagonal": 0.3, "diagonal": 0.7, "of_codes": False}
    return dip_vae.dip_vae(EVENT, **SIZE, **numbers), {
        "vae": disentangling.moments(STEP, **numbers)
    }


def to_beta_vae():
    numbers = {"beta": 3.0, "capacity": 0.4, "warm": 7}
    loss = disentangling.bottleneck(STEP, **numbers)
    return beta_vae.beta_vae(EVENT, **SIZE, **numbers), {"vae": loss}, jnp.asarray(2)


def to_beta_tcvae():
    loss = disentangling.total_correlation(STEP, size=50, beta=3.0)
    return beta_tcvae.beta_tcvae(EVENT, **SIZE, beta=3.0, examples=50), {"vae": loss}


def to_factor_vae():
    critic = mlp(K, 1, **BODY)
    critic = critic._replace(apply=lambda params, z: mlp(K, 1, **BODY).apply(params, z)[0])
    losses = disentangling.density_ratio(STEP, discriminator=critic, gamma=3.0)
    model = factor_vae.factor_vae(EVENT, **SIZE, gamma=3.0)
    return model, dict(zip(("vae", "discriminator"), losses, strict=True))


def to_iwae():
    loss = pathwise(PRIOR, STEP, samples=3, squared=True)
    return iwae.iwae(EVENT, **SIZE, samples=3), {"iwae": loss}


def to_iwgan():
    law = pushforward(PRIOR, generator=implicit(GENERATOR))
    losses = unified.iwgan(Laws(law), critic_of(D, 0, **BODY), penalties=[r1(0.7)])
    return iwgan.iwgan(EVENT, **SIZE, penalty=0.7), on_reals(losses)


def to_aae():
    laws = Laws(latent=PRIOR, generate=normal_about(GENERATE, scale=0.3), infer=INFER)
    losses = unified.aae(laws, critic_of(K, 0, **BODY), penalties=[r1(0.7)])
    wanted = {"critic": losses["critic"], "autoencoder": losses["generator"]}
    return aae.aae(EVENT, **SIZE, noise=0.3, penalty=0.7), on_reals(wanted)


def to_bigan():
    laws = Laws(latent=PRIOR, generate=GENERATE, infer=INFER)
    losses = unified.bigan(laws, critic_of(D + K, 0, **BODY), penalties=[r1(0.7)])
    return bigan.bigan(EVENT, **SIZE, penalty=0.7), on_reals(losses)


def to_vae_gan():
    features = labelled(D, BODY["width"], 0, **BODY)
    critic = vae_gan.headed(features, mlp(BODY["width"], 1, BODY["width"], 1))

    def log_likeness(params, x, z, cond):
        """`N(f(x); f(G(z)), I)`."""
        made = GENERATOR.apply(params["generator"], z, cond)
        of_x, of_made = (features.apply(params["critic"]["features"], a, cond) for a in (x, made))
        return norm.logpdf(of_x, of_made).sum()

    encoder = observed_by(labelled(D, 2 * K, 0, **BODY), "encoder", gaussian((K,)))
    losses = unified.vae_gan(
        Laws(latent=PRIOR, generate=GENERATE, infer=encoder),
        similar=Kernel(log_prob=log_likeness),
        critic=critic,
        strength=0.3,
        penalties=[r1(0.7)],
    )
    return vae_gan.vae_gan(EVENT, **SIZE, strength=0.3, penalty=0.7), on_reals(losses)


def to_wake_sleep():
    losses = unified.wake_sleep(Laws(PRIOR, *of_decoder(STEP, "decoder")))
    return wake_sleep.wake_sleep(EVENT, **SIZE), losses


CHAIN = {"prior_width": 8, "prior_depth": 1}


def to_vq_vae():
    step = observed_codes(EVENT, codebook(places=K, levels=3, size=4, depth=5), **BODY)
    loss = straight_through(step, 0.6, k_means(levels=3, size=4, depth=5, decay=0.8, least=0.03))
    numbers = {"levels": 3, "size": 4, "residual": 5, "commitment": 0.6, "decay": 0.8}
    carry = Running(jnp.asarray(0.5), jnp.ones((5, 3)), jnp.ones((5, 3, 4)))
    return vq_vae.vq_vae(EVENT, **SIZE, **numbers, **CHAIN), {"decoder": loss}, carry


def to_fsq_vae():
    step = observed_codes(EVENT, finite_scalar(places=K, levels=(3, 3, 3, 3)), **BODY)
    loss = straight_through(step, commitment=0.0)
    return fsq_vae.fsq_vae(EVENT, **SIZE, levels=3, size=4, **CHAIN), {"decoder": loss}


def on_reals(losses):
    """What `on_data` leaves of them: on reals, half of the key went to a way back that needs none."""

    def lifted(loss):
        return lambda params, carry, key, batch: loss(
            params, carry, jax.random.split(key)[1], batch
        )

    return {name: lifted(loss) for name, loss in losses.items()}


def parameters(model):
    noise = np.random.default_rng(0)
    shapes = jax.eval_shape(partial(initial, model), KEY)
    return jax.tree.map(lambda p: jnp.float32(0.5 * noise.standard_normal(p.shape)), shapes)


ALL = [
    to_dip_vae,
    to_beta_vae,
    to_beta_tcvae,
    to_factor_vae,
    to_iwae,
    to_iwgan,
    to_aae,
    to_bigan,
    to_vae_gan,
    to_wake_sleep,
    to_vq_vae,
    to_fsq_vae,
]


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.__name__.removeprefix("to_"))
def test_players_descend_the_objective_with_the_numbers_of_the_family(case):
    model, wanted, *carry = case()
    carry = carry[0] if carry else ()
    params = parameters(model)
    assert wanted.keys() <= model.players.keys()

    @jax.jit
    def of(params):
        """What both say: the loss, what it carries on, its metrics."""
        return {
            name: [f(params, carry, KEY, BATCH) for f in (model.players[name].loss, loss)]
            for name, loss in wanted.items()
        }

    for found, expected in of(params).values():
        assert abs(expected[0]) > 0.01
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6), found, expected)


def test_the_encoder_of_an_iwae_learns_by_the_squares_of_shares():
    """Which is seen in the slope alone."""
    model, wanted = to_iwae()

    @jax.jit
    @jax.grad
    def difference(params):
        both = (model.players["iwae"].loss, wanted["iwae"])
        found, expected = (f(params, (), KEY, BATCH)[0] for f in both)
        return found - expected

    slopes = jax.tree.leaves(difference(parameters(model)))
    assert max(float(abs(leaf).max()) for leaf in slopes) < 1e-4
