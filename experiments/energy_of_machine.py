"""A Boltzmann machine of reals that is told from noise: a normal, or a flow that was trained before.

With four hidden units, beside maximum likelihood; the flow is a RealNVP. `log Z` is counted, `off` what the
learned constant misses of it.

The machine's normals are as wide as the modes and stay so, and its rate is high: log Z has 31 nats to climb.
At a rate of 0.02 the KL from the flow was 2.3; where width and place learned too, at 0.01, 1.5 to 15 whatever
the noise, and 0.0001 by likelihood. Eight hidden units put mass far away where neither data nor noise ever
are, which no contrast sees.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from probtransform.core import Batch, Distribution, Model, Player, log_density_many, pushforward
from probtransform.distributions import normal
from probtransform.distributions.harmonium import chained, enumerated, harmonium
from probtransform.distributions.layer import normals
from probtransform.families.gaussian import fitted
from probtransform.objectives import likelihood, noise_contrastive, normaliser
from probtransform.transforms import affine, affine_of

from .energy_training import Config, flow_of, trained
from .ring import DEVIATION, KEY, divergence_of, samples_of


def kept(distribution: Distribution[Any]) -> dict[str, Callable[..., Any]]:
    """The blocks of a distribution as `extra` of a model of another."""
    blocks = jax.eval_shape(distribution.init, KEY)
    return {name: lambda key, name=name: distribution.init(key)[name] for name in blocks}


def machine(data: Batch, config: Config):
    """The rows of likelihood, and of each noise."""
    layer = normals((2,))
    units = harmonium(layer, config.hidden)
    law = normaliser(pushforward(chained(units, layer, 1), place=affine(2)))
    counted = pushforward(enumerated(units, layer, config.hidden), place=affine(2))
    x, owns = jnp.zeros((1, 2)), ("machine",)

    def prepare(params, key, batch):
        # held still: free to follow the data's covariance, it leaves the machine nothing to begin with
        return params | {"place": affine_of(batch.x.mean(0), DEVIATION**2 * jnp.eye(2))}

    def row(params):
        return {"KL": divergence_of(counted, params)} | samples_of(counted, params, config.test)

    best = Model(counted, {"machine": Player(owns, likelihood(counted))}, prepare=prepare)
    yield "likelihood", row(trained(best, data, config, rate=config.machine_rate, clip=math.inf))

    around = pushforward(normal((2,)), around=affine(2))
    flow, at = flow_of(data, config)
    noises = {"normal": (around, {"around": fitted(data.x)}), "flow": (flow, at)}
    for name, (noise, start) in noises.items():
        loss = noise_contrastive(law, noise, config.ratio)
        player = Player((*owns, "constant"), loss)
        model = Model(law, {"machine": player}, kept(noise), prepare=prepare)
        params = trained(model, data, config, start, rate=config.machine_rate, clip=math.inf)
        learned, true = (float(log_density_many(d, params, KEY, x)[0]) for d in (law, counted))
        off = {"log Z": float(params["constant"]) + learned - true, "off": true - learned}
        yield f"noise, {name}", off | row(params)
