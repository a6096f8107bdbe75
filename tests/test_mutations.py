"""The contracts turn red: each is held against a copy that is broken in the way it should see.

That the whole copies are green is what the other tests say.
"""

import itertools
import math
from functools import partial
from importlib import import_module

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import test_contracts
from linear_gaussian import factor_analysis, marginal
from test_contracts import (
    KEY,
    contract_absence,
    contract_bijection,
    contract_dequantisation,
    contract_errors,
    contract_fresh_noise,
    contract_importance,
    contract_init,
    contract_integral,
    contract_joint,
    contract_keys,
    contract_labels,
    contract_loss_falls,
    contract_one_trace,
    contract_players,
    contract_resume,
    contract_round_trip,
    contract_samples_approach,
    contract_score,
    contract_sum,
    contract_vmap,
    labelled,
    tiny,
)

from probtransform.core import (
    Batch,
    Bound,
    Distribution,
    Exact,
    Maybe,
    Model,
    Player,
    Unnormalized,
    pushforward,
)
from probtransform.distributions import normal
from probtransform.evaluation import importance
from probtransform.objectives import likelihood
from probtransform.transforms import affine, affine_of, quantise, squash

fit_module = import_module("probtransform.training.fit")  # its name is also that of the function
PLANE = Batch(jax.random.normal(KEY, (256, 2)) @ jnp.array([[0.5, 0.4], [0.0, 0.3]]) + 0.3)
PAIRS = Batch(jnp.stack([jnp.arange(256) % 4, jnp.arange(256) // 64], 1).astype(jnp.uint8))


def red(contract, *inputs):
    with pytest.raises(AssertionError):
        contract(*inputs)


def flow_of(step, base=None, last=None):
    """A model of one step on the plane, that maximum likelihood trains."""
    distribution = pushforward(base or normal((2,)), step=step)
    if last is not None:
        distribution = pushforward(distribution, last=last)
    return Model(distribution, {"flow": Player(("step",), likelihood(distribution))})


def claiming(step, change):
    """The step with `(z, weight, key, params)` of its way back changed, and no other way to its weight."""

    def inverse(params, key, x, cond):
        z, weight = step.inverse.fn(params, key, x, cond)
        return change(z, weight, key, params)

    return step._replace(inverse=type(step.inverse)(inverse), joint=None)


WRONG_SIGN = claiming(affine(2), lambda z, w, key, params: (z, -w))
SHIFTED = claiming(affine(2), lambda z, w, key, params: (z, w + 0.01))
WRONG_SCALE = claiming(affine(2), lambda z, w, key, params: (0.8 * z, w))
MISSED = claiming(affine(2), lambda z, w, key, params: (z + 0.01, w))


# --- densities ------------------------------------------------------------------------------------


def test_the_unbroken_flow_is_green():
    contract_integral(flow_of(affine(2)), PLANE)
    contract_score(flow_of(affine(2)), PLANE)


@pytest.mark.parametrize("step", [WRONG_SIGN, SHIFTED, MISSED])
def test_a_bijection_with_a_wrong_sign_weight_or_inverse(step):
    params = affine_of(jnp.array([0.3, -0.2]), jnp.array([[0.5, 0.2], [0.2, 0.3]]))
    contract_bijection(affine(2), params, jnp.array([0.4, -1.0]), tolerance=1e-5)
    red(partial(contract_bijection, tolerance=1e-5), step, params, jnp.array([0.4, -1.0]))


def test_a_way_forward_with_another_weight():
    step = squash(2)
    lost = step._replace(joint=lambda *inputs: (step.joint(*inputs)[0], 0.5))
    contract_bijection(step, {}, jnp.array([0.4, -1.0]), tolerance=1e-4)
    red(partial(contract_bijection, tolerance=1e-4), lost, {}, jnp.array([0.4, -1.0]))


@pytest.mark.parametrize("step", [WRONG_SIGN, SHIFTED])
def test_a_density_that_does_not_integrate_to_one(step):
    red(contract_integral, flow_of(step), PLANE)


def test_a_density_that_is_not_the_law_of_its_samples():
    moved = claiming(affine(2), lambda z, w, key, params: (z + 0.2, w))
    red(contract_integral, flow_of(moved), PLANE)
    red(contract_score, flow_of(WRONG_SCALE), PLANE)


def test_noise_that_reuses_the_key_of_the_base():
    """`x = z + e` with `e = z` has twice the scale that the density of `N(0, 2 I)` claims."""

    def density(params, key, x, cond=None):
        return jax.scipy.stats.norm.logpdf(x, 0.0, math.sqrt(2.0)).sum() + 0 * params["step"]["a"]

    def noisy(split):
        def sample(params, key, cond=None):
            first, second = jax.random.split(key) if split else (key, key)
            return jax.random.normal(first, (2,)) + jax.random.normal(second, (2,))

        init = lambda key: {"step": {"a": jnp.zeros(())}}  # noqa: E731
        distribution = Distribution(init, sample, Exact(density))
        return Model(distribution, {"one": Player(("step",), likelihood(distribution))})

    contract_score(noisy(split=True), PLANE)
    red(contract_score, noisy(split=False), PLANE)
    red(contract_integral, noisy(split=False), PLANE)


def test_a_weight_met_on_the_way_that_is_another():
    model = flow_of(affine(2))
    joint = model.distribution.joint

    def off(params, key, cond=None):
        x, nats = joint(params, key, cond)
        return x, nats + 0.1

    contract_joint(model, PLANE)
    red(contract_joint, model._replace(distribution=model.distribution._replace(joint=off)), PLANE)


def test_symbols_whose_masses_do_not_sum_to_one():
    model, batch = tiny("autoregressive")
    fn = model.distribution.density.fn
    loud = Exact(lambda *inputs: fn(*inputs) + 0.01)
    red(contract_sum, model._replace(distribution=model.distribution._replace(density=loud)), batch)


def test_a_bound_without_the_volume_of_its_cells():
    lost = claiming(quantise((2,), 4), lambda z, w, key, params: (z, w + 0.6))
    contract_sum(flow_of(affine(2), last=quantise((2,), 4)), PAIRS)
    red(contract_sum, flow_of(affine(2), last=lost), PAIRS)


def energy(constant):
    """A normal whose density is known up to a constant."""
    fn = normal((2,)).density.fn
    return normal((2,))._replace(density=Unnormalized(lambda *inputs: fn(*inputs) + constant))


def test_an_energy_is_read_up_to_its_constant_and_no_further():
    model = flow_of(affine(2), base=energy(7.0))
    assert type(model.distribution.density) is Unnormalized
    contract_score(model, PLANE)
    red(contract_integral, model, PLANE)
    red(contract_score, flow_of(WRONG_SCALE, base=energy(7.0)), PLANE)


def logs_averaged(bound, samples):
    """Importance weighting gone wrong: the mean of the logs is the plain bound again."""

    def fn(params, key, x, cond):
        keys = jax.random.split(key, samples)
        return jax.vmap(lambda k: bound.fn(params, k, x, cond))(keys).mean()

    return Bound(fn)


def unnormalised(bound, samples):
    """Importance weighting gone wrong: the sum of weights, not their mean."""

    def fn(params, key, x, cond):
        keys = jax.random.split(key, samples)
        return jax.nn.logsumexp(jax.vmap(lambda k: bound.fn(params, k, x, cond))(keys))

    return Bound(fn)


def one_key(bound, samples):
    """Importance weighting gone wrong: every weight from the same noise."""
    return importance(Bound(lambda params, key, x, cond: bound.fn(params, KEY, x, cond)), samples)


@pytest.mark.parametrize("estimator", [logs_averaged, unnormalised, one_key])
def test_importance_weights_gone_wrong(estimator):
    distribution, params = factor_analysis(spread=1.5)
    x = marginal().rvs(32, random_state=0)
    inputs = Model(distribution, {}), params, jnp.asarray(x, jnp.float32), marginal().logpdf(x)
    red(contract_importance, estimator, *inputs)


# --- noise ----------------------------------------------------------------------------------------


def equal_noise(z, weight, key, params):
    """Both entries at the same place of their cells."""
    cell = jnp.floor((z + 1) * 2)
    return (cell + jax.random.uniform(key)) / 2 - 1, weight


def fixed_noise(z, weight, key, params):
    return (jnp.floor((z + 1) * 2) + 0.5) / 2 - 1, weight


@pytest.mark.parametrize("noise", [equal_noise, fixed_noise])
def test_dequantisation_whose_noise_is_correlated_or_missing(noise):
    red(contract_dequantisation, claiming(quantise((2,), 4), noise), 4)


def test_noise_that_ignores_the_key():
    model, batch = tiny("vae")
    fn = model.distribution.density.fn
    stuck = Bound(lambda params, key, x, cond: fn(params, KEY, x, cond))
    stuck = model._replace(distribution=model.distribution._replace(density=stuck))
    red(contract_fresh_noise, stuck, batch)


def test_samples_that_ignore_the_key_or_remember_the_last():
    model, batch = tiny("realnvp")
    draw, count = model.distribution.sample, itertools.count()

    def stuck(params, key, cond):
        return draw(params, KEY, cond)

    def drifting(params, key, cond):
        number = jax.pure_callback(
            lambda: np.float32(next(count)), jax.ShapeDtypeStruct((), jnp.float32)
        )
        return draw(params, key, cond) + number

    for sample in (stuck, drifting):
        red(
            contract_keys,
            model._replace(distribution=model.distribution._replace(sample=sample)),
            batch,
        )


def test_a_step_whose_key_is_not_folded_with_its_number(monkeypatch):
    true_learner = test_contracts.learner

    def forgetful(model, tx):
        learn = true_learner(model, tx)

        def step(state, key, batch):
            return learn.step(state._replace(step=state.step * 0), key, batch)

        return learn._replace(step=step)

    monkeypatch.setattr(test_contracts, "learner", forgetful)
    red(contract_fresh_noise, *tiny("flow_matching"))


def test_layers_that_start_equal():
    model, batch = tiny("realnvp")
    init = model.distribution.init

    def twins(key):
        blocks = init(key)
        return blocks | {
            "couplings": jax.tree.map(lambda a: a.at[1].set(a[0]), blocks["couplings"])
        }

    red(contract_init, model._replace(distribution=model.distribution._replace(init=twins)), batch)


def test_weights_that_ignore_the_key():
    model, batch = tiny("realnvp")
    init = model.distribution.init
    stuck = model.distribution._replace(init=lambda key: init(KEY))
    red(contract_init, model._replace(distribution=stuck), batch)


# --- training -------------------------------------------------------------------------------------


def playing(model, name, **changes):
    return model._replace(players=model.players | {name: model.players[name]._replace(**changes)})


def test_a_player_that_owns_the_block_of_another():
    model, batch = labelled("gan")
    red(contract_players, playing(model, "generator", owns=("generator", "critic")), batch)


def test_a_player_that_owns_what_it_does_not_learn():
    model, batch = labelled("gan")
    red(
        contract_players,
        playing(playing(model, "critic", owns=("generator",)), "generator", owns=()),
        batch,
    )


def test_a_stray_stop_gradient():
    model, batch = labelled("vae")
    fn = likelihood(model.distribution)

    def loss(params, carry, key, batch):
        block = params["decoder"]
        still = block | {"encoder": jax.lax.stop_gradient(block["encoder"])}
        return fn(params | {"decoder": still}, carry, key, batch)

    red(contract_players, playing(model, "vae", loss=loss), batch)


def test_an_update_that_reaches_foreign_blocks(monkeypatch):
    true_learner = test_contracts.learner

    def leaky(model, tx):
        learn = true_learner(model, tx)

        def step(state, key, batch):
            state, metrics = learn.step(state, key, batch)
            return state._replace(params=jax.tree.map(lambda p: p * 0.999, state.params)), metrics

        return learn._replace(step=step)

    monkeypatch.setattr(test_contracts, "learner", leaky)
    red(contract_players, *labelled("gan"))


def test_a_loss_that_is_traced_anew_for_every_stretch(monkeypatch):
    model, batch = tiny("gaussian")
    true_fused = fit_module.fused

    class Careless:
        """A program that is compiled anew whenever it is called."""

        def __init__(self, *parts):
            self.parts = parts

        def lower(self, *inputs):
            return self

        compile = lower

        def memory_analysis(self):
            return None

        def __call__(self, state, source, count):
            learn, *rest = self.parts
            fresh = learn._replace(step=lambda *inputs: learn.step.__wrapped__(*inputs))
            return true_fused(fresh, *rest)(state, source, count)

    monkeypatch.setattr(fit_module, "fused", Careless)
    red(contract_one_trace, model, batch)


def test_a_trajectory_that_depends_on_fuse(monkeypatch):
    model, batch = tiny("flow_matching")
    true_fused = fit_module.fused

    def by_stretch(learn, feed, keys, room):
        return true_fused(learn, feed, jax.random.fold_in(keys, room), room)

    monkeypatch.setattr(fit_module, "fused", by_stretch)
    red(contract_resume, model, batch)


def test_a_checkpoint_that_loses_precision(monkeypatch):
    true_checkpoints = test_contracts.checkpoints

    def rounding(directory):
        kept = true_checkpoints(directory)
        halved = lambda a: a.astype(jnp.bfloat16).astype(a.dtype)  # noqa: E731

        def save(state, about):
            kept.save(state._replace(params=jax.tree.map(halved, state.params)), about)

        return kept._replace(save=save)

    monkeypatch.setattr(test_contracts, "checkpoints", rounding)
    red(contract_round_trip, *tiny("realnvp"))
    red(contract_resume, *tiny("realnvp"))


def test_a_player_that_climbs():
    model, batch = tiny("realnvp")
    loss = model.players["flow"].loss

    def climbing(params, carry, key, batch):
        value, rest = loss(params, carry, key, batch)
        return jnp.where(value < 50, 2 * jax.lax.stop_gradient(value) - value, value), rest

    red(contract_loss_falls, playing(model, "flow", loss=climbing), batch)


def test_a_model_that_does_not_learn():
    model, batch = tiny("gan")

    def idle(params, carry, key, batch):
        return 0.0 * jax.tree.leaves(params["generator"])[0].sum(), (carry, {})

    red(contract_samples_approach, playing(model, "generator", loss=idle), batch)


# --- examples, errors, conditions -----------------------------------------------------------------


def test_a_density_that_looks_across_the_batch():
    model, batch = tiny("realnvp")
    fn = model.distribution.density.fn

    @jax.custom_batching.custom_vmap
    def centred(x):
        return x

    @centred.def_vmap
    def _(size, batched, x):
        return x - x.mean(0), True

    crowd = Exact(lambda params, key, x, cond: fn(params, key, centred(x), cond))
    red(
        contract_vmap,
        model._replace(distribution=model.distribution._replace(density=crowd)),
        batch,
    )


def test_a_density_that_takes_anything():
    model, batch = tiny("realnvp")
    fn = model.distribution.density.fn
    lenient = Exact(lambda params, key, x, cond: fn(params, key, 1.0 * x.reshape(-1)[:2], cond))
    red(
        contract_errors,
        model._replace(distribution=model.distribution._replace(density=lenient)),
        batch,
    )


def test_a_model_deaf_to_its_label_or_reading_an_absent_one():
    model, batch = labelled("realnvp")
    draw = model.distribution.sample

    def sampling(sample):
        return model._replace(distribution=model.distribution._replace(sample=sample))

    deaf = sampling(lambda params, key, cond: draw(params, key, jnp.asarray(0)))
    nosy = sampling(
        lambda p, key, cond: draw(p, key, cond.value if isinstance(cond, Maybe) else cond)
    )
    red(contract_labels, deaf, batch)
    red(contract_absence, nosy, batch)
