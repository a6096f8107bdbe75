import json

import numpy as np
import pytest

from probtransform.core.model import Batch
from probtransform.data.stream import as_batch, stream

SIZE = 23


class Squares:
    def __len__(self):
        return SIZE

    def __getitem__(self, i):
        return np.full((2,), i, np.float32), np.int32(i * i)


def read(iterator, count):
    return [next(iterator) for _ in range(count)]


def firsts(batches):
    return np.concatenate([batch.x[:, 0] for batch in batches]).astype(int)


def test_batches_of_examples_with_their_conditions():
    (batch,) = read(stream(Squares(), batch=5, seed=0), 1)
    assert isinstance(batch, Batch) and batch.x.shape == (5, 2) and batch.cond.shape == (5,)
    np.testing.assert_array_equal(batch.x[:, 0] ** 2, batch.cond)


def test_each_epoch_holds_everything_in_an_order_of_its_own():
    seen = firsts(read(stream(Squares(), batch=1, seed=3), 2 * SIZE))
    assert sorted(seen[:SIZE]) == sorted(seen[SIZE:]) == list(range(SIZE))
    assert list(seen[:SIZE]) != list(seen[SIZE:])
    assert list(seen) != list(firsts(read(stream(Squares(), batch=1, seed=4), 2 * SIZE)))


def test_a_restored_iterator_goes_on_as_if_never_stopped():
    whole = stream(Squares(), batch=4, seed=1)
    read(whole, 7)
    state = json.loads(json.dumps(whole.get_state()))
    rest = read(whole, 9)
    fresh = stream(Squares(), batch=4, seed=1)
    fresh.set_state(state)
    np.testing.assert_array_equal(firsts(read(fresh, 9)), firsts(rest))


def test_shards_are_disjoint_and_make_up_the_whole():
    parts = [firsts(read(stream(Squares(), batch=2, seed=5, shard=(k, 2)), 12)) for k in (0, 1)]
    one = firsts(read(stream(Squares(), batch=4, seed=5), 12))
    np.testing.assert_array_equal(np.stack(parts, -1).ravel(), one)
    assert sorted([*parts[0][:12], *parts[1][:11]]) == list(range(SIZE))


def test_what_a_source_may_give():
    assert as_batch((1, 2)) == Batch(1, 2) and as_batch(3) == Batch(3)
    assert as_batch({"image": 1, "label": 2}) == Batch(1, 2) and as_batch({"x": 1}) == Batch(1)
    with pytest.raises(ValueError, match=r"got an example with \['pixels'\], wanted `x`"):
        as_batch({"pixels": 1})


def test_refuses():
    with pytest.raises(ValueError, match="got shard 2 of 2, wanted 0 to 1"):
        stream(Squares(), batch=2, seed=0, shard=(2, 2))
    for batch in (0, 24):
        with pytest.raises(ValueError, match=f"got a batch of {batch} from 23 examples"):
            stream(Squares(), batch=batch, seed=0)
