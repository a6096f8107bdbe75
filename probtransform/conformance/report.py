"""What a check found: promises, each with the number that was seen and the most that keeps it."""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np


class Finding(NamedTuple):
    """One promise: `number` is what was seen, at most `limit` keeps it; a limit of None only reports."""

    number: float
    limit: float | None
    sentence: str

    @property
    def passed(self) -> bool:
        return self.limit is None or self.number <= self.limit  # NaN breaks every promise


class Report(NamedTuple):
    """What `check_transform` saw: `{name: Finding}`; printed, a line each."""

    findings: dict[str, Finding]

    @property
    def failed(self) -> dict[str, Finding]:
        return {name: found for name, found in self.findings.items() if not found.passed}

    @property
    def passed(self) -> bool:
        return not self.failed

    def __str__(self) -> str:
        return "\n".join(
            f"{'report' if f.limit is None else 'passed' if f.passed else 'FAILED'}  {name}: {f.number:.3g}"
            + ("" if f.limit is None else f" (at most {f.limit:.3g})")
            + ("" if f.passed and f.limit is not None else f"; {f.sentence}")
            for name, f in self.findings.items()
        )


def gap(a, b) -> float:
    """The largest difference of two pytrees, relative where numbers exceed one; NaN where either is."""
    pairs = zip(*map(jax.tree.leaves, (a, b)), strict=True)
    return float(np.max([np.max(off(p, q), initial=0.0) for p, q in pairs], initial=0.0))


def off(a, b):
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    same = a == b  # infinities among them
    return np.where(same, 0.0, abs(a - b) / np.maximum(1, abs(b)))
