"""One's own data: every format, and every sentence said when it cannot be read."""

import numpy as np
import pandas
import pytest
from PIL import Image

from probtransform.data.load import load

RNG = np.random.default_rng(0)
REALS = RNG.normal([5, -3, 0], [2, 0.1, 30], (50, 3))


def whole(data, field):
    """Train and test put back in the order of the file."""
    both = np.concatenate([getattr(data.train, field), getattr(data.test, field)])
    size = len(both)
    back = np.empty_like(both)
    back[np.random.default_rng(data.about["seed"]).permutation(size)] = both
    return back


def unscaled(data):
    scaling = data.about["scaling"]
    return whole(data, "x") * scaling["scale"] + scaling["mean"]


def write(tmp_path, kind, x, labels=None):
    path = tmp_path / f"data{kind}"
    if kind == ".npy":
        np.save(path, x)
    elif kind == ".npz":
        np.savez(path, x=x, **({} if labels is None else {"y": labels}))
    else:
        frame = pandas.DataFrame(x, columns=["a", "b", "c"])
        if labels is not None:
            frame.insert(1, "label", labels)
        if kind == ".csv":
            frame.to_csv(path, index=False)
        else:
            frame.to_parquet(path)
    return str(path)


@pytest.mark.parametrize("kind", [".npy", ".npz", ".csv", ".parquet"])
def test_vectors_come_standardised_by_their_train_part(tmp_path, kind):
    name = write(tmp_path, kind, REALS)
    data = load(name)
    assert data.event == ((3,), None, 0) and data.train.cond is None and data.name == name
    assert data.train.x.shape == (40, 3) and data.test.x.shape == (10, 3)
    assert data.train.x.dtype == data.test.x.dtype == np.float32
    np.testing.assert_allclose(data.train.x.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(data.train.x.std(0), 1, atol=1e-5)
    np.testing.assert_allclose(unscaled(data), REALS, rtol=1e-4, atol=1e-4)
    train = REALS[np.random.default_rng(0).permutation(50)[:40]]
    np.testing.assert_allclose(data.about["scaling"]["mean"], train.mean(0), rtol=1e-6)
    assert (data.about["train"], data.about["test"], data.about["source"]) == (40, 10, name)
    assert "numpy.random.default_rng(0).permutation(50)" in data.about["split"]


def test_another_seed_is_another_split(tmp_path):
    name = write(tmp_path, ".npy", REALS)
    first, second = load(name, seed=1), load(name, seed=2)
    assert not np.allclose(first.train.x, second.train.x)
    np.testing.assert_allclose(unscaled(first), unscaled(second), atol=1e-4)


@pytest.mark.parametrize("kind", [".npz", ".csv", ".parquet"])
@pytest.mark.parametrize("words", [True, False])
def test_labels_are_conditions_if_asked_for(tmp_path, kind, words):
    values = np.array(["cat", "bee", "dog"]) if words else np.array([7, 3, 11])
    labels = values[np.arange(50) % 3]
    name = write(tmp_path, kind, REALS, labels)
    data = load(name, labels=True)
    assert data.event == ((3,), None, 3) and data.train.cond.dtype == np.int32
    assert data.about["labels"] == (["bee", "cat", "dog"] if words else ["3", "7", "11"])
    np.testing.assert_array_equal(whole(data, "cond"), np.array([1, 0, 2])[np.arange(50) % 3])
    without = load(name)
    assert without.event.classes == without.about["classes"] == 0 and without.test.cond is None
    np.testing.assert_array_equal(without.train.x, data.train.x)


def test_columns_keep_their_names(tmp_path):
    data = load(write(tmp_path, ".csv", REALS))
    assert data.about["scaling"]["columns"] == ["a", "b", "c"]


@pytest.mark.parametrize("shape, event", [((12, 5, 4), (5, 4, 1)), ((12, 5, 4, 3), (5, 4, 3))])
def test_bytes_of_rank_three_or_more_are_images(tmp_path, shape, event):
    pixels = RNG.integers(0, 256, shape, dtype=np.uint8)
    data = load(write(tmp_path, ".npy", pixels))
    assert data.event == (event, 256, 0) and data.train.x.dtype == np.uint8
    assert data.about["scaling"] is None
    np.testing.assert_array_equal(whole(data, "x"), pixels.reshape(12, *event))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, bool])
def test_other_numbers_are_reals(tmp_path, dtype):
    x = RNG.integers(0, 2, (40, 4)).astype(dtype)
    data = load(write(tmp_path, ".npy", x))
    assert data.event == ((4,), None, 0)
    np.testing.assert_allclose(unscaled(data), x, atol=1e-5)


