"""An energy on top of a law that is known: its tilt, sampled by a chain that begins there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from ..core import Distribution, Exact, Network, Unnormalized
from ..core.check import disjoint, positive


def tilted(
    base: Distribution[Exact],
    energy: Network,
    kernel: Callable[..., Any],
    steps: int,
    name: str = "energy",
) -> Distribution[Unnormalized]:
    """`p(x) = base(x) exp(-E(x)) / Z`: a draw is one of the base, moved `steps` times by the kernel.

    `energy.apply(params[name], x, cond)` is the scalar E of ONE example, the block `name` beside those of the
    base; `kernel` is one of the shared walks, `langevin(0.01)` say, or `gibbs(2)` on bits. With a normal base
    it is an energy model, of finite mass unless the energy falls like `-|x|^2 / 2`; with a trained flow or
    the prior of a decoder it is their refinement, and moves by parameters that nobody owns stay where they
    are. Claim: Unnormalized.

    Example: `tilted(normal((2,)), Network(f.init, lambda params, x, cond: f.apply(params, x)[0]), mala(0.01,
    100), 1)` for `f = mlp(2, 1, 64, 2)`.
    LeCun et al. (2006); Pang et al. (2020), arXiv:2006.08205; Xiao et al. (2021), arXiv:2010.00654.
    Raises ValueError for an energy that is not a scalar, a base without an exact density, or no steps.
    """
    positive("tilted", steps=steps)
    if not isinstance(base.density, Exact):
        raise ValueError(
            f"tilted: got a base that claims {type(base.density).__name__}, wanted Exact; take a normal one"
        )

    def init(key):
        first, second = jax.random.split(key)
        return disjoint("tilted", base.init(first), {name: energy.init(second)})

    def log_density(params, key, x, cond=None):
        return base.density.fn(params, key, x, cond) - energy.apply(params[name], x, cond)

    def sample(params, key, cond=None):
        begin, look, walk = jax.random.split(key, 3)
        x = base.sample(params, begin, cond)

        def move(x, key):
            return kernel(key, x, lambda x: log_density(params, look, x, cond))[0], None

        return jax.lax.scan(move, x, jax.random.split(walk, steps))[0]

    return Distribution(init, sample, Unnormalized(log_density))
