"""Energies joined to other families, on eight Gaussians in a ring, each judged against the law itself.

    python -m experiments.energy_bridges --out runs/energy_bridges.json

machine: a Boltzmann machine of reals with four hidden units, told from a normal and from a trained RealNVP,
beside maximum likelihood. `log Z` is counted, `off` what the learned constant misses of it.
generator: a small GAN, its base moved to where the critic wants the samples (Che et al. 2020), by the critic
of the game, and by one that learned on alone, without a penalty, from a generator that stands still.
flow: a RealNVP of four layers tilted by an energy, which learns by noise contrast with that flow, and by
chains where the flow begins (Nijkamp et al. 2020); samples are walked there in both, log Z is by quadrature.
prior: a VAE whose latent plane has a normal for its prior, and that tilted by an energy (Pang et al. 2020),
first with the decoder held still, then with all of it learning. Each goes on from the VAE, which has as many
steps again for a rival. `bound` is that of log p(x) in nats, the constant of the prior by quadrature.

KL(law || model) is in nats, by quadrature over a grid; for a decoder over one of codes too. `good` is the
share of 4000 samples within three deviations of a mean, `shares` the divergence of the modes' shares from
equal ones in nats, `distance` the energy distance to draws of the law. The law's own numbers: 98.9% good,
bound -2.832, distance 0; of 4000 samples, give or take 0.2% and 0.001.

Expect, of seed 0, in four minutes of one core:

    machine                         KL    log Z      off     good
    likelihood                   0.0001                      99.2%
    noise, normal                0.0002   35.839  -0.0002    99.1%
    noise, flow                  0.0001   35.885   0.0005    99.2%

    generator                     good   shares  distance
    generator                    95.8%   0.0071    0.0075
    refined                      97.9%   0.0015    0.0014
    refined, critic alone        99.1%   0.0041    0.0011

    flow                            KL    log Z      off     good  distance
    flow                         0.3557                      89.6%    0.0106
    tilted by noise              0.0612    0.128   0.0027    98.3%   -0.0001
    tilted by chains             0.0913    2.027             98.1%   -0.0003

    prior                        bound       KL     good  distance
    vae                         -3.472   0.4843    80.2%    0.0186
    vae, as long again          -3.309   0.3554    85.5%    0.0121
    prior alone                 -3.199   0.2257    93.0%    0.0025
    prior, decoder              -2.978   0.1016    95.9%    0.0016

The machine's normals are as wide as the modes and stay so, and its rate is high: log Z has 31 nats to climb.
At a rate of 0.02 the KL from the flow was 2.3; where width and place learned too, at 0.01, 1.5 to 15 whatever
the noise, and 0.0001 by likelihood. Eight hidden units put mass far away where neither data nor noise ever
are, which no contrast sees. Chains that walked among the data, at three times their rate here, left the
flow worse, a KL of 0.98 for 0.33; where the flow begins, steps of 0.1 at that rate ran away. Chains of the
prior of which 5% were begun afresh at every update are behind: the encoder ran from them, and the bound
diverged.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from scipy.special import logsumexp

from probtransform.core import (
    Batch,
    Distribution,
    Event,
    Model,
    Player,
    Unnormalized,
    log_density_many,
    pushforward,
    sample_many,
    sample_stages,
)
from probtransform.data.toys import eight_gaussians
from probtransform.distributions import normal
from probtransform.distributions.harmonium import chained, enumerated, harmonium
from probtransform.distributions.layer import normals
from probtransform.distributions.refined import refined
from probtransform.distributions.tilted import tilted
from probtransform.evaluation.energy_distance import energy_distance
from probtransform.evaluation.modes import modes_covered
from probtransform.families.gan import gan
from probtransform.families.gaussian import fitted
from probtransform.families.labelled import critic_of
from probtransform.families.realnvp import realnvp
from probtransform.families.vae import observed
from probtransform.integrate import mala
from probtransform.objectives import (
    adversarial,
    likelihood,
    noise_contrastive,
    normaliser,
    persistent_contrast,
)
from probtransform.objectives.contrastive_divergence import chains_of
from probtransform.training import Recipe, averaged, fit, optimizer
from probtransform.transforms import affine, affine_of

EVENT, KEY, TRUTH = Event((2,)), jax.random.key(0), eight_gaussians()
ANGLES = np.arange(8) * np.pi / 4
CENTRES, DEVIATION = np.sqrt(8) * np.stack([np.cos(ANGLES), np.sin(ANGLES)], 1), np.sqrt(1 / 8)


@dataclass(frozen=True)
class Config:
    """ratio: draws of the noise for an example.  test: samples of each to judge by."""

    bridges: tuple[str, ...] = ("machine", "generator", "flow", "prior")
    seed: int = 0
    steps: int = 3000
    batch: int = 512
    rate: float = 3e-3
    average: float = 0.998
    width: int = 64
    depth: int = 2
    hidden: int = 4
    machine_rate: float = 0.1
    chain_rate: float = 1e-3
    layers: int = 4
    flow_width: int = 32
    ratio: int = 4
    chains: int = 512
    moves: int = 5
    sweeps: int = 500
    train: int = 100_000
    test: int = 4000
    out: Path | None = None


def grid(reach: float, cells: int):
    """The midpoints of a square, `f32[cells^2, 2]`, and the logarithm of the area of each cell."""
    axis = (np.arange(cells) + 0.5) / cells * 2 * reach - reach
    x = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    return jnp.asarray(x, jnp.float32), 2 * math.log(2 * reach / cells)


def log_mass(distribution, params, reach: float = 8.0, cells: int = 400) -> float:
    """`log Z` by quadrature: zero of a law that is normalised."""
    x, area = grid(reach, cells)
    nats = log_density_many(distribution, params, KEY, x, chunk=10_000)
    return float(logsumexp(np.asarray(nats, np.float64))) + area


def divergence(nats: Callable[[Any], Any], reach: float = 5.0, cells: int = 100) -> float:
    """`KL(law || model)` in nats by quadrature; `nats` gives log-densities of the model, normalised."""
    x, area = grid(reach, cells)
    log_p = np.asarray(log_density_many(TRUTH, {}, KEY, x, chunk=10_000), np.float64)
    return float(np.exp(log_p + area) @ (log_p - np.asarray(nats(x), np.float64)))


def divergence_of(distribution, params, log_z: float = 0.0) -> float:
    return divergence(lambda x: log_density_many(distribution, params, KEY, x) - log_z)


def trained(model: Model, data: Batch, config: Config, start: dict | None = None, **changed):
    """The averaged parameters, of blocks in `start` from where those are."""

    def prepare(params, key, batch):
        return model.prepare(params, key, batch) | (start or {})

    numbers = {name: getattr(config, name) for name in ("steps", "batch", "rate", "average")}
    recipe = Recipe(**numbers | changed)
    run = fit(
        model._replace(prepare=prepare),
        optimizer(recipe),
        data,
        steps=recipe.steps,
        batch=recipe.batch,
        seed=config.seed,
    )
    return jax.block_until_ready(averaged(run.state))


def kept(distribution: Distribution[Any]) -> dict[str, Callable[..., Any]]:
    """The blocks of a distribution as `extra` of a model of another."""
    blocks = jax.eval_shape(distribution.init, KEY)
    return {name: lambda key, name=name: distribution.init(key)[name] for name in blocks}


def samples_of(distribution, params, config: Config) -> dict[str, float]:
    """How near draws are to the law's; `good` is the share within three deviations of a mean."""
    x = sample_many(distribution, params, jax.random.key(7), config.test)
    y = sample_many(TRUTH, {}, jax.random.key(8), config.test)
    found = modes_covered(x, CENTRES, 3 * DEVIATION, 0.1 / 8)
    return {
        "good": found.near,
        "shares": found.kl,
        "distance": energy_distance(np.asarray(x), np.asarray(y)),
    }


