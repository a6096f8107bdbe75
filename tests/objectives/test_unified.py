"""The rows of the one formulation against the losses of the original papers, written by hand, in float64."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.nn import log_sigmoid, sigmoid, softmax, softplus
from jax.scipy.stats import norm

from probtransform.core import (
    Batch,
    Bound,
    Distribution,
    Maybe,
    Network,
    pushforward,
    reading,
)
from probtransform.distributions import gaussian, normal
from probtransform.families import unified
from probtransform.families.unified import Laws
from probtransform.objectives.adversarial import r1
from probtransform.objectives.divergences import f_divergence
from probtransform.objectives.unified import (
    Components,
    Walk,
    convincing,
    discriminator,
    explain,
    importance,
    minimax,
    walked,
)
from probtransform.objectives.walks import (
    Kernel,
    at_end,
    drawn,
    from_data,
    normal_about,
    observed_by,
    of_decoder,
    of_network,
    walk,
)
from probtransform.transforms import decoder, implicit

KEY = jax.random.key(0)
D, C, N = 3, 2, 8  # of x, of z, of a batch
close = partial(np.testing.assert_allclose, rtol=1e-6, atol=1e-9)


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def net(inputs: int, outputs: int) -> Network:
    """Smooth, nonlinear and small; the condition is not read."""

    def init(key):
        first, second = jax.random.split(key)
        return {
            "a": jax.random.normal(first, (inputs, 5)),
            "b": jax.random.normal(second, (5, outputs)) / 2,
        }

    return Network(init, lambda params, x, cond=None: jnp.tanh(x @ params["a"]) @ params["b"])


def scalar(network: Network) -> Network:
    return Network(network.init, lambda *inputs: network.apply(*inputs)[0])


GENERATOR, ENCODER, WIDE = net(C, D), net(D, C), net(D, 2 * C)
CRITIC, OF_CODES, OF_PAIRS = scalar(net(D, 1)), scalar(net(C, 1)), scalar(net(D + C, 1))
GENERATE = of_network(GENERATOR, "generator")


def parameters(**networks: Network):
    keys = jax.random.split(jax.random.key(1), len(networks))
    return {name: net.init(k) for (name, net), k in zip(networks.items(), keys, strict=True)}


def batch():
    return Batch(jax.random.normal(jax.random.key(2), (N, D)))


def alike_in_value_and_slope(loss, by_hand, params, owns, data=None):
    """Both are functions of the blocks that a player owns."""
    data = batch() if data is None else data

    def of(fn):
        own = {name: params[name] for name in owns}
        return jax.value_and_grad(lambda own: fn(params | own))(own)

    (value, slope), (wanted, wanted_slope) = (
        of(fn) for fn in (lambda p: loss(p, (), KEY, data)[0], by_hand)
    )
    close(value, wanted)
    jax.tree.map(close, slope, wanted_slope)
    assert max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(wanted_slope)) > 1e-4


def walks(made, data=None, y=0, params=None):
    """The walks that a loss of KEY takes: noise that the losses written by hand share."""
    return walked(Components(made, made), y, True, params, KEY, batch() if data is None else data)


def codes():
    """The draws of the base."""
    return walks(walk(drawn(normal((C,))))).end


# --- generative adversarial networks ----------------------------------------------------------------


def test_gan():
    """Goodfellow et al. (2014), algorithm 1, and the generator that maximises log D(G(z))."""
    params = parameters(generator=GENERATOR, critic=CRITIC)
    x, z = batch().x, codes()
    losses = unified.gan(Laws(normal((C,)), GENERATE), CRITIC)

    def d(p, x):
        return sigmoid(jax.vmap(CRITIC.apply, (None, 0))(p["critic"], x))

    def g(p):
        return GENERATOR.apply(p["generator"], z)

    by_hand = lambda p: -jnp.mean(jnp.log(d(p, x))) - jnp.mean(jnp.log(1 - d(p, g(p))))  # noqa: E731
    alike_in_value_and_slope(losses["critic"], by_hand, params, ["critic"])
    alike_in_value_and_slope(
        losses["generator"], lambda p: -jnp.mean(jnp.log(d(p, g(p)))), params, ["generator"]
    )
    zero_sum = unified.gan(Laws(normal((C,)), GENERATE), CRITIC, label=minimax)["generator"]
    alike_in_value_and_slope(
        zero_sum, lambda p: jnp.mean(jnp.log(1 - d(p, g(p)))), params, ["generator"]
    )


def test_a_whole_model_stands_for_its_law():
    """Any distribution that can be sampled is trained as a GAN trains a generator."""
    params = parameters(generator=GENERATOR, critic=CRITIC)
    model = pushforward(normal((C,)), generator=implicit(GENERATOR))
    x = walks(walk(drawn(model)), params=params).end
    loss = unified.gan(Laws(model), CRITIC)["generator"]
    wanted = jnp.mean(softplus(-jax.vmap(CRITIC.apply, (None, 0))(params["critic"], x)))
    close(loss(params, (), KEY, batch())[0], wanted)


# T = activation(v) and f*(t): Nowozin et al. (2016), arXiv:1606.00709, table 2
NOWOZIN = {
    "kl": (lambda v: v, lambda t: jnp.exp(t - 1)),
    "reverse_kl": (lambda v: -jnp.exp(-v), lambda t: -1 - jnp.log(-t)),
    "squared_hellinger": (lambda v: 1 - jnp.exp(-v), lambda t: t / (1 - t)),
    "gan": (lambda v: -jnp.log(1 + jnp.exp(-v)), lambda t: -jnp.log(1 - jnp.exp(t))),
}


@pytest.mark.parametrize("name", NOWOZIN)
def test_f_gan(name):
    params = parameters(generator=GENERATOR, critic=CRITIC)
    activation, conjugate = NOWOZIN[name]
    x, z = batch().x, codes()
    laws, divergence = Laws(normal((C,)), GENERATE), f_divergence.NAMED[name]

    def t(p, x):
        return activation(jax.vmap(CRITIC.apply, (None, 0))(p["critic"], x))

    def made(p):
        return t(p, GENERATOR.apply(p["generator"], z))

    def bound(p):
        return jnp.mean(t(p, x)) - jnp.mean(conjugate(made(p)))

    losses = unified.f_gan(laws, CRITIC, divergence, label=minimax)
    alike_in_value_and_slope(losses["critic"], lambda p: -bound(p), params, ["critic"])
    with_data_apart = lambda p: -jnp.mean(conjugate(made(p)))  # noqa: E731
    alike_in_value_and_slope(losses["generator"], with_data_apart, params, ["generator"])
    by_section_3_2 = unified.f_gan(laws, CRITIC, divergence)["generator"]
    alike_in_value_and_slope(by_section_3_2, lambda p: -jnp.mean(made(p)), params, ["generator"])


def test_infogan():
    """Chen et al. (2016): `V(D, G) - L_I(G, Q)`, here with a normal Q of the whole code."""
    params = parameters(generator=GENERATOR, critic=CRITIC, inference=WIDE)
    z = codes()
    infer = observed_by(WIDE, "inference", gaussian((C,)))
    losses = unified.infogan(Laws(normal((C,)), GENERATE, infer), CRITIC)

    def by_hand(p):
        x = GENERATOR.apply(p["generator"], z)
        mean, log_scale = jnp.split(WIDE.apply(p["inference"], x), 2, -1)
        scale = jnp.exp(log_scale)
        information = -((z - mean) ** 2) / (2 * scale**2) - log_scale - jnp.log(2 * jnp.pi) / 2
        return -jnp.mean(
            log_sigmoid(jax.vmap(CRITIC.apply, (None, 0))(p["critic"], x)) + information.sum(-1)
        )

    alike_in_value_and_slope(losses["generator"], by_hand, params, ["generator", "inference"])
    alone = unified.gan(Laws(normal((C,)), GENERATE), CRITIC)["critic"]
    alike_in_value_and_slope(
        losses["critic"], lambda p: alone(p, (), KEY, batch())[0], params, ["critic"]
    )


def test_aae():
    """Makhzani et al. (2015): squared error, codes that pass for the prior, a critic of codes."""
    params = parameters(generator=GENERATOR, encoder=ENCODER, critic=OF_CODES)
    x, prior = batch().x, walks(walk(drawn(normal((C,)))), y=1).end
    decode, encode = normal_about(GENERATE, 0.7), of_network(ENCODER, "encoder")
    losses = unified.aae(Laws(normal((C,)), decode, encode), OF_CODES)

    def logit(p, z):
        return jax.vmap(OF_CODES.apply, (None, 0))(p["critic"], z)

    def autoencoder(p):
        z = ENCODER.apply(p["encoder"], x)
        error = ((GENERATOR.apply(p["generator"], z) - x) ** 2).sum(-1) / (2 * 0.7**2)
        constant = D * np.log(0.7 * np.sqrt(2 * np.pi))
        return jnp.mean(error) + constant + jnp.mean(softplus(-logit(p, z)))

    def critic(p):
        z = ENCODER.apply(p["encoder"], x)
        return jnp.mean(softplus(-logit(p, prior))) + jnp.mean(softplus(logit(p, z)))

    alike_in_value_and_slope(losses["generator"], autoencoder, params, ["generator", "encoder"])
    alike_in_value_and_slope(losses["critic"], critic, params, ["critic"])


def test_the_aae_is_infogan_with_data_and_code_exchanged():
    """One program: codes are what is given, data what is drawn, and who infers there generates here."""
    params = parameters(generator=GENERATOR, encoder=ENCODER, critic=OF_CODES)
    decode, encode = normal_about(GENERATE, 1.0), of_network(ENCODER, "encoder")
    one = unified.aae(Laws(normal((C,)), decode, encode), OF_CODES)
    data = Distribution(
        lambda key: {}, lambda params, key, cond: cond, None
    )  # handed in with the codes
    other = unified.infogan(Laws(data, generate=encode, infer=decode), OF_CODES)
    exchanged = Batch(walks(walk(drawn(normal((C,)))), y=1).end, batch().x)
    for player in ("critic", "generator"):
        wanted = jax.value_and_grad(lambda p: one[player](p, (), KEY, batch())[0])(params)
        got = jax.value_and_grad(lambda p: other[player](p, (), KEY, exchanged)[0])(params)
        jax.tree.map(close, got, wanted)


def test_bigan():
    """Donahue et al. (2016), equation 2, and the objective of G and E with the labels exchanged."""
    params = parameters(generator=GENERATOR, encoder=ENCODER, critic=OF_PAIRS)
    x, z = batch().x, codes()
    laws = Laws(normal((C,)), GENERATE, of_network(ENCODER, "encoder"))
    losses = unified.bigan(laws, OF_PAIRS)

    def d(p, x, z):
        return sigmoid(
            jax.vmap(OF_PAIRS.apply, (None, 0))(p["critic"], jnp.concatenate([x, z], -1))
        )

    def of_encoder(p):
        return d(p, x, ENCODER.apply(p["encoder"], x))

    def of_generator(p):
        return d(p, GENERATOR.apply(p["generator"], z), z)

    value = lambda p: jnp.mean(jnp.log(of_encoder(p)) + jnp.log(1 - of_generator(p)))  # noqa: E731
    other = lambda p: jnp.mean(jnp.log(of_generator(p)) + jnp.log(1 - of_encoder(p)))  # noqa: E731
    alike_in_value_and_slope(losses["critic"], lambda p: -value(p), params, ["critic"])
    alike_in_value_and_slope(
        losses["generator"], lambda p: -other(p), params, ["generator", "encoder"]
    )


def test_cycle_gan():
    """Zhu et al. (2017): two games and an L1 cycle of weight 10, which is a Laplace likelihood."""
    forth, back = net(D, D), net(D, D)
    params = parameters(forth=forth, back=back, source=CRITIC, target=CRITIC)
    weight = 10.0

    def cycling(network, name):
        def log_prob(params, b, a, cond):
            return -weight * jnp.abs(network.apply(params[name], a) - b).sum()

        return Kernel(of_network(network, name).draw, log_prob)

    critics = {"source": CRITIC, "target": CRITIC}
    losses = unified.cycle_gan(cycling(forth, "forth"), cycling(back, "back"), critics)
    x, y = jax.random.normal(jax.random.key(3), (2, N, D))

    def logit(p, name, x):
        return jax.vmap(CRITIC.apply, (None, 0))(p[name], x)

    def generators(p):
        there, here = forth.apply(p["forth"], x), back.apply(p["back"], y)
        games = softplus(-logit(p, "target", there)) + softplus(-logit(p, "source", here))
        cycle = jnp.abs(back.apply(p["back"], there) - x) + jnp.abs(
            forth.apply(p["forth"], here) - y
        )
        return jnp.mean(games) + weight * jnp.mean(cycle.sum(-1))

    def judges(p):
        there, here = forth.apply(p["forth"], x), back.apply(p["back"], y)
        real = softplus(-logit(p, "target", y)) + softplus(-logit(p, "source", x))
        fake = softplus(logit(p, "target", there)) + softplus(logit(p, "source", here))
        return jnp.mean(real + fake)

    both = Batch((x, y))
    alike_in_value_and_slope(losses["generator"], generators, params, ["forth", "back"], both)
    alike_in_value_and_slope(losses["critic"], judges, params, ["source", "target"], both)


# --- importance weighting ---------------------------------------------------------------------------


def test_importance_weights_are_a_softmax():
    """`w = D/(1 - D)`, normalised: pitfall 4 is 1 - D in place of D."""
    logits = jnp.array([-2.0, 0.0, 1.5, 3.0])
    d = 1 / (1 + np.exp(-np.asarray(logits)))
    close(importance(logits), d / (1 - d) / (d / (1 - d)).sum())


def test_iwgan():
    """Equation 16: `sum_i w_i grad log D(G(z_i))`, with weights that carry no gradient (pitfall 3)."""
    params = parameters(generator=GENERATOR, critic=CRITIC)
    z = codes()
    losses = unified.iwgan(Laws(normal((C,)), GENERATE), CRITIC)

    def logit(p):
        return jax.vmap(CRITIC.apply, (None, 0))(p["critic"], GENERATOR.apply(p["generator"], z))

    d = np.asarray(sigmoid(logit(params)))  # numbers, so that nothing can flow through them
    w = (d / (1 - d)) / (d / (1 - d)).sum()
    by_hand = lambda p: -jnp.sum(w * jnp.log(sigmoid(logit(p))))  # noqa: E731
    alike_in_value_and_slope(losses["generator"], by_hand, params, ["generator"])
    alone = unified.gan(Laws(normal((C,)), GENERATE), CRITIC)["critic"]
    alike_in_value_and_slope(
        losses["critic"], lambda p: alone(p, (), KEY, batch())[0], params, ["critic"]
    )
    size = losses["generator"](params, (), KEY, batch())[1][1]["effective_sample_size"]
    close(size, 1 / (w**2).sum())
    assert 1 < size < N


def test_the_effective_sample_size_of_small_weights():
    """Of weights `e^-60` times 2 and 1 in single precision, where their squares are zero: `3^2 / 5`."""
    origin = walk(lambda params, key, x, cond: x)
    parts = Components(origin, discriminate=lambda params, walk: walk.end[0])
    logits = jnp.float32([[np.log(2) - 60], [-60.0]])
    loss = explain(parts, weigh=convincing())
    size = loss({}, (), KEY, Batch(logits))[1][1]["effective_sample_size"]
    assert size.dtype == jnp.float32
    np.testing.assert_allclose(size, 9 / 5, rtol=1e-5)


@pytest.mark.parametrize("row", [unified.gan, unified.iwgan])
def test_a_discriminator_of_several_numbers_is_refused(row):
    """One number in a row of its own as well: it would be taken for a batch of one."""
    losses = row(Laws(normal((C,)), GENERATE), net(D, 1))
    params = parameters(generator=GENERATOR, critic=net(D, 1))
    for loss in losses.values():
        with pytest.raises(ValueError, match=r"got a discriminator's answer of shape \(1,\)"):
            loss(params, (), KEY, batch())


def test_where_the_critic_knows_nothing_the_iwgan_is_the_gan():
    """Constant logits: equal weights, so the plain mean; and no slope for anyone to follow."""
    flat = Network(CRITIC.init, lambda params, x, cond: jnp.asarray(0.3) + 0 * x.sum())
    params = parameters(generator=GENERATOR, critic=CRITIC)
    laws = Laws(normal((C,)), GENERATE)

    def seen(row):
        loss = row(laws, flat)["generator"]
        return jax.value_and_grad(lambda p: loss(p, (), KEY, batch())[0])(params)

    weighed, plain = seen(unified.iwgan), seen(unified.gan)
    close(weighed[0], plain[0])
    for _, slope in (weighed, plain):
        jax.tree.map(lambda leaf: np.testing.assert_array_equal(leaf, 0), slope)
    metrics = unified.iwgan(laws, flat)["generator"](params, (), KEY, batch())[1][1]
    close(metrics["effective_sample_size"], N)


def test_finite_for_logits_of_eighty():
    with jax.enable_x64(False):
        steep = Network(lambda key: {}, lambda params, x, cond: 80 * jnp.sign(x[0]) + 0 * x.sum())
        params = parameters(generator=GENERATOR) | {"critic": {}}
        for row in (unified.gan, unified.iwgan):
            for loss in row(Laws(normal((C,)), GENERATE), steep).values():
                data = Batch(jax.random.normal(KEY, (N, D)))
                value, slope = jax.value_and_grad(lambda p, f=loss: f(p, (), KEY, data)[0])(params)
                assert value.dtype == jnp.float32 and np.isfinite(value)
                assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(slope))


# --- variational autoencoders ------------------------------------------------------------------------


def kernels():
    """A decoder and an encoder, both normal with learned scales."""
    generate = observed_by(net(C, 2 * D), "decoder", gaussian((D,)))
    return generate, observed_by(WIDE, "encoder", gaussian((C,)))


def of_autoencoder(**more):
    return parameters(decoder=net(C, 2 * D), encoder=WIDE, **more)


def bound_by_hand(p, x, noise):
    """Kingma & Welling (2013), equation 7: one draw each, every density written out."""
    mean, log_scale = jnp.split(WIDE.apply(p["encoder"], x), 2, -1)
    z = mean + jnp.exp(log_scale) * noise
    of_x, log_sigma = jnp.split(net(C, 2 * D).apply(p["decoder"], z), 2, -1)

    def log_normal(x, mean, log_scale):
        error = (x - mean) / jnp.exp(log_scale)
        return (-(error**2) / 2 - log_scale - jnp.log(2 * jnp.pi) / 2).sum(-1)

    told = log_normal(x, of_x, log_sigma)
    return told + log_normal(z, 0.0, 0.0 * z) - log_normal(z, mean, log_scale)


def noise_of(walks, p):
    mean, log_scale = jnp.split(WIDE.apply(p["encoder"], walks.start), 2, -1)
    return (walks.end - mean) / jnp.exp(log_scale)


def test_vae():
    params = of_autoencoder()
    generate, infer = kernels()
    noise = noise_of(walks(walk(from_data, infer), params=params), params)
    loss = unified.vae(Laws(normal((C,)), generate, infer))["vae"]
    by_hand = lambda p: -jnp.mean(bound_by_hand(p, batch().x, noise))  # noqa: E731
    alike_in_value_and_slope(loss, by_hand, params, ["decoder", "encoder"])


def test_wake_sleep():
    """Hinton et al. (1995): each phase trains one direction on what the other, held fixed, has drawn."""
    params = of_autoencoder()
    generate, infer = kernels()
    laws = Laws(normal((C,)), generate, infer)
    awake = walks(walk(from_data, infer), params=params)
    dream = walks(walk(drawn(normal((C,))), generate), params=params)

    def log_normal(x, numbers):
        mean, log_scale = jnp.split(numbers, 2, -1)
        return norm.logpdf(x, mean, jnp.exp(log_scale)).sum(-1)

    def by_hand(p):
        wake = log_normal(awake.start, net(C, 2 * D).apply(p["decoder"], awake.end))
        sleep = log_normal(dream.start, WIDE.apply(p["encoder"], dream.end))
        return -jnp.mean(wake) - jnp.mean(sleep)

    loss = unified.wake_sleep(laws)["wake_sleep"]
    alike_in_value_and_slope(loss, by_hand, params, ["decoder", "encoder"])


def test_vae_gan():
    """Larsen et al. (2015), algorithm 1: likelihood in the critic's features; two kinds of fakes."""
    features, head = net(D, 4), scalar(net(4, 1))
    params = of_autoencoder(
        generator=GENERATOR,
        critic=Network(
            lambda key: {"features": features.init(key), "head": head.init(jax.random.key(7))}, None
        ),
    )
    critic = Network(
        None, lambda p, x, cond=None: head.apply(p["head"], features.apply(p["features"], x))
    )

    def likeness(p, x, z, cond):
        made = GENERATOR.apply(p["generator"], z)
        f = [features.apply(p["critic"]["features"], each) for each in (x, made)]
        return norm.logpdf(f[0], f[1]).sum()

    _, infer = kernels()
    laws, gamma = Laws(normal((C,)), GENERATE, infer), 0.3
    losses = unified.vae_gan(laws, Kernel(log_prob=likeness), critic, gamma)
    x, z = batch().x, codes()
    noise = noise_of(walks(walk(from_data, infer), params=params), params)
    # a walk goes on from the code to the reconstruction, and has a key for each half
    half = Kernel(lambda p, key, x, cond: infer.draw(p, jax.random.split(key)[0], x, cond))
    noise_of_rebuilt = noise_of(walks(walk(from_data, half), params=params), params)

    def inferred(p, noise=noise):
        mean, log_scale = jnp.split(WIDE.apply(p["encoder"], x), 2, -1)
        return mean, log_scale, mean + jnp.exp(log_scale) * noise

    def like(p):
        return jnp.mean(jax.vmap(lambda x, z: likeness(p, x, z, None))(x, inferred(p)[2]))

    def encoder(p):
        mean, log_scale, drawn_z = inferred(p)
        prior = norm.logpdf(drawn_z) - norm.logpdf(drawn_z, mean, jnp.exp(log_scale))
        return -like(p) - jnp.mean(prior.sum(-1))

    def logits(p):
        rebuilt = inferred(p, noise_of_rebuilt)[2]
        made = (GENERATOR.apply(p["generator"], each) for each in (z, rebuilt))
        return [jax.vmap(critic.apply, (None, 0))(p["critic"], each) for each in (x, *made)]

    def judge(p):
        real, fresh, rebuilt = logits(p)
        return jnp.mean(softplus(-real) + softplus(fresh) + softplus(rebuilt))

    def generator(p):
        _, fresh, rebuilt = logits(p)
        return -gamma * like(p) + jnp.mean(softplus(-fresh) + softplus(-rebuilt))

    alike_in_value_and_slope(losses["encoder"], encoder, params, ["encoder"])
    alike_in_value_and_slope(losses["critic"], judge, params, ["critic"])
    alike_in_value_and_slope(losses["generator"], generator, params, ["generator"])


