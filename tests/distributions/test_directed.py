"""Deep belief nets whose every state is written down."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit, logsumexp
from scipy.stats import bernoulli

from probtransform.core import Bound, Unnormalized, log_density, sample_many
from probtransform.distributions.directed import belief_net, directed
from probtransform.distributions.harmonium import chained, enumerated, harmonium
from probtransform.distributions.layer import bits, symbols
from probtransform.distributions.tempered import TemperedBound

KEY = jax.random.key(0)
D, HIDDEN, TOP = 4, 3, 2
LAYER, ABOVE = bits((D,)), bits((HIDDEN,))
LOWER, UPPER = harmonium(LAYER, HIDDEN), harmonium(ABOVE, TOP)
LAYERS = directed(LOWER, LAYER, HIDDEN)
NET = belief_net(enumerated(UPPER, ABOVE, TOP), LAYERS)


def every(n):
    return np.array(list(itertools.product([0, 1], repeat=n)))


V, H = every(D), every(HIDDEN)
V8, H8 = jnp.asarray(V, jnp.uint8), jnp.asarray(H, jnp.uint8)


def shaken(start, seed=0, scale=0.8):
    noise = np.random.default_rng(seed)
    return jax.tree.map(
        lambda p: jnp.asarray(p + scale * noise.normal(size=p.shape), jnp.float32), start
    )


@pytest.fixture(scope="module")
def params():
    return shaken(NET.init(KEY))


def block(params, *names):
    """The arrays of blocks, added by name, in double precision."""
    total = {}
    for name in names:
        for leaf, array in params[name].items():
            total[leaf] = total.get(leaf, 0) + np.asarray(array, np.float64)
    return total


@pytest.fixture(scope="module")
def tables(params):
    """`log p(v, h)` and `log q(h|v)`, `[16, 8]`, of the definitions."""
    centre = block(params, "layer_centre")
    down, up = block(params, "layer", "layer_down"), block(params, "layer", "layer_up")
    p_v = expit(down["visible"] + (H - centre["hidden"]) @ down["weights"].T)  # [8, 4]
    q_h = expit(up["hidden"] + (V - centre["visible"]) @ up["weights"])  # [16, 3]
    own, mid = block(params, "machine"), block(params, "centre")
    s, t = H - mid["visible"], every(TOP) - mid["hidden"]
    energy = (s @ own["visible"])[:, None] + t @ own["hidden"] + s @ own["weights"] @ t.T
    log_h = logsumexp(energy, 1) - logsumexp(energy)
    given = bernoulli.logpmf(V[:, None], p_v).sum(-1)
    return log_h + given, bernoulli.logpmf(H, q_h[:, None]).sum(-1)


def test_each_direction_is_coins(params, tables):
    joint, guess = tables
    top = enumerated(UPPER, ABOVE, TOP)
    grid = lambda f: jax.jit(  # noqa: E731
        jax.vmap(jax.vmap(f, (None, 0)), (0, None))
    )
    found = grid(lambda v, h: LAYERS.told(params, v, h) + log_density(top, params, KEY, h))(V8, H8)
    np.testing.assert_allclose(found, joint, atol=2e-5)
    found = grid(lambda v, h: LAYERS.guessed(params, h, v))(V8, H8)
    np.testing.assert_allclose(found, guess, atol=1e-5)


def test_the_bound_is_that_of_the_guess_and_below_the_truth(params, tables):
    joint, guess = tables
    keys = jax.random.split(KEY, 4000)
    many = jax.jit(jax.vmap(lambda v, k: log_density(NET, params, k, v), (None, 0)))
    exact, q = logsumexp(joint, 1), np.exp(guess)
    wanted = (q * (joint - guess)).sum(1)
    assert (wanted < exact).all() and type(NET.density) is Bound
    for i in (0, 3, 9, 14):
        found = np.asarray(many(V8[i], keys), np.float64)
        assert abs(found.mean() - wanted[i]) < 5 * found.std() / np.sqrt(4000) + 1e-5
        # what a key may find is `log p(v, h) - log q(h|v)` of one h
        assert abs(found[:, None] - (joint - guess)[i]).min(1).max() < 1e-4


def test_draws_have_the_shares_of_the_law(params, tables):
    p, count = np.exp(logsumexp(tables[0], 1)), 20_000
    drawn = np.asarray(sample_many(NET, params, KEY, count, chunk=count))
    shares = (drawn[:, None] == V).all(-1).mean(0)
    assert (abs(shares - p) < 5 * np.sqrt(p / count)).all()


def test_a_second_machine_that_is_the_first_turned_over_changes_no_law():
    """Its visible layer is the first one's hidden one: `sum_h p(v|h) p(h)` is the first machine's `p(v)`."""
    upper = harmonium(ABOVE, D)
    params = {"machine": {}, "centre": {}} | shaken(LAYERS.init(KEY), 1)
    first, centre = params["layer"], params["layer_centre"]
    params["machine"] = {
        "weights": first["weights"].T,
        "visible": first["hidden"],
        "hidden": first["visible"],
    }
    params["centre"] = {"visible": centre["hidden"], "hidden": centre["visible"]}
    params |= jax.tree.map(jnp.zeros_like, {n: params[n] for n in ("layer_down", "layer_up")})
    prior = enumerated(upper, ABOVE, D)
    joint = jax.vmap(
        jax.vmap(
            lambda v, h: log_density(prior, params, KEY, h) + LAYERS.told(params, v, h), (None, 0)
        ),
        (0, None),
    )(V8, H8)
    machine = enumerated(LOWER, LAYER, HIDDEN)
    alone = jax.vmap(lambda v: log_density(machine, LAYERS.machine(params), KEY, v))(V8)
    np.testing.assert_allclose(logsumexp(np.asarray(joint, np.float64), 1), alone, atol=2e-5)


def test_nets_stack_and_lie_on_symbols():
    """Three layers, the data softmax units: the exponential of the bound has mass one."""
    layer = symbols((2,), 3)
    top = enumerated(harmonium(bits((3,)), 2), bits((3,)), 2)
    upper = directed(harmonium(ABOVE, 3), ABOVE, 3, "second")
    lower = directed(harmonium(layer, HIDDEN), layer, HIDDEN)
    net = belief_net(belief_net(top, upper), lower)
    params = shaken(net.init(KEY), 2, 0.3)
    x = jnp.asarray(list(itertools.product(range(3), repeat=2)), jnp.uint8)
    keys = jax.random.split(KEY, 4000)
    nats = jax.jit(
        jax.vmap(jax.vmap(lambda x, k: log_density(net, params, k, x), (0, None)), (None, 0))
    )(x, keys)
    mass = np.exp(np.asarray(nats, np.float64)).sum(1)
    assert abs(mass.mean() - 1) < 5 * mass.std() / np.sqrt(4000) and mass.std() < 1


def test_an_unknown_constant_leaves_a_bound_up_to_it():
    """One that has the ladder of the law on top, whatever stands below."""
    top = chained(harmonium(bits((3,)), 2), bits((3,)), 5)
    upper = directed(harmonium(ABOVE, 3), ABOVE, 3, "second")
    for law, net in (
        (top, belief_net(belief_net(top, upper), LAYERS)),
        (alone := chained(UPPER, ABOVE, 5), belief_net(alone, LAYERS)),
    ):
        assert isinstance(net.density, TemperedBound)
        assert not isinstance(net.density, Bound | Unnormalized)
        assert net.density.ladder is law.density.ladder and net.density.end is law.sample


def test_wrong_input_is_refused(params):
    for wrong in (jnp.zeros(D), jnp.zeros(D + 1, jnp.uint8)):
        with pytest.raises(ValueError, match="binary units"):
            log_density(NET, params, KEY, wrong)


def test_two_layers_of_one_name_are_refused():
    """They would share their weights, and nobody would say so."""
    layer, top = bits((3,)), harmonium(bits((3,)), 2)
    same = directed(harmonium(layer, 3), layer, 3)
    net = belief_net(belief_net(enumerated(top, bits((3,)), 2), same), same)
    with pytest.raises(ValueError, match=r"belief_net: got blocks named \['layer', .*\] twice"):
        net.init(jax.random.key(0))
