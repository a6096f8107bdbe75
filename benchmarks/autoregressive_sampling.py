"""Sampling masked autoregressive flows: the same weights, the same noise, ours and three libraries in turn.

    taskset -c 0 PEERS/bin/python -m benchmarks.autoregressive_sampling        (about two minutes)

where PEERS is a virtual environment with this package and, in one command, `pip install torch==2.13.0
flowjax zuko nflows`. 43 numbers, 5 affine layers, two hidden layers of 128 rectified units, 1024 samples from
given noise. Each peer's random weights are carried over to ours and the samples compared; then both are timed
turn by turn on one core, CPU time. Bars: 9 times flowjax, 20 times zuko, 30 times nflows.
"""

from __future__ import annotations

import equinox as eqx
import flowjax.flows
import jax
import jax.numpy as jnp
import numpy as np
import paramax
import torch
import tyro
import zuko
from flowjax.distributions import Normal
from nflows.transforms import CompositeTransform, MaskedAffineAutoregressiveTransform, Permutation

from probtransform.networks.causal import causal
from probtransform.transforms import stacked
from probtransform.transforms.masked_autoregressive import masked_autoregressive

from .timing import Row, interleaved, publish, show
from .transplant import FLOWJAX, NFLOWS, ZUKO, chained, from_flowjax, from_nflows, from_zuko

D, LAYERS, WIDTH, DEPTH, BATCH = 43, 5, 128, 2, 1024


def ours(scalar, params, orders, noise):
    network = causal(D, 2, width=WIDTH, depth=DEPTH)
    flow = stacked(lambda order: masked_autoregressive(network, order, scalar), orders)
    key = jax.random.key(0)
    sample = jax.jit(jax.vmap(lambda p, z: flow.forward(p, key, z), (None, 0)))
    return lambda: sample(params, noise)


def in_zuko(z):
    flow = zuko.flows.MAF(D, transforms=LAYERS, hidden_features=[WIDTH] * DEPTH)
    layers = [from_zuko(layer) for layer in flow.transform.transforms]
    orders = np.stack([order for _, order in layers[::-1]])
    stack = jax.tree.map(lambda *leaves: jnp.stack(leaves[::-1]), *(params for params, _ in layers))
    noise, back = torch.from_numpy(z), flow().transform.inv
    return lambda: back(noise).numpy(), ours(ZUKO, stack, orders, jnp.asarray(z))


def in_nflows(z):
    rng = np.random.default_rng(0)
    permutations = [rng.permutation(D) for _ in range(LAYERS)]
    layers = [
        MaskedAffineAutoregressiveTransform(
            D, WIDTH, num_blocks=DEPTH - 1, use_residual_blocks=False
        )
        for _ in permutations
    ]
    parts = [
        t
        for p, m in zip(permutations, layers, strict=True)
        for t in (m, Permutation(torch.tensor(p)))
    ]
    whole, noise = CompositeTransform(parts), torch.from_numpy(z)
    params, orders, last = chained([from_nflows(m)[0] for m in layers], permutations)
    mine = np.empty_like(z)
    mine[:, last] = z
    return lambda: whole.inverse(noise)[0].numpy(), ours(NFLOWS, params, orders, jnp.asarray(mine))


def in_flowjax(z):
    flow = flowjax.flows.masked_autoregressive_flow(
        jax.random.key(1),
        base_dist=Normal(jnp.zeros(D)),
        flow_layers=LAYERS,
        nn_width=WIDTH,
        nn_depth=DEPTH,
        invert=True,
    )
    stack = paramax.unwrap(flow.bijection.bijection.bijection)
    layers = [jax.tree.map(lambda a: a[i] if eqx.is_array(a) else a, stack) for i in range(LAYERS)]
    params = [from_flowjax(layer.bijections[0])[0] for layer in layers]
    params, orders, last = chained(
        params, [np.asarray(m.bijections[1].permutation[0]) for m in layers]
    )
    mine = np.empty_like(z)
    mine[:, last] = z
    noise, sample = jnp.asarray(z), jax.jit(jax.vmap(flow.bijection.transform))
    return lambda: sample(noise), ours(FLOWJAX, params, orders, jnp.asarray(mine))


def main(rounds: int = 15) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    z = np.random.default_rng(0).standard_normal((BATCH, D)).astype(np.float32)
    rows = []
    for name, build, bar in (
        ("flowjax", in_flowjax, 9),
        ("zuko", in_zuko, 20),
        ("nflows", in_nflows, 30),
    ):
        with torch.no_grad():
            theirs, mine = build(z)
            apart = float(np.abs(np.asarray(theirs()) - np.asarray(mine())).max())
            times = interleaved({"ours": mine, name: theirs}, "ours", rounds)
        a, b = times["ours"], times[name]
        note = (
            f"CPU ms {1e3 * a.cpu:.1f} / {1e3 * b.cpu:.1f}, medians {1e3 * a.cpu_median:.1f} / "
            f"{1e3 * b.cpu_median:.1f}, samples apart {apart:.1e}"
        )
        detail = {"times": times, "apart": apart}
        rows.append(show(Row(f"times as fast as {name}", b.cpu_ratio, bar, False, note, detail)))
    publish("autoregressive_sampling", rows, size=D, layers=LAYERS, width=WIDTH, batch=BATCH)


if __name__ == "__main__":
    tyro.cli(main)
