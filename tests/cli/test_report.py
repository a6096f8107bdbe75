"""Films, pages, budgets, and a row that is made again by its own command."""

import html
import json
import re
import shlex
import shutil
import struct

import jax
import numpy as np
import pytest
from conftest import SMALL, assert_same_run, kept
from PIL import Image

from probtransform.cli.compare import share
from probtransform.training.workdir import load_run, parameters


@pytest.fixture(scope="session")
def moons(tmp_path_factory):
    """A RealNVP of moons, cut short at update 20 of 40."""
    from probtransform.cli import main

    run = tmp_path_factory.mktemp("moons") / "run"
    numbers = ("--set", "layers=2", "width=8", "batch=16", "rate=0.0123")
    options = ("--steps", "40", *numbers, "--until", "20", "--workdir", str(run))
    assert main(["train", "realnvp", "--data", "moons", "--seed", "3", *options]) == 0
    return run


def test_a_run_is_shown_as_a_film(cli, moons, tmp_path):
    out = tmp_path / "deep" / "film.gif"
    code, text, err = cli("animate", moons, "--out", out, "--seconds", 1, "--count", 50)
    assert (code, err) == (0, "") and "1 s of realnvp at step 20" in text
    with Image.open(out) as film:
        assert film.format == "GIF" and film.n_frames > 5


@pytest.mark.parametrize(
    "options, said",
    [
        (("--out", "film.avi"), "--out: got film.avi, wanted FILE.gif or FILE.mp4"),
        (("--count", 0), "--count: got 0"),
        (("--seconds", 0), "--seconds: got 0.0"),
        (("--seconds", "nan"), "--seconds: got nan"),
        (("--seed", -1), "--seed: got -1"),
    ],
)
def test_a_film_of_bad_input(cli, moons, options, said):
    code, out, err = cli("animate", moons, *options)
    assert (code, out) == (2, "") and said in err and err.count("\n") == 1


def test_mp4_without_ffmpeg(cli, moons, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    code, _, err = cli("animate", moons, "--out", tmp_path / "film.mp4")
    assert code == 2 and "no ffmpeg" in err and err.count("\n") == 1


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_mp4_with_ffmpeg(cli, moons, tmp_path):
    assert cli("animate", moons, "--out", tmp_path / "film.mp4", "--seconds", 1).code == 0
    assert (tmp_path / "film.mp4").read_bytes()[4:8] == b"ftyp"


def test_a_row_is_made_again_by_its_command(cli, moons, tmp_path):
    page = tmp_path / "report.html"
    code, out, _ = cli("report", moons, "--out", page)
    assert code == 0 and str(page) in out and page.stat().st_size < 2_000_000
    (line,) = re.findall(r"<pre><code>(.*?)</code></pre>", page.read_text())
    words = shlex.split(html.unescape(line))
    assert words[0] == "probtransform" and "--until" in words and "rate=0.0123" in words
    assert cli(*words[1:], "--workdir", tmp_path / "again").code == 0
    assert_same_run(tmp_path / "again", moons)
    rows = [json.loads(cli("evaluate", run, "--json").out) for run in (moons, tmp_path / "again")]
    assert rows[0].pop("seconds") > 0 and rows[1].pop("seconds") > 0
    assert rows[0] == rows[1] and rows[0]["step"] == 20
    films = re.findall(r"data:image/gif;base64,([^\"]*)", page.read_text())
    assert len(films) == 1 and len(films[0]) * 3 / 4 <= 300_000


def test_a_report_of_no_run(cli, tmp_path):
    code, _, err = cli("report", tmp_path)
    assert code == 2 and "holds no run.json" in err


def test_a_budget_is_divided_and_what_is_left_over_goes_on():
    assert share(None, [3.0], 2) is None and share(None, [], 2, 5.0) == 5.0
    assert share(60.0, [], 6) == 10.0
    assert (
        share(56.0, [1.0, 3.0], 4) == 12.0
    )  # two were done, numbers and pictures took 2 seconds each
    assert share(56.0, [1.0, 3.0], 4, 5.0) == 5.0
    assert share(-1.0, [2.0], 1) == 0.0


def test_forty_families_fit_a_budget():
    """Each takes what it is given, but never less than a stretch, and the numbers beside."""
    total, stretch, numbers, clock = 360.0, 1.0, 4.0, 0.0
    for i in range(40):
        clock += max(stretch, share(total - clock, [numbers] * i, 40 - i)) + numbers
    assert clock <= total + numbers


def test_short_time_leaves_out_films_then_families(cli, table, tmp_path, monkeypatch):
    """Two seconds in all for two: no film of the first, and when they are over, no second."""
    arguments = ("compare", "--data", table, "--families", "gaussian", "vae", "--workdir", tmp_path)
    code, out, err = cli(*arguments, "--seconds", 0.5)
    page = (tmp_path / "report.html").read_text()
    assert (code, err) == (0, "") and "vae: left out (the 0.5 seconds were used up" in out
    assert "No film or walk: time was short" in page and "data:image/gif" not in page
    assert "data:image/png" in page
    assert cli("report", tmp_path / "gaussian", "--out", tmp_path / "whole.html").code == 0
    assert "data:image/gif" in (tmp_path / "whole.html").read_text()


def test_seeds_are_trained_at_once_and_shown_with_their_spread(cli, table, tmp_path):
    run, alone = tmp_path / "run", tmp_path / "alone"
    arguments = ("train", "vae", "--data", table, "--steps", 20, "--seed", 3, "--set", *SMALL)
    assert cli(*arguments, "--seeds", 3, "--workdir", run).code == 0
    row = json.loads(cli("evaluate", run, "--json").out)
    assert (row["seed"], row["seeds"], row["step"]) == (3, 3, 20)
    each = [load_run(run, member) for member in range(3)]
    assert [one.seed for one in each] == [3, 4, 5]
    assert row["parameters"] == parameters(each[0].params)
    assert row["bits_per_dim_spread"] > 0 and row["mmd_spread"] > 0
    # the second of them is the run of seed 4 alone, up to the order of sums
    assert cli(*arguments[:7], 4, *arguments[8:], "--workdir", alone).code == 0
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4),
        each[1].params,
        load_run(alone).params,
    )
    for command in (("sample", run, "--out", tmp_path / "x.png"), ("info", run)):
        assert cli(*command).code == 0
    page = tmp_path / "page.html"
    assert cli("report", run, "--out", page).code == 0
    assert (
        "--seeds 3" in page.read_text() and "over seeds where there are several" in page.read_text()
    )
    code, _, err = cli(*arguments, "--workdir", run)
    assert code == 2 and "holds a run with seeds 3, wanted 1" in err


