"""Pictures of models, and the page that gathers them."""

from .curves import curves
from .density import heat
from .page import Row, page
from .samples import grid
from .table import Table, read_table

__all__ = ["Row", "Table", "curves", "grid", "heat", "page", "read_table"]
