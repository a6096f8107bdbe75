"""The one loop: what it returns, when it stops, and that nothing but the seed decides the trajectory."""

import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from test_contracts import same
from toys import DATA, Stream, fails_after, mean_of_data

from probtransform.core import Batch, Event
from probtransform.data.order import order
from probtransform.families import registry
from probtransform.training import checkpoints, fit
from probtransform.training.fit import affordable

run = partial(fit, tx=optax.sgd(0.1), data=DATA, batch=4)


def test_a_run_is_the_loop_written_out():
    start = np.asarray(run(mean_of_data(), steps=0).state.params["w"])
    w = start.copy()
    for step in range(7):
        w -= 0.1 * (w - DATA.x[order(0, step, 4, 12)].mean(0))
    np.testing.assert_allclose(run(mean_of_data(), steps=7, fuse=3).state.params["w"], w, rtol=1e-5)
    assert (w != start).all()


def test_history_has_a_row_of_means_for_every_stretch():
    history = run(mean_of_data(), steps=8, fuse=3, every=4).history
    assert [row["step"] for row in history] == [3, 4, 7, 8]
    assert [row["count"] for row in history] == [2, 4, 6, 8]  # means of 1..3, 4, 5..7, 8
    assert set(history[0]) == {"step", "count", "loss/seeker"}


def test_no_steps_leave_the_prepared_state():
    model = mean_of_data()._replace(prepare=lambda params, key, batch: {"w": batch.x.sum(0)})
    done = run(model, steps=0)
    np.testing.assert_allclose(done.state.params["w"], DATA.x.sum(0), rtol=1e-6)
    assert done.state.step == 0 and done.history == [] and done.finished


def test_watchers_see_every_stretch_and_stop_ends_it():
    seen = []
    done = run(
        mean_of_data(),
        steps=9,
        fuse=2,
        watch=[lambda step, state, metrics: seen.append((step, int(state.step), metrics["step"]))],
        stop=lambda: len(seen) == 3,
    )
    assert seen == [(2, 2, 2), (4, 4, 4), (6, 6, 6)]
    assert done.state.step == 6 and not done.finished


@pytest.mark.parametrize("fuse", [1, 2, 5, 100])
def test_fuse_changes_no_bit(fuse):
    noisy = mean_of_data(noise=1.0)
    same(run(noisy, steps=7, fuse=fuse).state, run(noisy, steps=7, fuse=3).state)


def test_a_run_ends_in_time_and_on_its_own_way():
    """Over before it began: a few steps to see what one takes, which are those of any other run."""
    noisy = mean_of_data(noise=1.0)
    hasty = run(noisy, steps=200, until=time.monotonic())
    assert not hasty.finished and len(hasty.history) == 1
    same(hasty.state, run(noisy, steps=int(hasty.state.step), fuse=3).state)
    assert run(noisy, steps=20, until=time.monotonic() + 1000).finished


def test_a_stretch_is_as_long_as_time_allows():
    assert affordable(60.0, None) == affordable(-1.0, None) == 5
    assert (affordable(3.0, 0.2), affordable(0.1, 0.2), affordable(-1.0, 0.2)) == (15, 1, 1)
    assert affordable(1e9, 1e-9) > 100


def test_seeds_are_runs_side_by_side():
    together = run(mean_of_data(noise=1.0), steps=6, fuse=4, seeds=3, seed=5)
    alone = [run(mean_of_data(noise=1.0), steps=6, fuse=4, seed=5 + i) for i in range(3)]
    w = np.stack([one.state.params["w"] for one in alone])
    np.testing.assert_allclose(together.state.params["w"], w, rtol=1e-5)
    assert len(np.unique(w)) == 6
    for i, row in enumerate(together.history):
        losses = np.array([one.history[i]["loss/seeker"] for one in alone])
        assert row["loss/seeker"] == pytest.approx(losses.mean(), rel=1e-5)
        assert row["loss/seeker/se"] == pytest.approx(losses.std(ddof=1) / np.sqrt(3), rel=1e-4)


def test_a_stream_trains_as_resident_data_do():
    noisy = mean_of_data(noise=1.0)
    streamed = run(noisy, data=Stream(DATA, 4, seed=2), seed=2, steps=7, fuse=3)
    same(streamed.state, run(noisy, seed=2, steps=7, fuse=3).state)


