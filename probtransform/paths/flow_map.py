"""A prediction that knows where it goes: the flow map X(x, s, t) of a path, from one time to another."""

from __future__ import annotations

from ..core import Network
from .path import Path
from .views import known, view


def as_flow_map(network: Network, path: Path, predicts: str = "velocity") -> Network:
    """The same parameters as the map `(x, s, t, cond) -> X(x, s, t)` from time s to time t.

    `X = alpha_t x^ + sigma_t z^`, x^ and z^ being the data and the noise that x and the prediction
    `network.apply(params, x, s, t, cond)` tell at s. So X(x, s, s) = x, whatever the network; X(x, s, 1) is a
    consistency function, with the skip of its path; and on the linear path a velocity gives
    `X = x + (t - s) u(x, s, t)`: u is the mean velocity on the way.

    Song et al. (2023), arXiv:2303.01469; Geng et al. (2025), arXiv:2505.13447. Raises ValueError for another
    prediction than noise, data, v, score or velocity.
    """
    known(predicts)

    def apply(params, x, s, t, cond=None):
        p, q = jump(path, predicts, s, t)
        return p * x + q * network.apply(params, x, s, t, cond)

    return Network(network.init, apply)


def jump(path: Path, predicts: str, s, t):
    """`(p, q)` such that `X(x, s, t) = p x + q prediction`; one step of DDIM, of whatever length."""
    there = path.rates(t)
    return view(path.rates(s), predicts, (there.alpha, there.sigma))


def straight(network: Network) -> Network:
    """A prediction `(x, s, cond)` as one `(x, s, t, cond)` that does not ask where it goes."""

    def apply(params, x, s, t, cond=None):
        return network.apply(params, x, s, cond)

    return Network(network.init, apply)
