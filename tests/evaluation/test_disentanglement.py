"""Scores of disentanglement on grids of factors where they are known in closed form."""

import jax
import numpy as np
import pytest
from scipy.stats import entropy

from probtransform.evaluation.disentanglement import (
    beta_vae_score,
    completeness,
    dci,
    discretised,
    disentanglement,
    factor_vae_score,
    irs,
    mig,
    modularity,
    mutual_information,
    sap,
    scores,
)
from probtransform.evaluation.disentanglement.information import modularity_of

KEY = jax.random.key(0)
SIZES = (8, 8, 4)
GRID = np.stack(np.unravel_index(np.arange(np.prod(SIZES)), SIZES), 1)
TURN = np.array([[1, 1], [1, -1]])
COIN = np.log(2)
QUARTER = entropy([0.25, 0.75])


def rotated(factors):
    """The first two factors turned by 45 degrees (and stretched), the others as they are."""
    turned = np.asarray(factors, float).copy()
    turned[:, :2] = turned[:, :2] @ TURN
    return turned


def look_up(codes):
    return lambda values: np.asarray(codes)[np.ravel_multi_index(values.T, SIZES)]


# --- information ----------------------------------------------------------------------------------


def test_cells_are_of_one_width_and_hold_their_left_edge():
    x = np.array([[0.0], [0.24], [0.25], [0.5], [0.74], [1.0]])
    np.testing.assert_array_equal(discretised(x, 4)[:, 0], [1, 1, 2, 3, 3, 4])
    np.testing.assert_array_equal(discretised(10 - 40 * x, 4)[:, 0], [4, 4, 4, 3, 2, 1])


def test_mutual_information_of_coins():
    """A coin known always, three times in four, never."""
    factor = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    symbols = np.stack([factor, [0, 0, 0, 1, 1, 1, 1, 0], [0, 1, 0, 1, 0, 1, 0, 1]], 1)
    found = mutual_information(symbols, factor[:, None])[:, 0]
    np.testing.assert_allclose(found, [COIN, COIN - QUARTER, 0], atol=1e-12)
    gap = mig(symbols[:, :2].astype(float), np.stack([factor, factor], 1))
    assert gap == pytest.approx(QUARTER / COIN)


def test_the_gap_of_a_perfect_code_is_one_and_of_two_alike_none():
    """Factors shifted, stretched, exchanged; a code beside that knows nothing."""
    nothing = np.zeros((len(GRID), 1))
    codes = np.hstack([-3.0 * GRID[:, [2, 0, 1]] + 5, nothing])
    assert mig(codes, GRID) == pytest.approx(1, abs=1e-12)
    assert mig(np.hstack([codes, codes]), GRID) == pytest.approx(0, abs=1e-12)


def test_the_gap_of_a_rotation_is_none():
    turned = rotated(GRID)
    assert mig(turned[:, :2], GRID[:, :2]) == pytest.approx(0, abs=1e-9)
    assert mig(turned, GRID) == pytest.approx(1 / 3, abs=1e-9)  # the third factor is as it was


def test_a_sampled_perfect_code_is_one_but_for_a_little():
    rows = np.random.default_rng(0).integers(len(GRID), size=10_000)
    assert 0.98 < mig(GRID[rows].astype(float), GRID[rows]) < 1


@pytest.mark.parametrize(
    "table, wanted",
    [
        (np.eye(3), 1.0),
        ([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]], 2 / 3),  # a code that knows nothing counts 0
        (np.hstack([np.eye(5)] * 2), 1 - 1 / 9),  # two factors of ten for each code
        ([[2.0, 1.0, 1.0]], 1 - 2 / 4 / 2),
        (np.zeros((2, 2)), 0.0),
    ],
)
def test_modularity_of_tables(table, wanted):
    assert modularity_of(np.asarray(table)) == pytest.approx(wanted, abs=1e-12)


def test_modularity_of_codes():
    """Redundant codes are modular; one that holds two factors, of log 8 and log 4 nats, is not."""
    assert modularity(np.hstack([GRID, GRID]).astype(float), GRID) == pytest.approx(1, abs=1e-9)
    both = GRID[:, [0]] * 4.0 + GRID[:, [2]]
    wanted = 1 - (np.log(4) / np.log(8)) ** 2 / 2
    assert modularity(both, GRID, bins=32) == pytest.approx(wanted, abs=1e-9)


