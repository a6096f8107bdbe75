"""`check_transform` is green on every transform here, and red, for the right reason, on broken ones."""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from probtransform.conformance import check_transform
from probtransform.core import Exact, Transform, reading
from probtransform.networks import mlp
from probtransform.transforms import affine, coupling, implicit, quantise, spread, squash, stacked

sys.path.insert(0, str(Path(__file__).parent / "transforms"))
from test_bijections import BIJECTIONS

INTERVAL = {"squash", "inverted squash inverted", "marginal"}  # x in [-1, 1]


@pytest.mark.parametrize("name", BIJECTIONS)
def test_every_bijection_keeps_its_promise(name):
    build, tolerance = BIJECTIONS[name]
    domain = (1e4, 1.0 if name in INTERVAL else 1e4)
    check_transform(build(), jnp.zeros(4), jnp.asarray(0.5), tolerance=tolerance, domain=domain)


def test_in_the_plane_the_push_of_a_normal_has_mass_one():
    net = reading(mlp(2, 4, 8, 2), lambda x, cond: x)
    steps = stacked(lambda mask: coupling(net, mask), jnp.eye(2))
    assert "mass one" in check_transform(steps, jnp.zeros(2)).findings
    assert check_transform(squash(2), jnp.zeros(2), domain=(1e4, 1.0)).passed


def test_weaker_claims_promise_less():
    assert "round trip" not in check_transform(quantise((2,), 5), jnp.zeros(2)).findings
    symbols = jnp.array([[0, 1], [4, 2]] * 10)
    assert check_transform(spread((2,), 5), symbols[0], points=symbols, domain=(4, 1.0)).passed
    generator = implicit(reading(mlp(2, 3, 8, 2), lambda z, cond: z))
    assert "inverse finite" not in check_transform(generator, jnp.zeros(2)).findings


def test_a_report_is_readable_and_says_whether_it_starts_as_the_identity():
    report = check_transform(affine(2), jnp.zeros(2))
    assert report.findings["identity at init"].number == 0
    assert "passed  round trip: " in str(report) and "FAILED" not in str(report)


def test_an_exact_map_to_another_number_of_numbers_is_named():
    with pytest.raises(ValueError, match="got an Exact map of 2 numbers to 3, wanted as many"):
        check_transform(bijection(lambda p, z: (jnp.append(z, 0.0), 0.0), None), jnp.zeros(2))


# --- broken on purpose ----------------------------------------------------------------------------


def bijection(way, back, **init):
    """Of `way: (params, z) -> (x, log_det)` and `back: (params, x) -> (z, log_det)`, both of the map."""

    def inverse(params, key, x, cond):
        z, log_det = (back or way)(params, x)
        return z, -log_det

    def start(key):
        return {name: jnp.zeros(2) for name in init} | init

    return Transform(start, lambda p, k, z, c: way(p, z)[0], Exact(inverse))


S, T = jnp.full(2, 0.3), jnp.ones(2)


def scaled(p, z):
    return z * jnp.exp(p["s"]) + p["t"], p["s"].sum()


def unscaled(p, x):
    return (x - p["t"]) * jnp.exp(-p["s"]), p["s"].sum()


def bent(p, z):
    """`x = z + tanh(z)/2`, by way of its inverse's fixed point below."""
    return z + jnp.tanh(z) / 2, jnp.log1p((1 - jnp.tanh(z) ** 2) / 2).sum()


def straightened(p, x):
    def newton(z, _):
        return z - (bent(p, z)[0] - x) / (1.5 - jnp.tanh(z) ** 2 / 2), None

    z = jax.lax.scan(newton, x, length=40)[0]
    return z, bent(p, z)[1]


def rooted(p, x):
    """Below zero the square root is not taken, and its gradient is."""
    z = jnp.where(x > 0, jnp.sqrt(x), x)
    return z, jnp.where(x > 0, -jnp.log(2 * z), 0.0).sum() * -1


def squared(p, z):
    x = jnp.where(z > 0, z**2, z)
    return x, jnp.where(z > 0, jnp.log(2 * jnp.where(z > 0, z, 1.0)), 0.0).sum()


@jax.custom_batching.custom_vmap
def spreads(z):
    return jnp.ones(())


@spreads.def_vmap
def over_a_batch(size, batched, z):
    return jnp.broadcast_to(1 + z.std(), (size,)), True


@jax.custom_jvp
def size(z):
    return spreads(z)


@size.defjvp
def constant(primals, tangents):
    return size(*primals), jnp.zeros(())


def normed(way):
    """Over the deviation of the whole batch, where there is one."""
    return lambda p, z: (z * size(z) ** way, 2 * jnp.log(size(z)))


def noisy(key):
    return 1e-3 * jax.random.normal(key, (2,))


def steep(p, z):
    x = jnp.sinh(2 * z)
    return x, jnp.log(2 * jnp.cosh(2 * z)).sum()


