"""Every family has an experiment, whose numbers are the preset's."""

import importlib

import pytest

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
    row |= {"bound_bits_per_dim": None, "mmd": 0.5, "sliced_wasserstein": 2.0, "seconds": 3.0}
    show([row | {"seed": 0}, row | {"seed": 1, "bits_per_dim": 2.0}])
    assert "1.5" in capsys.readouterr().out
