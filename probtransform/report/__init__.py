"""Pictures of models, and the page that gathers them."""

from .curves import curves
from .density import heat
from .page import Row, page
from .samples import grid

__all__ = ["Row", "curves", "grid", "heat", "page"]
