"""Masked autoregressive flows: the triangle, the three ways to sample, weights, mass, and peers."""

from functools import partial

import jax
import jax.extend
import jax.numpy as jnp
import numpy as np
import pytest
from test_contracts import KEY, contract_bijection

from benchmarks.transplant import NFLOWS, ZUKO, from_nflows, from_zuko
from probtransform.core import pushforward, sample_and_log_density
from probtransform.distributions import normal
from probtransform.networks.causal import causal
from probtransform.transforms import invert, shift, shift_and_scale, stacked
from probtransform.transforms.jacobi import jacobi, sweep
from probtransform.transforms.masked_autoregressive import masked_autoregressive

D = 7
ORDERS = {
    "natural": np.arange(D),
    "reversed": np.arange(D)[::-1],
    "random": np.array([3, 0, 6, 2, 5, 1, 4]),
}


def shaken(params, scale=0.4, seed=0):
    """Away from the identity."""
    noise = np.random.default_rng(seed)
    return jax.tree.map(lambda p: p + jnp.asarray(scale * noise.standard_normal(p.shape)), params)


def jitted(flow):
    back = type(flow.inverse)(jax.jit(flow.inverse.fn))
    return flow._replace(forward=jax.jit(flow.forward), inverse=back, joint=jax.jit(flow.joint))


def double(params):
    return jax.tree.map(lambda p: jnp.asarray(np.asarray(p), jnp.float64), params)


def by_passes(network, scalar, params, z, cond=None):
    """The definition: d full passes, each of which makes one more entry final."""

    def one(i, x):
        theta = network.apply(params, x, cond)
        return x.at[i].set(scalar.forward(theta[i], z[i])[0])

    return jax.lax.fori_loop(0, len(z), one, jnp.zeros_like(z))


SIZES = [
    (2, 2),
    (D, 3),
    *(pytest.param(*s, marks=pytest.mark.slow) for s in ((1, 2), (3, 1), (19, 2))),
]


@pytest.mark.parametrize("size, depth", SIZES)
def test_sampling_entry_by_entry_is_that_of_full_passes_and_of_sweeps(size, depth):
    network, scalar = causal(size, 2, context=1, width=2 * size + 3, depth=depth), shift_and_scale()
    order = np.random.default_rng(size).permutation(size)
    for x64, tolerance in ((False, 1e-5), (True, 1e-10)):
        with jax.enable_x64(x64):
            params = shaken(network.init(KEY))
            params = double(params) if x64 else jax.tree.map(jnp.float32, params)
            z = jnp.asarray(
                np.random.default_rng(1).standard_normal((5, size)), params["bias"][0].dtype
            )
            cond = z[:, :1]
            passes = jax.jit(jax.vmap(lambda z, c: by_passes(network, scalar, params, z, c)))
            wanted = np.empty(z.shape, z.dtype)
            wanted[:, order] = passes(z[:, order], cond)
            near = partial(np.testing.assert_allclose, rtol=tolerance, atol=tolerance)
            for flow in (
                masked_autoregressive(network, order),
                jacobi(network, order, tolerance=tolerance),
                jacobi(network, order, tolerance=tolerance, blocks=min(3, size)),
            ):
                many = jax.jit(jax.vmap(partial(flow.forward, params, KEY)))
                near(many(z, cond), wanted)
            near(jax.jit(partial(flow.forward, params, KEY))(z[0], cond[0]), wanted[0])


@pytest.mark.parametrize("order", ORDERS)
def test_bijection_in_every_order(order):
    scalars = {"affine": shift_and_scale(), "additive": shift()}
    for name, scalar in scalars.items():
        network = causal(D, scalar.size, context=1, width=16)
        with jax.enable_x64(True):
            params = shaken(double(network.init(KEY)))
            flow = masked_autoregressive(network, ORDERS[order], scalar)
            for way in (
                flow,
                invert(flow),
                jacobi(network, ORDERS[order], scalar, tolerance=1e-11),
            ):
                z = jnp.asarray(np.random.default_rng(len(name)).standard_normal(D))
                contract_bijection(way, params, z, jnp.array([0.5]), 1e-9)


@pytest.mark.parametrize("order", ORDERS)
def test_an_entry_is_moved_by_those_before_it_in_order_and_by_all_of_them(order):
    network, order = causal(D, 2, width=16, activation=jnp.tanh), ORDERS[order]
    flow, params = masked_autoregressive(network, order), shaken(network.init(KEY))
    for way in (flow.forward, lambda *at: flow.inverse.fn(*at)[0]):
        jacobian = jax.jit(jax.jacfwd(lambda z: way(params, KEY, z)))(jax.random.normal(KEY, (D,)))
        seen = np.asarray(jacobian != 0)[np.ix_(order, order)]
        np.testing.assert_array_equal(seen, np.tril(np.ones((D, D), bool)))


def test_derivatives_of_sampling_are_those_of_full_passes():
    network, scalar = causal(D, 2, width=16, activation=jnp.tanh), shift_and_scale()
    flow = masked_autoregressive(network, np.arange(D))
    with jax.enable_x64(True):
        params = shaken(double(network.init(KEY)))
        z = jnp.asarray(np.random.default_rng(2).standard_normal((3, D)))

        def loop(params, z):
            return by_passes(network, scalar, params, z)

        def total(sample):
            return lambda p, z: jnp.sum(jnp.sin(jax.vmap(lambda z: sample(p, z))(z)))

        got = jax.jit(jax.grad(total(lambda p, z: flow.forward(p, KEY, z)), (0, 1)))(params, z)
        wanted = jax.jit(jax.jacrev(total(lambda p, z: loop(p, z)), (0, 1)))(params, z)
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-9), got, wanted)


