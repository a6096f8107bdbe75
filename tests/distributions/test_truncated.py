"""Truncation keeps to the middle of a base and changes nothing else."""

import jax
import numpy as np
import pytest
from scipy.stats import truncnorm

from probtransform.core import pushforward, sample_many
from probtransform.distributions import normal
from probtransform.distributions.truncated import truncated
from probtransform.transforms import affine, affine_of

KEY = jax.random.key(0)


@pytest.fixture
def line():
    distribution = pushforward(normal((1,)), place=affine(1))
    return distribution, {"place": affine_of(np.array([3.0]), np.array([[4.0]]))}


@pytest.mark.parametrize("threshold", [0.3, 1.0, 2.0])
def test_the_base_is_a_truncated_normal(line, threshold):
    distribution, params = line
    x = np.asarray(sample_many(truncated(distribution, threshold), params, KEY, 5000))
    z = (x - 3) / 2
    assert abs(z).max() <= threshold + 1e-5
    law = truncnorm(-threshold, threshold)
    assert abs(z.mean()) < 4 * law.std() / np.sqrt(5000)
    np.testing.assert_allclose(z.std(), law.std(), rtol=0.05)


def test_a_wide_one_is_the_distribution_itself(line):
    distribution, params = line
    x = np.asarray(sample_many(truncated(distribution, 20.0), params, KEY, 5000))
    assert abs(x.mean() - 3) < 4 * 2 / np.sqrt(5000) and abs(x.std() - 2) < 0.1
    assert truncated(distribution, 1.0).density is None


@pytest.mark.parametrize("threshold", [0.0, -1.0, float("nan")])
def test_a_threshold_is_above_zero(line, threshold):
    with pytest.raises(ValueError, match="truncated: got threshold"):
        truncated(line[0], threshold)
