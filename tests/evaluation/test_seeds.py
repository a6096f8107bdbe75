"""Several rows as one: means, and the spread of the mean."""

import math

import numpy as np
import pytest

from probtransform.evaluation import over_seeds

ROWS = [
    {
        "claim": "Exact",
        "bits_per_dim": bits,
        "bits_per_dim_se": 0.1,
        "bits_per_dim_kind": "exact",
        "bound_bits_per_dim": None,
        "count": 360,
        "mmd": mmd,
        "mmd_floor": floor,
        "not_asked": {},
    }
    for bits, mmd, floor in ((1.0, 0.3, 0.1), (2.0, 0.5, 0.2), (6.0, 0.1, 0.3))
]


def test_means_and_their_standard_errors():
    row = over_seeds(ROWS)
    assert row["bits_per_dim"] == 3 and row["mmd"] == pytest.approx(0.3)
    assert row["bits_per_dim_spread"] == pytest.approx(np.std([1, 2, 6], ddof=1) / math.sqrt(3))
    assert row["mmd_spread"] == pytest.approx(0.2 / math.sqrt(3))
    assert row["mmd_floor"] == pytest.approx(0.2)
    assert row["bits_per_dim_se"] == pytest.approx(0.1)
    assert (row["claim"], row["bits_per_dim_kind"], row["count"]) == ("Exact", "exact", 360)
    assert row["bound_bits_per_dim"] is None
    assert not {"mmd_floor_spread", "bits_per_dim_se_spread", "count_spread"} & row.keys()


def test_what_one_was_not_asked_none_was():
    broken = {k: v for k, v in ROWS[1].items() if "mmd" not in k} | {"not_asked": {"mmd": "why"}}
    for rows in ([ROWS[0], broken], [broken, ROWS[0]]):
        row = over_seeds(rows)
        assert "mmd" not in row and row["not_asked"] == {"mmd": "why"} and "mmd_floor" not in row


def test_one_row_is_itself_and_none_is_an_error():
    assert over_seeds(ROWS[:1]) == ROWS[0]
    with pytest.raises(ValueError, match="no rows"):
        over_seeds([])
