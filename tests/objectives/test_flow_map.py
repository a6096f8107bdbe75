"""Losses of flow maps where the exact map is known: quantiles to quantiles, on a line."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from gaussian_field import FIVE
from mixture_map import THREE

from probtransform import paths
from probtransform.core import Batch, Model, Network, Player, Transform, pushforward
from probtransform.distributions import normal
from probtransform.objectives import flow_map as losses
from probtransform.objectives import matching
from probtransform.objectives.matching import drawn
from probtransform.training import learner
from probtransform.transforms import flow_map

KEY, N = jax.random.key(0), 256
LINEAR, CIRCLE = paths.linear(), paths.trigonometric()
STILL, BENT = np.zeros(3), np.array([0.3, -0.2, 0.4])


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def data(n=N, seed=0):
    rng = np.random.default_rng(seed)
    k = rng.choice(3, (n, 1), p=THREE.share)
    return Batch(jnp.asarray(THREE.mean[k] + THREE.scale[k] * rng.standard_normal((n, 1))))


def curved() -> Network:
    """No exact map: a smooth network of three numbers, for what must hold anywhere."""

    def apply(params, x, s, t, cond=None):
        a, b, c = params["wrong"]
        return a * jnp.sin(2 * x) * jnp.cos(t) + b * (t + x * s) + c * s**2 * x

    return Network(lambda key: {"wrong": jnp.zeros(3)}, apply)


def velocity(params, x, s, cond):
    return THREE.velocity(LINEAR, x, s)


def v(params, x, s, cond):
    r = CIRCLE.rates(s)
    a, b = paths.view(r, "velocity", "v")
    return a * x + b * THREE.velocity(CIRCLE, x, s)


def monotone():
    """Pairs of a normal and its image, and the velocity of the lines between them, which do not cross."""

    def carried(params, key, z, cond=None):
        return THREE.carried(LINEAR, z, 0.0, 1.0)

    def slope(x, t):
        def halve(_, ends):
            low, high = ends
            middle = (low + high) / 2
            below = (1 - t) * middle + t * carried((), KEY, middle) < x
            return jnp.where(below, middle, low), jnp.where(below, high, middle)

        z = sum(jax.lax.fori_loop(0, 60, halve, (-9.0 + 0 * x, 9.0 + 0 * x))) / 2
        return carried((), KEY, z) - z

    def apply(params, x, s, t, cond=None):
        return slope(x, s) + params["wrong"][0] * jnp.sin(2 * x)

    teacher = Transform(lambda key: (), carried, None)
    return losses.pairs(teacher, (), KEY, (N, 1)), Network(lambda key: (), apply)


def setting(which):
    """A loss, its carry, its batch, and the network that it should find nothing to teach."""
    net, circle = THREE.network(LINEAR), THREE.network(CIRCLE, "v")
    if which == "reflow":
        batch, straight = monotone()
        return losses.reflow(straight, "net"), (), batch
    teacher = losses.Teacher(jnp.int32(0), {"wrong": STILL})
    loss, carry = {
        "mean_flow": (losses.mean_flow(net, "net", 1.0, teacher=velocity), ()),
        "mean_flow, own": (losses.mean_flow(net, "net", 0.5, teacher=velocity, own=True), ()),
        "mean_flow, adaptive": (
            losses.mean_flow(net, "net", 0.5, losses.adaptive(), teacher=velocity),
            (),
        ),
        "shortcut": (losses.shortcut(net, "net", 1.0), teacher),
        "consistency": (
            losses.consistency(net, "net", LINEAR, steps=256, teacher=velocity),
            (),
        ),
        "consistency, squared": (
            losses.consistency(
                net, "net", LINEAR, steps=256, metric=losses.squared, teacher=velocity
            ),
            (),
        ),
        "continuous": (losses.continuous_consistency(circle, "net", teacher=v), ()),
        "progressive": (losses.progressive(net, "net", LINEAR, steps=4), teacher),
        "progressive, v": (losses.progressive(circle, "net", CIRCLE, "v", steps=2), teacher),
    }[which]
    return loss, carry, data()


def gradient(loss, batch, carry=()):
    """Value and gradient of a loss at the bent map."""

    @jax.jit
    @jax.value_and_grad
    def of(wrong, carry):
        return loss({"net": {"wrong": wrong}}, carry, KEY, batch)[0]

    return of(BENT, carry)


EVERY = ["mean_flow", "shortcut", "consistency", "continuous", "progressive, v", "reflow"]
MORE = ["mean_flow, own", "mean_flow, adaptive", "consistency, squared", "progressive"]
slow = partial(pytest.param, marks=pytest.mark.slow)


@pytest.mark.parametrize("which", [*EVERY, *map(slow, MORE)])
def test_there_is_nothing_to_teach_the_exact_map(which):
    """Loss and gradient vanish there, where the velocity is that of the law, and nowhere near it."""
    loss, carry, batch = setting(which)

    @jax.jit
    @jax.value_and_grad
    def of(wrong):
        blocks = {"net": {"wrong": wrong}, "teacher": {"wrong": STILL}}
        return loss(blocks, carry, KEY, batch)[0]

    value, slope = of(STILL)
    assert 0 <= value < 1e-10
    assert abs(slope).max() < 1e-5
    value, slope = of(BENT)
    assert value > 1e-4 and abs(slope).max() > 1e-4


def test_a_wrong_tangent_would_be_seen():
    """A network whose derivative in s is lost, or taken for that in t, is taught what is not so."""
    net = THREE.network(LINEAR)

    def lost(params, x, s, t, cond):
        return net.apply(params, x, jax.lax.stop_gradient(s), t, cond)

    def swapped(params, x, s, t, cond):  # its slope in s is that in t: the tangents (v, 0, 1)
        fixed = jax.lax.stop_gradient
        return net.apply(params, x, fixed(s), fixed(t) + s - fixed(s), cond)

    for apply in (lost, swapped):
        loss = losses.mean_flow(Network(net.init, apply), "net", 1.0, teacher=velocity)
        value = jax.jit(loss)({"net": {"wrong": STILL}}, (), KEY, data())[0]
        assert value > 1e-2


@pytest.mark.parametrize("own", [False, True])
def test_mean_flow_against_finite_differences(own):
    """Value and gradient of a bent map: targets by central differences, held fixed."""
    net, batch = curved(), data(64)
    apply = jax.jit(jax.vmap(net.apply, (None, 0, 0, 0, None)))

    def u(wrong, x, s, t):
        return np.asarray(apply({"wrong": jnp.asarray(wrong)}, x, s, t, None))

    draw, pair = jax.random.split(KEY)
    r, z = jax.vmap(drawn)(jax.random.split(draw, 64), batch.x)
    ends = np.sort(np.stack([r, jax.random.uniform(pair, (64,))]), 0)
    s, t = ends
    x = s[:, None] * batch.x + (1 - s[:, None]) * z
    flow = np.asarray(batch.x - z)
    along = u(BENT, x, s, s) if own else flow
    e = 1e-5
    slope = (u(BENT, x + e * along, s + e, t) - u(BENT, x - e * along, s - e, t)) / (2 * e)
    target = flow + (t - s)[:, None] * slope

    def fixed(wrong):
        return np.mean((u(wrong, x, s, t) - target) ** 2)

    loss = losses.mean_flow(net, "net", 1.0, own=own)
    value, found = gradient(loss, batch)
    np.testing.assert_allclose(value, fixed(BENT), rtol=1e-6)
    for i, unit in enumerate(np.eye(3)):
        wanted = (fixed(BENT + e * unit) - fixed(BENT - e * unit)) / (2 * e)
        np.testing.assert_allclose(found[i], wanted, rtol=1e-5)


def test_continuous_consistency_is_the_limit_of_the_discrete():
    """For a bent F and large damping, its gradient is along that of ever smaller steps, at one time.

    `grad 1/2 |f(x_s) - f(x_s+h)|^2 / h -> -df/ds grad f`, where `grad f = -sigma grad F` and a step h is
    `pi/2 h` radians; g = alpha df/d(angle) is divided by the damping.
    """
    net, batch, h, damping = curved(), Batch(jnp.array([[0.8]])), 1e-6, 1e6
    now = 0.55

    def at_now(params, u):
        return now + (u - now) * h if jnp.ndim(u) == 0 else jnp.full_like(u, now)

    z = jax.vmap(drawn)(jax.random.split(KEY, 1), batch.x)[1]
    s = jnp.array([now, now + h])

    def f(wrong, s):
        x = CIRCLE.point(batch.x[0], z[0], s)
        F = net.apply({"wrong": wrong}, x, s, jnp.ones(()), None)
        return CIRCLE.alpha(s) * x - CIRCLE.sigma(s) * F

    ends = jax.vmap(f, (None, 0))(BENT, s)
    step = (ends[1] - ends[0]) / (np.pi / 2 * h)
    pull = jax.jacobian(lambda wrong: f(wrong, s[0]))(BENT)[0] / -CIRCLE.sigma(now)
    wanted = 2 * CIRCLE.alpha(now) * step[0] / damping * pull
    loss = losses.continuous_consistency(net, "net", damping, times=at_now)
    np.testing.assert_allclose(gradient(loss, batch)[1], wanted, rtol=1e-4)


def test_of_two_neighbours_the_one_nearer_the_data_is_held_fixed():
    """Value and gradient of consistency training on pairs."""
    net, batch = curved(), data(64)
    u, z = jax.vmap(drawn)(jax.random.split(KEY, 64), batch.x)
    s = u * (1 - 1 / 8)

    @jax.vmap
    def ends(s, z, x):
        def f(wrong, s):
            here = LINEAR.point(x, z, s)
            return here + (1 - s) * net.apply({"wrong": wrong}, here, s, jnp.ones(()), None)

        goal = f(BENT, s + 1 / 8)
        return jax.value_and_grad(lambda wrong: jnp.mean((f(wrong, s) - goal) ** 2) * 8)(BENT)

    value, slope = jax.jit(ends)(s, z, batch.x)
    loss = losses.consistency(net, "net", LINEAR, steps=8, metric=losses.squared)
    found, gradients = gradient(loss, batch)
    np.testing.assert_allclose(found, value.mean(), rtol=1e-9)
    np.testing.assert_allclose(gradients, slope.mean(0), rtol=1e-7)


def test_where_no_time_passes_it_is_flow_matching():
    """Not a bit apart: loss and gradient of a share of nothing."""
    net, batch = curved(), data(64)
    here = Network(net.init, lambda params, x, t, cond: net.apply(params, x, t, t, cond))
    both = (losses.mean_flow(net, "net", 0.0), matching(here, "net", LINEAR))
    (a, da), (b, db) = (gradient(loss, batch) for loss in both)
    np.testing.assert_allclose(a, b, rtol=1e-12)
    np.testing.assert_allclose(da, db, rtol=1e-12)


@pytest.mark.parametrize("which", [slow("mean_flow"), "own", "consistency", slow("shortcut")])
def test_pairs_teach_what_the_law_does_on_average(which):
    """Without a teacher the gradient at the exact map is zero in the mean over pairs (x, z)."""
    net = THREE.network(LINEAR)
    loss, carry = {
        "mean_flow": (losses.mean_flow(net, "net", 0.5), ()),
        "own": (losses.mean_flow(net, "net", 0.5, own=True), ()),
        "consistency": (
            losses.consistency(net, "net", LINEAR, steps=10_000, metric=losses.squared),
            (),
        ),
        "shortcut": (losses.shortcut(net, "net"), losses.Teacher(0, {"wrong": STILL})),
    }[which]

    @jax.jit
    @jax.vmap
    def gradient(key, x):
        def of(wrong):
            return loss({"net": {"wrong": wrong}}, carry, key, Batch(x))[0]

        return jax.grad(of)(STILL)

    found = np.asarray(gradient(jax.random.split(KEY, 40), data(40 * 100).x.reshape(40, 100, 1)))
    error = found.std(0, ddof=1) / np.sqrt(len(found))
    assert (error < 0.1).all() and (error > 1e-4).all()
    assert (abs(found.mean(0)) < 4 * error).all()


def test_normals_of_many_dimensions_have_nothing_to_learn():
    """In closed form: the map of N(m, s^2), dimension by dimension, is affine."""

    def spread(s):
        return s * FIVE.mean, jnp.sqrt(s**2 * FIVE.scale**2 + (1 - s) ** 2)

    def apply(params, x, s, t, cond=None):
        (m, d), (m_t, d_t) = spread(s), spread(t)
        gap = jnp.where(t == s, 1.0, t - s)
        mean = (m_t + d_t / d * (x - m) - x) / gap
        return jnp.where(t == s, FIVE.field(LINEAR, "velocity")(x, s), mean) + params * x

    def field(params, x, s, cond):
        return FIVE.field(LINEAR, "velocity")(x, s)

    net = Network(lambda key: 0.0, apply)
    x = FIVE.mean + FIVE.scale * jax.random.normal(KEY, (64, 5))
    for loss, carry in (
        (losses.mean_flow(net, "net", teacher=field), ()),
        (losses.shortcut(net, "net", 1.0), losses.Teacher(0, 0.0)),
        (losses.consistency(net, "net", LINEAR, steps=512, teacher=field), ()),
        (losses.progressive(net, "net", LINEAR, steps=8), losses.Teacher(0, 0.0)),
    ):

        @jax.jit
        @jax.value_and_grad
        def of(p):
            return loss({"net": p, "teacher": 0.0}, carry, KEY, Batch(x))[0]

        value, slope = of(0.0)
        assert value < 1e-10 and abs(slope) < 1e-5
        assert of(0.1)[0] > 1e-4


# --- teachers, metrics, errors --------------------------------------------------------------------


def trained(net, loss, carry, steps, batch, rate=0.1):
    """Parameters after every update of plain descent, and the carry beside them."""
    distribution = pushforward(normal((1,)), net=flow_map(net, [0.0, 1.0]))
    extra = {"teacher": net.init}
    model = Model(distribution, {"net": Player(("net",), loss)}, extra, lambda key: carry)
    learn = learner(model, optax.sgd(rate))
    states = [learn.init(KEY)]
    states[0].params["teacher"]["wrong"] = BENT
    for _ in range(steps):
        last = jax.tree.map(jnp.copy, states[-1])
        states.append(learn.step(last, KEY, batch)[0])
    return [s.params["net"]["wrong"] for s in states], [s.carry for s in states]


def test_a_teacher_follows_its_student():
    """Before update n + 1 it is a weighted mean of the parameters seen so far."""
    net, decay = curved(), 0.3
    start = losses.Teacher(jnp.int32(0), {"wrong": jnp.full(3, jnp.pi)})
    params, carries = trained(net, losses.shortcut(net, "net", decay=decay), start, 5, data())
    mean = np.zeros(3)
    for n in range(5):
        d = min(decay, n / (9 + n))
        mean = d * mean + (1 - d) * np.asarray(params[n])
        np.testing.assert_allclose(carries[n + 1].params["wrong"], mean, rtol=1e-6)
        assert carries[n + 1].count == n + 1
    assert abs(params[5]).min() > 0
    taught = losses.shortcut(net, "net", 1.0, decay=1.0)
    old = losses.Teacher(jnp.int32(10**9), {"wrong": BENT})
    found = taught({"net": {"wrong": STILL}}, old, KEY, data())[0]
    assert found > 1e-2  # it is not the student's own halves that are asked for


def test_a_student_becomes_the_teacher():
    """Rounds of two updates: of 8 steps, 4, 2 and 1 remain, then the last round goes on."""
    net = curved()
    loss = losses.progressive(net, "net", LINEAR, steps=8, every=2)
    start = losses.Teacher(jnp.int32(0), {"wrong": jnp.full(3, jnp.pi)})
    params, carries = trained(net, loss, start, 9, data())
    used = [carry.params["wrong"] for carry in carries[1:]]
    wanted = [BENT, BENT, params[2], params[2]] + [params[4]] * 5
    np.testing.assert_allclose(used, wanted, rtol=1e-12)


def test_the_last_round_learns_one_step():
    """It asks for the whole way only, and for its halves of the teacher."""
    seen = []

    def apply(params, x, s, t, cond=None):
        jax.debug.callback(lambda *times: seen.append(times), s, t)
        return 0 * x

    net = Network(lambda key: (), apply)
    for round_, size in enumerate((1 / 4, 1 / 2, 1.0)):
        seen.clear()
        carry = losses.Teacher(jnp.int32(10 * round_ + 1), ())
        loss = losses.progressive(net, "net", LINEAR, steps=8, every=10)
        loss({"net": (), "teacher": ()}, carry, KEY, data(32))
        jax.effects_barrier()
        s, t = np.array(seen, float).T
        np.testing.assert_allclose(sorted(set(np.round(t - s, 12))), [size / 2, size])
        whole = np.isclose(t - s, size)
        np.testing.assert_allclose(s[whole] / size % 1, 0, atol=1e-12)
        assert len(set(s[whole])) == 1 / size and whole.sum() == 32


def test_steps_double():
    steps = losses.doubling(10, 45, 100)
    found = [float(steps(jnp.int32(n))) for n in (0, 99, 100, 250, 300, 10_000)]
    assert found == [10, 10, 20, 40, 45, 45]
    net = curved()
    for count, fixed in ((0, 10), (120, 20)):
        blocks = {"net": {"wrong": BENT}}
        grows = jax.jit(losses.consistency(net, "net", LINEAR, steps=steps))
        a, (carry, _) = grows(blocks, jnp.int32(count), KEY, data(16))
        b = jax.jit(losses.consistency(net, "net", LINEAR, steps=fixed))(blocks, (), KEY, data(16))[
            0
        ]
        np.testing.assert_allclose(a, b, rtol=1e-12)
        assert carry == count + 1


def test_the_tangent_warms_up():
    """At first the target is the pair's own v; half-way, the mean of that and the end of the warm-up."""
    net, batch = curved(), data(32)

    def slope(warm_up, count):
        loss = losses.continuous_consistency(net, "net", 1e6, warm_up)
        return gradient(loss, batch, jnp.int32(count))[1]

    whole, first = slope(0, 0), slope(10, 0)
    np.testing.assert_allclose(slope(10, 5), (whole + first) / 2, rtol=1e-5)
    np.testing.assert_allclose(slope(10, 99), whole, rtol=1e-9)
    s, z = jax.vmap(drawn)(jax.random.split(KEY, 32), batch.x)

    def weighted_matching(wrong):
        def error(s, z, x):
            F = net.apply({"wrong": wrong}, CIRCLE.point(x, z, s), s, jnp.ones(()), None)
            alpha = CIRCLE.alpha(s)
            return alpha**2 * (F - (alpha * z - CIRCLE.sigma(s) * x)) ** 2

        return jnp.mean(jax.vmap(error)(s, z, batch.x))

    np.testing.assert_allclose(first * 1e6, jax.jit(jax.grad(weighted_matching))(BENT), rtol=1e-5)