def test_a_stream_resumes_where_it_stood(tmp_path):
    noisy = mean_of_data(noise=1.0)
    whole = run(noisy, data=Stream(DATA, 4, seed=2), steps=7, fuse=3)
    kept = checkpoints(tmp_path)
    run(noisy, data=Stream(DATA, 4, seed=2), steps=7, fuse=2, checkpoints=kept, stop=lambda: True)
    resumed = run(noisy, data=Stream(DATA, 4, seed=2), steps=7, fuse=3, checkpoints=kept)
    same(whole.state, resumed.state)
    assert [row["step"] for row in resumed.history] == [5, 7]


def test_seeds_share_a_stream():
    done = run(mean_of_data(noise=1.0), data=Stream(DATA, 4, seed=0), steps=4, fuse=2, seeds=2)
    alone = run(mean_of_data(noise=1.0), data=Stream(DATA, 4, seed=0), steps=4, fuse=2, seed=1)
    np.testing.assert_allclose(done.state.params["w"][1], alone.state.params["w"], rtol=1e-5)


def test_a_finished_run_is_only_read_again(tmp_path):
    first = run(mean_of_data(), steps=3, checkpoints=checkpoints(tmp_path))
    again = run(mean_of_data(), steps=3, checkpoints=checkpoints(tmp_path))
    same(first.state, again.state)
    assert again.history == [] and again.finished


def test_seeds_resume(tmp_path):
    noisy, kept = partial(run, mean_of_data(noise=1.0), steps=6, seeds=2), checkpoints(tmp_path)
    noisy(fuse=2, checkpoints=kept, stop=lambda: True)
    same(noisy(fuse=2, checkpoints=kept).state, noisy(fuse=3).state)


def test_checkpoints_come_every_so_often(tmp_path):
    run(mean_of_data(), steps=7, fuse=2, every=3, checkpoints=checkpoints(tmp_path))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["6", "7"]


def test_a_loss_that_is_not_finite_names_player_step_and_last_good_checkpoint(tmp_path):
    with pytest.raises(
        FloatingPointError, match=r"'seeker' is not finite at step 6; .* is step 4; "
    ):
        run(fails_after(5), steps=9, every=2, checkpoints=checkpoints(tmp_path))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["2", "4"]
    with pytest.raises(FloatingPointError, match=r"at step 6; the last good checkpoint is none"):
        run(fails_after(5), steps=9)


def test_a_loss_that_never_was_finite_blames_the_data():
    """Grey values for a machine of bits, and a label that no class has."""
    grey = Batch(np.full((16, 6), 7, np.uint8))
    bits = registry["rbm"].build(Event((6,), levels=2), hidden=4)
    labelled = registry["rbm"].build(Event((6,), levels=2, classes=3), hidden=4)
    wrong = Batch(np.zeros((16, 6), np.uint8), np.full(16, 3))
    for model, data in ((bits, grey), (labelled, wrong)):
        with pytest.raises(
            FloatingPointError, match=r"at step 1; .*look for data that the model cannot hold"
        ):
            fit(model, optax.sgd(0.1), data, steps=2, batch=8)


def test_parameters_that_are_not_finite_are_never_saved(tmp_path):
    model = mean_of_data()
    seeker = model.players["seeker"]

    def cliff(params, carry, key, batch):  # a finite loss whose slope is not
        value, rest = seeker.loss(params, carry, key, batch)
        return value + jnp.sqrt(jnp.abs(params["w"] * 0)).sum(), rest

    broken = model._replace(players={"seeker": seeker._replace(loss=cliff)})
    with pytest.raises(FloatingPointError, match="the parameters are not finite at step 1"):
        run(broken, steps=1, checkpoints=checkpoints(tmp_path))
    assert checkpoints(tmp_path).latest() is None


@pytest.mark.parametrize("name, number", [("steps", -1), ("seeds", 0), ("fuse", 0), ("every", 0)])
def test_impossible_numbers_are_refused(name, number):
    with pytest.raises(ValueError, match=f"fit: got {name}={number}, wanted at least"):
        fit(mean_of_data(), optax.sgd(0.1), DATA, **({"steps": 1} | {name: number}))


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(ValueError, match="got a batch of 13 from 12 examples"):
        run(mean_of_data(), steps=1, batch=13)


def test_seeds_start_apart():
    state = run(mean_of_data(), steps=0, seeds=4).state
    assert len(np.unique(state.params["w"])) == 8
    assert jax.tree.all(jax.tree.map(lambda leaf: leaf.shape[0] == 4, state))
