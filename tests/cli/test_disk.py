"""A disk that is full or cannot be written: one sentence, exit 1, and the last good checkpoint stands."""

import os
import shutil
from pathlib import Path

import pytest
from conftest import assert_same_run, command, ended, kept, process

# Python ignores SIGXFSZ, so a file that grows beyond the limit is an error of its write.
LIMITED = """
import resource, runpy
resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))
runpy.run_module("probtransform", run_name="__main__")
"""


def failed(answer, *words):
    assert answer.code == 1, answer
    assert answer.err.startswith("error: ") and answer.err.count("\n") == 1, answer.err
    assert "Traceback" not in answer.err and "Exception" not in answer.err
    for word in words:
        assert word in answer.err, answer.err


@pytest.fixture
def half(copied):
    """A run that stands at step 30 of 40."""
    shutil.rmtree(copied / "checkpoints/40")
    return copied


def goes_on(cli, table, half, finished):
    """Step 30 can be read, and training goes on from it to the same end."""
    assert kept(half) == [30] and "30 of 40" in cli("info", half).out
    answer = cli(*command(table, half))
    assert (answer.code, answer.err) == (0, "")
    assert_same_run(half, finished)


def test_a_checkpoint_that_does_not_fit(cli, table, half, finished):
    picture = max(f.stat().st_size for f in (half / "samples").iterdir())
    largest = max(f.stat().st_size for f in (half / "checkpoints").rglob("*"))
    assert picture + 500 < largest  # so that the checkpoint is what fails
    limited = ("-c", LIMITED.format(picture + 500))
    answer = ended(process(*command(table, half), python=limited))
    failed(answer, "could not write step 40", "the last good one is 30", "free some space")
    goes_on(cli, table, half, finished)


def test_the_first_file_does_not_fit(table, tmp_path):
    answer = ended(process(*command(table, tmp_path / "run"), python=("-c", LIMITED.format(16))))
    failed(
        answer, f"train: cannot write to {tmp_path / 'run'} (File too large)", "another --workdir"
    )
    assert not (tmp_path / "run/run.json").exists()


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="a device that is always full")
@pytest.mark.parametrize("name", ["metrics.part", "metrics.jsonl", "samples/0000040.png"])
def test_a_full_disk(cli, table, half, finished, name, monkeypatch):
    (half / name).unlink(missing_ok=True)
    if name == "metrics.jsonl":  # which is written anew first: let it be full from then on
        monkeypatch.setattr(Path, "replace", lambda part, path: path.symlink_to(FULL))
    else:
        (half / name).symlink_to(FULL)
    answer = cli(*command(table, half))
    failed(
        answer,
        "train: could not write",
        "(No space left on device); the last good checkpoint is 30",
    )
    monkeypatch.undo()
    (half / name).unlink()
    if name == "metrics.jsonl":
        shutil.copy(finished / name, half / name)
    goes_on(cli, table, half, finished)


def test_events_that_do_not_fit(cli, table, half, finished):
    """TensorBoard's own writer loses these in a thread."""
    for old in (half / "events").iterdir():
        old.unlink()
    lines = (half / "metrics.jsonl").read_text().splitlines(keepends=True)
    (half / "metrics.jsonl").write_text(lines[2])
    limited = ("-c", LIMITED.format(len(lines[2] + lines[3]) + 10))
    answer = ended(process(*command(table, half), python=limited))
    failed(answer, "train: could not write", "(File too large)", "the last good checkpoint is 30")
    assert len((half / "metrics.jsonl").read_text().splitlines()) == 2
    (half / "metrics.jsonl").write_text("".join(lines))
    goes_on(cli, table, half, finished)


@pytest.mark.parametrize("name", ["events", "samples"])
def test_a_file_where_a_folder_belongs(cli, table, half, finished, name):
    shutil.rmtree(half / name)
    (half / name).write_text("")
    failed(
        cli(*command(table, half)), "train: could not write", name, "the last good checkpoint is 30"
    )
    (half / name).unlink()
    goes_on(cli, table, half, finished)


def unwritable(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "closed").mkdir(mode=0o555)
    return [tmp_path / "file/run", Path("/proc/run"), Path("/sys/run")] + (
        [tmp_path / "closed/run"] if os.geteuid() else []
    )


def test_a_workdir_that_cannot_be_written(cli, table, tmp_path):
    for place in unwritable(tmp_path):
        failed(cli(*command(table, place)), f"train: cannot write to {place}", "another --workdir")


def test_samples_that_cannot_be_written(cli, finished, tmp_path):
    for place in unwritable(tmp_path):
        answer = cli("sample", finished, "--count", 2, "--out", place / "s.npz")
        failed(answer, f"--out: cannot write {place / 's.npz'}", "choose another place")


@pytest.mark.skipif(not os.geteuid(), reason="the superuser writes everywhere")
def test_a_finished_run_is_read_where_nothing_can_be_written(cli, copied):
    for path in (copied, *copied.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert cli("info", copied).code == 0
    for path in (copied, *copied.rglob("*")):
        path.chmod(0o755)