# --- the adversary-activated autoencoder ----------------------------------------------------------------


def bounded() -> Distribution[Bound]:
    """A VAE as a distribution with a claim."""
    generate, infer = kernels()

    def sample(params, key, cond=None):
        first, second = jax.random.split(key)
        return generate.draw(params, second, jax.random.normal(first, (C,)), cond)

    def log_density(params, key, x, cond=None):
        z = infer.draw(params, key, x, cond)
        told = generate.log_prob(params, x, z, cond) - infer.log_prob(params, z, x, cond)
        return told + norm.logpdf(z).sum()

    return Distribution(lambda key: {}, sample, Bound(log_density))


def noise_told(params, x, y):
    """What the bound draws in domain y, from the keys that a loss gives it."""
    keys = jax.random.split(jax.random.fold_in(KEY, 2 + y), len(x))
    _, infer = kernels()
    z = jax.vmap(lambda k, x: infer.draw(params, k, x, None))(keys, x)
    return noise_of(Walk(x, z), params)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_aavae(temperature):
    """Equation 17: `sum over real and frozen fakes of D(x) bound(x)`, a number of the real ones."""
    params = of_autoencoder(critic=CRITIC)
    model = bounded()
    loss = unified.aavae(model, CRITIC, temperature=temperature)["vae"]
    fake = walks(walk(drawn(model)), params=params).end
    noises = [noise_told(params, x, y) for y, x in enumerate((fake, batch().x))]

    def by_hand(p):
        total = 0.0
        for x, noise in zip((fake, batch().x), noises, strict=True):
            logit = np.asarray(jax.vmap(CRITIC.apply, (None, 0))(params["critic"], x))
            total += jnp.sum(1 / (1 + np.exp(-logit / temperature)) * bound_by_hand(p, x, noise))
        return -total / N

    alike_in_value_and_slope(loss, by_hand, params, ["decoder", "encoder"])