def test_metrics_weigh_an_error_as_they_say():
    error = jnp.array([0.3, -1.2, 0.1])
    m = float(jnp.mean(error**2))
    for metric, value, weight in (
        (losses.squared, m, 1.0),
        (losses.pseudo_huber(0.2), (m + 0.04) ** 0.5 - 0.2, 0.5 / (m + 0.04) ** 0.5),
        (losses.adaptive(0.2), np.log(1 + m / 0.2), 1 / (m + 0.2)),
    ):
        np.testing.assert_allclose(metric(error), value, rtol=1e-12)
        np.testing.assert_allclose(jax.grad(metric)(error), weight * 2 * error / 3, rtol=1e-12)
        assert metric(0 * error) == 0


def test_bad_numbers():
    net = curved()
    for bad, words in (
        (partial(losses.mean_flow, net, "net", 1.5), "share=1.5, wanted 0 to 1"),
        (partial(losses.shortcut, net, "net", -1.0), "share=-1"),
        (partial(losses.shortcut, net, "net", halvings=0), "halvings=0"),
        (partial(losses.progressive, net, "net", LINEAR, steps=12), "steps=12, wanted a power"),
        (partial(losses.progressive, net, "net", LINEAR, every=0), "every=0"),
        (partial(losses.continuous_consistency, net, "net", 0.0), "damping=0"),
        (partial(losses.consistency, net, "net", LINEAR, "speed"), "'speed'"),
        (partial(losses.doubling, 10, 5, 1), "first=10, last=5"),
        (partial(losses.pseudo_huber, 0.0), "c=0"),
        (partial(losses.adaptive, -1.0), "c=-1"),
    ):
        with pytest.raises(ValueError, match=words):
            bad()
