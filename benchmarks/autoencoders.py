"""Autoencoders against pythae, the same weights and work on the same machine, turn by turn.

    PEERS/bin/python -m benchmarks.autoencoders        (about five minutes)

where PEERS is a virtual environment with this package and `pip install torch==2.13.0 pythae`. A network
784-400-20, a coin for each pixel, batch 128, Adam 1e-3: a step of the VAE, a step of the bound of 50 draws,
and the likelihood of test images from 500 importance weights. Both begin at pythae's weights; likelihoods
are compared. Bars: 2.5, 2.2 and 5 times as fast. Nearly all is products of matrices, .5, 12.6 and 6.5 GFLOP,
and they bound the ratios: neither library's run faster than the machine's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
import tyro

from experiments.binarised import Config as Sizes
from experiments.binarised import judged, models
from experiments.binarised_peer import as_ours, peer, stepping
from probtransform.core import Batch
from probtransform.training import learner

from .timing import Row, interleaved, publish, show


@dataclass(frozen=True)
class Config:
    """steps: in one run of the VAE; the bound of many draws takes a tenth.  publish: write the results."""

    d: int = 784
    batch: int = 128
    latent: int = 20
    width: int = 400
    samples: int = 50
    draws: int = 500
    images: int = 20
    steps: int = 100
    rounds: int = 9
    publish: bool = True


def ratio(name: str, ours, theirs, bar: float, rounds: int, detail) -> Row:
    """How many times as fast ours is, by wall-clock minima."""
    times = interleaved({"pythae": theirs, "ours": ours}, "ours", rounds)
    found = times["pythae"]
    note = f"pairs {found.pairs:.2f}, CPU {found.cpu_ratio:.2f}"
    return show(Row(name, found.ratio, bar, False, note, {"times": times, **detail}))


def step_row(kind: str, ours: str, config: Config, bar: float, steps: int) -> Row:
    """A step of training: ours in one program, as `fit` runs them, theirs one after another from Python."""
    torch.manual_seed(0)
    model = peer(kind, config.d, config.latent, config.width, config.samples)
    sizes = Sizes(latent=config.latent, width=config.width, samples=config.samples)
    x = np.random.default_rng(0).integers(0, 2, (config.batch, config.d)).astype(np.uint8)
    learn = learner(models(config.d, sizes)[ours], optax.adam(1e-3))
    state = learn.init(jax.random.key(0))
    box = [state._replace(params=state.params | as_ours(model))]
    key, batch, seen = jax.random.key(1), Batch(jnp.asarray(x)), {}
    update, images = stepping(model, 1e-3), torch.tensor(x, dtype=torch.float32)

    @partial(jax.jit, donate_argnums=0)
    def many(state):
        # the first gives the loop its metrics to carry
        first = learn.step(state, key, batch)
        return jax.lax.fori_loop(1, steps, lambda i, s: learn.step(s[0], key, batch), first)

    def run_ours():
        box[0], metrics = many(box[0])
        seen["ours"] = float(jax.block_until_ready(metrics)["nats"])

    def run_theirs():
        for _ in range(steps):
            loss = update(images)
        seen["pythae"] = float(loss.detach())

    row = ratio(f"{ours}, a step", run_ours, run_theirs, bar, config.rounds, {"steps": steps})
    each = {name: 1e3 * t.wall / steps for name, t in row.detail["times"].items()}
    print(f"  {each['ours']:.2f} and {each['pythae']:.2f} ms a step, losses {seen}")
    return row


def likelihood_row(config: Config, bar: float) -> Row:
    """`log p(x)` of test images, `draws` importance weights each, weights shared."""
    torch.manual_seed(0)
    model = peer("vae", config.d, config.latent, config.width, config.samples)
    sizes = Sizes(latent=config.latent, width=config.width, draws=config.draws)
    x = np.random.default_rng(1).integers(0, 2, (config.images, config.d)).astype(np.uint8)
    images = torch.tensor(x, dtype=torch.float32)
    nats = judged(models(config.d, sizes)["vae"].distribution, x)
    params = as_ours(model)

    def theirs():
        with torch.no_grad():
            return model.get_nll(images, n_samples=config.draws, batch_size=100)

    found = {"ours": nats(params), "pythae": float(theirs())}
    row = ratio("likelihood", lambda: nats(params), theirs, bar, config.rounds, {"nats": found})
    print(f"  log p(x) {found}")
    return row


def main(config: Config) -> None:
    rows = [
        step_row("vae", "vae", config, 2.5, config.steps),
        step_row("iwae", "iwae", config, 2.2, max(config.steps // 10, 1)),
        step_row("iwae", "dreg", config, 2.2, max(config.steps // 10, 1)),
        likelihood_row(config, 5.0),
    ]
    if config.publish:
        publish("autoencoders", rows, torch=torch.__version__, threads=torch.get_num_threads())


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
