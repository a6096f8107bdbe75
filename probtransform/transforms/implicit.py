"""A map that only goes forward: nothing can be claimed of the density."""

from __future__ import annotations

from ..core import Network, Transform


def implicit(network: Network) -> Transform[None]:
    """`x = network.apply(params, z, cond)`, any shapes, no way back: a GAN's generator.

    Goodfellow et al. (2014), arXiv:1406.2661.
    """

    def forward(params, key, z, cond=None):
        return network.apply(params, z, cond)

    return Transform(network.init, forward, None)
