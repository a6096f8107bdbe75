"""Disentangling: the evidence bound with its divergence weighed, held at a level, or split in three.

All are losses of a `decoder` step over N(0, I), players' losses over a whole batch, in nats. With
`KL = KL(q(z|x) || N(0, I))` in closed form, `E[log p(x|z)] - KL` is the bound they start from.
"""

from .bottleneck import bottleneck, counter
from .codes import Codes, bound, encoding
from .density_ratio import density_ratio, permuted
from .moments import moments
from .total_correlation import Split, split, stratified, total_correlation, weighted

__all__ = [
    "Codes",
    "Split",
    "bottleneck",
    "bound",
    "counter",
    "density_ratio",
    "encoding",
    "moments",
    "permuted",
    "split",
    "stratified",
    "total_correlation",
    "weighted",
]
