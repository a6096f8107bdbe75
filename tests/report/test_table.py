"""Tables of experiments: read from a file, shown on the page, escaped."""

import json
import re

import pytest
from test_page import VAE, Tags, text_of

from probtransform.report import Table, page, read_table

GRID = Table("The grid", "One cell a training.", ["objective", "moons"], [["<mmd>", "0.1 & 2"]])


def test_a_table_comes_back_from_its_file(tmp_path):
    path = tmp_path / "grid.json"
    path.write_text(json.dumps(GRID._asdict() | {"cells": []}))
    assert read_table(path) == GRID


@pytest.mark.parametrize(
    "written, wrong",
    [
        ("nothing", "no table"),
        ('{"title": "a"}', "'note'"),
        (json.dumps(GRID._asdict() | {"rows": [["a"]]}), "rows of \\[1\\] cells"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, written, wrong):
    path = tmp_path / "grid.json"
    path.write_text(written)
    with pytest.raises(ValueError, match=wrong):
        read_table(path)


def test_it_stands_on_the_page_below_the_models():
    html = page([VAE], tables=[GRID])
    text = text_of(html)
    assert re.search(
        r"vae.*The grid.*One cell a training\. objective moons.*&lt;mmd&gt; 0.1 &amp; 2", text
    )
    tags = Tags(html)  # which would have failed on an element left open
    assert {"scope": "row"} in tags.all("th") and "The grid" not in page([VAE])
