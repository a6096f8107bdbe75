"""The sampler kernel: the same network, the same 50 steps, ours and others in turn.

    taskset -c 0 PEERS/bin/python -m benchmarks.samplers        (about three minutes)

where PEERS is a virtual environment with this package and, in one command, `pip install torch==2.13.0
diffusers`. A perceptron of three layers of 64, two numbers; CPU time of one core, turn by turn. Weights and
start are shared and ends compared. Bars: DPM-Solver++(2M) 20 times diffusers at batch 1 and 1.8 times at
4096; DDIM within 0.95 to 1.05 of a hand-written scan; Euler no slower than diffrax; at most 5% over the
network's calls alone; the gradient of 100 steps 1.3 times as fast as diffrax's checkpointed adjoint, and
compiled in a third of its time.
"""

from __future__ import annotations

import time
from itertools import pairwise

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import torch
import tyro
from diffusers import DPMSolverMultistepScheduler

from probtransform import integrate, paths
from probtransform.integrate import grids

from .timing import Row, interleaved, publish, repeated, show

STEPS, WIDTH, D = 50, 64, 2
SIZES = (D + 1, WIDTH, WIDTH, WIDTH, D)


def network(layers, x, t):
    h = jnp.append(x, t)
    for weight, bias in layers[:-1]:
        h = jax.nn.selu(h @ weight + bias)
    return h @ layers[-1][0] + layers[-1][1]


def in_torch(layers):
    pairs = [(torch.tensor(np.asarray(w)), torch.tensor(np.asarray(b))) for w, b in layers]

    def apply(x, t):
        h = torch.cat([x, t.expand(len(x), 1)], 1)
        for weight, bias in pairs[:-1]:
            h = torch.nn.functional.selu(torch.addmm(bias, h, weight))
        return torch.addmm(pairs[-1][1], h, pairs[-1][0])

    return apply


def weights(seed: int = 0):
    rng = np.random.default_rng(seed)
    return [
        (jnp.asarray(rng.normal(size=(i, o)) / i**0.5, jnp.float32), jnp.zeros(o))
        for i, o in pairwise(SIZES)
    ]


def in_diffusers(layers, z):
    """2M over a schedule of 1000 steps, and the same path for us: its numbers at `t = 1 - i / 999`."""
    scheduler = DPMSolverMultistepScheduler(
        timestep_spacing="linspace",
        final_sigmas_type="sigma_min",
        lower_order_final=False,
        solver_order=2,
    )
    apply, start = in_torch(layers), torch.tensor(np.asarray(z))

    @torch.no_grad()
    def theirs():
        scheduler.set_timesteps(STEPS)
        x = start
        for i in scheduler.timesteps:
            x = scheduler.step(apply(x, 1 - i / 999), i, x, return_dict=False)[0]
        return x.numpy()

    scheduler.set_timesteps(STEPS)
    times = 1 - np.append(scheduler.timesteps.numpy(), 0) / 999
    kept = scheduler.alphas_cumprod.double().numpy()[::-1]
    places = np.linspace(0, 1, 1000)
    path = paths.Path(
        lambda t: jnp.interp(t, places, np.sqrt(kept)),
        lambda t: jnp.interp(t, places, np.sqrt(1 - kept)),
    )
    table = integrate.dpm_solver_pp(path, times, "noise")._replace(start=1.0)
    return theirs, sampler(layers, table, z)


def sampler(layers, table, z):
    table = jax.tree.map(lambda c: jnp.asarray(c, jnp.float32), table)

    @jax.jit
    def go(layers, table, z):
        return jax.vmap(lambda z: integrate.run(table, lambda x, t: network(layers, x, t), z))(z)

    return lambda: go(layers, table, z)


def by_hand(layers, table, z):
    """What a reader would write for DDIM: `x' = a x + b network(x, t)`."""
    a = table.point[:, 0] + table.point[:, 1] * table.read[:, 0]
    b = table.point[:, 1] * table.read[:, 1]
    rows = jax.tree.map(lambda c: jnp.asarray(c, jnp.float32), (table.t, a, b))

    @jax.jit
    def go(layers, rows, z):
        def step(x, row):
            t, a, b = row
            return a * x + b * network(layers, x, t), None

        return jax.vmap(lambda z: jax.lax.scan(step, z, rows)[0])(z)

    return lambda: go(layers, rows, z)


