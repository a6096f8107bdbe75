"""TarFlow: masked autoregressive flows over the patches of an image, their network a transformer."""

from __future__ import annotations

import math

from ..core import Batch, Event, Exact, Model, Transform
from ..core.check import positive
from ..networks.causal_transformer import token_transformer
from ..transforms import entrywise, masked_autoregressive, reshape, shift_and_scale, stacked
from .maf import orders
from .normalizing_flow import crescent, image_flow
from .patches import patches, tokens_of


def tarflow(
    event: Event, patch: int = 2, layers: int = 4, width: int = 64, depth: int = 2, heads: int = 4
) -> Model:
    """An `image_flow` whose patches are moved as those before say, their order turning. Claim as there.

    Each of `layers`, the identity at first, is `x_i = z_i exp(s_i) + t_i` for patches of `patch` x `patch`,
    scale and shift from a causal transformer of `depth` blocks over the patches before; a vector has its
    entries as tokens. Densities take one pass of each network; samples go patch by patch, with keys and
    values kept.

    Example: `tarflow(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`.
    Zhai et al. (2024), arXiv:2412.06329. Raises ValueError unless `patch` divides both sides of an image,
    and `heads` divides `width`.
    """
    positive("tarflow", patch=patch, layers=layers)
    size, numbers = tokens_of(event.shape, patch)
    scalar = entrywise(shift_and_scale(), numbers)
    network = token_transformer(size, numbers, scalar.size, event.classes, width, depth, heads)

    def layer(order) -> Transform[Exact]:
        return masked_autoregressive(network, order, scalar)

    return image_flow(
        event,
        tokens=reshape((size, numbers)),
        layers=stacked(layer, orders(layers, size)),
        image=patches(event.shape, patch),
    )


def preset(event: Event) -> dict:
    if event.levels is None:
        return {"steps": 2000, "batch": 256, "rate": 2e-3}
    patch = 4 if math.prod(event.shape) > 500 else 2
    return {"steps": 500, "batch": 64, "rate": 2e-3, "weight_decay": 0.1, "patch": patch}


def tiny() -> tuple[Model, Batch]:
    return tarflow(Event((2,)), layers=2, width=8, depth=1, heads=2), crescent()
