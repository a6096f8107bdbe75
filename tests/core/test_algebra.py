"""Hypothesis drives shapes, dtypes and seeds through every public function of the core."""

import inspect
import math
import sys

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

import probtransform.core as core
from probtransform.core import (
    Batch,
    Bound,
    Causal,
    Density,
    Distribution,
    Event,
    Exact,
    Maybe,
    Model,
    Network,
    Player,
    Transform,
    Unnormalized,
    drop,
    each,
    encode,
    from_equinox,
    from_linen,
    from_nnx,
    initial,
    interpolate,
    join,
    log_density,
    log_density_many,
    one_hot,
    pushforward,
    reading,
    sample,
    sample_and_log_density,
    sample_many,
    sample_stages,
    through,
)
from probtransform.core.draw import mapped
from probtransform.core.network import passes
from probtransform.distributions import normal
from probtransform.transforms import affine, affine_of, quantise

few = settings(max_examples=12, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 4)
shapes = st.lists(st.integers(1, 3), max_size=3).map(tuple)
floats = st.sampled_from([jnp.float32, jnp.float16, jnp.bfloat16])
claims = st.sampled_from([Density, Bound, Unnormalized, Exact])


def shift(by=1.0, kind=Exact):
    """The bijection `x = z + by`."""
    return Transform(
        lambda key: {"by": jnp.asarray(by)},
        lambda params, key, z, cond: z + params["by"],
        kind(lambda params, key, x, cond: (x - params["by"], 0.0)),
    )


def gaussian(size, seed):
    """`(distribution, params, scipy's law)` of a random full covariance."""
    rng = np.random.default_rng(seed)
    mean, root = rng.standard_normal(size), np.eye(size) + 0.3 * rng.standard_normal((size, size))
    law = multivariate_normal(mean, root @ root.T)
    moved = affine_of(jnp.asarray(mean, jnp.float32), jnp.asarray(root @ root.T, jnp.float32))
    return pushforward(normal((size,)), affine=affine(size)), {"affine": moved}, law


# --- claims ---------------------------------------------------------------------------------------


@given(claims, claims, claims)
@few
def test_join_is_the_strongest_common_claim(a, b, c):
    kinds = (Density, Bound, Unnormalized, Exact)
    common = [k for k in kinds if issubclass(a, k) and issubclass(b, k)]
    assert join(a, b) is max(common, key=lambda k: len(k.__mro__))
    assert join(a, b) is join(b, a) and join(a, a) is a and join(a, Exact) is a
    assert join(a, b, c) is join(join(a, b), c) is join(a, join(b, c))


@given(claims, claims)
@few
def test_pushforward_claims_the_join(a, b):
    base = Distribution(lambda key: {}, lambda params, key, cond: jnp.zeros(()), a(lambda *_: 0.0))
    made = pushforward(base, step=shift(kind=b))
    assert type(made.density) is join(a, b)
    assert (made.joint is not None) == (a is b is Exact)


def test_a_step_without_a_way_back_leaves_no_claim():
    one_way = shift()._replace(inverse=None)
    mute = normal(())._replace(density=None)
    assert pushforward(normal(()), a=shift(), b=one_way).density is None
    assert pushforward(mute, a=shift()).density is None


# --- distributions --------------------------------------------------------------------------------


@given(sizes, seeds)
@few
def test_log_density_is_scipys(size, seed):
    distribution, params, law = gaussian(size, seed)
    x = law.rvs(random_state=seed).reshape(size)
    got = log_density(distribution, params, jax.random.key(0), jnp.asarray(x, jnp.float32))
    np.testing.assert_allclose(got, law.logpdf(x), rtol=1e-4, atol=1e-4)


