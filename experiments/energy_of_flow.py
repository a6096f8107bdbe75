"""A flow of few layers, and its tilt by an energy: what it cannot be is left to that.

The energy learns by noise contrast with that flow, and by chains where the flow begins (Nijkamp et al. 2020,
arXiv:2006.06897). Samples are walked there in both, log Z is by quadrature.

Chains that walked among the data, at three times their rate here, left the flow worse, a KL of 0.98 for 0.33;
where the flow begins, steps of 0.1 at that rate ran away.
"""

from __future__ import annotations

from probtransform.core import Batch, Distribution, Model, Player, Unnormalized, sample_stages
from probtransform.distributions import normal
from probtransform.distributions.refined import refined
from probtransform.distributions.tilted import tilted
from probtransform.families.labelled import critic_of
from probtransform.integrate import mala
from probtransform.objectives import noise_contrastive, normaliser

from .energy_training import Config, chain, flow_of, trained
from .ring import divergence_of, log_mass, samples_of


def flow(data: Batch, config: Config):
    """The rows of the flow, and of its tilt by noise and by chains."""
    base, params = flow_of(data, config)
    row = {"KL": divergence_of(base, params)}
    yield "flow", row | samples_of(base, params, config.test)

    energy, start = critic_of(2, 0, config.width, config.depth), normal((2,))
    law = tilted(base, energy, mala(0.01, config.sweeps), 1)
    told = normaliser(law)
    loss = noise_contrastive(told, base, config.ratio)
    noise = Model(told, {"energy": Player(("energy", "constant"), loss)})

    def log_ratio(params, x, cond):
        return -energy.apply(params["energy"], x, cond)

    def walking(params, key, z, cond=None):
        x = sample_stages(base, params, key, cond, z)[-1]
        return start.density.fn(params, key, z, cond) + log_ratio(params, x, cond)

    # a chain where the flow begins crosses from mode to mode, which one among the data does not
    walked = refined(base, start, log_ratio, mala(0.02, config.sweeps), 1)._replace(init=law.init)
    of_base = Distribution(law.init, start.sample, Unnormalized(walking))
    loss, carry = chain(of_base, mala(0.02, config.moves), start, config, walked, renewed=0.05)
    chains = Model(walked, {"energy": Player(("energy",), loss)}, carry=carry)
    ways = {
        "tilted by noise": (noise, config.rate),
        "tilted by chains": (chains, config.chain_rate),
    }
    for name, (model, rate) in ways.items():
        found = trained(model, data, config, params, rate=rate)
        log_z = log_mass(law, found)
        off = {"off": found["constant"] - log_z} if "constant" in found else {}
        row = {"log Z": log_z} | off | {"KL": divergence_of(law, found, log_z)}
        yield name, row | samples_of(walked, found, config.test)
