"""Families of deep machines: what they learn, and what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.stats import norm

from probtransform.core import Batch, Event
from probtransform.distributions.tempered import TemperedBound
from probtransform.evaluation import bits_per_dim
from probtransform.families import registry
from probtransform.training import fit

KEY = jax.random.key(0)
# two patterns of six bits, each bit turned over with probability .05: the law is known
PATTERNS = np.array([[1, 1, 1, 0, 0, 0], [0, 1, 0, 1, 0, 1]])


@pytest.fixture(scope="module")
def data():
    noise = np.random.default_rng(0)
    x = PATTERNS[noise.integers(0, 2, 4000)] ^ (noise.random((4000, 6)) < 0.05)
    near = (x[:, None] == PATTERNS).sum(-1)
    p = (0.95**near * 0.05 ** (6 - near)).mean(1)
    return Batch(jnp.asarray(x, jnp.uint8)), -np.log2(p).mean() / 6


@pytest.mark.parametrize("name", ["dbm", "dbn"])
def test_a_law_of_two_patterns_is_learned(name, data):
    """Bits of the bound, sharpened, above those of the law by a fiftieth a bit at most: it begins at 1.

    The rate falls to nothing: chains rarely cross between the patterns, whose shares would drift else.
    """
    batch, known = data
    model = registry[name].build(Event((6,), levels=2), hidden=6, top=3, chains=50)
    rate = optax.cosine_decay_schedule(5e-3, 1500)
    run = fit(model, optax.adam(rate), batch, steps=1500, batch=100)
    found = bits_per_dim(model.distribution, run.state.params, KEY, batch, samples=16)
    assert known - 3 * found.standard_error < found.mean < known + 0.02
    assert 0.4 < known < 0.6


def lumps(key):
    """Two normals apart along both axes, and -log2 of the law for each axis."""
    z = np.random.default_rng(key).normal(size=(4000, 2))
    z[:2000] += 4.0
    p = (norm.pdf(z).prod(1) + norm.pdf(z - 4.0).prod(1)) / 2
    return z.astype(np.float32), -np.log2(p).mean() / 2


def triples(key):
    """A symbol of four, itself again in three quarters of draws or any, and one that knows of neither."""
    noise = np.random.default_rng(key)
    first, last = noise.integers(0, 4, (2, 4000))
    again = np.where(noise.random(4000) < 0.75, first, noise.integers(0, 4, 4000))
    bits = 4 - np.log2(np.where(again == first, 0.75 + 0.25 / 4, 0.25 / 4)).mean()
    return np.stack([first, again, last], 1).astype(np.uint8), bits / 3


@pytest.mark.parametrize(
    "how",
    [{"chains": 0}, {"chains": 200}, {"chains": 200, "fast": 0.01}, {"persistent": False}],
    ids=["likelihood", "chains", "fast", "CD-1"],
)
@pytest.mark.parametrize(
    "name, event, draw",
    [("gaussian_rbm", Event((2,)), lumps), ("rbm", Event((3,), levels=4), triples)],
)
def test_other_units_learn_by_likelihood_and_by_chains(name, event, draw, how):
    model = registry[name].build(event, hidden=4, **how)
    batch, (fresh, known) = Batch(draw(0)[0]), draw(1)
    tx = optax.adam(optax.cosine_decay_schedule(5e-2, 1500))
    run = fit(model, tx, batch, steps=1500, batch=100)
    start = model.prepare(model.distribution.init(KEY), KEY, batch)
    before, after = (
        bits_per_dim(model.distribution, params, KEY, Batch(fresh)).mean
        for params in (start, run.state.params)
    )
    assert known - 0.01 < after < known + 0.02 < before


@pytest.mark.parametrize("name", ["dbm", "dbn"])
def test_large_machines_claim_a_bound_up_to_a_constant(name):
    large = {"dbm": "hidden", "dbn": "top"}[name]
    model = registry[name].build(Event((6,), levels=2), **{large: 21})
    assert isinstance(model.distribution.density, TemperedBound)


def test_a_belief_net_of_labelled_data_obeys_the_label():
    """The chains of its lower machine have no labels, and go on beside data that do."""
    noise = np.random.default_rng(0)
    label = noise.integers(0, 2, 400)
    x = (noise.random((400, 3)) < np.where(label, 0.9, 0.1)[:, None]).astype(np.uint8)
    model = registry["dbn"].build(Event((3,), levels=2, classes=2), hidden=8, top=6)
    run = fit(model, optax.adam(2e-2), Batch(x, jnp.asarray(label)), steps=600, batch=100)
    keys = jax.random.split(jax.random.key(1), 500)
    for told, share in ((0, 0.1), (1, 0.9)):
        draw = jax.jit(
            jax.vmap(lambda k, y=told: model.distribution.sample(run.state.params, k, y))
        )
        assert abs(float(draw(keys).mean()) - share) < 0.15


def test_wrong_sizes_are_refused():
    event = Event((6,), levels=2)
    with pytest.raises(ValueError, match="at most 20"):
        registry["dbm"].build(event, hidden=21, chains=0)
    with pytest.raises(ValueError, match="chains=0"):
        registry["dbn"].build(event, chains=0)
    for name in ("dbm", "dbn"):
        with pytest.raises(ValueError, match="hidden=0"):
            registry[name].build(event, hidden=0)
        with pytest.raises(ValueError, match="top=0"):
            registry[name].build(event, top=0)