def test_a_perfect_critic_makes_the_aavae_the_vae():
    """D = 1 on data and 0 on samples: nothing made counts, and all that is real counts alike."""
    params = of_autoencoder(critic=CRITIC)
    x = batch().x

    def knows(p, sample, cond):
        return jnp.where((sample == x).all(-1).any(), 1e3, -1e3)

    perfect = Network(CRITIC.init, knows)
    loss = unified.aavae(bounded(), perfect)["vae"]
    plain = explain(Components(None, walk(from_data), back=unified.claimed(bounded())), None, (1,))
    alike_in_value_and_slope(
        loss, lambda p: plain(p, (), KEY, batch())[0], params, ["decoder", "encoder"]
    )
    turned = Network(CRITIC.init, lambda p, sample, cond: -knows(p, sample, cond))
    made_only = unified.aavae(bounded(), turned)["vae"](params, (), KEY, batch())[0]
    assert abs(float(made_only - loss(params, (), KEY, batch())[0])) > 0.1  # 1 - D in place of D


def labels():
    return jnp.arange(N) % 2


def with_label(network):
    """The network of `[x, c]` as one of x under the condition c."""
    return Network(network.init, lambda p, x, c: network.apply(p, jnp.append(x, c.astype(x.dtype))))


def test_labels_are_conditions_of_all():
    """The IWCGAN: the critic judges (x, c), the generator reads c. Mirza & Osindero, arXiv:1411.1784."""
    conditional, judge = net(C + 1, D), scalar(net(D + 1, 1))
    params = parameters(generator=conditional, critic=judge)
    data, z = Batch(batch().x, labels()), codes()
    laws = Laws(normal((C,)), of_network(with_label(conditional), "generator"))
    losses = unified.iwgan(laws, with_label(judge))

    def logit(p, x):
        return jax.vmap(judge.apply, (None, 0))(p["critic"], jnp.c_[x, data.cond])

    def made(p):
        return conditional.apply(p["generator"], jnp.c_[z, data.cond])

    w = np.asarray(softmax(logit(params, made(params))))
    by_hand = lambda p: jnp.sum(w * softplus(-logit(p, made(p))))  # noqa: E731
    alike_in_value_and_slope(losses["generator"], by_hand, params, ["generator"], data)
    by_hand = lambda p: jnp.mean(softplus(-logit(p, data.x)) + softplus(logit(p, made(p))))  # noqa: E731
    alike_in_value_and_slope(losses["critic"], by_hand, params, ["critic"], data)


