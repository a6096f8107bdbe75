"""Claims are types: mypy accepts what makes sense and rejects, line by line, what does not."""

import re
from pathlib import Path

from mypy import api

CLAIMS = Path(__file__).with_name("claims.py")


def test_mypy_rejects_exactly_the_marked_lines(tmp_path):
    marked = {
        i for i, line in enumerate(CLAIMS.read_text().splitlines(), 1) if line.endswith("# error")
    }
    config = str(CLAIMS.parents[2] / "pyproject.toml")
    out, err, _ = api.run(["--config-file", config, "--cache-dir", str(tmp_path), str(CLAIMS)])
    rejected = re.findall(rf"{CLAIMS.name}:(\d+): error", out)
    assert marked and {int(line) for line in rejected} == marked, out + err
