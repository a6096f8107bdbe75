"""Sampling a PixelCNN++: features kept from row to row, against a full pass for every pixel.

    taskset -c 0 python -m benchmarks.pixel_sampling        (about five minutes)

16 images of 28 x 28 at 256 levels, the network of the preset; both are one compiled program of the same
weights and uniforms, and the images must agree. CPU time, compilation apart. Bar: 50 times as fast.
"""

from __future__ import annotations

import jax
import numpy as np
import tyro

from probtransform.core import Event, Network
from probtransform.distributions import autoregressive, mixture_of_logistics
from probtransform.families.pixelcnn_pp import preset
from probtransform.networks.pixel_cnn import pixel_cnn

from .timing import Row, interleaved, publish, show

SHAPE, LEVELS, BATCH = (28, 28, 1), 256, 16


def main(rounds: int = 3) -> None:
    numbers = preset(Event(SHAPE, LEVELS))
    outputs = 3 * numbers["mixtures"]
    kept = pixel_cnn(SHAPE, LEVELS, outputs, 0, numbers["width"], numbers["depth"], reach=1)
    noise = np.random.default_rng(0)
    params = jax.tree.map(
        lambda p: p + 0.1 * noise.standard_normal(p.shape).astype("float32"),
        kept.init(jax.random.key(0)),
    )
    keys = jax.random.split(jax.random.key(1), BATCH)

    def sampler(network):
        law = mixture_of_logistics(LEVELS)
        chain = autoregressive(network, SHAPE, LEVELS, conditional=law)
        draw = jax.jit(lambda p: jax.vmap(lambda k: chain.sample({"logits": p}, k, None))(keys))
        return lambda: draw(params)

    runs = {"kept": sampler(kept), "passes": sampler(Network(kept.init, kept.apply))}
    images = [np.asarray(run()).astype(int) for run in runs.values()]
    same = float((images[0] == images[1]).mean())  # rounding may tip a symbol, and all after it
    seen = interleaved(runs, "kept", rounds)
    note = (
        f"CPU ms {1e3 * seen['kept'].cpu:.0f} / {1e3 * seen['passes'].cpu:.0f}, pixels alike {same:.4f}, "
        f"mean level {images[0].mean():.1f}"
    )
    name = "times as fast as a pass a pixel"
    publish(
        "pixel_sampling",
        [show(Row(name, seen["passes"].cpu_ratio, 50, False, note, {"times": seen}))],
        batch=BATCH,
    )


if __name__ == "__main__":
    tyro.cli(main)
