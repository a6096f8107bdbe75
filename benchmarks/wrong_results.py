"""Where samplers of others go wrong, seen against an exact answer, and ours beside them.

    PEERS/bin/python -m benchmarks.wrong_results        (a minute)

where PEERS is a virtual environment with this package and, in one command, `pip install torch==2.13.0
diffusers`. Data are normal, so that the flow carries quantiles to quantiles, and the noise prediction is
exact: the error is the sampler's own. Both are given the same 1000-step path, start and times.

- DEIS of third order takes differences of closed-form integrals in single precision: with more steps its
  error grows, where ours goes on falling. Mended by making coefficients on the host in double precision.
- FlowMatchEuler shifts its times once when it is made and once more when steps are set, so that
  `shift = 3` acts as nine. Mended by a shift that is a function of time, applied where it is written.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import torch
from diffusers import (
    DEISMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
)

from probtransform import integrate, paths

MEAN, SCALE = np.array([0.7, -0.4, 1.3]), np.array([0.25, 0.7, 2.0])
Z = np.array([-1.7, 0.3, 1.1])
BETAS = np.linspace(1e-4, 0.02, 1000, dtype=np.float32)
STEPS = (27, 37, 111, 333)
SETTINGS = {"timestep_spacing": "linspace", "lower_order_final": False, "solver_order": 3}


def path() -> paths.Path:
    """The path of 1000 steps at `t = 1 - i / 999`, straight between them."""
    kept, places = np.cumprod(1 - BETAS)[::-1].astype(np.float64), np.linspace(0, 1, 1000)
    alpha, sigma = np.sqrt(kept), np.sqrt(1 - kept)
    return paths.Path(
        lambda t: jnp.interp(t, places, alpha), lambda t: jnp.interp(t, places, sigma)
    )


def noise(x, t):
    """Exact, given x_t."""
    alpha, sigma = path().alpha(t), path().sigma(t)
    return sigma * (x - alpha * MEAN) / (alpha**2 * SCALE**2 + sigma**2)


def spread(t):
    r = paths.at(path(), t)
    return r.alpha * MEAN, np.sqrt(r.alpha**2 * SCALE**2 + r.sigma**2)


def exact():
    (m0, s0), (m1, s1) = spread(0.0), spread(1.0)
    return m1 + s1 / s0 * (Z - m0)


def theirs(make, steps: int):
    scheduler = make(trained_betas=BETAS, **SETTINGS)
    scheduler.set_timesteps(steps)
    x = torch.tensor(Z)[None]
    for i in scheduler.timesteps:
        predicted = noise(jnp.asarray(x.numpy()), jnp.asarray(1 - int(i) / 999))
        x = scheduler.step(torch.tensor(np.asarray(predicted)), i, x).prev_sample
    return x.numpy()[0]


def ours(make, steps: int):
    table = make(path(), np.linspace(0, 1, steps + 1), "noise", order=3)
    return np.asarray(integrate.run(table._replace(start=1.0), noise, jnp.asarray(Z)))


def line(name: str, solve) -> None:
    errors = [np.abs(solve(steps) - exact()).max() for steps in STEPS]
    slopes = -np.diff(np.log(errors)) / np.diff(np.log(STEPS))
    cells = "  ".join(f"{error:.1e}" for error in errors)
    print(f"{name:28} {cells}   order {'  '.join(f'{s:5.2f}' for s in slopes)}", flush=True)


def main() -> None:
    print(f"largest error after {STEPS} steps, and the order between them")
    line("diffusers DEIS 3", partial(theirs, DEISMultistepScheduler))
    line("probtransform deis 3", partial(ours, integrate.deis))
    scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
    scheduler.set_timesteps(20)
    last = float(scheduler.sigmas[-2])
    first = float(FlowMatchEulerDiscreteScheduler(shift=1.0).sigmas[-1])
    print(
        f"last noise of FlowMatchEuler at shift 3: {last:.4f}; shifted once, {shifted(first, 3):.4f};"
    )
    print(f"twice, {shifted(shifted(first, 3), 3):.4f}")


def shifted(sigma: float, by: float) -> float:
    return 1 - float(paths.shift(1 - sigma, by))


if __name__ == "__main__":
    with jax.enable_x64(True):
        main()
