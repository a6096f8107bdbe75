"""One sentence for a wrong argument: what was got, what was wanted, what to do."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp


def example(who: str, x, shape: tuple[int, ...], kind=jnp.floating) -> None:
    """Raise ValueError unless `x` is ONE example of this shape and kind of number; free under jit."""
    got, dtype = jnp.shape(x), jnp.result_type(x)
    if got != shape:
        hint = "map over the batch with jax.vmap" if got[1:] == shape else "reshape it"
        raise ValueError(f"{who}: got an example of shape {got}, wanted {shape}; {hint}")
    if not jnp.issubdtype(dtype, kind):
        raise ValueError(
            f"{who}: got an example of dtype {dtype}, wanted {kind.__name__} numbers; cast it"
        )


def positive(who: str, **numbers: int) -> None:
    """Raise ValueError naming the first of these that is less than one."""
    for name, number in numbers.items():
        if number < 1:
            raise ValueError(f"{who}: got {name}={number}, wanted at least 1; pass a larger one")


def above_zero(who: str, **numbers: float) -> None:
    """Raise ValueError naming the first of these that is not above zero, or not finite, where known."""
    for name, number in numbers.items():
        if not isinstance(number, jax.core.Tracer) and not 0 < number < math.inf:
            raise ValueError(
                f"{who}: got {name}={number}, wanted a finite number > 0; pass a small one, 0.1 say"
            )


def not_negative(who: str, **numbers: float) -> None:
    """Raise ValueError naming the first of these weights that is negative or not finite, where known."""
    for name, number in numbers.items():
        if not isinstance(number, jax.core.Tracer) and not 0 <= number < math.inf:
            raise ValueError(
                f"{who}: got {name}={number}, wanted a finite number >= 0; 0 leaves the term out"
            )


def disjoint(who: str, blocks: dict, others: dict) -> dict:
    """All blocks in one dict, or ValueError naming those that both have: parameters would be shared."""
    if clash := sorted(blocks.keys() & others.keys()):
        raise ValueError(
            f"{who}: got blocks named {clash} twice, wanted a name for each; rename one of them"
        )
    return blocks | others
