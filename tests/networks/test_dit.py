"""A diffusion transformer agrees with its equations, written out, and turns by differences of places."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from test_bodies import count
from test_unet import LABELS, TIMES, equations, formats, loud, slopes_of

from probtransform.core import Maybe, from_nnx
from probtransform.networks import dit, waves
from probtransform.networks.dit import angles, patches, turned, unpatched
from probtransform.networks.waves import Embedding

KEY = jax.random.key(0)
SHAPE = (4, 6, 3)
SMALL = {"shape": SHAPE, "patch": 2, "width": 16, "depth": 2, "heads": 2, "classes": 3}


@pytest.fixture(scope="module")
def labelled():
    """A network with registers, loud parameters, an image, and its gradients."""
    network = dit(**SMALL, registers=2)
    x = jax.random.normal(KEY, SHAPE)
    return jax.jit(network.apply), loud(network), x, slopes_of(network, x)


def test_patches_are_squares_row_by_row():
    x = jnp.arange(4 * 6 * 2.0).reshape(4, 6, 2)
    cut = patches(x, 2)
    np.testing.assert_array_equal(cut[1], x[0:2, 2:4].reshape(-1))
    np.testing.assert_array_equal(cut[3], x[2:4, 0:2].reshape(-1))
    np.testing.assert_array_equal(unpatched(cut, 2, x.shape), x)


def test_a_turn_is_a_product_with_a_phase():
    place = np.array([[0, 3, 2], [1, 0, 5]])
    x = np.asarray(jax.random.normal(KEY, (3, 2, 8)))
    phase = np.stack([[r, r / 10, c, c / 10] for r, c in place.T])  # 100^(-i / 2), i = 0, 1
    z = (x[..., :4] + 1j * x[..., 4:]) * np.exp(1j * phase)[:, None]
    found = turned(x, angles(place, 8))
    np.testing.assert_allclose(found, np.concatenate([z.real, z.imag], -1), atol=1e-5)


def test_products_of_turned_vectors_depend_on_the_difference_of_places_alone():
    place = np.indices((3, 4)).reshape(2, -1)
    q, k = jax.random.normal(KEY, (2, 1, 1, 8))
    q, k = jnp.tile(q, (12, 1, 1)), jnp.tile(k, (12, 1, 1))

    def logits(place):
        turn = angles(place, 8)
        return np.einsum("nhd,mhd->nm", turned(q, turn), turned(k, turn))

    at = logits(place)
    np.testing.assert_allclose(logits(np.add(place, [[5], [9]])), at, atol=1e-4)
    by_difference = {}
    for n, m in np.ndindex(12, 12):
        by_difference.setdefault(tuple(place[:, n] - place[:, m]), []).append(at[n, m])
    assert len(by_difference) == 5 * 7
    assert max(np.ptp(found) for found in by_difference.values()) < 1e-4
    means = np.sort([np.mean(found) for found in by_difference.values()])
    assert np.diff(means).min() > 1e-5  # and no two differences look alike


def written_out(p, x, t, cond, registers):
    """The same function of the same parameters, block by block and head by head, in float64."""
    p = jax.tree.map(lambda a: np.asarray(a, np.float64), p)
    embedding = from_nnx(lambda rngs: Embedding(16, 3, rngs))
    e, p = np.asarray(embedding.apply(p["embedding"], t, cond), np.float64), p["body"]
    rows, columns = np.indices((2, 3)).reshape(2, -1)

    def modulated(h, shift, scale):
        away = h - h.mean(-1, keepdims=True)
        return (1 + scale) * away / away.std(-1, keepdims=True) + shift

    def phase(i):
        return np.exp(1j * np.array([rows[i], rows[i] / 10, columns[i], columns[i] / 10]))

    phases = np.array([np.ones(4)] * registers + [phase(i) for i in range(6)])
    tokens = [
        x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].reshape(-1) for i in range(2) for j in range(3)
    ]
    h = np.stack(tokens) @ p["tokens"]
    h += np.concatenate([waves(rows / 2, 8), waves(columns / 3, 8)], -1)
    h = np.concatenate([p["registers"], h]) if registers else h
    for layer in range(2):
        b = jax.tree.map(lambda a: a[layer], p["blocks"])
        said = (e @ b["modulation"]["kernel"] + b["modulation"]["bias"]).reshape(6, 16)
        q, k, v = np.split(modulated(h, said[0], said[1]) @ b["qkv"], 3, -1)
        heads = []
        for at in (slice(0, 8), slice(8, 16)):
            zq, zk = ((a[:, at][:, :4] + 1j * a[:, at][:, 4:]) * phases for a in (q, k))
            logits = (zq @ zk.conj().T).real / np.sqrt(8)
            shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
            heads.append(shares @ v[:, at])
        h = h + said[2] * (np.concatenate(heads, -1) @ b["out"])
        up = modulated(h, said[3], said[4]) @ b["up"]
        h = h + said[5] * (np.asarray(jax.nn.gelu(up)) @ b["down"])
    said = (e @ p["modulation"]["kernel"] + p["modulation"]["bias"]).reshape(2, 16)
    y = (modulated(h[registers:], *said) @ p["last"] + p["bias"]).reshape(2, 3, 2, 2, 3)
    return np.concatenate([np.concatenate(list(row), 1) for row in y], 0)


@pytest.mark.parametrize("registers", [0, 2])
def test_it_is_its_equations_written_out(registers):
    network = dit(**SMALL, registers=registers)
    params = loud(network)
    x = jax.random.normal(KEY, SHAPE)
    expected = written_out(params, np.asarray(x), 0.4, 1, registers)
    found = jax.jit(network.apply)(params, x, 0.4, 1)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_it_starts_at_zero_and_its_blocks_as_the_identity():
    network = dit(**SMALL)
    params, x = jax.jit(network.init)(KEY), jax.random.normal(KEY, SHAPE)
    y = jax.jit(network.apply)(params, x, 0.5, 1)
    assert y.shape == SHAPE and y.dtype == jnp.float32 and not y.any()
    last = jax.random.normal(KEY, (16, 12))
    told = params | {"body": params["body"] | {"last": last}}
    rows, columns = np.indices((2, 3)).reshape(2, -1)
    h = patches(x, 2) @ params["body"]["tokens"]
    h += jnp.concatenate([waves(rows / 2, 8), waves(columns / 3, 8)], -1)
    norm = nnx.LayerNorm(16, use_bias=False, use_scale=False, rngs=nnx.Rngs(0))
    expected = unpatched(norm(h) @ last, 2, SHAPE)
    np.testing.assert_allclose(jax.jit(network.apply)(told, x, 0.5, 1), expected, atol=1e-4)


def test_parameters_are_as_many_as_the_equations_say():
    network = dit(**SMALL, registers=5)
    w, numbers = 16, 12
    embedding = 2 * (w * w + w) + 3 * w
    block = 12 * w * w + 6 * (w * w + w)
    ends = numbers * w + 5 * w + 2 * (w * w + w) + w * numbers + numbers
    assert count(jax.eval_shape(network.init, KEY)) == embedding + 2 * block + ends


def test_the_program_is_as_long_for_any_depth():
    def program(depth):
        network = dit(**SMALL | {"depth": depth})
        params = jax.eval_shape(network.init, KEY)
        return jax.make_jaxpr(network.apply)(params, jnp.ones(SHAPE), 0.5, 1)

    shallow, deep = program(1), program(9)
    assert len(list(equations(shallow.jaxpr))) == len(list(equations(deep.jaxpr)))
    assert [e.params["length"] for e in deep.eqns if e.primitive.name == "scan"] == [9]


def test_it_reads_time_and_label_and_knows_an_absent_one(labelled):
    apply, params, x, _ = labelled
    at = apply(params, x, 0.5, 1)
    for t, cond in ((0.501, 1), (0.5, 2), (0.5, Maybe(1, False))):
        assert jnp.abs(apply(params, x, t, cond) - at).max() > 1e-4
    np.testing.assert_array_equal(apply(params, x, 0.5, Maybe(1, True)), at)
    absent = [apply(params, x, 0.5, Maybe(label, False)) for label in (1, 2)]
    np.testing.assert_array_equal(*absent)
    assert jnp.isnan(apply(params, x, 0.5, 3)).all()


def test_a_patch_knows_where_it_is():
    network = dit(**SMALL)  # registers, which are never turned, would tell
    shown = patches(jax.jit(network.apply)(loud(network), jnp.ones(SHAPE), 0.5, 1), 2)
    apart = jnp.abs(shown[:, None] - shown[None]).max(-1)
    assert apart[~np.eye(6, dtype=bool)].min() > 1e-3


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
    _, params, x, slopes = labelled
    network = dit(**SMALL, registers=2, compute="bfloat16")
    expected, (gradients, found) = slopes(params)[1], slopes_of(network, x)(params)
    assert found.dtype == jnp.float32
    for leaf, slope in zip(*map(jax.tree.leaves, (loud(network), gradients)), strict=True):
        assert leaf.dtype == slope.dtype == jnp.float32 and jnp.isfinite(slope).all()
    assert 1e-4 < jnp.linalg.norm(found - expected) / jnp.linalg.norm(expected) < 2e-2
    assert (found[1] != found[2]).any()
    program = jax.make_jaxpr(network.apply)(params, x, 0.5, 1)
    (scan,) = [e for e in program.eqns if e.primitive.name == "scan"]
    assert formats(scan.params["jaxpr"], "dot_general", "product") == {jnp.dtype("bfloat16")}
    assert formats(scan.params["jaxpr"], "exp", "rsqrt") == {jnp.dtype("float32")}


def applied(x, t=0.5, cond=1):
    network = dit(**SMALL)
    return jax.eval_shape(lambda: network.apply(network.init(KEY), x, t, cond))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dit((8, 8, 1), 0), "dit: got patch=0"),
        (lambda: dit((8, 9, 1), 2), "dit: got an image of 8 x 9 places in patches of side 2"),
        (lambda: dit((8, 8, 1), 2, width=24, heads=4), "dit: got a width of 24 for 4 heads"),
        (lambda: dit((8, 8, 1), 2, compute="half"), "dit: got compute='half'"),
        (lambda: applied(jnp.ones((5, *SHAPE))), "map over the batch with jax.vmap"),
        (lambda: applied(jnp.ones((6, 4, 3))), r"wanted \(4, 6, 3\)"),
        (lambda: applied(jnp.ones(SHAPE), t=jnp.ones(4)), r"dit: got times of shape \(4,\)"),
        (lambda: applied(jnp.ones(SHAPE), cond=None), "condition: got None"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
