"""Integrators, shared by everything that moves in time."""

from . import grids, guidance, jumps
from .adaptive import adaptive, ito
from .drift import bridging, drifting
from .explicit import EULER, HEUN, MIDPOINT, RK4, Tableau, euler, explicit, heun, midpoint, rk4
from .exponential import deis, dpm_solver, dpm_solver_pp, singlestep
from .geodesic import geodesic_runge_kutta
from .gibbs import gibbs
from .hmc import hmc
from .langevin import langevin, mala
from .ode import runge_kutta
from .stochastic import (
    ancestral,
    annealed_langevin,
    churned,
    ddim,
    dpm_solver_pp_sde,
    euler_maruyama,
    predictor_corrector,
)
from .table import PAST, Table, alike, denoised, run
from .tempering import tempering
from .unipc import unipc

__all__ = [
    "EULER",
    "HEUN",
    "MIDPOINT",
    "PAST",
    "RK4",
    "Table",
    "Tableau",
    "adaptive",
    "alike",
    "ancestral",
    "annealed_langevin",
    "bridging",
    "churned",
    "ddim",
    "deis",
    "denoised",
    "dpm_solver",
    "dpm_solver_pp",
    "dpm_solver_pp_sde",
    "drifting",
    "euler",
    "euler_maruyama",
    "explicit",
    "geodesic_runge_kutta",
    "gibbs",
    "grids",
    "guidance",
    "heun",
    "hmc",
    "ito",
    "jumps",
    "langevin",
    "mala",
    "midpoint",
    "predictor_corrector",
    "rk4",
    "run",
    "runge_kutta",
    "singlestep",
    "tempering",
    "unipc",
]
