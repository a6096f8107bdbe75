"""Does a transform keep what its claim promises? One function for ours, yours, or a peer's."""

from .check import check_transform
from .report import Finding, Report

__all__ = ["Finding", "Report", "check_transform"]
