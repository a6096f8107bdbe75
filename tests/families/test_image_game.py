"""From images to data and back in games, and the truncations of trained generators."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.core import Batch, Event, initial, sample_many, sample_stages
from probtransform.families import biggan, dcgan, r3gan, stylegan2
from probtransform.families.image_game import pixels
from probtransform.networks import stylegan2 as networks
from probtransform.transforms import onto

KEY = jax.random.key(0)
EVENT = Event((8, 8, 1))
NUMBERS = {"latent": 5, "width": 8, "depth": 2}


@pytest.mark.parametrize("levels", [2, 17, 256])
def test_levels_that_a_network_hits_are_what_is_rounded_to(levels):
    event = Event((2, 2, 1), levels)
    centre = (2 * jnp.array([0, levels - 1, levels // 2, 1]) + 1) / levels - 1
    image, step = jnp.arctanh(centre).reshape(event.shape), pixels(event)

    def one(key):
        first, second = jax.random.split(key)
        return onto(event).forward({}, second, step.forward({}, first, image))

    drawn = jax.vmap(one)(jax.random.split(KEY, 500)).reshape(500, -1)
    assert (drawn == jnp.array([0, levels - 1, levels // 2, 1])).mean() > 0.999


def test_between_two_levels_rounding_is_right_on_average():
    event = Event((1, 1, 1), 17)
    step, image = pixels(event), jnp.arctanh((2 * 4.3 + 1) / 17 - 1).reshape(1, 1, 1)
    keys = jax.random.split(KEY, 20_000)
    drawn = jax.vmap(lambda k: onto(event).forward({}, k, step.forward({}, k, image)))(keys)
    assert set(np.unique(drawn).tolist()) == {4, 5}
    assert abs(drawn.mean() - 4.3) < 4 * np.sqrt(0.21 / 20_000)


def test_samples_have_the_noise_that_a_critic_sees_on_data():
    """A network that draws the data exactly has the law of dequantised data, to the last digit."""
    event = Event((1, 1, 1), 3)
    image = jnp.arctanh(jnp.asarray((2 * 1 + 1) / 3 - 1 + 1e-7)).reshape(1, 1, 1)
    keys = jax.random.split(KEY, 5000)
    fake = jax.vmap(lambda k: pixels(event).forward({}, k, image))(keys)
    real = jax.vmap(lambda k: onto(event).inverse.fn({}, k, jnp.ones((1, 1, 1), jnp.uint8))[0])(
        keys
    )
    for q in (0.0, 0.25, 0.5, 0.75, 1.0):
        np.testing.assert_allclose(np.quantile(fake, q), np.quantile(real, q), atol=0.02)


@pytest.mark.parametrize("family", [dcgan.dcgan, r3gan.r3gan, biggan.biggan, stylegan2.stylegan2])
@pytest.mark.parametrize(
    "event", [Event((8, 8, 1), 17, 3), Event((28, 28, 1), 256), Event((6,), 4)]
)
def test_data_of_every_kind_is_sampled(family, event):
    model = family(event, latent=5, width=8)
    params = jax.eval_shape(lambda k: initial(model, k), KEY)
    cond = jnp.zeros((), int) if event.classes else None
    x = jax.eval_shape(model.distribution.sample, params, KEY, cond)
    assert (x.shape, x.dtype) == (event.shape, jnp.uint8)
    batch = Batch(
        jnp.zeros((4, *event.shape), jnp.uint8), jnp.zeros(4, int) if event.classes else None
    )
    for player in model.players.values():
        carry = jax.eval_shape(model.carry, KEY)
        loss, _ = jax.eval_shape(player.loss, params, carry, KEY, batch)
        assert loss.shape == ()


def test_numbers_no_game_has_are_named():
    for family, bad, wanted in (
        (dcgan.dcgan, {"width": 6}, "6 channels in 4 groups"),
        (dcgan.dcgan, {"latent": 0}, "dcgan: got latent=0"),
        (r3gan.r3gan, {"penalty": -1.0}, "r1: got gamma=-1.0"),
        (r3gan.r3gan, {"width": 20}, "got width=20, wanted a multiple of 8"),
        (biggan.biggan, {"orthogonality": -1.0}, "orthogonal: got weight=-1.0"),
        (stylegan2.stylegan2, {"mixing": 1.5}, "got mixing=1.5, wanted a probability"),
        (stylegan2.stylegan2, {"path": -1.0}, "stylegan2: got path=-1.0"),
    ):
        with pytest.raises(ValueError, match=wanted):
            family(EVENT, **bad)


def test_path_lengths_of_weight_zero_are_not_looked_at():
    model = stylegan2.stylegan2(EVENT, latent=5, width=8, path=0.0)
    params, carry = jax.eval_shape(lambda k: (initial(model, k), model.carry(k)), KEY)
    batch = Batch(jnp.zeros((4, *EVENT.shape)))
    _, (after, seen) = jax.eval_shape(model.players["generator"].loss, params, carry, KEY, batch)
    assert jax.tree.leaves(after) == [] and set(seen) == {"generator"}


# --- StyleGAN2 ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained():
    """Parameters at which noise is there to be seen."""
    model = stylegan2.stylegan2(EVENT, **NUMBERS)
    params = jax.jit(lambda k: initial(model, k))(KEY)
    noise = np.random.default_rng(0)
    shaken = jax.tree.map(
        lambda p: p + 0.3 * jnp.asarray(noise.standard_normal(p.shape), p.dtype), params
    )
    return model, shaken


def mean_style(params, draws):
    """Over latents of our own, and the standard deviation of one."""
    step = stylegan2.mapping_of(EVENT, 5, 2)
    z = jax.random.normal(jax.random.key(5), (draws, 5))
    w = jax.vmap(lambda z: step.forward(params["mapping"], KEY, z)[0])(z)
    return np.asarray(w.mean(0)), np.asarray(w.std(0))


def silenced(params):
    return jax.tree.map_with_path(
        lambda path, leaf: leaf * (getattr(path[-1], "key", None) != "strength"), params
    )


def test_truncation_to_zero_is_the_image_of_the_centre(trained):
    _, params = trained
    law = stylegan2.truncated(EVENT, 0.0, **NUMBERS)
    x = sample_many(law, silenced(params), KEY, 3)
    centre = sample_stages(law, params, KEY)[1]
    network = networks.synthesis((8, 8, 1), 5, 8)
    expected = network.apply(params["synthesis"], centre, jnp.zeros(144))
    for one in x:
        np.testing.assert_allclose(one, expected, rtol=1e-4, atol=1e-5)
    wanted, spread = mean_style(params, 100_000)
    error = spread * np.sqrt(1 / 1000 + 1 / 100_000)
    assert (abs(np.asarray(centre) - wanted) < 4.5 * error).all()
    assert (abs(wanted) > 10 * error).any()  # and zero is not


def test_adain_is_truncated_in_the_blocks_of_its_model():
    model = stylegan2.stylegan2(EVENT, **NUMBERS, adain=True)
    params = jax.jit(lambda k: initial(model, k))(KEY)
    assert "conv" in params["synthesis"]["first"][0] and "mean" in params["synthesis"]["first"][0]
    x = sample_many(model.distribution, params, KEY, 3)
    whole, half = (
        sample_many(stylegan2.truncated(EVENT, psi, **NUMBERS, adain=True), params, KEY, 3)
        for psi in (1.0, 0.5)
    )
    np.testing.assert_array_equal(whole, x)
    assert np.abs(np.asarray(half - x)).max() > 1e-4


def test_truncation_goes_from_the_centre_to_the_model(trained):
    model, params = trained

    def styles(psi):
        law = stylegan2.truncated(EVENT, psi, **NUMBERS)
        return sample_stages(law, params, KEY)[1]

    _, w, *_, x = sample_stages(model.distribution, params, KEY)
    centre = styles(0.0)
    for psi in (0.3, 0.7, 1.0):
        expected = psi * np.asarray(w) + (1 - psi) * np.asarray(centre)
        np.testing.assert_allclose(styles(psi), expected, rtol=1e-4, atol=1e-5)
    whole = stylegan2.truncated(EVENT, 1.0, **NUMBERS)
    np.testing.assert_array_equal(sample_stages(whole, params, KEY)[-1], x)


def test_each_label_has_a_mean_style_of_its_own():
    event = Event((8, 8, 1), classes=3)
    params = stylegan2.mapping_of(event, 5, 2).init(KEY)
    step = stylegan2.mapping_of(event, 5, 2, psi=0.0)
    z = jax.random.normal(KEY, (5,))
    centres = [np.asarray(step.forward(params, KEY, z, label)) for label in range(3)]
    again = step.forward(params, jax.random.key(1), -z, 2)
    np.testing.assert_allclose(centres[2], again, rtol=1e-5, atol=1e-6)
    assert all(np.abs(centres[a] - centres[b]).max() > 1e-2 for a, b in ((0, 1), (1, 2), (0, 2)))


def test_mixed_styles_change_once_and_as_often_as_asked():
    step = stylegan2.mapping_of(EVENT, 5, 2, mixing=0.75)
    params = step.init(KEY)
    z = jnp.arange(5.0)
    own = stylegan2.mapping_of(EVENT, 5, 2).forward(params, KEY, z)
    keys = jax.random.split(KEY, 4000)
    w = np.asarray(jax.vmap(lambda k: step.forward(params, k, z))(keys))
    np.testing.assert_allclose(w[:, 0], np.broadcast_to(own[0], (4000, 5)), rtol=1e-5)
    changes = (w[:, 1:] != w[:, :-1]).any(-1)
    assert set(changes.sum(1).tolist()) == {0, 1}
    mixed = changes.any(1)
    assert abs(mixed.mean() - 0.75) < 4 * np.sqrt(0.75 * 0.25 / 4000)
    share = changes[mixed].mean(0)  # the first layer of the second latent is any but the first
    assert (abs(share - 1 / 3) < 4 * np.sqrt(2 / 9 / mixed.sum())).all()
    assert len(np.unique(w[mixed][:, -1], axis=0)) == mixed.sum()
