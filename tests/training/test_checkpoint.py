"""Checkpoints that are whole or not there: damage, another model, no place to write."""

import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from test_contracts import same

from probtransform.training import State, checkpoints


def state(step, size=300, dtype=jnp.float32):
    """Every kind of leaf that a state may hold."""
    numbers = jnp.asarray(np.random.default_rng(step).standard_normal(size), dtype)
    params = {
        "a": {"w": numbers},
        "list": {0: jnp.asarray([step], jnp.uint8), 10: numbers[0]},
        "empty": {},
    }
    opt = {"one": (jnp.asarray(step), {"a": numbers**2}, ())}
    return State(jnp.asarray(step, jnp.int32), params, opt, (jnp.asarray(True), {"nested": ()}))


def saved(directory, *steps, **options):
    for step in steps:
        checkpoints(directory, **options).save(state(step), {"data": {"at": step}})
    return checkpoints(directory, **options)


def test_a_state_returns_with_what_was_said_about_it(tmp_path):
    back, about = saved(tmp_path, 1, 2).restore(state(0))
    same(back, state(2))
    assert about["data"] == {"at": 2}


def test_the_two_newest_are_kept(tmp_path):
    kept = saved(tmp_path, 1, 2, 3, 4)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["3", "4"]
    assert kept.latest() == 4


def test_an_empty_directory_holds_none(tmp_path):
    kept = checkpoints(tmp_path / "deep" / "new")
    assert kept.latest() is None and kept.restore(state(0)) is None


def damage(file, kind):
    whole = file.read_bytes()
    half = len(whole) // 2
    flipped = whole[:half] + bytes([whole[half] ^ 1]) + whole[half + 1 :] if whole else b"?"
    file.write_bytes({"cut": whole[:half], "empty": b"", "flipped": flipped}[kind])


@pytest.mark.parametrize("kind", ["cut", "empty", "flipped"])
def test_damage_to_any_file_gives_the_state_or_the_one_before_never_another(tmp_path, kind):
    saved(tmp_path / "good", 1, 2)
    files = [p.relative_to(tmp_path) for p in (tmp_path / "good" / "2").rglob("*") if p.is_file()]
    fell_back = 0
    for i, file in enumerate(files):
        copy = tmp_path / f"copy{i}"
        shutil.copytree(tmp_path / "good", copy)
        damage(copy / file.relative_to("good"), kind)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            back, about = checkpoints(copy).restore(state(0))
        step = int(back.step)
        same(back, state(step))
        assert about["data"] == {"at": step}
        if step == 1:
            fell_back += 1
            assert "step 2 cannot be read" in str(said[-1].message)
            assert (copy / "unreadable-2").is_dir() and not (copy / "2").exists()
    assert fell_back >= 2


def test_a_step_set_aside_can_be_saved_again(tmp_path):
    kept = saved(tmp_path, 1, 2)
    for file in (tmp_path / "2").rglob("*"):
        if file.is_file():
            damage(file, "empty")
    with pytest.warns(UserWarning, match="set aside as unreadable-2; going back to step 1"):
        kept.restore(state(0))
    kept.save(state(2), {"data": None})
    same(checkpoints(tmp_path).restore(state(0))[0], state(2))


def test_when_every_one_is_damaged_none_is_left(tmp_path):
    kept = saved(tmp_path, 1)
    shutil.rmtree(tmp_path / "1" / "state")
    with pytest.warns(UserWarning, match="no other one is left"):
        assert kept.restore(state(0)) is None


def others():
    like = state(0)
    yield "shape", state(0, size=301)
    yield "dtype", state(0, dtype=jnp.bfloat16)
    yield "block", like._replace(params=like.params | {"more": jnp.zeros(1)})
    yield "name", like._replace(params=like.params | {"a": {"v": like.params["a"]["w"]}})
    yield "optimizer", like._replace(opt={"one": jnp.zeros(())})
    yield "player", like._replace(opt={"two": like.opt["one"]})
    yield "carry", like._replace(carry=jnp.zeros(3))


@pytest.mark.parametrize("like", [pytest.param(like, id=name) for name, like in others()])
def test_the_checkpoint_of_another_model_is_refused_and_left_alone(tmp_path, like):
    kept = saved(tmp_path, 1)
    with pytest.raises(ValueError, match=r"they differ in \[.*\]\); build the model and optimizer"):
        kept.restore(like)
    same(kept.restore(state(0))[0], state(1))


def test_a_reader_changes_no_file(tmp_path):
    saved(tmp_path, 1, 2)
    shutil.rmtree(tmp_path / "2" / "state")
    before = sorted(map(str, tmp_path.rglob("*")))
    with pytest.warns(UserWarning, match="going back to step 1"):
        back, _ = checkpoints(tmp_path, read_only=True).restore(state(0))
    same(back, state(1))
    assert sorted(map(str, tmp_path.rglob("*"))) == before


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        OSError, match=r"cannot write to .*file/run \(Not a directory\), wanted a writable"
    ):
        checkpoints(tmp_path / "file" / "run")


def test_a_write_that_fails_midway_leaves_the_last_good_one(tmp_path):
    """Files may not grow beyond 4 kB, as on a full disk, while a megabyte is written."""
    script = f"""
import resource, sys
sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[1])]}
from test_checkpoint import checkpoints, saved, state
kept = saved({str(tmp_path)!r}, 1)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    kept.save(state(2, size=250_000), {{"data": None}})
except OSError as error:
    print(error)
"""
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "could not write step 2" in out.stdout, out.stderr[-2000:]
    assert "the last good one is 1; free some space" in out.stdout
    kept = checkpoints(tmp_path)
    assert kept.latest() == 1
    same(kept.restore(state(0))[0], state(1))
