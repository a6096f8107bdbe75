"""What trains what: every map by every objective, for an objective asks only for samples or for a bound.

    python -m experiments.transfer --results transfer.json
    probtransform report RUNS --tables transfer.json

Maps are a flow (RealNVP), a generator (the perceptron of a GAN) and a decoder with an encoder (VAE), all on
flat vectors of reals; on the digits these are the normal scores of dequantised levels, as in the families. An
objective that only needs samples trains all three; one that needs a bound on log p trains those that have
one. A cell holds W2 and the root of MMD^2 between samples and as many held-out examples, and bits per
dimension where the map claims a bound (of 64 importance weights), whoever trained it: the encoder of a
decoder that learned by its samples alone was taught by nobody, and its bound says so.

Expect, with `--steps 1000`, one seed (experiments/results/transfer.json, half an hour of one core):

    moons                flow: W2, MMD, bits       generator       decoder: W2, MMD, bits
    likelihood           0.123 0.042    0.91        -               0.124 0.046    0.94
    weighted likelihood  0.123 0.042    0.91        -               0.103 0.032    0.82
    AAVAE                0.124 0.043    0.91        -               0.141 0.055    1.01
    GAN                  0.641 0.281   22502        0.190 0.066     0.349 0.145    1.61
    IWGAN                0.734 0.331  977873        0.197 0.076     0.198 0.077    1.32
    f-GAN, Hellinger     1.205 0.503   29430        0.168 0.055     0.334 0.147    2.37
    Sinkhorn             0.142 0.048    1.24        0.201 0.070     0.109 0.034    1.05
    MMD                  0.170 0.050    1.22        0.303 0.080     0.168 0.046    1.20
    sliced W2            0.151 0.051    1.12        0.213 0.067     0.130 0.040    1.12

    digits               flow: W2, MMD, bits       generator       decoder: W2, MMD, bits
    likelihood           3.380 0.063    1.88        -               3.688 0.094    4.79
    weighted likelihood  3.380 0.063    1.88        -               3.543 0.083    4.66
    AAVAE                3.369 0.060    1.88        -               3.662 0.100    4.66
    GAN                  4.667 0.441   15886        3.884 0.120     3.895 0.117   27.37
    IWGAN                4.604 0.363  199.43        3.820 0.100     3.694 0.098   24.23
    f-GAN, Hellinger     4.387 0.238  211.65        3.770 0.101     3.788 0.099   25.71
    Sinkhorn             2.786 0.100   92682        2.795 0.114     2.756 0.101   51.68
    MMD                  3.810 0.063    2.12        3.909 0.069     3.816 0.066   31.96
    sliced W2            3.888 0.064    2.16        3.956 0.071     3.782 0.067   29.42

Bits are bounds (of 64 weights) but for the flow on the moons. A flow taught by a game claims next
to nothing of the data, and its samples are worse than a generator's; distances of samples leave it a density,
and serve all three maps. The same decoder learns by all nine.
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
import numpy as np
import tyro

from probtransform.core import Bound, Distribution, Event, Model, Network, Player, pushforward
from probtransform.data import Data, load
from probtransform.distributions import normal
from probtransform.evaluation import as_reals, bandwidths, bits_per_dim, mmd, wasserstein
from probtransform.evaluation.measure import drawn_beside
from probtransform.families import unified
from probtransform.families.labelled import critic_of, labelled
from probtransform.families.normalizing_flow import conditioner
from probtransform.families.on_data import on_data
from probtransform.families.realnvp import masks
from probtransform.families.vae import observed
from probtransform.objectives import divergences, importance_weighted, likelihood
from probtransform.objectives.adversarial import adversarial, f_gan, r1
from probtransform.objectives.divergences import divergence_between_samples
from probtransform.training import Recipe, averaged, fit, optimizer
from probtransform.transforms import affine, coupling, implicit, stacked

MAPS = ("flow", "generator", "decoder")
JUDGED = 1000  # samples and examples in a distance


@dataclass(frozen=True)
class Config:
    data: tuple[str, ...] = ("moons", "digits")
    maps: tuple[str, ...] = MAPS
    seeds: int = 1
    steps: int = 2000
    batch: int = 256
    rate: float = 1e-3
    average: float = 0.995
    penalty: float = 0.1
    epsilon: float = 0.02  # of Sinkhorn, a share of the mean squared distance
    results: Path | None = None


def objectives(config: Config, d: int, critic: Network) -> dict[str, Callable[..., Any]]:
    """Each `distribution -> ` the losses of its players: of the map, before it of a critic if there is one.

    Data have unit variance an entry, about, so that two examples are `2 d` apart, squared.
    """
    apart, smooth = 2.0 * d, [r1(config.penalty)]
    kernel = divergences.gaussian_kernel(*(s * math.sqrt(apart) for s in (0.25, 0.5, 1.0, 2.0)))

    def f_game(q):
        losses = adversarial(q, critic, f_gan(divergences.squared_hellinger), smooth)
        return dict(zip(("critic", "map"), losses, strict=True))

    def by(distance):
        return lambda q: {"map": divergence_between_samples(q, distance)}

    return {
        "likelihood": lambda q: {"map": likelihood(q)},
        "importance-weighted likelihood": lambda q: {"map": importance_weighted(q, 16)},
        "AAVAE-weighted likelihood": lambda q: unified.aavae(q, critic, smooth),
        "GAN": lambda q: unified.gan(unified.Laws(q), critic, smooth),
        "IWGAN": lambda q: unified.iwgan(unified.Laws(q), critic, smooth),
        "f-GAN, squared Hellinger": f_game,
        "Sinkhorn divergence": by(
            lambda key, x, y: divergences.sinkhorn_divergence(x, y, config.epsilon * apart, 0.01)
        ),
        "MMD": by(lambda key, x, y: divergences.mmd(x, y, kernel)),
        "sliced Wasserstein": by(divergences.sliced_wasserstein),
    }


def needs_a_bound(name: str) -> bool:
    return "likelihood" in name


def maps(d: int) -> dict[str, Distribution]:
    """Three ways from a normal base to `f32[d]`: a RealNVP, a GAN's generator, a VAE's decoder."""
    couplings = stacked(lambda mask: coupling(conditioner(d, 2 * d, 0, 64, 2), mask), masks(8, d))
    generator = implicit(labelled(64, d, 0, 128, 3))
    latent = min(d, 16)
    return {
        "flow": pushforward(normal((d,)), couplings=couplings, affine=affine(d)),
        "generator": pushforward(normal((64,)), generator=generator),
        "decoder": pushforward(normal((latent,)), decoder=observed(Event((d,)), latent, 128, 3)),
    }


def models(config: Config, event: Event) -> dict[str, dict[str, Model | None]]:
    """`{objective: {map: model}}`, None where the map has no bound and the objective asks for one."""
    d = math.prod(event.shape)
    critic = critic_of(d, 0, 128, 3)
    grid: dict[str, dict[str, Model | None]] = {}
    for name, objective in objectives(config, d, critic).items():
        grid[name] = {}
        for kind in config.maps:
            q = maps(d)[kind]
            able = isinstance(q.density, Bound) or not needs_a_bound(name)
            grid[name][kind] = on_data(taught(q, objective, critic), event) if able else None
    return grid


def taught(q: Distribution, objective: Callable[..., Any], critic: Network) -> Model:
    """A player for every loss of the objective: the map's moves all blocks of its distribution."""
    blocks, losses = tuple(jax.eval_shape(q.init, jax.random.key(0))), objective(q)
    players = {
        who: Player(("critic",) if who == "critic" else blocks, loss)
        for who, loss in losses.items()
    }
    return Model(q, players, {"critic": critic.init} if "critic" in losses else {})


