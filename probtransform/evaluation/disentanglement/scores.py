"""Every score of one representation."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import numpy as np

from .dci import dci
from .fixed_factor import beta_vae_score, factor_vae_score, generator
from .information import checked, mig, modularity
from .interventional import irs
from .sap import sap


def scores(
    codes,
    factors,
    sizes: Sequence[int],
    key,
    train: int = 10_000,
    test: int = 5_000,
    trees: int = 10_000,
) -> dict[str, float]:
    """All scores of `codes: [n, k]` of a whole grid of `factors: [n, f]`, in raster order, by their names.

    Information is that of the whole grid. SAP and DCI learn from `train` and `trees` draws of four fifths of
    its examples, and are tested on `test` draws of the rest: the usual draws of both from all let a tree be
    asked what it was told. Trees take time. `sizes` says how many values each factor has. Raises ValueError
    if the grid is not whole.
    """
    codes, factors = checked("scores", codes, factors)
    grid = np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), 1)
    if not np.array_equal(grid, factors):
        raise ValueError(
            f"scores: got factors of shape {factors.shape} that are not the grid {tuple(sizes)} in raster "
            "order, wanted all of it; use the scores one by one"
        )
    draw, first, second = jax.random.split(key, 3)
    random = generator(draw)
    seen, unseen = np.split(random.permutation(len(codes)), [len(codes) * 4 // 5])
    rows, others = random.choice(seen, max(train, trees)), random.choice(unseen, test)
    held = (codes[others], factors[others])

    def encode(values):
        return codes[np.ravel_multi_index(values.T, sizes)]

    trained = dci(codes[rows[:trees]], factors[rows[:trees]], *held)
    return {
        "mig": mig(codes, factors),
        "sap": sap(codes[rows[:train]], factors[rows[:train]], *held),
        "dci_disentanglement": trained.disentanglement,
        "dci_completeness": trained.completeness,
        "dci_informativeness": trained.informativeness,
        "beta_vae_score": beta_vae_score(encode, sizes, first, train=train, test=test),
        "factor_vae_score": factor_vae_score(encode, sizes, second, train=train, test=test),
        "modularity": modularity(codes, factors),
        "irs": irs(codes, factors),
    }
