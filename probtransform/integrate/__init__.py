"""Integrators, shared by everything that moves in time."""

from .adaptive import adaptive
from .ode import runge_kutta

__all__ = ["adaptive", "runge_kutta"]