def test_a_network_for_every_example():
    network = causal(D, 2, width=16)
    flow = masked_autoregressive(network, ORDERS["random"])
    params = [shaken(network.init(KEY), seed=i) for i in range(3)]
    z = jax.random.normal(KEY, (3, D))
    many = jax.tree.map(lambda *p: jnp.stack(p), *params)
    got = jax.vmap(lambda p, z: flow.forward(p, KEY, z))(many, z)
    alone = jax.jit(lambda p, z: flow.forward(p, KEY, z))
    wanted = jnp.stack([alone(p, z) for p, z in zip(params, z, strict=True)])
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)


def test_it_starts_as_the_identity_and_samples_know_their_density():
    network = causal(D, 2, width=32)
    orders = np.stack([*ORDERS.values()])
    flow = stacked(lambda order: masked_autoregressive(network, order), orders)
    params, z = flow.init(KEY), jax.random.normal(KEY, (D,))
    np.testing.assert_array_equal(flow.forward(params, KEY, z), z)
    model = pushforward(normal((D,)), flow=flow)
    params = {**model.init(KEY), "flow": shaken(params, 0.1)}
    keys = jax.random.split(KEY, 64)
    x, log_p = jax.vmap(lambda k: sample_and_log_density(model, params, k))(keys)
    again = jax.vmap(lambda x: model.density.fn(params, KEY, x, None))(x)
    np.testing.assert_allclose(log_p, again, rtol=0, atol=1e-4)


def test_two_dimensions_have_mass_one():
    network = causal(2, 2, width=16)
    orders = np.array([[0, 1], [1, 0]])
    flow = stacked(
        lambda order: masked_autoregressive(network, order, shift_and_scale(0.5)), orders
    )
    model = pushforward(normal((2,)), flow=flow)
    params = {**model.init(KEY), "flow": shaken(flow.init(KEY), 0.2)}
    side = jnp.linspace(-20, 20, 801)
    grid = jnp.stack(jnp.meshgrid(side, side), -1).reshape(-1, 2)
    log_p = jax.vmap(lambda x: model.density.fn(params, KEY, x, None))(grid)
    assert abs(jnp.exp(log_p).sum() * (side[1] - side[0]) ** 2 - 1) < 1e-3


def primitives(jaxpr):
    """All equations, those of loops and calls included."""
    for equation in jaxpr.eqns:
        yield equation.primitive.name
        for inner in jax.extend.core.jaxprs_in_params(equation.params):
            yield from primitives(inner)


def test_the_program_does_not_grow_with_the_number_of_entries():
    def program(d):
        network = causal(d, 2, width=80)
        flow = masked_autoregressive(network, np.arange(d))
        params = jax.eval_shape(network.init, KEY)
        traced = jax.make_jaxpr(lambda p, z: flow.joint(p, KEY, z))(params, jnp.zeros(d))
        return list(primitives(traced.jaxpr))

    assert "scan" in program(12) and program(12) == program(77)


def test_sweeps_say_when_they_have_not_converged():
    network, scalar = causal(D, 2, width=16), shift_and_scale()
    params, z = shaken(network.init(KEY)), jax.random.normal(KEY, (D,))
    early = sweep(network, scalar, params, z, None, 1, 1e-5, 1)
    assert early.sweeps == 1 and early.residual > 1e-3
    few = jacobi(network, np.arange(D), sweeps=1)
    assert np.isnan(few.forward(params, KEY, z)).all() and np.isnan(few.joint(params, KEY, z)[1])
    late = sweep(network, scalar, params, z, None, D, 1e-5, 1)
    assert late.residual <= 1e-5 and late.sweeps <= D
    with pytest.raises(ValueError, match="wanted at least 1"):
        jacobi(network, np.arange(D), sweeps=0)


@pytest.mark.parametrize("order", [[0, 0, 1], [1, 2, 3], [[0, 1, 2]]])
def test_an_order_is_a_permutation(order):
    with pytest.raises(ValueError, match="wanted a permutation"):
        masked_autoregressive(causal(3, 2, width=4), order)


def peer_layers(name, torch):
    """One layer of the peer, data to noise, and the same layer of ours."""
    if name == "zuko":
        layer = pytest.importorskip("zuko").flows.MaskedAutoregressiveTransform(
            D, order=torch.tensor(ORDERS["random"]), hidden_features=(16, 16)
        )
        return layer(), from_zuko(layer), ZUKO
    transforms = pytest.importorskip("nflows.transforms")
    layer = transforms.MaskedAffineAutoregressiveTransform(
        D, 16, num_blocks=1, use_residual_blocks=False
    )
    return layer, from_nflows(layer), NFLOWS


@pytest.mark.peers
@pytest.mark.parametrize("name", ["zuko", "nflows"])
def test_a_layer_of_a_peer_with_its_own_weights(name):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    theirs, (params, order), scalar = peer_layers(name, torch)
    ours = masked_autoregressive(causal(D, 2, width=16), order, scalar)
    x = np.random.default_rng(0).standard_normal((64, D)).astype(np.float32)
    with torch.no_grad():
        if name == "zuko":
            z, log_det = theirs.call_and_ladj(torch.from_numpy(x))
            back = theirs.inv(torch.from_numpy(x))
        else:
            z, log_det = theirs(torch.from_numpy(x))
            back, _ = theirs.inverse(torch.from_numpy(x))
    got, weight = jax.vmap(lambda x: ours.inverse.fn(params, KEY, x))(x)
    np.testing.assert_allclose(got, z, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(weight, log_det, rtol=1e-5, atol=1e-5)
    samples = jax.vmap(lambda z: ours.forward(params, KEY, z))(x)
    np.testing.assert_allclose(samples, back, rtol=1e-4, atol=1e-4)
