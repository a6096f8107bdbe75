"""A folder of images, its subfolders the classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

KINDS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
EIGHT_BITS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")


def images(folder: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """All images under `folder`, sorted by path: `x: uint8 [N, height, width, 1 or 3]`, and labels.

    Grey if every image is, else red, green and blue; transparency is dropped. Where the images lie
    in subfolders, the name of the first one down is the label; else the labels are None.
    Raises ValueError if there are none, some lie inside subfolders and some outside, one cannot be
    read, one has more than 8 bits a channel, or sizes differ.
    """
    from PIL import Image

    inside = [f for f in sorted(folder.rglob("*")) if f.suffix.lower() in KINDS]
    paths = [f for f in inside if not any(p.startswith(".") for p in f.relative_to(folder).parts)]
    if not paths:
        raise ValueError(
            f"{folder}: got a folder without images, wanted files ending in {', '.join(KINDS)}; "
            "put them there, or in one subfolder a class"
        )
    names = [f.relative_to(folder).parts[0] if f.parent != folder else None for f in paths]
    if None in names and any(names):
        raise ValueError(
            f"{folder}: got images both beside and inside subfolders (as {paths[names.index(None)]}),"
            " wanted all inside, a subfolder a class, or all beside; move them"
        )

    def opened(path: Path, read):
        try:
            with Image.open(path) as image:
                return read(image)
        except (OSError, SyntaxError) as error:
            raise ValueError(
                f"{path}: got a file that is no readable image, wanted one; mend or remove it"
            ) from error

    headers = [opened(path, lambda image: (image.size, image.mode)) for path in paths]
    (width, height), _ = headers[0]
    for path, (size, mode) in zip(paths, headers, strict=True):
        if size != (width, height):
            raise ValueError(
                f"{path}: got an image of {size[0]}x{size[1]} pixels, wanted {width}x{height} as "
                f"{paths[0].name} has; crop or resize all to one size"
            )
        if mode not in EIGHT_BITS:
            raise ValueError(
                f"{path}: got pixels of kind {mode}, wanted 8 bits a channel; convert it, or save "
                "the numbers as .npy"
            )
    grey = all(mode in ("1", "L", "LA") for _, mode in headers)
    pixels = [
        opened(p, lambda image: np.asarray(image.convert("L" if grey else "RGB"))) for p in paths
    ]
    x = np.stack(pixels).reshape(len(paths), height, width, 1 if grey else 3)
    return x, np.array(names) if any(names) else None