def chain(law, kernel, base, config: Config, carried, renewed=0.0) -> tuple[Any, Any]:
    """The loss of persistent chains of a law, begun in its base, and what they carry."""

    def move(params, key, x, cond):
        return kernel(key, x, lambda x: law.density.fn(params, key, x, cond))[0]

    def start(key):
        return base.sample({}, key, None)

    loss = persistent_contrast(law, move, start, renewed=renewed, carried=carried)
    return loss, chains_of(law, start, config.chains)


def flow_of(data: Batch, config: Config):
    model = realnvp(EVENT, config.layers, config.flow_width)
    return model.distribution, trained(model, data, config)


def machine(data: Batch, config: Config):
    """A Boltzmann machine of reals that is told from noise: a normal, or a flow that was trained before."""
    layer = normals((2,))
    units = harmonium(layer, config.hidden)
    law = normaliser(pushforward(chained(units, layer, 1), place=affine(2)))
    counted = pushforward(enumerated(units, layer, config.hidden), place=affine(2))
    x, owns = jnp.zeros((1, 2)), ("machine",)

    def prepare(params, key, batch):
        # held still: free to follow the data's covariance, it leaves the machine nothing to begin with
        return params | {"place": affine_of(batch.x.mean(0), DEVIATION**2 * jnp.eye(2))}

    def row(params):
        return {"KL": divergence_of(counted, params)} | samples_of(counted, params, config)

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


def generator(data: Batch, config: Config):
    """A small generator, and where its critic's ratio moves its base."""
    base, width = normal((2,)), config.width
    model = gan(EVENT, 2, width, config.depth, penalty=0.1)
    params = trained(model, data, config, momentum=0.0)
    yield "generator", samples_of(model.distribution, params, config)

    critic = critic_of(2, 0, width, config.depth)

    def log_ratio(params, x, cond):
        return critic.apply(params["critic"], x, cond)

    walk = refined(model.distribution, base, log_ratio, mala(0.003, config.sweeps), 1)
    yield "refined", samples_of(walk, params, config)
    # a critic of a game is a step behind, and its penalty holds it back: it learns on, alone
    alone = Player(("critic",), adversarial(model.distribution, critic)[0])
    params = trained(model._replace(players={"critic": alone}), data, config, params)
    yield "refined, critic alone", samples_of(walk, params, config)


