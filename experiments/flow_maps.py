"""Learned flow maps beside the exact one: every objective with one network, one budget, one law.

    python -m experiments.flow_maps

The law is a product of two mixtures of normals on a line, so that its flow map is known: quantiles to
quantiles, entry by entry. Printed are the root mean square of `X(z, 0, 1) - exact(z)`, an entry, and the W2
distance of the entries' laws, in the units of the data (deviations 1.35 and 1.18), at 1, 2 and 4 calls; `-`
where a method does not know that many steps, or adds noise between them. The floor is the teacher, flow
matching, solved in 16 Runge-Kutta steps, 64 calls.

Expect, of one seed, in two minutes on one core:

    method                    RMS 1    2    4      W2 1    2    4
    floor: teacher, solved     .038                .023
    teacher, Euler steps      1.274 .529 .268     1.243 .529 .268
    MeanFlow                   .096 .082 .071      .080 .072 .059
    improved MeanFlow          .096 .077 .062      .088 .070 .055
    MeanFlow, distilled        .059 .052 .047      .052 .043 .035
    shortcut                   .102 .095 .066      .094 .091 .061
    consistency training       .125    -    -      .112 .113 .113
    consistency distillation   .110    -    -      .098 .100 .121
    sCM                        .182    -    -      .177 .132 .141
    reflow                     .047 .044 .041      .041 .037 .034
    progressive distillation   .074    -    -      .070    -    -

Who learns from a teacher began with its training, as long again, and reflow with 50,000 solved pairs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from rich.console import Console
from rich.table import Table
from scipy.stats import norm

from probtransform.core import Batch, Model, Network, Player, Transform, pushforward
from probtransform.core.model import nothing
from probtransform.distributions import normal
from probtransform.families.flow_matching import velocity_of
from probtransform.families.mean_flow import mean_velocity_of
from probtransform.integrate import grids
from probtransform.objectives import flow_map as losses
from probtransform.objectives import matching
from probtransform.paths import linear, straight, trigonometric
from probtransform.training import Recipe, averaged, fit, optimizer
from probtransform.transforms import flow, flow_map, renoised

CALLS = (1, 2, 4)
# shares, means, deviations of each entry
ENTRIES = np.array(
    [
        [[0.5, 0.2, 0.3], [-1.5, 0.2, 1.5], [0.3, 0.4, 0.2]],
        [[0.6, 0.4, 0.0], [-1.0, 1.3, 0.0], [0.4, 0.3, 1.0]],
    ]
)


@dataclass(frozen=True)
class Config:
    seeds: int = 1
    steps: int = 2000
    batch: int = 512
    rate: float = 4e-3
    average: float = 0.999
    width: int = 128
    depth: int = 3
    frequencies: int = 2
    train: int = 50_000
    test: int = 20_000


def exact(z) -> np.ndarray:
    """`F^-1(Phi(z))`, entry by entry."""
    places = np.linspace(-6, 6, 200_001)
    out = []
    for entry, (share, mean, scale) in zip(np.asarray(z, np.float64).T, ENTRIES, strict=True):
        cdf = norm.cdf((places[:, None] - mean) / scale) @ share
        out.append(np.interp(norm.cdf(entry), cdf, places))
    return np.stack(out, 1)


class Method(NamedTuple):
    """A loss, the transform of so many calls that it makes, and what else its training needs.

    start: at the teacher's parameters.  pairs: the data are the teacher's pairs.
    noisy: more than one call adds noise.  calls: the numbers of calls that it knows."""

    loss: Callable
    sampler: Callable[[int], Transform]
    start: bool = False
    carry: Callable = nothing
    pairs: bool = False
    noisy: bool = False
    calls: tuple[int, ...] = CALLS


def methods(config: Config) -> tuple[Network, dict[str, Method]]:
    """The teacher's velocity, and all methods by name."""
    shape = (2, 0, config.width, config.depth, config.frequencies)
    field, mean = velocity_of(*shape), mean_velocity_of(*shape)
    blind, quarter = straight(field), config.steps // 4
    line, circle = linear(), trigonometric()

    def teacher(params, x, s, cond):
        return field.apply(params["teacher"], x, s, cond)

    def steps(network, again=False, path=line, predicts="velocity"):
        kind = renoised if again else flow_map
        return lambda calls: kind(network, grids.uniform(calls), path, predicts)

    def counted(key):
        return jnp.zeros((), jnp.int32)

    finer = losses.doubling(10, 320, config.steps // 6)
    consistent = partial(losses.consistency, blind, "net", line, "velocity", finer, losses.squared)
    found: dict[str, Method] = {
        "MeanFlow": Method(losses.mean_flow(mean, "net", 0.5), steps(mean)),
        "improved MeanFlow": Method(losses.mean_flow(mean, "net", 0.5, own=True), steps(mean)),
        "MeanFlow, distilled": Method(
            losses.mean_flow(mean, "net", 0.5, teacher=teacher), steps(mean)
        ),
        "shortcut": Method(
            losses.shortcut(mean, "net"), steps(mean), carry=losses.teacher_of(mean)
        ),
        "consistency training": Method(consistent(), steps(blind, True), carry=counted, noisy=True),
        "consistency distillation": Method(
            consistent(teacher=teacher), steps(blind, True), carry=counted, noisy=True
        ),
        "sCM": Method(
            losses.continuous_consistency(blind, "net", 1.0, quarter),
            steps(blind, True, circle, "v"),
            carry=counted,
            noisy=True,
        ),
        "reflow": Method(losses.reflow(blind, "net"), steps(blind), True, pairs=True),
        "progressive distillation": Method(
            losses.progressive(blind, "net", line, steps=64, every=config.steps // 7),
            steps(blind),
            True,
            losses.teacher_of(blind),
            calls=(1,),
        ),
    }
    return field, found


def trained(config: Config, seed: int, model: Model, data: Batch):
    """Parameters after the budget, averaged, and the seconds it took."""
    jax.clear_caches()
    began = time.monotonic()
    recipe = Recipe(config.steps, config.batch, config.rate, 0.0, config.average)
    run = fit(model, optimizer(recipe), data, steps=recipe.steps, batch=recipe.batch, seed=seed)
    return jax.block_until_ready(averaged(run.state)), time.monotonic() - began


def learned(config: Config, seed: int, method: Method, data: Batch, teacher):
    distribution = pushforward(normal((2,)), net=method.sampler(1))

    def copied(key):
        return jax.tree.map(jnp.copy, teacher)

    def prepare(params, key, batch):
        return params | ({"net": copied(key)} if method.start else {})

    players = {"student": Player(("net",), method.loss)}
    return trained(
        config, seed, Model(distribution, players, {"teacher": copied}, method.carry, prepare), data
    )


def errors(transform: Transform, params, z, truth) -> tuple[float, float]:
    """Root mean square to the exact map, and W2 of the entries' laws."""
    keys = jax.random.split(jax.random.key(0), len(z))
    x = np.asarray(jax.jit(jax.vmap(transform.forward, (None, 0, 0)))(params, keys, z), np.float64)
    apart = np.sort(x, 0) - np.sort(truth, 0)
    return float(np.sqrt(np.mean((x - truth) ** 2))), float(np.sqrt(np.mean(apart**2)))


def cells(transforms: dict[int, Transform], params, z, truth, noisy: bool = False) -> list[str]:
    """Of a row: errors of the map, then of the law, for every number of calls that is there."""
    seen = {n: errors(transform, params, z, truth) for n, transform in transforms.items()}
    maps = [f"{seen[n][0]:.3f}" if n in seen and not (noisy and n > 1) else "-" for n in CALLS]
    return maps + [f"{seen[n][1]:.3f}" if n in seen else "-" for n in CALLS]


def main(config: Config) -> None:
    field, every = methods(config)
    solved = flow(field, 16)
    for seed in range(config.seeds):
        draw, look = jax.random.split(jax.random.key(1000 + seed))
        z = jax.random.normal(look, (config.test, 2))
        truth, source = exact(z), jax.random.normal(draw, (config.train, 2))
        data = Batch(jnp.asarray(exact(source), jnp.float32))
        player = Player(("net",), matching(field, "net", linear()))
        model = Model(pushforward(normal((2,)), net=solved), {"teacher": player})
        params, seconds = trained(config, seed, model, data)
        teacher = params["net"]
        heads = (f"{what}, {n}" for what in ("RMS", "W2") for n in CALLS)
        table = Table("method", *heads, "seconds", title=f"flow maps, seed {seed}")
        floor = cells({1: solved}, teacher, z, truth)
        table.add_row("floor: teacher, solved", *floor, f"{seconds:.0f}")
        euler = {n: flow_map(straight(field), grids.uniform(n)) for n in CALLS}
        table.add_row("teacher, Euler steps", *cells(euler, teacher, z, truth), "")
        pairs = losses.pairs(solved, teacher, draw, (config.train, 2))
        for name, method in every.items():
            source = pairs if method.pairs else data
            params, seconds = learned(config, seed, method, source, teacher)
            steps = {n: method.sampler(n) for n in method.calls}
            row = cells(steps, params["net"], z, truth, noisy=method.noisy)
            table.add_row(name, *row, f"{seconds:.0f}")
        Console(width=110).print(table)


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
