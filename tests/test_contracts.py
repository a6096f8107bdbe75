"""What every family promises, each promise a plain function that raises AssertionError when broken.

A family enters by its line in the registry; nothing here names one, except where its docstring
excuses it. `test_mutations.py` applies the same functions to models broken on purpose.
"""

import inspect
import itertools
from collections import Counter
from functools import cache, partial, wraps
from tempfile import TemporaryDirectory

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from kin import ONE_OF_A_KIND, TO_LEVELS

import probtransform.core as core
from probtransform.core import (
    Batch,
    Bound,
    Event,
    Exact,
    Maybe,
    Unnormalized,
    initial,
    log_density,
    log_density_many,
    sample,
    sample_and_log_density,
    sample_many,
)
from probtransform.core.distribution import carried
from probtransform.families import registry
from probtransform.training import checkpoints, fit, learner

KEY = jax.random.key(0)
SMALL = {"width": 16, "depth": 2, "latent": 2, "layers": 4, "solver_steps": 6} | {
    "noise_levels": 32
}
LABEL_BLIND = {"gaussian"}  # its docstring: class labels are ignored
LOOSE_AT_FIRST = {"hierarchical_vae"}  # its docstring: until learned the bound is far below
close = partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5)  # sums of some hundred float32


# --- models and parameters ------------------------------------------------------------------------


def built(name, event):
    """A family on another event, as small as its keywords allow."""
    known = inspect.signature(registry[name].build).parameters
    return registry[name].build(event, **{k: v for k, v in SMALL.items() if k in known})


def event_of(batch, **changes):
    levels = int(batch.x.max()) + 1 if jnp.issubdtype(batch.x.dtype, jnp.integer) else None
    return Event(batch.x.shape[1:], levels)._replace(**changes)


@cache
def tiny(name):
    return registry[name].tiny()


@cache
def labelled(name):
    """The family with three classes; the label is the third of the data that `x[0]` falls in."""
    _, batch = tiny(name)
    first = batch.x.reshape(len(batch.x), -1)[:, 0]
    label = jnp.argsort(jnp.argsort(first)) * 3 // len(first)
    return built(name, event_of(batch, classes=3)), Batch(batch.x, label)


def on_levels(name):
    """The family on pairs of four-level symbols."""
    x = jnp.round(jax.random.uniform(KEY, (256, 2)) * 3) ** 2 // 3
    return built(name, Event((2,), levels=4)), Batch(x.astype(jnp.uint8))


def remembered(fn):
    """`fn` costs a compilation: its results are kept, by the identity of the model and the rest."""
    known = {}

    @wraps(fn)
    def once(*inputs):
        at = tuple(map(id, inputs))
        if at not in known:
            known[at] = fn(*inputs), inputs  # alive, so that no other object gets its identity
        return known[at][0]

    return once


@remembered
def starts(model):
    """Initial parameters from two keys."""
    both = jax.jit(jax.vmap(partial(initial, model)))(jnp.stack([KEY, jax.random.key(1)]))
    return tuple(jax.tree.map(lambda p: np.asarray(p[i]), both) for i in range(2))


def start(model):
    return jax.tree.map(jnp.asarray, starts(model)[0])


@remembered
def shaken(model):
    """Parameters at which nothing is zero, or the identity, by accident."""
    noise = np.random.default_rng(0)
    return jax.tree.map(
        lambda p: jnp.asarray(p + 0.2 * noise.standard_normal(p.shape), p.dtype), starts(model)[0]
    )


@remembered
def fitted(model, batch):
    """Games of two as their presets have them: with momentum they circle what they are to reach."""
    momentum = 0.0 if set(model.players) == {"critic", "generator"} else 0.9
    learning = optax.adam(3e-3, b1=momentum)
    return fit(model, learning, batch, steps=300, batch=64).state.params


@remembered
def compiled(model):
    """`(sample, log_density)` of one example, each one program."""
    nats = model.distribution.density and jax.jit(partial(log_density, model.distribution))
    return jax.jit(partial(sample, model.distribution)), nats


each = jax.jit(core.each, static_argnums=0)


def before_training(model, learn):
    """The first state of a learner, at shaken parameters; optimizers here begin at zero."""
    zeros = jax.tree.map(lambda s: np.zeros(s.shape, s.dtype), jax.eval_shape(learn.init, KEY))
    state = zeros._replace(params=shaken(model), carry=model.carry(KEY))
    return jax.tree.map(lambda leaf: jnp.array(leaf, copy=True), state)


def same(a, b):
    """Two pytrees alike in structure, types and every bit."""
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for p, q in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert p.dtype == q.dtype
        np.testing.assert_array_equal(p, q)


