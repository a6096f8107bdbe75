"""Where samplers of others go wrong, seen against an exact answer, and ours beside them.

    PEERS/bin/python -m benchmarks.wrong_results        (a minute)

where PEERS is a virtual environment with this package and, in one command, `pip install torch==2.13.0
diffusers azula`. Data are normal, so that the flow carries quantiles to quantiles, and the noise
prediction is exact: the error is the sampler's own. Both are given the same path, start and times. A figure
that misses its bar is a peer's; theirs and ours have the same.

- diffusers' DEIS of third order takes differences of closed-form integrals in single precision: with more
  steps its error grows, where ours goes on falling (to order one: its path of 1000 points has corners).
  Mended by making coefficients on the host in double precision.
- diffusers' FlowMatchEuler shifts its times once when it is made and once more when steps are set, so that
  `shift = 3` acts as nine. Mended by a shift that is a function of time, applied where it is written.
- azula's REAB multiplies its integral by `sqrt(alpha_s^2 + sigma_t^2)` where s is meant in both: its error
  falls with the first power of the step whatever the order. Mended by taking both rates from one row.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import azula.sample
import jax
import jax.numpy as jnp
import numpy as np
import torch
from azula.denoise import Denoiser, DiracPosterior
from azula.noise import VPSchedule
from diffusers import DEISMultistepScheduler, FlowMatchEulerDiscreteScheduler

from probtransform import integrate, paths

from .timing import Row, publish, show

MEAN, SCALE = np.array([0.7, -0.4, 1.3]), np.array([0.25, 0.7, 2.0])
Z = np.array([-1.7, 0.3, 1.1])
BETAS = np.linspace(1e-4, 0.02, 1000, dtype=np.float32)
STEPS = (27, 37, 111, 333)
SETTINGS = {"timestep_spacing": "linspace", "lower_order_final": False, "solver_order": 3}


def thousand() -> paths.Path:
    """The path of 1000 steps at `t = 1 - i / 999`, straight between them."""
    kept, places = np.cumprod(1 - BETAS)[::-1].astype(np.float64), np.linspace(0, 1, 1000)
    alpha, sigma = np.sqrt(kept), np.sqrt(1 - kept)
    return paths.Path(
        lambda t: jnp.interp(t, places, alpha), lambda t: jnp.interp(t, places, sigma)
    )


def azulas() -> paths.Path:
    """`alpha = exp(s^2 log .001)` at `s = 1 - .9 t`: it stops before its noise falls by leaps."""
    return paths.Path(
        lambda t: jnp.exp(np.log(1e-3) * (1 - 0.9 * t) ** 2),
        lambda t: jnp.sqrt(1e-6 - jnp.expm1(2 * np.log(1e-3) * (1 - 0.9 * t) ** 2)),
    )


def noise(path, x, t):
    """Exact, given x_t."""
    alpha, sigma = path.alpha(t), path.sigma(t)
    return sigma * (x - alpha * MEAN) / (alpha**2 * SCALE**2 + sigma**2)


def spread(path, t):
    r = paths.at(path, t)
    return r.alpha * MEAN, np.sqrt(r.alpha**2 * SCALE**2 + r.sigma**2)


def exact(path, start):
    (m0, s0), (m1, s1) = spread(path, 0.0), spread(path, 1.0)
    return m1 + s1 / s0 * (start - m0)


def in_diffusers(steps: int):
    scheduler, path = DEISMultistepScheduler(trained_betas=BETAS, **SETTINGS), thousand()
    scheduler.set_timesteps(steps)
    x = torch.tensor(Z)[None]
    for i in scheduler.timesteps:
        predicted = noise(path, jnp.asarray(x.numpy()), jnp.asarray(1 - int(i) / 999))
        x = scheduler.step(torch.tensor(np.asarray(predicted)), i, x).prev_sample
    return x.numpy()[0]


class Known(Denoiser):
    """The mean of normal data given x_t."""

    def __init__(self):
        super().__init__()
        self.schedule = VPSchedule()

    def forward(self, x_t, t, **_):
        alpha, sigma = self.schedule(t)
        gain = alpha / (alpha**2 * torch.tensor(SCALE**2) + sigma**2)
        return DiracPosterior(
            mean=torch.tensor(MEAN)
            + torch.tensor(SCALE**2) * gain * (x_t - alpha * torch.tensor(MEAN))
        )


def in_azula(order: int, steps: int):
    solve = azula.sample.REABSampler(
        Known(), order=order, stop=0.1, steps=steps, silent=True, dtype=torch.float64
    )
    return solve(torch.tensor(Z)).numpy()


def ours(path, make, order: int, steps: int):
    table = make(path, np.linspace(0, 1, steps + 1), "noise", order=order)
    field = partial(noise, path)
    return np.asarray(integrate.run(table._replace(start=1.0), field, jnp.asarray(Z)))


def order_of(name: str, path, solve: Callable[[int], np.ndarray], bar: float) -> Row:
    """The order of the error between the last two counts of steps."""
    errors = [float(np.abs(solve(steps) - exact(path, Z)).max()) for steps in STEPS]
    slopes = -np.diff(np.log(errors)) / np.diff(np.log(STEPS))
    note = "errors " + "  ".join(f"{error:.1e}" for error in errors)
    return show(Row(name, float(slopes[-1]), bar, False, note, {"steps": STEPS, "errors": errors}))


def main() -> None:
    print(f"order between {STEPS[-2]} and {STEPS[-1]} steps; largest errors after {STEPS}")
    line, deis = thousand(), integrate.deis
    rows = [
        order_of("diffusers' DEIS 3", line, in_diffusers, 1),
        order_of("deis 3, on its path", line, partial(ours, line, deis, 3), 1),
    ]
    smooth = azulas()
    for order in (2, 3):
        there = partial(in_azula, order)
        here = partial(ours, smooth, deis, order)
        rows.append(order_of(f"azula's REAB {order}", smooth, there, order - 0.15))
        rows.append(order_of(f"deis {order}, on its path", smooth, here, order - 0.15))
    scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
    scheduler.set_timesteps(20)
    first = float(FlowMatchEulerDiscreteScheduler(shift=1.0).sigmas[-1])
    once, twice = shifted(first, 3), shifted(shifted(first, 3), 3)
    last = float(scheduler.sigmas[-2])
    note = f"{last:.4f}; shifted once {once:.4f}, twice {twice:.4f}"
    rows.append(show(Row("FlowMatchEuler's last noise over ours", last / once, 1.01, True, note)))
    publish("wrong_results", rows)


def shifted(sigma: float, by: float) -> float:
    return 1 - float(paths.shift(1 - sigma, by))


if __name__ == "__main__":
    with jax.enable_x64(True):
        main()