def test_weights_add_and_ways_back_run_right_to_left():
    """`x = 2 (z + 3)` is `N(6, 2^2)`."""
    double = Transform(
        lambda key: {},
        lambda params, key, z, cond: 2 * z,
        Exact(lambda params, key, x, cond: (x / 2, -math.log(2))),
    )
    made = pushforward(normal(()), up=shift(3.0), double=double)
    params = made.init(jax.random.key(0))
    got = log_density(made, params, jax.random.key(0), jnp.asarray(4.5))
    np.testing.assert_allclose(got, norm(6, 2).logpdf(4.5), rtol=1e-5)


@given(sizes, seeds)
@few
def test_sample_and_log_density_gives_the_density_of_the_sample(size, seed):
    distribution, params, law = gaussian(size, seed)
    for joint in (distribution.joint, None):
        x, nats = sample_and_log_density(
            distribution._replace(joint=joint), params, jax.random.key(seed)
        )
        np.testing.assert_allclose(nats, law.logpdf(x), rtol=1e-4, atol=1e-4)


@given(shapes, seeds)
@few
def test_sample_depends_on_the_key_alone(shape, seed):
    distribution = pushforward(normal(shape), up=shift(1.0), on=shift(2.0))
    params = distribution.init(jax.random.key(0))
    x = sample(distribution, params, jax.random.key(seed))
    assert x.shape == shape and x.dtype == jnp.float32
    np.testing.assert_array_equal(x, sample(distribution, params, jax.random.key(seed)))
    assert (x != sample(distribution, params, jax.random.key(seed ^ 1))).all()


def test_steps_run_left_to_right_and_own_named_blocks():
    double = Transform(lambda key: {}, lambda params, key, z, cond: 2 * z, None)
    zero = Distribution(lambda key: {"own": {}}, lambda params, key, cond: jnp.zeros(()), None)
    made = pushforward(zero, up=shift(3.0), double=double)
    params = made.init(jax.random.key(0))
    assert set(params) == {"own", "up", "double"}
    assert made.sample(params, jax.random.key(0), None) == 6


@given(sizes, seeds)
@few
def test_stages_are_the_draw_from_its_base_on(size, seed):
    inner = pushforward(normal((size,)), up=shift(1.0))
    made = pushforward(inner, on=shift(2.0))
    params, key = made.init(jax.random.key(0)), jax.random.key(seed)
    z, up, on = sample_stages(made, params, key)
    np.testing.assert_array_equal(up, z + 1)
    np.testing.assert_array_equal(on, up + 2)
    np.testing.assert_array_equal(on, sample(made, params, key))
    (alone,) = sample_stages(normal((size,)), {}, key)
    np.testing.assert_array_equal(alone, sample(normal((size,)), {}, key))


@given(sizes, seeds)
@few
def test_the_way_back_is_that_of_the_stages(size, seed):
    made = pushforward(pushforward(normal((size,)), up=shift(1.0)), on=shift(2.0))
    params, key = made.init(jax.random.key(0)), jax.random.key(seed)
    z, _, x = sample_stages(made, params, key)
    y = sample(made, params, jax.random.key(seed ^ 1))
    np.testing.assert_allclose(encode(made, params, key, x), z, atol=1e-5)
    ends = interpolate(made, params, key, (x, y), [0.0, 1.0])
    np.testing.assert_allclose(ends, [x, y], atol=1e-3)


def test_two_blocks_of_one_name_are_refused():
    once = pushforward(normal(()), up=shift())
    with pytest.raises(ValueError, match=r"got blocks named \['up'\] twice"):
        pushforward(once, up=shift()).init(jax.random.key(0))


@given(st.integers(1, 9), st.integers(1, 12), seeds)
@few
def test_many_samples_do_not_depend_on_chunk_or_count(count, chunk, seed):
    key = jax.random.key(seed)
    whole = sample_many(normal((2,)), {}, key, 9)
    np.testing.assert_array_equal(
        sample_many(normal((2,)), {}, key, count, chunk=chunk), whole[:count]
    )
    assert len(np.unique(whole)) == 18


