"""Guided fields against those of exact posteriors of normals, in double precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gaussian_field import FIVE, Normals

from probtransform import integrate, paths
from probtransform.core import Maybe, Network
from probtransform.integrate import guidance

KNOWN, NOISE = np.array([0, 2, 3]), 0.3
Y = np.array([0.1, 2.0, -1.0])
X = np.array([0.4, -1.2, 0.8, 1.5, -0.6])


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def exact(path, predicts, normals=FIVE):
    field = normals.field(path, predicts)
    return Network(lambda key: (), lambda params, x, t, cond=None: field(x, t))


def posterior() -> Normals:
    """Of x given `y = x[KNOWN] + NOISE e`: precisions add."""
    precision = FIVE.scale**-2.0
    mean = FIVE.mean * precision
    precision[KNOWN] += NOISE**-2
    mean[KNOWN] += Y / NOISE**2
    return Normals(mean / precision, precision**-0.5)


def unknown(rates):
    s = FIVE.scale[KNOWN]
    return s**2 * rates.sigma**2 / (rates.alpha**2 * s**2 + rates.sigma**2)


@pytest.mark.parametrize("predicts", paths.VIEWS)
@pytest.mark.parametrize("path", [paths.vp(), paths.linear()], ids=["vp", "linear"])
def test_pigdm_is_the_field_of_the_posterior(path, predicts):
    measure = guidance.pigdm(lambda x: x[KNOWN], Y, NOISE, unknown)
    guided = guidance.given(exact(path, predicts), path, predicts, measure)
    wanted = posterior().field(path, predicts)
    for t in (0.1, 0.5, 0.9):
        t = jnp.asarray(t)
        np.testing.assert_allclose(guided.apply((), X, t, None), wanted(X, t), rtol=1e-10)


def test_inpainting_samples_the_posterior():
    path = paths.linear()
    measure = guidance.pigdm(lambda x: x[KNOWN], Y, NOISE, unknown)
    guided = guidance.given(exact(path, "velocity"), path, "velocity", measure)
    times = np.linspace(1e-4, 1 - 1e-4, 41)
    table = integrate.heun(path, times, "velocity")
    z = jax.random.normal(jax.random.key(0), (64, 5))
    ends = jax.vmap(lambda z: integrate.run(table, lambda x, t: guided.apply((), x, t), z))(z)
    wanted = posterior().carried(path, times[0], table.start * z, times[-1])
    np.testing.assert_allclose(ends, wanted, atol=5e-3)


def test_dps_ignores_what_is_unknown():
    """At little noise it is right, far from it it pulls too hard: by `1 + spread / noise^2`."""
    path, t = paths.vp(), jnp.asarray(0.5)
    plain = exact(path, "score")
    pulls = []
    for measure in (
        guidance.dps(lambda x: x[KNOWN], Y, NOISE),
        guidance.pigdm(lambda x: x[KNOWN], Y, NOISE, unknown),
    ):
        guided = guidance.given(plain, path, "score", measure)
        pulls.append(guided.apply((), X, t)[KNOWN] - plain.apply((), X, t)[KNOWN])
    np.testing.assert_allclose(
        pulls[0] / pulls[1], 1 + unknown(path.rates(t)) / NOISE**2, rtol=1e-9
    )


def test_a_classifier_of_two_normals_gives_the_one_it_names():
    """Bayes: the score of the mixture plus that of `p(class | x_t)` is the score of the class."""
    path, t = paths.vp(), jnp.asarray(0.6)
    other = Normals(FIVE.mean + 1.0, FIVE.scale * 1.3)

    def logs(x, t):
        r = path.rates(t)
        out = []
        for n in (FIVE, other):
            v = r.alpha**2 * n.scale**2 + r.sigma**2
            out.append(-0.5 * jnp.sum((x - r.alpha * n.mean) ** 2 / v + jnp.log(v)))
        return jnp.stack(out)

    mixture = Network(
        lambda key: (),
        lambda params, x, t, cond=None: jax.grad(lambda x: jax.nn.logsumexp(logs(x, t)))(x),
    )

    def log_prob(params, x, t, cond):
        return jax.nn.log_softmax(logs(x, t))[1]

    guided = guidance.classified(mixture, path, "score", log_prob)
    wanted = other.field(path, "score")(X, t)
    np.testing.assert_allclose(guided.apply((), X, t), wanted, rtol=1e-9)


def test_classifier_free():
    network = Network(
        lambda key: (),
        lambda params, x, t, cond: x + jnp.where(cond.present, cond.value, 0.0),
    )
    cond, t = Maybe(jnp.asarray(2.0), jnp.asarray(True)), jnp.asarray(0.5)
    for scale, added in ((0.0, 0.0), (1.0, 2.0), (3.0, 6.0)):
        guided = guidance.classifier_free(network, scale)
        np.testing.assert_allclose(guided.apply((), X, t, cond), X + added)
    late = guidance.classifier_free(network, 3.0, low=0.6)
    np.testing.assert_allclose(late.apply((), X, t, cond), X + 2)
    np.testing.assert_allclose(late.apply((), X, jnp.asarray(0.7), cond), X + 6)


def test_autoguidance_extrapolates_and_rescaling_keeps_the_size():
    path, t = paths.vp(), jnp.asarray(0.5)
    good, bad = exact(path, "data"), exact(path, "data", Normals(0 * FIVE.mean, 2 * FIVE.scale))
    guided = guidance.autoguided(good, bad, 3.0)
    a, b = good.apply((), X, t), bad.apply((), X, t)
    np.testing.assert_allclose(guided.apply(((), ()), X, t), b + 3 * (a - b), rtol=1e-12)
    full = guidance.rescaled(
        guided, Network(good.init, lambda p, *rest: good.apply((), *rest)), 1.0
    )
    np.testing.assert_allclose(np.std(full.apply(((), ()), X, t)), np.std(a), rtol=1e-12)
    with pytest.raises(ValueError, match="share=2"):
        guidance.rescaled(guided, good, 2.0)


@pytest.mark.parametrize("predicts", paths.VIEWS)
def test_a_sum_of_fields_means_the_same_in_every_view(predicts):
    path, t = paths.vp(), jnp.asarray(0.5)
    other = Normals(FIVE.mean + 1.0, FIVE.scale * 1.3)
    both = guidance.autoguided(exact(path, predicts), exact(path, predicts, other), 2.0)
    as_data = paths.as_view(both, path, predicts, "data").apply(((), ()), X, t)
    direct = guidance.autoguided(exact(path, "data"), exact(path, "data", other), 2.0)
    np.testing.assert_allclose(as_data, direct.apply(((), ()), X, t), rtol=1e-10)
