"""Ten classic mistakes of flows and chains, each made on purpose: the test that watches for it fails."""

import importlib
import importlib.util
import sys
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probtransform.conformance import check_transform
from probtransform.core import Exact
from probtransform.distributions import mixture_of_logistics
from probtransform.transforms import squash

HERE = Path(__file__).parent
# modules whose names are also those of their functions
causal, causal_transformer, spline = (
    importlib.import_module(f"probtransform.{name}")
    for name in ("networks.causal", "networks.causal_transformer", "transforms.spline")
)


@cache
def suite(path):
    """A test file as a module."""
    name = f"pitfalls_{Path(path).stem}"
    spec = importlib.util.spec_from_file_location(name, HERE / path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def red(test, *inputs, **options):
    """The test, or `check_transform`, sees the mistake. (Several at once make a group.)"""
    jax.clear_caches()
    with pytest.raises((AssertionError, ExceptionGroup, ValueError)) as seen:
        test(*inputs, **options)
    assert not seen.errisinstance(ValueError) or "a promise is broken" in str(seen.value)
    jax.clear_caches()


def test_a_spline_whose_slope_is_divided_by_the_width_once_more(monkeypatch):
    def wrong(way, side):
        def moved(at, across, up, raw, least):
            value, log_slope = way(at, across, up, raw, least)
            b = spline.bin_of(at, spline.knots(*(across, up)[side]))
            left, right = spline.ends(b, spline.knots(*across))
            return value, log_slope - jnp.log(right - left)

        return moved

    for side, name in enumerate(("rational", "rational_back")):
        monkeypatch.setattr(spline, name, wrong(getattr(spline, name), side))
    tests = suite("transforms/test_spline.py")
    scalar = tests.SPLINES["rational quadratic"]
    red(tests.test_slopes_are_those_of_autodiff_both_ways, scalar)
    red(tests.test_couplings_of_the_plane_integrate_to_one, scalar, 1)


def test_a_gradient_through_what_where_does_not_choose(monkeypatch):
    """Outside the interval there is no root, which the value of the tail hides and its gradient does not."""

    def wrong(bound, way, at):
        value, log_slope = way(at)
        outside = jnp.abs(at) >= bound
        log_slope = log_slope + jnp.sqrt(bound - jnp.abs(at)) * 0
        return jnp.where(outside, at, value), jnp.where(outside, 0.0, log_slope)

    monkeypatch.setattr(spline, "within", wrong)
    tests = suite("transforms/test_spline.py")
    scalar = tests.SPLINES["rational quadratic"]
    red(tests.test_values_and_gradients_are_finite_everywhere, scalar, 2.0)


def test_an_inverse_by_the_schoolbook_formula(monkeypatch):
    """`(-b + sqrt(b^2 - 4 a c)) / 2 a` loses its digits, or its root, in single precision."""

    def wrong(x, across, up, raw, least):
        here = spline.bin_of(x, spline.knots(*up))
        (left, right), (bottom, top) = (spline.between(here, *v) for v in (across, up))
        slopes = spline.ends(here, raw)
        d, e = (spline.steepness(r, least) for r in slopes)
        s, y = (top - bottom) / (right - left), x - bottom
        a = (top - bottom) * (s - d) + y * (d + e - 2 * s)
        b = (top - bottom) * d - y * (d + e - 2 * s)
        xi = (-b + jnp.sqrt(b**2 + 4 * a * s * y)) / (2 * a)
        return left + (right - left) * xi, 0.0 * x

    monkeypatch.setattr(spline, "rational_back", wrong)
    tests = suite("transforms/test_spline.py")
    scalar = tests.SPLINES["rational quadratic"]
    red(tests.test_float32_finds_its_way_back.hypothesis.inner_test, scalar, 10.0, 0)


def test_masks_of_which_a_degree_is_missing(monkeypatch):
    right = causal.degrees_of
    monkeypatch.setattr(
        causal, "degrees_of", lambda *at: np.minimum(right(*at), right(*at).max() - 1)
    )
    tests = suite("transforms/test_masked_autoregressive.py")
    red(tests.test_an_entry_is_moved_by_those_before_it_in_order_and_by_all_of_them, "natural")


def test_an_inverse_in_the_natural_order(monkeypatch):
    tests = suite("transforms/test_masked_autoregressive.py")
    right = tests.masked_autoregressive

    def wrong(network, order, scalar=None):
        natural = right(network, np.arange(len(order)), scalar)
        return right(network, order, scalar)._replace(inverse=natural.inverse)

    monkeypatch.setattr(tests, "masked_autoregressive", wrong)
    red(tests.test_bijection_in_every_order, "random")


def test_attention_to_the_symbol_to_be_told(monkeypatch):
    monkeypatch.setattr(
        causal_transformer,
        "behind",
        lambda n: jnp.where(np.tri(n, k=1, dtype=bool), 0.0, -jnp.inf),
    )
    tests = suite("networks/test_causal_transformer.py")
    red(tests.test_a_row_depends_on_all_symbols_before_it_and_on_no_other, 0, None)
    red(tests.test_symbol_by_symbol_is_the_same_as_all_at_once, 0, None)


def test_a_logit_without_its_jacobian():
    step = squash(3)
    check_transform(step, jnp.zeros(3), points=10, domain=(1e4, 1.0))

    def wrong(params, key, x, cond=None):
        return step.inverse.fn(params, key, x, cond)[0], jnp.zeros(())

    red(
        check_transform,
        step._replace(inverse=Exact(wrong), joint=None),
        jnp.zeros(3),
        domain=(1e4, 1.0),
    )


def test_a_mixture_whose_outer_cells_end(monkeypatch):
    right = mixture_of_logistics

    def wrong(levels):
        law = right(levels + 2)
        return law._replace(log_prob=lambda numbers, x: law.log_prob(numbers, x + 1))

    tests = suite("networks/test_pixel_cnn.py")
    monkeypatch.setattr(tests, "mixture_of_logistics", wrong)
    red(tests.test_a_mixture_is_differences_of_distribution_functions, 3)


def test_latents_that_are_drawn_afresh_on_the_way_back(monkeypatch):
    tests = suite("transforms/test_squeeze.py")
    right = tests.split

    def wrong(shape, deeper):
        step = right(shape, deeper)

        def inverse(params, key, x, cond=None):
            z, weight = step.inverse.fn(params, key, x, cond)
            half = z.size // 2
            return z.at[half:].set(jax.random.normal(key, (half,))), weight

        return step._replace(inverse=Exact(inverse))

    monkeypatch.setattr(tests, "split", wrong)
    red(tests.test_the_weight_of_a_split_is_that_of_what_went_deeper)


def test_directions_drawn_anew_at_every_stage_of_a_solver(monkeypatch):
    """The weight back is then not that of the way out."""
    tests = suite("transforms/test_trace.py")
    right = tests.hutchinson

    def wrong(probes=1):
        trace = right(probes)

        def of(product, drawn):
            d = drawn.shape[-1]
            moved = jax.lax.stop_gradient(jnp.abs(product(jnp.eye(d))).sum() * 1e4).astype(int)
            return trace.of(product, trace.draw(jax.random.fold_in(jax.random.key(0), moved), d))

        return trace._replace(of=of)

    monkeypatch.setattr(tests, "hutchinson", wrong)
    red(tests.test_one_draw_of_directions_serves_a_whole_path)


def test_a_series_that_is_cut_off(monkeypatch):
    """What has a chance of being left out must weigh more where it is not."""
    monkeypatch.setattr(jax.random, "geometric", lambda key, p: jnp.ones((), int))
    tests = suite("transforms/test_residual.py")
    red(tests.test_estimates_have_the_mean_of_what_they_estimate, "linear")
