"""Four games of images at equal budget, labels obeyed, and what truncation buys.

    python -m experiments.fashion_gans
    python -m experiments.fashion_gans --data digits --images 200000 --width 16 --count 360

Every critic makes as many updates, so that one that moves five times for each step of its generator, on one
batch, as that of WGAN-GP, comes to a fifth of the steps. Fréchet distances are of the features of the
classifier that comes with the package, between as many samples and test images, beside the floor of training
images; one network size for all, in the architecture of each. Labels are obeyed as far as that classifier
reads them off samples of a BigGAN. Precision and recall are in the same features, along the truncation of its
latents and of the styles of a StyleGAN2.

Expect, of seed 0 with `--width 8 --images 768000 --count 2000 --which games`, floor 1.5, as so many images
were seen in updates of each critic, and minutes of a core in the end:

    images                   96000    192000    384000    768000    minutes
    R3GAN                     41.2      24.4      12.1       6.3         48
    hinge, spectral norm      57.5      19.6      10.9       6.7         21
    WGAN-GP                  128.4      81.2      35.8      22.6         17
    DCGAN                     80.3      58.4      45.7      47.0         13

The two in front are apart by less than 2000 draws tell: of 10,000, and of two keys, R3GAN's have 5.0 and 5.4,
those of the hinge game 5.5 and 5.8. Of two more, `--seed 1` and `--seed 2` with `--count 10000`, where the
floor is 0.2, and the order the same:

    R3GAN                     38.2      27.0      13.0       4.8         49
    hinge, spectral norm      59.5      24.5      11.1       6.1         19
    WGAN-GP                  116.1      69.9      37.2      22.1         20
    DCGAN                    139.5     135.8     163.5     173.2         13

    R3GAN                     39.5      21.7      12.6       4.5         48
    hinge, spectral norm      51.8      21.0       9.5       4.9         23
    WGAN-GP                  138.7      86.3      43.0      25.7         19
    DCGAN                     93.3      68.6      49.5      43.2         16

Another run of seed 0, of other rounding, had 10.4 and 9.5 at 384,000 images where this one has 12.1 and 10.9.
By `--gamma`, at as many of that run, R3GAN has 14.8 at 0.1, 11.6 at 1, 10.6 at 3, 10.4 at 10 and 11.4 at 30.
WGAN-GP's generator makes a fifth of the others' steps.

With `--width 8 --images 384000 --count 10000 --which labels --seeds 3`, ten minutes a seed, BigGAN comes to
10.4, 7.0 and 7.2; its labels are read off 90.1 +- .2% of its samples, off 92.0% of test images: 97.7, 97.5
and 98.3% of those. Truncated, precision rises all the way in every seed; the means are

    threshold     2.0     1.5     1.0     0.7     0.4
    precision     0.944   0.953   0.965   0.969   0.974
    recall        0.37    0.27    0.11    0.04    0.01
    accuracy      92.1%   94.0%   96.5%   98.1%   99.4%

With `--which styles` instead, eighteen minutes a seed, a StyleGAN2 whose styles are drawn to their mean does
the same in every seed; the means are

    psi           1.0     0.85    0.7     0.5     0.3
    precision     0.867   0.890   0.908   0.931   0.958
    recall        0.13    0.10    0.07    0.03    0.01

Of 2000 draws, one curve of each fell somewhere, by .002 and .005, less than so few tell. The seeds of both
tables were commands of their own, `--seed 0`, 1 and 2, put in one file, and so were the entrants of a game's
seeds, `--entrants`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import jax
import numpy as np
import optax
import tyro

from probtransform.core import Event, Model, sample_many
from probtransform.data import Data, load
from probtransform.distributions.truncated import truncated
from probtransform.evaluation import frechet_distance, moments, precision_recall
from probtransform.evaluation.measure import seen_by
from probtransform.families import biggan, dcgan, r3gan, stylegan2
from probtransform.families.image_game import generated, image_game, image_of
from probtransform.features import usual
from probtransform.networks import resnet_gan, spectral
from probtransform.objectives.adversarial import gradient_penalty, hinge, wasserstein
from probtransform.training import averaged, fit
from probtransform.training.average import average

from .spread import of_rows


@dataclass(frozen=True)
class Config:
    """images: in the updates of each critic, all told.  count: samples that are judged.
    gamma: what R3GAN pays for slopes.  which: the parts to run, of `games`, `labels` and `styles`.
    entrants: the games to play.  seeds, seed: how many, and the first of them."""

    data: str = "fashion_mnist"
    seeds: int = 1
    seed: int = 0
    images: int = 1_000_000
    batch: int = 64
    latent: int = 64
    width: int = 32
    rate: float = 1e-3
    decay: float = 0.995
    gamma: float = 10.0
    count: int = 5000
    which: tuple[str, ...] = ("games", "labels", "styles")
    entrants: tuple[str, ...] = ("r3gan", "hinge, spectral norm", "wgan-gp", "dcgan")
    out: Path | None = None


THRESHOLDS = (2.0, 1.5, 1.0, 0.7, 0.4)
PSIS = (1.0, 0.85, 0.7, 0.5, 0.3)


def games(config: Config) -> dict[str, tuple[Callable[[Event], Model], int]]:
    """`{name: (event -> model, critic steps)}`, in the order that is expected of their distances."""

    def residual(wrap, game, penalties, critic_steps):
        def build(event):
            shape, width = image_of(event), config.width
            law = generated(
                event, config.latent, resnet_gan.generator(shape, config.latent, 0, width)
            )
            critic = wrap(resnet_gan.critic(shape, 0, width))
            return image_game(event, law, critic, game, penalties, critic_steps)

        return build, critic_steps

    sizes = (config.latent, config.width)
    return {
        "r3gan": (lambda event: r3gan.r3gan(event, *sizes, penalty=config.gamma), 1),
        "hinge, spectral norm": residual(spectral, hinge, [], 1),
        "wgan-gp": residual(lambda network: network, wasserstein, [gradient_penalty(10.0)], 5),
        "dcgan": (lambda event: dcgan.dcgan(event, *sizes), 1),
    }


def trained(config: Config, model: Model, critic_steps: int, data: Data, seed: int, midway=None):
    """The averaged parameters after `images` images, and the seconds they took.

    `midway(images, params)` is called as an eighth, a quarter and a half of them were seen."""
    tx = optax.chain(optax.adam(config.rate, b1=0.0, b2=0.99), average(config.decay))
    steps = config.images // (config.batch * critic_steps)
    due = [steps // 8, steps // 4, steps // 2]
    began = time.monotonic()

    def look(step, state, metrics):
        if midway is not None and due and step >= due[0]:
            due.pop(0)
            midway(step * config.batch * critic_steps, averaged(state))

    sizes = {"steps": steps, "batch": config.batch}
    fitted = fit(model, tx, data.train, seed=seed, watch=(look,), **sizes)
    return jax.block_until_ready(averaged(fitted.state)), time.monotonic() - began


def main(config: Config) -> list[dict]:
    extractor, rows = usual(config.data), []
    if extractor is None:
        raise ValueError(
            f"fashion_gans: got {config.data!r}, wanted data with a classifier that reads its labels; "
            "pass fashion_mnist or digits"
        )
    plain, labelled = load(config.data), load(config.data, labels=True)
    event = plain.event
    count = min(config.count, len(plain.test.x))

    def features(x):
        return seen_by(extractor, x, event)[0]

    real = features(plain.test.x[:count])

    def distance(x) -> float:
        return frechet_distance(moments(features(x)), moments(real))

    def tell(**row):
        rows.append(row)
        print(json.dumps(row), flush=True)
        if config.out is not None:  # what is done is kept if the rest is interrupted
            config.out.parent.mkdir(parents=True, exist_ok=True)
            table = {"config": asdict(config), "rows": rows}
            if config.seeds > 1:
                table["spread"] = over_seeds(rows)
            config.out.write_text(json.dumps(table, default=str, indent=1) + "\n")

    tell(part="floor", distance=distance(plain.train.x[:count]), count=count)
    for seed in range(config.seed, config.seed + config.seeds):
        key = jax.random.key(1000 + seed)
        for name in config.entrants if "games" in config.which else ():
            build, critic_steps = games(config)[name]
            model = build(event)
            draw = partial(sample_many, model.distribution, key=key, count=count)
            about = {"part": "games", "model": name, "seed": seed}

            def game(images, params, draw=draw, about=about, **numbers):
                tell(**about, images=images, distance=distance(draw(params=params)), **numbers)

            params, seconds = trained(config, model, critic_steps, plain, seed, game)
            game(config.images, params, seconds=seconds)
        if "labels" in config.which:
            labels(config, labelled, extractor, real, key, seed, count, distance, tell)
        if "styles" in config.which:
            styles(config, plain, features, real, key, seed, count, tell)
    return rows


def over_seeds(rows: list[dict]) -> list[dict]:
    """What each setting measured, as a mean over seeds and its standard error."""
    settings = ("part", "model", "images", "threshold", "psi")
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        setting = {name: row[name] for name in settings if name in row}
        found = {name: row[name] for name in row if name not in {*settings, "seed"}}
        groups.setdefault(tuple(setting.items()), []).append(found)
    return [dict(setting) | of_rows(found) for setting, found in groups.items()]


def labels(config, data, extractor, real, key, seed, count, distance, tell) -> None:
    """How often the classifier reads the label that was asked for, beside how often on real images."""
    model = biggan.biggan(data.event, config.latent, config.width, critic_steps=2)
    params, seconds = trained(config, model, 2, data, seed)
    cond = data.test.cond[:count]

    def right(x) -> float:
        return float((seen_by(extractor, x, data.event)[1].argmax(1) == np.asarray(cond)).mean())

    drawn = sample_many(model.distribution, params, key, count, cond)
    accuracy, best = right(drawn), right(data.test.x[:count])
    numbers = {"accuracy": accuracy, "real": best, "ratio": accuracy / best, "seconds": seconds}
    tell(part="labels", model="biggan", seed=seed, distance=distance(drawn), **numbers)
    for threshold in THRESHOLDS:
        law = truncated(model.distribution, threshold)
        drawn = sample_many(law, params, key, count, cond)
        seen = precision_recall(real, seen_by(extractor, drawn, data.event)[0])
        found = {"precision": seen.precision, "recall": seen.recall, "accuracy": right(drawn)}
        tell(part="truncation", model="biggan", seed=seed, threshold=threshold, **found)


def styles(config, data, features, real, key, seed, count, tell) -> None:
    """Precision and recall as styles are drawn to their mean."""
    sizes = {"latent": config.latent, "width": config.width}
    model = stylegan2.stylegan2(data.event, **sizes, penalty=0.1)
    params, seconds = trained(config, model, 1, data, seed)
    for psi in PSIS:
        law = stylegan2.truncated(data.event, psi, **sizes)
        seen = precision_recall(real, features(sample_many(law, params, key, count)))
        found = {"precision": seen.precision, "recall": seen.recall, "seconds": seconds}
        tell(part="truncation", model="stylegan2", seed=seed, psi=psi, **found)


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
