"""The rows of the one formulation: which components make which model, and the losses of its players.

`objectives.unified` has the program and its derivation. A row names a walk of the domain that is made, one of
the domain that is given, who tells them apart and what is told back; all else follows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax

from ..core import Bound, Distribution, Network
from ..core.check import not_negative
from ..objectives.divergences.f_divergence import FDivergence
from ..objectives.unified import (
    Components,
    alike,
    convincing,
    discriminator,
    dual_of,
    explain,
    importance,
    logistic,
    reverse,
    straight,
)
from ..objectives.walks import (
    Kernel,
    at_end,
    claimed,
    drawn,
    evidence,
    from_data,
    held,
    joint,
    stay,
    told_by,
    walk,
)

Losses = dict[str, Callable[..., Any]]  # of each player, by its name
Penalties = Sequence[Callable[..., Any]]


class Laws(NamedTuple):
    """The two laws of x and z: `latent` then `generate`, data then `infer`.

    A model of which only samples are wanted, whatever it is made of, may stand as `latent` alone.
    """

    latent: Distribution
    generate: Kernel = stay
    infer: Kernel = stay


def generated(laws: Laws):
    """z -> x."""
    return walk(drawn(laws.latent), laws.generate)


def inferred(laws: Laws):
    """x -> z."""
    return walk(from_data, laws.infer)


def game(
    parts: Components, penalties: Penalties, label=reverse, domains=(0,), weigh=alike
) -> Losses:
    """A critic that tells the label; a generator that tells the other one, and all else there is to tell."""
    generator = explain(parts, label, domains, weigh)
    return {"critic": discriminator(parts, penalties), "generator": generator}


def together(*losses: Callable[..., Any]):
    """The sum of several losses as one."""

    def loss(params, carry, key, batch):
        total: Any = 0.0
        metrics: dict[str, Any] = {}
        for each in losses:
            nats, (carry, seen) = each(params, carry, key, batch)
            total, metrics = total + nats, metrics | seen
        return total, (carry, metrics)

    return loss


def gan(
    laws: Laws, critic: Network, penalties: Penalties = (), label=reverse, link=logistic
) -> Losses:
    """Goodfellow et al. (2014), arXiv:1406.2661; with `label=minimax` the zero-sum game."""
    parts = Components(generated(laws), walk(from_data), at_end(critic), link=link)
    return game(parts, penalties, label)


def f_gan(laws: Laws, critic: Network, divergence: FDivergence, label=reverse) -> Losses:
    """Nowozin et al. (2016), arXiv:1606.00709: the GAN under another link."""
    return gan(laws, critic, label=label, link=dual_of(divergence))


def iwgan(laws: Laws, critic: Network, penalties: Penalties = ()) -> Losses:
    """Hu et al. (2018), arXiv:1706.00550, equation 16: walks weighed as an IWAE weighs them."""
    parts = Components(generated(laws), walk(from_data), at_end(critic))
    return game(parts, penalties, weigh=importance)


def infogan(laws: Laws, critic: Network, penalties: Penalties = ()) -> Losses:
    """Chen et al. (2016), arXiv:1606.03657: the code z is told back as well."""
    parts = Components(generated(laws), walk(from_data), at_end(critic), told_by(laws.infer))
    return game(parts, penalties)


def aae(laws: Laws, critic: Network, penalties: Penalties = ()) -> Losses:
    """Makhzani et al. (2015), arXiv:1511.05644: InfoGAN with x and z exchanged; the critic is of codes."""
    parts = Components(
        inferred(laws), walk(drawn(laws.latent)), at_end(critic), told_by(laws.generate)
    )
    return game(parts, penalties)


def bigan(laws: Laws, critic: Network, penalties: Penalties = ()) -> Losses:
    """Donahue et al. (2016), arXiv:1605.09782; Dumoulin et al. (2016), arXiv:1606.00704.

    The critic is of pairs (x, z), flat and end to end; both laws tell the label of the other.
    """
    parts = Components(joint(generated(laws)), joint(inferred(laws), turned=True), at_end(critic))
    return game(parts, penalties, domains=(0, 1))


def cycle_gan(forth: Kernel, back: Kernel, critics: dict[str, Network], link=logistic) -> Losses:
    """Zhu et al. (2017), arXiv:1703.10593: two InfoGANs whose generators tell back each other's starts.

    An example is a pair, of the source and of the target; `critics` are of blocks "target" and "source".
    """
    source, target = (lambda params, key, x, cond: x[0]), (lambda params, key, x, cond: x[1])
    ways = (source, target, forth, back, "target"), (target, source, back, forth, "source")
    both = [
        game(Components(walk(a, there), walk(b), at_end(critics[n], n), told_by(home), link), ())
        for a, b, there, home, n in ways
    ]
    return {name: together(*(way[name] for way in both)) for name in ("critic", "generator")}


def vae(laws: Laws) -> Losses:
    """Kingma & Welling (2013), arXiv:1312.6114: the label is known, and only x is told back."""
    return {"vae": explain(Components(inferred(laws), back=evidence(*laws)))}


def aavae(
    model: Distribution[Bound],
    critic: Network,
    penalties: Penalties = (),
    temperature: float = 1.0,
    seen: Callable[..., Any] = lambda x: x,
) -> Losses:
    """Hu et al. (2018), arXiv:1706.00550, equation 17: a VAE whose label has to be inferred.

    Its own samples, held fixed, are data as well, and all count by `D(x)`. Any claim of Bound serves:
    with labels in `cond` this is the AACVAE, with the `classified_bound` of absent ones the AASVAE.
    `seen(x)` is what the critic has of an example, real numbers.
    """

    def look(origin):
        return walk(lambda *inputs: seen(origin(*inputs)))

    def judge(params, at):
        return critic.apply(params["critic"], seen(at.end), at.cond)

    whole = Components(walk(held(drawn(model))), walk(from_data), judge, claimed(model))
    shown = Components(look(drawn(model)), look(from_data), at_end(critic))
    return {
        "critic": discriminator(shown, penalties),
        "vae": explain(whole, None, (0, 1), convincing(temperature)),
    }


def vae_gan(
    laws: Laws, similar: Kernel, critic: Network, strength: float = 1.0, penalties: Penalties = ()
) -> Losses:
    """Larsen et al. (2015), arXiv:1512.09300: from data as a VAE, from the prior as a GAN.

    What is told back is `similar`, the likelihood in features of the critic, times `strength` for the
    generator; the critic tells both samples and reconstructions from data. Raises ValueError for a negative
    strength.
    """
    not_negative("vae_gan", strength=strength)

    def rebuild(params, key, x, cond):
        first, second = jax.random.split(key)
        z = laws.infer.draw(params, first, x, cond)
        return laws.generate.draw(params, second, z, cond)

    given, judge = walk(from_data), at_end(critic)
    fresh = Components(generated(laws), given, judge)
    rebuilt = Components(walk(from_data, Kernel(rebuild)), given, judge)
    told = explain(Components(inferred(laws), back=told_by(similar)))
    encoder = explain(Components(inferred(laws), back=evidence(laws.latent, similar, laws.infer)))
    return {
        "critic": together(
            discriminator(fresh, penalties), explain(rebuilt, straight, (0,), fixed=True)
        ),
        "encoder": encoder,
        "generator": together(
            scaled(told, strength), explain(fresh, reverse), explain(rebuilt, reverse)
        ),
    }


def scaled(loss: Callable[..., Any], by: float):
    """A loss times a number."""

    def times(*inputs):
        nats, rest = loss(*inputs)
        return by * nats, rest

    return times


def wake_sleep(laws: Laws) -> Losses:
    """Hinton et al. (1995), Science 268: two walks held fixed, x and z of the one exchanged in the other."""
    wake = explain(Components(inferred(laws), back=told_by(laws.generate)), fixed=True)
    sleep = explain(Components(generated(laws), back=told_by(laws.infer)), fixed=True)
    return {"wake_sleep": together(wake, sleep)}
