"""The bodies of games of images: their convolutions, their start, what they read and what they do not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, PartitionSpec
from test_unet import loud

from probtransform.core import Network, from_nnx
from probtransform.networks import biggan, dcgan, r3gan, resnet_gan, styled, stylegan2
from probtransform.networks.bilinear import convolve, kernel_slope, product
from probtransform.networks.convolution import Conv, Doubling, Halving, convolved, resized
from probtransform.networks.equalised import Equalised
from probtransform.networks.projection import Projection
from probtransform.networks.pyramid import pyramid

KEY = jax.random.key(0)
BODIES = {"dcgan": dcgan, "resnet_gan": resnet_gan, "biggan": biggan, "r3gan": r3gan}
SHAPES = [(8, 8, 1), (28, 28, 1), (32, 32, 3), (12, 8, 2), (5, 7, 1), (1, 1, 6)]


def generator_of(name, shape, classes=3):
    """A generator of `(f32[8], f32[classes])`; of StyleGAN2 both networks, their noise fixed."""
    if name != "stylegan2":
        return BODIES[name].generator(shape, 8, classes, 8)
    layers, places = stylegan2.extent(shape)
    mapping, synthesis = stylegan2.mapping(8, classes, 8, 2), stylegan2.synthesis(shape, 8, 8)

    def apply(params, z, y):
        w = jnp.broadcast_to(mapping.apply(params["mapping"], z, y), (layers, 8))
        return synthesis.apply(params["synthesis"], w, jnp.ones(places))

    def init(key):
        return {"mapping": mapping.init(key), "synthesis": synthesis.init(key)}

    return Network(init, apply)


def critic_of(name, shape, classes=3):
    module = resnet_gan if name == "biggan" else BODIES.get(name, stylegan2)
    return module.critic(shape, classes, 8)


NAMES = [*BODIES, "stylegan2"]


def some(*names):
    """All bodies, those named in every run and the others when asked for slow tests."""
    return [n if n in names else pytest.param(n, marks=pytest.mark.slow) for n in NAMES]


# --- convolutions ---------------------------------------------------------------------------------


def conv(x, kernel, **how):
    layout = {"dimension_numbers": ("NHWC", "HWIO", "NHWC")}
    return jax.lax.conv_general_dilated(x[None], kernel, **how, **layout)[0]


def drawn(build, *shape):
    network = from_nnx(build)
    return network, loud(network), jax.random.normal(KEY, shape)


@pytest.mark.parametrize("size, groups", [(3, 1), (3, 2), (1, 1), (5, 3)])
def test_a_convolution_is_that_of_the_compiler(size, groups):
    network, params, x = drawn(lambda rngs: Conv(6, 12, rngs, size, groups), 7, 4, 6)
    expected = conv(
        x, params["kernel"], window_strides=(1, 1), padding="SAME", feature_group_count=groups
    )
    np.testing.assert_allclose(network.apply(params, x), expected + params["bias"], atol=1e-5)


@pytest.mark.parametrize("size, groups", [(3, 1), (1, 1), (5, 2)])
def test_slopes_of_a_convolution_are_those_of_the_compiler(size, groups):
    """Backwards, forwards, and twice, of a batch."""

    def peer(x, kernel):
        return conv(x, kernel, window_strides=(1, 1), padding="SAME", feature_group_count=groups)

    def energy(one):
        return lambda x, kernel: (jnp.tanh(jax.vmap(one, (0, None))(x, kernel)) ** 2).sum()

    with jax.enable_x64(True):
        noise = np.random.default_rng(0)
        x, dx = (jnp.asarray(noise.standard_normal((2, 5, 4, 4))) for _ in range(2))
        kernel, dk = (
            jnp.asarray(noise.standard_normal((size, size, 4 // groups, 6))) for _ in range(2)
        )
        for order in (
            lambda f: jax.grad(f, (0, 1))(x, kernel),
            lambda f: jax.jvp(f, (x, kernel), (dx, dk))[1],
            lambda f: jax.jvp(lambda x: f(x, kernel), (x,), (dx,))[1],
            lambda f: jax.jvp(lambda k: f(x, k), (kernel,), (dk,))[1],
            lambda f: jax.jvp(jax.grad(f, (0, 1)), (x, kernel), (dx, dk))[1],
            lambda f: jax.grad(lambda x, k: (jax.grad(f)(x, k) ** 2).sum(), (0, 1))(x, kernel),
            lambda f: jax.grad(lambda x, k: (jax.grad(f, 1)(x, k) ** 2).sum(), (0, 1))(x, kernel),
        ):
            found, wanted = (
                order(energy(one)) for one in (lambda x, k: convolved(x, k, groups), peer)
            )
            jax.tree.map(
                lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10), found, wanted
            )


@pytest.mark.parametrize("axes", [(1, None), (None, 2), (0, 3)])
def test_many_convolutions_and_slopes_are_each(axes):
    """A batch of one argument joins images or channels; of both, it is a batch."""
    noise = np.random.default_rng(0)

    def drawn_along(axis, *shape):
        return noise.standard_normal(shape if axis is None else np.insert(shape, axis, 3))

    def each_of(fn, *pair):
        rows = (
            [jnp.take(a, i, axis) for a, axis in zip(pair, axes, strict=True) if axis is not None]
            for i in range(3)
        )
        rows = [
            (
                row[0] if axes[0] is not None else pair[0],
                row[-1] if axes[1] is not None else pair[1],
            )
            for row in rows
        ]
        return jnp.stack([fn(*row) for row in rows])

    def slope_by_places(x, y):
        wide = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        h, w = x.shape[1:3]
        places = [[wide[:, a : a + h, b : b + w] for b in range(3)] for a in range(3)]
        return np.einsum("abnhwi,nhwo->abio", np.array(places), y)

    def peer(x, kernel):
        layout = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=layout)

    with jax.enable_x64(True):
        x = drawn_along(axes[0], 2, 5, 4, 2)
        kernel, y = drawn_along(axes[1], 3, 3, 2, 6), drawn_along(axes[1], 2, 5, 4, 6)
        found = jax.vmap(convolve, axes)(x, kernel)
        np.testing.assert_allclose(found, each_of(peer, x, kernel), atol=1e-12)
        found = jax.vmap(lambda x, y: kernel_slope(x, y, (3, 3)), axes)(x, y)
        np.testing.assert_allclose(found, each_of(slope_by_places, x, y), atol=1e-12)


def test_a_kernel_has_a_middle():
    with pytest.raises(ValueError, match="got a kernel of 4 x 4, wanted odd sizes"):
        convolved(jnp.ones((5, 5, 1)), jnp.ones((4, 4, 1, 1)))
    with pytest.raises(ValueError, match="got a kernel of 4 x 4, wanted odd sizes"):
        from_nnx(lambda rngs: Conv(2, 3, rngs, size=4))


@pytest.mark.parametrize("fn, size", [(convolve, (3, 3)), (product, ())])
def test_a_bilinear_map_knows_along_which_devices_it_differs(fn, size):
    """Else the slope of what all devices share would not be summed over them, and nobody would say so."""
    devices = Mesh(jax.devices()[:1], ("d",))
    x, kernel, varying = jnp.ones((2, 4, 4, 3)), jnp.ones((*size, 3, 5)), {}

    def look(x, kernel):
        y, pull = jax.vjp(fn, x, kernel)
        for name, value in {"y": y, "x": pull(y)[0], "kernel": pull(y)[1]}.items():
            varying[name] = set(jax.typeof(value).manual_axis_type.varying)
        return y

    part = PartitionSpec("d")
    jax.shard_map(look, mesh=devices, in_specs=(part, PartitionSpec()), out_specs=part)(x, kernel)
    assert varying == {"y": {"d"}, "x": {"d"}, "kernel": set()}


def test_a_convolution_keeps_the_precision_it_was_called_in():
    def exact(x, kernel):
        with jax.default_matmul_precision("highest"):
            return convolve(x, kernel)

    arrays = jnp.ones((2, 4, 4, 3)), jnp.ones((3, 3, 3, 5))
    assert "HIGHEST" in jax.jit(exact).lower(*arrays).as_text()
    assert "HIGHEST" not in jax.jit(convolve).lower(*arrays).as_text()
    slopes = jax.jit(jax.grad(lambda *pair: exact(*pair).sum(), (0, 1)))
    assert slopes.lower(*arrays).as_text().count("HIGHEST") >= 2


def test_a_convolution_takes_two_formats_and_no_examples():
    x, kernel = jnp.ones((2, 4, 4, 3), jnp.bfloat16), jnp.ones((3, 3, 3, 5))
    found = convolve(x, kernel)
    assert found.dtype == jnp.float32
    np.testing.assert_array_equal(found, convolve(x.astype(jnp.float32), kernel))
    assert jax.vmap(convolve, (0, None))(jnp.ones((0, 2, 4, 4, 3)), kernel).shape == (0, 2, 4, 4, 5)


def test_halving_is_a_convolution_of_stride_two():
    network, params, x = drawn(lambda rngs: Halving(3, 5, rngs), 8, 6, 3)
    expected = conv(x, params["kernel"], window_strides=(2, 2), padding=((1, 1), (1, 1)))
    np.testing.assert_allclose(network.apply(params, x), expected + params["bias"], atol=1e-5)


def test_doubling_is_a_convolution_of_stride_one_half():
    """Of an image with zeros put between its places, by the four kernels put together."""
    network, params, x = drawn(lambda rngs: Doubling(3, 5, rngs), 4, 3, 3)
    whole = params["kernel"].reshape(2, 2, 2, 2, 3, 5).transpose(2, 0, 3, 1, 4, 5)
    expected = conv(
        x,
        whole.reshape(4, 4, 3, 5),
        window_strides=(1, 1),
        padding=((2, 2), (2, 2)),
        lhs_dilation=(2, 2),
    )
    np.testing.assert_allclose(network.apply(params, x), expected + params["bias"], atol=1e-5)


def test_groups_must_divide_the_channels():
    with pytest.raises(ValueError, match="got 4 groups for 6 and 8 channels"):
        from_nnx(lambda rngs: Conv(6, 8, rngs, groups=4))


def test_bilinear_steps_are_the_filter_one_three_three_one():
    """Twice as large: 1/4 and 3/4 of the two nearest. Half as large: 1, 3, 3, 1 eighths."""
    x = jnp.array([0.0, 4.0, 8.0, 0.0])
    image = jnp.broadcast_to(x[:, None, None], (4, 4, 1))
    np.testing.assert_allclose(
        resized(image, (8, 8))[1:7, 3, 0], [1, 3, 5, 7, 6, 2], rtol=1e-5, atol=1e-6
    )
    ramp = jnp.broadcast_to(jnp.arange(8.0)[:, None, None] ** 2, (8, 8, 1))
    inner = [(1 + 3 * 4 + 3 * 9 + 16) / 8, (9 + 3 * 16 + 3 * 25 + 36) / 8]
    np.testing.assert_allclose(resized(ramp, (4, 4))[1:3, 2, 0], inner, rtol=1e-5)


def test_a_pyramid_halves_while_it_can():
    assert pyramid((28, 28, 1), 8) == [(7, 7, 32), (14, 14, 16), (28, 28, 8)]
    assert pyramid((32, 32, 3), 8) == [(4, 4, 32), (8, 8, 32), (16, 16, 16), (32, 32, 8)]
    assert pyramid((8, 8, 1), 8) == [(4, 4, 16), (8, 8, 8)]
    assert pyramid((1, 1, 64), 8) == [(1, 1, 8)]
    with pytest.raises(ValueError, match=r"got an event of shape \(64,\)"):
        pyramid((64,), 8)


# --- sizes, and what is read ----------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", NAMES)
def test_images_of_every_size_are_made_and_judged(name, shape):
    network, judge = generator_of(name, shape), critic_of(name, shape)
    z, y = jnp.ones(8), jnp.ones(3)
    image = jax.eval_shape(lambda key: network.apply(network.init(key), z, y), KEY)
    assert (image.shape, image.dtype) == (shape, jnp.float32)
    logit = jax.eval_shape(lambda key: judge.apply(judge.init(key), jnp.ones(shape), y), KEY)
    assert (logit.shape, logit.dtype) == ((), jnp.float32)


@pytest.mark.parametrize("name", some("dcgan", "stylegan2"))
def test_every_entry_of_latent_and_label_moves_the_image(name):
    network = generator_of(name, (8, 8, 1))
    slopes = jax.jit(jax.jacrev(network.apply, (1, 2)))
    z, y = jax.random.normal(KEY, (8,)), jnp.array([0.0, 1.0, 0.0])
    for slope in slopes(loud(network), z, y):
        assert (jnp.abs(slope).max((0, 1, 2)) > 1e-7).all()


@pytest.mark.parametrize("name", some("dcgan", "r3gan"))
def test_a_logit_reads_every_pixel_of_its_own_example_and_its_label(name):
    judge = critic_of(name, (8, 8, 2))
    params, x = loud(judge), jax.random.normal(KEY, (3, 8, 8, 2))
    y = jnp.eye(3)
    logits = jax.jit(jax.vmap(judge.apply, (None, 0, 0)))
    by_pixel, by_label = jax.jit(jax.jacrev(logits, (1, 2)))(params, x, y)
    own = np.eye(3, dtype=bool)
    assert (jnp.abs(by_pixel[own]) > 1e-7).mean() > 0.99
    assert (by_pixel[~own] == 0).all() and (by_label[~own] == 0).all()
    assert (jnp.abs(by_label[own]) > 1e-5).all()
    alone = judge.apply(params, x[1], y[1])
    np.testing.assert_allclose(logits(params, x, y)[1], alone, rtol=1e-4, atol=1e-5)


def test_a_projection_is_its_equation():
    network = from_nnx(lambda rngs: Projection(2, 3, rngs))
    params = {
        "linear": {"kernel": jnp.array([[1.0], [-2.0]]), "bias": jnp.array([0.5])},
        "embedding": jnp.array([[1.0, 0.0], [3.0, -1.0], [0.0, 2.0]]),
    }
    assert jax.tree.map(jnp.shape, params) == jax.tree.map(jnp.shape, network.init(KEY))
    phi = jnp.array([2.0, 4.0])
    # v'phi + b = 2 - 8 + 0.5, and E phi = (2, 2, 8)
    for y, logit in (([0, 0, 0], -5.5), ([1, 0, 0], -3.5), ([0, 1, 0], -3.5), ([0, 0, 1], 2.5)):
        np.testing.assert_allclose(network.apply(params, phi, jnp.array(y, float)), logit)


@pytest.mark.parametrize("name", ["dcgan", "stylegan2"])
def test_labels_enter_a_critic_by_their_product_with_features(name):
    """`D(x, y) - D(x, 0) = y' E phi(x)`: linear in y, and of the columns of E that phi has."""
    judge = critic_of(name, (8, 8, 1))
    params, x = loud(judge), jax.random.normal(KEY, (8, 8, 1))
    at = jax.jit(lambda p, y: judge.apply(p, x, jnp.asarray(y, jnp.float32)))
    bare, *apart = (at(params, y) for y in ([0, 0, 0], [1, 0, 0], [0, 1, 0]))
    np.testing.assert_allclose(
        at(params, [2, 3, 0]) - bare, np.dot([2, 3], np.array(apart) - bare), rtol=1e-3
    )
    same = params | {"last": params["last"] | {"embedding": params["last"]["embedding"] * 0 + 1}}
    doubled = same | {"last": same["last"] | {"embedding": same["last"]["embedding"] * 2}}
    total = at(same, [1, 0, 0]) - bare
    np.testing.assert_allclose(at(doubled, [0, 1, 0]) - bare, 2 * total, rtol=1e-3, atol=1e-4)


# --- R3GAN ----------------------------------------------------------------------------------------


def test_residual_branches_start_as_nothing():
    block = from_nnx(lambda rngs: r3gan.Block(16, 4, 3, rngs))
    x = jax.random.normal(KEY, (4, 4, 16))
    np.testing.assert_array_equal(block.apply(block.init(KEY), x), x)
    network = r3gan.generator((8, 8, 1), 8, 0, 16, depth=2)
    params, nothing = jax.jit(network.init)(KEY), jnp.zeros(0)
    made = jax.jit(lambda z: network.apply(params, z, nothing))
    a, b = jax.random.normal(KEY, (2, 8))
    np.testing.assert_allclose(made(2 * a - 3 * b), 2 * made(a) - 3 * made(b), atol=1e-4)
    judge = r3gan.critic((8, 8, 1), 0, 16, depth=2)
    params = jax.jit(judge.init)(KEY)
    seen = jax.jit(lambda x: judge.apply(params, x, nothing))
    x, y = jax.random.normal(KEY, (2, 8, 8, 1))
    np.testing.assert_allclose(seen(2 * x - 3 * y), 2 * seen(x) - 3 * seen(y), atol=1e-4)


def test_a_block_is_its_equation():
    network = from_nnx(lambda rngs: r3gan.Block(16, 1, 3, rngs))
    p, x = loud(network), jax.random.normal(KEY, (5, 4, 16))
    act = lambda h: jnp.where(h > 0, h, 0.2 * h)  # noqa: E731
    h = act(x @ p["widen"]["kernel"] + p["widen"]["bias"])
    how = {"window_strides": (1, 1), "padding": "SAME", "feature_group_count": 2}
    h = act(conv(h, p["grouped"]["kernel"], **how) + p["grouped"]["bias"])
    np.testing.assert_allclose(network.apply(p, x), x + h @ p["narrow"]["kernel"], atol=1e-4)
    assert p["grouped"]["kernel"].shape == (3, 3, 16, 32)


def test_the_more_blocks_the_smaller_they_start():
    """He et al.'s deviation for a slope of 0.2, times `blocks^(-1/4)`: two of the three layers share it."""
    for blocks in (1, 16):
        network = from_nnx(lambda rngs, n=blocks: r3gan.Block(64, n, 3, rngs))
        params = jax.jit(network.init)(KEY)
        gain = np.sqrt(2 / 1.04) * blocks**-0.25
        for layer, fan in (("widen", 64), ("grouped", 9 * 16)):
            found = np.std(params[layer]["kernel"]) * np.sqrt(fan)
            np.testing.assert_allclose(found, gain, rtol=0.04)


