"""Samplers on a mixture of normals, whose flow is known: quantiles to quantiles, in double precision.

Near the ridges between modes derivatives are large, and the order of a sampler shows late; so what is asked
here is a bound, and that more steps come nearer.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mixture_map import THREE

from probtransform import integrate, paths
from probtransform.integrate import grids

PATHS = {"linear": paths.linear(), "vp": paths.vp()}
SAMPLERS = {  # what is left after 64 steps of the deviation of the data, 1.2
    "euler": (integrate.euler, 0.08),
    "ddim": (integrate.ddim, 0.08),
    "heun": (integrate.heun, 0.02),
    "rk4": (integrate.rk4, 2e-3),
    "dpm_solver_pp2": (partial(integrate.dpm_solver_pp, order=2), 0.03),
    "dpm_solver_pp3": (partial(integrate.dpm_solver_pp, order=3), 0.03),
    "unipc2": (partial(integrate.unipc, order=2), 0.02),
    "deis3": (partial(integrate.deis, order=3), 0.03),
}


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("name", PATHS)
def test_the_end_is_the_quantile(name, sampler):
    """Root mean square over 99 quantiles of the base, from 1e-3 after the start to 5e-3 before the end."""
    path, (make, bound) = PATHS[name], SAMPLERS[sampler]
    first, last = 1e-3, 0.995
    z = jnp.asarray(np.linspace(-2.3, 2.3, 99))
    start = paths.at(path, first).sigma * z
    wanted = THREE.carried(path, start, jnp.asarray(first), jnp.asarray(last))
    r = paths.at(path, first)
    assert r.sigma > 0.99

    def field(x, t):
        return THREE.velocity(path, x, t)

    errors = []
    for steps in (16, 32, 64):
        table = make(path, first + (last - first) * grids.power(steps, 1.5), "velocity")
        end = integrate.run(table, field, z)
        errors.append(float(jnp.sqrt(jnp.mean((end - wanted) ** 2))))
    assert errors[2] < bound and errors[2] < 0.7 * errors[1] < 0.49 * errors[0], errors