def flow(data: Batch, config: Config):
    """A flow of few layers, and its tilt by an energy: what it cannot be is left to that."""
    base, params = flow_of(data, config)
    row = {"KL": divergence_of(base, params)}
    yield "flow", row | samples_of(base, params, config)

    energy, start = critic_of(2, 0, config.width, config.depth), normal((2,))
    law = tilted(base, energy, mala(0.01, config.sweeps), 1)
    told = normaliser(law)
    loss = noise_contrastive(told, base, config.ratio)
    noise = Model(told, {"energy": Player(("energy", "constant"), loss)})

    def log_ratio(params, x, cond):
        return -energy.apply(params["energy"], x, cond)

    def walking(params, key, z, cond=None):
        x = sample_stages(base, params, key, cond, z)[-1]
        return start.density.fn(params, key, z, cond) + log_ratio(params, x, cond)

    # a chain where the flow begins crosses from mode to mode, which one among the data does not
    walked = refined(base, start, log_ratio, mala(0.02, config.sweeps), 1)._replace(init=law.init)
    of_base = Distribution(law.init, start.sample, Unnormalized(walking))
    loss, carry = chain(of_base, mala(0.02, config.moves), start, config, walked, renewed=0.05)
    chains = Model(walked, {"energy": Player(("energy",), loss)}, carry=carry)
    ways = {
        "tilted by noise": (noise, config.rate),
        "tilted by chains": (chains, config.chain_rate),
    }
    for name, (model, rate) in ways.items():
        found = trained(model, data, config, params, rate=rate)
        log_z = log_mass(law, found)
        off = {"off": found["constant"] - log_z} if "constant" in found else {}
        row = {"log Z": log_z} | off | {"KL": divergence_of(law, found, log_z)}
        yield name, row | samples_of(walked, found, config)


def prior(data: Batch, config: Config):
    """A decoder of a latent plane, its prior a normal and then that tilted by an energy."""
    step, base = observed(EVENT, 2, config.width, config.depth), normal((2,))
    energy = critic_of(2, 0, config.width, config.depth)
    law = tilted(base, energy, mala(0.05, config.sweeps), 1)
    plain, bent = pushforward(base, decoder=step), pushforward(law, decoder=step)
    z, area = grid(6.0, 240)

    def row(whole, prior, params):
        log_z = log_mass(prior, params)
        codes = log_density_many(prior, params, KEY, z, chunk=10_000) - log_z + area

        @jax.jit
        def nats(x):
            def one(x):
                fn = step.inverse.log_likelihood
                seen = jax.vmap(lambda z: fn(params["decoder"], z, x, None))(z)
                return jax.nn.logsumexp(codes + seen)

            return jax.lax.map(one, x, batch_size=50)

        bound = log_density_many(whole, params, KEY, data.x[:10_000])
        found = {"bound": float(bound.mean()) - log_z, "KL": divergence(nats)}
        return found | samples_of(whole, params, config)

    vae = Model(plain, {"vae": Player(("decoder",), likelihood(plain))})
    params = trained(vae, data, config)
    yield "vae", row(plain, base, params)
    yield "vae, as long again", row(plain, base, trained(vae, data, config, params))
    kernel = mala(0.05, config.moves)
    # none is begun afresh: codes would run from those that are, and the energy after them
    loss, carry = chain(law, kernel, base, config, bent)
    for name, owns in {"prior alone": ("energy",), "prior, decoder": ("energy", "decoder")}.items():
        model = Model(bent, {"all": Player(owns, loss)}, carry=carry)
        yield name, row(bent, law, trained(model, data, config, params, rate=config.chain_rate))


BRIDGES = {f.__name__: f for f in (machine, generator, flow, prior)}


def main(config: Config) -> dict[str, dict[str, dict[str, float]]]:
    rows: dict[str, dict[str, dict[str, float]]] = {}
    data = Batch(sample_many(TRUTH, {}, jax.random.key(1000 + config.seed), config.train))
    for bridge in config.bridges:
        began = time.process_time()
        for how, found in BRIDGES[bridge](data, config):
            found = {name: float(value) for name, value in found.items()}
            rows.setdefault(bridge, {})[how] = found | {"seconds": time.process_time() - began}
            cells = "  ".join(f"{name} {value:.4f}" for name, value in rows[bridge][how].items())
            print(f"{bridge:9} {how:22} {cells}", flush=True)
            if config.out is not None:
                config.out.parent.mkdir(parents=True, exist_ok=True)
                about = asdict(config) | {"out": str(config.out)}
                config.out.write_text(json.dumps({"config": about, "rows": rows}, indent=1) + "\n")
            began = time.process_time()
        jax.clear_caches()
    return rows


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
