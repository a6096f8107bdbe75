"""Paths against torchcfm and flow_matching, in double precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform import paths
from probtransform.integrate import jumps

pytestmark = pytest.mark.peers

TIMES = np.linspace(0.05, 0.95, 7)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def draws(shape=(7, 3), seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape), rng.normal(size=shape)


def ours(path, x, z):
    t = jnp.asarray(TIMES)
    return jax.vmap(path.point)(x, z, t), jax.vmap(path.velocity)(x, z, t)


@pytest.mark.parametrize(
    "name, path",
    [
        ("CondOTScheduler", paths.linear()),
        ("VPScheduler", paths.vp(0.1, 20.0)),
        ("CosineScheduler", paths.trigonometric()),
    ],
)
def test_points_velocities_and_views_of_flow_matching(name, path):
    torch = pytest.importorskip("torch")
    peer = pytest.importorskip("flow_matching.path")
    theirs = peer.AffineProbPath(getattr(peer.scheduler, name)())
    x, z = draws()
    tensor = torch.tensor
    seen = theirs.sample(tensor(z), tensor(x), tensor(TIMES))
    x_t, velocity = ours(path, x, z)
    np.testing.assert_allclose(x_t, seen.x_t, rtol=1e-10)
    np.testing.assert_allclose(velocity, seen.dx_t, rtol=1e-8)
    guess = draws(seed=1)[0]
    names = {"noise": "epsilon", "data": "target", "velocity": "velocity"}
    for source, there in names.items():
        for target, here in names.items():
            if source == target:
                continue
            convert = getattr(theirs, f"{there}_to_{here}")
            t = tensor(TIMES)[:, None]
            wanted = convert(tensor(guess), tensor(np.asarray(x_t)), t)
            p, q = paths.view_at(path, TIMES, source, target)
            found = p[:, None] * x_t + q[:, None] * guess
            np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    "name, path",
    [
        ("ConditionalFlowMatcher", paths.linear()),
        ("VariancePreservingConditionalFlowMatcher", paths.trigonometric()),
    ],
)
def test_points_and_velocities_of_torchcfm(name, path):
    torch = pytest.importorskip("torch")
    peer = pytest.importorskip("torchcfm.conditional_flow_matching")
    x, z = draws()
    theirs = getattr(peer, name)(sigma=0.0)
    _, x_t, velocity = theirs.sample_location_and_conditional_flow(
        torch.tensor(z), torch.tensor(x), torch.tensor(TIMES)
    )
    for found, wanted in zip(ours(path, x, z), (x_t, velocity), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-8, atol=1e-12)


def test_a_path_that_ends_with_noise_left_is_torchcfms():
    """Lipman's: `x_t = t x + (1 - (1 - s) t) z`; its velocity there is a view of x_t and x."""
    torch = pytest.importorskip("torch")
    peer = pytest.importorskip("torchcfm.conditional_flow_matching")
    left = 0.1
    path = paths.Path(lambda t: t, lambda t: 1 - (1 - left) * t)
    x, z = draws()
    theirs = peer.TargetConditionalFlowMatcher(sigma=left)
    x_t, velocity = ours(path, x, z)
    wanted = theirs.compute_conditional_flow(
        torch.tensor(z), torch.tensor(x), torch.tensor(TIMES), torch.tensor(np.asarray(x_t))
    )
    np.testing.assert_allclose(velocity, wanted, rtol=1e-9)


def test_the_brownian_bridge_of_torchcfm():
    torch = pytest.importorskip("torch")
    peer = pytest.importorskip("torchcfm.conditional_flow_matching")
    spread = 0.7
    theirs = peer.SchrodingerBridgeConditionalFlowMatcher(sigma=spread)
    x, z = draws()
    noise = draws(seed=2)[0]
    t = torch.tensor(TIMES)
    x_t = theirs.sample_xt(torch.tensor(z), torch.tensor(x), t, torch.tensor(noise))
    wanted = theirs.compute_conditional_flow(torch.tensor(z), torch.tensor(x), t, x_t)
    bridge = paths.brownian(spread)
    for i, time in enumerate(TIMES):
        variance, slope = jax.jvp(bridge.variance, (jnp.asarray(time),), (jnp.ones(()),))
        mean, straight = jax.jvp(
            lambda s, i=i: bridge.mean(x[i], z[i], s), (jnp.asarray(time),), (jnp.ones(()),)
        )
        np.testing.assert_allclose(mean + jnp.sqrt(variance) * noise[i], x_t[i], rtol=1e-9)
        # with the noise held, the point moves by gamma' e beside the line
        velocity = straight + slope / (2 * jnp.sqrt(variance)) * noise[i]
        np.testing.assert_allclose(velocity, wanted[i], rtol=1e-4)


@pytest.mark.parametrize("name", ["Sphere", "FlatTorus"])
def test_geodesics_of_flow_matching(name):
    torch = pytest.importorskip("torch")
    peer = pytest.importorskip("flow_matching.path")
    manifolds = pytest.importorskip("flow_matching.utils.manifolds")
    x, z = draws()
    if name == "Sphere":
        x, z = (a / np.linalg.norm(a, axis=-1, keepdims=True) for a in (x, z))
        manifold = paths.sphere(2)
    else:
        x, z = (np.mod(a, 2 * np.pi) for a in (x, z))
        manifold = paths.torus(3)
    theirs = peer.GeodesicProbPath(peer.scheduler.CondOTScheduler(), getattr(manifolds, name)())
    seen = theirs.sample(torch.tensor(z), torch.tensor(x), torch.tensor(TIMES))
    x_t, velocity = ours(paths.Geodesic(manifold), x, z)
    apart = np.angle(np.exp(1j * (np.asarray(x_t) - seen.x_t.numpy())))  # a torus closes after 2 pi
    np.testing.assert_allclose(apart, 0, atol=1e-6)
    np.testing.assert_allclose(velocity, seen.dx_t, rtol=1e-5, atol=1e-6)


def test_rates_of_jumps_of_flow_matching():
    """Where all is masked, the velocity off the diagonal is the rate of each jump."""
    torch = pytest.importorskip("torch")
    peer = pytest.importorskip("flow_matching.path")
    theirs = peer.MixtureDiscreteProbPath(peer.scheduler.PolynomialConvexScheduler(2.0))
    process = jumps.holding(paths.discrete.masked(4, paths.discrete.polynomial(2.0)))
    logits = np.concatenate([draws((5, 4))[0], np.full((5, 1), -np.inf)], 1)
    x_t = np.full(5, 4)
    for time in TIMES:
        wanted = theirs.posterior_to_velocity(
            torch.tensor(logits), torch.tensor(x_t), torch.tensor(time)
        )
        found = process.rates(jax.nn.softmax(logits[:, :4]), jnp.asarray(x_t), time)
        np.testing.assert_allclose(found[:, :4], wanted[:, :4], rtol=1e-9)
