"""What one example under `vmap` costs against layers written for a batch: nothing, it should be.

    python -m benchmarks.networks        (three minutes on an idle machine)

Each body is mapped over a batch of 64 and timed against Flax's own layer on the whole batch, and against
the same formula written for the batch by hand, parameters the same; forward, the gradient in parameters and
input, and steps down it in one loop, as a learner runs them. What the compiled programs do is printed beside
it: where they agree, so do times on an idle machine. Bar: a ratio of at most 1.05, usually far less against
Flax's normalisation, and in a loop against its convolution.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from probtransform.core import from_nnx
from probtransform.networks import Conv, GroupNorm, SelfAttention, convnet

from .timing import Row, interleaved, over, publish, repeated, show

BAR = 1.05


class Case(NamedTuple):
    """`one(params, x)` on one example, and other ways `{name: fn(params, xs)}` to the same on a batch."""

    name: str
    params: Any
    shape: tuple[int, ...]
    one: Callable
    batched: dict[str, Callable]


def of_flax(layer) -> Callable:
    """A Flax layer as a function of a plain dict of its parameters, applied to a whole batch."""
    graph, params, rest = nnx.split(layer, nnx.Param, ...)

    def apply(values, *inputs):
        state = jax.tree.map(lambda leaf: leaf, params)
        nnx.replace_by_pure_dict(state, values)
        return nnx.merge(graph, state, rest)(*inputs)

    return apply


def conv() -> Case:
    network = from_nnx(lambda rngs: Conv(32, 32, rngs))
    batched = of_flax(nnx.Conv(32, 32, (3, 3), rngs=nnx.Rngs(0)))
    return Case(
        "conv 3x3", network.init(jax.random.key(0)), (16, 16, 32), network.apply, {"flax": batched}
    )


def by_hand_norm(params, x, groups: int = 8):
    def mean(x):
        each = x.mean((1, 2)).reshape(len(x), groups, -1).mean(-1)
        return jnp.repeat(each, x.shape[-1] // groups, -1)[:, None, None]

    away = x - mean(x)
    return away * (jax.lax.rsqrt(mean(away**2) + 1e-6) * params["scale"]) + params["bias"]


def group_norm() -> Case:
    network = from_nnx(lambda rngs: GroupNorm(32, 8, rngs))
    batched = {"flax": of_flax(nnx.GroupNorm(32, 8, rngs=nnx.Rngs(0))), "by hand": by_hand_norm}
    return Case("group norm", network.init(jax.random.key(0)), (16, 16, 32), network.apply, batched)


def by_hand_attention(params, x):
    def heads(name):
        y = jnp.einsum("bnc,chd->bnhd", x, params[name]["kernel"]) + params[name]["bias"]
        return jnp.swapaxes(y, 1, 2)

    q, k, v = heads("query"), heads("key"), heads("value")
    weights = jax.nn.softmax(q @ jnp.swapaxes(k, 2, 3) * q.shape[-1] ** -0.5)
    out = jnp.swapaxes(weights @ v, 1, 2)
    return jnp.einsum("bnhd,hdc->bnc", out, params["out"]["kernel"]) + params["out"]["bias"]


def attention(places: int) -> Case:
    network = from_nnx(lambda rngs: SelfAttention(64, 4, rngs))
    flax = of_flax(nnx.MultiHeadAttention(4, 64, decode=False, rngs=nnx.Rngs(0)))
    batched = {"flax": flax, "by hand": by_hand_attention}
    params = network.init(jax.random.key(0))
    return Case(f"attention, {places} places", params, (places, 64), network.apply, batched)


def by_hand_convnet(norm: Callable) -> Callable:
    """The body of `convnet` for a batch, from Flax's convolution and some normalisation."""

    def conv(p, x):
        layer = nnx.eval_shape(lambda: nnx.Conv(*p["kernel"].shape[2:], (3, 3), rngs=nnx.Rngs(0)))
        return of_flax(layer)(p, x)

    def apply(params, x):
        h = conv(params["first"], x)
        for i in range(len(params["blocks"])):
            p = params["blocks"][i]
            inner = conv(p["conv1"], jax.nn.silu(norm(p["norm1"], h)))
            h = h + conv(p["conv2"], jax.nn.silu(norm(p["norm2"], inner)))
        return conv(params["last"], jax.nn.silu(norm(params["norm"], h)))

    return apply