def one_cond(batch, i=0):
    return jax.tree.map(lambda c: c[i], batch.cond)


def is_real(batch):
    return jnp.issubdtype(batch.x.dtype, jnp.floating)


# --- sampling and density -------------------------------------------------------------------------


def contract_keys(model, batch):
    """The same key gives the same sample, another key another; density likewise repeats itself."""
    params, cond = shaken(model), one_cond(batch)
    draw, nats = compiled(model)
    same(draw(params, KEY, cond), draw(params, KEY, cond))
    draws = np.stack([draw(params, jax.random.key(i), cond) for i in range(12)])
    assert len(np.unique(draws, axis=0)) > (6 if is_real(batch) else 1)
    if nats is not None:
        same(nats(params, KEY, batch.x[0], cond), nats(params, KEY, batch.x[0], cond))


def contract_jit(model, batch):
    """Compiled and op by op, sampling and density agree to float32."""
    params, cond = shaken(model), one_cond(batch)
    draw, nats = compiled(model)
    close(draw(params, KEY, cond), sample(model.distribution, params, KEY, cond))
    if nats is not None:
        op_by_op = log_density(model.distribution, params, KEY, batch.x[0], cond)
        close(nats(params, KEY, batch.x[0], cond), op_by_op)


def contract_vmap(model, batch):
    """A batch is its examples one by one."""
    params, keys = shaken(model), jax.random.split(KEY, 4)
    few = jax.tree.map(lambda a: a[:4], batch)

    def compare(one, *inputs):
        rows = [one(params, *jax.tree.map(lambda a: a[i], (keys, *inputs))) for i in range(4)]
        together = jax.vmap(one, (None, 0, *(0 for _ in inputs)))
        close(together(params, keys, *inputs), jnp.stack(rows))

    draw, nats = compiled(model)
    compare(draw, few.cond)
    if nats is not None:
        compare(nats, few.x, few.cond)


def contract_joint(model, batch):
    """The density met on the way forward is the density of the sample, looked at afresh."""
    params, cond = shaken(model), one_cond(batch)
    joint, (_, nats) = jax.jit(partial(sample_and_log_density, model.distribution)), compiled(model)
    for i in range(3):
        x, met = joint(params, jax.random.key(i), cond)
        close(met, nats(params, KEY, x, cond), rtol=1e-3)


def contract_sum(model, batch, loose=False):
    """Over all symbols, `E_key[exp fn]` sums to 1 if exact, to no more if a bound."""
    levels = event_of(batch).levels
    symbols = list(itertools.product(range(levels), repeat=batch.x[0].size))
    x = jnp.array(symbols, batch.x.dtype).reshape(-1, *batch.x.shape[1:])
    for params in (start(model), fitted(model, batch)):
        total = mass(model.distribution, params, x, 200)
        if isinstance(model.distribution.density, Exact):
            assert abs(total.mean() - 1) < 1e-3
        else:
            error = total.std() / np.sqrt(len(total))
            assert total.mean() < 1 + 5 * error + 1e-3
        assert loose or total.mean() > 0.2
        loose = False  # no more, once it was learned


def mass(distribution, params, x, draws):
    """`sum_x exp fn(x)` for each of `draws` keys."""
    keys = jax.random.split(KEY, draws)
    nats = jax.vmap(lambda k: log_density_many(distribution, params, k, x))(keys)
    return np.exp(np.asarray(nats, np.float64)).sum(1)


def contract_integral(model, batch, loose=False):
    """On the plane an exact density integrates to 1, a bound's `E_key[exp fn]` to no more; and
    to the first two moments of the samples. A `loose` one is nearly as much once it was learned."""
    claim = model.distribution.density
    exact = isinstance(claim, Exact)
    slack, draws = (1e-3, 1) if exact else (0.05, 16)  # a bound's integral is a Monte Carlo one
    for params, tight in ((start(model), not loose), (fitted(model, batch), True)):
        drawn = np.asarray(sample_many(model.distribution, params, KEY, 4000), np.float64)
        for cells in (161, 321):  # the finer one only where the coarser is not fine enough
            x, area = grid(drawn, cells)
            p = area * densities(claim, params, x, draws)
            total = p.sum(1)
            error = 0 if exact else total.std() / np.sqrt(draws)
            low, high = 1 - slack - 5 * error if tight else 0.0, 1 + 1e-3 + 5 * error
            if low < total.mean() < high:
                break
        assert low < total.mean() < high
        if not tight:
            continue
        for moment in (lambda x: x, lambda x: x**2, lambda x: x[:, :1] * x[:, 1:]):
            seen = moment(drawn)
            error = seen.std(0) / np.sqrt(len(seen))
            gap = abs(p.mean(0) @ moment(x) - seen.mean(0))
            assert (gap < 5 * error + slack * abs(seen).mean(0)).all()