# --- BigGAN ---------------------------------------------------------------------------------------


def test_each_block_hears_of_its_own_part_of_the_latent():
    network = biggan.generator((8, 8, 1), 7, 3, 8)  # parts of 3, 2 and 2
    params, y = loud(network), jnp.array([0.0, 1.0, 0.0])

    def deaf(block):
        """With zeros where that block's norms read its part; the embedding comes before it."""

        def cut(path, leaf):
            names = [getattr(part, "key", None) for part in path]
            own = names[:2] == ["blocks", block] and names[-2:] == ["context", "kernel"]
            return leaf.at[8:].set(0) if own else leaf

        return jax.tree.map_with_path(cut, params)

    slope = jax.jit(jax.jacrev(network.apply, 1))
    z = jax.random.normal(KEY, (7,))
    heard = lambda p: (jnp.abs(slope(p, z, y)).max((0, 1, 2)) > 0).tolist()  # noqa: E731
    assert heard(params) == [True] * 7
    assert heard(deaf(0)) == [True] * 3 + [False] * 2 + [True] * 2
    assert heard(deaf(1)) == [True] * 5 + [False] * 2


def test_a_latent_has_a_number_for_each_part():
    with pytest.raises(ValueError, match="got latent=2 for 3 parts"):
        biggan.generator((8, 8, 1), 2)


