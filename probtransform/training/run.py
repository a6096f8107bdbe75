"""A run: one family on one data set in one directory, rebuilt from its config alone."""

from __future__ import annotations

import difflib
import inspect
import json
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

from ..core import Event, Model
from ..families import Family, registry
from .recipe import Recipe


class Run(NamedTuple):
    """config: JSON, all that is needed to build the run again.  model, recipe: built from it."""

    config: dict[str, Any]
    event: Event
    model: Model
    recipe: Recipe


def nearest(what: str, got: str, known: Iterable[str]) -> str:
    """The one sentence for an unknown name, with the nearest known one."""
    known = sorted(known)
    close = difflib.get_close_matches(got, known, 1, 0.4)
    hint = f"did you mean {close[0]!r}?" if close else "choose one of them"
    return f"{what}: got {got!r}, wanted one of {', '.join(known)}; {hint}"


def family_of(name: str) -> Family:
    """The family of that name. Raises ValueError with the nearest name."""
    if name not in registry:
        raise ValueError(nearest("family", name, registry))
    return registry[name]


def settings_of(name: str, event: Event, changes: dict[str, Any]) -> dict[str, Any]:
    """Every number of a run: the family's keywords and the recipe's, from preset and changes.

    `changes` may hold text, as a command line has it; it is read as the type of the default.
    Raises ValueError for an unknown key or an unreadable value.
    """
    family = family_of(name)
    numbers = {f.name: f.default for f in fields(Recipe)} | keywords(family)
    settings = numbers | family.preset(event)
    for key, value in changes.items():
        if key not in numbers:
            raise ValueError(nearest(f"setting of {name}", key, numbers))
        settings[key] = read(key, value, type(numbers[key]))
    return settings


def keywords(family: Family) -> dict[str, Any]:
    """The family's own numbers and their defaults."""
    parameters = list(inspect.signature(family.build).parameters.values())[1:]
    return {p.name: p.default for p in parameters if isinstance(p.default, (int, float, str))}


def read(key: str, value: Any, kind: type) -> Any:
    try:
        number = kind(value)
    except (TypeError, ValueError):
        number = None
    if number is None or (kind is int and number != float(value)):
        raise ValueError(f"setting {key}: got {value!r}, wanted {kind.__name__}; write {key}=NUMBER")
    return number


def build(config: dict[str, Any]) -> Run:
    """The run that a config describes. Raises ValueError where it is not one."""
    wanted = {"family", "data", "data_dir", "labels", "event", "settings", "seed", "about"}
    if odd := sorted(config.keys() ^ wanted):
        raise ValueError(
            f"config: got keys {sorted(config)}, wanted {sorted(wanted)}; mend {', '.join(odd)}"
        )
    family = family_of(config["family"])
    event = Event(tuple(config["event"]["shape"]), config["event"]["levels"], config["event"]["classes"])
    settings = settings_of(config["family"], event, config["settings"])
    own = {key: settings[key] for key in keywords(family)}
    recipe = Recipe(**{f.name: settings[f.name] for f in fields(Recipe)})
    return Run(config | {"settings": settings}, event, family.build(event, **own), recipe)


def write_config(run: Run, directory: str | Path) -> None:
    """Write `run.json`, or check that the one that is there says the same.

    Raises ValueError if the directory holds another run.
    """
    path = Path(directory) / "run.json"
    config = json.loads(json.dumps(run.config))
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(config, indent=2) + "\n")
        part.replace(path)
        return
    there = read_config(directory)
    for key in ("family", "data", "event", "seed", "settings"):
        if there.get(key) != config[key]:
            raise ValueError(
                f"run: {directory} holds a run with {key} {there.get(key)}, wanted {config[key]}; choose "
                "another --workdir, or repeat the command it was made with"
            )


def read_config(directory: str | Path) -> dict[str, Any]:
    """The config of a run. Raises ValueError if the directory holds none."""
    path = Path(directory) / "run.json"
    if not path.is_file():
        raise ValueError(
            f"run: {directory} holds no run.json, wanted the --workdir of a run; train one first"
        )
    try:
        config = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"run: {path} is not JSON ({error}), wanted a config; restore it") from error
    if not isinstance(config, dict):
        raise ValueError(f"run: {path} holds a {type(config).__name__}, wanted a JSON object; restore it")
    return config
