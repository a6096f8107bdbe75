"""Samplers against the exact flow of a normal distribution, in double precision."""

from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gaussian_field import FIVE

from probtransform import integrate, paths
from probtransform.integrate import grids

PATHS = {
    "vp": paths.vp(),
    "sub_vp": paths.sub_vp(),
    "cosine": paths.cosine(),
    "linear": paths.linear(),
    "edm": paths.edm(0.05, 1000.0),
}
DETERMINISTIC = {
    "euler": (integrate.euler, 1),
    "midpoint": (integrate.midpoint, 2),
    "heun": (integrate.heun, 2),
    "rk4": (integrate.rk4, 4),
    "ddim": (integrate.ddim, 1),
    "unipc1": (partial(integrate.unipc, order=1), 2),  # the corrector adds one
    "unipc2": (partial(integrate.unipc, order=2), 3),
    "unipc3": (partial(integrate.unipc, order=3), 4),
}
for order in (1, 2, 3):
    DETERMINISTIC[f"dpm_solver{order}"] = partial(integrate.dpm_solver, order=order), order
    DETERMINISTIC[f"dpm_solver_pp{order}"] = partial(integrate.dpm_solver_pp, order=order), order
for order in (1, 2, 3, 4):
    DETERMINISTIC[f"deis{order}"] = partial(integrate.deis, order=order), order
for order in (2, 3):
    for reads in ("data", "noise"):
        make = partial(integrate.singlestep, order=order, reads=reads)
        DETERMINISTIC[f"single_{reads}{order}"] = make, order
Z = np.array([[-1.7, -0.6, 0.3, 1.1, 1.9], [0.4, 1.2, -0.8, -1.5, 0.6]])


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def grid(path, steps, exponent):
    """From much noise to little; the first steps are short, so that lower orders there do not show."""
    low, high = -10.0, 4.0
    times = paths.time_of(path, low + (high - low) * (np.arange(steps + 1) / steps) ** exponent)
    assert times[0] > 0 and times[-1] < 1
    return times


@pytest.mark.parametrize(
    "exponent", [2.0, *(pytest.param(e, marks=pytest.mark.slow) for e in (2.5, 3.0))]
)
@pytest.mark.parametrize(
    "name",
    [n if n in ("linear", "edm") else pytest.param(n, marks=pytest.mark.slow) for n in PATHS],
)
def test_every_sampler_has_its_order(name, exponent):
    path = PATHS[name]
    predicts = dict(zip(PATHS, paths.VIEWS, strict=True))[name]  # every path with a view of its own
    go = jax.jit(lambda table, z: integrate.run(table, FIVE.field(path, predicts), z))
    for sampler, (make, order) in DETERMINISTIC.items():
        errors = []
        for steps in (256, 512):
            times = grid(path, steps, exponent)
            table = make(path, times, predicts)
            exact = FIVE.carried(path, times[0], table.start * Z, times[-1])
            errors.append(np.sqrt(np.mean((go(table, Z) - exact) ** 2)))
        slope = np.log2(errors[0] / errors[1])
        if (name, sampler) == ("linear", "midpoint"):
            order = 3  # of normals alone: their flow is the root of a parabola in t
        assert abs(slope - order) < 0.15, (sampler, exponent, slope, errors)


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("sampler", DETERMINISTIC)
def test_what_the_network_predicts_does_not_change_the_end(name, sampler):
    path, (make, _) = PATHS[name], DETERMINISTIC[sampler]
    times = grid(path, 7, 1.0)
    ends = [
        integrate.run(make(path, times, view), FIVE.field(path, view), Z) for view in paths.VIEWS
    ]
    for end in ends[1:]:
        np.testing.assert_allclose(end, ends[0], rtol=0, atol=1e-10)


STOCHASTIC = {
    "ddim": partial(integrate.ddim, eta=0.6),
    "ancestral": integrate.ancestral,
    "sde1": partial(integrate.dpm_solver_pp_sde, order=1),
    "sde2": integrate.dpm_solver_pp_sde,
    "euler_maruyama": integrate.euler_maruyama,
    "predictor_corrector": integrate.predictor_corrector,
    "churned": partial(integrate.churned, inflate=1.0, low=0.0, high=1e9),
}