# --- StyleGAN2 ------------------------------------------------------------------------------------


def by_hand(kernel, x, s):
    """The convolution of ONE image by weights made for it, scaled by its style, then of norm one."""
    weights = kernel / np.sqrt(np.prod(kernel.shape[:3])) * s[:, None]
    weights = weights / jnp.sqrt((weights**2).sum((0, 1, 2)) + 1e-8)
    return conv(x, weights, window_strides=(1, 1), padding="SAME")


@pytest.mark.parametrize("double, tolerance", [(False, 1e-5), (True, 1e-12)])
def test_a_modulated_convolution_is_each_example_with_weights_of_its_own(double, tolerance):
    with jax.enable_x64(double):
        network = from_nnx(lambda rngs: styled.Modulated(3, 5, 3, rngs))
        dtype = jnp.float64 if double else jnp.float32
        noise = np.random.default_rng(0)
        kernel, x, s = (
            jnp.asarray(noise.standard_normal(shape), dtype)
            for shape in ((3, 3, 3, 5), (4, 6, 7, 3), (4, 3))
        )
        found = jax.vmap(network.apply, (None, 0, 0))({"kernel": kernel}, x, s)
        for i in range(4):
            expected = by_hand(kernel, x[i], s[i])
            np.testing.assert_allclose(found[i], expected, rtol=tolerance, atol=tolerance)
        # twice the style is the same weights
        again = jax.vmap(network.apply, (None, 0, 0))({"kernel": kernel}, x, 2 * s)
        np.testing.assert_allclose(again, found, rtol=1e-5, atol=1e-5)


