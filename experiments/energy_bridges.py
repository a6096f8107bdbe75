"""Energies joined to other families, on eight Gaussians in a ring, each judged against the law itself.

    python -m experiments.energy_bridges --out runs/energy_bridges.json

A bridge a file, which says what its rows are and what else was tried: `energy_of_machine`, a Boltzmann
machine told from noise; `energy_of_generator`, a GAN whose critic moves its base; `energy_of_flow`, a RealNVP
tilted by an energy; `energy_of_prior`, a VAE whose prior is. What they share is in `energy_training` and
`ring`.

KL(law || model) is in nats, by quadrature over a grid; for a decoder over one of codes too. `good` is the
share of 4000 samples within three deviations of a mean, `shares` the divergence of the modes' shares from
equal ones in nats, `distance` the energy distance to draws of the law. The law's own numbers: 98.9% good,
bound -2.832, distance 0; of 4000 samples, give or take 0.2% and 0.001.

Expect, of seed 0, in four minutes of one core:

    machine                         KL    log Z      off     good
    likelihood                   0.0001                      99.2%
    noise, normal                0.0002   35.839  -0.0002    99.1%
    noise, flow                  0.0001   35.885   0.0005    99.2%

    generator                     good   shares  distance
    generator                    95.8%   0.0071    0.0075
    refined                      97.9%   0.0015    0.0014
    refined, critic alone        99.1%   0.0041    0.0011

    flow                            KL    log Z      off     good  distance
    flow                         0.3557                      89.6%    0.0106
    tilted by noise              0.0612    0.128   0.0027    98.3%   -0.0001
    tilted by chains             0.0913    2.027             98.1%   -0.0003

    prior                        bound       KL     good  distance
    vae                         -3.472   0.4843    80.2%    0.0186
    vae, as long again          -3.309   0.3554    85.5%    0.0121
    prior alone                 -3.199   0.2257    93.0%    0.0025
    prior, decoder              -2.978   0.1016    95.9%    0.0016
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict

import jax
import tyro

from probtransform.core import Batch, sample_many

from .energy_of_flow import flow
from .energy_of_generator import generator
from .energy_of_machine import machine
from .energy_of_prior import prior
from .energy_training import Config
from .ring import TRUTH

BRIDGES = {f.__name__: f for f in (machine, generator, flow, prior)}


def main(config: Config) -> dict[str, dict[str, dict[str, float]]]:
    rows: dict[str, dict[str, dict[str, float]]] = {}
    data = Batch(sample_many(TRUTH, {}, jax.random.key(1000 + config.seed), config.train))
    for bridge in config.bridges:
        began = time.process_time()
        for how, found in BRIDGES[bridge](data, config):
            found = {name: float(value) for name, value in found.items()}
            rows.setdefault(bridge, {})[how] = found | {"seconds": time.process_time() - began}
            cells = "  ".join(f"{name} {value:.4f}" for name, value in rows[bridge][how].items())
            print(f"{bridge:9} {how:22} {cells}", flush=True)
            if config.out is not None:
                config.out.parent.mkdir(parents=True, exist_ok=True)
                about = asdict(config) | {"out": str(config.out)}
                config.out.write_text(json.dumps({"config": about, "rows": rows}, indent=1) + "\n")
            began = time.process_time()
        jax.clear_caches()
    return rows


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
