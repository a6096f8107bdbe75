"""The idx format, in which MNIST and its kin are given out."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np


def read_idx(path: Path) -> np.ndarray:
    """The unsigned bytes of an idx file, gzipped or not: `uint8 [n]`, `[n, height, width]`, ...

    A file is the magic number `0, 0, 8, rank` (8 for unsigned bytes), then `rank` big-endian
    32-bit lengths, then the bytes, the last axis fastest. LeCun et al. (1998), yann.lecun.com/exdb/mnist.
    Raises ValueError if it is anything else, or cut short.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(
            f"{path}: got a damaged gzip file, wanted a whole one; fetch it again"
        ) from error
    magic, rank = content[:4], content[3] if len(content) > 3 else 0
    if len(magic) < 4 or magic[:3] != b"\0\0\x08" or len(content) < 4 + 4 * rank:
        raise ValueError(
            f"{path}: got the first bytes {magic.hex(' ')}, wanted 00 00 08 and the rank, as idx "
            "files of bytes have; fetch it again"
        )
    shape = tuple(np.frombuffer(content, ">u4", rank, 4).tolist())
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * rank)
    if values.size != np.prod(shape, dtype=int):
        raise ValueError(
            f"{path}: got {values.size} bytes, wanted {shape} as its head says; fetch it again"
        )
    return values.reshape(shape)