def affine(table, field):
    """Mean and deviation of the end, dimension by dimension, of a table whose field is `a(t) + b(t) x`."""
    (table,) = integrate.alike(table)
    zero, one = jnp.zeros(5), jnp.ones(5)
    a, far = (np.asarray(jax.vmap(lambda t, x=x: field(x, t))(table.t)) for x in (zero, one))
    b, size = far - a, 2 + integrate.PAST
    mean, spread = np.zeros((5, size)), np.zeros((5, size, size))
    spread[:, :2, :2] = table.start**2
    for i in range(len(table.t)):
        p, q = table.read[i]
        see = np.eye(size, k=-1) * (np.arange(size) > 2)[:, None]  # predictions get older
        see = np.tile(see, (5, 1, 1))
        see[:, [0, 1], [0, 1]] = 1
        see[:, 2, 1] = p + q * b[i]
        mean, spread = np.einsum("dij,dj->di", see, mean), see @ spread @ see.swapaxes(1, 2)
        mean[:, 2] += q * a[i]
        move = np.eye(size)
        move[0], move[1] = table.base[i], table.point[i]
        mean, spread = mean @ move.T, move @ spread @ move.T
        new = np.zeros(size)
        new[:2] = table.noise[i, ::-1]
        spread += np.outer(new, new)
    return mean[:, 1], np.sqrt(spread[:, 1, 1])


@pytest.mark.parametrize("sampler", STOCHASTIC)
@pytest.mark.parametrize("name", ["vp", "linear"])
def test_new_noise_keeps_the_marginals(name, sampler):
    """Mean and deviation at the end tend to those of the path, at the sampler's order."""
    path, make = PATHS[name], STOCHASTIC[sampler]
    errors = []
    for steps in (20, 40, 80):
        times = grid(path, steps, 1.0)
        mean, scale = affine(make(path, times, "velocity"), FIVE.field(path, "velocity"))
        wanted = FIVE.spread(path, times[-1])
        errors.append(max(np.abs(mean - wanted[0]).max(), np.abs(scale - wanted[1]).max()))
    assert errors[2] < 0.12 and errors[2] < 0.7 * errors[1] < 0.5 * errors[0], errors


@pytest.mark.parametrize("name", ["vp", "linear", "cosine"])
def test_one_ancestral_step_is_the_posterior_of_the_path(name):
    """Given x_t and D, x_s is the product of two normals: the prior of x_s given D, the noising to x_t."""
    path = PATHS[name]
    s, t = paths.at(path, 0.7), paths.at(path, 0.4)  # s is nearer to the data
    ratio = t.alpha / s.alpha
    added = t.sigma**2 - ratio**2 * s.sigma**2
    precision = 1 / s.sigma**2 + ratio**2 / added
    table = integrate.ancestral(path, [0.4, 0.7], "data")
    x, data = 0.3, -1.1
    mean = (s.alpha * data / s.sigma**2 + ratio * x / added) / precision
    np.testing.assert_allclose(table.point[0, 0] * x + table.point[0, 1] * data, mean, rtol=1e-12)
    np.testing.assert_allclose(table.noise[0], precision**-0.5, rtol=1e-12)
    sde = integrate.dpm_solver_pp_sde(path, [0.4, 0.7], "data", order=1)
    chex.assert_trees_all_close(sde, table, rtol=1e-12, atol=1e-14)


def test_one_step_of_eta_has_its_variance():
    path, eta = PATHS["vp"], 0.6
    s, t = paths.at(path, 0.7), paths.at(path, 0.4)
    beta = 1 - (t.alpha / s.alpha) ** 2  # of Ho et al.: the variance added between s and t
    new = eta * np.sqrt(
        (1 - s.alpha**2) / (1 - t.alpha**2) * beta
    )  # Song et al. (2021), equation 16
    table = integrate.ddim(path, [0.4, 0.7], "noise", eta)
    np.testing.assert_allclose(table.noise[0], new, rtol=1e-12)
    x, noise = 0.3, -1.1
    data = (x - t.sigma * noise) / t.alpha
    mean = s.alpha * data + np.sqrt(1 - s.alpha**2 - new**2) * noise  # equation 12
    read = table.read[0] @ [x, noise]
    np.testing.assert_allclose(table.point[0] @ [x, read], mean, rtol=1e-12)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_one_step_of_euler_and_maruyama(level):
    """The reverse SDE as Song et al. write it, in the clock s = 1 - t: rate beta, drift -beta x / 2."""
    low, high, t, h = 0.1, 20.0, 0.4, 0.01
    beta = low + (1 - t) * (high - low)
    table = integrate.euler_maruyama(paths.vp(low, high), [t, t + h], "score", level)
    x, score = 0.3, -1.1
    mean = x + h * (beta / 2 * x + (1 + level) / 2 * beta * score)
    read = table.read[0] @ [x, score]
    np.testing.assert_allclose(table.point[0] @ [x, read], mean, rtol=1e-12)
    if level:
        np.testing.assert_allclose(table.noise[0], np.sqrt(level * beta * h), rtol=1e-12)
    else:
        assert table.noise is None


