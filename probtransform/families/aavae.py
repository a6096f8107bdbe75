"""The adversary-activated VAE: its own samples are data as well, as far as they deceive a critic."""

from __future__ import annotations

import math
from functools import partial

from ..core import Batch, Bound, Distribution, Event, Model, Player, pushforward
from ..core.check import not_negative, positive
from ..distributions import normal, over_labels
from ..objectives.adversarial import r1
from ..objectives.semi_supervised import classified_bound, classify
from . import unified, vae
from .coding import entries
from .labelled import critic_of
from .semi_supervised_vae import of_two_codes


def aavae(
    event: Event,
    latent: int = 16,
    width: int = 256,
    depth: int = 2,
    temperature: float = 1.0,
    penalty: float = 1.0,
) -> Model:
    """The model of `vae`, data and samples of its own weighed by a critic's D(x). Claim: Bound.

    `-(sum over data and as many samples, held fixed, of D(x) bound(x)) / #data`, D at a temperature and held
    fixed. With a label for a condition, the AACVAE. `effective_sample_size` is logged, at most two batches.
    Example: `aavae(Event((8, 8, 1), levels=17))` samples `u8[8, 8, 1]`. Hu et al. (2018), arXiv:1706.00550.
    Raises ValueError if a size is less than one, or `temperature` not above zero.
    """
    step = vae.observed(event, latent, width, depth)
    return activated(
        pushforward(normal((latent,)), decoder=step), event, ("decoder",), temperature, penalty
    )


def aasvae(
    event: Event,
    latent: int = 16,
    width: int = 256,
    depth: int = 2,
    label_weight: float = 1.0,
    temperature: float = 1.0,
    penalty: float = 1.0,
) -> Model:
    """The model of `semi_supervised_vae`, its bounds weighed by a critic's D(x), the AASVAE. Claim: Bound.

    The condition is a label, or `Maybe` of one where some examples have none; samples that count as data are
    drawn under the label of their example, or whatever label where it has none. What the classifier pays for
    labels it misses is of data alone and not weighed.
    Example: `aasvae(Event((8, 8, 1), 17, classes=10))` samples `u8[8, 8, 1]`.
    Hu et al. (2018), arXiv:1706.00550. Raises ValueError as `aavae` does, or for an event without classes.
    """
    positive("aasvae", classes=event.classes)
    not_negative("aasvae", label_weight=label_weight)
    conditional, classifier = of_two_codes(event, event.classes, latent, width, depth)
    law = over_labels(conditional, event.classes)
    bound = Bound(classified_bound(conditional, classifier, event.classes))
    owns = ("labels", "decoder", "classifier")
    model = activated(law._replace(density=bound), event, owns, temperature, penalty)
    told = classify(lambda params, key, x: x, classifier, event.classes)
    loss = unified.together(model.players["vae"].loss, unified.scaled(told, label_weight))
    players = model.players | {"vae": Player(owns, loss)}
    extra = model.extra | {"classifier": classifier.init}
    return model._replace(distribution=law, players=players, extra=extra)


def activated(
    distribution: Distribution[Bound],
    event: Event,
    owns: tuple[str, ...],
    temperature: float,
    penalty: float,
    width: int = 128,
    depth: int = 3,
) -> Model:
    """Any model with a bound, trained on it with an adversary's weights; `owns` are its blocks that learn."""
    if not 0 < temperature < math.inf:
        raise ValueError(
            f"aavae: got temperature={temperature}, wanted a finite number > 0; 1 gives D itself"
        )

    critic = critic_of(math.prod(event.shape), event.classes, width, depth)
    losses = unified.aavae(
        distribution, critic, [r1(penalty)], temperature, partial(entries, event)
    )
    players = {
        "critic": Player(("critic",), losses["critic"]),
        "vae": Player(owns, losses["vae"]),
    }
    return Model(distribution, players, {"critic": critic.init})


def preset(event: Event) -> dict:
    return vae.preset(event)


def tiny() -> tuple[Model, Batch]:
    return aavae(Event((2,)), latent=1, width=16), vae.tiny()[1]
