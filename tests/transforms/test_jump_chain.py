"""A chain of jumps against its own law, enumerated kernel by kernel."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny_law import DATA, PATHS, states, wrong

from probtransform.core import log_density_many, pushforward, sample_many
from probtransform.distributions import uniform
from probtransform.integrate.jumps import euler, holding, reversal
from probtransform.paths import discrete
from probtransform.transforms import cut, jump_chain

STEPS, PARAMS = 4, {"noise": {}, "chain": ()}
KINDS = {
    "reversal": reversal,
    "holding": holding,
    "noisy": lambda path: holding(path, 2.0),
    "euler": lambda path: euler(holding(path, 2.0)),
}
CASES = [(name, kind) for name in ("masked", "uniform, cubic") for kind in KINDS]


def model(path, jumps):
    chain = jump_chain(wrong(), path, jumps, (2,), STEPS)
    return pushforward(uniform((2,)), noise=cut(2, path.noise), chain=chain)


def law_of(path, jumps):
    """The law of `(x_1, x_2)` after all steps."""
    pairs, law = jnp.asarray(states(path)), path.noise[states(path)].prod(1)

    def ahead(x, t, s):
        step = jumps.step(discrete.believed(wrong().apply((), x, t)), x, t, s)
        return (step[0][:, None] * step[1]).reshape(-1)

    for k in range(STEPS):
        law = law @ np.asarray(jax.vmap(ahead, (0, None, None))(pairs, k / STEPS, (k + 1) / STEPS))
    return law.reshape(len(path.noise), -1)


@pytest.mark.parametrize("name, kind", CASES)
def test_samples_have_the_law_of_the_chain(name, kind):
    path, n = PATHS[name], 20_000
    jumps = KINDS[kind](path)
    law = law_of(path, jumps)
    assert abs(law[:3, :3].sum() - 1) < 1e-5  # no mask is left
    x = np.asarray(sample_many(model(path, jumps), PARAMS, jax.random.key(0), n))
    assert x.dtype == np.uint8 and x.max() < 3
    share = np.bincount(3 * x[:, 0] + x[:, 1], minlength=9) / n
    wanted = law[:3, :3].ravel()
    assert (abs(share - wanted) < 5 * np.sqrt(wanted * (1 - wanted) / n) + 1e-6).all()


@pytest.mark.parametrize("name, kind", CASES)
def test_the_mean_of_the_weights_is_the_mass(name, kind):
    """`E exp fn = p(x)`, where every chain of p to x is one of q; less where p jumps to a wrong symbol on
    the way, and q, which knows the right one, never does."""
    path, keys = PATHS[name], 4000
    jumps = KINDS[kind](path)
    fn = model(path, jumps)
    some = DATA[[1, 3, 8]]
    nats = jax.vmap(lambda k: log_density_many(fn, PARAMS, k, jnp.asarray(some, jnp.uint8)))(
        jax.random.split(jax.random.key(1), keys)
    )
    weights = np.exp(np.asarray(nats, np.float64))
    mass = law_of(path, jumps)[tuple(some.T)]
    error = weights.std(0) / np.sqrt(keys)
    if (name, kind) in {("uniform, cubic", "holding"), ("masked", "noisy"), ("masked", "euler")}:
        assert (weights > 0).all() and (weights.mean(0) < mass + 4 * error).all()
    else:
        assert (error < 0.1 * mass).all() and (abs(weights.mean(0) - mass) < 4 * error).all()


def test_what_is_no_symbol_has_no_mass():
    fn = model(PATHS["masked"], reversal(PATHS["masked"])).density.fn
    assert fn(PARAMS, jax.random.key(0), jnp.array([0, 3]), None) == -jnp.inf
    with pytest.raises(ValueError, match="wanted"):
        fn(PARAMS, jax.random.key(0), jnp.zeros(2), None)
    with pytest.raises(ValueError, match="steps=0"):
        jump_chain(wrong(), PATHS["masked"], reversal(PATHS["masked"]), (2,), 0)


def test_a_cut_makes_symbols_of_its_law_from_uniforms():
    law = [0.0, 0.2, 0.5, 0.0, 0.3, 0.0]
    base = pushforward(uniform((3,)), noise=cut(3, law))
    x = np.asarray(sample_many(base, {"noise": {}}, jax.random.key(0), 20_000))
    share = np.bincount(x.ravel(), minlength=6) / x.size
    assert (abs(share - law) <= 5 * np.sqrt(np.array(law) * 0.8 / x.size)).all()
    nats = base.density.fn({"noise": {}}, jax.random.key(0), jnp.array([1, 4, 2]))
    np.testing.assert_allclose(nats, np.log(0.2 * 0.3 * 0.5), rtol=1e-6)
    assert base.density.fn({"noise": {}}, jax.random.key(0), jnp.array([1, 6, 2])) == -jnp.inf
    assert base.density.fn({"noise": {}}, jax.random.key(0), jnp.array([1, 3, 2])) == -jnp.inf


def test_a_cut_and_back():
    step, x = cut(4, [0.0, 0.2, 0.5, 0.3, 0.0]), jnp.array([1, 2, 3, 2])
    keys = jax.random.split(jax.random.key(0), 4000)
    z, _ = jax.vmap(lambda k: step.inverse.fn({}, k, x))(keys)
    assert (jax.vmap(lambda z: step.forward({}, None, z))(z) == x).all()
    cells = np.array([[-1, -0.6], [-0.6, 0.4], [0.4, 1], [-0.6, 0.4]])
    np.testing.assert_allclose(z.min(0), cells[:, 0], atol=2e-3)
    np.testing.assert_allclose(z.max(0), cells[:, 1], atol=2e-3)
    assert (step.forward({}, None, jnp.array([-1.0, 1.0])) == jnp.array([1, 3])).all()
    with pytest.raises(ValueError, match="shares of one"):
        cut(3, [0.2, 0.5])
    with pytest.raises(ValueError, match="wanted"):
        step.inverse.fn({}, None, jnp.zeros(4))
