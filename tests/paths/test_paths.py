"""Paths and their five views: against each other, at both ends, and in bad company."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform import paths
from probtransform.integrate import euler, grids, heun

ALL = {
    "linear": paths.linear(),
    "trigonometric": paths.trigonometric(),
    "cosine": paths.cosine(),
    "vp": paths.vp(),
    "sub_vp": paths.sub_vp(),
    "log_linear": paths.log_linear(),
    "ve": paths.ve(),
    "edm": paths.edm(),
    "exploding": paths.exploding(),
    "shifted": paths.retimed(paths.linear(), lambda t: paths.shift(t, 3.0)),
}
KEEPS_VARIANCE = ("trigonometric", "cosine", "vp", "log_linear")


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("name", ALL)
def test_rates_are_slopes_and_the_way_leads_to_the_data(name):
    path, t, h = ALL[name], np.linspace(0.01, 0.99, 33), 1e-6
    before, here, after = (paths.at(path, t + d) for d in (-h, 0, h))
    for value in ("alpha", "sigma"):
        slope = (getattr(after, value) - getattr(before, value)) / (2 * h)
        np.testing.assert_allclose(
            getattr(here, f"{value}_dot"), slope, rtol=1e-6, atol=1e-6 * np.abs(slope).max()
        )
    assert (np.diff(here.alpha / here.sigma) > 0).all()
    if name in KEEPS_VARIANCE:
        np.testing.assert_allclose(here.alpha**2 + here.sigma**2, 1, rtol=1e-12)


def test_paths_are_those_of_the_papers():
    """Diffusion runs backwards there: s = 1 - t."""
    t = np.linspace(0.05, 0.95, 7)
    s = 1 - t
    integral = 0.1 * s + (20.0 - 0.1) * s**2 / 2  # of beta, Song et al. (2021), equation 32
    vp, sub_vp = paths.at(paths.vp(), t), paths.at(paths.sub_vp(), t)
    np.testing.assert_allclose(vp.alpha, np.exp(-integral / 2), rtol=1e-12)
    np.testing.assert_allclose(vp.sigma**2, 1 - np.exp(-integral), rtol=1e-12)
    np.testing.assert_allclose(sub_vp.sigma, 1 - np.exp(-integral), rtol=1e-12)
    f = np.cos((s + 0.008) / 1.008 * np.pi / 2) ** 2 / np.cos(0.008 / 1.008 * np.pi / 2) ** 2
    np.testing.assert_allclose(paths.at(paths.cosine(), t).alpha ** 2, f, rtol=1e-12)
    ve = paths.at(paths.ve(0.01, 50.0), t)
    np.testing.assert_allclose(ve.sigma, 0.01 * (50 / 0.01) ** s, rtol=1e-12)
    straight = paths.log_linear(-13.3, 5.0)  # Kingma et al. (2021), section 6
    np.testing.assert_allclose(straight.log_snr(jnp.asarray(t)), -13.3 + 18.3 * t, rtol=1e-12)
    edm = (80 ** (1 / 7) + t * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7
    np.testing.assert_allclose(paths.at(paths.edm(), t).sigma, edm, rtol=1e-12)


@pytest.mark.parametrize("name", [name for name in ALL if name != "log_linear"])
def test_ends_are_exact(name):  # of the last, a finite log-SNR is all there is to know
    start, end = (paths.at(ALL[name], t) for t in (0.0, 1.0))
    sizes = {"ve": (50.0, 0.01), "edm": (80.0, 0.002), "exploding": (80.0, 0.0)}
    first, last = sizes.get(name, (1.0, 0.0))
    np.testing.assert_allclose(end.alpha, 1.0, rtol=1e-15)
    np.testing.assert_allclose([start.sigma, end.sigma], [first, last], rtol=1e-4, atol=1e-300)
    if name in ("linear", "trigonometric", "cosine", "shifted"):
        assert start.alpha == 0 and end.sigma == 0


@pytest.mark.parametrize("name", ALL)
def test_times_of_log_snr(name):
    path = ALL[name]
    t = np.linspace(0.02, 0.98, 25)
    log_snr = 2 * np.log(paths.at(path, t).alpha / paths.at(path, t).sigma)
    np.testing.assert_allclose(paths.time_of(path, log_snr), t, atol=1e-12)
    np.testing.assert_allclose(paths.time_of(path, [-1e9, 1e9]), [0, 1], atol=1e-15)


@pytest.mark.parametrize("name", ALL)
def test_views_form_a_cycle(name):
    """From any view to any other and back is where it began; each is what its name says."""
    path, t = ALL[name], np.array([0.1, 0.35, 0.8, 0.97])
    r, x, z = paths.at(path, t), 0.7, -1.3
    point = r.alpha * x + r.sigma * z
    truth = {
        "data": x + 0 * t,
        "noise": z + 0 * t,
        "v": r.alpha * z - r.sigma * x,
        "score": -z / r.sigma,
        "velocity": r.alpha_dot * x + r.sigma_dot * z,
    }
    for source in paths.VIEWS:
        for target in paths.VIEWS:
            p, q = paths.view_at(path, t, source, target)
            found = p * point + q * truth[source]
            size = np.abs(p * point) + np.abs(q * truth[source])  # of what cancels
            np.testing.assert_allclose(found, truth[target], rtol=0, atol=1e-13 * size.max())


def test_views_at_the_ends():
    """Where they are known they are exact; where they are not, it says so."""
    line, vp = paths.linear(), paths.vp()
    assert paths.view_at(line, 0.0, "velocity", "data") == (1, 1)  # x = z + v
    assert paths.view_at(line, 1.0, "velocity", "noise") == (1, -1)
    assert paths.view_at(line, 1.0, "score", "data") == (1, 0)
    for path, t, source, target in (
        (line, 0.0, "noise", "data"),
        (line, 0.0, "score", "velocity"),
        (line, 1.0, "data", "noise"),
        (line, 1.0, "noise", "score"),
        (vp, 1.0, "data", "velocity"),
    ):
        with pytest.raises(ValueError, match=f"at t = {t:g} the {source} and x_t do not tell"):
            paths.view_at(path, t, source, target)


def test_a_network_in_another_view():
    from probtransform.core import Network

    path, x, z = paths.trigonometric(), 0.7, -1.3
    network = Network(lambda key: (), lambda params, x_t, t, cond: jnp.full_like(x_t, z))
    velocity = paths.as_view(network, path, "noise", "velocity")
    t = jnp.asarray(0.3)
    found = velocity.apply((), path.point(x, z, t)[None], t, None)
    np.testing.assert_allclose(found[0], path.velocity(x, z, t), rtol=1e-12)
    assert paths.as_view(network, path, "noise", "noise") is network


def test_shifts_compose():
    t = np.linspace(0, 1, 11)
    twice = paths.shift(paths.shift(t, 2.0), 1.5)
    np.testing.assert_allclose(twice, paths.shift(t, 3.0), rtol=1e-14)
    plain, shifted = paths.at(ALL["linear"], t[1:-1]), paths.at(ALL["shifted"], t[1:-1])
    ratio = (shifted.sigma / shifted.alpha) / (plain.sigma / plain.alpha)
    np.testing.assert_allclose(ratio, 3, rtol=1e-12)


def test_paths_are_read_in_double_precision_inside_a_program():
    @jax.jit
    def program(x):
        sigma = paths.at(paths.vp(), 0.999).sigma
        assert isinstance(sigma, np.ndarray) and sigma.dtype == np.float64
        return x * sigma

    with jax.enable_x64(False):
        program(jnp.ones(()))


def test_grids():
    path = paths.edm()
    steps = np.array([0, 1, 7, 17])
    wanted = (80 ** (1 / 7) + steps / 17 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7
    times = grids.karras(path, 18)
    np.testing.assert_allclose(paths.at(path, times[steps]).sigma, wanted, rtol=1e-11)
    even = paths.at(paths.vp(), grids.log_snr(paths.vp(), 10, 0.1, 0.9))
    np.testing.assert_allclose(np.diff(np.log(even.alpha / even.sigma), 2), 0, atol=1e-11)
    np.testing.assert_allclose(grids.power(4, 2.0), [0, 7 / 16, 12 / 16, 15 / 16, 1])


def test_bad_input():
    line = paths.linear()
    for broken, why in (
        (
            lambda: euler(line, [1.0, 0.5, 0.0], "velocity"),
            "0.5 after 1, wanted times that increase",
        ),
        (lambda: euler(line, [0.0, 0.5, 0.5, 1.0], "velocity"), "0.5 after 0.5"),
        (lambda: euler(line, [0.0], "velocity"), "at least two times"),
        (lambda: grids.uniform(0), "steps=0"),
        (lambda: paths.at(line, 1.1), "from 1.1 to 1.1, wanted 0"),
        (lambda: euler(line, grids.uniform(4), "noise"), "at t = 0 the noise and x_t do not tell"),
        (lambda: euler(line, grids.uniform(4), "epsilon"), "'epsilon', wanted one of noise"),
        (lambda: grids.log_snr(line, 4), "finite log-SNR"),
        (lambda: grids.karras(line, 4, low=3.0, high=1.0), "wanted 0 < low < high"),
        (lambda: paths.ve(2.0, 1.0), "wanted 0 < low < high"),
        (lambda: paths.shift(0.5, 0.0), "by=0.0, wanted more than 0"),
    ):
        with pytest.raises(ValueError, match=why):
            broken()


def test_the_last_step_to_no_noise_is_euler_where_the_velocity_is_unknown():
    table = heun(paths.vp(), grids.uniform(3), "data")
    assert list(table.t) == [0, 1 / 3, 1 / 3, 2 / 3, 2 / 3]
