"""Losses and gradients of pythae, with its weights and the noise that was drawn here, in double precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.core import Batch, Network, encode, pushforward
from probtransform.distributions import bernoulli, normal
from probtransform.objectives import autoencoding, disentangling, importance_weighted
from probtransform.objectives.autoencoding import SCALES, like_prior, small_codes
from probtransform.transforms import decoder

pytestmark = pytest.mark.peers
B, D, K, DRAWS = 5, 16, 3, 4
KEY = jax.random.key(0)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def peer(name, torch, **numbers):
    """A model of pythae with networks of its own, in double precision, its weights ours as well."""
    models = pytest.importorskip("pythae.models")
    torch.manual_seed(0)
    config = getattr(models, name + ("_Config" if "_" in name else "Config"))
    model = getattr(models, name)(config(input_dim=(1, 4, 4), latent_dim=K, **numbers))
    return model.double()


def weights(model):
    """`{"encoder": {...}, "decoder": {...}}`, each layer `(kernel, bias)`."""

    def layer(linear):
        return tuple(jnp.asarray(p.detach().numpy().T) for p in (linear.weight, linear.bias))

    return jax.tree.map(layer, layers(model), is_leaf=lambda leaf: not isinstance(leaf, dict))


def layers(model):
    heads = {"mean": model.encoder.embedding}
    if hasattr(model.encoder, "log_var"):
        heads["log_var"] = model.encoder.log_var
    first, last = model.decoder.layers[0][0], model.decoder.layers[1][0]
    return {
        "encoder": {"first": model.encoder.layers[0][0], **heads},
        "decoder": {"first": first, "last": last},
    }


def gradients(model):
    def of(linear):
        return tuple(jnp.asarray(p.grad.numpy().T) for p in (linear.weight, linear.bias))

    return jax.tree.map(of, layers(model), is_leaf=lambda leaf: not isinstance(leaf, dict))


def dense(layer, x):
    return x @ layer[0] + layer[1]


def encoded(params, x, cond):
    h = jax.nn.relu(dense(params["first"], x.reshape(-1).astype(float)))
    if "log_var" not in params:
        return dense(params["mean"], h)
    return jnp.concatenate([dense(params["mean"], h), dense(params["log_var"], h) / 2])


def logits(params, z, cond):
    return dense(params["last"], jax.nn.relu(dense(params["first"], z)))


def light(params, z, cond):
    return jax.nn.sigmoid(logits(params, z, cond))


ENCODE, DECODE = Network(lambda key: {}, encoded), Network(lambda key: {}, logits)
STEP = decoder(DECODE, ENCODE, bernoulli((D,)))
X = np.random.default_rng(0).integers(0, 2, (B, D)).astype(np.uint8)


def compare(loss, params, model, torch, value=True):
    """The value and all gradients of both; `model` has its noise."""
    ours, grads = jax.value_and_grad(lambda p: loss(p, (), KEY, Batch(jnp.asarray(X)))[0])(params)
    theirs = model({"data": torch.tensor(X.reshape(B, 1, 4, 4), dtype=torch.float64)}).loss
    theirs.backward()
    if value:
        np.testing.assert_allclose(ours, theirs.item(), rtol=1e-10)
    wanted = gradients(model)
    found = grads if "encoder" in grads else grads["decoder"]
    assert jax.tree.structure(found) == jax.tree.structure(wanted)
    for a, b in zip(*map(jax.tree.leaves, (found, wanted)), strict=True):
        assert np.abs(b).max() > 1e-6
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10)
    return ours, theirs.item()


def with_noise(model, noise, torch):
    noise = torch.tensor(np.array(noise))
    model._sample_gauss = lambda mean, std: (mean + noise * std, noise)


def test_vae(torch):
    model = peer("VAE", torch, reconstruction_loss="bce")
    noise = jax.vmap(lambda k: jax.random.normal(k, (K,)))(jax.random.split(KEY, B))
    with_noise(model, noise, torch)
    loss = disentangling.bottleneck(STEP, beta=1.0)
    params = {"decoder": weights(model)}
    compare(lambda p, c, k, b: loss(p, jnp.zeros((), int), k, b), params, model, torch)


def test_iwae_gradients_and_the_value_that_it_does_not_report(torch):
    """Its loss is `sum_i share_i log w_i`: the gradient is that of the bound, the value is not."""
    model = peer("IWAE", torch, reconstruction_loss="bce", number_samples=DRAWS)
    params = {"decoder": weights(model)}
    distribution = pushforward(normal((K,)), decoder=STEP)

    def noise_of(key, x):
        mean, log_scale = STEP.inverse.posterior(params["decoder"], x, None)
        z = jax.vmap(lambda k: encode(distribution, params, k, x))(jax.random.split(key, DRAWS))
        return (z - mean) / jnp.exp(log_scale)

    with_noise(model, jax.vmap(noise_of)(jax.random.split(KEY, B), jnp.asarray(X)), torch)
    ours, theirs = compare(importance_weighted(distribution, DRAWS), params, model, torch, False)
    assert ours > theirs + 1e-3


def test_rae_and_wae(torch, monkeypatch):
    x = jnp.asarray(X, float)
    decode = Network(lambda key: {}, light)
    model = peer("RAE_L2", torch, embedding_weight=0.3)
    loss = autoencoding(ENCODE, decode, [small_codes(0.3)])
    compare(lambda p, c, k, b: loss(p, c, k, Batch(x)), weights(model), model, torch)

    model = peer(
        "WAE_MMD", torch, kernel_choice="imq", reg_weight=0.7, reconstruction_loss_scale=1.0
    )
    assert tuple(model.scales) == SCALES
    _, key = jax.random.split(KEY)
    drawn = jax.vmap(lambda k: jax.random.normal(k, (K,)))(jax.random.split(key, B))
    monkeypatch.setattr(torch, "randn_like", lambda z, device=None: torch.tensor(np.array(drawn)))
    # a sum over scales there, a mean here
    wae = autoencoding(ENCODE, decode, [like_prior(0.7 * len(SCALES), normal((K,)))])
    compare(lambda p, c, k, b: wae(p, c, k, Batch(x)), weights(model), model, torch)
