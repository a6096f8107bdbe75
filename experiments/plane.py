"""The plane: how near one call and many calls come to the data, and how straight the way is.

    python -m experiments.plane --data moons

For every family, at its preset: W2 between 2000 samples and as many fresh data, of the family
as it is and of one call (an Euler step where it is a flow), beside the floor of two sets of data; and the
normalised path energy `|E integral |v|^2 dt - W2(base, data)^2| / W2(base, data)^2`, zero where the flow
takes the straight lines of optimal transport. Tong et al. (2023), arXiv:2302.00482.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import tyro

from probtransform.core import sample_many
from probtransform.data import load
from probtransform.data.toys import TOYS
from probtransform.evaluation.transport import wasserstein
from probtransform.families.diffusion import denoiser
from probtransform.integrate import euler, grids
from probtransform.paths import linear
from probtransform.training import averaged, fit, optimizer
from probtransform.training.workdir import describe
from probtransform.transforms import sampler

FLOWS = {"flow_matching": "velocity", "ot_flow_matching": "field", "rectified_flow": "field"}
POINTS = 2000


@dataclass(frozen=True)
class Config:
    data: str = "moons"
    families: tuple[str, ...] = (*FLOWS, "mean_flow", "consistency")
    seeds: int = 1


def straight(settings, block: str, event, params, z, transport: float):
    """Ends of one Euler step, and the normalised path energy of a hundred."""
    network = denoiser(event, settings["width"], settings["depth"], settings["frequencies"])

    def along(z):
        def step(x, t):
            v = network.apply(params[block], x, t, None)
            return x + v / 100, jnp.sum(v**2) / 100

        return jax.lax.scan(step, z, jnp.arange(100) / 100)[1].sum()

    once = sampler(network, euler(linear(), grids.uniform(1), "velocity"))
    ends = jax.vmap(lambda z: once.forward(params[block], None, z))(z)
    energy = float(jax.jit(jax.vmap(along))(z).mean())
    return ends, abs(energy - transport**2) / transport**2


def main(config: Config) -> None:
    data = load(config.data)
    truth = TOYS[config.data].make()
    test, other = (sample_many(truth, {}, jax.random.key(1000 + i), POINTS) for i in range(2))
    z = jax.random.normal(jax.random.key(7), (POINTS, 2))
    transport = wasserstein(z, test)
    print(f"{config.data}: floor W2 {wasserstein(test, other):.3f}", flush=True)
    for name in config.families:
        for seed in range(config.seeds):
            jax.clear_caches()
            began = time.monotonic()
            run = describe(name, data, None, False, 0, {})
            fitted = fit(
                run.model,
                optimizer(run.recipe),
                data.train,
                steps=run.recipe.steps,
                batch=run.recipe.batch,
                seed=seed,
            )
            params = jax.block_until_ready(averaged(fitted.state))
            seconds = time.monotonic() - began
            drawn = sample_many(run.model.distribution, params, jax.random.key(seed), POINTS)
            line = f"{name:20} seed {seed}  W2 {wasserstein(drawn, test):.3f}"
            if name in FLOWS:
                settings = run.config["settings"]
                ends, energy = straight(settings, FLOWS[name], data.event, params, z, transport)
                line += f"  one call {wasserstein(ends, test):.3f}  path energy {energy:.3f}"
            print(f"{line}  {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
