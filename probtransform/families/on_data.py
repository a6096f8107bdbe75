"""From a model of flat real vectors to a model of the data."""

from __future__ import annotations

import math

from ..core import Event, Model, each, through
from ..transforms import marginal, marginal_of, onto


def on_data(model: Model, event: Event) -> Model:
    """The same model, one or two transforms further: reals are reshaped, levels are rounded.

    On levels, each entry's own histogram, which `prepare` reads off the data, comes before rounding:
    the model learns on entries that are standard normal one by one, and only what they have to do
    with one another is left to learn.

    Example: on `Event((8, 8, 1), levels=17)` a model of `f32[64]` becomes one of `u8[8, 8, 1]`.
    """
    last, levels = onto(event), event.levels
    if levels is None:
        return through(model, data=last)
    entries = through(model, marginal=marginal(math.prod(event.shape), levels))
    whole = through(entries, data=last)

    def prepare(params, key, batch):
        z, _ = each(last.inverse.fn, params["data"], key, batch)
        return whole.prepare(params | {"marginal": marginal_of(z, levels)}, key, batch)

    return whole._replace(prepare=prepare)
