"""A run rebuilt from its config alone, and what is said of a config that is none."""

import json

import pytest

from probtransform.core import Event
from probtransform.families import registry
from probtransform.training.run import (
    build,
    family_of,
    keywords,
    read_config,
    settings_of,
    write_config,
)

EVENT = Event((2,))
CONFIG = {
    "family": "vae",
    "data": "moons",
    "data_dir": None,
    "labels": False,
    "event": EVENT._asdict(),
    "settings": {"steps": 5, "latent": 3, "width": 8},
    "seed": 1,
    "seeds": 1,
    "about": {"digest": "0"},
}


def test_a_config_says_all():
    run = build(json.loads(json.dumps(CONFIG)))
    assert run.event == EVENT and run.recipe.steps == 5
    assert run.config["settings"]["latent"] == 3
    assert build(run.config).config == run.config


@pytest.mark.parametrize("name", registry)
def test_presets_are_settings_of_their_family(name):
    event = Event((4, 4, 1), levels=3)
    settings = settings_of(name, event, {})
    assert registry[name].preset(event).items() <= settings.items()
    assert keywords(registry[name]).keys() <= settings.keys()


def test_changes_may_be_text():
    settings = settings_of("vae", EVENT, {"latent": "7", "rate": "1e-4"})
    assert settings["latent"] == 7 and settings["rate"] == 1e-4
    assert type(settings["latent"]) is int


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"latnet": 3}, "setting of vae: got 'latnet', wanted one of .*; did you mean 'latent'?"),
        ({"latent": "x"}, "setting latent: got 'x', wanted a value of type int"),
        ({"latent": "2.5"}, "setting latent: got '2.5', wanted"),
        ({"latent": -1}, "setting latent: got -1, wanted 0 or more"),
        ({"rate": None}, "setting rate: got None, wanted a value of type float"),
    ],
)
def test_a_wrong_setting_is_named_with_the_nearest(changes, words):
    with pytest.raises(ValueError, match=words):
        settings_of("vae", EVENT, changes)


@pytest.mark.parametrize(
    "got, hint", [("rnvp", "did you mean 'realnvp'"), ("qqq", "choose one of them")]
)
def test_an_unknown_family_is_named_with_the_nearest(got, hint):
    with pytest.raises(ValueError, match=f"family: got '{got}', wanted one of .*; {hint}"):
        family_of(got)


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"surplus": 1}, "mend surplus"),
        ({"seed": "1"}, "got seed '1', wanted"),
        ({"seeds": 0}, "got seeds 0, wanted 1 or more"),
        ({"event": {"shape": [2]}}, None),
        ({"event": {"size": 2}}, "got event .*, wanted a shape"),
        ({"event": {"shape": [0], "levels": None, "classes": 0}}, "got event .*, wanted a shape"),
        ({"event": {"shape": "ab", "levels": None, "classes": 0}}, "got event .*, wanted a shape"),
        ({"settings": {"batch": 0}}, "recipe: got batch=0, wanted"),
    ],
)
def test_a_config_that_is_none_is_refused(wrong, words):
    if words is None:  # what is left out of an event has its default
        assert build(CONFIG | wrong).event == EVENT
        return
    with pytest.raises(ValueError, match=words):
        build(CONFIG | wrong)


def test_a_missing_key_is_named():
    with pytest.raises(ValueError, match="mend seed"):
        build({key: value for key, value in CONFIG.items() if key != "seed"})


def test_a_directory_holds_one_run(tmp_path):
    run = build(CONFIG)
    written = json.loads(json.dumps(run.config))
    for _ in range(2):
        write_config(run, tmp_path / "new")
        assert read_config(tmp_path / "new") == written
    for change in ({"seed": 2}, {"settings": {"latent": 4}}, {"family": "gan", "settings": {}}):
        with pytest.raises(
            ValueError, match=f"holds a run with {next(iter(change))} .*another --workdir"
        ):
            write_config(build(CONFIG | change), tmp_path / "new")
    assert read_config(tmp_path / "new") == written


@pytest.mark.parametrize(
    "text, words", [(None, "holds no run.json"), ("{", "is not JSON"), ("[]", "a list")]
)
def test_an_unreadable_config_is_named(tmp_path, text, words):
    if text is not None:
        (tmp_path / "run.json").write_text(text)
    with pytest.raises(ValueError, match=words):
        read_config(tmp_path)