@given(st.integers(1, 9), st.integers(1, 12), seeds)
@few
def test_many_densities_are_those_of_each(count, chunk, seed):
    x = np.random.default_rng(seed).standard_normal((count, 2)).astype(np.float32)
    got = log_density_many(normal((2,)), {}, jax.random.key(seed), x, chunk=chunk)
    np.testing.assert_allclose(got, norm.logpdf(x).sum(1), rtol=1e-5, atol=1e-5)


def test_many_samples_hold_no_more_than_a_chunk():
    """Beside output and keys, fifty times the samples take the memory of one chunk."""
    wide = Transform(
        lambda key: {}, lambda params, key, z, cond: jnp.sin(jnp.outer(z, z)).ravel()[:2], None
    )
    distribution = pushforward(normal((100,)), wide=wide)

    def temporary(count):
        args = (distribution.sample, count, 1000, {"wide": {}}, jax.random.key(0), (None,))
        return mapped.lower(*args).compile().memory_analysis().temp_size_in_bytes

    keys_and_output = 49_000 * (8 + 8) * 3
    assert temporary(50_000) - temporary(1000) < keys_and_output < 1000 * 100 * 100 * 4


@pytest.mark.parametrize("count, chunk, name", [(0, 5, "count"), (5, 0, "chunk")])
def test_no_samples_or_an_empty_chunk_are_refused(count, chunk, name):
    with pytest.raises(ValueError, match=f"{name}: got 0, wanted at least 1"):
        sample_many(normal(()), {}, jax.random.key(0), count, chunk=chunk)


def test_conditions_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"wanted a leading axis of 3"):
        sample_many(normal(()), {}, jax.random.key(0), 3, cond=jnp.zeros(2))
    with pytest.raises(ValueError, match=r"wanted a leading axis of 3"):
        log_density_many(normal(()), {}, jax.random.key(0), jnp.zeros(3), cond=jnp.zeros(2))


@pytest.mark.parametrize("ask", [log_density, log_density_many])
def test_what_claims_nothing_has_no_density(ask):
    mute = normal(())._replace(density=None)
    with pytest.raises(ValueError, match="without a density"):
        ask(mute, {}, jax.random.key(0), jnp.zeros(3))
    with pytest.raises(ValueError, match="without a density"):
        sample_and_log_density(mute, {}, jax.random.key(0))


@given(shapes, floats)
@few
def test_a_batch_for_an_example_is_pointed_to_vmap(shape, dtype):
    fn = normal(shape).density.fn
    assert np.isfinite(fn({}, None, jnp.zeros(shape, dtype)))
    with pytest.raises(ValueError, match=r"jax\.vmap"):
        fn({}, None, jnp.zeros((5, *shape), dtype))
    with pytest.raises(ValueError, match="cast it"):
        fn({}, None, jnp.zeros(shape, jnp.int32))


# --- conditions -----------------------------------------------------------------------------------


@given(st.integers(1, 6), st.data())
@few
def test_one_hot_of_a_label_and_of_none(classes, data):
    label = data.draw(st.integers(0, classes - 1))
    np.testing.assert_array_equal(one_hot(label, classes), np.eye(classes)[label])
    np.testing.assert_array_equal(one_hot(Maybe(label, True), classes), np.eye(classes)[label])
    np.testing.assert_array_equal(one_hot(Maybe(label, False), classes), np.zeros(classes))
    np.testing.assert_array_equal(one_hot(np.uint8(label), classes), np.eye(classes)[label])
    np.testing.assert_array_equal(one_hot(Maybe(-1, False), classes), np.zeros(classes))
    assert one_hot(label, 0).shape == one_hot(None, 0).shape == (0,)
    with pytest.raises(ValueError, match=f"wanted a class label 0..{classes - 1}"):
        one_hot(None, classes)


