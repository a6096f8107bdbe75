"""Bad input is one clear sentence on stderr, exit 2, no traceback, and leaves what is there alone."""

import json
import shutil

import numpy as np
import pandas
import pytest
from conftest import command, numbers
from PIL import Image

from probtransform.data import load
from probtransform.training.workdir import describe


def refused(answer, *words):
    assert answer.code == 2, answer
    assert answer.err.startswith("error: ") and answer.err.count("\n") == 1, answer.err
    assert "Traceback" not in answer.err
    for word in words:
        assert word in answer.err, answer.err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["train"],
        ["train", "vae"],
        ["train", "vae", "--data", "moons", "--steps", "many"],
        ["sample"],
        ["evaluate"],
        ["info", "a", "b"],
        ["compare"],
    ],
)
def test_usage(cli, arguments):
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "") and "usage: probtransform" in err and "Traceback" not in err


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["vea", "--data", "moons"], ["got 'vea'", "did you mean 'vae'?"]),
        (["vae", "--data", "mooms"], ["mooms: got a name that is no data set", "one like 'moons'"]),
        (["vae", "--data", "/no/such.csv"], ["/no/such.csv: got no file or folder there"]),
        (["vae", "--data", "moons", "--labels", "--steps", "-1"], ["--steps: got -1, wanted 0"]),
        (["vae", "--data", "moons", "--seed", "-1"], ["--seed: got -1, wanted 0"]),
        (["vae", "--data", "moons", "--seed", "99999999999"], ["--seed: got 99999999999"]),
        (["vae", "--data", "TABLE", "--set", "widht=8"], ["got 'widht'", "did you mean 'width'?"]),
        (["vae", "--data", "TABLE", "--set", "width"], ["--set: got 'width', wanted key=value"]),
        (["vae", "--data", "TABLE", "--set", "width="], ["--set: got 'width=', wanted key=value"]),
        (
            ["vae", "--data", "TABLE", "--set", "width=wide"],
            ["setting width: got 'wide'", "type int"],
        ),
        (
            ["vae", "--data", "TABLE", "--set", "width=8.5"],
            ["setting width: got '8.5'", "type int"],
        ),
        (
            ["vae", "--data", "TABLE", "--set", "rate=fast"],
            ["setting rate: got 'fast'", "type float"],
        ),
        (["vae", "--data", "TABLE", "--set", "rate=nan"], ["got rate=nan, wanted"]),
        (["vae", "--data", "TABLE", "--set", "batch=0"], ["got batch=0, wanted", "batch >= 1"]),
        (
            ["vae", "--data", "TABLE", "--set", "depth=-1"],
            ["setting depth: got '-1', wanted 0 or more"],
        ),
        (["vae", "--data", "TABLE", "--set", "width=0"], ["got width=0, wanted at least 1"]),
        (["vae", "--data", "TABLE", "--labels"], ["data without labels", "leave labels out"]),
    ],
)
def test_train(cli, table, tmp_path, arguments, words):
    place = tmp_path / "run"
    given = [str(table) if a == "TABLE" else a for a in arguments]
    refused(cli("train", *given, "--workdir", place), *words)
    assert not place.exists()


def spoiled(kind):
    x = numbers(0, 50)
    if kind == "nan":
        x[17, 1] = x[30, 2] = np.nan
    elif kind == "one":
        x = x[:1]
    elif kind == "constant":
        x[:, 1] = 7.0
    elif kind == "huge":
        x *= 1e200
    return pandas.DataFrame(x, columns=["weight", "angle", "income"])


@pytest.mark.parametrize(
    "kind, words",
    [
        ("nan", ["got 2 values that are NaN or infinite, the first in row 17"]),
        ("one", ["got 1 examples, wanted at least 10"]),
        ("constant", ["got columns ['angle'] that never vary"]),
        ("huge", ["wanted numbers that float64 can square"]),
    ],
)
def test_a_table_that_cannot_be_learned(cli, tmp_path, kind, words):
    path = tmp_path / "table.csv"
    spoiled(kind).to_csv(path, index=False)
    refused(
        cli("train", "gaussian", "--data", path, "--workdir", tmp_path / "run"), str(path), *words
    )


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x04N.", b"\xff\xfe\x00", b"just words\nand more\n"]
)
@pytest.mark.parametrize("ending", [".csv", ".parquet", ".npy", ".npz", ".doc"])
def test_a_file_that_is_something_else(cli, tmp_path, content, ending):
    path = tmp_path / f"table{ending}"
    path.write_bytes(content)
    refused(
        cli("train", "gaussian", "--data", path, "--workdir", tmp_path / "run"), str(path), "wanted"
    )


def test_a_parquet_of_whole_numbers_with_gaps(cli, tmp_path):
    frame = pandas.DataFrame(
        {"a": pandas.array([None, *range(1, 30)], "Int64"), "b": np.arange(30)}
    )
    frame.to_parquet(tmp_path / "t.parquet")
    answer = cli(
        "train", "gaussian", "--data", tmp_path / "t.parquet", "--workdir", tmp_path / "run"
    )
    refused(answer, "got 1 values that are NaN", "in row 0")


def test_pictures_of_two_sizes(cli, tmp_path):
    for i in range(12):
        Image.new("L", (4, 4 + (i == 7))).save(tmp_path / f"{i:02d}.png")
    refused(
        cli("train", "vae", "--data", tmp_path), "07.png: got an image of 4x5 pixels, wanted 4x4"
    )


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--count", "0"], ["--count: got 0, wanted 1"]),
        (["--count", "-5"], ["--count: got -5, wanted 1"]),
        (["--seed", "-1"], ["--seed: got -1"]),
        (["--out", "s.jpg"], ["--out: got s.jpg, wanted FILE.png or FILE.npz"]),
        (["--out", "s"], ["--out: got s, wanted FILE.png or FILE.npz"]),
        (["--label", "0"], ["--label: got 0, wanted none, the run is not conditional"]),
    ],
)
def test_sample(cli, finished, arguments, words):
    refused(cli("sample", finished, *arguments), *words)


