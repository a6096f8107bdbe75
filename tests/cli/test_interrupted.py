"""Whatever ends a process, the same command goes on and arrives at the same bits."""

import json
import random
import shutil
import signal
import time

import numpy as np
import pytest
from conftest import SMALL, assert_same_run, command, ended, kept, process, state_of

from probtransform.cli import main
from probtransform.data import load
from probtransform.training import feed
from probtransform.training import workdir as on_disk
from probtransform.training.workdir import describe, load_run

STEPS = 4000  # checkpoints at 1000, 2000, 3000, 4000: long enough to be hit


@pytest.fixture(scope="module")
def uninterrupted(table, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("uninterrupted") / "run"
    assert main([str(a) for a in command(table, workdir, STEPS)]) == 0
    return workdir


def once(happened, child, limit=200):
    """Wait until something has happened, or the process has ended."""
    end = time.monotonic() + limit
    while not happened() and child.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.005)


def test_killed_at_any_moment(table, uninterrupted, tmp_path):
    workdir, chance, killed = tmp_path / "run", random.Random(), []
    signs = [
        lambda: (workdir / "run.json").exists(),  # before the first checkpoint
        lambda: kept(workdir) and kept(workdir)[-1] > (killed[-1] or 0),  # after a new one
    ]
    for happened, longest in zip(signs, (3.0, 0.4), strict=True):
        child = process(*command(table, workdir, STEPS))
        once(happened, child)
        time.sleep(chance.uniform(0, longest))
        child.send_signal(signal.SIGKILL)
        assert ended(child).code in (-signal.SIGKILL, 0)
        killed.append(kept(workdir)[-1] if kept(workdir) else None)
    answer = ended(process(*command(table, workdir, STEPS)))
    assert (answer.code, answer.err) == (0, ""), killed
    assert_same_run(workdir, uninterrupted)
    assert not list(workdir.rglob("*tmp*")) and not list(workdir.rglob("*.part"))


def test_told_to_stop_saves_and_ends_well(table, uninterrupted, tmp_path):
    workdir = tmp_path / "run"
    child = process(*command(table, workdir, STEPS))
    once(lambda: (workdir / "metrics.jsonl").exists(), child)
    child.send_signal(signal.SIGTERM)
    answer = ended(child)
    assert (answer.code, answer.err) == (0, "")
    (step,) = kept(workdir)[-1:]
    assert 0 < step < STEPS
    assert f"stopped and saved at step {step}" in answer.out and "goes on from there" in answer.out
    answer = ended(process(*command(table, workdir, STEPS)))
    assert answer.code == 0 and f"vae at step {STEPS}" in answer.out
    assert_same_run(workdir, uninterrupted)


def test_two_cannot_train_in_one_directory(table, tmp_path):
    workdir = tmp_path / "run"
    child = process(*command(table, workdir, 10**6))
    once(lambda: (workdir / "metrics.jsonl").exists(), child)
    second = ended(process(*command(table, workdir, 10**6)))
    assert second.code == 1 and "another process is training in" in second.err
    child.send_signal(signal.SIGTERM)
    assert ended(child).code == 0
    third = process(*command(table, workdir, 10**6))  # the lock has ended with its process
    once(lambda: len(list((workdir / "events").iterdir())) == 2, third)
    third.send_signal(signal.SIGTERM)
    assert ended(third).code == 0


def test_told_to_stop_while_it_begins(table, tmp_path):
    workdir = tmp_path / "run"
    child = process(*command(table, workdir, STEPS))
    once(lambda: (workdir / "run.json").exists(), child)
    child.send_signal(signal.SIGINT)
    answer = ended(child)
    assert (answer.code, answer.err) == (0, "") and "stopped and saved at step" in answer.out
    assert len(kept(workdir)) == 1


def truncate(newest):
    files = sorted((f for f in newest.rglob("*") if f.is_file()), key=lambda f: f.stat().st_size)
    for file in files[-3:]:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def truncate_the_numbers(newest):
    for file in (newest / "state").rglob("d/*"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def delete(newest):
    max((newest / "state/d").iterdir(), key=lambda f: f.stat().st_size).unlink()


def delete_the_words(newest):
    shutil.rmtree(newest / "about")


def scribble(newest):
    (newest / "about/metadata").write_bytes(b"{ not json \xff")


def flip_one_bit(newest):
    for file in (newest / "state").rglob("d/*"):
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)


warned = pytest.mark.filterwarnings("always::UserWarning")
DAMAGES = (truncate, truncate_the_numbers, delete, delete_the_words, scribble, flip_one_bit)


@warned
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_gives_way_to_the_one_before(cli, table, finished, copied, damage):
    damage(copied / "checkpoints/40")
    before = sorted(copied.rglob("*"))
    looked = cli("info", copied)
    assert looked.code == 0 and "30 of 40" in looked.out and sorted(copied.rglob("*")) == before
    for answer in (looked, cli(*command(table, copied))):
        assert answer.code == 0 and answer.err.count("\n") == 1
        assert answer.err.startswith("warning: checkpoints: step 40 cannot be read")
        assert "going back to step 30" in answer.err
    assert "it was set aside as unreadable-40" in answer.err
    assert_same_run(copied, finished)
    assert (copied / "checkpoints/unreadable-40").is_dir()


def test_a_damaged_checkpoint_is_one_line_of_a_process_too(copied):
    """The storage layer reads with threads, which would say what they find where no test of ours listens."""
    truncate_the_numbers(copied / "checkpoints/40")
    answer = ended(process("info", copied))
    assert answer.code == 0 and "30 of 40" in answer.out
    assert answer.err.count("\n") == 1 and "step 40 cannot be read" in answer.err


