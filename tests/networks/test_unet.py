"""A U-Net agrees with Flax piece by piece, reads all that it is given, and starts at zero."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.extend.core import jaxprs_in_params
from test_bodies import count, of_flax

from probtransform.core import Maybe, from_nnx
from probtransform.networks import unet, waves
from probtransform.networks.unet import AdaptiveNorm, Attention, Block, doubled, halved
from probtransform.networks.waves import Embedding

SMALL = {"width": 8, "multiples": (1, 2), "depth": 2, "heads": 2, "groups": 2}
KEY = jax.random.key(0)
TIMES, LABELS = jnp.array([0.3, 0.5, 0.501, 0.7]), jnp.array([0, 1, 1, 2])


def loud(network, seed=0):
    """Parameters at which every layer says something of size one, without a program to draw them."""
    noise = np.random.default_rng(seed)

    def drawn(path, leaf):
        size = 0.3 if leaf.ndim == 1 else np.prod(leaf.shape[:-1]) ** -0.5
        value = size * noise.standard_normal(leaf.shape) + (path[-1].key == "scale")
        return jnp.asarray(value, leaf.dtype)

    return jax.tree.map_with_path(drawn, jax.eval_shape(network.init, KEY))


def slopes_of(network, x):
    """`params -> (gradients, outputs)` of the sum of squares over `TIMES` and `LABELS`."""

    def loss(params):
        y = jax.vmap(network.apply, (None, None, 0, 0))(params, x, TIMES, LABELS)
        return (y**2).sum(), y

    return jax.jit(jax.grad(loss, has_aux=True))


def equations(jaxpr):
    """All equations of a program and of those inside it."""
    for equation in jaxpr.eqns:
        yield equation
        for inner in jaxprs_in_params(equation.params):
            yield from equations(inner)


def formats(program, *names):
    """The number formats that the operations of these names read."""
    found = [e for e in equations(program.jaxpr) if e.primitive.name in names]
    return {v.aval.dtype for e in found for v in e.invars}


@pytest.fixture(scope="module")
def labelled():
    """A network of three labels, loud parameters, an image, and its gradients."""
    network = unet(3, 2, classes=3, **SMALL)
    x = jax.random.normal(KEY, (4, 6, 3))
    return jax.jit(network.apply), loud(network), x, slopes_of(network, x)


def test_waves_are_those_of_the_transformer():
    t = np.linspace(-15, 15, 7)
    w = [0.1 * 1000 ** (i / 3) for i in range(4)]
    expected = [[f(a * s) for f in (np.cos, np.sin) for a in w] for s in t]
    np.testing.assert_allclose(waves(t, 8), expected, atol=1e-4)


@pytest.mark.parametrize("low, high, step", [(0, 1, 1e-3), (-15, 15, 1e-2)])
def test_waves_tell_every_time_from_every_other(low, high, step):
    times = np.arange(low, high, step)[:1000]
    found = np.asarray(waves(times, 32))
    apart = np.abs(found[:, None] - found[None]).max(-1)
    assert apart[~np.eye(len(times), dtype=bool)].min() > 0.05


def test_the_embedding_is_its_equation():
    network = from_nnx(lambda rngs: Embedding(6, 3, rngs))
    p = loud(network)
    silu = jax.nn.silu
    h = waves(0.3, 6) @ p["first"]["kernel"] + p["first"]["bias"]
    h = silu(h) @ p["second"]["kernel"] + p["second"]["bias"]
    np.testing.assert_allclose(network.apply(p, 0.3, 2), silu(h + p["labels"][2]), atol=1e-5)
    np.testing.assert_allclose(network.apply(p, 0.3, Maybe(2, False)), silu(h), atol=1e-5)


def test_the_adaptive_norm_scales_and_shifts_that_of_flax():
    network = from_nnx(lambda rngs: AdaptiveNorm(4, 2, 3, rngs))
    params = loud(network)
    x, e = 2 + jax.random.normal(KEY, (5, 3, 4)), jnp.array([1.0, -2.0, 0.5])
    plain = {name: params[name] for name in ("scale", "bias")}
    y = of_flax(nnx.GroupNorm(4, 2, rngs=nnx.Rngs(0)))(plain, x[None])[0]
    read = e @ params["context"]["kernel"] + params["context"]["bias"]
    found = network.apply(params, x, e)
    np.testing.assert_allclose(found, (1 + read[:4]) * y + read[4:], rtol=1e-4, atol=1e-4)


def test_the_norm_of_bfloat16_is_that_of_its_numbers_in_float32():
    network = from_nnx(lambda rngs: AdaptiveNorm(4, 2, 0, rngs))
    x = (100 + jax.random.normal(KEY, (8, 8, 4))).astype(jnp.bfloat16)
    found, params = network.apply(network.init(KEY), x), network.init(KEY)
    assert found.dtype == jnp.bfloat16
    expected = network.apply(params, x.astype(jnp.float32))
    np.testing.assert_allclose(found.astype(jnp.float32), expected, rtol=4e-3, atol=1e-4)


def test_attention_is_that_of_flax():
    network = from_nnx(lambda rngs: Attention(8, 2, 2, rngs))
    params, x = loud(network), jax.random.normal(KEY, (3, 5, 8))
    norm = of_flax(nnx.GroupNorm(8, 2, rngs=nnx.Rngs(0)))(params["norm"], x[None])[0]
    kernel = params["qkv"]["kernel"].reshape(8, 3, 2, 4)
    bias = params["qkv"]["bias"].reshape(3, 2, 4)
    theirs = {
        name: {"kernel": kernel[:, i], "bias": bias[i]}
        for i, name in enumerate(("query", "key", "value"))
    }
    theirs["out"] = {**params["out"], "kernel": params["out"]["kernel"].reshape(2, 4, 8)}
    flax = of_flax(nnx.MultiHeadAttention(2, 8, decode=False, rngs=nnx.Rngs(0)))
    expected = x + flax(theirs, norm.reshape(15, 8)).reshape(x.shape)
    np.testing.assert_allclose(network.apply(params, x), expected, atol=1e-4)


def test_a_block_starts_as_its_shortcut():
    x, e = jax.random.normal(KEY, (4, 4, 4)), jnp.ones(3)
    same = from_nnx(lambda rngs: Block(4, 4, 3, 2, 2, rngs))
    np.testing.assert_array_equal(same.apply(same.init(KEY), x, e), x)
    wider = from_nnx(lambda rngs: Block(4, 6, 3, 2, 0, rngs))
    params = wider.init(KEY)
    expected = x @ params["shortcut"]["kernel"] + params["shortcut"]["bias"]
    np.testing.assert_allclose(wider.apply(params, x, e), expected, rtol=1e-5, atol=1e-5)


def test_halved_is_average_pooling_and_doubled_its_right_inverse():
    x = jax.random.normal(KEY, (4, 6, 3))
    np.testing.assert_allclose(halved(x), nnx.avg_pool(x, (2, 2), (2, 2)), atol=1e-6)
    np.testing.assert_allclose(halved(doubled(x)), x, atol=1e-6)
    np.testing.assert_array_equal(doubled(x)[2:4, 4:6], jnp.broadcast_to(x[1, 2], (2, 2, 3)))


def test_it_starts_at_zero():
    network = unet(1, 3, width=4, multiples=(1,), depth=1, heads=2, groups=2)
    params = loud(network) | {"body": jax.jit(network.init)(KEY)["body"]}
    assert not jax.jit(network.apply)(params, jnp.ones((7, 7, 1)), 0.5).any()


@pytest.mark.parametrize("side", [(28, 28), (4, 12)])
def test_every_image_that_halves_is_welcome(side):
    network = unet(1, 3, multiples=(2, 1, 3), depth=1)
    y = jax.eval_shape(lambda x: network.apply(network.init(KEY), x, 0.5), jnp.ones((*side, 1)))
    assert (y.shape, y.dtype) == ((*side, 3), jnp.float32)


@pytest.mark.parametrize("attention, attending", [((), 0), ((0,), 4), ((-1,), 5), ((0, 1), 9)])
def test_parameters_are_as_many_as_the_equations_say(attention, attending):
    network = unet(3, 5, classes=7, attention=attention, **SMALL | {"multiples": (1, 1)})
    params = jax.eval_shape(network.init, KEY)
    w, e = 8, 32

    def conv(a, b):
        return 9 * a * b + b

    def linear(a, b):
        return a * b + b

    def block(a):
        norms = 2 * a + 2 * w + linear(e, 2 * w)
        return norms + conv(a, w) + conv(w, w) + (linear(a, w) if a != w else 0)

    embedding = 2 * linear(e, e) + 7 * e
    attentions = attending * (2 * w + linear(w, 3 * w) + linear(w, w))
    blocks = (2 + 2 + 2) * block(w) + (2 + 2) * block(2 * w)
    ends = conv(3, w) + 2 * conv(w, w) + 2 * w + conv(w, 5)
    assert count(params) == embedding + attentions + blocks + ends


def test_it_reads_time_and_label_and_knows_an_absent_one(labelled):
    apply, params, x, _ = labelled
    at = apply(params, x, 0.5, 1)
    for t, cond in ((0.501, 1), (0.5, 2), (0.5, Maybe(1, False))):
        assert jnp.abs(apply(params, x, t, cond) - at).max() > 1e-4
    np.testing.assert_array_equal(apply(params, x, 0.5, Maybe(1, True)), at)
    absent = [apply(params, x, 0.5, Maybe(label, False)) for label in (1, 2)]
    np.testing.assert_array_equal(*absent)
    assert jnp.isnan(apply(params, x, 0.5, 3)).all()


def test_the_way_up_reads_each_block_of_the_way_down_in_turn(labelled):
    """With all else cut, the output hears of a block of the way down by the skip to its mirror image."""
    _, params, _, slopes = labelled

    def cut(p, path):
        """With zeros where block `path` of the way up reads the skip."""
        block = p["body"]["stage"]["up"][path]
        shortcut, norm = block["shortcut"], block["norm1"]
        silent = block | {
            "shortcut": shortcut | {"kernel": shortcut["kernel"].at[8:].set(0)},
            "norm1": {name: value.at[8:].set(0) for name, value in norm.items()},
        }
        stage = p["body"]["stage"]
        up = {**stage["up"], path: silent}
        return p | {"body": p["body"] | {"stage": stage | {"up": up}}}

    def heard(p):
        """Which blocks of the way down change the output, by their last convolutions."""
        down = slopes(p)[0]["body"]["stage"]["down"]
        return [bool(jnp.abs(down[i]["conv2"]["kernel"]).max() > 1e-4) for i in range(2)]

    stage = params["body"]["stage"]
    deaf = stage | {"grow": jax.tree.map(jnp.zeros_like, stage["grow"])}
    only = params | {"body": params["body"] | {"stage": deaf}}
    assert heard(only) == [True, True]
    assert heard(cut(only, 0)) == [True, False]
    assert heard(cut(cut(only, 0), 1)) == [False, False]
    assert heard(cut(cut(params, 0), 1)) == [True, True]


def test_every_parameter_is_used_and_its_gradient_finite(labelled):
    _, params, _, slopes = labelled
    for path, slope in jax.tree.leaves_with_path(slopes(params)[0]):
        assert jnp.isfinite(slope).all(), path
        assert slope.any(), path


def test_vmap_is_a_loop(labelled):
    apply, params, x, slopes = labelled
    for mapped, t, label in zip(slopes(params)[1], TIMES, LABELS, strict=True):
        np.testing.assert_allclose(mapped, apply(params, x, t, label), atol=1e-4)


def test_bfloat16_is_close_and_keeps_parameters_and_times_in_float32(labelled):
    *_, x, _ = labelled
    exact, network = (
        unet(3, 2, classes=3, compute=compute, **SMALL | {"depth": 1})
        for compute in ("float32", "bfloat16")
    )
    params = loud(network)
    gradients, found = slopes_of(network, x)(params)
    assert found.dtype == jnp.float32
    for leaf, slope in zip(*map(jax.tree.leaves, (params, gradients)), strict=True):
        assert leaf.dtype == slope.dtype == jnp.float32 and jnp.isfinite(slope).all()
    expected = jax.jit(exact.apply)(params, x, TIMES[1], LABELS[1])
    assert 1e-4 < jnp.linalg.norm(found[1] - expected) / jnp.linalg.norm(expected) < 2e-2
    assert (found[1] != found[2]).any()
    program = jax.make_jaxpr(network.apply)(params, x, 0.5, 1)
    assert formats(program, "convolve") == {jnp.dtype("bfloat16")}
    assert formats(program, "exp", "rsqrt") == {jnp.dtype("float32")}


def applied(*shape, t=0.5, cond=None, **options):
    network = unet(1, 1, **SMALL | options)
    return jax.eval_shape(lambda: network.apply(network.init(KEY), jnp.ones(shape), t, cond))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: unet(1, 0), "unet: got outputs=0"),
        (lambda: unet(1, 1, multiples=()), "unet: got multiples=0"),
        (lambda: unet(1, 1, width=30), "group norm: got 30 channels in 8 groups"),
        (lambda: unet(1, 1, width=24, heads=5), "unet: got a width of 48 for 5 heads"),
        (lambda: unet(1, 1, attention=(3,)), r"got attention at scale 3 of 3, wanted -3\.\.2"),
        (lambda: unet(1, 1, compute="float16"), "unet: got compute='float16'"),
        (lambda: applied(7, 8, 1), "got an image of 7 x 8 places, wanted multiples of 2"),
        (lambda: applied(8, 8, 1, multiples=(1, 1, 1, 1, 1)), "wanted multiples of 16"),
        (lambda: applied(4, 8, 8, 1), r"got an example of shape \(4, 8, 8, 1\)"),
        (lambda: applied(8, 8, 2), r"wanted \(height, width, 1\)"),
        (lambda: applied(8, 8, 1, t=jnp.ones(4)), r"unet: got times of shape \(4,\)"),
        (lambda: applied(8, 8, 1, classes=4), "condition: got None"),
        (lambda: waves(0.5, 7), "waves: got a size of 7"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