def test_evaluate_with_no_samples(cli, finished):
    refused(cli("evaluate", finished, "--samples", 0), "--samples: got 0, wanted 1")


@pytest.mark.parametrize("seconds", ["0", "-3", "nan"])
def test_compare_for_no_time(cli, table, seconds):
    refused(cli("compare", "--data", table, "--seconds-each", seconds), "--seconds-each: got")


def test_compare_unknown_families(cli, table):
    refused(cli("compare", "--data", table, "--families", "vae", "gann"), "did you mean 'gan'?")


@pytest.mark.parametrize("what", ["sample", "evaluate", "info"])
def test_a_run_that_is_none(cli, tmp_path, what):
    refused(cli(what, tmp_path / "nowhere"), "holds no run.json", "train one first")
    refused(cli(what, tmp_path), "holds no run.json")


def test_a_run_without_a_checkpoint(cli, copied):
    shutil.rmtree(copied / "checkpoints")
    refused(cli("info", copied), "holds no readable checkpoint")


def edited(workdir, **changes):
    path = workdir / "run.json"
    config = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in config.items() if v != "remove"}))


EVENT = {"shape": [3], "levels": None, "classes": 0}


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"colour": 3}, ["config: got keys", "mend colour"]),
        ({"seed": "remove"}, ["config: got keys", "mend seed"]),
        ({"family": "vea"}, ["got 'vea'", "did you mean 'vae'?"]),
        ({"family": ["vae"]}, ["config: got family ['vae']"]),
        ({"seed": "0"}, ["config: got seed '0'"]),
        ({"settings": [1]}, ["config: got settings [1]"]),
        ({"settings": {"widht": 8}}, ["did you mean 'width'?"]),
        ({"settings": {"width": None}}, ["setting width: got None"]),
        ({"settings": {"rate": {"a": 1}}}, ["setting rate: got {'a': 1}"]),
        ({"event": {}}, ["config: got event {}"]),
        ({"event": EVENT | {"shape": ["3"]}}, ["config: got event"]),
        ({"event": EVENT | {"shape": 3}}, ["config: got event"]),
        ({"event": EVENT | {"levels": 0}}, ["config: got event"]),
        ({"event": EVENT | {"classes": -1}}, ["config: got event"]),
        ({"event": EVENT | {"more": 1}}, ["config: got event"]),
    ],
)
def test_a_config_that_was_edited(cli, table, copied, changes, words):
    edited(copied, **changes)
    refused(cli("info", copied), *words)
    refused(cli(*command(table, copied)), *words)


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"\xff\xfe", b"null"])
def test_a_config_that_is_no_json_object(cli, table, copied, content):
    (copied / "run.json").write_bytes(content)
    for arguments in (["info", copied], command(table, copied)):
        refused(cli(*arguments), "run.json", "restore it")


@pytest.mark.parametrize("line", ["no json", "[1]", '{"loss": 1}', "7", "null"])
def test_metrics_that_were_edited(cli, copied, line):
    with (copied / "metrics.jsonl").open("a") as file:
        file.write(line + "\n")
    refused(cli("info", copied), "metrics.jsonl holds a line that is no JSON object with a step")


@pytest.mark.parametrize(
    "changes, words",
    [
        (["gan", "--steps", 40], "holds a run with family vae, wanted gan"),
        (["vae", "--steps", 50], "holds a run with settings {'steps': 40}, wanted {'steps': 50}"),
        (["vae", "--steps", 40, "--seed", 1], "holds a run with seed 0, wanted 1"),
    ],
)
def test_a_workdir_that_holds_another_run(cli, table, copied, changes, words):
    rest = [] if changes[0] == "gan" else ["--set", "width=8", "latent=2", "batch=16"]
    refused(
        cli("train", *changes, *rest, "--data", table, "--workdir", copied),
        words,
        "another --workdir",
    )


def test_checkpoints_of_another_model(cli, table, copied):
    config = describe("gaussian", load(str(table)), None, False, 0, {"steps": 40}).config
    (copied / "run.json").write_text(json.dumps(config))
    before = {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()}
    words = ("has ['carry', 'decoder', 'optimizer of vae'], wanted ['affine'", "build the model")
    for what in ("info", "sample", "evaluate"):
        refused(cli(what, copied), *words)
    arguments = ["train", "gaussian", "--data", table, "--steps", 40, "--workdir", copied]
    refused(cli(*arguments), *words)
    assert {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("rows, columns", [(79, 3), (80, 2), (80, 3)])
def test_data_that_changed_since(cli, tmp_path, rows, columns):
    path, workdir = tmp_path / "t.csv", tmp_path / "run"
    frame = pandas.DataFrame(numbers(0), columns=["weight", "angle", "income"])
    frame.to_csv(path, index=False)
    arguments = ["train", "gaussian", "--data", path, "--workdir", workdir]
    assert cli(*arguments).code == 0
    changed = frame.iloc[:rows, :columns].copy()
    changed.iloc[5, 1] += 1e-9
    changed.to_csv(path, index=False, float_format="%.17g")
    refused(cli("evaluate", workdir, "--json"), "as the run was trained on; restore it")
    refused(cli(*arguments), "wanted")
    path.unlink()
    refused(cli("evaluate", workdir), f"{path}: got no file or folder there")