@given(st.integers(1, 6), st.integers(0, 9), st.booleans())
@few
def test_a_label_out_of_range_is_refused_or_is_not_a_number(classes, beyond, below):
    label = -1 - beyond if below else classes + beyond
    for cond in (label, Maybe(label, True), Maybe(jnp.asarray(label), jnp.asarray(True))):
        with pytest.raises(ValueError, match=f"got label {label}, wanted 0..{classes - 1}; pass"):
            one_hot(cond, classes)
        assert np.isnan(jax.jit(lambda cond: one_hot(cond, classes))(cond)).all()
    labels = jnp.asarray([0, label])
    found = jax.vmap(lambda label: one_hot(label, classes))(labels)
    assert np.isnan(found[1]).all() and (found[0] == np.eye(classes)[0]).all()


def labelled_levels():
    """A normal moved by its label in a loop and rounded to bytes, which know no NaN."""

    def rounded(params, key, z, cond):
        def move(i, z):
            return z + one_hot(cond, 4) @ jnp.arange(4.0)

        return jnp.round(jax.lax.fori_loop(0, 3, move, z)).astype(jnp.uint8)

    whole = Transform(lambda key: {}, rounded, None)
    return pushforward(normal(()), bytes=whole)


@pytest.mark.parametrize("chunk", [2, 3, 100])
@pytest.mark.parametrize("label", [4, 12, -1])
def test_labels_out_of_range_are_refused_by_name_where_their_draws_could_not_tell(chunk, label):
    law, params, key = labelled_levels(), {"bytes": {}}, jax.random.key(0)
    labels = jnp.arange(7) % 4
    for cond in (labels.at[5].set(label), Maybe(labels.at[5].set(label), jnp.arange(7) < 6)):
        with pytest.raises(ValueError) as told:
            sample_many(law, params, key, 7, cond, chunk)
        assert str(told.value) == (
            f"condition: got label {label}, wanted 0..3; "
            "pass one of these, or Maybe(label, False) for none"
        )
    hidden = Maybe(labels.at[5].set(label), jnp.arange(7) != 5)
    each = [
        law.sample(params, jax.random.fold_in(key, i), Maybe(labels[i], i != 5)) for i in range(7)
    ]
    np.testing.assert_array_equal(sample_many(law, params, key, 7, hidden, chunk), each)


def test_labels_of_densities_are_asked_for_too():
    def fn(params, key, x, cond):
        return -((x - one_hot(cond, 3) @ jnp.arange(3.0)) ** 2)

    law = normal(())._replace(density=Unnormalized(fn))
    x, key = jnp.arange(3.0), jax.random.key(0)
    assert (log_density_many(law, {}, key, x, jnp.arange(3)) == 0).all()
    with pytest.raises(ValueError, match=r"got label 3, wanted 0\.\.2"):
        log_density_many(law, {}, key, x, 1 + jnp.arange(3))
    # within another program nobody asks, slopes and batches of it are as they were
    slope = jax.grad(lambda x: log_density_many(law, {}, key, x, jnp.arange(3)).sum())(x + 1)
    np.testing.assert_allclose(slope, -2.0)
    total = jax.jit(lambda cond: log_density_many(law, {}, key, x, cond))
    assert (np.isnan(total(1 + jnp.arange(3))) == [False, False, True]).all()
    many = jax.vmap(lambda x: log_density_many(law, {}, key, x, jnp.arange(3)))(x + np.ones((2, 1)))
    np.testing.assert_allclose(many, -1.0)


def test_a_question_that_nobody_asks_costs_nothing():
    bare = jax.jit(lambda label: one_hot(label, 4)).lower(0).as_text()
    assert "callback" not in bare and "custom_call" not in bare


@given(st.sampled_from([0.0, 0.25, 1.0]), seeds)
@few
def test_drop_hides_at_its_rate(rate, seed):
    keys = jax.random.split(jax.random.key(seed), 2000)
    hidden = ~np.asarray(jax.vmap(lambda k: drop(k, 3, rate).present)(keys))
    assert abs(hidden.mean() - rate) <= 5 * math.sqrt(rate * (1 - rate) / 2000)
    assert drop(keys[0], 3, rate).value == 3
    assert not drop(keys[0], Maybe(3, False), rate).present


