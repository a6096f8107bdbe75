"""A spline coupling flow of flowjax: run by `benchmarks.splines`, in a Python that has it.

    python flowjax_worker.py density|step|sample|autoregressive|fit

Reads a number of repetitions a line, answers with wall-clock and CPU seconds and the last result's mean.
"""

import sys
import time

import equinox as eqx
import flowjax
import jax
import jax.numpy as jnp
import optax
import paramax
from flowjax.bijections import RationalQuadraticSpline
from flowjax.distributions import Normal
from flowjax.flows import coupling_flow, masked_autoregressive_flow
from flowjax.train import fit_to_data

work = sys.argv[1]
chained = work == "autoregressive"
key, batch, tx = jax.random.key(0), 256 if chained else 1024, optax.adam(1e-3)
d = {"fit": 2, "autoregressive": 43}.get(work, 8)
flow = (masked_autoregressive_flow if chained else coupling_flow)(
    key,
    base_dist=Normal(jnp.zeros(d)),
    transformer=RationalQuadraticSpline(knots=7, interval=4),  # inner knots: eight bins
    flow_layers=5 if chained else 8,
    nn_width=128 if chained else 64,
    nn_depth=2,
    nn_activation=jax.nn.silu,  # as ours
)
x = jax.random.normal(jax.random.key(1), (batch, d))
trainable = lambda leaf: isinstance(leaf, paramax.NonTrainable)  # noqa: E731
params, static = eqx.partition(flow, eqx.is_inexact_array, is_leaf=trainable)
opt = tx.init(params)
log_prob = eqx.filter_jit(lambda flow, x: flow.log_prob(x))
sample = eqx.filter_jit(lambda flow, key: flow.sample(key, (batch,)))


@eqx.filter_jit
def update(params, opt, x):
    def loss(p):
        return -paramax.unwrap(eqx.combine(p, static)).log_prob(x).mean()

    grads = eqx.filter_grad(loss)(params)
    updates, opt = tx.update(grads, opt, params)
    return eqx.apply_updates(params, updates), opt


def once(state):
    if work == "density":
        return log_prob(flow, x)
    if work in ("sample", "autoregressive"):
        return sample(flow, key)
    return update(*(state or (params, opt)), x)


def clocked(call):
    cpu, wall = time.process_time(), time.perf_counter()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def repeat(times):
    state = None
    for _ in range(times):
        state = jax.block_until_ready(once(state))
    return state


def epochs(number):
    """100 steps of 256 on 9 in 10 of the examples, then validation on the rest; no early stop."""
    fit_to_data(
        key,
        flow,
        examples,
        optimizer=tx,
        max_epochs=number,
        max_patience=number,
        batch_size=256,
        show_progress=False,
    )


examples = jax.random.normal(jax.random.key(2), (100 * 256 * 10 // 9, 2))
print(flowjax.__version__, flush=True)
for line in sys.stdin:
    if work == "fit":  # a call compiles anew, whatever came before: the difference of two does not
        (wall, cpu), (wall_1, cpu_1) = (
            clocked(lambda: epochs(1 + int(line) // 100 * i)) for i in (1, 0)
        )
        wall, cpu = wall - wall_1, cpu - cpu_1
    else:
        wall, cpu = clocked(lambda: repeat(int(line)))
    print(wall, cpu, 0.0, flush=True)
