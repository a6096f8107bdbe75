"""Reading a run or data never executes what lies in them."""

import ast
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from conftest import ended, kept, process

import probtransform

# Ends the process at the first sign of unpickling or of another program.
WATCHED = """
import os, runpy, sys

def watch(event, arguments):
    if event in ("pickle.find_class", "os.system", "os.exec", "os.posix_spawn"):
        os.write(2, f"executed: {event} {arguments}".encode())
        os._exit(3)

import probtransform.cli  # what a library does while it is imported is its own
sys.addaudithook(watch)
runpy.run_module("probtransform", run_name="__main__")
"""


class Bomb:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (Path.touch, (self.mark,))


def test_the_bomb_works(tmp_path):
    pickle.loads(pickle.dumps(Bomb(tmp_path / "mark")))
    assert (tmp_path / "mark").exists()


def trapped(run: Path, mark: Path) -> None:
    """Pickles, modules and plugins everywhere in a run, and in place of every file of its newest state."""
    bomb, code = pickle.dumps(Bomb(mark)), f"open({str(mark)!r}, 'w')\n"
    for folder in [run, *(p for p in run.rglob("*") if p.is_dir())]:
        for name in ("run.pkl", "state.pickle", "_METADATA.pkl"):
            (folder / name).write_bytes(bomb)
        for name in ("sitecustomize", "conftest", "setup", "jax", "json", "__init__", "orbax"):
            (folder / f"{name}.py").write_text(code)
        info = folder / "evil-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(
            "[jax_plugins]\nevil = setup\n[orbax]\nevil = setup\n"
        )
        (folder / "evil.pth").write_text(f"import os; {code}")
    (run / "config.yaml").write_text(f"!!python/object/apply:os.system ['touch {mark}']\n")
    for file in (run / "checkpoints/40").rglob("*"):
        if file.is_file():
            file.write_bytes(bomb)


def test_a_trapped_run_is_read_and_nothing_happens(copied, tmp_path):
    mark = tmp_path / "mark"
    trapped(copied, mark)
    for arguments in (["info", "."], ["sample", ".", "--count", 2, "--out", tmp_path / "s.npz"]):
        answer = ended(process(*arguments, python=("-P", "-c", WATCHED), cwd=copied))
        assert answer.code == 0 and "executed" not in answer.err, answer.err
        assert "step 40 cannot be read" in answer.err and not mark.exists()
    assert kept(copied) == [30, 40]


@pytest.mark.filterwarnings("always::UserWarning")
@pytest.mark.parametrize(
    "odd",
    [
        {
            "py/object": "os.system",
            "py/reduce": [{"py/function": "os.system"}, {"py/tuple": ["false"]}],
        },
        "__import__('os').system('false')",
        ["!!python/object/apply:os.system", "false"],
        None,
        1e999,
    ],
)
def test_words_of_odd_kinds_are_only_words(cli, copied, odd):
    path = copied / "checkpoints/40/about/metadata"
    about = json.loads(path.read_text())
    path.write_text(json.dumps(about | {"data": odd, "seconds": odd}))
    answer = cli("info", copied)
    assert answer.code == 0 and "30 of 40" in answer.out and "step 40 cannot be read" in answer.err
    (copied / "checkpoints/40/digests.json").unlink()  # as if they had been written so
    answer = cli("info", copied)
    assert (answer.code == 0 and odd == 1e999) or (
        answer.code == 2 and "wanted a number" in answer.err
    )
    path.write_text(json.dumps(odd))
    assert "30 of 40" in cli("info", copied).out


@pytest.mark.parametrize("ending", [".npy", ".npz", ".csv", ".parquet"])
def test_data_are_never_unpickled(cli, tmp_path, ending):
    path, mark = tmp_path / f"data{ending}", tmp_path / "mark"
    for content in (pickle.dumps(Bomb(mark)), None):
        if content:
            path.write_bytes(content)
        elif ending == ".npz":
            np.savez(path, x=np.array([Bomb(mark)] * 20))
        else:
            with path.open("wb") as file:
                np.save(file, np.array([Bomb(mark)] * 20), allow_pickle=True)
        assert cli("train", "gaussian", "--data", path, "--workdir", tmp_path / "run").code == 2
        assert not mark.exists()


def test_no_module_here_imports_what_executes():
    names = set()
    for path in Path(probtransform.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module.split(".")[0])
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                names.add(node.func.id)
    assert "json" in names
    executing = {
        "pickle",
        "cloudpickle",
        "dill",
        "joblib",
        "yaml",
        "marshal",
        "shelve",
        "eval",
        "exec",
    }
    assert not names & executing
