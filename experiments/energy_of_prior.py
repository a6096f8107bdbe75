"""A VAE whose latent plane has a normal for its prior, and that tilted by an energy.

First with the decoder held still, then with all of it learning. Each goes on from the VAE, which has as many
steps again for a rival. `bound` is that of log p(x) in nats, the constant of the prior by quadrature.
Pang et al. (2020), arXiv:2006.08205.

Chains of the prior of which 5% were begun afresh at every update are behind: the encoder ran from them, and
the bound diverged.
"""

from __future__ import annotations

import jax

from probtransform.core import Batch, Model, Player, log_density_many, pushforward
from probtransform.distributions import normal
from probtransform.distributions.tilted import tilted
from probtransform.families.labelled import critic_of
from probtransform.families.vae import observed
from probtransform.integrate import mala
from probtransform.objectives import likelihood

from .energy_training import Config, chain, trained
from .ring import EVENT, KEY, divergence, grid, log_mass, samples_of


def prior(data: Batch, config: Config):
    """The rows of the VAE, and of its prior tilted."""
    step, base = observed(EVENT, 2, config.width, config.depth), normal((2,))
    energy = critic_of(2, 0, config.width, config.depth)
    law = tilted(base, energy, mala(0.05, config.sweeps), 1)
    plain, bent = pushforward(base, decoder=step), pushforward(law, decoder=step)
    z, area = grid(6.0, 240)

    def row(whole, prior, params):
        log_z = log_mass(prior, params)
        codes = log_density_many(prior, params, KEY, z, chunk=10_000) - log_z + area

        @jax.jit
        def nats(x):
            def one(x):
                fn = step.inverse.log_likelihood
                seen = jax.vmap(lambda z: fn(params["decoder"], z, x, None))(z)
                return jax.nn.logsumexp(codes + seen)

            return jax.lax.map(one, x, batch_size=50)

        bound = log_density_many(whole, params, KEY, data.x[:10_000])
        found = {"bound": float(bound.mean()) - log_z, "KL": divergence(nats)}
        return found | samples_of(whole, params, config.test)

    vae = Model(plain, {"vae": Player(("decoder",), likelihood(plain))})
    params = trained(vae, data, config)
    yield "vae", row(plain, base, params)
    yield "vae, as long again", row(plain, base, trained(vae, data, config, params))
    kernel = mala(0.05, config.moves)
    # none is begun afresh: codes would run from those that are, and the energy after them
    loss, carry = chain(law, kernel, base, config, bent)
    for name, owns in {"prior alone": ("energy",), "prior, decoder": ("energy", "decoder")}.items():
        model = Model(bent, {"all": Player(owns, loss)}, carry=carry)
        yield name, row(bent, law, trained(model, data, config, params, rate=config.chain_rate))
