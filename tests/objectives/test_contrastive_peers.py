"""Losses and slopes of pytorch-metric-learning and info-nce-pytorch on the same embeddings."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.objectives.contrastive import clip_loss, nt_xent, sup_con

pytestmark = pytest.mark.peers
A, B = np.random.default_rng(0).normal(size=(2, 12, 6))
LABELS = np.random.default_rng(1).integers(0, 3, 24)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def agree(ours, theirs, *inputs):
    """Value and slopes, in double precision."""
    torch = pytest.importorskip("torch")
    tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
    wanted = theirs(*tensors)
    wanted.backward()
    value, slopes = jax.value_and_grad(ours, tuple(range(len(inputs))))(*map(jnp.asarray, inputs))
    assert abs(float(value) - wanted.item()) < 1e-9
    for slope, tensor in zip(slopes, tensors, strict=True):
        np.testing.assert_allclose(slope, tensor.grad.numpy(), atol=1e-9)


def test_nt_xent_is_that_of_pytorch_metric_learning():
    losses = pytest.importorskip("pytorch_metric_learning.losses")
    theirs = losses.SelfSupervisedLoss(losses.NTXentLoss(0.3))
    agree(lambda a, b: nt_xent(a, b, 0.3), theirs, A, B)


def test_sup_con_is_that_of_pytorch_metric_learning():
    losses = pytest.importorskip("pytorch_metric_learning.losses")
    torch = pytest.importorskip("torch")
    theirs, labels = losses.SupConLoss(0.3), torch.tensor(LABELS)
    z = np.concatenate([A, B])
    agree(lambda z: sup_con(z, LABELS, 0.3), lambda z: theirs(z, labels), z)


def test_clip_is_info_nce_both_ways():
    info_nce = pytest.importorskip("info_nce").info_nce
    agree(
        lambda a, b: clip_loss(a, b, -np.log(0.3)),
        lambda a, b: (info_nce(a, b, temperature=0.3) + info_nce(b, a, temperature=0.3)) / 2,
        A,
        B,
    )
