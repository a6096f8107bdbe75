"""What the families share that jump from noise to symbols."""

from __future__ import annotations

from collections.abc import Callable

from ..core import Event, Model, Network, pushforward, through
from ..distributions import uniform
from ..distributions.tempered import lacking
from ..networks.symbol_convnet import symbol_convnet
from ..paths import discrete
from ..transforms import cut, jump_chain
from .chain import cells, placed, symbols_of
from .pixelcnn import image_of


def jumping(
    event: Event, width: int, depth: int, mask: bool, bins: int
) -> tuple[Network, discrete.DiscretePath, Callable]:
    """The network of block "belief", its path, and `(jumps, steps) -> Distribution` of symbols.

    Uniform numbers are cut into the noise of the path, masks or uniform symbols, which then jump to data.
    """
    d, levels = symbols_of(event, bins)
    path = (discrete.masked if mask else discrete.uniform)(levels)
    states, shape = len(path.noise), event.shape if event.levels else (d,)
    network = symbol_convnet(image_of(event), levels, states, event.classes, width, depth)

    def chained(jumps, steps: int):
        chain = jump_chain(network, path, jumps, shape, steps)
        return pushforward(uniform((d,)), noise=cut(d, path.noise), belief=chain)

    return network, path, chained


def of_symbols(model: Model, event: Event, bins: int) -> Model:
    """A model of symbols as one of the data: as it is on levels; on reals, one of `cells`.

    No step has a constant of its own: where the symbols know a ladder to theirs, so do the reals.
    """
    if event.levels is not None:
        return model
    whole = model
    for name, step in cells(event, bins).items():
        whole = through(whole, **{name: step})
    law = whole.distribution
    if law.density is not None:
        law = law._replace(density=lacking(law.density, model.distribution))

    def prepare(params, key, batch):
        return whole.prepare(placed(params, batch), key, batch)

    return whole._replace(distribution=law, prepare=prepare)