@pytest.mark.parametrize("row", ["infogan", "aae", "bigan"])
def test_labels_are_read_both_ways(row):
    """Where x and z are told back from each other too, by whom, and from what, the label is read as well."""
    generator, encoder = net(C + 1, D), net(D + 1, C)
    seen = {"infogan": D, "aae": C, "bigan": D + C}[row]
    judge = scalar(net(seen + 1, 1))
    params = parameters(generator=generator, encoder=encoder, critic=judge)
    data, z, c = Batch(batch().x, labels()), codes(), labels()
    generate = normal_about(of_network(with_label(generator), "generator"), 0.7)
    infer = normal_about(of_network(with_label(encoder), "encoder"), 0.7)
    losses = getattr(unified, row)(Laws(normal((C,)), generate, infer), with_label(judge))

    def logit(p, *seen):
        return jax.vmap(judge.apply, (None, 0))(p["critic"], jnp.c_[*seen, c])

    def made(p):
        return generator.apply(p["generator"], jnp.c_[z, c])

    def inferred(p):
        return encoder.apply(p["encoder"], jnp.c_[data.x, c])

    def told(mean, there):
        return norm.logpdf(there, mean, 0.7).sum(-1)

    def infogan(p):
        back = told(encoder.apply(p["encoder"], jnp.c_[made(p), c]), z)
        return softplus(-logit(p, made(p))) - back, [data.x], [made(p)]

    def aae(p):
        prior = walks(walk(drawn(normal((C,)))), data, y=1).end
        back = told(generator.apply(p["generator"], jnp.c_[inferred(p), c]), data.x)
        return softplus(-logit(p, inferred(p))) - back, [prior], [inferred(p)]

    def bigan(p):
        real, fake = [data.x, inferred(p)], [made(p), z]
        return softplus(-logit(p, *fake)) + softplus(logit(p, *real)), real, fake

    by_hand = {"infogan": infogan, "aae": aae, "bigan": bigan}[row]

    def critic(p):
        _, real, fake = by_hand(p)
        return jnp.mean(softplus(-logit(p, *real)) + softplus(logit(p, *fake)))

    both = ["generator", "encoder"]
    alike_in_value_and_slope(
        losses["generator"], lambda p: jnp.mean(by_hand(p)[0]), params, both, data
    )
    alike_in_value_and_slope(losses["critic"], critic, params, ["critic"], data)


