"""No row looks ahead or overlooks; pixels met one by one are those met all at once; mixtures sum to one."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from probtransform.core import Event, log_density_many, sample_many
from probtransform.core.network import passes
from probtransform.distributions import mixture_of_logistics
from probtransform.families.pixelcnn import image_of, pixelcnn
from probtransform.families.pixelcnn_pp import pixelcnn_pp
from probtransform.networks.pixel_cnn import pixel_cnn

KEY = jax.random.key(0)
SHAPE, LEVELS = (3, 4, 2), 5
SIZE = 24


def loud(network, seed=0):
    """Parameters at which the last layer, which starts at zero, says something."""
    noise = np.random.default_rng(seed)
    return jax.tree.map(
        lambda p: p + 0.3 * noise.standard_normal(p.shape).astype("float32"),
        jax.jit(network.init)(KEY),
    )


def symbols_like(size, levels, seed=0):
    return jnp.asarray(np.random.default_rng(seed).integers(levels, size=size))


def influence(network, params, symbols, levels):
    """`[i, j]`: the largest change of row i, over all the values that symbol j can take."""
    apply = jax.jit(lambda x: network.apply(params, x))
    rows = apply(symbols)
    moved = [
        np.max([np.abs(apply(symbols.at[j].set(v)) - rows).max(1) for v in range(levels)], 0)
        for j in range(len(symbols))
    ]
    return np.stack(moved, 1)


@pytest.mark.parametrize(
    "shape, depth, reach",
    [(SHAPE, 3, 1), ((5, 5, 1), 2, 2), ((1, 6, 1), 5, 1)],
)
def test_a_row_depends_on_all_symbols_before_it_and_on_no_other(shape, depth, reach):
    network = pixel_cnn(shape, 3, 4, width=8, depth=depth, reach=reach)
    size = int(np.prod(shape))
    found = influence(network, loud(network), symbols_like(size, 3), 3)
    before = np.tri(size, k=-1, dtype=bool)
    assert (found[~before] == 0).all()
    assert (found[before] > 1e-6).all()


def test_a_short_reach_meets_a_wedge_without_a_blind_spot():
    """One block of reach one: two rows up (one by the shift), one column aside, two to the left."""
    network = pixel_cnn((4, 7, 1), 3, 4, width=8, depth=1, reach=1)
    found = influence(network, loud(network), symbols_like(28, 3), 3).reshape(4, 7, 4, 7)
    at = found[3, 3] > 1e-6
    wanted = np.zeros((4, 7), bool)
    wanted[1:3, 2:5] = wanted[3, 1:3] = True
    np.testing.assert_array_equal(at, wanted)


@pytest.mark.parametrize(
    "shape, reach, classes, cond",
    [(SHAPE, 2, 3, jnp.array(2)), ((1, 5, 1), 3, 0, None)],
)
def test_symbol_by_symbol_is_the_same_as_all_at_once(shape, reach, classes, cond):
    network = pixel_cnn(shape, LEVELS, 3, classes, width=8, depth=3, reach=reach)
    params = loud(network)
    symbols = symbols_like(int(np.prod(shape)), LEVELS)

    @jax.jit
    def both(params, z):
        told = network.unroll(params, lambda theta, symbol: (symbol, theta), z, cond)
        return *told, network.apply(params, z, cond)

    met, rows, wanted = both(params, symbols)
    np.testing.assert_array_equal(met, symbols)
    np.testing.assert_allclose(rows, wanted, atol=1e-4)


def test_what_is_drawn_row_by_row_is_what_a_pass_a_symbol_draws():
    """Of the network that both families use, through the head of the one that has more to its head."""
    network = pixel_cnn(SHAPE, LEVELS, 9, 2, width=8, depth=2, reach=2)
    params, label = loud(network), jnp.array(1)
    z = jax.random.uniform(KEY, (20, SIZE))

    def draw(theta, u):
        return mixture_of_logistics(LEVELS).quantile(theta, u), theta

    slow = passes(network, SIZE)
    many = [jax.vmap(lambda z, n=n: n.unroll(params, draw, z, label)) for n in (network, slow)]
    (symbols, rows), (wanted, wanted_rows) = jax.jit(lambda z: [n(z) for n in many])(z)
    np.testing.assert_array_equal(symbols, wanted)
    assert len(np.unique(symbols)) == LEVELS
    np.testing.assert_allclose(rows, wanted_rows, atol=1e-4)


@pytest.mark.parametrize("family", [pixelcnn, pixelcnn_pp])
def test_all_images_together_have_mass_one_and_are_drawn_as_often_as_their_mass(family):
    distribution = family(Event((2, 1, 2), levels=3), width=8, depth=1, reach=1).distribution
    params = loud(distribution)
    images = np.array(list(itertools.product(range(3), repeat=4)), np.uint8)
    nats = log_density_many(distribution, params, KEY, images.reshape(-1, 2, 1, 2))
    mass = np.exp(np.float64(nats))
    assert mass.sum() == pytest.approx(1, abs=1e-5)
    drawn = np.asarray(sample_many(distribution, params, KEY, 4000)).reshape(-1, 4).astype(int)
    counts = np.bincount(drawn @ 3 ** np.arange(4)[::-1], minlength=81)
    often = 4000 * mass > 5  # the rest together, as a chi-squared test wants
    seen = [*counts[often], counts[~often].sum()]
    wanted = np.array([*mass[often], mass[~often].sum()])
    assert stats.chisquare(seen, 4000 * wanted / wanted.sum()).pvalue > 1e-3


def test_labels_reach_every_row_and_the_start_is_zero():
    network = pixel_cnn(SHAPE, LEVELS, 3, 3, width=8, depth=2)
    symbols = symbols_like(SIZE, LEVELS)
    apply, params = jax.jit(network.apply), loud(network)
    assert not apply(jax.jit(network.init)(KEY), symbols, jnp.array(0)).any()
    rows = [apply(params, symbols, jnp.array(k)) for k in range(2)]
    assert (np.abs(rows[0] - rows[1]).max(1) > 1e-4).all()


def test_a_key_drops_features_and_no_key_none():
    network = pixel_cnn(SHAPE, LEVELS, 3, width=8, depth=2, dropout=0.5)
    params, symbols = loud(network), symbols_like(SIZE, LEVELS)
    apply = jax.jit(network.apply)
    rows = [apply(params, symbols, None, jax.random.key(k)) for k in range(2)]
    assert np.abs(rows[0] - rows[1]).max() > 1e-2
    sure = jax.jit(pixel_cnn(SHAPE, LEVELS, 3, width=8, depth=2).apply)
    np.testing.assert_allclose(sure(params, symbols, None, KEY), apply(params, symbols), atol=1e-5)


def numbers_of(count, levels):
    """Numbers of mixtures of four, and the distribution function of each at the ends of cells, by SciPy."""
    numbers = np.random.default_rng(levels).standard_normal((count, 12)).astype("float32")
    logits, mean, log_scale = np.split(np.float64(numbers), 3, -1)
    weights = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    middle = (mean + np.array([-0.75, -0.25, 0.25, 0.75]) + 1) * levels / 2 - 0.5
    edges = np.array([-np.inf, *(np.arange(1, levels) - 0.5), np.inf])[:, None, None]
    cdf = stats.logistic.cdf(edges, middle, np.exp(log_scale.clip(-5, 3)) * levels / 8)
    return numbers, (weights * cdf).sum(-1).T


def log_masses(numbers, levels):
    """Those of all symbols, `f32[count, levels]`."""
    law = mixture_of_logistics(levels)
    each = jax.vmap(jax.vmap(law.log_prob, (None, 0)), (0, None))
    return each(jnp.asarray(numbers)[:, None], jnp.arange(levels)[:, None])


@pytest.mark.parametrize("levels", [2, 3, 256])
def test_a_mixture_is_differences_of_distribution_functions(levels):
    numbers, cdf = numbers_of(20, levels)
    mass = np.exp(np.float64(jax.jit(log_masses, static_argnums=1)(numbers, levels)))
    np.testing.assert_allclose(mass, np.diff(cdf), rtol=2e-4, atol=1e-7)
    np.testing.assert_allclose(mass.sum(-1), 1, atol=1e-5)


def test_rows_add_up_and_no_symbol_is_beyond_the_levels():
    numbers, law = jnp.asarray(numbers_of(300, 7)[0]), mixture_of_logistics(7)
    x = jnp.arange(300) % 7
    rows = log_masses(numbers, 7)[jnp.arange(300), x]
    assert law.log_prob(numbers, x) == pytest.approx(float(rows.sum()), rel=1e-5)
    assert law.log_prob(numbers, x.at[0].set(7)) == -np.inf


@pytest.mark.parametrize("levels", [2, 5, 7, 256])
def test_a_quantile_is_the_first_symbol_whose_distribution_function_exceeds_it(levels):
    numbers, cdf = numbers_of(50, levels)
    # the least and largest that `uniform` draws, and near both ends, where a running sum would round
    u = np.float32([0, 2**-23, 1e-5, *np.linspace(0.01, 0.99, 50), 1 - 1e-5, 1 - 2**-23])
    find = jax.jit(jax.vmap(jax.vmap(mixture_of_logistics(levels).quantile, (None, 0)), (0, None)))
    x = np.asarray(find(numbers, u))
    assert x.min() == 0 and x.max() == levels - 1
    low, high = np.take_along_axis(cdf, x, -1), np.take_along_axis(cdf, x + 1, -1)
    nearer = np.minimum(u, 1 - np.float64(u))
    assert (low <= u + 1e-5 * nearer).all() and (high >= u - 1e-5 * nearer).all()


@pytest.mark.parametrize("size", [30.0, 1e6])
def test_a_mixture_at_extremes_is_finite_with_finite_gradients(size):
    numbers = size * jnp.asarray(list(itertools.product([-1.0, 0.0, 1.0], repeat=6)))

    @jax.jit
    def look(numbers):
        slope = jax.grad(mixture_of_logistics(256).log_prob)
        slopes = [slope(numbers, jnp.full(len(numbers), x)) for x in (0, 100, 255)]
        return log_masses(numbers, 256), jnp.stack(slopes)

    nats, slopes = look(numbers)
    assert np.isfinite(nats).all() and np.isfinite(slopes).all()
    np.testing.assert_allclose(np.exp(np.float64(nats)).sum(-1), 1, atol=1e-3)


def test_what_is_no_image_is_one_row_of_pixels():
    assert image_of(Event((4, 5, 3), levels=9)) == (4, 5, 3)
    assert image_of(Event((7,))) == (1, 7, 1)
    assert image_of(Event(())) == (1, 1, 1)


def test_errors():
    with pytest.raises(ValueError, match=r"pixel_cnn: got the shape \(4, 4\), wanted"):
        pixel_cnn((4, 4), 3, 3)
    with pytest.raises(ValueError, match="pixel_cnn: got levels=0"):
        pixel_cnn(SHAPE, 0, 3)
    with pytest.raises(ValueError, match="pixel_cnn: got reach=0"):
        pixel_cnn(SHAPE, 3, 3, reach=0)
    network = pixel_cnn(SHAPE, LEVELS, 3, width=8, depth=1)
    with pytest.raises(ValueError, match=r"pixel_cnn: got an example of shape \(5,\)"):
        network.apply({}, jnp.zeros(5, int))
    with pytest.raises(ValueError, match="wanted integer numbers"):
        network.apply({}, jnp.zeros(SIZE))
    for numbers, levels in [(8, 5), (9, 1), (0, 5)]:
        with pytest.raises(
            ValueError, match=f"mixture_of_logistics: got {numbers} numbers for {levels}"
        ):
            mixture_of_logistics(levels).quantile(jnp.zeros(numbers), 0.5)