def residual_net() -> Case:
    network = convnet(1, 1, width=32, depth=2)
    flax = of_flax(nnx.GroupNorm(32, 8, rngs=nnx.Rngs(0)))
    batched = {"flax": by_hand_convnet(flax), "by hand": by_hand_convnet(by_hand_norm)}
    return Case("convnet", network.init(jax.random.key(0)), (16, 16, 1), network.apply, batched)


def gradient(fn: Callable) -> Callable:
    return jax.grad(lambda params, x: (fn(params, x) ** 3).sum(), (0, 1))


def descent(fn: Callable) -> Callable:
    """Three steps down the gradient, in one loop: there the compiler knows fewer tricks."""

    def run(params, x):
        def step(_, now):
            return jax.tree.map(lambda a, slope: a - 1e-6 * slope, now, gradient(fn)(*now))

        return jax.lax.fori_loop(0, 3, step, (params, x))

    return run


def measure(case: Case, size: int = 64, rounds: int = 25, calls: int = 5) -> list[Row]:
    first, second = jax.random.split(jax.random.key(1))
    leaves, tree = jax.tree.flatten(case.params)
    keys = jax.random.split(first, len(leaves))
    # away from ones and zeros, so that agreement means something
    noisy = [p + 0.1 * jax.random.normal(k, p.shape) for p, k in zip(leaves, keys, strict=True)]
    params, x = jax.tree.unflatten(tree, noisy), jax.random.normal(second, (size, *case.shape))
    ways = {"mapped": jax.vmap(case.one, (None, 0)), **case.batched}
    rows = []
    kinds = (
        ("forward", lambda fn: fn, rounds),
        ("gradient", gradient, rounds),
        ("steps in a loop", descent, rounds // 5),
    )
    for kind, of, rounds in kinds:
        fns = {name: jax.jit(of(fn)) for name, fn in ways.items()}
        agree(case.name, {name: fn(params, x) for name, fn in fns.items()})
        runs = {name: repeated(fn, calls, params, x) for name, fn in fns.items()}
        for name in case.batched:
            pair = interleaved({name: runs[name], "mapped": runs["mapped"]}, name, rounds)
            programs = {way: program(fns[way], params, x) for way in (name, "mapped")}
            title = f"{case.name}, {kind}, vmap / {name} batched"
            rows.append(show(weighed(over(title, pair["mapped"], BAR, pair), *programs.values())))
    return rows


def program(fn, *arguments) -> tuple[float, float, int]:
    """Megaflops, megabytes moved and kernels of the compiled program, which no other work disturbs."""
    compiled = fn.lower(*arguments).compile()
    cost, (_, entry) = compiled.cost_analysis(), compiled.as_text().split("ENTRY")
    return (
        round(cost["flops"] / 1e6, 1),
        round(cost["bytes accessed"] / 1e6, 1),
        entry.count("fusion("),
    )


def weighed(row: Row, reference, mapped) -> Row:
    kinds = zip(("Mflop", "MB", "kernels"), mapped, reference, strict=True)
    words = ", ".join(f"{a} {kind} for {b}" for kind, a, b in kinds)
    return row._replace(note=f"{row.note}; {words}")


def agree(name: str, results: dict[str, Any]) -> None:
    """Raise ValueError unless all ways give the same numbers up to rounding, of the largest."""
    ours = jax.tree.leaves(results["mapped"])
    scale = max(float(jnp.abs(a).max()) for a in ours)
    for other, result in results.items():
        for a, b in zip(ours, jax.tree.leaves(result), strict=True):
            if jnp.abs(a - b).max() > 1e-4 * scale:
                raise ValueError(f"{name}: got other numbers than {other} gives; mend one of them")


def main() -> None:
    cases = [conv(), group_norm(), attention(64), attention(256), residual_net()]
    publish("networks", [row for case in cases for row in measure(case)])


if __name__ == "__main__":
    main()