def test_aasvae():
    """Kingma et al. (2014), arXiv:1406.5298, equations 6 and 7: both bounds of M2, weighed alike by D.

    Without noise in the codes, so that the two bounds are functions: log p(x|y,z) of z = mean(x, y).
    """
    decode, encode, classify = net(C + 2, D), net(D + 2, C), net(D, 2)
    params = parameters(decoder=decode, encoder=encode, classifier=classify, critic=CRITIC)

    def labelled(p, x, y):
        z = encode.apply(p["encoder"], jnp.append(x, jax.nn.one_hot(y, 2)))
        told = norm.logpdf(x, decode.apply(p["decoder"], jnp.append(z, jax.nn.one_hot(y, 2)))).sum()
        return told + jnp.log(0.5) + norm.logpdf(z).sum()

    def log_density(p, key, x, cond):
        log_q = jax.nn.log_softmax(classify.apply(p["classifier"], x))
        every = jnp.stack([labelled(p, x, y) for y in range(2)])
        absent = jnp.exp(log_q) @ (every - log_q)
        return jnp.where(cond.present, every[cond.value] + log_q[cond.value], absent)

    def sample(p, key, cond):
        first, second = jax.random.split(key)
        z = jnp.append(jax.random.normal(first, (C,)), jax.nn.one_hot(cond.value, 2))
        return decode.apply(p["decoder"], z) + jax.random.normal(second, (D,))

    model = Distribution(lambda key: {}, sample, Bound(log_density))
    data = Batch(batch().x, Maybe(labels(), jnp.arange(N) < 3))
    loss = unified.aavae(model, CRITIC)["vae"]
    fake = walks(walk(drawn(model)), data, params=params).end

    def by_hand(p):
        total = 0.0
        for x in (fake, data.x):
            for i in range(N):
                q = jax.nn.softmax(classify.apply(p["classifier"], x[i]))
                if i < 3:
                    nats = labelled(p, x[i], i % 2) + jnp.log(q[i % 2])
                else:
                    entropy = -jnp.sum(q * jnp.log(q))
                    nats = q[0] * labelled(p, x[i], 0) + q[1] * labelled(p, x[i], 1) + entropy
                total += float(sigmoid(CRITIC.apply(params["critic"], x[i]))) * nats
        return -total / N

    alike_in_value_and_slope(loss, by_hand, params, ["decoder", "encoder", "classifier"], data)


