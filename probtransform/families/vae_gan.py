"""The VAE/GAN: an autoencoder whose likeness is what a critic sees, and whose samples it judges."""

from __future__ import annotations

import math

import jax
from jax.scipy.stats import norm

from ..core import Batch, Event, Model, Network, Player, pushforward
from ..core.check import positive
from ..distributions import gaussian, normal
from ..networks import mlp
from ..objectives.adversarial import r1
from ..objectives.walks import Kernel, observed_by, of_network
from ..transforms import implicit
from . import unified
from .labelled import labelled
from .on_data import on_data


def vae_gan(
    event: Event,
    latent: int = 16,
    width: int = 128,
    depth: int = 3,
    strength: float = 0.1,
    penalty: float = 1.0,
) -> Model:
    """From data as a VAE, from the base as a GAN; the encoder lives in `extra`. Claim: none.

    The likelihood is `N(f(x); f(G(z)), I)` of the critic's features f, below its head, times `strength` for
    the generator. Example: `vae_gan(Event((2,)))` samples `f32[2]`. Larsen et al. (2015), arXiv:1512.09300.
    Raises ValueError if a size is less than one, or `strength` or `penalty` negative.
    """
    positive("vae_gan", latent=latent)
    d = math.prod(event.shape)
    generator = labelled(latent, d, event.classes, width, depth)
    encoder = labelled(d, 2 * latent, event.classes, width, depth, quiet=True)
    features = labelled(d, width, event.classes, width, depth)
    critic = headed(features, mlp(width, 1, width, 1, quiet=True))
    generate = of_network(generator, "generator")
    infer = observed_by(encoder, "encoder", gaussian((latent,)))

    def log_likeness(params, x, z, cond):
        made = generate.draw(params, None, z, cond)
        seen, wanted = (
            features.apply(params["critic"]["features"], each, cond) for each in (made, x)
        )
        return norm.logpdf(wanted, seen).sum()

    laws = unified.Laws(normal((latent,)), generate, infer)
    losses = unified.vae_gan(laws, Kernel(log_prob=log_likeness), critic, strength, [r1(penalty)])
    players = {name: Player((name,), losses[name]) for name in ("critic", "encoder", "generator")}
    distribution = pushforward(normal((latent,)), generator=implicit(generator))
    extra = {"critic": critic.init, "encoder": encoder.init}
    return on_data(Model(distribution, players, extra), event)


def headed(features: Network, head: Network) -> Network:
    """The logit `head(features(x))`; the block holds `{"features", "head"}`."""

    def init(key):
        first, second = jax.random.split(key)
        return {"features": features.init(first), "head": head.init(second)}

    def apply(params, x, cond):
        return head.apply(params["head"], features.apply(params["features"], x, cond))[0]

    return Network(init, apply)


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"latent": 2, "penalty": 0.1, "steps": 4000, "batch": 128, "average": 0.995}
    return {"steps": 3000, "batch": 128}


def tiny() -> tuple[Model, Batch]:
    z = jax.random.normal(jax.random.key(0), (256, 2))
    return vae_gan(Event((2,)), latent=2, width=16, depth=2), Batch(0.5 * z + 1.0)
