"""Kernels are paid for what their columns have in common, and for nothing else."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.objectives.orthogonal import orthogonal, overlaps

RNG = np.random.default_rng(0)


def by_formula(w):
    """`|W'W * (1 - I)|_F^2` of a matrix, in double precision."""
    w = np.asarray(w, np.float64).reshape(-1, w.shape[-1])
    return ((w.T @ w * (1 - np.eye(w.shape[1]))) ** 2).sum()


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (3, 3, 2, 4)])
def test_overlaps_are_their_formula(shape):
    w = RNG.standard_normal(shape)
    np.testing.assert_allclose(overlaps(jnp.asarray(w)), by_formula(w), rtol=1e-5)


def test_lengths_are_free():
    w = np.linalg.qr(RNG.standard_normal((6, 4)))[0] * [0.1, 1, 10, 3]
    assert overlaps(jnp.asarray(w, jnp.float32)) < 1e-9
    # two columns at an angle: the product appears twice
    assert overlaps(jnp.array([[1.0, 2.0], [0.0, 3.0]])) == 8


def test_a_loss_is_what_it_was_and_the_kernels_of_one_block():
    params = {
        "generator": {
            "a": {"kernel": jnp.asarray(RNG.standard_normal((3, 2))), "bias": jnp.ones(2)},
            "embedding": jnp.ones((4, 4)),
        },
        "critic": {"kernel": jnp.ones((7, 7))},
    }

    def loss(params, carry, key, batch):
        return params["generator"]["a"]["bias"].sum(), (carry + 1, {"seen": batch})

    paid = orthogonal(loss, "generator", 0.1, ("embedding",))
    value, (carry, metrics) = paid(params, 4, None, 5)
    expected = by_formula(params["generator"]["a"]["kernel"])
    np.testing.assert_allclose(value, 2 + 0.1 * expected, rtol=1e-5)
    assert carry == 5 and metrics["seen"] == 5
    slope = jax.grad(lambda p: paid(p, 4, None, 5)[0])(params)
    assert not slope["critic"]["kernel"].any() and not slope["generator"]["embedding"].any()
    # d|W'W * (1 - I)|^2 = 4 W (W'W * (1 - I))
    w = np.asarray(params["generator"]["a"]["kernel"], float)
    wanted = 0.1 * 4 * w @ (w.T @ w * (1 - np.eye(2)))
    np.testing.assert_allclose(slope["generator"]["a"]["kernel"], wanted, rtol=1e-4)


def test_parameters_in_lists_are_found_and_spared_by_their_place():
    kernels = [jnp.asarray(RNG.standard_normal((3, 2))) for _ in range(2)]

    def found(*spared):
        paid = orthogonal(lambda *inputs: (0.0, ((), {})), "generator", 1.0, spared)
        return paid({"generator": {"layers": kernels}}, (), None, None)[0]

    np.testing.assert_allclose(found(), sum(map(by_formula, kernels)), rtol=1e-5)
    np.testing.assert_allclose(found("0"), by_formula(kernels[1]), rtol=1e-5)
    assert found("layers") == 0


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_a_weight_is_a_number_at_least_zero(weight):
    with pytest.raises(ValueError, match="orthogonal: got weight"):
        orthogonal(None, "generator", weight)