# --- the program ----------------------------------------------------------------------------------------


def test_nobody_who_is_held_fixed_learns():
    """The discriminator's walks and the AAVAE's samples: no slope reaches who drew them (pitfall 3)."""
    params = of_autoencoder(generator=GENERATOR, critic=CRITIC)
    judge = unified.gan(Laws(normal((C,)), GENERATE), CRITIC)["critic"]
    slope = jax.grad(lambda p: judge(p, (), KEY, batch())[0])(params)
    jax.tree.map(lambda leaf: np.testing.assert_array_equal(leaf, 0), slope["generator"])
    weighed = unified.aavae(bounded(), CRITIC)["vae"]
    slope = jax.grad(lambda p: weighed(p, (), KEY, batch())[0])(params)
    jax.tree.map(lambda leaf: np.testing.assert_array_equal(leaf, 0), slope["critic"])


def test_the_prior_of_the_label_weighs_the_domains():
    params = parameters(generator=GENERATOR, critic=CRITIC)
    parts = Components(
        walk(drawn(normal((C,))), GENERATE), walk(from_data), at_end(CRITIC), prior=0.2
    )
    x, z = batch().x, codes()

    def logit(x):
        return jax.vmap(CRITIC.apply, (None, 0))(params["critic"], x)

    wanted = -2 * (
        0.2 * jnp.mean(log_sigmoid(logit(x)))
        + 0.8 * jnp.mean(log_sigmoid(-logit(GENERATOR.apply(params["generator"], z))))
    )
    close(discriminator(parts)(params, (), KEY, batch())[0], wanted)