def test_a_row_of_numbers_and_real_images(tmp_path):
    assert load(write(tmp_path, ".npy", REALS[:, 0])).event.shape == (1,)
    x = RNG.normal([1, 2], [3, 4], (20, 6, 5, 2))
    data = load(write(tmp_path, ".npy", x))
    assert data.event.shape == (6, 5, 2) and len(data.about["scaling"]["mean"]) == 2
    np.testing.assert_allclose(unscaled(data), x, atol=1e-4)


def test_an_archive_of_one_array_by_any_name(tmp_path):
    np.savez(tmp_path / "a.npz", anything=REALS)
    np.testing.assert_allclose(unscaled(load(str(tmp_path / "a.npz"))), REALS, atol=1e-4)


def test_the_home_folder_is_meant_by_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path, ".npy", REALS)
    assert load("~/data.npy").train.x.shape == (40, 3)


def with_nan(x):
    x = x.copy()
    x[17, 1] = x[30, 2] = np.nan
    x[40, 0] = np.inf
    return x


@pytest.mark.parametrize("kind", [".npy", ".csv", ".parquet"])
@pytest.mark.parametrize(
    "x, message",
    [
        (with_nan(REALS), r"got 3 values that are NaN or infinite, the first in row 17 \(counting"),
        (REALS[:1], "got 1 examples, wanted at least 10"),
        (REALS[:9], "got 9 examples, wanted at least 10"),
    ],
)
def test_refuses_what_cannot_be_learned(tmp_path, kind, x, message):
    with pytest.raises(ValueError, match=message):
        load(write(tmp_path, kind, x))


@pytest.mark.parametrize("kind, column", [(".npy", "1"), (".csv", "b")])
def test_refuses_columns_that_never_vary(tmp_path, kind, column):
    x = REALS.copy()
    x[:, 1] = 0.1
    with pytest.raises(ValueError, match=rf"got columns \['{column}'\] that never vary"):
        load(write(tmp_path, kind, x))


@pytest.mark.parametrize(
    "x, message",
    [
        (np.array([{}, None] * 20), "pickled objects are never read"),
        (np.array(["a", "b"] * 20), "got values of type <U1, wanted real numbers"),
        (REALS + 1j, "got values of type complex128"),
        (np.zeros((0, 3)), r"got an array of shape \(0, 3\)"),
        (np.zeros((20, 0)), r"got an array of shape \(20, 0\)"),
        (np.float64(3.0), r"got an array of shape \(\)"),
    ],
)
@pytest.mark.parametrize("kind", [".npy", ".npz"])
def test_refuses_arrays_that_are_not_numbers(tmp_path, kind, x, message):
    path = tmp_path / f"data{kind}"
    if kind == ".npy":
        np.save(path, x, allow_pickle=True)
    else:
        np.savez(path, x=x)
    with pytest.raises(ValueError, match=message):
        load(str(path))


@pytest.mark.parametrize("kind", [".npy", ".npz"])
@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x04N.", b"PK\x03\x04 cut short"])
def test_refuses_files_that_are_no_arrays(tmp_path, kind, content):
    path = tmp_path / f"a{kind}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="got no plain numpy array"):
        load(str(path))


def test_refuses_an_archive_without_x(tmp_path):
    np.savez(tmp_path / "a.npz", first=REALS, second=REALS)
    with pytest.raises(ValueError, match=r"got arrays \['first', 'second'\], wanted one array, or"):
        load(str(tmp_path / "a.npz"))


@pytest.mark.parametrize(
    "labels, message",
    [
        (np.zeros(49, int), r"got labels of shape \(49,\) for 50 examples, wanted \(50,\)"),
        (np.full(50, 0.5), "got labels of type float64, or with gaps"),
    ],
)
def test_refuses_labels_that_are_none(tmp_path, labels, message):
    with pytest.raises(ValueError, match=message):
        load(write(tmp_path, ".npz", REALS, labels), labels=True)


@pytest.mark.parametrize("labels", [[None, "a"] * 25, [np.nan, 1.0] * 25])
def test_refuses_labels_with_gaps(tmp_path, labels):
    with pytest.raises(ValueError, match="or with gaps, wanted a whole number or a word"):
        load(write(tmp_path, ".csv", REALS, labels), labels=True)


@pytest.mark.parametrize("kind", [".csv", ".parquet"])
def test_refuses_columns_of_words(tmp_path, kind):
    frame = pandas.DataFrame({"a": REALS[:, 0], "town": ["here"] * 50, "day": ["now"] * 50})
    path = tmp_path / f"a{kind}"
    frame.to_csv(path, index=False) if kind == ".csv" else frame.to_parquet(path)
    with pytest.raises(ValueError, match=r"got columns \['town', 'day'\] that are not numeric"):
        load(str(path))


def test_refuses_a_table_without_names(tmp_path):
    np.savetxt(tmp_path / "a.csv", REALS, delimiter=",")
    with pytest.raises(ValueError, match="where names of columns belong"):
        load(str(tmp_path / "a.csv"))


