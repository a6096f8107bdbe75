"""pythae's autoencoders with the network of `experiments.binarised`, and their weights as ours."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import torch
from pythae.models import IWAE, VAE, IWAEConfig, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from torch import nn


class Encoder(BaseEncoder):
    def __init__(self, d: int, latent: int, width: int):
        super().__init__()
        self.first = nn.Linear(d, width)
        self.mean, self.log_variance = nn.Linear(width, latent), nn.Linear(width, latent)

    def forward(self, x):
        h = torch.relu(self.first(x.flatten(1)))
        return ModelOutput(embedding=self.mean(h), log_covariance=self.log_variance(h))


class Decoder(BaseDecoder):
    def __init__(self, d: int, latent: int, width: int):
        super().__init__()
        self.first, self.last = nn.Linear(latent, width), nn.Linear(width, d)

    def forward(self, z):
        light = torch.sigmoid(self.last(torch.relu(self.first(z))))
        return ModelOutput(reconstruction=light)


def peer(name: str, d: int, latent: int, width: int, samples: int):
    """`vae`, or `iwae` with `samples` draws."""
    kinds = {
        "vae": lambda **numbers: VAE(VAEConfig(**numbers), *nets),
        "iwae": lambda **numbers: IWAE(IWAEConfig(number_samples=samples, **numbers), *nets),
    }
    nets = Encoder(d, latent, width), Decoder(d, latent, width)
    return kinds[name](input_dim=(d,), latent_dim=latent, reconstruction_loss="bce")


def stepping(model, rate: float):
    """`x: f32[b, d] -> loss`, one update by Adam."""
    optimizer = torch.optim.Adam(model.parameters(), rate)

    def step(x):
        optimizer.zero_grad()
        loss = model({"data": x}).loss
        loss.backward()
        optimizer.step()
        return loss

    return step


def as_ours(model) -> dict:
    """The parameters of the distribution of `experiments.binarised.models`."""

    def linear(*layers):
        kernel = np.concatenate([np.asarray(layer.weight.detach()).T for layer in layers], 1)
        bias = np.concatenate([np.asarray(layer.bias.detach()) for layer in layers])
        return {"kernel": jnp.asarray(kernel), "bias": jnp.asarray(bias)}

    e, d = model.encoder, model.decoder
    layers = {
        "encoder": {0: linear(e.first), 2: linear(e.mean, e.log_variance)},
        "decoder": {0: linear(d.first), 2: linear(d.last)},
    }
    return {"decoder": {name: {"layers": each} for name, each in layers.items()}}


def trained(name: str, train: np.ndarray, config, seed: int) -> dict:
    """Parameters after the steps of a config, in shuffled epochs."""
    torch.manual_seed(seed)
    model = peer(name, train.shape[1], config.latent, config.width, config.samples)
    step, x, order = stepping(model, config.rate), torch.tensor(train, dtype=torch.float32), []
    for _ in range(config.steps):
        if len(order) < config.batch:
            order = torch.randperm(len(x))
        step(x[order[: config.batch]])
        order = order[config.batch :]
    return as_ours(model)
