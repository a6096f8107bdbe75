"""VAEs that learn from a few labels: a label as a second code (M2), or a classifier of the codes (M1)."""

from __future__ import annotations

from ..core import Batch, Event, Model, Player, pushforward
from ..distributions import normal, over_labels
from ..objectives import classify_codes, likelihood, semi_supervised
from . import vae
from .coding import encoder_of, perceptron


def semi_supervised_vae(
    event: Event,
    latent: int = 16,
    width: int = 256,
    depth: int = 2,
    components: int = 10,
    label_weight: float = 1.0,
) -> Model:
    """`y ~ p(y)`, `z ~ N(0, I)`, `x ~ p(x|y, z)` (M2), with a classifier `q(y|x)` in `extra`. Claim: Bound.

    The condition is a label, `Maybe` of one where some examples have none, or None. Without a label the bound
    is a sum over all, weighed by the classifier, which so learns of examples that have no label too; the
    distribution's own density leaves the classifier out and is never below. An event without classes has
    `components` of its own, never told: a mixture of VAEs.

    Example: `semi_supervised_vae(Event((8, 8, 1), 17, classes=10))` samples `u8[8, 8, 1]`.
    Kingma et al. (2014), arXiv:1406.5298.
    """
    classes = event.classes or components
    conditional, classifier = of_two_codes(event, classes, latent, width, depth)
    loss = semi_supervised(conditional, classifier, classes, label_weight)
    player = Player(("labels", "decoder", "classifier"), loss)
    return Model(over_labels(conditional, classes), {"m2": player}, {"classifier": classifier.init})


def of_two_codes(event: Event, classes: int, latent: int, width: int, depth: int):
    """The law of x given its label, by a code, and a classifier `x -> f32[classes]` that sees x alone."""
    step = vae.observed(event._replace(classes=classes), latent, width, depth)
    classifier = encoder_of(event._replace(classes=0), classes, width, depth, quiet=True)
    return pushforward(normal((latent,)), decoder=step), classifier


def classified_codes(
    event: Event, latent: int = 16, width: int = 256, depth: int = 2, label_width: int = 64
) -> Model:
    """A `vae` of all examples, and a classifier that learns on the codes of those that have a label (M1).

    The VAE does not see labels; its condition may be one, `Maybe` of one, or None. Claim: Bound.
    Kingma et al. (2014), arXiv:1406.5298, section 2.1.
    """
    blind = event._replace(classes=0)
    step = vae.observed(blind, latent, width, depth)
    distribution = pushforward(normal((latent,)), decoder=step)
    classifier = perceptron(blind, latent, event.classes, label_width, depth=1, quiet=True)
    told = classify_codes(step, classifier, event.classes)
    players = {
        "vae": Player(("decoder",), likelihood(distribution)),
        "classifier": Player(("classifier",), told),
    }
    return Model(distribution, players, {"classifier": classifier.init})


def preset(event: Event) -> dict:
    return vae.preset(event)


def tiny() -> tuple[Model, Batch]:
    model = semi_supervised_vae(Event((2,)), latent=1, width=16, components=3)
    return model, vae.tiny()[1]
