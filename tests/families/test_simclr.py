"""SimCLR: its loss is the likelihood of its law, and one run learns to match views."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.core import Batch, Event, Exact, log_density
from probtransform.families.simclr import as_light, simclr, views
from probtransform.training import Recipe, fit, optimizer

EVENT = Event((8, 8, 1), levels=17)
MODEL = simclr(EVENT, features=16, width=32, outputs=8, temperature=0.3)


def images(count, seed=0):
    return np.random.default_rng(seed).integers(0, 17, (count, 8, 8, 1)).astype(np.uint8)


def test_light_is_from_black_to_white():
    assert float(as_light(EVENT)(np.uint8(0))) == -1 and float(as_light(EVENT)(np.uint8(16))) == 1
    assert as_light(Event((2,)))(0.3) == 0.3


def test_the_loss_is_minus_the_likelihood_of_the_law(key):
    """Views drawn as the player draws them; each meets all others, its partner among them."""
    plain = simclr(Event((8, 8, 1)), features=16, width=32, outputs=8, temperature=0.3)
    params, x = plain.distribution.init(key), as_light(EVENT)(images(5))
    loss, _ = jax.jit(plain.players["views"].loss)(params, (), key, Batch(x))
    a, b = (
        jax.vmap(views())(jax.random.split(k, 5), jnp.asarray(x)) for k in jax.random.split(key)
    )
    z = jnp.concatenate([a, b])
    nats = jax.jit(lambda i, cond: log_density(plain.distribution, params, key, i, cond))

    def found(i):
        others = np.delete(np.arange(10), i)
        return nats(int(np.flatnonzero(others == (i + 5) % 10)[0]), (z[i], z[others]))

    assert abs(float(loss) + np.mean([found(i) for i in range(10)])) < 1e-5
    assert type(plain.distribution.density) is Exact


def test_a_run_learns_to_match_views():
    """From log 63, where nothing is known; images of few bright places, so that views are unlike."""
    x = (images(256, 1) > 13).astype(np.uint8) * 16
    recipe = Recipe(steps=60, batch=32, rate=3e-3)
    run = fit(MODEL, optimizer(recipe), Batch(x), steps=60, batch=32, fuse=20)
    assert run.history[-1]["contrast"] < run.history[0]["contrast"] - 0.2


def test_what_is_no_image_is_refused():
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        simclr(Event((2,)))
    with pytest.raises(ValueError, match="simclr: got temperature=0"):
        simclr(EVENT, temperature=0.0)
