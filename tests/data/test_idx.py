import gzip
import struct

import numpy as np
import pytest

from probtransform.data.idx import read_idx

CONTENT = struct.pack(">BBBB3I", 0, 0, 8, 3, 2, 3, 4) + bytes(range(24))


@pytest.mark.parametrize("ending, pack", [("", bytes), (".gz", gzip.compress)])
def test_reads_bytes_of_any_rank(tmp_path, ending, pack):
    path = tmp_path / f"a-idx3-ubyte{ending}"
    path.write_bytes(pack(CONTENT))
    np.testing.assert_array_equal(read_idx(path), np.arange(24, dtype=np.uint8).reshape(2, 3, 4))


@pytest.mark.parametrize(
    "content, message",
    [
        (b"\x89PNG" + CONTENT, "got the first bytes 89 50 4e 47, wanted 00 00 08"),
        (b"\0\0\x0d" + CONTENT[3:], "got the first bytes 00 00 0d 03"),
        (CONTENT[:9], "got the first bytes 00 00 08 03"),
        (b"", "got the first bytes , wanted"),
        (CONTENT[:-1], r"got 23 bytes, wanted \(2, 3, 4\)"),
        (CONTENT + b"\0", "got 25 bytes"),
    ],
)
def test_refuses_anything_else(tmp_path, content, message):
    path = tmp_path / "a"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_idx(path)


def test_refuses_damaged_gzip(tmp_path):
    path = tmp_path / "a.gz"
    for content in (b"plain", gzip.compress(CONTENT)[:-9]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="got a damaged gzip file"):
            read_idx(path)