def test_features_are_chosen_by_name(cli, tmp_path):
    run = tmp_path / "digits"
    options = ("--data", "digits", "--steps", 2, "--set", *SMALL, "--workdir", run)
    assert cli("train", "vae", *options).code == 0
    row = json.loads(cli("evaluate", run, "--json", "--samples", 1, "--count", 100).out)
    assert row["FD-digits"] > row["FD-digits_floor"] > 0 and row["count"] == 100
    for name, said in {
        "fashion_mnist": "FD-fashion_mnist: got images of shape (100, 8, 8, 1)",
        "vgg": "",
    }.items():
        answer = cli("evaluate", run, "--samples", 1, "--count", 100, "--features", name)
        if said:
            assert answer.code == 0 and said in " ".join(answer.out.split())
        else:
            assert answer.code == 2 and "features: got 'vgg', wanted one of digits" in answer.err


def test_resuming_grants_no_fresh_budget(cli, table, tmp_path):
    arguments = ("compare", "--data", table, "--families", "vae", "realnvp", "--seconds-each", 0.02)
    assert cli(*arguments, "--workdir", tmp_path).code == 0
    steps = {name: kept(tmp_path / name) for name in ("vae", "realnvp")}
    assert all(0 < s[-1] <= 200 for s in steps.values())
    code, _, err = cli(*arguments, "--workdir", tmp_path)
    assert (code, err) == (0, "")
    assert {name: kept(tmp_path / name) for name in steps} == steps


def test_info_names_blocks_owners_claim_and_checkpoints(cli, table, tmp_path):
    options = ("--steps", 4, "--set", "width=8", "latent=2", "batch=16", "depth=1")
    assert cli("train", "gan", "--data", table, *options, "--workdir", tmp_path / "run").code == 0
    code, out, _ = cli("info", tmp_path / "run")
    rows = [re.findall(r"[^│┃\s][^│┃]*[^│┃\s]|[^│┃\s]", line) for line in out.splitlines()]
    assert code == 0 and ["claim", "None"] in rows
    assert ["checkpoints", ", ".join(map(str, kept(tmp_path / "run")))] in rows
    # one hidden layer of 8 with biases: 2 -> 8 -> 3 and 3 -> 8 -> 1; reshaping has no parameters
    assert ["generator", str(2 * 8 + 8 + 8 * 3 + 3), "generator"] in rows
    assert ["critic", str(3 * 8 + 8 + 8 * 1 + 1), "critic"] in rows
    assert ["data", "0", "nobody"] in rows


def values(directory):
    """Every (step, value) of TensorBoard events, read by their protocol buffers."""
    from tensorboardX.proto.event_pb2 import Event

    (path,) = directory.iterdir()
    data = path.read_bytes()
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        event = Event.FromString(data[12 : 12 + length])
        yield from ((event.step, value) for value in event.summary.value)
        data = data[16 + length :]


def test_what_can_be_watched(cli, table, tmp_path):
    run = tmp_path / "run"
    options = ("--steps", 20, "--set", "width=8", "latent=2", "batch=16", "--workdir", run)
    assert cli("train", "vae", "--data", table, *options, "--histograms", "--profile").code == 0
    seen = list(values(run / "events"))
    pictures = {step: value.image for step, value in seen if value.tag == "samples"}
    assert sorted(pictures) == [5, 10, 15, 20]
    for step, image in pictures.items():
        path = run / "samples" / f"{step:07d}.png"
        assert image.encoded_image_string == path.read_bytes()
        assert (image.width, image.height) == Image.open(path).size
    histograms = {(step, value.tag): value.histo for step, value in seen if value.HasField("histo")}
    assert all(sum(h.bucket) == h.num > 0 for h in histograms.values())
    tags = {tag for _, tag in histograms}
    assert {tag.partition("/")[0] for tag in tags} == {"parameters", "updates"}
    for tag in (tag.removeprefix("parameters/") for tag in tags if tag.startswith("parameters/")):
        moved = [histograms[step, f"parameters/{tag}"].sum for step in (15, 20)]
        change = histograms[20, f"updates/{tag}"].sum
        np.testing.assert_allclose(change, moved[1] - moved[0], atol=1e-6)
        assert (5, f"updates/{tag}") not in histograms
    assert list((run / "profile").rglob("*.xplane.pb"))
    jax.profiler.start_trace(tmp_path / "free")  # none is left running
    jax.profiler.stop_trace()
