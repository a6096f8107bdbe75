"""The families of the one formulation: what their numbers mean, and which are refused."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from probtransform.core import Batch, Event, Maybe, Network, each, initial, sample_many
from probtransform.families import unified
from probtransform.families.aae import aae
from probtransform.families.aavae import aasvae, aavae
from probtransform.families.bigan import bigan
from probtransform.families.infogan import coded, infogan
from probtransform.families.iwgan import adversary, iwgan
from probtransform.families.semi_supervised_vae import semi_supervised_vae
from probtransform.families.vae_gan import vae_gan
from probtransform.training import fit

KEY = jax.random.key(0)


def test_the_category_is_the_largest_of_its_numbers():
    """Uniform over categories, as normal numbers are exchangeable; the rest of the code is left alone."""
    seen = coded(Network(None, lambda params, z, cond: z), 3)
    z = jax.random.normal(KEY, (6000, 5))
    read = jax.vmap(lambda z: seen.apply({}, z, None))(z)
    np.testing.assert_array_equal(read[:, 3:], z[:, 3:])
    np.testing.assert_array_equal(read[:, :3].argmax(1), z[:, :3].argmax(1))
    np.testing.assert_array_equal(jnp.sort(read[:, :3], 1), jnp.tile(jnp.eye(3)[2], (6000, 1)))
    assert (abs(read[:, :3].mean(0) - 1 / 3) < 5 * np.sqrt(2 / 9 / 6000)).all()


def test_what_infogan_tells_at_first_is_chance():
    """Before training q is uniform over k categories, and N(0, 1) for a factor: `-log k - log(2 pi e)/2`."""
    losses = {}
    for strength in (0.0, 1.0):
        numbers = {"width": 8, "latent": 1, "categories": 4, "factors": 1, "strength": strength}
        model = infogan(Event((2,)), **numbers)
        x = Batch(jnp.zeros((4000, 2)))
        losses[strength] = model.players["generator"].loss(initial(model, KEY), (), KEY, x)[0]
    wanted = np.log(4) + np.log(2 * np.pi * np.e) / 2
    assert abs(float(losses[1.0] - losses[0.0]) - wanted) < 5 * np.sqrt(0.5 / 4000)
    assert abs(float(losses[0.0]) - np.log(2)) < 1e-5  # a critic that knows nothing


def test_data_and_samples_of_an_untrained_aavae_count_half():
    """D = 1/2 for all: the loss is half the bound of data and half that of samples."""
    model = aavae(Event((2,)), latent=1, width=8)
    params, data = initial(model, KEY), Batch(jax.random.normal(KEY, (2000, 2)))
    loss, (_, metrics) = model.players["vae"].loss(params, (), KEY, data)

    def drawn(params, key, x, cond):
        return model.distribution.sample(params, key, cond)

    both = (data.x, each(drawn, params, jax.random.key(1), data))
    nats = [each(model.distribution.density.fn, params, KEY, Batch(x)) for x in both]
    error = np.hypot(*(5 * float(n.std()) for n in nats)) / np.sqrt(2000)
    assert abs(float(loss) + sum(float(n.mean()) for n in nats) / 2) < error
    np.testing.assert_allclose(metrics["effective_sample_size"], 4000, rtol=1e-5)


def test_the_aasvae_learns_two_lumps_of_few_labels():
    """An eighth of the labels, of which the second is had by a quarter: both lumps, and how often each is."""
    n = 512
    y = jnp.arange(n) % 4 // 3
    x = jnp.stack([3.0 * y - 1.5, 0.0 * y], 1) + 0.3 * jax.random.normal(KEY, (n, 2))
    data = Batch(x, Maybe(y, jnp.arange(n) % 16 // 2 == 1))
    model = aasvae(Event((2,), classes=2), latent=1, width=32)
    params = fit(model, optax.adam(3e-3), data, steps=800, batch=128).state.params
    np.testing.assert_allclose(jax.nn.softmax(params["labels"]), [0.75, 0.25], atol=0.06)
    for label, mean in ((0, -1.5), (1, 1.5)):
        told = jnp.full(500, label)
        drawn = sample_many(model.distribution, params, KEY, 500, told)
        assert (drawn[:, 0] * mean > 0).mean() > 0.9  # its own lump, not a mixture of both


def test_the_adversary_of_the_aasvae_weighs_both_bounds_and_not_the_classifier():
    """Of a sure critic: D = 0 leaves what is missed of labels, by hand; D = 1 is M2 of data and samples."""
    n, weight, event = 400, 0.7, Event((2,), classes=3)
    model, m2 = (
        family(event, latent=1, width=8, label_weight=w)
        for family, w in ((aasvae, weight), (semi_supervised_vae, 0.0))
    )
    params, label, present = initial(model, KEY), jnp.arange(n) % 3, jnp.arange(n) % 2 == 0
    zeros = jax.tree.map(jnp.zeros_like, params)
    params["decoder"]["decoder"]["log_scale"] = jnp.zeros(2)
    logits = jnp.array([0.5, -1.0, 0.2])  # of every x
    params["classifier"] = zeros["classifier"] | {
        "last": zeros["classifier"]["last"] | {"bias": logits}
    }
    data = Batch(jax.random.normal(KEY, (n, 2)), Maybe(label, present))
    missed = -weight * jax.nn.log_softmax(logits)[label[present]].mean()

    def loss(params, key, said):
        last = zeros["critic"]["last"] | {"bias": jnp.full(1, said)}
        judged = params | {"critic": zeros["critic"] | {"last": last}}
        return model.players["vae"].loss(judged, (), key, data)[0]

    value, slope = jax.value_and_grad(loss)(params, KEY, -80.0)
    np.testing.assert_allclose(value, missed, rtol=1e-5)
    assert max(jnp.abs(leaf).max() for leaf in jax.tree.leaves(slope["decoder"])) < 1e-20
    assert jnp.abs(slope["classifier"]["last"]["bias"]).max() > 0.01

    def of_both(key):
        draw, look, other = jax.random.split(key, 3)
        made = each(lambda p, k, x, c: model.distribution.sample(p, k, c), params, draw, data)
        both = ((look, data), (other, data._replace(x=made)))
        return sum(m2.players["m2"].loss(params, (), k, batch)[0] for k, batch in both)

    keys = jax.random.split(KEY, 400)
    found = jax.jit(jax.vmap(lambda k: loss(params, k, 80.0)))(keys)
    wanted = missed + jax.jit(jax.vmap(of_both))(keys)
    error = np.hypot(*(float(v.std()) / 20 for v in (found, wanted)))
    assert abs(float(found.mean() - wanted.mean())) < 5 * error < 0.1


@pytest.mark.parametrize(
    "family, bad, wanted",
    [
        (iwgan, {"latent": 0}, "iwgan: got latent=0, wanted at least 1"),
        (infogan, {"categories": 0}, "infogan: got categories=0, wanted at least 1"),
        (aae, {"noise": 0.0}, "normal_about: got a scale of 0.0"),
        (infogan, {"strength": -1.0}, "infogan: got strength=-1.0, wanted a finite number >= 0"),
        (bigan, {"penalty": -1.0}, "r1: got gamma=-1.0"),
        (vae_gan, {"latent": 0}, "vae_gan: got latent=0, wanted at least 1"),
        (vae_gan, {"strength": float("nan")}, "vae_gan: got strength=nan, wanted a finite number"),
        (aavae, {"temperature": 0.0}, "aavae: got temperature=0.0, wanted a finite number > 0"),
        (aasvae, {}, "aasvae: got classes=0, wanted at least 1"),
        (aavae, {"width": 0}, "mlp: got width=0, wanted at least 1"),
    ],
)
def test_numbers_that_mean_nothing_are_named(family, bad, wanted):
    with pytest.raises(ValueError, match=wanted):
        family(Event((2,)), **bad)


def test_an_adversary_is_named_by_its_row():
    with pytest.raises(ValueError, match=r"^gan: got latent=0"):
        adversary(Event((2,)), unified.gan, latent=0)