def cancelling(p, x):
    """`arcsinh` by its formula: for negative x two large numbers cancel."""
    z = jnp.log(x + jnp.sqrt(x**2 + 1)) / 2
    return z, jnp.log(2 * jnp.sqrt(x**2 + 1)).sum()


REDRAWN = Transform(
    lambda key: {},
    lambda p, key, z, c: z + noisy(key),
    Exact(lambda p, key, x, c: (x - noisy(key), jnp.zeros(()))),
)
BROKEN = {
    "missing term": (
        bijection(
            lambda p, z: (bent(p, z)[0], jnp.zeros(())),
            lambda p, x: (straightened(p, x)[0], jnp.zeros(())),
        ),
        "the log-determinant is missing",
    ),
    "wrong sign": (
        bijection(scaled, lambda p, x: (unscaled(p, x)[0], -p["s"].sum()), s=S, t=T),
        "the weight has the wrong sign",
    ),
    "extra division": (
        bijection(scaled, lambda p, x: (unscaled(p, x)[0], p["s"].sum() - jnp.log(0.25)), s=S, t=T),
        "off at every point: a constant factor of the slope too many or too few",
    ),
    "inverse in the wrong order": (
        bijection(scaled, lambda p, x: (x * jnp.exp(-p["s"]) - p["t"], p["s"].sum()), s=S, t=T),
        "the inverse does not undo the map",
    ),
    "gradient through where": (
        bijection(squared, rooted),
        "give the branch of a `where` that is not taken a harmless input",
    ),
    "batch statistics": (
        bijection(normed(-1), normed(1)),
        "a row depends on its batch",
    ),
    "not invertible": (
        bijection(
            lambda p, z: (z**2, jnp.log(abs(2 * z) + 1e-30).sum()),
            lambda p, x: (jnp.sqrt(abs(x) + 1e-30), jnp.log(4 * abs(x) + 1e-30).sum() / 2),
        ),
        "the map folds, two points share an image",
    ),
    "noise redrawn": (REDRAWN, "an exact bijection draws no noise"),
    "parameters unused": (
        bijection(scaled, unscaled, s=S, t=T, idle=T),
        "no gradient reaches params/idle",
    ),
    "unstable in float32": (
        bijection(steep, cancelling),
        "rounding is amplified",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_bijection_is_named(name):
    broken, sentence = BROKEN[name]
    with pytest.raises(ValueError, match="a promise is broken") as error:
        check_transform(broken, jnp.zeros(2), points=60)
    assert sentence in str(error.value)


def test_the_same_bijections_unbroken_are_green():
    check_transform(bijection(scaled, unscaled, s=S, t=T), jnp.zeros(2))
    check_transform(bijection(bent, straightened), jnp.zeros(2), points=60)


def test_one_key_for_all_parameters_is_named():
    frozen = affine(2)._replace(
        init=lambda key: {
            "mean": jnp.array([1.0, 2.0]),
            "log_diagonal": jnp.zeros(2),
            "below": jnp.zeros((2, 2)),
        }
    )
    assert "keys of init" in check_transform(frozen, jnp.zeros(2), raises=False).failed


def test_a_joint_that_disagrees_is_named():
    step = affine(2)
    apart = step._replace(joint=lambda p, k, z, c=None: (step.joint(p, k, z)[0], jnp.ones(())))
    assert check_transform(apart, jnp.zeros(2), raises=False).failed.keys() == {"joint"}


# --- peers ----------------------------------------------------------------------------------------


def adapted(bijector):
    """A distrax bijector as a Transform: the whole adapter."""

    def forward(params, key, z, cond):
        return bijector.forward(z)

    def inverse(params, key, x, cond):
        return bijector.inverse_and_log_det(x)

    return Transform(lambda key: {}, forward, Exact(inverse))


@pytest.mark.peers
def test_a_peer_passes_through_a_ten_line_adapter():
    distrax = pytest.importorskip("distrax")
    # it holds its knots: in single precision their slopes are off by a digit
    with jax.enable_x64(True):
        knots = jax.random.normal(jax.random.key(0), (2, 3 * 5 + 1))
        spline = distrax.Block(distrax.RationalQuadraticSpline(knots, -4.0, 4.0), 1)
    matrix = distrax.LowerUpperTriangularAffine(jnp.array([[2.0, 0.5], [0.3, 1.0]]), jnp.ones(2))
    with pytest.raises(ValueError, match="promise"):
        check_transform(
            adapted(
                distrax.Block(
                    distrax.Lambda(
                        lambda z: z**3,
                        jnp.cbrt,
                        inverse_log_det_jacobian=lambda x: jnp.zeros_like(x),
                        event_ndims_in=0,
                    ),
                    1,
                )
            ),
            jnp.zeros(2),
        )
    for bijector in (spline, matrix):
        check_transform(adapted(bijector), jnp.zeros(2))
