"""A sampler that replays its training data is flagged, one that draws from the law is not."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from probtransform.evaluation.memorisation import authenticity, memorisation

RNG = np.random.default_rng(0)


def law(n):
    return RNG.normal(size=(n, 6)) @ np.diag([3, 2, 1, 1, 0.5, 0.2])


TRAINING, HELD_OUT = law(1000), law(400)


def test_numbers_are_those_of_brute_force():
    samples = law(50)
    near, new = cdist(samples, TRAINING).min(1), cdist(HELD_OUT, TRAINING).min(1)
    found = memorisation(samples, TRAINING, HELD_OUT)
    np.testing.assert_allclose(found.ratios, near / np.median(new), rtol=1e-5)
    assert found.ratio == pytest.approx(np.median(near) / np.median(new), rel=1e-5)
    assert found.closer == pytest.approx((near[:, None] < new).mean(), abs=1e-9)
    assert found.copies == (near < np.quantile(new, 0.01)).mean()
    assert found.authentic == authenticity(samples, TRAINING)


def test_authenticity_is_that_of_brute_force():
    samples = law(80)
    distance = cdist(samples, TRAINING)
    among = cdist(TRAINING, TRAINING) + np.diag(np.full(len(TRAINING), np.inf))
    expected = (distance.min(1) > among.min(1)[distance.argmin(1)]).mean()
    assert 0 < authenticity(samples, TRAINING) == expected < 1


def test_a_replay_is_flagged():
    replay = TRAINING[RNG.choice(1000, 300)]
    found = memorisation(replay, TRAINING, HELD_OUT)
    assert found.ratio == 0 and found.closer == 1 and found.copies == 1
    assert found.p_value < 1e-20
    assert authenticity(replay, TRAINING) == 0


def test_a_replay_with_a_little_noise_is_flagged():
    noisy = TRAINING[RNG.choice(1000, 300)] + 0.02 * RNG.normal(size=(300, 6))
    found = memorisation(noisy, TRAINING, HELD_OUT)
    assert found.ratio < 0.2 and found.copies > 0.9 and found.p_value < 1e-20
    assert authenticity(noisy, TRAINING) < 0.1


def test_a_tenth_of_replays_shows_in_the_copies():
    mixed = np.concatenate([TRAINING[:30], law(270)])
    assert memorisation(mixed, TRAINING, HELD_OUT).copies >= 0.1


def test_new_samples_are_not_flagged():
    """P-values are uniform, the other numbers stand where they should."""
    found = [memorisation(law(200), TRAINING, law(200)) for _ in range(60)]
    p = np.array([one.p_value for one in found])
    assert (p < 0.05).sum() <= 9 and (p < 0.001).sum() == 0 and (p > 0.5).sum() >= 15
    assert np.mean([one.ratio for one in found]) == pytest.approx(1, abs=0.03)
    assert np.mean([one.closer for one in found]) == pytest.approx(0.5, abs=0.02)
    assert np.mean([one.copies for one in found]) < 0.03
    assert authenticity(law(400), TRAINING) == pytest.approx(
        authenticity(HELD_OUT, TRAINING), abs=0.1
    )


def test_a_copy_is_a_copy_far_from_the_origin():
    assert authenticity(TRAINING[:50] + 1000, TRAINING + 1000) == 0


def test_errors():
    with pytest.raises(ValueError, match="training examples too"):
        memorisation(law(10), TRAINING, TRAINING[:50])
    with pytest.raises(ValueError, match="two or more examples of one shape"):
        memorisation(law(10)[:, :3], TRAINING, HELD_OUT)
    with pytest.raises(ValueError, match="not finite"):
        authenticity(np.full((3, 6), np.inf), TRAINING)
