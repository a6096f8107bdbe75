"""Exact assignment as one program: one row after another, along the shortest augmenting path."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def shortest_paths(cost):
    """The permutation i of least `sum_j cost[j, i_j]`, for `cost: [n, n]`, on the device: `int32 [n]`.

    Rows are assigned in turn. Each sends out a search for the cheapest way to a free column, in costs
    reduced by the potentials of those before it, and who lies on the way moves up. O(n^3), and slower
    than a host that can be asked. Infinite costs forbid a pair. Crouse (2016), IEEE TAES 52.
    """
    n = len(cost)
    free = jnp.full(n, -1, jnp.int32)

    def search(row, u, v, row_of):
        """Distances to columns, the row before each on its way, and the free column that is nearest."""

        def closer(at):
            i, least, distance, before, seen, _ = at
            through = least + cost[i] - u[i] - v
            better = ~seen & (through < distance)
            distance = jnp.where(better, through, distance)
            before = jnp.where(better, i, before)
            ahead = jnp.where(seen, jnp.inf, distance)
            j = jnp.argmin(ahead)
            return row_of[j], ahead[j], distance, before, seen.at[j].set(True), j

        start = (row, jnp.zeros(()), jnp.full(n, jnp.inf), free, jnp.zeros(n, bool), row * 0)
        return jax.lax.while_loop(lambda at: at[0] >= 0, closer, start)[1:]

    def assign(row, at):
        u, v, column_of, row_of = at
        least, distance, before, seen, sink = search(row, u, v, row_of)
        gain = jnp.where(seen, least - distance, 0.0)
        v = v - gain
        # the sink is seen as well, but belongs to nobody yet
        u = u.at[jnp.where(row_of >= 0, row_of, n)].add(gain, mode="drop").at[row].add(least)

        def move_up(at):
            j, column_of, row_of, _ = at
            i = before[j]
            return column_of[i], column_of.at[i].set(j), row_of.at[j].set(i), i

        start = move_up((sink, column_of, row_of, row))
        _, column_of, row_of, _ = jax.lax.while_loop(lambda at: at[3] != row, move_up, start)
        return u, v, column_of, row_of

    start = (jnp.zeros(n), jnp.zeros(n), free, free)
    return jax.lax.fori_loop(0, n, assign, start)[2]