def grid(drawn, cells):
    """Points `[cells^2, 2]` over the samples and half their extent around them, and a cell's area."""
    low, high = drawn.min(0), drawn.max(0)
    axes = np.linspace(low - (high - low) / 2, high + (high - low) / 2, cells)
    x = np.stack(np.meshgrid(*axes.T, indexing="ij"), -1).reshape(-1, 2)
    return x, np.prod(axes[1] - axes[0])


def densities(claim, params, x, draws):
    """`exp fn` at every point for each of `draws` keys, `[draws, len(x)]`."""
    fn = jax.jit(jax.vmap(claim.fn, (None, 0, 0, None)))
    x32 = jnp.asarray(x, jnp.float32)
    keys = [jax.random.split(jax.random.key(i), len(x)) for i in range(draws)]
    return np.exp(np.stack([fn(params, k, x32, None) for k in keys]).astype(np.float64))


def contract_score(model, batch):
    """Stein: for samples of p and `s = grad log p`, `E[s] = 0` and `E[x s^T] = -I`: constants drop out."""
    params = fitted(model, batch)
    x = sample_many(model.distribution, params, KEY, 4000)
    s = each(jax.grad(model.distribution.density.fn, 2), params, KEY, Batch(x))
    outer = x[:, :, None] * s[:, None, :]
    for got, wanted in ((s, 0.0), (outer, -jnp.eye(x.shape[1]))):
        assert (abs(got.mean(0) - wanted) < 5 * got.std(0) / np.sqrt(len(x)) + 1e-3).all()


def contract_importance(estimator, model, params, x, exact):
    """`L_1 < L_8 < L_64 <= log p`, in means over keys and data: weights are averaged, not their logs."""
    means = []
    for samples in (1, 8, 64):
        fn = estimator(model.distribution.density, samples).fn
        keys = jax.random.split(KEY, 64)
        nats = jax.jit(jax.vmap(lambda k: each(fn, params, k, Batch(x))))(keys)
        means.append(float(nats.mean()))
    assert means[0] < means[1] - 0.01 and means[1] < means[2] < float(exact.mean()) + 5e-3
    assert float(exact.mean()) - means[2] < (float(exact.mean()) - means[0]) / 10


# --- noise ----------------------------------------------------------------------------------------


def contract_init(model, batch):
    """Weights are drawn afresh: no two arrays of parameters agree, nor two layers of a stack or two rows
    of an array, and another key gives others."""
    pairs = zip(*map(jax.tree.leaves, starts(model)), strict=True)
    pairs = [(p, q) for p, q in pairs if np.ptp(p) > 0]
    for p, _ in pairs:
        rows = [row for row in np.reshape(p, (len(p), -1)) if np.ptp(row) > 0]
        assert len(np.unique(rows, axis=0)) == len(rows)
    drawn = [(p.ravel(), q.ravel()) for p, q in pairs]
    for p, q in drawn:
        assert not np.array_equal(p, q)
    for (p, _), (q, _) in itertools.combinations(drawn, 2):
        n = min(len(p), len(q))
        assert not np.array_equal(p[:n], q[:n])


def contract_fresh_noise(model, batch):
    """A loss that draws noise draws it anew at every step; equal examples get noise of their own."""
    few = jax.tree.map(lambda a: a[:8], batch)
    learn = learner(model, optax.sgd(0.0))

    def losses(step, seed):
        state = before_training(model, learn)._replace(step=jnp.int32(step))
        metrics = learn.step(state, jax.random.key(seed), few)[1]
        return [float(metrics[f"loss/{name}"]) for name in model.players]

    for now, otherwise, later in zip(losses(0, 0), losses(0, 1), losses(1, 0), strict=True):
        assert (now != otherwise) == (now != later)
    if type(model.distribution.density) is Bound:
        equal = jax.tree.map(lambda a: jnp.repeat(a[:1], 8, 0), batch)
        nats = each(model.distribution.density.fn, shaken(model), KEY, equal)
        assert len(np.unique(nats)) == 8


# --- training -------------------------------------------------------------------------------------


def contract_players(model, batch):
    """Each player moves every array it owns and nothing else; no block has two owners."""
    owned = Counter(block for player in model.players.values() for block in player.owns)
    assert set(owned.values()) <= {1} and owned.keys() <= shaken(model).keys()
    for name, player in model.players.items():
        learn = learner(model._replace(players={name: player}), optax.adam(1e-2))
        before, state = shaken(model), before_training(model, learn)
        after = learn.step(state, KEY, batch)[0].params
        for block in before:
            if block not in player.owns:
                same(before[block], after[block])
            else:
                moved = jax.tree.map(lambda p, q: bool((p != q).any()), before[block], after[block])
                assert jax.tree.all(moved), (name, block, moved)


