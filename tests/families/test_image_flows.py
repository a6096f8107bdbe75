"""Flows of images: one bijection of as many latents as pixels, whatever scales or patches it goes through."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.stats import norm

from probtransform.conformance import check_transform
from probtransform.core import Batch, Event, Exact, initial
from probtransform.families import glow, jet, realnvp, tarflow
from probtransform.families.jet import masks
from probtransform.families.multiscale import multiscale
from probtransform.families.patches import patches
from probtransform.networks.causal_transformer import token_transformer
from probtransform.transforms import actnorm, entrywise, masked_autoregressive, shift_and_scale
from probtransform.transforms.jacobi import jacobi

KEY = jax.random.key(0)
SMALL = {
    "realnvp": lambda event: realnvp.realnvp(event, layers=2, width=8, scales=2),
    "glow": lambda event: glow.glow(event, layers=2, width=8),
    "tarflow": lambda event: tarflow.tarflow(event, layers=2, width=8, depth=1, heads=2),
    "jet": lambda event: jet.jet(event, layers=4, width=8, heads=2),
}
IMAGE = (4, 4, 1)


def shaken(params, scale=0.2):
    noise = np.random.default_rng(0)
    return jax.tree.map(lambda p: jnp.asarray(p + scale * noise.standard_normal(p.shape)), params)


@pytest.mark.parametrize("family", SMALL)
def test_the_density_is_that_of_the_base_over_the_volume_of_the_map(family):
    """By autodiff of sampling alone; and every pixel is made of more than the latent of its own."""
    with jax.enable_x64(True):
        model = SMALL[family](Event(IMAGE))
        assert type(model.distribution.density) is Exact
        params = shaken(jax.tree.map(np.float64, jax.jit(model.distribution.init)(KEY)))
        z = jnp.asarray(np.random.default_rng(1).standard_normal(16))

        def image(z):
            return model.distribution.stages(params, KEY, None, z)[-1].reshape(-1)

        x, jacobian = jax.jit(lambda z: (image(z), jax.jacfwd(image)(z)))(z)
        got = jax.jit(model.distribution.density.fn)(params, KEY, x.reshape(IMAGE), None)
        wanted = norm.logpdf(z).sum() - jnp.linalg.slogdet(jacobian)[1]
        np.testing.assert_allclose(got, wanted, rtol=1e-9)
        # turned orders let every patch, and coarser scales every place, have a say in all
        assert (np.asarray(jacobian) != 0).mean() > 0.8


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("family", SMALL)
def test_no_parameter_is_empty(family, classes):
    """A checkpoint has no place for an array of no numbers."""
    model = SMALL[family](Event(IMAGE, classes=classes))
    shapes = jax.eval_shape(model.distribution.init, KEY)
    assert all(leaf.size for leaf in jax.tree.leaves(shapes))


@pytest.mark.parametrize("family", SMALL)
@pytest.mark.parametrize("shape", [(4, 2, 2), (3,)])
def test_it_starts_as_the_identity_up_to_the_order_of_entries(family, shape):
    if family == "realnvp" and len(shape) == 1:
        pytest.skip("three numbers in one place are no chessboard")
    model = SMALL[family](Event(shape))
    params = jax.jit(model.distribution.init)(KEY)
    z = jnp.arange(float(np.prod(shape)))
    x = jax.jit(model.distribution.stages)(params, KEY, None, z)[-1]
    assert x.shape == shape
    np.testing.assert_allclose(np.sort(x.reshape(-1)), z, atol=1e-5)


@pytest.mark.parametrize("family", SMALL)
def test_it_begins_with_the_means_and_deviations_of_the_data(family):
    model = SMALL[family](Event((2, 2, 1)))
    batch = jax.random.normal(KEY, (256, 2, 2, 1)) * jnp.arange(1.0, 5).reshape(2, 2, 1) + 3
    params = model.prepare(initial(model, KEY), KEY, Batch(batch))
    draw = jax.jit(jax.vmap(lambda k: model.distribution.sample(params, k, None)))
    x = draw(jax.random.split(KEY, 4000))
    np.testing.assert_allclose(x.mean(0), batch.mean(0), atol=0.3)
    np.testing.assert_allclose(x.std(0), batch.std(0), rtol=0.1)


def test_scales_end_where_a_side_is_odd():
    seen = []

    def noted(shape):
        seen.append(shape)
        return actnorm(shape)

    multiscale((28, 28, 1), 5, noted)
    assert seen == [(7, 7, 8), (14, 14, 4)]


def test_patches_are_squares_of_the_image_row_by_row():
    tokens = jnp.arange(16.0).reshape(4, 4)
    x = patches((4, 4, 1), 2).forward(patches((4, 4, 1), 2).init(KEY), KEY, tokens, None)
    wanted = [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]
    np.testing.assert_array_equal(x.reshape(4, 4), wanted)
    check_transform(patches((2, 4, 3), 2), jnp.zeros((2, 12)), points=5)


def test_tokens_move_as_those_before_say_and_sweeps_find_the_same_samples():
    scalar, order = entrywise(shift_and_scale(), 3), jnp.array([2, 0, 3, 1])
    network = token_transformer(4, 3, scalar.size, width=8, depth=2, heads=2)
    params = shaken(network.init(KEY))
    flow = masked_autoregressive(network, order, scalar)
    check_transform(flow, jnp.zeros((4, 3)), params=params, points=20)
    z = jax.random.normal(KEY, (4, 3))
    moved = jax.jit(jax.jacfwd(lambda z: flow.forward(params, KEY, z)))(z)
    seen = (np.asarray(moved) != 0).any((1, 3))[np.ix_(order, order)]
    np.testing.assert_array_equal(seen, np.tril(np.ones((4, 4), bool)))
    x, weight = jax.jit(flow.joint)(params, KEY, z)
    for blocks in (1, 2):
        swept = jacobi(network, order, scalar, tolerance=1e-5, blocks=blocks)
        np.testing.assert_allclose(jax.jit(swept.joint)(params, KEY, z)[0], x, atol=1e-4)
        np.testing.assert_allclose(jax.jit(swept.joint)(params, KEY, z)[1], weight, atol=1e-4)


@pytest.mark.parametrize("shape", [(8, 8, 1), (4, 4, 3), (5,), (2, 2, 1)])
def test_halves_take_turns_within_patches_and_between_them(shape):
    found = masks(8, shape, 2)
    np.testing.assert_array_equal(found[::2] + found[1::2], 1)
    assert (found.any(1) & ~found.all(1)).all()
    if shape[0] > 2 and len(shape) == 3:
        by_token = found.reshape(8, -1, 4 * shape[2])
        np.testing.assert_array_equal(by_token[0].mean(1), 0.5)
        assert set(by_token[2].mean(1)) == {0.0, 1.0}


@pytest.mark.parametrize(
    "build, wanted",
    [
        (lambda: glow.glow(Event((3, 3, 1))), "wanted two channels, or even sides"),
        (lambda: glow.glow(Event((1,))), "wanted two channels, or even sides"),
        (lambda: realnvp.realnvp(Event((3, 3, 1)), scales=1), "wanted an image with even sides"),
        (lambda: realnvp.realnvp(Event((4, 4, 1)), scales=-1), "got scales=-1, wanted at least 0"),
        (lambda: tarflow.tarflow(Event((5, 4, 1))), "divisible by 2"),
        (lambda: jet.jet(Event((4, 4, 1)), patch=3), "divisible by 3"),
        (lambda: jet.jet(Event((1,))), "wanted at least 2 entries"),
        (lambda: jet.jet(Event((4, 4, 1)), width=6), "a width of 6 for 4 heads"),
    ],
)
def test_what_cannot_be_cut_is_named(build, wanted):
    with pytest.raises(ValueError, match=wanted):
        build()
