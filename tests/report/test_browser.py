"""The page in a real browser: it sorts, it draws, it asks the network for nothing."""

import io
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image
from test_page import VAE

from probtransform.report import page

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium")


def png(colour):
    out = io.BytesIO()
    Image.new("RGB", (40, 40), colour).save(out, "PNG")
    return out.getvalue()


def rows():
    drawn = VAE._replace(data="moons", samples=png("red"), real=png("blue"))
    numbers = {"a": 10.5, "b": 9.25, "c": 100.0, "d": None, "e": float("nan")}
    return [
        drawn._replace(family=name, measures=VAE.measures | {"mmd": mmd})
        for name, mmd in numbers.items()
    ]


@pytest.fixture
def browse(tmp_path):
    """`(hash, *options) -> (stdout, log)`: the page as the browser leaves it."""
    (tmp_path / "page.html").write_text(page(rows()), encoding="utf-8")

    def run(hash_, *options):
        command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
        ]
        command += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000"]
        command += ["--enable-logging=stderr", f"--log-net-log={tmp_path / 'net.json'}", *options]
        command += [f"file://{tmp_path / 'page.html'}{hash_}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout, done.stderr

    return run


def asked_for(log):
    """The addresses that the page asked for, not the browser itself, which has no origin."""
    events = json.loads(log.read_text())["events"]
    params = [event.get("params", {}) for event in events]
    return [
        p["url"]
        for p in params
        if p.get("url", "").startswith("http") and p.get("initiator") not in (None, "not an origin")
    ]


def order(dom):
    return re.findall(r'<th scope="row">(\w)</th>', dom)


@pytest.mark.parametrize(
    "hash_, wanted, said",
    [
        ("", "abcde", "none"),
        ("#sort=mmd", "bacde", "ascending"),  # as numbers: 9.25 before 10.5 before 100
        ("#sort=-mmd", "cabde", "descending"),  # and what is missing last either way
        ("#sort=-family", "edcba", "none"),
    ],
)
def test_a_heading_sorts_its_column(browse, hash_, wanted, said):
    dom, _ = browse(hash_, "--dump-dom")
    assert "".join(order(dom)) == wanted
    (head,) = re.findall(r'<th[^>]*data-name="mmd"[^>]*>.*?</th>', dom)
    assert f'aria-sort="{said}"' in head and '<button type="button">' in head


def test_the_console_is_silent_and_the_network_too(browse, tmp_path):
    _, log = browse("#sort=mmd", "--dump-dom")
    assert "CONSOLE" not in log
    assert asked_for(tmp_path / "net.json") == []


def test_what_a_page_asks_for_would_be_seen(browse, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(path.read_text().replace("<main>", '<main><img src="http://a.invalid/b.png">'))
    browse("", "--dump-dom")
    assert "http://a.invalid/b.png" in asked_for(tmp_path / "net.json")


@pytest.mark.parametrize("dark", [False, True])
def test_pictures_are_drawn_on_light_and_on_dark(browse, tmp_path, dark):
    shot = tmp_path / "shot.png"
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    browse("", scheme, "--window-size=1100,1600", f"--screenshot={shot}")
    seen = np.asarray(Image.open(shot).convert("RGB"), int)
    assert (seen[0, 0].mean() < 60) == dark
    assert ((seen == [255, 0, 0]).all(-1)).sum() > 10_000
    assert ((seen == [0, 0, 255]).all(-1)).sum() > 10_000
