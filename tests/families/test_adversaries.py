"""Families of adversaries: what each plays, written out again, and games that cannot be played."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.core import Batch, Event, initial
from probtransform.families.aae import aae
from probtransform.families.aavae import aavae
from probtransform.families.bigan import bigan
from probtransform.families.gan import gan
from probtransform.families.infogan import infogan
from probtransform.families.iwgan import iwgan
from probtransform.families.ls_gan import ls_gan
from probtransform.families.r3gan import r3gan
from probtransform.families.sn_gan import sn_gan
from probtransform.families.stylegan2 import stylegan2
from probtransform.families.vae_gan import vae_gan
from probtransform.families.wgan_gp import wgan_gp
from probtransform.networks import mlp

FAMILIES = [gan, wgan_gp, ls_gan, sn_gan]
KEY = jax.random.key(0)
SIZE = {"latent": 2, "width": 8, "depth": 2}
BATCH = Batch(jax.random.normal(jax.random.key(1), (6, 3)))


@pytest.mark.parametrize("build", FAMILIES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("number", ["latent", "width", "depth", "critic_steps"])
def test_numbers_no_game_has_are_named(build, number):
    with pytest.raises(ValueError, match=f"got {number}=0, wanted at least 1"):
        build(Event((2,)), **{number: 0})
    if "penalty" in inspect.signature(build).parameters:
        with pytest.raises(ValueError, match="wanted a finite number >= 0"):
            build(Event((2,)), penalty=-1.0)


def by_svd(params):
    return jax.tree.map(lambda w: w / np.linalg.norm(w, 2) if w.ndim == 2 else w, params)


def met(params, key, normalised=lambda critic: critic):
    """Data, samples, `D` and `|grad D|^2` there, by the perceptrons themselves."""
    answers = "bias" in params["critic"]["last"]
    generator, critic = mlp(2, 3, 8, 2), mlp(3, 1, 8, 2, bias=answers)
    _, learn = jax.random.split(key)  # the other is for the way back from data
    play, _ = jax.random.split(learn)  # for penalties
    draw, _ = jax.random.split(play)  # for augmentation
    bases = [jax.random.split(k)[0] for k in jax.random.split(draw, len(BATCH.x))]
    z = jnp.stack([jax.random.normal(k, (2,)) for k in bases])
    fake = jax.vmap(generator.apply, (None, 0))(params["generator"], z)
    judge = jax.value_and_grad(lambda x: critic.apply(normalised(params["critic"]), x)[0])
    (real_logits, slopes), (fake_logits, _) = (jax.vmap(judge)(x) for x in (BATCH.x, fake))
    return (np.asarray(a, np.float64) for a in (real_logits, fake_logits, (slopes**2).sum(1)))


def found(build, params, **numbers):
    model = build(Event((3,)), **SIZE, **numbers)
    return [
        float(model.players[p].loss(params, (), KEY, BATCH)[0]) for p in ("critic", "generator")
    ]


def parameters(build):
    """Where nothing is zero by accident."""
    noise = np.random.default_rng(0)
    start = initial(build(Event((3,)), **SIZE), KEY)
    return jax.tree.map(lambda p: p + 0.5 * noise.standard_normal(p.shape, np.float32), start)


def test_gan_is_the_non_saturating_game_with_r1():
    params = parameters(gan)
    real, fake, slopes = met(params, KEY)
    critic = np.logaddexp(0, -real).mean() + np.logaddexp(0, fake).mean() + 0.7 / 2 * slopes.mean()
    wanted = [critic, np.logaddexp(0, -fake).mean()]
    np.testing.assert_allclose(found(gan, params, penalty=0.7), wanted, rtol=1e-5)


PENALISED = [gan, ls_gan, wgan_gp, iwgan, r3gan, stylegan2, infogan, aae, aavae, bigan, vae_gan]


@pytest.mark.parametrize("build", PENALISED, ids=lambda f: f.__name__)
def test_a_penalty_of_zero_is_left_out(build):
    """It takes no slope of the critic in its data: its program is the shorter."""

    def length(penalty):
        model = build(Event((3,)), latent=2, width=8, depth=2, penalty=penalty)
        params, carry = jax.eval_shape(lambda k: (initial(model, k), model.carry(k)), KEY)
        loss = model.players["critic"].loss
        text = str(jax.make_jaxpr(lambda *a: loss(*a)[0])(params, carry, KEY, BATCH))
        return text.count("dot_general") + text.count(" product[")

    assert length(0.0) < length(0.7)
    for wrong in (-1.0, float("nan")):
        with pytest.raises(ValueError, match=f"={wrong}, wanted a finite number >= 0"):
            build(Event((3,)), penalty=wrong)


def test_ls_gan_is_least_squares_with_r1():
    params = parameters(ls_gan)
    real, fake, slopes = met(params, KEY)
    critic = ((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2 + 0.7 / 2 * slopes.mean()
    wanted = [critic, ((fake - 1) ** 2).mean() / 2]
    np.testing.assert_allclose(found(ls_gan, params, penalty=0.7), wanted, rtol=1e-5)


def test_wgan_gp_is_the_gap_of_means_and_pays_for_slopes_that_are_not_one():
    """Where all its units are far above zero a critic is linear, and its slope the product of its kernels."""
    params = parameters(wgan_gp)
    real, fake, _ = met(params, KEY)
    wanted = [fake.mean() - real.mean(), -fake.mean()]
    np.testing.assert_allclose(found(wgan_gp, params, penalty=0.0), wanted, rtol=1e-5)
    critic = params["critic"]
    first = critic["first"] | {"bias": critic["first"]["bias"] + 40.0}
    hidden = critic["hidden"][0] | {"bias": critic["hidden"][0]["bias"] + 200.0}
    linear = params | {"critic": critic | {"first": first, "hidden": {0: hidden}}}
    slope = first["kernel"] @ (np.eye(8) + hidden["kernel"]) @ critic["last"]["kernel"]
    without, paid = (found(wgan_gp, linear, penalty=p)[0] for p in (0.0, 0.7))
    wanted = 0.7 * (np.linalg.norm(slope) - 1) ** 2
    np.testing.assert_allclose(paid - without, wanted, rtol=1e-3)


def test_sn_gan_is_hinge_with_kernels_divided_by_their_largest_singular_value():
    params = parameters(sn_gan)
    real, fake, _ = met(params, KEY, by_svd)
    wanted = [np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean(), -fake.mean()]
    np.testing.assert_allclose(found(sn_gan, params), wanted, rtol=1e-2)


def test_the_critic_of_a_normalised_spectrum_starts_with_an_answer():
    """A last layer of zeros has no direction to normalise, and would never leave zero."""
    params = initial(sn_gan(Event((3,)), **SIZE), KEY)
    assert all(np.any(leaf) for leaf in jax.tree.leaves(params["critic"]) if leaf.ndim == 2)