def contract_one_trace(model, batch):
    """A whole fit, its last stretch shorter than the others, traces each loss once (an update)."""
    traced = Counter()

    def counted(name, player):
        def loss(*inputs):
            traced[name] += 1
            return player.loss(*inputs)

        return player._replace(loss=loss)

    watched = model._replace(players={n: counted(n, p) for n, p in model.players.items()})
    fit(watched, optax.adam(1e-2), batch, steps=7, batch=16, fuse=4, every=6)
    assert traced == {name: player.repeat for name, player in model.players.items()}


def contract_round_trip(model, batch):
    """A state comes back from disk bit for bit, whatever the state it is restored over."""
    learn = learner(model, optax.adam(1e-2))
    state = jax.tree.map(lambda a: a + 1, learn.init(KEY))
    with TemporaryDirectory() as directory:
        checkpoints(directory).save(state, {"data": None})
        back, about = checkpoints(directory).restore(learn.init(jax.random.key(1)))
    same(state, back)
    assert about["data"] is None


def contract_resume(model, batch):
    """Stopped and resumed with another `fuse`, a run ends in the bits of one that went through."""
    run = partial(fit, model, optax.adam(1e-2), batch, steps=6, batch=16)
    whole = run(fuse=4).state
    with TemporaryDirectory() as directory:
        halted = run(fuse=2, checkpoints=checkpoints(directory), stop=lambda: True)
        assert int(halted.state.step) == 2 and not halted.finished
        resumed = run(fuse=2, checkpoints=checkpoints(directory))
    assert resumed.finished
    same(whole, resumed.state)


def contract_loss_falls(model, batch):
    """From raw parameters a lone player's loss falls, key by key, at the same draws."""
    ((_, player),) = model.players.items()
    carry, keys = model.carry(KEY), jax.random.split(KEY, 16)
    losses = jax.jit(jax.vmap(lambda p, k: player.loss(p, carry, k, batch)[0], (None, 0)))
    before, after = losses(start(model), keys), losses(fitted(model, batch), keys)
    assert (after < before).all()


def contract_samples_approach(model, batch):
    """Training brings samples nearer to data, in energy distance."""
    before, after = start(model), fitted(model, batch)
    far, near = (
        energy_distance(sample_many(model.distribution, params, KEY, 256), batch.x)
        for params in (before, after)
    )
    assert near < far / 2


def energy_distance(x, y):
    """`2 E|x - y| - E|x - x'| - E|y - y'|`, never negative, zero between equals. Szekely & Rizzo (2013)."""
    x, y = (np.asarray(a, np.float64).reshape(len(a), -1) for a in (x, y))

    def mean(a, b):
        return np.linalg.norm(a[:, None] - b, axis=-1).mean()

    return 2 * mean(x, y) - mean(x, x) - mean(y, y)


# --- errors and conditions ------------------------------------------------------------------------


def contract_errors(model, batch):
    """A batch for an example, another shape, another kind of number: ValueError that says what to do."""
    params, x, cond = start(model), batch.x[0], one_cond(batch)
    wrong = jnp.zeros(x.shape, jnp.int32 if is_real(batch) else jnp.float32)
    for bad in (x[None], jnp.concatenate([x, x]), wrong):
        try:
            log_density(model.distribution, params, KEY, bad, cond)
        except ValueError as error:
            assert "got" in str(error) and "wanted" in str(error)
            if model.distribution.density is None:
                assert "without a density" in str(error)
        else:
            raise AssertionError(f"no error for {bad.shape} {bad.dtype}")


def contract_labels(model, batch):
    """Trained on labels, the model samples another law for each, and still samples without one."""
    params = fitted(model, batch)
    low, high, none = (
        np.asarray(sample_many(model.distribution, params, KEY, 500, c), np.float64)
        for c in (
            jnp.zeros(500, int),
            jnp.full(500, 2),
            Maybe(jnp.zeros(500, int), jnp.zeros(500, bool)),
        )
    )
    low, high = (a.reshape(500, -1)[:, 0] for a in (low, high))
    error = np.hypot(low.std(), high.std()) / np.sqrt(500)
    assert abs(high.mean() - low.mean()) > 5 * error
    assert np.isfinite(none).all()


