"""The convolutional energy against the same layers of another hand, and on images of any size."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.lax import conv_general_dilated

from probtransform.networks.energy_convnet import energy_convnet

KEY = jax.random.key(0)
SLOW = pytest.mark.slow


def convolved(x, layer, stride, padding):
    layout = ("NHWC", "HWIO", "NHWC")
    y = conv_general_dilated(
        x[None], layer["kernel"], (stride, stride), padding, dimension_numbers=layout
    )
    return y[0] + layer["bias"]


def test_it_is_a_convolution_halvings_and_two_linear_layers():
    net = energy_convnet((8, 8, 2), outputs=3, width=4)
    params = net.init(KEY)
    x = jax.random.normal(KEY, (8, 8, 2))
    h = jax.nn.silu(convolved(x, params["first"], 1, "SAME"))
    for layer in params["halvings"].values():
        h = jax.nn.silu(convolved(h, layer, 2, [(1, 1), (1, 1)]))
    assert h.shape == (4, 4, 8)
    for name, last in (("hidden", False), ("last", True)):
        h = h.reshape(-1) @ params[name]["kernel"] + params[name]["bias"]
        h = h if last else jax.nn.silu(h)
    np.testing.assert_allclose(net.apply(params, x), h, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(5, 7, 1), pytest.param((16, 8, 3), marks=SLOW), (1, 1, 6)])
def test_every_place_moves_the_energy_and_its_slope_is_smooth(shape):
    """Its second slope is not zero either: nothing in it is linear by pieces. Quiet, it begins at zero."""
    net, still = energy_convnet(shape, width=4), energy_convnet(shape, width=4, quiet=True)
    x, v = jax.random.normal(KEY, (2, *shape))

    def energy(x):
        return net.apply(params, x)[0]

    params = net.init(KEY)
    slope, bend = jax.jit(lambda x: jax.jvp(jax.grad(energy), (x,), (v,)))(x)
    assert (slope != 0).all() and (bend != 0).all()
    assert (still.apply(still.init(KEY), x) == jnp.zeros(1)).all()


def test_no_width_and_no_output_are_refused():
    for name in ("width", "outputs"):
        with pytest.raises(ValueError, match=f"{name}=0"):
            energy_convnet((8, 8, 1), **{name: 0})
