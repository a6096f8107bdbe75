"""The page: complete, self-contained, escaped."""

import math
import re
from html.parser import HTMLParser

import pytest

from probtransform.report import Row, page

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"
MEASURES = {
    "claim": "Bound",
    "bits_per_dim": 2.0146,
    "bits_per_dim_se": 0.0138,
    "bits_per_dim_kind": "importance bound (K=64)",
    "bound_bits_per_dim": 2.0829,
    "mmd": 0.00266,
    "mmd_floor": -0.00026,
    "sliced_wasserstein": 0.0862,
    "sliced_wasserstein_floor": 0.0844,
}
NONE = MEASURES | dict.fromkeys([k for k in MEASURES if "bits" in k], None) | {"claim": "None"}
VAE = Row("vae", "digits", MEASURES, 445536, 83.4, 7, "probtransform train vae", b"one", b"two")
GAN = VAE._replace(family="gan", measures=NONE, data="moons", real=None, curves=b"c", density=b"d")


class Tags(HTMLParser):
    """Every element with its attributes, and whether they close in order."""

    VOID = {"meta", "link", "img"}

    def __init__(self, text):
        super().__init__()
        self.seen, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, *tags):
        return [attributes for tag, attributes in self.seen if tag in tags]


def text_of(html):
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", html))


def test_numbers_stand_with_their_kind_and_floor():
    text = text_of(page([VAE, GAN]))
    assert "≤ 2.015 ± 0.014 importance bound (K=64) plain bound ≤ 2.083" in text
    assert f"0.0027 floor {MINUS}0.0003" in text and "0.086 floor 0.084" in text
    assert "445,536" in text and "1 min 23 s" in text
    assert f"none {DASH}" in text and "None ±" not in text


def test_an_exact_number_is_no_bound():
    exact = MEASURES | {
        "claim": "Exact",
        "bits_per_dim_kind": "exact",
        "bits_per_dim": -1.5,
        "bound_bits_per_dim": None,
    }
    text = text_of(page([VAE._replace(measures=exact)]))
    assert f"{MINUS}1.500 ± 0.014 exact" in text and "≤" not in text


def test_any_metric_is_a_column_with_its_floor_error_and_reason():
    more = MEASURES | {"novelty": 0.25, "novelty_floor": 0.5, "novelty_se": 0.125}
    why = {"FD-x": "wants <images>", "KD-x": "wants <images>", "bits_per_dim": "no claim"}
    none = NONE | {"not_asked": why}
    html = page(
        [VAE._replace(measures=more, memory=3 * 2**20), GAN._replace(measures=none, data="digits")]
    )
    text = text_of(html)
    assert "0.250 ± 0.125 floor 0.500" in text
    assert "Not asked: FD-x, KD-x (wants &lt;images&gt;)." in text
    assert "Not asked: bits per dimension (no claim)." in text
    assert re.findall(r'data-name="(\w+)"', html) == [
        *("family", "claim", "bits_per_dim", "mmd", "sliced_wasserstein", "novelty"),
        *("parameters", "seconds", "memory", "seed"),
    ]
    assert "3 MiB" in text and 'data-value="0.25"' in html


def test_animations_walks_and_reasons_are_shown():
    row = VAE._replace(animation=b"GIF89a", transport=b"t", skipped={"interpolation": "because"})
    sources = [a["src"] for a in Tags(page([row])).all("img")]
    assert sum(s.startswith("data:image/gif;base64,") for s in sources) == 1 and len(sources) == 4
    assert "No interpolation: because." in text_of(page([row]))


def test_what_is_not_finite_is_said():
    broken = NONE | {"mmd": math.nan, "sliced_wasserstein": math.inf}
    text = text_of(page([GAN._replace(measures=broken)]))
    assert "not a number" in text and "∞" in text


def test_the_page_is_whole_and_refers_to_nothing_outside():
    tags = Tags(page([VAE, GAN]))
    assert tags.open == []
    assert not tags.all("iframe") and tags.all("script") == [{}]
    sources = [a["src"] for a in tags.all("img")]
    assert len(sources) == 5 and all(s.startswith("data:image/png;base64,") for s in sources)
    ids = [a["id"] for _, a in tags.seen if "id" in a]
    assert len(ids) == len(set(ids))
    links = [a["href"] for a in tags.all("a", "link")]
    assert all(link == "data:," or link[1:] in ids for link in links)
    assert "url(" not in page([VAE]) and "http" not in page([VAE])


def test_pictures_have_words_and_tables_have_headers():
    tags = Tags(page([VAE, GAN]))
    assert all(len(a["alt"]) > 10 for a in tags.all("img"))
    assert all(a["scope"] in ("col", "row", "colgroup") for a in tags.all("th"))
    for html in (page([VAE]), page([VAE._replace(measures=MEASURES | {"FD-digits": 1.0})])):
        spans = sum(int(n) for n in re.findall(r'colspan="(\d+)"', html))
        assert spans == len(
            re.findall(r'data-name="[A-Za-z]', html)
        )  # the groups cover all columns
    assert len(tags.all("caption")) == len(tags.all("table")) == 2
    assert tags.all("html")[0]["lang"] == "en"


def test_the_best_of_a_column_is_marked_where_one_way_is_better():
    other = VAE._replace(measures=MEASURES | {"mmd": 0.001, "coverage": 0.5, "nearest_ratio": 1.0})
    one = VAE._replace(measures=MEASURES | {"coverage": 0.75, "nearest_ratio": 0.5})
    html = page([one, other])
    best = re.findall(r'data-value="([\d.]+)" class="best"', html)
    assert "0.75" in best and "0.001" in best and "0.00266" not in best
    assert not {"0.5", "1.0"} & set(best)
    assert 'class="best"' not in page([one])


def test_several_seeds_are_one_row_with_their_spread():
    measures = MEASURES | {"mmd_spread": 0.0005, "bits_per_dim_spread": 0.002}
    text = text_of(page([VAE._replace(measures=measures, seeds=4)]))
    assert "0.0027 ± 0.0005" in text and "2.015 ± 0.002" in text and f"7{DASH}10" in text
    assert "over seeds where there are several" in text


def test_an_interval_shows_both_ends():
    ends = {"bits_per_dim_low": 1.0, "bits_per_dim_high": 1.5, "claim": "Unnormalized"}
    text = text_of(page([VAE._replace(measures=MEASURES | ends | {"bits_per_dim": 1.25})]))
    assert "1.250 ± 0.014 1.000 to 1.500" in text


def test_names_are_escaped():
    evil = "<script>alert('&')</script>"
    html = page([VAE._replace(family=evil, data=evil, command=evil)], {evil: evil}, evil)
    assert "<script>alert" not in html and "&lt;script&gt;" in html
    assert Tags(html).open == []


def test_data_sets_are_gathered_in_order_of_appearance():
    html = page([GAN, VAE, GAN._replace(family="third")])
    assert re.findall(r"<h2[^>]*>([^<]*)<", html)[:2] == ["moons", "digits"]
    assert html.index(">third<") < html.index(">vae<")


def test_families_left_out_say_why():
    assert "Left out" not in text_of(page([VAE]))
    assert "Left out autoregressive got real numbers" in text_of(
        page([VAE], {"autoregressive": "got real numbers"})
    )


def test_errors():
    with pytest.raises(ValueError, match="no rows"):
        page([])
    with pytest.raises(ValueError, match="claim 'Perhaps' of vae"):
        page([VAE._replace(measures=MEASURES | {"claim": "Perhaps"})])
