"""Moons made of eight Gaussians, data to data: W2, and what the pairs cost, beside the entropic plan.

    python -m experiments.bridges --method schroedinger_bridge

Methods: schroedinger_bridge, bridge_matching, stochastic_interpolant. The laws are those of Tong et al.
(2023), arXiv:2302.00482, drawn independently, which raises the floor. For each seed: W2 between 2048
samples and fresh moons, of the probability flow and of the SDE in 20 and in 100 steps, beside the floor of
two sets of moons; and the mean of |x - z|^2 over the pairs of the SDE, which for the bridge is the plan's.

Expect what one seed of each gave, at a floor of 0.164 and 9.02 for the plan:

    method                  ODE    SDE 20  SDE 100  |x - z|^2  seconds on one core
    schroedinger_bridge     0.229  0.276   0.234     8.82       71
    bridge_matching         -      0.494   0.470     8.55      106
    stochastic_interpolant  0.215  0.479   0.258    10.97       37
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import tyro

from probtransform.core import Batch, Distribution, Model, Transform, sample_many
from probtransform.evaluation.transport import wasserstein
from probtransform.families.bridge_matching import fitting
from probtransform.families.flow_matching import velocity_of
from probtransform.families.stochastic_interpolant import field_of, interpolating
from probtransform.integrate import bridging, grids
from probtransform.objectives import coupling
from probtransform.objectives.coupling.coupling import log_plan, squared
from probtransform.paths import brownian, drift
from probtransform.training import Recipe, averaged, fit, optimizer
from probtransform.transforms import sampler


@dataclass(frozen=True)
class Config:
    method: str = "schroedinger_bridge"
    seeds: int = 3
    steps: int = 6000
    batch: int = 256
    rate: float = 3e-3
    average: float = 0.995
    scale: float = 1.0
    width: int = 128
    depth: int = 3
    frequencies: int = 4
    updates: int = 1000
    solver_steps: int = 20
    test: int = 2048


def eight(params, key, cond=None):
    which, rest = jax.random.split(key)
    angle = jax.random.randint(which, (), 0, 8) * jnp.pi / 4
    centre = 5 * jnp.stack([jnp.cos(angle), jnp.sin(angle)])
    return centre + 0.1**0.25 * jax.random.normal(rest, (2,))


def moons(params, key, cond=None):
    which, where, rest = jax.random.split(key, 3)
    t = jnp.pi * jax.random.uniform(where)
    upper = jnp.stack([jnp.cos(t), jnp.sin(t)])
    x = jnp.where(jax.random.bernoulli(which), upper, jnp.array([1.0, 0.5]) - upper)
    return 3 * (x + 0.2 * jax.random.uniform(rest)) - 1  # one number for both axes, as they had it


BASE, DATA = (Distribution(lambda key: {}, law, None) for law in (eight, moons))


def model_of(config: Config) -> tuple[Model, dict[str, Transform]]:
    """The model, and the SDEs that share its block."""
    shape = (2, 0, config.width, config.depth, config.frequencies)
    times = {n: grids.uniform(n) for n in (20, 100)}
    if config.method == "bridge_matching":
        network = velocity_of(*shape)
        model = fitting(BASE, network, config.scale, config.updates, config.solver_steps)
    else:
        field, path = field_of(*shape), brownian(config.scale)
        entropic = config.method == "schroedinger_bridge"
        pairs = coupling.sinkhorn(2 * config.scale**2) if entropic else None
        model = interpolating(BASE, field, path, config.solver_steps, pairs)
        network = drift(field, path, lambda t: config.scale**2 / 2)
    walks = {f"SDE {n}": sampler(network, bridging(t, config.scale)) for n, t in times.items()}
    return model, walks


def planned(z, x, scale: float) -> float:
    """The mean of |x - z|^2 over the entropic plan of two samples."""
    cost = squared(z, x)
    plan = np.exp(np.asarray(log_plan(cost, 2 * scale**2), np.float64))
    return float((plan * np.asarray(cost)).sum() / plan.sum())


def main(config: Config) -> None:
    key = jax.random.key(1000)
    z, x, other = (
        sample_many(law, {}, jax.random.fold_in(key, i), config.test)
        for i, law in enumerate((BASE, DATA, DATA))
    )
    floor, least = wasserstein(x, other), planned(z, x, config.scale)
    print(f"{config.method}: floor W2 {floor:.3f}, plan |x - z|^2 {least:.2f}", flush=True)
    data = Batch(sample_many(DATA, {}, jax.random.key(2000), 100_000))
    for seed in range(config.seeds):
        jax.clear_caches()
        began = time.monotonic()
        model, walks = model_of(config)
        recipe = Recipe(config.steps, config.batch, config.rate, average=config.average)
        fitted = fit(
            model, optimizer(recipe), data, steps=recipe.steps, batch=recipe.batch, seed=seed
        )
        params = jax.block_until_ready(averaged(fitted.state))
        seconds, found = time.monotonic() - began, {}
        (block,) = model.distribution.init(key)
        if config.method != "bridge_matching":
            found["ODE"] = sample_many(
                model.distribution, params, jax.random.key(seed), config.test
            )
        for name, walk in walks.items():
            keys = jax.random.split(jax.random.key(seed), config.test)
            carry = jax.jit(jax.vmap(walk.forward, (None, 0, 0)))
            found[name] = carry(params[block], keys, z)
        cells = [f"{name} {wasserstein(y, x):.3f}" for name, y in found.items()]
        cost = float(jnp.mean(jnp.sum((found["SDE 100"] - z) ** 2, 1)))
        print(f"seed {seed}  {'  '.join(cells)}  |x - z|^2 {cost:.2f}  {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