# --- networks -------------------------------------------------------------------------------------


def libraries(inputs, outputs):
    """`W x + b` by each library: the network, and how its parameters hold `W` and `b`."""
    return {
        "nnx": (
            from_nnx(lambda rngs: nnx.Linear(inputs, outputs, rngs=rngs)),
            lambda p: (p["kernel"].T, p["bias"]),
        ),
        "linen": (
            from_linen(nn.Dense(outputs), jnp.zeros(inputs)),
            lambda p: (p["kernel"].T, p["bias"]),
        ),
        "equinox": (
            from_equinox(lambda key: eqx.nn.Linear(inputs, outputs, key=key)),
            lambda p: (p.weight, p.bias),
        ),
    }


@given(sizes, sizes, seeds)
@few
def test_every_library_gives_the_same_pure_network(inputs, outputs, seed):
    x = np.random.default_rng(seed).standard_normal(inputs).astype(np.float32)
    for network, weights in libraries(inputs, outputs).values():
        assert isinstance(network, Network)
        params = jax.tree.map(lambda p: p + 0.1, network.init(jax.random.key(seed)))
        matrix, bias = weights(params)
        np.testing.assert_allclose(
            network.apply(params, x), matrix @ x + bias, rtol=1e-5, atol=1e-5
        )
        other = network.init(jax.random.key(seed ^ 1))
        assert (weights(other)[0] != weights(network.init(jax.random.key(seed)))[0]).all()


def test_networks_are_differentiated_in_their_parameters():
    for network, weights in libraries(2, 1).values():
        params = network.init(jax.random.key(0))
        slope = jax.grad(lambda p, f=network.apply: f(p, jnp.array([3.0, -1.0]))[0])(params)
        np.testing.assert_allclose(weights(slope)[0], [[3.0, -1.0]])


def test_nnx_parameters_are_plain_dicts():
    params = from_nnx(lambda rngs: nnx.Linear(2, 3, rngs=rngs)).init(jax.random.key(0))
    assert type(params) is dict and set(params) == {"kernel", "bias"}


@pytest.mark.parametrize(
    "library, build",
    [
        ("from_nnx", lambda: from_nnx(lambda rngs: nnx.BatchNorm(2, rngs=rngs))),
        ("from_nnx", lambda: from_nnx(lambda rngs: nnx.Dropout(0.5, rngs=rngs))),
        ("from_linen", lambda: from_linen(nn.BatchNorm(False), jnp.zeros((1, 2)))),
        (
            "from_equinox",
            lambda: from_equinox(lambda key: eqx.nn.BatchNorm(2, "batch", mode="ema")),
        ),
    ],
)
def test_layers_that_keep_state_are_refused(library, build):
    with pytest.raises(ValueError, match=f"{library}: got .*, wanted parameters only"):
        build()


@given(sizes, seeds)
@few
def test_reading_changes_the_inputs_alone(size, seed):
    body = Network(lambda key: {"w": jnp.ones(size)}, lambda params, x: params["w"] @ x)
    read = reading(body, lambda a, b: a * b)
    a, b = np.random.default_rng(seed).standard_normal((2, size)).astype(np.float32)
    np.testing.assert_allclose(
        read.apply(read.init(None), a, b), (a * b).sum(), rtol=1e-4, atol=1e-5
    )


# --- models ---------------------------------------------------------------------------------------


@given(st.integers(1, 6), shapes, seeds)
@few
def test_each_gives_every_example_a_key_of_its_own(count, shape, seed):
    x = np.random.default_rng(seed).standard_normal((count, *shape)).astype(np.float32)

    def fn(params, key, x, cond):
        return params * x, cond, jax.random.bits(key)

    got, cond, bits = each(fn, 2.0, jax.random.key(seed), Batch(x, np.arange(count)))
    np.testing.assert_array_equal(got, 2 * x)
    np.testing.assert_array_equal(cond, np.arange(count))
    assert len(np.unique(bits)) == count


