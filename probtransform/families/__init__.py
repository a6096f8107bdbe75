"""The registry: one function from an `Event` to a `Model` a family, a line each."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from . import (
    autoregressive,
    cnf,
    flow_matching,
    gan,
    gaussian,
    glow,
    iaf,
    jet,
    maf,
    pixelcnn,
    pixelcnn_pp,
    realnvp,
    residual_flow,
    spline_autoregressive,
    spline_coupling,
    tarflow,
    transformer,
    vae,
)


class Family(NamedTuple):
    """build: `(Event, **numbers) -> Model`.  preset: `Event -> {number: value}` for training.
    tiny: `() -> (Model, Batch)`, small enough for every test.
    samples: importance weights that an evaluation of its bound can afford."""

    build: Callable
    preset: Callable
    tiny: Callable
    samples: int = 64


registry: dict[str, Family] = {
    "gaussian": Family(gaussian.gaussian, gaussian.preset, gaussian.tiny),
    "vae": Family(vae.vae, vae.preset, vae.tiny),
    "realnvp": Family(realnvp.realnvp, realnvp.preset, realnvp.tiny),
    "maf": Family(maf.maf, maf.preset, maf.tiny),
    "iaf": Family(iaf.iaf, iaf.preset, iaf.tiny),
    "spline_coupling": Family(
        spline_coupling.spline_coupling, spline_coupling.preset, spline_coupling.tiny
    ),
    "spline_autoregressive": Family(
        spline_autoregressive.spline_autoregressive,
        spline_autoregressive.preset,
        spline_autoregressive.tiny,
    ),
    "glow": Family(glow.glow, glow.preset, glow.tiny),
    "jet": Family(jet.jet, jet.preset, jet.tiny),
    "tarflow": Family(tarflow.tarflow, tarflow.preset, tarflow.tiny),
    "residual_flow": Family(residual_flow.residual_flow, residual_flow.preset, residual_flow.tiny),
    "cnf": Family(cnf.cnf, cnf.preset, cnf.tiny, samples=1),
    "autoregressive": Family(
        autoregressive.autoregressive, autoregressive.preset, autoregressive.tiny
    ),
    "pixelcnn": Family(pixelcnn.pixelcnn, pixelcnn.preset, pixelcnn.tiny),
    "pixelcnn_pp": Family(pixelcnn_pp.pixelcnn_pp, pixelcnn_pp.preset, pixelcnn_pp.tiny),
    "transformer": Family(transformer.transformer, transformer.preset, transformer.tiny),
    "gan": Family(gan.gan, gan.preset, gan.tiny),
    "flow_matching": Family(
        flow_matching.flow_matching, flow_matching.preset, flow_matching.tiny, samples=1
    ),
}
