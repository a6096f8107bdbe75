"""A game that cannot be played is refused."""

import pytest

from probtransform.core import Event
from probtransform.families.gan import gan


@pytest.mark.parametrize(
    "bad, wanted",
    [
        ({"critic_steps": 0}, "gan: got critic_steps=0, wanted at least 1"),
        ({"latent": 0}, "gan: got latent=0, wanted at least 1"),
        ({"penalty": -1.0}, "gan: got penalty=-1.0, wanted a finite number >= 0"),
        ({"penalty": float("nan")}, "gan: got penalty=nan"),
    ],
)
def test_numbers_no_game_has_are_named(bad, wanted):
    with pytest.raises(ValueError, match=wanted):
        gan(Event((2,)), **bad)