def test_penalties_are_of_the_ends_of_walks():
    """R1 of the critic `|x|^2 / 2`, whose slope is x, is half the weight times the data's squared length."""
    bowl = Network(lambda key: {}, lambda params, x, cond: x @ x / 2)
    params = parameters(generator=GENERATOR) | {"critic": {}}
    laws = Laws(normal((C,)), GENERATE)
    with_r1, without = (
        unified.gan(laws, bowl, penalties)["critic"](params, (), KEY, batch())[0]
        for penalties in ([r1(0.6)], [])
    )
    close(with_r1 - without, 0.3 * jnp.mean((batch().x ** 2).sum(-1)))


def test_a_decoder_is_both_kernels():
    """What a decoder's way back draws and weighs is what its two directions draw and tell."""
    decode, encode = (reading(n, lambda x, cond: x) for n in (net(C, 2 * D), WIDE))
    step = decoder(decode, encode, gaussian((D,)))
    params = {"block": step.init(jax.random.key(4))}
    generate, infer = of_decoder(step, "block")
    x = batch().x[0]
    z, weight = step.inverse.fn(params["block"], KEY, x, None)
    close(infer.draw(params, KEY, x, None), z)
    told = generate.log_prob(params, x, z, None) - infer.log_prob(params, z, x, None)
    close(told, weight)
    close(generate.draw(params, KEY, z, None), step.forward(params["block"], KEY, z, None))


@pytest.mark.parametrize("asked, wanted", [("draw", "only asked"), ("log_prob", "only sampled")])
def test_a_law_is_not_asked_what_it_has_not(asked, wanted):
    with pytest.raises(ValueError, match=wanted):
        getattr(Kernel(), asked)({}, None, None, None)
    with pytest.raises(ValueError, match="wanted a finite number > 0"):
        normal_about(GENERATE, 0.0)
