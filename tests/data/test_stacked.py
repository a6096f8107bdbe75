"""Stacked images: channels are images of the part they come from, labels those of the channels."""

import numpy as np
import pytest

from probtransform.core import Batch, Event
from probtransform.data import Data, stacked


def labelled(n=40, levels=17, classes=10, channels=1):
    """Images that tell which they are: all entries of train image i are i, of test image i, 100 + i."""
    label = np.arange(n, dtype=np.int32) % classes
    x = np.broadcast_to(np.arange(n)[:, None, None, None], (n, 4, 3, channels)).astype(np.uint8)
    about = {"source": "here", "labels": [f"d{i}" for i in range(classes)]}
    event = Event((4, 3, channels), levels, classes)
    return Data("ones", event, Batch(x, label), Batch(x + 100, label), about)


def test_channels_are_images_and_labels_theirs():
    found = stacked(labelled(), train=200, test=50)
    assert found.event == Event((4, 3, 3), 17, 1000) and found.name == "stacked_ones"
    for part, shift, count in ((found.train, 0, 200), (found.test, 100, 50)):
        assert part.x.shape == (count, 4, 3, 3) and part.x.dtype == np.uint8
        assert (part.x == part.x[:, :1, :1]).all()  # no image is cut
        which = part.x[:, 0, 0].astype(int) - shift
        assert which.min() >= 0 and which.max() < 40
        np.testing.assert_array_equal(part.cond, which % 10 @ [100, 10, 1])
        assert found.about["labels"][part.cond[0]] == " ".join(f"d{i % 10}" for i in which[0])


def test_draws_are_even_independent_and_repeatable():
    found = stacked(labelled(), train=40_000, test=10)
    which = found.train.x[:, 0, 0].astype(int)
    for channel in which.T:
        share = np.bincount(channel, minlength=40)
        assert (abs(share - 1000) < 5 * np.sqrt(1000)).all()
    assert (abs(np.corrcoef(which.T)[np.triu_indices(3, 1)]) < 5 / np.sqrt(40_000)).all()
    again, other = (stacked(labelled(), 40_000, 10, seed).train.x for seed in (0, 1))
    np.testing.assert_array_equal(again, found.train.x)
    assert (other != found.train.x).any()


def test_without_labels_there_are_none():
    data = labelled()
    bare = data._replace(
        event=data.event._replace(classes=0), train=Batch(data.train.x), test=Batch(data.test.x)
    )
    found = stacked(bare, 5, 5)
    assert found.train.cond is None and found.event.classes == 0 and found.about["labels"] == []


def test_images_of_several_channels_are_refused():
    with pytest.raises(
        ValueError, match=r"stacked: got examples of shape \(4, 3, 2\), wanted images"
    ):
        stacked(labelled(channels=2))
