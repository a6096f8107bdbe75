"""Entropic transport against ott-jax and POT's log domain.

    python -m benchmarks.sinkhorn        (wants the peers extra; about five minutes)
    python -m benchmarks.sinkhorn --small

From two samples of normals to the potentials, in single precision: cost matrix and iterations, to the same
error of the margins, a sum of differences of 1e-3 (POT stops by the root of a sum of squares, so by
`1e-3 / sqrt n`, which is the same where they are alike). `epsilon` is a share of the mean cost. The detail of
a row holds the errors that each one left. Bars: ott-jax takes at least as long, and POT five times.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import tyro

from probtransform.objectives.coupling.cost import between
from probtransform.objectives.divergences.sinkhorn import potentials

from .timing import Row, interleaved, over, publish, show

ERROR = 1e-3


def samples(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, n, d))
    return x.astype(np.float32), (0.7 * y + 0.5).astype(np.float32)


@partial(jax.jit, static_argnums=2)
def ours(x, y, epsilon):
    f, g, _ = potentials(between(x, y) / epsilon, ERROR)
    return epsilon * f, epsilon * g


@partial(jax.jit, static_argnums=2)
def otts(x, y, epsilon):
    from ott.geometry.pointcloud import PointCloud
    from ott.problems.linear.linear_problem import LinearProblem
    from ott.solvers.linear.sinkhorn import Sinkhorn

    solver = Sinkhorn(threshold=ERROR, max_iterations=100_000)
    out = solver(LinearProblem(PointCloud(x, y, epsilon=epsilon)))
    return out.f, out.g


def pots(x, y, epsilon):
    import ot

    even = np.full(len(x), 1 / len(x), np.float32)
    cost = ot.dist(x, y)
    stop = {"stopThr": ERROR / len(x) ** 0.5, "numItermax": 100_000}
    _, log = ot.sinkhorn(even, even, cost, epsilon, "sinkhorn_log", log=True, **stop)
    return epsilon * log["log_u"], epsilon * log["log_v"]


def left(x, y, epsilon, f, g) -> float:
    """The errors of both margins, in double precision; POT's potentials hold the weights as well."""
    x, y, f, g = (np.asarray(a, np.float64) for a in (x, y, f, g))
    log_plan = (f[:, None] + g - ((x[:, None] - y) ** 2).sum(-1)) / epsilon
    plan = np.exp(log_plan)
    plan /= plan.sum()
    return float(sum(np.abs(plan.sum(axis) - 1 / plan.shape[axis]).sum() for axis in (0, 1)))


def measure(n: int, d: int, share: float, rounds: int) -> list[Row]:
    x, y = samples(n, d)
    epsilon = share * float(between(x, y).mean())
    ways = {
        "ours": lambda: ours(jnp.asarray(x), jnp.asarray(y), epsilon),
        "ott-jax": lambda: otts(jnp.asarray(x), jnp.asarray(y), epsilon),
        "POT": lambda: pots(x, y, epsilon),
    }
    errors = {name: left(x, y, epsilon, *way()) for name, way in ways.items()}
    times = interleaved(ways, "ours", rounds)
    detail = {"times": times, "errors": errors, "epsilon": epsilon}
    about = f"n = {n}, d = {d}, epsilon = {share:g} of the cost"
    print(f"{about}: {1e3 * times['ours'].wall:.2f} ms, errors {errors}")
    return [
        show(over(f"{name} / ours, {about}", times[name], bar, detail, at_most=False))
        for name, bar in (("ott-jax", 1.0), ("POT", 5.0))
    ]


def main(small: bool = False) -> None:
    if small:
        measure(100, 2, 0.05, rounds=2)
        return
    sizes = [(n, d, share) for n, d in ((256, 2), (256, 64), (1000, 2)) for share in (0.05, 0.01)]
    rows = [row for n, d, share in sizes for row in measure(n, d, share, rounds=7)]
    publish("sinkhorn", rows, error=ERROR)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
