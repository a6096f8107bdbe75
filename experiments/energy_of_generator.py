"""A small GAN, and where its critic's ratio moves its base: to where it wants the samples.

By the critic of the game, and by one that learned on alone, without a penalty, from a generator that stands
still. Che et al. (2020), arXiv:2003.06060.
"""

from __future__ import annotations

from probtransform.core import Batch, Player
from probtransform.distributions import normal
from probtransform.distributions.refined import refined
from probtransform.families.gan import gan
from probtransform.families.labelled import critic_of
from probtransform.integrate import mala
from probtransform.objectives import adversarial

from .energy_training import Config, trained
from .ring import EVENT, samples_of


def generator(data: Batch, config: Config):
    """The rows of the generator, and of both critics."""
    base, width = normal((2,)), config.width
    model = gan(EVENT, 2, width, config.depth, penalty=0.1)
    params = trained(model, data, config, momentum=0.0)
    yield "generator", samples_of(model.distribution, params, config.test)

    critic = critic_of(2, 0, width, config.depth)

    def log_ratio(params, x, cond):
        return critic.apply(params["critic"], x, cond)

    walk = refined(model.distribution, base, log_ratio, mala(0.003, config.sweeps), 1)
    yield "refined", samples_of(walk, params, config.test)
    # a critic of a game is a step behind, and its penalty holds it back: it learns on, alone
    alone = Player(("critic",), adversarial(model.distribution, critic)[0])
    params = trained(model._replace(players={"critic": alone}), data, config, params)
    yield "refined, critic alone", samples_of(walk, params, config.test)
