"""From a model of standard vectors to a model of the data: mean and covariance are read off, not learned."""

from __future__ import annotations

import math

from ..core import Event, Model, through
from ..transforms import affine
from .gaussian import fitted
from .on_data import on_data


def whitened(model: Model, event: Event) -> Model:
    """The same model behind an affine map of the data's mean and covariance, then `on_data`.

    On levels it is the covariance of the normal scores: a Gaussian copula, and the model what is left. The
    model has nothing of its own to prepare.
    """

    def prepare(params, key, batch):
        return params | {"affine": fitted(batch.x, ridge=0.02)}

    whole = through(model, affine=affine(math.prod(event.shape)))
    return on_data(whole._replace(prepare=prepare), event)