def test_pixels_are_modulated_and_not_demodulated():
    network = from_nnx(lambda rngs: styled.Modulated(3, 2, 1, rngs, demodulates=False))
    params, x = loud(network), jax.random.normal(KEY, (4, 4, 3))
    s = jnp.array([1.0, -2.0, 0.5])
    expected = x @ (params["kernel"][0, 0] * s[:, None]) / np.sqrt(3)
    np.testing.assert_allclose(network.apply(params, x, s), expected, atol=1e-5)


def test_adain_gives_every_channel_the_mean_and_deviation_of_the_style():
    network = from_nnx(lambda rngs: styled.AdaIN(3, 5, 4, 3, rngs))
    params, x = loud(network), jax.random.normal(KEY, (6, 7, 3))
    w, noise = jnp.array([1.0, -2.0, 0.5, 0.3]), jax.random.normal(jax.random.key(1), (6, 7))
    kernel = params["conv"]["kernel"] / np.sqrt(27)
    h = conv(x, kernel, window_strides=(1, 1), padding="SAME") + params["conv"]["bias"]
    h = np.asarray(h + params["strength"] * noise[..., None], np.float64)
    h = np.where(h < 0, 0.2 * h, h)
    scale, mean = (
        w @ params[side]["kernel"] / 2 + params[side]["bias"] for side in ("scale", "mean")
    )
    expected = scale * (h - h.mean((0, 1))) / h.std((0, 1)) + mean
    found = network.apply(params, x, w, noise)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.std((0, 1)), abs(scale), rtol=1e-4)
    start = network.init(KEY)
    unstyled = network.apply(start, x, 0 * w, noise)
    np.testing.assert_allclose(unstyled.std((0, 1)), 1, rtol=1e-4)


