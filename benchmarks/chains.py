"""Langevin chains and contrastive divergence against torchebm: the same weights and work, turn by turn.

    PEERS/bin/python -m benchmarks.chains        (about three minutes)

where PEERS is a virtual environment with this package and `pip install torch==2.13.0 torchebm==0.8.9`. An
energy 2-128-128-1 (and one of 784 entries), SiLU, f32; 256 chains, a hundred moves; a step of CD-10, batch
256, Adam 1e-3, torchebm's extra penalty on energies off. Both have torch's weights, and energies are
compared; chains draw noise of their own, so that of them only the moments can be. torch's threads share each
product of matrices; ours of this size have one thread, so each core is a device of JAX's here and has its
share of chains and data. Bars: 3 times as fast in two dimensions, chains and training. In 784 products of
matrices bound the ratio, shown without a bar.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
import tyro
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from torchebm.core import BaseModel
from torchebm.losses import ContrastiveDivergence
from torchebm.samplers import LangevinDynamics

from probtransform.core import Batch, Distribution, Model, Player, Unnormalized
from probtransform.integrate import langevin
from probtransform.objectives import contrastive_divergence
from probtransform.training import learner

from .timing import Row, interleaved, publish, show


@dataclass(frozen=True)
class Config:
    """moves: of a chain in one run.  steps: of training in one run.  publish: write the results."""

    width: int = 128
    count: int = 256
    moves: int = 100
    steps: int = 20
    step_size: float = 0.01
    rounds: int = 9
    publish: bool = True


class Energy(BaseModel):
    """`f32[n, d] -> f32[n]`, theirs."""

    def __init__(self, d: int, width: int):
        super().__init__()
        sizes = ((d, width), (width, width), (width, 1))
        self.layers = torch.nn.ModuleList([torch.nn.Linear(*size) for size in sizes])

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.nn.functional.silu(layer(x))
        return self.layers[-1](x).squeeze(-1)


def as_ours(energy: Energy) -> list[dict]:
    return [
        {
            "kernel": jnp.asarray(layer.weight.detach().numpy().T.copy()),
            "bias": jnp.asarray(layer.bias.detach().numpy().copy()),
        }
        for layer in energy.layers
    ]


def law(energy: Energy) -> Distribution[Unnormalized]:
    """`exp(-E)`, ours; it has no sampler of its own, as nothing here draws from it at once."""

    def log_density(params, key, x, cond=None):
        *hidden, last = params["energy"]
        for layer in hidden:
            x = jax.nn.silu(x @ layer["kernel"] + layer["bias"])
        return -(x @ last["kernel"] + last["bias"])[0]

    def sample(params, key, cond=None):
        return jax.random.normal(key, params["energy"][0]["kernel"].shape[:1])

    return Distribution(lambda key: {"energy": as_ours(energy)}, sample, Unnormalized(log_density))


def compared(energy: Energy, x: np.ndarray) -> float:
    """The largest difference of energies, over their spread."""
    ours = law(energy)
    fn = partial(ours.density.fn, ours.init(jax.random.key(0)), jax.random.key(0))
    theirs = energy(torch.tensor(x)).detach().numpy()
    return float(abs(np.asarray(jax.vmap(fn)(x)) + theirs).max() / theirs.std())


def row(name: str, ours, theirs, bar: float, rounds: int, work: int, **detail) -> Row:
    times = interleaved({"torchebm": theirs, "ours": ours}, "ours", rounds)
    found = times["torchebm"]
    micros = " and ".join(f"{1e6 * times[key].wall / work:.0f}" for key in ("ours", "torchebm"))
    note = f"pairs {found.pairs:.2f}, CPU {found.cpu_ratio:.2f}, {micros} us"
    return show(Row(name, found.ratio, bar, False, note, {"times": times, **detail}))


def shared_out(x):
    """As many rows to each core."""
    return jax.device_put(x, NamedSharding(Mesh(jax.devices(), ("rows",)), PartitionSpec("rows")))


def chains_row(d: int, config: Config, bar: float) -> Row:
    """`moves` moves of `count` chains."""
    torch.manual_seed(0)
    energy = Energy(d, config.width)
    x = np.random.default_rng(0).normal(size=(config.count, d)).astype(np.float32)
    sampler = LangevinDynamics(energy, step_size=config.step_size, noise_scale=1.0)
    ours, kernel = law(energy), langevin(config.step_size)
    params, start, seen = ours.init(jax.random.key(0)), torch.tensor(x), {}
    begun = shared_out(x)

    def chain(params, key, x):
        keys = jax.random.split(key, config.moves)

        def move(x, key):
            return kernel(key, x, lambda x: ours.density.fn(params, key, x))[0], None

        return jax.lax.scan(move, x, keys)[0]

    @jax.jit
    def walked(params, key, x):
        return jax.vmap(chain, (None, 0, 0))(params, jax.random.split(key, len(x)), x)

    def run_ours():
        seen["ours"] = jax.block_until_ready(walked(params, jax.random.key(1), begun))

    def run_theirs():
        seen["torchebm"] = sampler.sample(x=start, n_steps=config.moves)

    name = f"Langevin, d={d}, a move of {config.count} chains"
    found = row(name, run_ours, run_theirs, bar, config.rounds, config.moves)
    spread = {key: float(np.asarray(ends).std()) for key, ends in seen.items()}
    print(f"  energies differ by {compared(energy, x):.1e}, deviations of the ends {spread}")
    return found


def training_row(d: int, config: Config, bar: float) -> Row:
    """A step of CD-10: ours `steps` in one program, as `fit` runs them, theirs one after another."""
    torch.manual_seed(0)
    energy = Energy(d, config.width)
    x = np.random.default_rng(0).normal(size=(config.count, d)).astype(np.float32)
    ours, kernel = law(energy), langevin(config.step_size)

    def move(params, key, x, cond):
        return kernel(key, x, lambda x: ours.density.fn(params, key, x))[0]

    player = Player(("energy",), contrastive_divergence(ours, move, 10))
    learn = learner(Model(ours, {"energy": player}), optax.adam(1e-3))
    box, key, batch, seen = (
        [learn.init(jax.random.key(0))],
        jax.random.key(1),
        Batch(shared_out(x)),
        {},
    )

    @partial(jax.jit, donate_argnums=0)
    def many(state, batch):
        first = learn.step(state, key, batch)
        return jax.lax.fori_loop(1, config.steps, lambda i, s: learn.step(s[0], key, batch), first)

    def run_ours():
        box[0], metrics = many(box[0], batch)
        seen["ours"] = float(jax.block_until_ready(metrics)["contrast"])

    sampler = LangevinDynamics(energy, step_size=config.step_size, noise_scale=1.0)
    contrast = ContrastiveDivergence(energy, sampler, k_steps=10, energy_reg_weight=0.0)
    optimizer, data = torch.optim.Adam(energy.parameters(), lr=1e-3), torch.tensor(x)

    def run_theirs():
        for _ in range(config.steps):
            optimizer.zero_grad()
            loss, _ = contrast(data)
            loss.backward()
            optimizer.step()
        seen["torchebm"] = float(loss.detach())

    found = row(
        f"CD-10, d={d}, a step of {config.count}",
        run_ours,
        run_theirs,
        bar,
        config.rounds,
        config.steps,
    )
    print(f"  contrasts {seen}")
    return found


def main(config: Config) -> None:
    jax.config.update("jax_num_cpu_devices", os.cpu_count())
    rows = [
        chains_row(2, config, 3.0),
        training_row(2, config, 3.0),
        chains_row(784, config, 0.0),
    ]
    if config.publish:
        publish("chains", rows, torch=torch.__version__, threads=torch.get_num_threads())


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
