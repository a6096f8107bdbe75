"""What the players of image families descend, each against its formula at parameters of no special place.

Samples are drawn here by the keys that the losses divide theirs into; all else is networks, slopes and NumPy.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.core import Batch, Event, initial
from probtransform.families import biggan, dcgan, denoising_autoencoder, r3gan, stylegan2
from probtransform.networks import biggan as biggan_networks
from probtransform.networks import dcgan as dcgan_networks
from probtransform.networks import mlp, resnet_gan
from probtransform.networks import r3gan as r3gan_networks
from probtransform.networks import stylegan2 as stylegan2_networks

KEY = jax.random.key(3)
SHAPE, CLASSES, LATENT, N = (4, 4, 1), 3, 5, 8
EVENT = Event(SHAPE, classes=CLASSES)
SIZE = {"latent": LATENT, "width": 4}
LABELS = np.arange(N) % CLASSES
BATCH = Batch(jax.random.normal(jax.random.key(1), (N, *SHAPE)), jnp.asarray(LABELS))
Y = jnp.eye(CLASSES)[LABELS]
PLAYERS, RTOL = ("critic", "generator"), 2e-5
split = jax.random.split


def parameters(model, scale=0.1):
    """A start, moved a little in every number: nothing is zero by accident, and no loss beside it."""
    noise = np.random.default_rng(0)
    start = jax.jit(lambda key: initial(model, key))(KEY)
    return jax.tree.map(lambda p: p + jnp.float32(scale * noise.standard_normal(p.shape)), start)


def losses(model, params, carry=(), batch=BATCH):
    """`{player: its loss}` of the game, both of one key."""

    @jax.jit
    def both(params):
        return [model.players[name].loss(params, carry, KEY, batch)[0] for name in PLAYERS]

    return dict(zip(PLAYERS, np.asarray(both(params)).tolist(), strict=True))


def keys_of_samples(key, steps):
    """A row of keys for each sample of a game over reals, for the latent and each step after it."""
    _, learn = split(key)  # the first goes to a way back from data that needs none
    play, _ = split(learn)  # the second to penalties
    draw, _ = split(play)  # the second to changes of examples
    return jax.vmap(lambda one: split(one, steps + 1))(split(draw, N))


def latents(keys):
    return jax.vmap(lambda key: jax.random.normal(key, (LATENT,)))(keys)


def over_batch(network, params, *inputs):
    return jax.jit(jax.vmap(network.apply, (None, *(0 for _ in inputs))))(params, *inputs)


def samples(network, params):
    """What a game of a latent, a generator and pixels shows its critic."""
    return over_batch(network, params, latents(keys_of_samples(KEY, 2)[:, 0]), Y)


def logits(network, params, x):
    return np.asarray(over_batch(network, params, x, Y), np.float64)


def squared_slope(network, params, x):
    """`E |grad D(x)|^2`."""
    slopes = jax.jit(jax.vmap(jax.grad(network.apply, 1), (None, 0, 0)))(params, x, Y)
    return float((np.asarray(slopes, np.float64) ** 2).sum() / N)


def softplus(x):
    return np.logaddexp(0, x)


def agree(found, expected, **terms):
    """Losses are what they should be, and no term of theirs is too small to be missed."""
    assert found.keys() == expected.keys()
    for name in found:
        np.testing.assert_allclose(found[name], expected[name], rtol=RTOL, err_msg=name)
        assert min(map(abs, terms.values())) > 50 * RTOL * abs(expected[name]), terms


def test_dcgan_plays_the_non_saturating_game_and_pays_r1():
    """`E softplus(-D(x)) + E softplus(D(G(z))) + penalty/2 E |grad D(x)|^2` and `E softplus(-D(G(z)))`."""
    model = dcgan.dcgan(EVENT, **SIZE, penalty=0.7)
    params = parameters(model)
    critic = dcgan_networks.critic(SHAPE, CLASSES, 4)
    generator = dcgan_networks.generator(SHAPE, LATENT, CLASSES, 4)
    fake = samples(generator, params["generator"])
    real_logits, fake_logits = (logits(critic, params["critic"], x) for x in (BATCH.x, fake))
    game = softplus(-real_logits).mean() + softplus(fake_logits).mean()
    r1 = 0.7 / 2 * squared_slope(critic, params["critic"], BATCH.x)
    expected = {"critic": game + r1, "generator": softplus(-fake_logits).mean()}
    agree(losses(model, params), expected, r1=r1)


def test_r3gan_plays_the_paired_game_and_pays_r1_and_r2():
    """`E softplus(D(G(z)) - D(x)) + penalty/2 (E |grad D(x)|^2 + E |grad D(G(z))|^2)` and the game turned."""
    model = r3gan.r3gan(EVENT, **SIZE, penalty=0.7)
    params = parameters(model)
    critic = r3gan_networks.critic(SHAPE, CLASSES, 4)
    generator = r3gan_networks.generator(SHAPE, LATENT, CLASSES, 4)
    fake = samples(generator, params["generator"])
    real_logits, fake_logits = (logits(critic, params["critic"], x) for x in (BATCH.x, fake))
    game = softplus(fake_logits - real_logits).mean()
    r1, r2 = (0.7 / 2 * squared_slope(critic, params["critic"], x) for x in (BATCH.x, fake))
    expected = {"critic": game + r1 + r2, "generator": softplus(real_logits - fake_logits).mean()}
    of_other_pairs = softplus(fake_logits - np.roll(real_logits, 1)).mean()
    agree(losses(model, params), expected, r1=r1, r2=r2, swap=r1 - r2, pairs=game - of_other_pairs)


# --- BigGAN ---------------------------------------------------------------------------------------


def as_matrix(w):
    return np.asarray(w, np.float64).reshape(-1, w.shape[-1])


def of_unit_spectrum(params):
    """Every kernel over its largest singular value, by LAPACK."""

    def normalised(w):
        return w if jnp.ndim(w) < 2 else w / np.linalg.svd(as_matrix(w), compute_uv=False)[0]

    return jax.tree.map(lambda w: jnp.asarray(normalised(w), jnp.float32), params)


def overlap(params):
    """`sum_W |W'W * (1 - I)|_F^2` of all kernels but the embedding of labels."""
    heard = {name: block for name, block in params.items() if name != "embedding"}
    matrices = [as_matrix(w) for w in jax.tree.leaves(heard) if jnp.ndim(w) > 1]
    return sum(((w.T @ w * (1 - np.eye(w.shape[1]))) ** 2).sum() for w in matrices)


def test_biggan_plays_the_hinge_game_of_unit_spectra_and_pays_for_overlaps():
    """`E max(0, 1 - D(x)) + E max(0, 1 + D(G(z)))` and `-E D(G(z)) + weight sum_W |W'W * (1 - I)|^2`.

    Networks are those of unit spectrum; what is paid for are kernels as they are.
    """
    model = biggan.biggan(EVENT, **SIZE, orthogonality=1e-3)
    params = parameters(model)
    params["critic"]["last"]["linear"]["bias"] -= 1.8  # logits lie about both margins
    critic = resnet_gan.critic(SHAPE, CLASSES, 4)
    generator = biggan_networks.generator(SHAPE, LATENT, CLASSES, 4)
    critic_params, generator_params = (of_unit_spectrum(params[name]) for name in PLAYERS)
    fake = samples(generator, generator_params)
    real_logits, fake_logits = (logits(critic, critic_params, x) for x in (BATCH.x, fake))
    for margins in (1 - real_logits, 1 + fake_logits):
        assert margins.min() < -0.01 and margins.max() > 0.01, "one side of the hinge alone"
    game = np.maximum(0, 1 - real_logits).mean() + np.maximum(0, 1 + fake_logits).mean()
    paid = 1e-3 * overlap(params["generator"])
    expected = {"critic": game, "generator": paid - fake_logits.mean()}
    agree(losses(model, params), expected, paid=paid, fooled=fake_logits.mean())


# --- StyleGAN2 ------------------------------------------------------------------------------------

LARGER, LAYERS, PLACES, DEPTH = (8, 8, 1), 4, 8 * 8 * 2 + 4 * 4, 2
MAPPING = stylegan2_networks.mapping(LATENT, CLASSES, LATENT, DEPTH)
SYNTHESIS = stylegan2_networks.synthesis(LARGER, LATENT, 4)
JUDGE = stylegan2_networks.critic(LARGER, CLASSES, 4)


def styles(params, z, key, y, mixing):
    """Those of z up to a layer, and of a second latent after it."""
    draw, place, gate = split(key, 3)
    own = MAPPING.apply(params, z, y)
    other = MAPPING.apply(params, jax.random.normal(draw, (LATENT,)), y)
    first = jax.random.randint(place, (), 1, LAYERS)
    mixed = (jax.random.uniform(gate) < mixing) & (jnp.arange(LAYERS) >= first)
    return jnp.where(mixed[:, None], other, own)


def synthesised(params, w, key):
    return SYNTHESIS.apply(params, w, jax.random.normal(key, (PLACES,)))


@jax.jit
def styled_samples(params, key, mixing):
    @jax.vmap
    def one(keys, y):
        latent, mapping, synthesis, _ = keys
        w = styles(params["mapping"], jax.random.normal(latent, (LATENT,)), mapping, y, mixing)
        return synthesised(params["synthesis"], w, synthesis)

    return one(keys_of_samples(key, 3), Y)


@jax.jit
def path_lengths(params, key, mixing):
    """`|J'y|` of the first quarter of the batch, J whole."""

    @jax.vmap
    def one(key, y):
        draw, look, direction = split(key, 3)
        latent, mapping = split(draw)
        w = styles(params["mapping"], jax.random.normal(latent, (LATENT,)), mapping, y, mixing)
        slope = jax.jacfwd(lambda w: synthesised(params["synthesis"], w, look))(w)
        unit = jax.random.normal(direction, LARGER) / math.sqrt(LARGER[0] * LARGER[1])
        return jnp.sqrt((jnp.tensordot(unit, slope, 3) ** 2).sum(-1).mean())

    return one(split(key, N // 4), Y[: N // 4])


def test_stylegan2_mixes_styles_and_pays_r1_and_for_path_lengths():
    """`E softplus(-D(x)) + E softplus(D(G(z))) + penalty/2 E |grad D(x)|^2` and
    `E softplus(-D(G(z))) + path E (|J'y| - a)^2`, a after its step; styles are mixed for both and for J.
    """
    numbers = {"depth": DEPTH, "penalty": 0.7, "path": 1.5, "mixing": 0.6}
    model = stylegan2.stylegan2(Event(LARGER, classes=CLASSES), **SIZE, **numbers)
    params = parameters(model, scale=0.3)
    batch = BATCH._replace(x=jax.random.normal(jax.random.key(1), (N, *LARGER)))
    play, look = split(KEY)  # the generator's: the game, then path lengths

    def shown(key, mixing=0.6):
        return logits(JUDGE, params["critic"], styled_samples(params, key, mixing))

    def paid(mixing=0.6):
        lengths = np.asarray(path_lengths(params, look, mixing), np.float64)
        return 1.5 * ((lengths - (0.99 * 0.4 + 0.01 * lengths.mean())) ** 2).mean()

    def fooled(mixing=0.6):
        return softplus(-shown(play, mixing)).mean()

    real_logits = logits(JUDGE, params["critic"], batch.x)
    game = softplus(-real_logits).mean() + softplus(shown(KEY)).mean()
    r1 = 0.7 / 2 * squared_slope(JUDGE, params["critic"], batch.x)
    expected = {"critic": game + r1, "generator": fooled() + paid()}
    found = losses(model, params, {"path_length": jnp.float32(0.4)}, batch)
    mixed = {"mixed": fooled() - fooled(0.0), "mixed_paths": paid() - paid(0.0)}
    agree(found, expected, r1=r1, paid=paid(), **mixed)


# --- the denoising autoencoder --------------------------------------------------------------------


@pytest.mark.parametrize("levels", [None, 4])
def test_a_denoising_autoencoder_is_shown_noise_of_its_scale_and_asked_for_data(levels):
    """`E |x - D(E(x + noise e))|^2`, x as reals, levels spread over [-1, 1]."""
    d, size = math.prod(SHAPE), {"latent": 3, "width": 6, "depth": 1}
    event = Event(SHAPE, levels, CLASSES)
    model = denoising_autoencoder.denoising_autoencoder(event, **size, noise=0.7)
    params = parameters(model, scale=0.5)
    back, learn = split(KEY)
    x, batch = BATCH.x.reshape(N, d), BATCH
    if levels:
        symbols = jax.random.randint(KEY, (N, *SHAPE), 0, levels)
        within = jax.vmap(lambda key: jax.random.uniform(key, (d,)))(split(back, N))
        x = (symbols.reshape(N, d) + within) * 2 / levels - 1
        batch = BATCH._replace(x=symbols.astype(jnp.uint8))
    (blur,) = split(learn, 1)

    def error(noise):
        seen = x + noise * jax.random.normal(blur, x.shape)
        codes = over_batch(mlp(d + CLASSES, 3, 6, 1), params["encoder"], jnp.hstack([seen, Y]))
        made = over_batch(mlp(3 + CLASSES, d, 6, 1), params["decoder"], jnp.hstack([codes, Y]))
        return (np.asarray(made - x, np.float64) ** 2).sum(1).mean()

    found, _ = jax.jit(model.players["autoencoder"].loss)(params, (), KEY, batch)
    agree({"loss": found}, {"loss": error(0.7)}, blur=error(0.7) - error(0.0))
