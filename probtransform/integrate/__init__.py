"""Integrators, shared by everything that moves in time."""

from .ode import runge_kutta

__all__ = ["runge_kutta"]