def calls_alone(layers, times, z):
    """The network's calls and nothing else, each fed with the last."""

    @jax.jit
    def go(layers, times, z):
        def call(x, t):
            return network(layers, x, t), None

        return jax.vmap(lambda z: jax.lax.scan(call, z, times)[0])(z)

    stamps = jnp.asarray(times, jnp.float32)
    return lambda: go(layers, stamps, z)


def in_diffrax(layers, z, steps):
    def solve(layers, z):
        return diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, x, layers: network(layers, x, t)),
            diffrax.Euler(),
            0.0,
            1.0,
            1 / steps,
            z,
            args=layers,
            adjoint=diffrax.RecursiveCheckpointAdjoint(),
            max_steps=steps + 1,
        ).ys[0]

    return solve


def compiled(fn, *arguments):
    """A compiled program as a run, and the seconds that tracing and compiling it took."""
    began = time.perf_counter()
    program = jax.jit(fn).lower(*arguments).compile()
    return lambda: program(*arguments), time.perf_counter() - began


def gradient(solve):
    def loss(layers, z):
        return jnp.mean(jax.vmap(solve, (None, 0))(layers, z) ** 2)

    return jax.grad(loss)


def main(rounds: int = 15) -> None:
    torch.set_num_threads(1)
    layers, rows = weights(), []

    def compare(name, bar, runs, batch, wanted="at least"):
        many = max(1, 32 // batch)
        times = interleaved({k: repeated(run, many) for k, run in runs.items()}, "ours", rounds)
        other = next(k for k in runs if k != "ours")
        a, b = times["ours"], times[other]
        note = f"batch {batch}, CPU ms {1e3 * a.cpu / many:.3f} / {1e3 * b.cpu / many:.3f}"
        at_most = wanted == "at most"
        figure = a.cpu / b.cpu if at_most else b.cpu_ratio
        rows.append(show(Row(name, figure, bar, at_most, note, {"times": times})))

    line = paths.linear()
    for batch in (1, 256, 4096):
        z = jax.random.normal(jax.random.key(1), (batch, D))
        theirs, ours = in_diffusers(layers, z)
        np.testing.assert_allclose(ours(), theirs(), rtol=1e-4, atol=1e-2)
        bar = {1: 20.0, 4096: 1.8}.get(batch, 2.5)
        compare(f"times diffusers' 2M at {batch}", bar, {"ours": ours, "diffusers": theirs}, batch)
        table = integrate.ddim(line, grids.uniform(STEPS), "velocity")
        ours, hand = sampler(layers, table, z), by_hand(layers, table, z)
        np.testing.assert_allclose(ours(), hand(), atol=1e-4)
        compare(
            f"DDIM over a scan by hand at {batch}",
            1.05,
            {"ours": ours, "hand": hand},
            batch,
            "at most",
        )
        alone = calls_alone(layers, table.t, z)
        compare(
            f"DDIM over calls alone at {batch}",
            1.05,
            {"ours": ours, "calls": alone},
            batch,
            "at most",
        )
        ours = sampler(layers, integrate.euler(line, grids.uniform(STEPS), "velocity"), z)
        field = in_diffrax(layers, z, STEPS)
        solve = jax.jit(jax.vmap(field, (None, 0)))
        np.testing.assert_allclose(ours(), solve(layers, z), atol=1e-3)
        runs = {"ours": ours, "diffrax": lambda solve=solve, z=z: solve(layers, z)}
        compare(f"times diffrax's Euler at {batch}", 1.0, runs, batch)
    z = jax.random.normal(jax.random.key(1), (256, D))
    table = integrate.euler(line, grids.uniform(100), "velocity")

    def carried(layers, z):
        return integrate.run(table, lambda x, t: network(layers, x, t), z)

    ours, mine = compiled(gradient(carried), layers, z)
    theirs, other = compiled(gradient(in_diffrax(layers, z, 100)), layers, z)
    compare("times diffrax's gradient of 100 steps", 1.3, {"ours": ours, "diffrax": theirs}, 256)
    note = f"seconds {mine:.2f} / {other:.2f}"
    rows.append(show(Row("times shorter to compile", other / mine, 3.0, False, note, {})))
    publish("samplers", rows, steps=STEPS, width=WIDTH, dimensions=D)


if __name__ == "__main__":
    tyro.cli(main)