def test_initial_adds_the_extra_blocks():
    model = Model(
        pushforward(normal(()), up=shift()), {}, {"critic": lambda key: jax.random.bits(key)}
    )
    a, b = initial(model, jax.random.key(0)), initial(model, jax.random.key(1))
    assert set(a) == {"up", "critic"} and a["critic"] != b["critic"]
    with pytest.raises(ValueError, match=r"got blocks named \['up'\] twice"):
        initial(model._replace(extra={"up": lambda key: 0}), jax.random.key(0))


@given(st.integers(2, 9), seeds)
@few
def test_through_carries_data_back_before_players_and_prepare_see_them(levels, seed):
    seen = []

    def loss(params, carry, key, batch):
        seen.append(batch.x)
        return jnp.sum(params["up"]["by"] * batch.x), (carry, {})

    def prepare(params, key, batch):
        seen.append(batch.x)
        return params

    inner = Model(
        pushforward(normal((2,)), up=shift()), {"one": Player(("up",), loss)}, prepare=prepare
    )
    model = through(inner, pixels=quantise((2, 1, 1), levels))
    assert model.players["one"].owns == ("up",)
    assert type(model.distribution.density) is Bound
    x = np.random.default_rng(seed).integers(0, levels, (5, 2, 1, 1))
    params = initial(model, jax.random.key(seed))
    model.players["one"].loss(params, (), jax.random.key(seed), Batch(x))
    model.prepare(params, jax.random.key(seed ^ 1), Batch(x))
    for z in seen:
        cell = np.floor((np.asarray(z) + 1) / 2 * levels + 1e-5 * (np.asarray(z) < 0))
        assert z.shape == (5, 2)
        assert (abs(cell - x.reshape(5, 2)) <= 1).all() and (cell == x.reshape(5, 2)).mean() > 0.8
    assert (seen[0] != seen[1]).any()


@given(shapes)
@few
def test_records_have_their_defaults(shape):
    assert Event(shape) == Event(shape, levels=None, classes=0)
    assert Batch(1) == Batch(1, cond=None)
    assert Player(("a",), max).repeat == 1
    model = Model(normal(shape), {})
    assert model.extra == {} and model.carry(None) == () and model.prepare(1, 2, 3) == 1


@few
@given(seeds, sizes)
def test_a_causal_network_unrolls_to_the_one_input_whose_rows_made_it(seed, size):
    """A linear one, `theta = L x` with L strictly lower: `x = L x + z` has one solution."""
    below = np.tril(np.random.default_rng(seed).normal(size=(size, size)), -1).astype(np.float32)
    network = passes(Network(lambda key: below, lambda L, x, cond: (L @ x)[:, None]), size)
    assert isinstance(network, Causal)
    z = jax.random.normal(jax.random.key(seed), (size,))
    x, rows = network.unroll(
        network.init(jax.random.key(0)), lambda row, z: (row[0] + z, row), z, None
    )
    np.testing.assert_allclose(x, np.linalg.solve(np.eye(size) - below, z), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(rows, network.apply(below, x, None), rtol=1e-4, atol=1e-4)


# --- the whole surface ----------------------------------------------------------------------------


def test_every_public_name_is_put_to_work():
    """Each name of `core.__all__` is used inside some test of this file, not only imported."""
    module = sys.modules[__name__]
    functions = [
        f for f in vars(module).values() if inspect.isfunction(f) and f.__module__ == __name__
    ]
    bodies = [getattr(getattr(f, "hypothesis", None), "inner_test", f) for f in functions]
    used = {name for f in bodies for name in names_in(f.__code__)}
    assert set(core.__all__) <= used


def names_in(code):
    inner = [names_in(c) for c in code.co_consts if inspect.iscode(c)]
    return set(code.co_names).union(*inner)
