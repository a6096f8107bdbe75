"""The counting of modes: a judge that knows the answer, and contests as small as can be."""

import json

import jax
import numpy as np
import pytest

from experiments import modes, stacked_digits
from probtransform.core import Model
from probtransform.data import load
from probtransform.data.mixture import gaussian_mixture


def test_the_law_itself_reaches_every_mode():
    """Of a normal of the plane `1 - exp(-9/2)` lies within three deviations."""
    law = gaussian_mixture(modes.GRID / modes.SCALE, [0.05 / modes.SCALE] * 25, [1 / 25] * 25)
    found = modes.judged(Model(law, {}), {}, jax.random.key(0))
    good = 1 - np.exp(-4.5)
    assert found["modes"] == 25 and found["kl"] < 0.02
    assert abs(found["good"] - good) < 5 * np.sqrt(good * (1 - good) / modes.SAMPLES)


def test_data_are_of_deviation_one():
    rows = modes.GRID / modes.SCALE
    np.testing.assert_allclose((rows**2).mean() + (0.05 / modes.SCALE) ** 2, 1)


@pytest.mark.parametrize("seeds, games", [(1, ("r3gan",)), (2, ("vanilla", "wgan_gp"))])
def test_a_contest_writes_a_row_a_game_and_a_number_a_seed(tmp_path, seeds, games):
    small = {"steps": 3, "batch": 8, "width": 4, "depth": 1, "seeds": seeds, "games": games}
    found = modes.main(modes.Config(results=tmp_path / "rows.json", **small))
    assert json.loads((tmp_path / "rows.json").read_text()) == found
    assert [row["game"] for row in found] == list(games)
    assert all(len(row[name]) == seeds for row in found for name in ("modes", "good", "kl"))


def test_the_classifier_of_stacks_knows_digits():
    """Each channel is read by itself, the first as the hundreds."""
    digits = load("digits", labels=True)
    test, label = np.asarray(digits.test.x), np.asarray(digits.test.cond)
    x = np.concatenate([test, test[::-1], np.roll(test, 1, 0)], -1)
    wanted = label * 100 + label[::-1] * 10 + np.roll(label, 1)
    assert (stacked_digits.classifier(digits)(x) == wanted).mean() > 0.94
