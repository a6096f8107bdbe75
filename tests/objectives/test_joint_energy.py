"""The two losses of a joint energy, the labels' against scikit-learn's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from probtransform.core import Batch, Maybe, Network
from probtransform.objectives.joint_energy import joint_energy

KEY = jax.random.key(0)
LOGITS = Network(lambda key: {}, lambda w, x: w @ x)
PARAMS = {"energy": jax.random.normal(KEY, (3, 2))}
X = jax.random.normal(jax.random.key(1), (40, 2))
Y = jnp.arange(40) % 3
PROBABILITIES = softmax(np.asarray(X @ PARAMS["energy"].T, np.float64), 1)


def contrast(params, carry, key, batch):
    """1 where every label is absent and the examples are there."""
    blind = ~batch.cond.present.any() & (batch.x == X).all()
    return jnp.where(blind, 1.0, jnp.nan), (carry + 1, {"contrast": jnp.ones(())})


def told(cond, weight=0.5):
    loss = joint_energy(contrast, LOGITS, "energy", 3, weight)
    value, (carry, metrics) = jax.jit(loss)(PARAMS, 4, KEY, Batch(X, cond))
    assert carry == 5 and metrics["contrast"] == 1
    return float(value), metrics


def test_labels_add_their_cross_entropy():
    value, metrics = told(Y)
    wanted = log_loss(Y, PROBABILITIES)
    np.testing.assert_allclose([value, metrics["cross_entropy"]], [0.5 + wanted, wanted], rtol=1e-5)
    np.testing.assert_allclose(
        metrics["accuracy"], (PROBABILITIES.argmax(1) == Y).mean(), rtol=1e-6
    )
    assert abs(told(Y, weight=0.0)[0] - wanted) < 1e-5


def test_those_without_a_label_are_left_out():
    present = jnp.arange(40) < 10
    value, metrics = told(Maybe(jnp.where(present, Y, 0), present))
    few = slice(0, 10)
    np.testing.assert_allclose(
        value, 0.5 + log_loss(Y[few], PROBABILITIES[few], labels=[0, 1, 2]), rtol=1e-5
    )
    wanted = (PROBABILITIES.argmax(1) == Y)[few].mean()
    np.testing.assert_allclose(metrics["accuracy"], wanted, rtol=1e-6)
    assert told(None)[0] == 0.5


def test_wrong_numbers_are_refused():
    with pytest.raises(ValueError, match="classes=0"):
        joint_energy(contrast, LOGITS, "energy", 0)
    with pytest.raises(ValueError, match="weight=-1"):
        joint_energy(contrast, LOGITS, "energy", 3, -1.0)
