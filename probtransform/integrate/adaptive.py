"""Adaptive integration: diffrax behind one function, for ordinary, stiff and stochastic equations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

ADJOINTS = {
    "checkpointed": "RecursiveCheckpointAdjoint",
    "direct": "DirectAdjoint",
    "backsolve": "BacksolveAdjoint",
}


def adaptive(
    rtol: float = 1e-5,
    atol: float = 1e-5,
    adjoint: str = "checkpointed",
    most: int = 4096,
    stiff: bool = False,
) -> Callable[..., Any]:
    """`solve(derivative, x, start, end, times=None) -> x(end)` by Dormand and Prince's orders 5 and 4.

    Steps are chosen so that the error of each is at most `atol + rtol |x|`; a `stiff` equation is solved
    implicitly, by Kvaerno's pair of the same orders. With `times: [T]` between start and end, the states
    there come in place of the last, `[T, *event]`, interpolated: no step is shortened for them. The adjoint
    says how gradients come: "checkpointed" (exact for the steps taken, some states kept), "direct" (forward
    mode too, memory of all `most` steps), or "backsolve" (another equation run backwards, no states kept,
    exact up to its own error). Beyond `most` steps the result is NaN, never a wrong number.

    Example: `adaptive(1e-6, 1e-6)(lambda x, t: -x, jnp.ones(2), 0.0, 1.0)` is `exp(-1)` twice.
    Kidger (2021), arXiv:2202.02435. Raises ValueError for another adjoint.
    """
    if adjoint not in ADJOINTS:
        raise ValueError(f"adaptive: got adjoint {adjoint!r}, wanted one of {', '.join(ADJOINTS)}")

    def solve(derivative, x, start: float, end: float, times=None):
        import diffrax  # imports much that nothing else needs

        # what the derivative closes over, as arguments: only they get a gradient from a backward solve
        pure, held = jax.closure_convert(derivative, x, jnp.asarray(float(start)))
        term = diffrax.ODETerm(lambda t, x, held: pure(x, t, *held))
        solver = diffrax.Kvaerno5() if stiff else diffrax.Dopri5()
        return solved(term, solver, x, start, end, times, rtol, atol, adjoint, most, tuple(held))

    return solve


def ito(rtol: float = 1e-3, atol: float = 1e-3, most: int = 4096) -> Callable[..., Any]:
    """`solve(drift, spread, x, start, end, key, times=None) -> x(end)` of `dx = f(x, t) dt + g(x, t) dW`.

    As many Brownian motions as entries: entry i of the spread g multiplies motion i, and depends on entry i
    of x alone. One key is one Brownian path, whatever the steps. Solved in Stratonovich's sense, with the
    drift `f - g g' / 2`, by a splitting pair of strong order 1 (1.5 where g does not depend on x) whose steps
    are chosen as by `adaptive`. `x: f32[*event]`, one array; `start < end`; gradients as by "checkpointed".

    Example: `ito()(lambda x, t: -x, lambda x, t: 0 * x + 2**0.5, z, 0.0, 1.0, key)` keeps N(0, I).
    Foster et al. (2022), arXiv:2210.17543. Raises ValueError for an equation that runs backwards.
    """

    def solve(drift, spread, x, start: float, end: float, key, times=None):
        import diffrax
        import lineax

        if not start < end:
            raise ValueError(
                f"ito: got start={start} and end={end}, wanted start < end; run the clock the other way"
            )

        def stratonovich(t, x, _):
            _, slope = jax.jvp(lambda x: spread(x, t), (x,), (spread(x, t),))
            return drift(x, t) - slope / 2

        # a step shorter than the path is resolved would see a straight line
        shortest = (end - start) / (8 * most)
        motion = diffrax.VirtualBrownianTree(
            start, end, shortest, x.shape, key, diffrax.SpaceTimeLevyArea
        )
        noise = diffrax.ControlTerm(
            lambda t, x, _: lineax.DiagonalLinearOperator(spread(x, t)), motion
        )
        terms: Any = diffrax.MultiTerm(diffrax.ODETerm(stratonovich), noise)
        return solved(
            terms, diffrax.SPaRK(), x, start, end, times, rtol, atol, "checkpointed", most
        )

    return solve


def solved(terms, solver, x, start, end, times, rtol, atol, adjoint, most, held=()):
    """The state at the end, or at `times`; NaN where `most` steps did not lead there."""
    import diffrax

    solution = diffrax.diffeqsolve(
        terms,
        solver,
        start,
        end,
        None,
        x,
        args=held,
        saveat=diffrax.SaveAt(t1=True) if times is None else diffrax.SaveAt(ts=times),
        stepsize_controller=diffrax.PIDController(rtol, atol),
        adjoint=getattr(diffrax, ADJOINTS[adjoint])(),
        max_steps=most,
        throw=False,
    )
    states = jax.tree.map(lambda s: s[-1], solution.ys) if times is None else solution.ys
    reached = solution.result == diffrax.RESULTS.successful
    return jax.tree.map(lambda leaf: jnp.where(reached, leaf, jnp.nan), states)
