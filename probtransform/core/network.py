"""Where network libraries meet the families: a pair of pure functions over plain dicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class Network(NamedTuple):
    """A function with parameters: `init: key -> params`, `apply: (params, *inputs) -> output`.

    `apply` takes ONE example, like everything else here, and is vmapped.
    """

    init: Callable[..., Any]
    apply: Callable[..., Any]


class Causal(NamedTuple):
    """A network `[size] -> [size, outputs]` whose row i depends on the inputs before i alone.

    init:   `key -> params`.
    apply:  `(params, x, cond) -> theta`, all rows in one pass.
    unroll: `(params, answer, z, cond) -> (x, extra)` where `x[i], extra[i] = answer(theta[i], z[i])` and
            `theta = apply(params, x, cond)`: each input is made from the row that those before it gave.
    """

    init: Callable[..., Any]
    apply: Callable[..., Any]
    unroll: Callable[..., Any]


def passes(network: Network, size: int) -> Causal:
    """A causal network that knows no way to reuse what it computed: `unroll` makes `size` passes."""

    def unroll(params, answer, z, cond=None):
        def one(x, at):
            i, z_i = at
            x_i, extra = answer(network.apply(params, x, cond)[i], z_i)
            return x.at[i].set(x_i), extra

        rows = jax.eval_shape(network.apply, params, jnp.zeros(size, jnp.int32), cond)
        made, _ = jax.eval_shape(answer, rows.update(shape=rows.shape[1:]), z[0])
        return jax.lax.scan(one, jnp.zeros(size, made.dtype), (jnp.arange(size), z))

    return Causal(network.init, network.apply, unroll)


def from_nnx(build: Callable[..., Any]) -> Network:
    """A Flax NNX module, split once into a plain dict of its parameters.

    `build: nnx.Rngs -> module`, for example `lambda rngs: nnx.Linear(2, 3, rngs=rngs)`. The module
    is never mutated: a layer that keeps state of its own (batch statistics, the random stream of
    a dropout) is refused with a ValueError, as a pure function has nowhere to keep it.
    """
    from flax import nnx

    graph, spec = nnx.split(nnx.eval_shape(lambda: build(nnx.Rngs(0))))
    kept = {
        ".".join(map(str, path)): leaf.type.__name__
        for path, leaf in nnx.to_flat_state(spec)
        if not issubclass(leaf.type, nnx.Param)
    }
    if kept:
        raise ValueError(
            f"from_nnx: got layers that keep state ({kept}), wanted parameters only; use a layer without "
            "statistics (GroupNorm for BatchNorm), or keep the state in the model's carry"
        )

    def init(key):
        return nnx.to_pure_dict(nnx.state(build(nnx.Rngs(key)), nnx.Param))

    def apply(params, *inputs):
        state = jax.tree.map(lambda leaf: leaf, spec)  # a fresh container: replacing fills it
        nnx.replace_by_pure_dict(state, params)
        return nnx.merge(graph, state)(*inputs)

    return Network(init, apply)


def from_linen(module: Any, *example: Any) -> Network:
    """A Flax Linen module; `example` are the inputs (arrays or shapes of ONE example) it is built with.

    Raises ValueError if it keeps collections besides `params`.
    """
    shapes = jax.eval_shape(module.init, jax.random.key(0), *example)
    if kept := sorted(shapes.keys() - {"params"}):
        raise ValueError(
            f"from_linen: got the collections {kept}, wanted parameters only; use layers without "
            "statistics, or keep the state in the model's carry"
        )

    def init(key):
        zeros = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), example)
        return dict(module.init(key, *zeros).get("params", {}))

    return Network(init, lambda params, *inputs: module.apply({"params": params}, *inputs))


def from_equinox(build: Callable[..., Any]) -> Network:
    """An Equinox module, `build: key -> module`; its inexact arrays are the parameters.

    Raises ValueError if it keeps state (`equinox.nn.State` layers such as BatchNorm).
    """
    import equinox as eqx

    shapes = eqx.filter_eval_shape(build, jax.random.key(0))
    leaves = jax.tree.leaves(shapes, is_leaf=lambda leaf: isinstance(leaf, eqx.nn.StateIndex))
    if any(isinstance(leaf, eqx.nn.StateIndex) for leaf in leaves):
        raise ValueError(
            "from_equinox: got layers that keep state (equinox.nn.StateIndex), wanted parameters only; "
            "use layers without statistics, or keep the state in the model's carry"
        )
    _, static = eqx.partition(build(jax.random.key(0)), eqx.is_inexact_array)

    def init(key):
        return eqx.filter(build(key), eqx.is_inexact_array)

    return Network(init, lambda params, *inputs: eqx.combine(params, static)(*inputs))


def reading(network: Network, features: Callable[..., Any]) -> Network:
    """The same network behind another reading of its inputs: `network(params, features(*inputs))`.

    For example a velocity that reads place, time and label as one vector:
    `reading(body, lambda x, t, cond: jnp.concatenate([x, t[None], one_hot(cond, 10)]))`.
    """
    return Network(network.init, lambda params, *inputs: network.apply(params, features(*inputs)))