def judged(model: Model, params, data: Data, seed: int) -> dict[str, float]:
    key = jax.random.key(seed)
    drawn = drawn_beside(data.test, model, params, key, JUDGED)
    fake, real = (as_reals(x, data.event) for x in (drawn, data.test.x[: len(drawn)]))
    width = bandwidths(as_reals(data.train.x[: len(drawn)], data.event), real)
    found = {
        "w2": wasserstein(fake, real),
        "mmd": float(mmd(fake, real, width, biased=True)) ** 0.5,
    }
    if isinstance(model.distribution.density, Bound):
        found["bits"] = bits_per_dim(model.distribution, params, key, data.test, samples=64).mean
    return found


def trained(config: Config, model: Model, data: Data, seed: int) -> dict[str, float]:
    """What one training is worth; nothing but its seconds if it diverged."""
    began = time.monotonic()
    recipe = Recipe(config.steps, config.batch, config.rate, 0.0, config.average)
    given = {"steps": recipe.steps, "batch": recipe.batch, "seed": seed}
    try:
        run = fit(model, optimizer(recipe), data.train, **given)
    except FloatingPointError:
        return {"seconds": time.monotonic() - began}
    params = jax.block_until_ready(averaged(run.state))
    return {"seconds": time.monotonic() - began} | judged(model, params, data, seed)


def shown(runs: list[dict[str, float]], exact: bool) -> str:
    if not all("w2" in run for run in runs):
        return "diverged"
    mean = {name: np.mean([run[name] for run in runs]) for name in runs[0]}
    bits = f" | {'' if exact else '≤ '}{mean['bits']:.2f}" if "bits" in mean else ""
    return f"{mean['w2']:.3f} | {mean['mmd']:.3f}{bits}"


def main(config: Config) -> dict[str, Any]:
    cells: list[dict[str, Any]] = []
    rows: list[list[str]] = []
    table = {
        "title": "Maps and objectives",
        "note": "W2 | MMD | bits per dimension, where there is a claim, of held-out examples; one budget "
        f"for all: {config.steps} steps of {config.batch} examples, seeds: {config.seeds}.",
        "header": ["data: objective", *config.maps],
        "rows": rows,
        "config": {k: str(v) for k, v in asdict(config).items()},
        "cells": cells,
    }
    if config.results is not None:
        config.results.parent.mkdir(parents=True, exist_ok=True)
    for source in config.data:
        data = load(source)
        for name, of_maps in models(config, data.event).items():
            row = [f"{source}: {name}"]
            for kind, model in of_maps.items():
                if model is None:
                    row.append("no bound")
                    continue
                runs = [trained(config, model, data, seed) for seed in range(config.seeds)]
                about = {"data": source, "objective": name, "map": kind}
                cells += [about | {"seed": seed} | run for seed, run in enumerate(runs)]
                row.append(shown(runs, data.event.levels is None and kind == "flow"))
            rows.append(row)
            print("  ".join(row), flush=True)
            if config.results is not None:  # what is done is kept if the rest is interrupted
                config.results.write_text(json.dumps(table, indent=1) + "\n")
    return table


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
