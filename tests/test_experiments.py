"""Every family has an experiment, whose numbers are the preset's."""

import importlib

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from experiments.spread import shown, spread
from experiments.study import show
from probtransform.families import registry
from probtransform.training.run import settings_of


@pytest.mark.parametrize("name", registry)
def test_experiment_states_the_preset(name):
    experiment = importlib.import_module(f"experiments.{name}")
    run, data = experiment.build(experiment.Config())
    assert run.config["settings"] == settings_of(name, data.event, {})
    assert f"python -m experiments.{name}" in experiment.__doc__
    assert "Expect" in experiment.__doc__


def test_the_table_holds_the_mean(capsys):
    row = {"family": "a", "data": "b", "bits_per_dim": 1.0, "bits_per_dim_kind": "exact"}
    row |= {
        "train_bits_per_dim": 0.9,
        "bound_bits_per_dim": None,
        "mmd": 0.5,
        "sliced_wasserstein": 2.0,
        "seconds": 3.0,
    }
    show([row | {"seed": 0}, row | {"seed": 1, "bits_per_dim": 2.0}])
    assert "1.5" in capsys.readouterr().out


def test_a_table_of_rows_is_trained_on_and_judged(tmp_path, capsys):
    """The configuration for large tabular sets, at a size of its own."""
    from experiments.uci import PUBLISHED, Config, main

    rows = np.random.default_rng(0).standard_normal((400, 3)).astype(np.float32) * 2
    np.savez(tmp_path / "rows.npz", train=rows[:300], test=rows[300:])
    small = {"steps": 30, "batch": 64, "layers": 2, "width": 8}
    nats = main(Config("power", tmp_path / "rows.npz", **small))
    law = multivariate_normal(rows[:300].mean(0), np.cov(rows[:300].T))
    assert abs(nats - law.logpdf(rows[300:]).mean()) < 0.3
    assert all(
        f"{k} {v}" in capsys.readouterr().out for k, v in list(PUBLISHED["power"].items())[:1]
    )


def test_a_flow_composed_for_edges_meets_them(capsys):
    """Far from trained, it puts into the holes a tenth of what the uniform on the square, KL log 2, does."""
    from experiments import checkerboard, toys

    config = checkerboard.Config(seeds=1, steps=400, train=50_000, test=20_000, average=0.98)
    toys.main(config, checkerboard.flow)
    found = float(capsys.readouterr().out.split("KL ")[1].split()[0])
    assert 0 < found < 0.07


def test_the_spread_of_seeds():
    """`s / sqrt(n)` with n - 1 degrees: of 1, 2, 3 it is `1 / sqrt 3`; of one seed nothing is known."""
    assert spread([1, 2, 3]) == pytest.approx({"mean": 2.0, "se": 3**-0.5})
    assert spread([4.0]) == {"mean": 4.0}
    assert [shown(v) for v in ([1, 2, 3], [998, 1000], [5.0], [7, 7])] == [
        "2.00 +- 0.58",
        "999.0 +- 1.0",
        "5",
        "7.000 +- 0.000",
    ]


def test_seeds_of_a_setting_are_told_together():
    from experiments.fashion_gans import over_seeds

    label = {"part": "labels", "model": "a"}
    rows = [{"part": "floor", "distance": 1.5}]
    for seed, found in enumerate((8.0, 7.0, 9.0)):
        rows.append(label | {"seed": seed, "distance": found})
        rows.append({"part": "truncation", "psi": 0.5, "seed": seed, "precision": found / 10})
    floor, labels, truncation = over_seeds(rows)
    assert floor == {"part": "floor", "distance": {"mean": 1.5}}
    assert labels == label | {"distance": {"mean": 8.0, "se": pytest.approx(3**-0.5)}}
    assert truncation["psi"] == 0.5 and truncation["precision"]["mean"] == pytest.approx(0.8)
