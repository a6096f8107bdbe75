"""The same numbers as diffusers and k-diffusion, from one field and one start."""

import importlib.util
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gaussian_field import FIVE

from probtransform import integrate, paths
from probtransform.integrate.exponential import multistep, polynomial

pytestmark = pytest.mark.peers
STEPS, LAST = 27, 999
BETAS = np.linspace(1e-4, 0.02, 1000, dtype=np.float32)
Z = np.array([[-1.7, -0.6, 0.3, 1.1, 1.9], [0.4, 1.2, -0.8, -1.5, 0.6]])


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def discrete() -> paths.Path:
    """The path of 1000 steps that diffusers has: its numbers at `t = 1 - i / 999`, straight between them."""
    kept = np.cumprod(1 - BETAS)[::-1].astype(np.float64)  # in single precision, as theirs
    places = np.linspace(0, 1, 1000)
    alpha, sigma = np.sqrt(kept), np.sqrt(1 - kept)
    return paths.Path(
        lambda t: jnp.interp(t, places, alpha), lambda t: jnp.interp(t, places, sigma)
    )


def theirs(name: str, stamps=None, **settings):
    """The end of a scheduler of diffusers, fed with the exact noise in double precision."""
    torch, diffusers = pytest.importorskip("torch"), pytest.importorskip("diffusers")
    scheduler = getattr(diffusers, name)(trained_betas=BETAS, **settings)
    scheduler.set_timesteps(STEPS if stamps is None else stamps)
    x, field = torch.tensor(Z), FIVE.field(discrete(), "noise")
    for i in scheduler.timesteps[: None if stamps is None else -1]:
        noise = field(jnp.asarray(x.numpy()), jnp.asarray(1 - int(i) / LAST))
        x = scheduler.step(torch.tensor(np.asarray(noise)), i, x).prev_sample
    return x.numpy()


def ours(make, times=None):
    times = np.linspace(0, 1, STEPS + 1) if times is None else times
    table = make(discrete(), times, "noise")
    return integrate.run(table._replace(start=1.0), FIVE.field(discrete(), "noise"), jnp.asarray(Z))


SETTINGS = {
    "timestep_spacing": "linspace",
    "final_sigmas_type": "sigma_min",
    "lower_order_final": False,
}


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("kind", ["dpmsolver", "dpmsolver++"])
def test_dpm_solver(kind, order):
    settings = {"algorithm_type": kind, "solver_order": order, "solver_type": "midpoint"}
    found = theirs("DPMSolverMultistepScheduler", **settings, **SETTINGS)
    make = integrate.dpm_solver if kind == "dpmsolver" else integrate.dpm_solver_pp
    end = ours(lambda *a: make(*a, order))
    np.testing.assert_allclose(end, found, rtol=10.0 ** (order - 7), atol=10.0 ** (order - 7))


@pytest.mark.parametrize("kind", ["dpmsolver", "dpmsolver++"])
def test_the_published_third_order_takes_half_of_the_second_derivative(kind):
    """That half apart we are equal; theirs is of order 2, which `test_samplers` would not let pass."""
    settings = {"algorithm_type": kind, "solver_order": 3}
    found = theirs("DPMSolverMultistepScheduler", **settings, **SETTINGS)
    reads = "noise" if kind == "dpmsolver" else "data"

    def published(step, lams):
        weights = integrate.exponential.halfway(step, lams)
        if len(lams) < 3:
            return weights
        whole = np.asarray(polynomial(step, lams))
        line = np.asarray(slope_only(step, lams))
        return (whole + line) / 2

    def make(*arguments):
        return multistep(*arguments, reads, 3, published)

    np.testing.assert_allclose(ours(make), found, rtol=0, atol=1e-4)


def slope_only(step, lams):
    """The weights of `D + D' s`, with D' the slope of the parabola at its newest place."""
    first, second = lams[0] - lams[1], lams[0] - lams[2]
    slope = np.array([1 / first + 1 / second, -second / first / (second - first), 0.0])
    slope[2] = -slope.sum()
    moment = step.to_gain * (np.expm1(-step.h) + step.h)  # integral of exp(s - h) s ds
    return np.array([step.first, 0, 0]) + moment * slope


@pytest.mark.parametrize("order", [1, 2, 3])
def test_unipc(order):
    found = theirs("UniPCMultistepScheduler", solver_order=order, solver_type="bh2", **SETTINGS)
    end = ours(lambda *a: integrate.unipc(*a, order))
    np.testing.assert_allclose(end, found, rtol=10.0 ** (order - 7), atol=10.0 ** (order - 7))


@pytest.mark.parametrize("order", [1, 2, 3])
def test_deis(order):
    settings = {k: v for k, v in SETTINGS.items() if k != "final_sigmas_type"}
    found = theirs("DEISMultistepScheduler", solver_order=order, **settings)
    end = ours(lambda *a: integrate.deis(*a, order))
    np.testing.assert_allclose(end, found, rtol=10.0 ** (order - 7), atol=10.0 ** (order - 7))


def test_ddim():
    found = theirs("DDIMScheduler", 25, clip_sample=False, set_alpha_to_one=False)
    times = 1 - np.arange(0, 1000, 40)[::-1] / LAST
    np.testing.assert_allclose(ours(integrate.ddim, times), found, rtol=0, atol=1e-6)


@pytest.fixture(scope="module")
def k_diffusion():
    """`sampling.py` alone: the package around it wants torchvision; `pip install --no-deps k-diffusion`."""
    pytest.importorskip("torch")
    spec = importlib.util.find_spec("k_diffusion")
    if spec is None:
        pytest.skip("k_diffusion is not installed")
    folder = spec.submodule_search_locations[0]
    stubs = {name: types.ModuleType(name) for name in ("kd", "kd.utils", "torchsde")}
    stubs["kd.utils"].append_dims = lambda x, n: x[(...,) + (None,) * (n - x.ndim)]
    stubs["kd"].__path__, stubs["kd"].utils = [folder], stubs["kd.utils"]
    if importlib.util.find_spec("torchdiffeq") is None:
        stubs["torchdiffeq"] = types.ModuleType("torchdiffeq")
        stubs["torchdiffeq"].odeint = None
    with pytest.MonkeyPatch.context() as patch:
        for name, stub in stubs.items():
            patch.setitem(sys.modules, name, stub)
        spec = importlib.util.spec_from_file_location("kd.sampling", f"{folder}/sampling.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


@pytest.mark.parametrize("name", ["sample_heun", "sample_euler", "sample_dpmpp_2m"])
def test_k_diffusion(name, k_diffusion):
    import torch

    path = paths.edm()
    times = np.linspace(0, 1, 19)
    sigmas = torch.tensor(np.append(paths.at(path, times).sigma, 0.0))

    def model(x, sigma, **_):
        n = sigma.numpy()[:, None]
        away = (x.numpy() - FIVE.mean) / (FIVE.scale**2 + n**2)
        return torch.tensor(FIVE.mean + FIVE.scale**2 * away)

    found = getattr(k_diffusion, name)(model, torch.tensor(80.0 * Z), sigmas, disable=True)
    table = {
        "sample_heun": lambda: integrate.heun(path, times, "data", path.sigma),
        "sample_euler": lambda: integrate.explicit(
            integrate.EULER, path, times, "data", path.sigma
        ),
        "sample_dpmpp_2m": lambda: integrate.dpm_solver_pp(path, times, "data"),
    }[name]()
    table = integrate.denoised(table, path, "data")
    end = integrate.run(table, FIVE.field(path, "data"), jnp.asarray(Z))
    np.testing.assert_allclose(end, found.numpy(), rtol=0, atol=1e-12)
