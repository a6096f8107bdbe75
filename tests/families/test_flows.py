"""Flows and chains: what they learn, and that a sample meets the density that is asked of it afterwards."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.core import Batch, Event, log_density, sample_and_log_density
from probtransform.families import (
    iaf,
    maf,
    spline_autoregressive,
    spline_coupling,
    transformer,
)
from probtransform.training import Recipe, fit, optimizer

KEY = jax.random.key(0)
FAMILIES = {
    "maf": maf,
    "iaf": iaf,
    "spline_autoregressive": spline_autoregressive,
    "spline_coupling": spline_coupling,
    "transformer": transformer,
}
SMALL = {
    "maf": {"layers": 2, "width": 16},
    "iaf": {"layers": 2, "width": 16},
    "spline_autoregressive": {"layers": 2, "width": 16, "bins": 4},
    "spline_coupling": {"layers": 2, "width": 16, "bins": 4},
    "transformer": {"width": 16, "depth": 1, "heads": 2},
}


@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_trained_gets_better_and_stays_exact(name):
    model, batch = FAMILIES[name].tiny()
    recipe = Recipe(steps=60, batch=64, rate=5e-3)
    fitted = fit(model, optimizer(recipe), batch, steps=60, batch=64, fuse=20)
    first, *_, last = (row["nats"] for row in fitted.history)
    assert last < first - 0.05
    exact = jax.jit(lambda p, k: sample_and_log_density(model.distribution, p, k))
    again = jax.jit(lambda p, x: log_density(model.distribution, p, KEY, x))
    for key in jax.random.split(KEY, 5):
        x, nats = exact(fitted.state.params, key)
        assert again(fitted.state.params, x) == pytest.approx(float(nats), abs=1e-3)


@pytest.mark.parametrize("name", FAMILIES)
def test_levels_with_labels(name):
    """Images of three levels and two classes: samples are levels, and a label changes the density."""
    event = Event((2, 2, 1), levels=3, classes=2)
    module = FAMILIES[name]
    model = getattr(module, name)(event, **SMALL[name])
    labels = jnp.arange(128) % 2
    noise = jax.random.bernoulli(KEY, 0.2, (128, 2, 2, 1))
    x = (2 * labels[:, None, None, None] * jnp.ones((1, 2, 2, 1)) * ~noise).astype(jnp.uint8)
    recipe = Recipe(steps=60, batch=64, rate=1e-2)
    params = fit(
        model, optimizer(recipe), Batch(x, labels), steps=60, batch=64, fuse=30
    ).state.params
    drawn = jax.vmap(model.distribution.sample, (None, 0, 0))(
        params, jax.random.split(KEY, 64), labels[:64]
    )
    assert drawn.dtype == np.uint8 and drawn.shape == (64, 2, 2, 1) and int(drawn.max()) <= 2
    bright = drawn.reshape(64, -1).mean(1)
    assert bright[1::2].mean() > bright[::2].mean() + 0.5
