"""Squeezing and splitting: where every number goes, and that none is lost."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.conformance import check_transform
from probtransform.transforms import affine, invert, reshape
from probtransform.transforms.actnorm import actnorm
from probtransform.transforms.squeeze import split, squeeze

KEY = jax.random.key(0)


def test_each_two_by_two_square_becomes_one_place():
    z = np.arange(4 * 6 * 3, dtype=np.float32).reshape(4, 6, 3)
    x = squeeze((4, 6, 3)).forward({}, KEY, jnp.asarray(z), None)
    assert x.shape == (2, 3, 12)
    for i in range(2):
        for j in range(3):
            np.testing.assert_array_equal(
                x[i, j], z[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].reshape(-1)
            )


def test_squeezed_and_back():
    check_transform(squeeze((4, 2, 1)), jnp.zeros((4, 2, 1)), points=20)
    check_transform(invert(squeeze((2, 2, 2))), jnp.zeros((1, 1, 8)), points=20)


def test_a_split_joins_what_went_deeper_with_what_stayed():
    step = split((1, 2, 4), reshape((1, 2, 2)))
    x = step.forward({}, KEY, jnp.arange(8.0), None)
    np.testing.assert_array_equal(x[..., :2].reshape(-1), [0, 1, 2, 3])
    np.testing.assert_array_equal(x[..., 2:].reshape(-1), [4, 5, 6, 7])


def test_the_weight_of_a_split_is_that_of_what_went_deeper():
    deeper = affine(4)
    flat = split(
        (1, 1, 8),
        deeper._replace(
            forward=lambda *at: deeper.forward(*at).reshape(1, 1, 4),
            inverse=type(deeper.inverse)(
                lambda p, k, x, c: deeper.inverse.fn(p, k, x.reshape(4), c)
            ),
            joint=None,
        ),
    )
    check_transform(flat, jnp.zeros(8), points=50)
    params = deeper.init(KEY) | {"log_diagonal": jnp.arange(4.0)}
    assert flat.inverse.fn(params, KEY, jnp.ones((1, 1, 8)), None)[1] == -6.0


@pytest.mark.parametrize("shape", [(3, 2, 1), (2, 5, 1), (0, 2, 1)])
def test_squeeze_wants_even_sides(shape):
    with pytest.raises(
        ValueError,
        match=r"squeeze: got images of shape .* wanted a height and width divisible by 2",
    ):
        squeeze(shape)


def test_split_wants_an_even_number_of_channels():
    with pytest.raises(ValueError, match="split: got 3 channels"):
        split((2, 2, 3), actnorm((2, 2, 1)))


def test_a_wrong_example_is_named():
    for step in (squeeze((2, 2, 1)), split((2, 2, 2), reshape((2, 2, 1)))):
        with pytest.raises(ValueError, match=r"got an example of .*, wanted .*; "):
            step.inverse.fn({}, KEY, jnp.zeros((3, 3, 3)), None)
