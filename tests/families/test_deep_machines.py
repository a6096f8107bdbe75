"""Families of deep machines: what they learn, and what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

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


@pytest.mark.parametrize("name", ["dbm", "dbn"])
def test_large_machines_claim_a_bound_up_to_a_constant(name):
    large = {"dbm": "hidden", "dbn": "top"}[name]
    model = registry[name].build(Event((6,), levels=2), **{large: 21})
    assert isinstance(model.distribution.density, TemperedBound)


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
