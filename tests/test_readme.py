"""The README's snippets run, its commands are real, its table tells the truth."""

import re
import shlex
from pathlib import Path

import pytest

from probtransform.cli import parser
from probtransform.core import Event
from probtransform.evaluation.bits import claim_of
from probtransform.families import registry

README = (Path(__file__).parent.parent / "README.md").read_text()
SNIPPETS = re.findall(r"<!-- run -->\n```python\n(.*?)```", README, re.S)
COMMANDS = [line for line in README.split("\n") if line.startswith("probtransform ")]


def test_every_python_snippet_is_marked_to_run():
    assert len(SNIPPETS) == README.count("```python") >= 4


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_snippet_runs(snippet, capsys):
    exec(compile(snippet, "README.md", "exec"), {})
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("line", COMMANDS)
def test_command_is_understood(line):
    parser().parse_args(shlex.split(line, comments=True)[1:])


@pytest.mark.parametrize("name", registry)
def test_family_table_states_the_claims(name):
    (row,) = [line for line in README.split("\n") if line.startswith(f"| `{name}` |")]
    on_reals, on_levels = (cell.strip() for cell in row.split("|")[3:5])
    build = registry[name].build
    assert on_reals == claim_of(build(Event((2,))).distribution)
    assert on_levels == claim_of(build(Event((2,), levels=4)).distribution)


def test_pictures_are_there():
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (Path(__file__).parent.parent / picture).is_file()
