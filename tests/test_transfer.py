"""The grid of maps and objectives: who can train what, and one row of it from end to end."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.transfer import MAPS, Config, main, models
from probtransform.core import Batch, Event, initial

CONFIG = Config()
GRID = models(CONFIG, Event((2,)))
CELLS = [(name, kind) for name, maps in GRID.items() for kind, model in maps.items() if model]


def test_all_but_bounds_of_what_has_none():
    missing = {(name, kind) for name in GRID for kind in MAPS} - set(CELLS)
    assert {kind for _, kind in missing} == {"generator"}
    assert {name for name, _ in missing} == {n for n in GRID if "likelihood" in n} != set()
    assert len(CELLS) == 24


@pytest.mark.parametrize("name, kind", [c for c in CELLS if c[1] == "decoder"])
def test_every_objective_moves_the_decoder_and_no_other_player(name, kind):
    model = GRID[name][kind]
    params = initial(model, jax.random.key(0))
    noise = jax.random.normal(jax.random.key(3), (128, 128)) / 30
    params = jax.tree.map(  # a critic that is zero would teach nothing
        lambda p: p + noise.ravel()[: p.size].reshape(p.shape), params
    )
    batch = Batch(jax.random.normal(jax.random.key(1), (16, 2)) + 1)
    assert ("critic" in model.players) == ("GAN" in name or "AA" in name)
    for player in model.players.values():
        (value, _), slopes = jax.jit(jax.value_and_grad(player.loss, has_aux=True))(
            params, (), jax.random.key(2), batch
        )
        moved = {
            b for b, s in slopes.items() if any(jnp.any(leaf != 0) for leaf in jax.tree.leaves(s))
        }
        assert np.isfinite(value) and set(player.owns) <= moved


@pytest.mark.slow
def test_a_row_from_training_to_its_table(tmp_path):
    path = tmp_path / "grid.json"
    main(Config(data=("moons",), maps=("generator",), steps=3, batch=16, results=path))
    written = json.loads(path.read_text())
    assert written["header"] == ["data: objective", "generator"]
    cells = {row[0]: row[1] for row in written["rows"]}
    assert cells["moons: likelihood"] == "no bound" and " | " in cells["moons: MMD"]
    assert len(written["cells"]) == 6 and all(cell["w2"] > 0 for cell in written["cells"])