def test_a_corrector_moves_by_the_score():
    path, snr = paths.vp(), 0.16
    table = integrate.predictor_corrector(path, [0.4, 0.6, 0.8], "score", snr)
    assert len(table.t) == 4 and list(table.t) == [0.4, 0.6, 0.6, 0.8]
    k = 2 * (snr * paths.at(path, 0.6).sigma) ** 2
    x, score = 0.3, -1.1
    read = table.read[1] @ [x, score]
    np.testing.assert_allclose(table.point[1] @ [x, read], x + k * score, rtol=1e-12)
    np.testing.assert_allclose(table.noise[1], np.sqrt(2 * k), rtol=1e-12)


def test_langevin_at_falling_levels():
    """On normals every step is affine: `v' = (1 - k / v_t)^2 v + 2 k`, and at last the data prediction."""
    path, times, snr = paths.ve(0.05, 20.0), grids.uniform(6), 0.3
    table = integrate.annealed_langevin(path, times, "score", 3, snr)
    mean, scale = affine(table, FIVE.field(path, "score"))
    m, v = np.zeros(5), np.full(5, 400.0)
    for t in np.repeat(times, 3):
        around, spread = FIVE.spread(path, t)
        pull = 2 * (snr * paths.at(path, t).sigma) ** 2 / spread**2
        m, v = m + pull * (around - m), (1 - pull) ** 2 * v + 2 * pull * spread**2
    share = FIVE.scale**2 / (FIVE.scale**2 + 0.05**2)
    np.testing.assert_allclose(mean, FIVE.mean + share * (m - FIVE.mean), rtol=1e-12)
    np.testing.assert_allclose(scale, share * np.sqrt(v), rtol=1e-12)
    with pytest.raises(ValueError, match="snr=1"):
        integrate.annealed_langevin(path, times, "score", 3, 1.0)


def test_without_churn_it_is_heun_in_the_noise_level():
    path = paths.edm()
    times = grids.uniform(9)
    plain = integrate.heun(path, times, "data", clock=path.sigma)
    churned = integrate.churned(path, times, "data", churn=0.0)
    z = Z[0]
    go = partial(integrate.run, field=FIVE.field(path, "data"), z=z)
    np.testing.assert_allclose(go(churned), go(plain), rtol=1e-12)


def test_churn_adds_what_it_says():
    path = paths.exploding(80.0)
    times = 1 - np.array([80.0, 10.0, 3.0, 1.0]) / 80
    table = integrate.churned(path, times, "data", churn=0.2, low=2.0, high=50.0, inflate=1.01)
    new = 1.01 * np.sqrt((1.2 * np.array([10.0, 3.0])) ** 2 - np.array([10.0, 3.0]) ** 2)
    np.testing.assert_allclose(table.noise[[1, 3], 0], new, rtol=1e-12)
    np.testing.assert_allclose(80 * (1 - table.t[[2, 4]]), [12.0, 3.6], rtol=1e-12)
    assert not table.noise[[0, 2, 4, 5]].any()


def test_one_program_serves_all_samplers():
    path, field = paths.vp(), FIVE.field(paths.vp(), "noise")
    times = grid(path, 6, 1.0)

    @jax.jit
    @chex.assert_max_traces(1)
    def go(table, z):
        return integrate.run(table, field, z)

    made = [make(path, times, "noise") for make, _ in DETERMINISTIC.values()]
    tables = [table for table in made if len(table.t) == 6]
    assert len(tables) > 10
    for table, full in zip(tables, integrate.alike(*tables), strict=True):
        np.testing.assert_allclose(go(full, Z), integrate.run(table, field, Z), atol=1e-12)
    text = str(jax.make_jaxpr(lambda t, z: integrate.run(t, field, z))(tables[0], Z))
    assert "scan" in text and "cond[" not in text


