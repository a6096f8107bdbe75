"""What the autoencoders of discrete codes share: a decoder that learns first, and a chain of its codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core import Event, Model, Player, Transform, through
from ..core.model import nothing
from ..distributions.quantised import Quantised, Quantiser
from ..transforms import quantised
from .coding import decoder_of, encoder_of
from .transformer import transformer


def observed_codes(
    event: Event, quantiser: Quantiser, width: int, depth: int
) -> Transform[Quantised]:
    """The `quantised` step from symbols to the data, by two perceptrons."""
    decode, observation = decoder_of(event, quantiser.size, width, depth)
    encode = encoder_of(event, quantiser.size, width, depth)
    return quantised(quantiser, decode, encode, observation)


def of_codes(
    event: Event,
    step: Transform[Quantised],
    loss: Callable[..., Any],
    prior_width: int,
    prior_depth: int,
    carry: Callable[..., Any] = nothing,
) -> Model:
    """A causal transformer over the symbols of `step`, pushed through it. Claim: Bound.

    The decoder's player, with its encoder and codes, learns by `loss`; the chain's, on the symbols that are
    drawn of the batch. Symbols are in the order of places; one network says what they are given those before.
    """
    quantiser = step.inverse.quantiser
    symbols = Event((quantiser.symbols,), quantiser.levels, event.classes)
    prior = transformer(symbols, width=prior_width, depth=prior_depth)
    players = {"decoder": Player(("decoder",), loss)}
    model = through(prior, decoder=step)
    return model._replace(players=players | model.players, carry=carry)