def contract_absence(model, batch):
    """Present and absent labels share one trace; an absent one's value is never read."""
    params, traces = shaken(model), []

    @jax.jit
    def draw(cond):
        traces.append(cond)
        return sample(model.distribution, params, KEY, cond)

    def at(label, present):
        return draw(Maybe(jnp.asarray(label), jnp.asarray(present)))

    same(at(0, False), at(2, False))
    close(at(2, True), sample(model.distribution, params, KEY, jnp.asarray(2)))
    assert len(traces) == 1


# --- transforms -----------------------------------------------------------------------------------


def contract_bijection(transform, params, z, cond=None, tolerance=1e-9):
    """Forward and back is the identity, the weights are minus `slogdet` of the jacobian, `joint` agrees."""
    near = partial(np.testing.assert_allclose, rtol=tolerance, atol=tolerance)
    x = transform.forward(params, KEY, z, cond)
    back, weight = transform.inverse.fn(params, KEY, x, cond)
    near(back, z)
    jacobian = jax.jacfwd(lambda z: transform.forward(params, KEY, z, cond).reshape(-1))(z)
    near(weight, -jnp.linalg.slogdet(jacobian)[1])
    again, on_the_way = carried(transform)(params, KEY, z, cond)
    near(again, x)
    near(on_the_way, weight)


def contract_dequantisation(transform, levels):
    """Ways back from one symbol fill its cell evenly, their entries independent, at the cell's volume."""
    x = jnp.array([0, levels - 1])
    keys = jax.random.split(KEY, 4000)
    z, weight = jax.vmap(lambda k: transform.inverse.fn({}, k, x, None))(keys)
    unit = (np.asarray(z) + 1) / 2 * levels - np.asarray(x)
    assert (unit >= -1e-5).all() and (unit <= 1 + 1e-5).all()
    close(weight, 2 * np.log(2 / levels))
    error = 1 / np.sqrt(12 * 4000)
    assert (abs(unit.mean(0) - 0.5) < 5 * error).all()
    assert (abs(unit.var(0) - 1 / 12) < 0.01).all()
    assert abs(np.corrcoef(unit.T)[0, 1]) < 5 / np.sqrt(4000)


# --- the registry under them ----------------------------------------------------------------------

EVERY = (
    contract_keys,
    contract_jit,
    contract_vmap,
    contract_init,
    contract_fresh_noise,
    contract_one_trace,
    contract_round_trip,
    contract_resume,
    contract_samples_approach,
    contract_errors,
)


@pytest.mark.parametrize("contract", EVERY, ids=lambda c: c.__name__)
@pytest.mark.parametrize("name", ONE_OF_A_KIND)
def test_every_family(name, contract):
    contract(*tiny(name))


@pytest.mark.parametrize("name", ONE_OF_A_KIND)
def test_densities_have_mass_one(name):
    model, batch = tiny(name)
    if not isinstance(model.distribution.density, Bound):
        pytest.skip("claims no normalised density")
    contract = contract_integral if is_real(batch) else contract_sum
    contract(model, batch, name in LOOSE_AT_FIRST)


@pytest.mark.parametrize("name", TO_LEVELS)
def test_bounds_on_levels_stay_below_mass_one(name):
    model, batch = on_levels(name)
    if not isinstance(model.distribution.density, Bound):
        pytest.skip("claims no normalised density")
    contract_sum(model, batch, name in LOOSE_AT_FIRST)


@pytest.mark.parametrize("name", ONE_OF_A_KIND)
def test_scores_match_samples(name):
    model, batch = tiny(name)
    if not (isinstance(model.distribution.density, Unnormalized) and is_real(batch)):
        pytest.skip("claims no density up to a constant on reals")
    contract_score(model, batch)


@pytest.mark.parametrize("name", ONE_OF_A_KIND)
def test_exact_densities_are_met_on_the_way(name):
    model, batch = tiny(name)
    if not isinstance(model.distribution.density, Exact):
        pytest.skip("claims no exact density")
    contract_joint(model, batch)


@pytest.mark.parametrize("name", ONE_OF_A_KIND)
def test_losses_fall(name):
    model, batch = tiny(name)
    if len(model.players) > 1:
        pytest.skip("the losses of a game need not fall")
    contract_loss_falls(model, batch)


@pytest.mark.parametrize("name", ONE_OF_A_KIND)
def test_players_move_what_they_own(name):
    contract_players(*labelled(name))


@pytest.mark.parametrize("contract", [contract_labels, contract_absence])
@pytest.mark.parametrize("name", ONE_OF_A_KIND)
def test_conditional_families(name, contract):
    if name in LABEL_BLIND:
        pytest.skip("ignores labels")
    contract(*labelled(name))
