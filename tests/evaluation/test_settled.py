"""Bounds up to a constant that annealing settles, beside those whose constant was counted."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.core import Batch, Bound, Event, log_density_many
from probtransform.distributions.directed import belief_net, directed
from probtransform.distributions.forgetting import forgetting
from probtransform.distributions.harmonium import chained, enumerated, harmonium
from probtransform.distributions.layer import beside, bits
from probtransform.distributions.mean_field import above_by_mean_field
from probtransform.distributions.tempered import TemperedBound
from probtransform.evaluation import evaluate, settled
from probtransform.evaluation.annealed import Sandwich
from probtransform.evaluation.interval import climbed, outward
from probtransform.families import registry

KEY = jax.random.key(0)
D, TOP, HIDDEN, CLASSES = 6, 5, 8, 3
X = np.random.default_rng(0).integers(0, 2, (12, D)).astype(np.uint8)


def rough(distribution):
    """Parameters with couplings of about a half: a constant far from that of independent units."""
    noise = np.random.default_rng(1)
    params = distribution.init(KEY)
    return jax.tree.map(
        lambda p: p + jnp.asarray(0.5 * noise.normal(size=p.shape), jnp.float32), params
    ) | {"centre": params["centre"]}


def deep_machine(classes):
    """The bound of a deep Boltzmann machine with its constant counted, and the same up to it."""
    layer = beside(bits((D,)), bits((TOP,)))
    machine = harmonium(layer, HIDDEN, classes)
    guess = above_by_mean_field(machine, TOP)
    return (
        forgetting(law, guess)
        for law in (enumerated(machine, layer, HIDDEN), chained(machine, layer, 200))
    )


def net(classes):
    """A belief net's."""
    layer, above = bits((D,)), bits((HIDDEN,))
    layers = directed(harmonium(layer, HIDDEN), layer, HIDDEN)
    machine = harmonium(above, TOP, classes)
    return (
        belief_net(law, layers)
        for law in (enumerated(machine, above, TOP), chained(machine, above, 200))
    )


@pytest.mark.parametrize("laws", [deep_machine, net])
@pytest.mark.parametrize("classes", [0, CLASSES])
def test_it_is_the_counted_bound(laws, classes):
    """Example for example, under the same key: two standard errors below it, as far as four of them tell."""
    counted, chain = laws(classes)
    params = rough(counted)
    cond = None if not classes else np.arange(len(X)) % (classes - 1) + 1  # one label never occurs
    assert isinstance(counted.density, Bound) and isinstance(chain.density, TemperedBound)
    found = settled(chain, params, jax.random.key(2), cond)
    assert isinstance(found.density, Bound)
    key = jax.random.key(3)
    wanted, got, free = (
        np.asarray(log_density_many(law, params, key, X, cond)) for law in (counted, found, chain)
    )
    gap = wanted - got
    labels, which = (None, 0) if cond is None else np.unique(cond, return_inverse=True)
    law = chain._replace(sample=chain.density.end)
    climb = climbed(law, chain.density.ladder, params, jax.random.key(2), labels, 100, 500)
    error = np.atleast_1d(climb.upper_se)[which]
    assert (np.abs(gap - 2 * error) < 4 * error + 1e-4).all() and (error < 0.05).all()
    assert np.abs(free - wanted).min() > 1.0  # without its constant it is no bound


def test_evaluate_reports_it():
    """Twenty-one hidden units are too many to count: a bound all the same, sharpened and not."""
    event = Event((3,), levels=2)
    model = registry["dbm"].build(event, hidden=21, top=4)
    batch = Batch(np.random.default_rng(0).integers(0, 2, (40, 3)).astype(np.uint8))
    seen = evaluate(model, model.distribution.init(KEY), event, batch, batch, KEY, samples=8)
    assert seen["claim"] == "Density"
    assert seen["bits_per_dim_kind"] == "importance bound (K=8), annealed"
    # as it begins it is three fair coins, but for weights of a hundredth
    assert 0.99 < seen["bits_per_dim"] <= seen["bound_bits_per_dim"] < 1.1


@pytest.mark.parametrize("name, large", [("dbm", "hidden"), ("dbn", "top")])
def test_reals_have_it_too(name, large):
    """As it begins, its symbols are fair coins but for weights of a hundredth: each axis is logistic."""
    event = Event((2,))
    model = registry[name].build(event, bins=2, **{large: 21})
    x = np.random.default_rng(0).normal(size=(4000, 2))
    x = np.linalg.solve(np.linalg.cholesky(np.cov(x.T, bias=True)), (x - x.mean(0)).T).T
    batch = Batch(x.astype(np.float32))
    params = model.prepare(model.distribution.init(KEY), KEY, batch)
    x, batch = x[:40], Batch(batch.x[:40])
    seen = evaluate(model, params, event, batch, batch, KEY, samples=8)
    p = 1 / (1 + np.exp(-x))
    known = -np.log2(p * (1 - p)).mean()
    assert seen["bits_per_dim_kind"] == "importance bound (K=8), annealed"
    assert known - 0.01 < seen["bits_per_dim"] <= seen["bound_bits_per_dim"] < known + 0.01


def test_ends_that_are_too_uncertain_are_refused():
    """Z - 2 s is what is left below, 1 / (1/Z - 2 s) above: nothing, where s is a half."""
    low, high = outward(Sandwich(1.0, 2.0, 0.1, 0.2, 1.0))
    np.testing.assert_allclose([low, high], [1 + np.log(0.8), 2 - np.log(0.6)])
    with pytest.raises(ValueError, match=r"error of 0\.5, wanted less than 0\.5"):
        outward(Sandwich(np.zeros(2), np.zeros(2), np.array([0.1, 0.5]), np.zeros(2), 1.0))


def test_conditions_that_are_no_labels_are_refused():
    _, chain = deep_machine(0)
    with pytest.raises(ValueError, match="wanted a label for each example"):
        settled(chain, chain.init(KEY), KEY, np.zeros((12, 2), np.float32))
