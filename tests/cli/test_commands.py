"""What every command does when all is well."""

import json
import math
import shutil

import numpy as np
import pandas
import pytest
from conftest import MEANS, SCALES, SMALL, ended, kept, numbers, process, state_of
from PIL import Image
from scipy.stats import multivariate_normal

from probtransform.core import Event
from probtransform.families import registry

KEYS = (
    *("family", "data", "claim", "bits_per_dim", "bits_per_dim_kind", "mmd", "sliced_wasserstein"),
    *("seconds", "parameters", "seed"),
)


def test_list_names_families_claims_and_data(cli):
    code, out, err = cli("list")
    assert (code, err) == (0, "")
    for word in (*registry, "Exact", "Bound", "None", "digits", "moons"):
        assert word in out


@pytest.mark.parametrize(
    "argument", ["-h", *("list", "train", "sample", "evaluate", "compare", "info")]
)
def test_help_is_there_and_ends_well(cli, argument):
    code, out, _ = cli(argument, *["-h"] * (argument != "-h"))
    assert code == 0 and "usage: probtransform" in out and len(out.splitlines()) > 5


def test_train_leaves_a_run(finished):
    config = json.loads((finished / "run.json").read_text())
    given = {"steps": 40, "batch": 16, "latent": 2, "width": 8}
    preset = registry["vae"].preset(Event((3,))) | given
    assert config["settings"].items() >= preset.items()
    assert config["settings"].keys() >= {"rate", "weight_decay", "average", "clip", "depth"}
    assert config["about"]["scaling"]["columns"] == ["weight", "angle", "income"]
    lines = [json.loads(line) for line in (finished / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [10, 20, 30, 40]
    assert all(math.isfinite(line["loss/vae"]) for line in lines)
    assert kept(finished) == [30, 40] and len(list((finished / "events").iterdir())) == 1
    for step in (10, 20, 30, 40):
        Image.open(finished / "samples" / f"{step:07d}.png").verify()


def test_a_finished_run_is_left_as_it_is(cli, table, copied):
    before = {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()}
    arguments = ("train", "vae", "--data", table, "--steps", 40, "--set", SMALL[0])
    code, out, _ = cli(*arguments, "--set", *SMALL[1:], "--workdir", copied)
    assert code == 0 and "vae at step 40" in out
    assert {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()} == before


def test_without_steps_the_preset_for_that_kind_of_data(cli, table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli("train", "gaussian", "--data", table, "--seed", 3).code == 0
    config = json.loads((tmp_path / "runs/table-gaussian-3/run.json").read_text())
    assert config["settings"]["steps"] == 0 and config["seed"] == 3


def test_evaluate_prints_json_alone_and_from_anywhere(finished, table, tmp_path):
    code, out, err = ended(process("evaluate", finished, "--json", "--samples", 4, cwd=tmp_path))
    row = json.loads(out)
    assert (code, err, out.count("\n")) == (0, "", 1) and set(KEYS) <= row.keys()
    assert (row["family"], row["data"], row["seed"]) == ("vae", str(table), 0)
    assert row["claim"] == "Bound" and row["bits_per_dim_kind"] == "importance bound (K=4)"
    arrays = (a for name, a in state_of(finished).items() if name.startswith("['params']"))
    assert row["parameters"] == sum(len(a) // 4 for a in arrays)  # float32


def test_evaluate_prints_a_table(cli, finished):
    code, out, _ = cli("evaluate", finished, "--samples", 1)
    assert code == 0
    for key in KEYS:
        assert key in out


def test_json_has_no_word_for_what_is_not_finite(cli, finished, monkeypatch):
    monkeypatch.setattr(
        "probtransform.evaluation.measure.evaluate",
        lambda *a, **k: {"bits_per_dim": math.inf, "not_asked": {}},
    )
    row = json.loads(cli("evaluate", finished, "--json").out, parse_constant=pytest.fail)
    assert row["bits_per_dim"] is None


def test_info_tells_where_it_stands(cli, finished):
    code, out, _ = cli("info", finished)
    assert code == 0
    for word in ("vae", "40 of 40", "Event(shape=(3,)", "latent", "loss/vae"):
        assert word in out


def test_a_run_without_a_density_has_no_bits(cli, table, tmp_path):
    arguments = ("--steps", 4, "--set", *SMALL, "depth=1", "--workdir", tmp_path / "run")
    assert cli("train", "gan", "--data", table, *arguments).code == 0
    row = json.loads(cli("evaluate", tmp_path / "run", "--json").out)
    assert row["claim"] == "None" and row["bits_per_dim"] is row["bits_per_dim_kind"] is None
    assert row["mmd"] > 0 and row["sliced_wasserstein"] > 0


def write(kind, folder, x):
    path = folder / f"data{kind}"
    if kind == ".npy":
        np.save(path, x)
    elif kind == ".npz":
        np.savez(path, x=x)
    else:
        frame = pandas.DataFrame(x, columns=["weight", "angle", "income"])
        frame.to_csv(path, index=False) if kind == ".csv" else frame.to_parquet(path)
    return path


@pytest.mark.parametrize("kind", [".csv", ".parquet", ".npy", ".npz"])
def test_a_table_of_ones_own_from_file_to_samples(cli, tmp_path, kind):
    x, workdir, out = numbers(1, 2000), tmp_path / "run", tmp_path / "deep" / "s.npz"
    path = write(kind, tmp_path, x)
    assert cli("train", "gaussian", "--data", path, "--steps", 20, "--workdir", workdir).code == 0
    row = json.loads(cli("evaluate", workdir, "--json").out)
    # The bits of a Gaussian fitted by hand to the same four fifths, on the rest, in standard units.
    rows = np.random.default_rng(0).permutation(2000)
    train, test = x[rows[:1600]], x[rows[1600:]]
    z, at = ((half - train.mean(0)) / train.std(0) for half in (train, test))
    nats = -multivariate_normal(z.mean(0), np.cov(z.T)).logpdf(at).mean()
    assert row["claim"] == "Exact" and abs(row["bits_per_dim"] - nats / 3 / np.log(2)) < 0.03
    # Samples come back in the units and the order of the file.
    assert cli("sample", workdir, "--count", 4000, "--out", out).code == 0
    samples = np.load(out, allow_pickle=False)["x"]
    assert samples.shape == (4000, 3)
    np.testing.assert_allclose((samples.mean(0) - MEANS) / SCALES, 0, atol=0.15)
    np.testing.assert_allclose(samples.std(0) / SCALES, 1, atol=0.1)
    assert abs(np.corrcoef(samples.T)[0, 2] - 0.8) < 0.05


def test_a_folder_of_pictures_from_file_to_samples(cli, tmp_path):
    folder, workdir = tmp_path / "pictures", tmp_path / "run"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(100, 120, (30, 4, 5, 3), dtype=np.uint8)
    for i, picture in enumerate(pixels):
        Image.fromarray(picture).save(folder / f"{i:02d}.png")
    arguments = ("--steps", 20, "--set", *SMALL, "--workdir", workdir)
    assert cli("train", "vae", "--data", folder, *arguments).code == 0
    row = json.loads(cli("evaluate", workdir, "--json", "--samples", 2).out)
    assert row["claim"] == "Bound" and 0 < row["bits_per_dim"] < 20
    assert cli("sample", workdir, "--count", 9, "--out", tmp_path / "s.png").code == 0
    Image.open(tmp_path / "s.png").verify()
    assert cli("sample", workdir, "--count", 9, "--out", tmp_path / "s.npz").code == 0
    with np.load(tmp_path / "s.npz", allow_pickle=False) as found:
        assert found["x"].shape == (9, 4, 5, 3) and found["x"].dtype == np.uint8


def test_samples_are_a_function_of_the_seed(cli, finished, tmp_path):
    def drawn(name, seed, count=5):
        cli("sample", finished, "--count", count, "--seed", seed, "--out", tmp_path / name)
        return np.load(tmp_path / name)["x"]

    first = drawn("a.npz", 1)
    np.testing.assert_array_equal(drawn("a.npz", 1), first)
    np.testing.assert_allclose(drawn("b.npz", 1, 7)[:5], first, rtol=1e-5)
    assert not np.allclose(drawn("c.npz", 2), first)


def test_labels_condition_the_samples(cli, tmp_path):
    y = np.arange(200) % 4
    x = 10 * y[:, None] + np.random.default_rng(0).normal(size=(200, 2))
    frame = pandas.DataFrame({"a": x[:, 0], "label": [f"class {i}" for i in y], "b": x[:, 1]})
    frame.to_csv(tmp_path / "labelled.csv", index=False)
    workdir, out = tmp_path / "run", tmp_path / "s.npz"
    arguments = (
        "--steps",
        400,
        "--set",
        *SMALL,
        "depth=1",
        "rate=0.02",
        "--workdir",
        workdir,
        "--labels",
    )
    assert cli("train", "vae", "--data", tmp_path / "labelled.csv", *arguments).code == 0
    assert cli("sample", workdir, "--label", 3, "--count", 50, "--out", out).code == 0
    with np.load(out) as found:
        np.testing.assert_array_equal(found["y"], np.full(50, 3))
        np.testing.assert_allclose(found["x"].mean(0), 30, atol=3)
    assert cli("sample", workdir, "--count", 8, "--out", out).code == 0
    with np.load(out) as found:
        np.testing.assert_array_equal(found["y"], [0, 1, 2, 3] * 2)
        np.testing.assert_allclose(np.diff(found["x"][:4].mean(1)), 10, atol=5)
    code, _, err = cli("sample", workdir, "--label", 4)
    assert code == 2 and "got 4, wanted a label 0..3" in err


def test_a_run_goes_where_it_is_carried(cli, table, tmp_path, monkeypatch):
    home, away = tmp_path / "home", tmp_path / "away"
    home.mkdir()
    shutil.copy(table, home / "table.csv")
    monkeypatch.chdir(home)
    arguments = ("train", "gaussian", "--data", "table.csv", "--workdir")
    assert cli(*arguments, "run").code == 0
    first = json.loads(cli("evaluate", "run", "--json").out)
    shutil.move("run", away)
    monkeypatch.chdir("/")
    assert json.loads(cli("evaluate", away, "--json").out) == first
    monkeypatch.chdir(home)
    code, out, _ = cli(*arguments, away)
    assert code == 0 and f"step 0 in {away}" in out


def test_a_toy_is_not_a_folder_of_its_name(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "moons").mkdir()
    assert cli("train", "gaussian", "--data", "moons", "--workdir", "run").code == 0
    assert json.loads((tmp_path / "run/run.json").read_text())["data"] == "moons"


def test_compare_judges_all_alike_on_one_page(cli, table, tmp_path):
    arguments = (
        "--families",
        "gaussian",
        "vae",
        "--seconds-each",
        0.01,
        "--workdir",
        tmp_path / "all",
    )
    code, out, err = cli("compare", "--data", table, *arguments)
    assert (code, err) == (0, "")
    page = (tmp_path / "all/report.html").read_text()
    for name in ("gaussian", "vae"):
        row = json.loads(cli("evaluate", tmp_path / "all" / name, "--json").out)
        assert f"{row['bits_per_dim']:.3f}".replace("-", "\N{MINUS SIGN}") in page
        assert name in out and kept(tmp_path / "all" / name)
    assert (
        "data:image/png;base64," in page and 'src="http' not in page and "<script src" not in page
    )


def test_what_was_compiled_once_is_read_by_the_next_command(tmp_path, monkeypatch):
    monkeypatch.setenv("PROBTRANSFORM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("JAX_ENABLE_COMPILATION_CACHE", "true")
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    held = []
    for name in ("first", "second"):
        arguments = ("train", "gaussian", "--data", "moons", "--workdir", tmp_path / name)
        assert ended(process(*arguments)).code == 0
        held.append({path.name for path in (tmp_path / "cache/programs").glob("*-cache")})
    assert held[0] and held[0] == held[1]
