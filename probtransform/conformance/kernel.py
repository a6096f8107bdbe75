"""What holds with any claim, and none: initial parameters, batches, finite values and gradients."""

from __future__ import annotations

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from .report import Finding, gap
from .ways import doubled, is_real, mapped, ways_of


def starting(transform, points, cond):
    keys = jnp.stack([jax.random.key(i) for i in range(2)])
    both = jax.jit(jax.vmap(transform.init))(keys)
    one, other = (jax.tree.map(lambda leaf: leaf[i], both) for i in range(2))
    leaves = zip(*map(jax.tree.leaves, (one, other)), strict=True)
    drawn = [(p, q) for p, q in leaves if np.unique(p).size > max(1, p.size / 2)]
    repeated = sum(np.array_equal(p, q) for p, q in drawn)
    x = jax.jit(partial(mapped, ways_of(transform)["forward"]))(one, cond, points)
    moved = gap(x, points) if x.shape == points.shape else math.nan
    return {
        "keys of init": Finding(
            repeated, 0, "two keys give the same random parameters; draw them from the key of init"
        ),
        "identity at init": Finding(moved, None, "how far initial parameters move a point"),
    }


def alone(ways, params, cond, at):
    """Compiled, op by op, and in two batches that share a row: the same numbers, in double precision."""

    def together(params, cond, at):
        return {name: way(params, cond, at[name]) for name, way in ways.items()}

    params, cond, at = jax.tree.map(doubled, (params, cond, at))
    many = jax.jit(jax.vmap(together, (None, None, 0)))
    row, crowd, other = (
        jax.tree.map(lambda a: a[np.array(which) % len(a)], at)
        for which in (0, range(8), [0, *range(8, 15)])
    )
    by_op, compiled = together(params, cond, row), jax.jit(together)(params, cond, row)
    rows = [jax.tree.map(lambda a: a[0], many(params, cond, c)) for c in (crowd, other)]
    found = {}
    for name in ways:
        found[f"{name} under jit"] = Finding(
            gap(compiled[name], by_op[name]),
            1e-8,
            "compiled and op by op differ: something is kept outside",
        )
        found[f"{name} under vmap"] = Finding(
            max(gap(seen[name], by_op[name]) for seen in rows),
            1e-8,
            "a row depends on its batch: statistics of a batch belong in the parameters",
        )
    return found


def finite(ways, params, cond, ends):
    """Values and gradients of every way at 0, at either end, and in batches all in the tails."""
    found: dict[str, Finding] = {}
    used: dict[str, bool] = {}
    for name, way in ways.items():
        like, far = ends[name]
        if not is_real(like):
            continue
        shape = like.shape[1:]
        signs = np.random.default_rng(1).choice([-1.0, 1.0], (8, *shape))
        ends_of = np.concatenate([np.zeros((1, *shape)), [np.ones(shape), -np.ones(shape)], signs])
        at = jnp.concatenate([jnp.asarray(far * ends_of, like.dtype), like[:50]])
        value, slopes = gradients(way)(params, cond, at)
        seen = reals({"value": value} | slopes)
        bad = [where for where, leaf in seen if not np.isfinite(leaf).all()]
        found[f"{name} finite"] = Finding(
            len(bad),
            0,
            f"not finite at 0 or {far:g} from it: {', '.join(bad)}; give the branch of a `where` that is not "
            "taken a harmless input",
        )
        for where, leaf in reals({"params": slopes["params"]}):
            used[where] = used.get(where, False) or bool((np.nan_to_num(leaf, nan=1.0) != 0).any())
    idle = [where for where, moves in used.items() if not moves]
    return found | {
        "parameters used": Finding(
            len(idle), 0, f"no gradient reaches {', '.join(idle)}; use them or leave them out"
        )
    }


def gradients(way):
    """`(params, cond, at: [n, ...]) -> (values, {what: gradients})` of a sum of all that comes out."""

    def total(real, rest, at):
        seen = way(*merged(real, rest), at)
        leaves = [leaf for leaf in jax.tree.leaves(seen) if is_real(leaf)]
        sums = [(a * jnp.cos(jnp.arange(a.size).reshape(a.shape))).sum() for a in leaves]
        return sum(sums, jnp.zeros(())), seen

    def merged(real, rest):
        return jax.tree.map(
            lambda a, b: b if a is None else a, real, rest, is_leaf=lambda a: a is None
        )

    @jax.jit
    def run(params, cond, at):
        inputs = (params, cond)
        real = jax.tree.map(lambda a: a if is_real(a) else None, inputs)
        slope = jax.vmap(jax.grad(total, (0, 2), has_aux=True), (None, None, 0))
        ((of_params, of_cond), of_point), value = slope(real, inputs, at)
        return value, {"params": of_params, "cond": of_cond, "point": of_point}

    return run


def reals(tree):
    """`(path, array)` of every array of floating numbers that is not empty."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        if is_real(leaf) and leaf.size:
            yield jax.tree_util.keystr(path, simple=True, separator="/"), np.asarray(leaf)
