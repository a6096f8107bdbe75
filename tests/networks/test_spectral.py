"""The largest singular value against SVD, and a network that keeps nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.core import Network
from probtransform.networks import convnet, mlp, spectral
from probtransform.networks.spectral import largest_singular_value

KEY = jax.random.key(0)
DRAW = np.random.default_rng(0)
SIGMA = jax.jit(largest_singular_value)


def with_singular_values(values, n):
    """A matrix `[n, len(values)]` of these singular values, between random rotations."""
    left, right = (np.linalg.qr(DRAW.standard_normal((k, k)))[0] for k in (n, len(values)))
    return left[:, : len(values)] @ np.diag(values) @ right


@pytest.mark.parametrize("shape", [(128, 128), (27, 64), (64, 3), (5, 1), (1, 7)])
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_random_kernels_against_svd(shape, scale):
    w = scale * DRAW.standard_normal(shape)
    np.testing.assert_allclose(SIGMA(jnp.float32(w)), np.linalg.norm(w, 2), rtol=1e-2)


@pytest.mark.parametrize(
    "values",
    [np.ones(100), np.linspace(1, 0.99, 200), 1 - np.geomspace(1e-6, 1, 200), [2, 2, 1]],
    ids=["rotation", "crowded", "no gap", "a pair"],
)
def test_without_a_gap_it_is_still_within_a_hundredth(values):
    """`sigma k^(-1/1024) <= |W v| <= sigma`, however crowded the values are."""
    found = SIGMA(jnp.float32(with_singular_values(values, 220)))
    k, sigma = len(values), np.max(values)
    assert sigma * k ** (-1 / 1024) * (1 - 1e-5) <= found <= sigma * (1 + 1e-5)


def test_its_slope_is_u_v():
    """`d sigma / d W = u v'`, by SVD."""
    with jax.enable_x64(True):
        w = with_singular_values([3.0, 2.0, 1.0], 5)
        u, _, vt = np.linalg.svd(w)
        np.testing.assert_allclose(
            jax.grad(largest_singular_value)(jnp.asarray(w)), np.outer(u[:, 0], vt[0]), atol=1e-10
        )


def test_no_kernel_stretches_and_biases_stay():
    network = spectral(Network(lambda key: None, lambda params: params))
    params = {
        "dense": 5 * jnp.asarray(DRAW.standard_normal((6, 4)), jnp.float32),
        "conv": jnp.asarray(DRAW.standard_normal((3, 3, 4, 8)), jnp.float32),
        "bias": jnp.arange(4.0),
        "zero": jnp.zeros((3, 3)),
    }
    seen = network.apply(params)
    for name in ("dense", "conv"):
        matrix = np.asarray(seen[name]).reshape(-1, seen[name].shape[-1])
        np.testing.assert_allclose(np.linalg.norm(matrix, 2), 1, rtol=1e-2)
        ratio = seen[name] / params[name]
        np.testing.assert_allclose(ratio, ratio.ravel()[0], rtol=1e-5)  # its direction is its own
    np.testing.assert_array_equal(seen["bias"], params["bias"])
    np.testing.assert_array_equal(seen["zero"], 0)


def test_a_kernel_of_zeros_has_a_finite_slope():
    network = spectral(mlp(2, 1, width=4, depth=1, quiet=True))
    params = network.init(KEY)
    slopes = jax.grad(lambda p: network.apply(p, jnp.ones(2))[0])(params)
    assert jax.tree.all(jax.tree.map(lambda s: bool(jnp.isfinite(s).all()), slopes))


@pytest.mark.parametrize(
    "body, x", [(mlp(3, 2, width=16), jnp.ones(3)), (convnet(2, 2, 8), jnp.ones((4, 4, 2)))]
)
def test_nothing_is_kept_and_the_size_of_kernels_is_not_seen(body, x):
    """Two evaluations agree in every bit, parameters are left alone, and kernels ten times as large do the
    same."""
    network = spectral(body)
    params = network.init(KEY)
    before = jax.tree.map(np.array, params)
    apply = jax.jit(network.apply)
    first, second = apply(params, x), apply(params, x)
    np.testing.assert_array_equal(first, second)
    jax.tree.map(np.testing.assert_array_equal, before, params)
    larger = jax.tree.map(lambda p: 10 * p if p.ndim > 1 else p, params)
    np.testing.assert_allclose(apply(larger, x), first, rtol=1e-4, atol=1e-5)


def test_a_linear_critic_is_lipschitz():
    """Slopes of a lone layer are at most 1, whatever its weights."""
    linear = Network(
        lambda key: {"w": 7 * jax.random.normal(key, (20, 5))}, lambda p, x: x @ p["w"]
    )
    jacobian = jax.jacobian(spectral(linear).apply, 1)(linear.init(KEY), jnp.ones(20))
    assert 0.99 <= np.linalg.norm(jacobian, 2) <= 1.01


@pytest.mark.peers
def test_against_torch_after_its_warm_up():
    torch = pytest.importorskip("torch")
    layer = torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(40, 30, bias=False))
    raw = layer.parametrizations.weight.original.detach().numpy().copy()
    for _ in range(500):  # one power iteration a call
        layer(torch.zeros(40))
    ours = spectral(Network(lambda key: None, lambda w: w)).apply(jnp.asarray(raw.T))
    np.testing.assert_allclose(ours, layer.eval().weight.detach().numpy().T, rtol=1e-2, atol=1e-6)
    exact = torch.linalg.matrix_norm(torch.tensor(raw), 2)
    np.testing.assert_allclose(largest_singular_value(jnp.asarray(raw)), exact, rtol=1e-2)
