"""The comparison on binarised images, at a size of its own."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.binarised import Config, binarised, coder, main
from probtransform.data import load


def test_pixels_are_cut_at_half_of_the_brightest_level():
    train, test = binarised("digits")
    whole = load("digits")
    assert train.shape == (1437, 64) and test.shape == (360, 64) and train.dtype == np.uint8
    np.testing.assert_array_equal(train.reshape(whole.train.x.shape), whole.train.x >= 8)
    with pytest.raises(ValueError, match="moons, whose examples are reals"):
        binarised("moons")


@pytest.mark.slow
def test_every_row_beats_coins_that_do_not_know_of_one_another(tmp_path):
    small = {"seeds": 2, "steps": 400, "latent": 8, "width": 64, "samples": 5, "draws": 100}
    out = tmp_path / "rows.json"
    found = main(Config(**small, peer=False, out=out))
    assert json.loads(out.read_text())["rows"] == found["rows"]
    train, test = binarised("digits")
    rate = (train.sum(0) + 0.5) / (len(train) + 1)
    alone = (test * np.log(rate) + (1 - test) * np.log1p(-rate)).sum(1).mean()
    assert found["rows"].keys() == {"vae", "iwae", "dreg"}
    for row in found["rows"].values():
        assert len(row["nats"]) == 2 and row["nats"][0] != row["nats"][1]
        assert alone + 3 < row["mean"] < 0


@pytest.mark.peers
@pytest.mark.parametrize("kind", ["vae", "iwae"])
def test_weights_of_pythae_make_the_same_numbers_here(kind):
    torch = pytest.importorskip("torch")
    pytest.importorskip("pythae")
    from experiments.binarised_peer import as_ours, peer

    model = peer(kind, 12, 3, 8, 5)
    params = as_ours(model)["decoder"]
    way = coder(12, 3, 8).inverse
    x, z = jnp.array([0, 1] * 6, jnp.uint8), np.asarray(jax.random.normal(jax.random.key(0), (3,)))
    theirs = model.encoder(torch.tensor(np.array(x[None]), dtype=torch.float32))
    mean, log_scale = way.posterior(params, x, None)
    np.testing.assert_allclose(mean, theirs.embedding[0].detach(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        2 * log_scale, theirs.log_covariance[0].detach(), rtol=1e-4, atol=1e-5
    )
    light = model.decoder(torch.tensor(z)[None]).reconstruction[0].detach().numpy()
    wanted = np.log(np.where(np.asarray(x) == 1, light, 1 - light)).sum()
    np.testing.assert_allclose(way.log_likelihood(params, z, x, None), wanted, rtol=1e-4)
