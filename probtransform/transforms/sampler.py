"""A sampler as a transform: a table of calls of a network, of which no density is claimed."""

from __future__ import annotations

from ..core import Network, Transform
from ..integrate import Table, run


def sampler(network: Network, table: Table) -> Transform[None]:
    """`z: f32[*event]` carried along the table, with `network.apply(params, x, t, cond)` as its field.

    Another table over the same block is another sampler of the same trained network, without training.
    Draws noise where the table does.

    Example: `sampler(network, dpm_solver_pp(vp(), uniform(20), "noise"))`.
    """

    def forward(params, key, z, cond=None):
        def field(x, t):
            return network.apply(params, x, t, cond)

        return run(table, field, z, key)

    return Transform(network.init, forward, None)