def test_tables_are_vmapped_and_one_example_is_not_another():
    path, field = paths.vp(), FIVE.field(paths.vp(), "noise")
    times = grid(path, 6, 1.0)
    tables = [
        make(path, times, "noise") for make in (integrate.ddim, integrate.deis, integrate.unipc)
    ]
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *integrate.alike(*tables))
    both = jax.vmap(lambda table: integrate.run(table, field, Z))(stacked)
    for table, found in zip(tables, both, strict=True):
        np.testing.assert_allclose(integrate.run(table, field, Z), found, atol=1e-13)
    one = integrate.ancestral(path, times, "noise")
    keys = jax.random.split(jax.random.key(0), 64)
    z = jax.random.normal(jax.random.key(1), (64, 5))
    many = jax.vmap(lambda z, key: integrate.run(one, field, z, key))(z, keys)
    np.testing.assert_allclose(many[7], integrate.run(one, field, z[7], keys[7]), atol=1e-13)
    many = many - many.mean(0)
    assert abs(np.corrcoef(many[:32].ravel(), many[32:].ravel())[0, 1]) < 4 / np.sqrt(160)


def test_the_network_is_called_at_the_times_of_the_rows():
    seen = []
    table = integrate.heun(paths.linear(), grids.uniform(3), "velocity")

    def field(x, t):
        jax.debug.callback(lambda t: seen.append(float(t)), t, ordered=True)
        return x

    integrate.run(table, field, jnp.ones(2))
    jax.effects_barrier()
    assert seen == list(table.t) == [0, 1 / 3, 1 / 3, 2 / 3, 2 / 3, 1]


def test_single_precision_does_not_lose_what_steps_gain():
    path = paths.vp()
    with jax.enable_x64(False):
        ends = {}
        for steps in (30, 100, 300, 1000):
            times = grids.log_snr(path, steps, 0.0, 0.99)
            for order in (1, 2, 3):
                table = integrate.deis(path, times, "noise", order)
                low = integrate.run(table, FIVE.field(path, "noise"), Z.astype(np.float32))
                ends[steps, order] = low
    for (steps, order), low in ends.items():
        table = integrate.deis(path, grids.log_snr(path, steps, 0.0, 0.99), "noise", order)
        high = integrate.run(table, FIVE.field(path, "noise"), Z)
        np.testing.assert_allclose(low, high, atol=3e-5)


def test_a_gradient_keeps_one_state_a_row():
    """Scratch memory of a gradient through many rows does not hold what is inside the network."""
    path, width = paths.linear(), 512
    first = jnp.ones((5, width)) / width

    def end(first, table):
        def field(x, t):
            return jnp.tanh(jnp.tanh(x @ first) @ first.T)

        return integrate.run(table, field, jnp.ones((64, 5))).sum()

    def scratch(steps):
        table = integrate.euler(path, grids.uniform(steps), "velocity")
        lowered = jax.jit(jax.grad(end)).lower(first, jax.tree.map(jnp.asarray, table))
        return lowered.compile().memory_analysis().temp_size_in_bytes

    a_row = (scratch(100) - scratch(50)) / 50
    assert a_row < 64 * width * 8, (
        a_row
    )  # one hidden layer is 262 kB; the state and its past are 15 kB


def test_a_few_lines_fit_a_sampler_to_a_field():
    """Tables are learned: eight calls, as good after as many more before."""
    import optax

    path, field = paths.linear(), FIVE.field(paths.linear(), "velocity")
    z = jax.random.normal(jax.random.key(0), (64, 5))
    exact = FIVE.carried(path, 0.0, z, 1.0)
    start = jax.tree.map(jnp.asarray, integrate.euler(path, grids.uniform(8), "velocity"))

    def error(point):
        table = start._replace(point=point)
        return jnp.mean((integrate.run(table, field, z) - exact) ** 2)

    tx = optax.adam(3e-3)

    def improve(state, _):
        point, opt = state
        step, opt = tx.update(jax.grad(error)(point), opt)
        return (optax.apply_updates(point, step), opt), None

    (point, _), _ = jax.lax.scan(improve, (start.point, tx.init(start.point)), None, 200)
    assert error(point) < 0.05 * error(start.point)