# --- predictors -----------------------------------------------------------------------------------


def test_sap_of_perfect_codes_is_far_from_one():
    """Machines for one value against the rest name three of eight along a line, and one by guessing."""
    eight = np.random.default_rng(0).integers(8, size=(7000, 3))
    codes = eight.astype(float)
    found = sap(codes[:5000], eight[:5000], codes[5000:], eight[5000:])
    assert found == pytest.approx(0.25, abs=0.03)


def test_sap_of_coins_is_a_half():
    """All right with the code that knows, half with the one that does not."""
    coins = np.stack(np.unravel_index(np.arange(4), (2, 2)), 1).repeat(100, 0)
    codes = 2.0 * coins - 1
    assert sap(codes, coins, codes, coins) == pytest.approx(0.5, abs=0.01)
    assert sap(codes[:, [0, 0]], coins, codes[:, [0, 0]], coins) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    "table, row, column",
    [
        (5 * np.eye(5), 1.0, 1.0),
        (np.zeros((4, 4)), 0.0, 0.0),
        ([[0.75, 0.25], [0.25, 0.75]], 1 - QUARTER / COIN, 1 - QUARTER / COIN),
        ([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], 1.0, 1.0),  # a code of no use weighs nothing
        (np.vstack([np.eye(5)] * 2), 1.0, 1 - np.log(2) / np.log(10)),  # two codes a factor
        ([[3.0, 0.0], [0.5, 0.5]], 0.75, None),  # rows weigh 3 and 1, and have 1 and 0
    ],
)
def test_rows_and_columns_of_importance(table, row, column):
    assert disentanglement(table) == pytest.approx(row, abs=1e-7)
    if column is not None:
        assert completeness(table) == pytest.approx(column, abs=1e-7)
        assert disentanglement(np.transpose(table)) == pytest.approx(column, abs=1e-7)


def test_dci_of_perfect_and_of_rotated_codes():
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(30, max_features=None, random_state=0)
    rows = np.random.default_rng(0).integers(len(GRID), size=2000)
    codes, factors = GRID[rows].astype(float), GRID[rows]
    perfect = dci(codes, factors, GRID.astype(float), GRID, forest)
    np.testing.assert_allclose(perfect, 1, atol=1e-6)
    assert perfect.train == 1
    turned = dci(rotated(codes), factors, rotated(GRID), GRID, forest)
    assert turned.disentanglement < 0.6 and turned.completeness < 0.6


def test_trees_by_default_know_a_perfect_code():
    small = GRID[::4][:, :2]  # without the third
    found = dci(small.astype(float), small, small.astype(float), small)
    assert found.disentanglement > 0.99 and found.informativeness == 1


# --- one factor held ------------------------------------------------------------------------------

FEW = {"batch": 16, "train": 1500, "test": 1500}


def test_a_held_factor_is_named_from_codes_that_show_it():
    nothing = np.zeros((len(GRID), 1))
    for codes in (GRID, np.hstack([GRID, GRID]), np.hstack([nothing, -2.0 * GRID[:, ::-1]])):
        assert beta_vae_score(look_up(codes), SIZES, KEY, **FEW) > 0.99
        assert factor_vae_score(look_up(codes), SIZES, KEY, **FEW) == 1


def test_codes_that_show_nothing_leave_guessing():
    constant = look_up(np.zeros((len(GRID), 2)))
    error = 5 * np.sqrt(2 / 9 / FEW["test"])
    assert beta_vae_score(constant, SIZES, KEY, **FEW) == pytest.approx(1 / 3, abs=error)
    assert factor_vae_score(constant, SIZES, KEY, **FEW) == 0
    one = look_up(GRID[:, [0, 0]])  # no way to tell the second factor from the third
    assert factor_vae_score(one, SIZES, KEY, **FEW) == pytest.approx(1 / 3, abs=0.1)


