"""One step of any number of players, against loops written out by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from toys import NOTHING

from probtransform.core import Batch, Model, Player
from probtransform.training import learner

KEY = jax.random.key(0)
BATCH = Batch(jnp.array([1.0, 3.0]))


def game(repeat=1):
    """Critic: `(c - g - mean x)^2 / 2`; generator: `(g + c)^2 / 2`; the carry counts their losses."""

    def critic(params, carry, key, batch):
        return (params["c"] - params["g"] - batch.x.mean()) ** 2 / 2, (carry + 1, {"seen": carry})

    def generator(params, carry, key, batch):
        return (params["g"] + params["c"]) ** 2 / 2, (carry + 10, {})

    extra = {name: lambda key: jnp.asarray(1.0) for name in ("c", "g", "frozen")}
    players = {"critic": Player(("c",), critic, repeat), "generator": Player(("g",), generator)}
    return Model(NOTHING, players, extra, carry=lambda key: jnp.zeros(()))


def by_hand(steps, repeat, rates):
    c = g = 1.0
    for _ in range(steps):
        for _ in range(repeat):
            c -= rates["critic"] * (c - g - 2.0)
        g -= rates["generator"] * (g + c)  # meets the critic that has just moved
    return c, g


@pytest.mark.parametrize("repeat", [1, 3])
def test_players_move_in_turn_each_by_its_own_transformation(repeat):
    rates = {"critic": 0.1, "generator": 0.03}
    learn = learner(game(repeat), {name: optax.sgd(rate) for name, rate in rates.items()})
    state = learn.init(KEY)
    for _ in range(4):
        state, metrics = learn.step(state, KEY, BATCH)
    np.testing.assert_allclose(
        [state.params["c"], state.params["g"]], by_hand(4, repeat, rates), rtol=1e-5
    )
    assert state.step == 4
    assert state.carry == 4 * (repeat + 10)
    assert set(metrics) == {"seen", "loss/critic", "loss/generator"}


@pytest.mark.parametrize("repeat", [1, 3])
def test_schedules_follow_the_steps_of_the_run(repeat):
    """A critic of three updates a step has the rate of the step at all of them."""
    learn = learner(game(repeat), optax.sgd(lambda n: 0.1 / (1 + n)))
    state, c, g = learn.init(KEY), 1.0, 1.0
    for n in range(4):
        state, _ = learn.step(state, KEY, BATCH)
        for _ in range(repeat):
            c -= 0.1 / (1 + n) * (c - g - 2.0)
        g -= 0.1 / (1 + n) * (g + c)
    np.testing.assert_allclose([state.params["c"], state.params["g"]], [c, g], rtol=1e-5)


def test_one_transformation_serves_all_players_each_with_its_own_state():
    learn = learner(game(), optax.sgd(0.1, momentum=0.5))
    state = learn.init(KEY)
    assert set(state.opt) == {"critic", "generator"}
    assert len(jax.tree.leaves(state.opt["critic"])) == 1
    for _ in range(3):
        state, _ = learn.step(state, KEY, BATCH)
    c, g, push_c, push_g = 1.0, 1.0, 0.0, 0.0
    for _ in range(3):
        push_c = 0.5 * push_c + (c - g - 2.0)
        c -= 0.1 * push_c
        push_g = 0.5 * push_g + (g + c)
        g -= 0.1 * push_g
    np.testing.assert_allclose([state.params["c"], state.params["g"]], [c, g], rtol=1e-5)


def test_a_block_that_nobody_owns_is_frozen():
    learn = learner(game(), optax.sgd(0.1))
    state, _ = learn.step(learn.init(KEY), KEY, BATCH)
    assert state.params["frozen"] == 1.0


def test_every_update_has_a_key_of_its_own_that_the_step_number_decides():
    def loss(params, carry, key, batch):
        bits = jax.random.bits(key, (), jnp.uint32)
        return params["c"] * 0.0, (carry.at[carry[-1].astype(int)].set(bits).at[-1].add(1), {})

    twice = {name: Player((owned,), loss, 2) for name, owned in (("a", "c"), ("b", "g"))}
    model = game()._replace(players=twice, carry=lambda key: jnp.zeros(9, jnp.uint32))
    learn = learner(model, optax.sgd(0.1))
    state = learn.init(KEY)
    for _ in range(2):
        state, _ = learn.step(state, KEY, BATCH)
    whole = np.asarray(state.carry[:8])
    assert len(np.unique(whole)) == 8
    later = learn.init(KEY)._replace(step=jnp.asarray(1, jnp.int32))
    np.testing.assert_array_equal(learn.step(later, KEY, BATCH)[0].carry[:4], whole[4:])


def test_unknown_blocks_and_missing_transformations_are_named():
    lost = game()._replace(players={"critic": Player(("critc",), lambda *_: None)})
    with pytest.raises(ValueError, match=r"player 'critic' owns \['critc'\], wanted blocks among"):
        learner(lost, optax.sgd(0.1)).init(KEY)
    with pytest.raises(ValueError, match=r"mend \['generator'\]"):
        learner(game(), {"critic": optax.sgd(0.1)})
    with pytest.raises(ValueError, match=r"mend \['generater'\]"):
        learner(game(), dict.fromkeys(("critic", "generator", "generater"), optax.sgd(0.1)))
