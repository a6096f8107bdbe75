"""The experiment on factors, small: its rows are scores, and families may be run one at a time."""

import json

import numpy as np

from experiments import factors


def test_rows_are_kept_while_the_numbers_are_the_same(tmp_path, capsys):
    small = {"seeds": 1, "steps": 20, "width": 8, "latent": 2, "draws": 200, "trees": 30}
    small |= {"out": tmp_path / "factors.json"}
    (first,) = factors.main(factors.Config(("vae",), **small))
    values = np.array([v for k, v in first.items() if k not in ("family", "seconds")])
    assert np.isfinite(values).all()
    assert all(0 <= first[name] <= 1 for name in ("mig", "sap", "modularity", "irs"))
    assert f"{first['mig']:.6g}" in capsys.readouterr().out
    both = factors.main(factors.Config(("factor_vae",), **small))
    assert [row["family"] for row in both] == ["vae", "factor_vae"] and both[0] == first
    assert json.loads(small["out"].read_text())["rows"] == both
    other = factors.Config((), **small | {"gamma": 2.0})
    about = {k: v for k, v in vars(other).items() if k not in ("families", "out")}
    assert factors.before(small["out"], about) == []
