"""Frames as a file: GIF by Pillow, MP4 by ffmpeg where the system has it."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Sequence

import numpy as np
from PIL import Image


def gif(frames: Sequence[np.ndarray], seconds: float, colours: int = 32) -> bytes:
    """An endless GIF of `u8[height, width, 3]` frames, shown for `seconds` in all.

    One palette of `colours`, that of the first and the last frame, serves all, so that what stands
    still stays still. A GIF knows hundredths of a second and browsers show none for less than two.
    """
    ends = Image.fromarray(np.concatenate([frames[0], frames[-1]]))
    palette = ends.quantize(colours, dither=Image.Dither.NONE)
    seen = [Image.fromarray(f).quantize(palette=palette, dither=Image.Dither.NONE) for f in frames]
    each = max(20, round(100 * seconds / len(frames)) * 10)
    out = io.BytesIO()
    seen[0].save(
        out, "GIF", save_all=True, append_images=seen[1:], duration=each, loop=0, optimize=False
    )
    return out.getvalue()


def mp4(frames: Sequence[np.ndarray], seconds: float, path: str) -> None:
    """Write an H.264 film of `u8[height, width, 3]` frames to `path`.

    Raises ValueError where there is no ffmpeg, OSError if it fails.
    """
    height, width = (side - side % 2 for side in frames[0].shape[:2])  # H.264 takes even sides
    command = [program(), "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{width}x{height}", "-r", f"{len(frames) / seconds:.6f}", "-i", "-"]
    command += ["-pix_fmt", "yuv420p", path]
    raw = b"".join(np.ascontiguousarray(f[:height, :width]).tobytes() for f in frames)
    done = subprocess.run(command, input=raw, capture_output=True)
    if done.returncode:
        raise OSError(f"ffmpeg could not write {path}: {done.stderr.decode(errors='replace')}")


def program() -> str:
    """Where ffmpeg is. Raises ValueError where it is not."""
    found = shutil.which("ffmpeg")
    if found is None:
        raise ValueError(
            "mp4: got no ffmpeg on this system, wanted it to write an .mp4; install it, or write a .gif"
        )
    return found
