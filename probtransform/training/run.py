"""A run: one family on one data set in one directory, rebuilt from its config alone."""

from __future__ import annotations

import difflib
import inspect
import json
from collections.abc import Iterable
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ..core import Event, Model
from ..families import Family, registry
from .recipe import Recipe

KINDS: dict[str, Any] = {
    "family": str,
    "data": str,
    "data_dir": str | None,
    "labels": bool,
    "event": dict,
    "settings": dict,
    "seed": int,
    "seeds": int,
    "about": dict,
}


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
    """`value`, text or JSON, as the type of the default. Raises ValueError if it is none."""
    words = {"true": True, "false": False}
    wanted = "true or false" if kind is bool else f"a value of type {kind.__name__}"
    try:
        if kind is bool:
            return words[str(value).lower()]
        if isinstance(value, bool) or (kind is int and float(value) != int(value)):
            raise ValueError
        if kind is int and int(value) < 0:
            wanted = "0 or more"
            raise ValueError
        return kind(value)
    except (TypeError, ValueError, KeyError, OverflowError):
        raise ValueError(f"setting {key}: got {value!r}, wanted {wanted}; change it") from None


def build(config: dict[str, Any]) -> Run:
    """The run that a config describes. Raises ValueError where it is not one."""
    if odd := sorted(config.keys() ^ KINDS.keys()):
        raise ValueError(
            f"config: got keys {sorted(config)}, wanted {sorted(KINDS)}; mend {', '.join(odd)}"
        )
    for key, kind in KINDS.items():
        if not isinstance(config[key], kind):
            raise ValueError(f"config: got {key} {config[key]!r}, wanted {kind}; restore it")
    if config["seeds"] < 1:
        raise ValueError(f"config: got seeds {config['seeds']}, wanted 1 or more; choose another")
    name, event = config["family"], event_of(config["event"])
    family = family_of(name)
    settings = settings_of(name, event, config["settings"])
    recipe = Recipe(**{f.name: settings[f.name] for f in fields(Recipe)})
    own = tuple((key, settings[key]) for key in keywords(family))
    return Run(config | {"settings": settings}, event, model_of(family, event, own), recipe)


@lru_cache(maxsize=8)
def model_of(family: Family, event: Event, own: tuple[tuple[str, Any], ...]) -> Model:
    """The model; one and the same for the same numbers, so that what was compiled for it serves again."""
    return family.build(event, **dict(own))


def event_of(config: dict[str, Any]) -> Event:
    """The event that a config describes. Raises ValueError where it is none."""
    try:
        event = Event(**config)
        sizes = [*event.shape, 1 if event.levels is None else event.levels, event.classes + 1]
        if not all(type(size) is int and size > 0 for size in sizes):
            raise ValueError
    except (TypeError, ValueError):
        raise ValueError(
            f"config: got event {config}, wanted a shape, levels (or null) and classes, whole numbers above "
            "zero; restore it"
        ) from None
    return event._replace(shape=tuple(event.shape))


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
    there = build(read_config(directory)).config
    for key in ("family", "data", "event", "seed", "seeds", "settings"):
        got, wanted = there.get(key), config[key]
        if isinstance(got, dict) and isinstance(wanted, dict):
            odd = [name for name in wanted if got.get(name) != wanted[name]]
            got, wanted = ({name: side.get(name) for name in odd} for side in (got, wanted))
        if got != wanted:
            raise ValueError(
                f"run: {directory} holds a run with {key} {got}, wanted {wanted}; choose another --workdir, "
                "or repeat the command it was made with"
            )
    same_data(there, run.event, config["about"])


def same_data(config: dict[str, Any], event: Event, about: dict[str, Any]) -> None:
    """Raises ValueError unless data are those that the run of a config was trained on."""
    digests = [there.get("digest") for there in (config["about"], about)]
    if event != event_of(config["event"]) or digests[0] != digests[1]:
        raise ValueError(
            f"data: got {event}, digest {digests[1]}, in {config['data']}, wanted "
            f"{event_of(config['event'])}, digest {digests[0]}, as the run was trained on; restore it, or "
            "train in another --workdir"
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
        raise ValueError(
            f"run: {path} is not JSON ({error}), wanted a config; restore it"
        ) from error
    if not isinstance(config, dict):
        raise ValueError(
            f"run: {path} holds a {type(config).__name__}, wanted a JSON object; restore it"
        )
    return config