def test_a_collapsed_code_has_no_vote():
    """A hundredth of the others' spread is noise, though it varies least whatever is held."""
    noise = 1e-3 * np.random.default_rng(0).standard_normal((len(GRID), 1))
    codes = look_up(np.hstack([noise, GRID]))
    assert factor_vae_score(codes, SIZES, KEY, **FEW) == 1


def test_a_rotation_hides_which_factor_is_held():
    held = factor_vae_score(look_up(rotated(GRID)), SIZES, KEY, **FEW)
    assert held == pytest.approx(2 / 3, abs=0.06)  # the third factor, and a coin for the two others


def test_robustness_of_sums_and_of_factors():
    coins = np.stack(np.unravel_index(np.arange(4), (2, 2)), 1)
    total = (2.0 * coins - 1).sum(1, keepdims=True)  # at most 2 from its mean, 1 with a coin held
    assert irs(total, coins) == pytest.approx(0.5)
    assert irs(GRID.astype(float), GRID) == pytest.approx(1)
    assert irs(np.zeros((4, 2)), coins) == 0
    # codes weigh by their largest deviation: 6 for the sum made larger, 1 for the coin
    codes = np.hstack([3 * total, 2.0 * coins[:, :1] - 1, np.ones((4, 1))])
    assert irs(codes, coins) == pytest.approx((6 * 0.5 + 1 * 1) / 7)


def test_robustness_takes_a_quantile():
    """Within a group deviations are 1/2 eight times and 2 twice: quantiles by interpolation."""
    values = np.array([0.5, -0.5] * 4 + [2.0, -2.0])
    codes, factors = np.tile(values, 2)[:, None], np.repeat([0, 1], 10)[:, None]
    for q in (0.5, 0.99, 1.0):
        wanted = 1 - np.quantile(abs(values), q) / 2
        assert irs(codes, factors, quantile=q) == pytest.approx(wanted)


# --- all of them ----------------------------------------------------------------------------------


def test_all_scores_of_a_grid():
    found = scores(GRID.astype(float), GRID, SIZES, KEY, train=600, test=600, trees=300)
    assert found["mig"] == pytest.approx(1) and found["irs"] == pytest.approx(1)
    assert found["factor_vae_score"] == 1 and found["dci_disentanglement"] > 0.9
    assert found["beta_vae_score"] > 0.99 and found["modularity"] == pytest.approx(1)
    assert 0.15 < found["sap"] < 0.5
    with pytest.raises(ValueError, match="not the grid"):
        scores(GRID[::-1].astype(float), GRID[::-1], SIZES, KEY)


def test_noise_names_nothing_that_was_not_asked_before():
    """Trees that had seen the very rows they are tested on would name every factor of them."""
    noise = np.random.default_rng(0).standard_normal(GRID.shape)
    found = scores(noise, GRID, SIZES, KEY, train=600, test=600, trees=600)
    chance = np.mean([1 / size for size in SIZES])
    assert abs(found["dci_informativeness"] - chance) < 0.1


def test_errors():
    codes = GRID.astype(float)
    with pytest.raises(ValueError, match="dci: got 1 codes and 3 factors"):
        dci(codes[:, :1], GRID, codes[:, :1], GRID)
    for one in (sap, dci):
        with pytest.raises(
            ValueError, match=r"test part of shapes \(256, 2\) and \(256, 3\), wanted"
        ):
            one(codes, GRID, codes[:, :2], GRID)
    with pytest.raises(ValueError, match="mig: got 1 code"):
        mig(codes[:, :1], GRID)
    with pytest.raises(ValueError, match="sap: got 1 code"):
        sap(codes[:, :1], GRID, codes[:, :1], GRID)
    with pytest.raises(ValueError, match="modularity: got 1 factor"):
        modularity(codes, GRID[:, :1])
    with pytest.raises(ValueError, match=r"codes of shape \(3, 256\)"):
        irs(codes.T, GRID)
    with pytest.raises(ValueError, match=r"factors \[1\] that never vary"):
        mig(codes, GRID * [1, 0, 1])
    with pytest.raises(ValueError, match="that are not finite"):
        mig(codes * np.nan, GRID)
