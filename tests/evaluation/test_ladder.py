"""Real digits corrupted ever more: every distance must rise. And what each says of a set and itself."""

import jax
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr
from sklearn.datasets import load_digits

from probtransform.evaluation.distances import bandwidths, mmd, sliced_wasserstein
from probtransform.evaluation.energy_distance import energy_distance
from probtransform.evaluation.frechet import frechet_distance, moments
from probtransform.evaluation.inception_score import inception_score
from probtransform.evaluation.kernel_distance import cubic_mmd, kernel_distance
from probtransform.evaluation.manifold import precision_recall
from probtransform.evaluation.measure import distances
from probtransform.evaluation.transport import sinkhorn_divergence, wasserstein
from probtransform.features import digits_classifier, features_of
from probtransform.report.metrics import CORRUPTIONS, column_of

KEY = jax.random.key(0)
IMAGES, LABELS = load_digits(return_X_y=True)
IMAGES = (IMAGES.reshape(-1, 8, 8, 1) / 8 - 1).astype(np.float32)
ORDER = np.random.default_rng(0).permutation(len(IMAGES))[:1200]
DATA, OTHERS, CLASSES = IMAGES[ORDER[:600]], IMAGES[ORDER[600:]], LABELS[ORDER[600:]]
STEPS = np.arange(1, 9)

DISTANCES = {
    "wasserstein": wasserstein,
    "wasserstein_1": lambda x, y: wasserstein(x, y, 1),
    "sliced_wasserstein": lambda x, y: sliced_wasserstein(x, y, KEY),
    "sinkhorn_divergence": lambda x, y: sinkhorn_divergence(x, y, 5.0),
    "coverage": lambda x, y: 1 - precision_recall(x, y, 5).coverage,
}


def noise(x, step):
    return x + 0.1 * step * np.random.default_rng(step).normal(size=x.shape)


def blur(x, step):
    return gaussian_filter(x, (0, 0.2 + 0.15 * step, 0.2 + 0.15 * step, 0))


def salt_and_pepper(x, step):
    random = np.random.default_rng(step)
    hit, value = random.random(x.shape) < 0.05 * step, random.choice([-1.0, 1.0], x.shape)
    return np.where(hit, value, x)


def dropped_modes(x, step):
    """Digits below `step` are replaced by others, drawn again."""
    kept = np.flatnonzero(step <= CLASSES)
    again = np.random.default_rng(step).choice(kept, len(x))
    return x[np.where(step <= CLASSES, np.arange(len(x)), again)]


LADDERS = dict(zip(CORRUPTIONS, (noise, blur, salt_and_pepper, dropped_modes), strict=True))


@pytest.fixture(scope="module")
def judged():
    """`x -> {metric: number}`, every metric of the page that compares samples with data, and two more."""
    width, see = bandwidths(OTHERS, DATA), digits_classifier()
    wanted, _ = features_of(see, DATA)

    def judge(x):
        seen, logits = features_of(see, np.clip(x, -1, 1))
        return {
            **distances(x, DATA, KEY, width),
            **precision_recall(DATA, x)._asdict(),
            "FD-digits": frechet_distance(moments(seen), moments(wanted)),
            "KD-digits": kernel_distance(seen, wanted, KEY, subsets=20).mean,
            "inception_score": inception_score(logits).mean,
            "wasserstein_1": wasserstein(x, DATA, 1),
            "sinkhorn_divergence": sinkhorn_divergence(x, DATA, 5.0),
        }

    return judge


@pytest.mark.parametrize("corruption", LADDERS)
def test_a_metric_ranks_corruptions_or_the_page_says_so(judged, corruption):
    """Spearman's correlation with the step is at least 0.95, but where the page calls a metric blind."""
    rows = [judged(np.float32(LADDERS[corruption](OTHERS, step))) for step in STEPS]
    for name in rows[0]:
        if name.endswith("_se"):
            continue
        column = column_of(name)
        values = [-row[name] if column.best == "high" else row[name] for row in rows]
        ranks = spearmanr(STEPS, values).statistic >= 0.95
        assert ranks == (corruption not in column.blind), (name, np.round(values, 4))


@pytest.mark.parametrize(
    "name",
    DISTANCES,
)
def test_a_set_is_at_no_distance_from_itself(name):
    assert DISTANCES[name](DATA, DATA) == pytest.approx(0, abs=1e-4)


def test_the_frechet_distance_of_a_set_to_itself_is_rounding():
    assert frechet_distance(moments(DATA), moments(DATA)) == pytest.approx(0, abs=1e-6)


def test_a_set_is_wholly_like_itself():
    # strictly within the ball are the k - 1 nearer neighbours and the point itself
    assert precision_recall(DATA, DATA, 5) == pytest.approx((1, 1, 1, 1), abs=0.02)


def test_what_has_no_bias_is_below_zero_for_a_set_and_itself():
    """There each example meets itself across the sets, but not within: `2 (k(x, x) - E k) / n` too near."""
    x = DATA.reshape(600, -1)
    assert energy_distance(DATA, DATA) == pytest.approx(-2 * pdist(x).mean() / 600, rel=1e-5)
    gram = (np.float64(x) @ x.T / 64 + 1) ** 3
    excess = np.trace(gram) / 600 - (gram.sum() - np.trace(gram)) / (600 * 599)
    assert cubic_mmd(x, x) == pytest.approx(-2 * excess / 600, rel=1e-6)
    assert mmd(DATA, DATA, biased=True) == pytest.approx(0, abs=1e-6)