def test_adain_wants_places_to_normalise_over():
    with pytest.raises(ValueError, match="wanted more than one place to normalise over"):
        stylegan2.synthesis((1, 1, 6), 4, 8, adain=True)
    layers, places = stylegan2.extent((8, 8, 1))
    network = stylegan2.synthesis((8, 8, 1), 6, 8, adain=True)
    image = network.apply(loud(network), jnp.ones((layers, 6)), jnp.ones(places))
    assert image.shape == (8, 8, 1) and np.ptp(image) > 0.01


def test_a_synthesis_reads_as_many_styles_and_as_much_noise_as_it_says():
    assert stylegan2.extent((28, 28, 1)) == (6, 49 + 2 * 196 + 2 * 784)
    assert stylegan2.extent((8, 8, 1)) == (4, 16 + 2 * 64)
    network = stylegan2.synthesis((8, 8, 1), 6, 8)
    params = loud(network)
    w, noise = jax.random.normal(KEY, (4, 6)), jax.random.normal(KEY, (144,))
    slope = jax.jit(jax.jacrev(network.apply, (1, 2)))
    by_style, by_noise = (jnp.abs(s).max((0, 1, 2)) for s in slope(params, w, noise))
    assert (by_style > 1e-6).all() and (by_noise > 1e-9).mean() > 0.99
    silent = jax.tree.map_with_path(lambda path, leaf: leaf * (path[-1].key != "strength"), params)
    assert (slope(silent, w, noise)[1] == 0).all()


def test_styles_do_not_hear_how_long_a_latent_is():
    network = stylegan2.mapping(4, 0, 5, 3)
    params, z = loud(network), jnp.array([1.0, -2.0, 0.5, 3.0])
    made = [network.apply(params, a * z, jnp.zeros(0)) for a in (1.0, 100.0)]
    np.testing.assert_allclose(*made, rtol=1e-4, atol=1e-5)


def test_all_layers_start_of_one_size_and_learn_at_the_pace_they_are_given():
    for pace in (1.0, 0.01):
        network = from_nnx(lambda rngs, pace=pace: Equalised(400, 300, rngs, bias=1.0, pace=pace))
        params, x = network.init(KEY), jax.random.normal(KEY, (400,))
        y = network.apply(params, x)
        assert abs(y.mean() - 1) < 0.2 and abs(y.std() - 1) < 0.1
        slope = jax.grad(lambda p: network.apply(p, x).sum())(params)
        np.testing.assert_allclose(slope["bias"], pace, rtol=1e-5)
        np.testing.assert_allclose(slope["kernel"][:, 0], pace * x / 20, rtol=1e-4)
