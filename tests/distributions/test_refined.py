"""Samplers refined by the ratio of a perfect critic give the law of the data, whatever they gave before."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.stats import halfnorm, kstest, norm

from probtransform.core import (
    Batch,
    Model,
    Network,
    Player,
    Transform,
    Unnormalized,
    pushforward,
    sample_many,
    sample_stages,
)
from probtransform.distributions import normal
from probtransform.distributions.refined import refined
from probtransform.distributions.tilted import tilted
from probtransform.integrate import mala
from probtransform.objectives.contrastive_divergence import chains_of, persistent_contrast
from probtransform.training import averaged, fit
from probtransform.training.average import average
from probtransform.transforms import affine, implicit

KEY = jax.random.key(0)
COUNT = 4000
BASE = normal((1,))


def generator(fn):
    return pushforward(BASE, generator=implicit(Network(lambda key: (), lambda p, z, cond: fn(z))))


def follows(x, law):
    return kstest(np.asarray(x).reshape(-1), law.cdf).pvalue > 1e-3


def test_a_perfect_critic_makes_a_generator_perfect():
    """G(z) = 1 + 2 z makes N(1, 4); the logit of the best critic against N(0.5, 0.25) is the log-ratio."""
    gan = generator(lambda z: 1 + 2 * z)

    def critic(params, x, cond):
        return (jax.scipy.stats.norm.logpdf(x, 0.5, 0.5) - jax.scipy.stats.norm.logpdf(x, 1, 2))[0]

    law = refined(gan, BASE, critic, mala(0.03), 150)
    params = law.init(KEY)
    x = sample_many(law, params, KEY, COUNT)
    assert follows(x, norm(0.5, 0.5))
    assert not follows(sample_many(gan, params, KEY, COUNT), norm(0.5, 0.5))
    assert law.density is None


def test_a_map_that_is_not_one_to_one_may_be_refined():
    """|z| is half a normal; that of half the scale is reached from either side."""
    folded = generator(jnp.abs)
    law = refined(folded, BASE, lambda params, x, cond: -1.5 * x[0] ** 2, mala(0.1), 80)
    x, z = jax.jit(jax.vmap(lambda key: sample_stages(law, law.init(KEY), key)[::-1]))(
        jax.random.split(KEY, COUNT)
    )
    assert follows(x, halfnorm(scale=0.5)) and follows(z, norm(scale=0.5))
    np.testing.assert_allclose(x, abs(z))


@pytest.mark.parametrize("reads", [True, False])
def test_the_noise_of_a_sampler_is_tilted_too(reads):
    """z + e of normal z and e is N(0, 2), whose ratio to N(2, 1/4) is known: z alone could not get there."""
    noisy = Transform(
        lambda key: (), lambda p, key, z, cond: z + reads * jax.random.normal(key, (1,)), None
    )
    law = pushforward(BASE, noisy=noisy)
    scale = 2**0.5 if reads else 1.0

    def ratio(params, x, cond):
        logpdf = jax.scipy.stats.norm.logpdf
        return (logpdf(x, 2, 0.5) - logpdf(x, 0, scale))[0]

    x = sample_many(refined(law, BASE, ratio, mala(0.05, 2), 200), law.init(KEY), KEY, COUNT)
    assert follows(x, norm(2, 0.5))


def flow():
    """x = 1 + 2 z, its parameters as if trained."""
    law = pushforward(BASE, affine=affine(1))
    params = law.init(KEY)["affine"] | {
        "mean": jnp.ones(1),
        "log_diagonal": jnp.log(jnp.full(1, 2.0)),
    }
    return law, {"affine": params}


def test_the_condition_reaches_ratio_and_chain():
    """N(1, 4) times `exp(c x)` is N(1 + 4 c, 4): a density known up to a constant."""
    law, params = flow()
    moved = refined(law, BASE, lambda params, x, cond: cond * x[0], mala(0.3), 60)
    cond = jnp.linspace(-0.5, 0.5, COUNT)
    x = sample_many(moved, params, KEY, COUNT, cond)[:, 0]
    assert follows((x - 1 - 4 * cond) / 2, norm)
    assert type(moved.density) is Unnormalized
    points = jnp.array([[-2.0], [0.3], [4.0]])
    nats = jax.vmap(moved.density.fn, (None, None, 0, None))(params, KEY, points, 0.25)
    wanted = norm.logpdf(points[:, 0], 2, 2)
    np.testing.assert_allclose(nats - nats[0], wanted - wanted[0], rtol=1e-5)


@pytest.mark.slow
def test_an_energy_learns_what_a_flow_that_stands_still_lacks():
    """On N(1, 4) a quadratic energy `a x^2 / 2 + b x` can make any narrower normal: that of the data."""
    base, params = flow()
    rng = np.random.default_rng(0)
    x = rng.normal(-0.4, 0.8, (4000, 1)).astype(np.float32)
    quadratic = Network(
        lambda key: jnp.zeros(2), lambda p, x, cond: p[0] * x[0] ** 2 / 2 + p[1] * x[0]
    )
    kernel = mala(0.3)
    law = tilted(base, quadratic, kernel, 100)

    def move(params, key, x, cond):
        return kernel(key, x, lambda x: law.density.fn(params, key, x, cond))[0]

    def start(key):
        return base.sample(params, key, None)

    loss = persistent_contrast(law, move, start, steps=5, renewed=0.05)
    model = Model(
        law,
        {"energy": Player(("energy",), loss)},
        carry=chains_of(law, start, 500),
        prepare=lambda all, key, batch: all | params,
    )
    tx = optax.chain(optax.adam(0.02), average(0.99))
    fitted = fit(model, tx, Batch(x), steps=800, batch=500)
    found = averaged(fitted.state)
    jax.tree.map(np.testing.assert_array_equal, found["affine"], params["affine"])
    precision = 1 / 4 + found["energy"][0]
    mean = (1 / 4 - found["energy"][1]) / precision
    assert abs(mean - x.mean()) < 0.03 and abs(precision**-0.5 - x.std()) < 0.03


def test_a_base_without_a_density_is_refused():
    gan = generator(jnp.abs)
    with pytest.raises(ValueError, match="wanted Exact"):
        refined(gan, gan, lambda params, x, cond: 0.0, mala(0.1), 5)
    with pytest.raises(ValueError, match="steps=0"):
        refined(gan, BASE, lambda params, x, cond: 0.0, mala(0.1), 0)