@pytest.mark.parametrize("kind", [".csv", ".parquet"])
@pytest.mark.parametrize("content", [b"", b'a,b\n1,"2\n3', b"\xff\xfe\x00\x01"])
def test_refuses_files_that_are_no_tables(tmp_path, kind, content):
    path = tmp_path / f"a{kind}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"got a file that is no {kind} table"):
        load(str(path))


def test_refuses_what_is_not_there_or_not_known(tmp_path):
    for name in (str(tmp_path / "nothing"), "nothing.csv", "./nothing"):
        with pytest.raises(ValueError, match=r"nothing.*: got no file or folder there"):
            load(name)
    (tmp_path / "a.mat").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"got a file ending in '.mat', wanted .npy, .npz, .csv"):
        load(str(tmp_path / "a.mat"))
    (tmp_path / "bare").write_bytes(b"x")
    with pytest.raises(ValueError, match="got a file ending in 'nothing'"):
        load(str(tmp_path / "bare"))
    with pytest.raises(ValueError, match="got labels=True for data without labels"):
        load(write(tmp_path, ".npy", REALS), labels=True)


# Folders of images.


def paint(path, mode="RGB", size=(7, 5)):
    path.parent.mkdir(exist_ok=True)
    shape = (size[1], size[0], *((len(mode),) if len(mode) > 1 else ()))
    pixels = RNG.integers(0, 256, shape, dtype=np.uint8)
    Image.fromarray(pixels, mode if mode in ("LA",) else None).save(path)
    return pixels


def test_a_folder_of_images_sorted_by_name(tmp_path):
    pixels = [paint(tmp_path / f"{i:02}.png") for i in range(12)]
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / ".hidden.png").write_bytes(b"nor this")
    data = load(str(tmp_path))
    assert data.event == ((5, 7, 3), 256, 0) and data.train.x.dtype == np.uint8
    np.testing.assert_array_equal(whole(data, "x"), np.stack(pixels))
    with pytest.raises(ValueError, match="got labels=True for data without labels"):
        load(str(tmp_path), labels=True)


def test_subfolders_are_classes_and_grey_stays_grey(tmp_path):
    pixels = [paint(tmp_path / c / f"{i}.png", "L") for c in ("ant", "bee") for i in range(6)]
    data = load(str(tmp_path), labels=True)
    assert data.event == ((5, 7, 1), 256, 2) and data.about["labels"] == ["ant", "bee"]
    np.testing.assert_array_equal(whole(data, "x")[..., 0], np.stack(pixels))
    np.testing.assert_array_equal(whole(data, "cond"), [0] * 6 + [1] * 6)
    assert load(str(tmp_path)).train.cond is None


def test_one_colour_image_makes_all_coloured(tmp_path):
    grey = [paint(tmp_path / f"{i:02}.png", "L") for i in range(11)]
    paint(tmp_path / "z.png", "RGBA")
    x = whole(load(str(tmp_path)), "x")
    assert x.shape == (12, 5, 7, 3)
    np.testing.assert_array_equal(x[3], np.repeat(grey[3][..., None], 3, -1))


def test_many_kinds_of_files(tmp_path):
    for i, kind in enumerate(["jpg", "jpeg", "bmp", "webp", "tiff", "PNG"] * 2):
        paint(tmp_path / f"{i}.{kind}")
    assert load(str(tmp_path)).event.shape == (5, 7, 3)


def test_refuses_folders(tmp_path):
    with pytest.raises(ValueError, match="got a folder without images, wanted files ending in"):
        load(str(tmp_path))
    for i in range(10):
        paint(tmp_path / "inside" / f"{i}.png")
    paint(tmp_path / "inside" / "odd.png", size=(7, 6))
    with pytest.raises(
        ValueError, match=r"odd.png: got an image of 7x6 pixels, wanted 7x5 as 0.png"
    ):
        load(str(tmp_path))
    (tmp_path / "inside" / "odd.png").write_bytes(b"broken")
    with pytest.raises(ValueError, match=r"odd.png: got a file that is no readable image"):
        load(str(tmp_path))
    Image.fromarray(np.zeros((5, 7), np.uint16)).save(tmp_path / "inside" / "odd.png")
    with pytest.raises(ValueError, match=r"odd.png: got pixels of kind I;16, wanted 8 bits"):
        load(str(tmp_path))
    paint(tmp_path / "inside" / "odd.png")
    whole_file = (tmp_path / "inside" / "odd.png").read_bytes()
    (tmp_path / "inside" / "odd.png").write_bytes(whole_file[:-40])
    with pytest.raises(ValueError, match=r"odd.png: got a file that is no readable image"):
        load(str(tmp_path))
    (tmp_path / "inside" / "odd.png").write_bytes(whole_file)
    paint(tmp_path / "beside.png")
    with pytest.raises(ValueError, match="both beside and inside subfolders"):
        load(str(tmp_path))
