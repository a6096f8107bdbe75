"""The algebra: distributions, transforms, pushforward, claims, models and their players."""

from .condition import Maybe, drop, one_hot
from .density import Bound, Density, Exact, Unnormalized, join
from .distribution import Distribution, Transform, pushforward
from .draw import (
    encode,
    interpolate,
    log_density,
    log_density_many,
    sample,
    sample_and_log_density,
    sample_many,
    sample_stages,
)
from .model import Batch, Event, Model, Player, each, initial, through
from .network import Causal, Network, from_equinox, from_linen, from_nnx, reading

__all__ = [
    "Batch",
    "Bound",
    "Causal",
    "Density",
    "Distribution",
    "Event",
    "Exact",
    "Maybe",
    "Model",
    "Network",
    "Player",
    "Transform",
    "Unnormalized",
    "drop",
    "each",
    "encode",
    "from_equinox",
    "from_linen",
    "from_nnx",
    "initial",
    "interpolate",
    "join",
    "log_density",
    "log_density_many",
    "one_hot",
    "pushforward",
    "reading",
    "sample",
    "sample_and_log_density",
    "sample_many",
    "sample_stages",
    "through",
]
