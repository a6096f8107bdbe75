import numpy as np
import pytest

from probtransform.data.order import order


def test_an_epoch_is_numpys_permutation_without_its_rest():
    epoch = order(7, np.arange(3), 4, 14)
    assert epoch.shape == (3, 4) and epoch.dtype == np.int32
    np.testing.assert_array_equal(epoch.ravel(), np.random.default_rng((7, 0)).permutation(14)[:12])
    second = np.random.default_rng((7, 1)).permutation(14)
    np.testing.assert_array_equal(order(7, 4, 4, 14), second[4:8])


def test_a_run_is_its_steps():
    run = order(1, np.arange(5, 25), 3, 10)
    np.testing.assert_array_equal(run, [order(1, step, 3, 10) for step in range(5, 25)])
    assert not np.array_equal(run, order(2, np.arange(5, 25), 3, 10))
    assert order(1, np.zeros((2, 6), int), 3, 10).shape == (2, 6, 3)


def test_the_whole_in_one_batch():
    assert sorted(order(0, 9, 5, 5)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("batch", [0, 11])
def test_a_batch_must_fit(batch):
    with pytest.raises(
        ValueError, match=f"got a batch of {batch} from 10 examples, wanted between"
    ):
        order(0, 0, batch, 10)


@pytest.mark.parametrize("seed, step", [(-1, 0), (0, -3), (0, np.array([2, -1]))])
def test_nothing_counts_from_below_zero(seed, step):
    with pytest.raises(ValueError, match="wanted neither below zero"):
        order(seed, step, 2, 10)
