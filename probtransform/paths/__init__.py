"""Paths between base (t = 0) and data (t = 1)."""

from .gaussian import Path, linear

__all__ = ["Path", "linear"]