def test_a_run_is_read_without_the_device_it_was_trained_on(cli, copied):
    place = copied / "checkpoints/40"
    sharding = (place / "state/_sharding").read_text()
    assert "cpu:0" in sharding
    (place / "state/_sharding").write_text(sharding.replace("cpu:0", "cuda:5"))
    (place / "digests.json").unlink()
    answer = cli("info", copied)
    assert (answer.code, answer.err) == (0, "") and "40 of 40" in answer.out


@warned
def test_with_every_checkpoint_damaged_it_begins_again(cli, table, finished, copied):
    for step in (30, 40):
        truncate(copied / f"checkpoints/{step}")
    answer = cli(*command(table, copied))
    assert (
        answer.code == 0
        and "going back to step 30" in answer.err
        and "no other one is left" in answer.err
    )
    assert_same_run(copied, finished)


def test_metrics_cut_short_or_ahead_are_taken_again(cli, table, finished, copied):
    shutil.rmtree(copied / "checkpoints/40")
    lines = (copied / "metrics.jsonl").read_text()
    (copied / "metrics.jsonl").write_text(lines + '{"step": 50, "loss/vae": 1.0}\n{"step": 60, "lo')
    assert cli(*command(table, copied)).code == 0
    assert_same_run(copied, finished)


def shown_by_tensorboard(events):
    """What is left of event files once each has hidden what it took again."""
    from tensorboardX.proto.event_pb2 import Event, SessionLog
    from tensorboardX.record_writer import masked_crc32c

    shown = []
    for path in sorted(events.iterdir()):
        content, at = path.read_bytes(), 0
        while at < len(content):
            size, check = np.frombuffer(content, "<u8,<u4", 1, at)[0]
            record = content[at + 12 : at + 12 + int(size)]
            assert check == masked_crc32c(content[at : at + 8])
            assert content[at + 12 + len(record) :][:4] == masked_crc32c(record).to_bytes(
                4, "little"
            )
            event = Event.FromString(record)
            if event.session_log.status == SessionLog.START:
                shown = [(step, values) for step, values in shown if step < event.step]
            if event.HasField("summary"):
                scalars = [v for v in event.summary.value if v.HasField("simple_value")]
                shown.append((event.step, {v.tag: v.simple_value for v in scalars}))
            at += 16 + int(size)
    return shown


def test_tensorboard_shows_every_stretch_once(cli, table, copied):
    shutil.rmtree(copied / "checkpoints/40")
    assert cli(*command(table, copied)).code == 0
    assert len(list((copied / "events").iterdir())) == 2
    shown = shown_by_tensorboard(copied / "events")
    lines = [json.loads(line) for line in (copied / "metrics.jsonl").read_text().splitlines()]
    assert [step for step, _ in shown] == [10, 20, 30, 40]
    for line, (step, values) in zip(lines, shown, strict=True):
        assert line == pytest.approx(values | {"step": step}, rel=1e-6)


def test_a_loss_that_is_not_finite_stops_the_run(cli, table, tmp_path):
    workdir = tmp_path / "run"
    arguments = command(table, workdir)
    arguments[arguments.index("--set") + 1 : 0] = []
    arguments += ["--set", "rate=1e30", "clip=1e30"]
    code, out, err = cli(*arguments)
    assert code == 1 and err.count("\n") == 1 and "at step" not in out
    assert err.startswith("error: fit: the loss of player 'vae' is not finite at step ")
    assert "last good checkpoint is none" in err and "lower the learning rate" in err
    assert kept(workdir) == [] and not list((workdir / "checkpoints").iterdir())
    assert cli("evaluate", workdir).code == 2


def test_a_stream_is_interrupted_and_goes_on(table, finished, tmp_path, monkeypatch):
    monkeypatch.setattr(on_disk, "RESIDENT", 0)
    data = load(str(table))
    settings = dict(pair.split("=") for pair in SMALL) | {"steps": 40}
    run = describe("vae", data, None, False, 0, settings)

    def train(name, stop):
        return on_disk.train(run, data.train, tmp_path / name, quiet=True, stop=stop)

    assert train("whole", lambda: False).finished
    asked = iter([False, True])
    assert not train("parts", lambda: next(asked)).finished
    about = json.loads((tmp_path / "parts/checkpoints/20/about/metadata").read_text())
    assert about["data"]  # where the iterator stands
    assert train("parts", lambda: False).finished
    assert_same_run(tmp_path / "parts", tmp_path / "whole")
    assert state_of(tmp_path / "whole") != state_of(finished)  # whose arrays come in another order


def test_a_stream_prepares_a_model_as_well(cli, table, tmp_path, monkeypatch):
    monkeypatch.setattr(feed, "LARGE", 2000)  # of 64 rows, over and over
    found = []
    for name, size in (("arrays", 2**30), ("stream", 0)):
        monkeypatch.setattr(on_disk, "RESIDENT", size)
        arguments = [
            "train",
            "gaussian",
            "--data",
            table,
            "--set",
            "batch=16",
            "--workdir",
            tmp_path / name,
        ]
        assert cli(*arguments).code == 0
        found.append(load_run(tmp_path / name)[1])
    for arrays, stream in zip(*(p["affine"].values() for p in found), strict=True):
        np.testing.assert_allclose(stream, arrays, atol=0.05)
