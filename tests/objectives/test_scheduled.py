"""A weight that changes: the slope at every update is that of the weight then."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from probtransform.core import Batch, Distribution, Model, Network, Player
from probtransform.objectives import adversarial, scheduled
from probtransform.objectives.adversarial import r1, wasserstein
from probtransform.objectives.scheduled import counter
from probtransform.training import learner


def test_each_update_descends_with_the_weight_of_its_number():
    def weighted(w):
        return lambda params, carry, key, batch: (w * params["x"], (carry, {}))

    law = Distribution(
        lambda key: {"x": jnp.zeros(())}, lambda params, key, cond: params["x"], None
    )
    model = Model(
        law, {"seeker": Player(("x",), scheduled(weighted, lambda n: 2.0**n))}, {}, counter
    )
    learn = learner(model, optax.sgd(1.0))
    state, seen = learn.init(jax.random.key(0)), []
    for _ in range(4):
        state, metrics = learn.step(state, jax.random.key(0), Batch(jnp.zeros((1, 1))))
        seen.append(float(metrics["weight"]))
    assert seen == [1, 2, 4, 8] and float(state.params["x"]) == -15


def test_a_penalty_is_paid_at_its_weight():
    """Of a linear critic `w . x` R1 is `gamma |w|^2 / 2`."""
    critic = Network(lambda key: jnp.array([3.0, 4.0]), lambda w, x, cond: w @ x)
    law = Distribution(lambda key: {}, lambda params, key, cond: jnp.zeros(2), None)

    def weighted(gamma):
        return adversarial(law, critic, wasserstein, [r1(gamma)])[0]

    loss = scheduled(weighted, optax.piecewise_constant_schedule(0.1, {2: 0.1}))
    batch, carry, paid = Batch(jnp.ones((4, 2))), counter(jax.random.key(0)), []
    for _ in range(4):
        _, (carry, metrics) = jax.jit(loss)(
            {"critic": jnp.array([3.0, 4.0])}, carry, jax.random.key(1), batch
        )
        paid.append(float(metrics["critic_penalty"]))
    np.testing.assert_allclose(paid, np.array([0.1, 0.1, 0.01, 0.01]) * 25 / 2, rtol=1e-5)


def test_a_weight_that_is_known_is_still_checked():
    with pytest.raises(ValueError, match="gamma=-1"):
        r1(-1)
