"""The aligners of images and labels that `probtransform.features` ships: CLIP whose words are labels.

    python -m experiments.aligner --data digits
    python -m experiments.aligner --data fashion_mnist

Expect 98.6% of the test digits to find their label after half a minute, and 90.3% of Fashion-MNIST after
twenty, on a machine that did much else.

An image and a label are two sides of one example; each finds the other among those of its batch, where most
labels are there many times. What is learned is the ratio `p(x, y) / p(x) p(y)`, so that over all labels it is
the law `p(y | x)`: the model's distribution. The weights are written as safetensors with this command in
their metadata; `--out` says where (beside the package's code if left out).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import jax
import numpy as np
import tyro
from safetensors.numpy import save_file

from experiments.features import EPOCHS, scaled
from probtransform.core import Event, Model, Player, reading
from probtransform.data import load
from probtransform.distributions.among import among
from probtransform.features import Aligner, alignment, features_of
from probtransform.features.aligner import aligner_of, image_side, label_side
from probtransform.features.classifiers import SHIPPED
from probtransform.objectives.contrastive import (
    between_sides,
    clip_loss,
    siglip_loss,
    two_sides,
)
from probtransform.training import Recipe, averaged, fit, optimizer


@dataclass(frozen=True)
class Config:
    """epochs: how often each train image is seen."""

    data: str = "digits"
    loss: Literal["clip", "siglip"] = "clip"
    epochs: int | None = None
    batch: int = 128
    rate: float = 2e-3
    weight_decay: float = 0.02
    average: float = 0.995
    seed: int = 0
    out: Path | None = None


def model_of(event: Event, loss: str) -> Model:
    """`p(y | x) = softmax_y f(x, y)`: of the candidates `0 .. classes - 1`, the one that belongs to x."""
    images = reading(image_side(event.shape), lambda x: scaled(x, event.levels))
    labels = label_side(event.classes)
    contrast = {
        "clip": lambda a, b, own: clip_loss(a, b, own["log_scale"]),
        "siglip": lambda a, b, own: siglip_loss(a, b, own["log_scale"], own["bias"]),
    }[loss]
    begin = {"clip": (0.07, 0.0), "siglip": (0.1, -10.0)}[loss]
    law = among(two_sides(images, labels, *begin), "aligner")
    learn = between_sides(images, labels, "aligner", contrast)
    return Model(law, {"aligner": Player(("aligner",), learn)})


def train(config: Config) -> tuple[Aligner, float, float]:
    """The aligner, the share of test images that find their label, and the seconds that training took."""
    data = load(config.data, labels=True)
    epochs = config.epochs or EPOCHS[config.data]
    recipe = Recipe(
        steps=epochs * len(data.train.x) // config.batch,
        batch=config.batch,
        rate=config.rate,
        weight_decay=config.weight_decay,
        average=config.average,
    )
    fitted = fit(
        model_of(data.event, config.loss),
        optimizer(recipe),
        data.train,
        steps=recipe.steps,
        batch=recipe.batch,
        seed=config.seed,
        watch=[lambda step, state, row: print(json.dumps(row), flush=True)],
    )
    params = jax.tree.map(np.asarray, averaged(fitted.state)["aligner"])
    found = aligner_of(f"aligner-{config.data}", params, data.event.shape)
    features, _ = features_of(found.extractor, scaled(data.test.x, data.event.levels), 500)
    return found, alignment(found, features, data.test.cond).retrieved, fitted.seconds


def save(config: Config, aligner: Aligner, retrieved: float) -> Path:
    """The weights as safetensors `<side>.<layer>.<parameter>`, with what made them in the metadata."""
    leaves = jax.tree_util.tree_leaves_with_path(aligner.extractor.params)
    tensors = {".".join(step.key for step in path): np.asarray(leaf) for path, leaf in leaves}
    about = {
        "command": f"python -m experiments.aligner --data {config.data}",
        "config": json.dumps({k: v for k, v in asdict(config).items() if k != "out"}),
        "test_retrieval": f"{retrieved:.4f}",
    }
    path = config.out or SHIPPED / f"{config.data}_aligner.safetensors"
    save_file(tensors, path, about)
    return path


if __name__ == "__main__":
    config = tyro.cli(Config, description=__doc__)
    aligner, retrieved, seconds = train(config)
    path = save(config, aligner, retrieved)
    print(f"test retrieval {retrieved:.4f}, trained in {seconds:.0f} s, {path}")
