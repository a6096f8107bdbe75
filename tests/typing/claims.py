"""What mypy must accept and reject; `# error` marks each line that must not type-check."""

from typing import assert_type

from probtransform.core import (
    Bound,
    Density,
    Distribution,
    Exact,
    Transform,
    Unnormalized,
    pushforward,
)
from probtransform.distributions import normal
from probtransform.networks import mlp
from probtransform.objectives import likelihood
from probtransform.transforms import coupling, implicit, quantise

exact: Transform[Exact] = coupling(mlp(2, 4), [0, 1])
bound: Transform[Bound] = quantise((2,), 3)
sampled: Transform[None] = implicit(mlp(2, 2))
energy: Distribution[Unnormalized] = normal((2,))
sampler: Distribution[None] = Distribution(lambda key: {}, lambda params, key, cond: key, None)


def bits(distribution: Distribution[Bound]) -> None: ...
def langevin(distribution: Distribution[Unnormalized]) -> None: ...


assert_type(pushforward(normal((2,))), Distribution[Exact])
assert_type(pushforward(normal((2,)), f=exact), Distribution[Exact])
assert_type(pushforward(normal((2,)), f=exact, g=bound), Distribution[Bound])
assert_type(pushforward(energy, f=exact), Distribution[Unnormalized])
assert_type(pushforward(energy, f=bound), Distribution[Density])

bits(pushforward(normal((2,)), f=exact))
bits(pushforward(normal((2,)), f=exact, g=bound))
langevin(pushforward(normal((2,)), f=exact))
langevin(pushforward(energy, f=exact))
likelihood(pushforward(normal((2,)), f=exact, g=bound))

bits(energy)  # error
bits(pushforward(energy, f=bound))  # error
bits(pushforward(normal((2,)), g=sampled))  # error
bits(pushforward(sampler, f=exact))  # error
langevin(pushforward(normal((2,)), g=bound))  # error
likelihood(pushforward(normal((2,)), g=sampled))  # error
likelihood(energy)  # error
