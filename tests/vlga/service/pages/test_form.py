"""The form of a new search."""

from __future__ import annotations

import json
import shlex
import tomllib

import pytest

from vlga.config.example import setting_keys
from vlga.config.load import load_config
from vlga.errors import ConfigError
from vlga.service.pages.form import (
    as_command,
    as_curl,
    as_toml,
    filled_in,
    groups,
    prefilled,
    tree_of,
)

FORM = {
    "name": ["tiny"],
    "data.name": ["my images/"],
    "minutes": ["1.5"],
    "strategy": ["ladder"],
    "seed": [""],
    "training.epochs": ["5"],
    "limits.max_macs": ["auto"],
    "training.inherit_weights": ["false"],
    "space.block.kernel_a": ["[3, 5]"],
}
SETTINGS = {
    "data.name": "my images/",
    "budget.seconds": 90.0,
    "strategy": "ladder",
    "training.epochs": 5,
    "limits.max_macs": "auto",
    "training.inherit_weights": False,
    "space.block.kernel_a": [3, 5],
}


def test_what_is_filled_in_becomes_settings():
    """By dotted key, with their types; what is empty is left as it is."""
    assert filled_in(FORM) == SETTINGS
    assert filled_in({"minutes": [""]}) == {"budget.seconds": "none"}


@pytest.mark.parametrize("minutes", ["soon", "0", "-1", "nan", "inf", "1e999"])
def test_minutes_are_a_number_above_0(minutes: str):
    """Or nothing."""
    with pytest.raises(ConfigError, match="minutes must be a number above 0"):
        filled_in({"minutes": [minutes]})


def test_every_setting_that_may_be_set_here_has_a_field():
    """In its group or on top of the form; neither the service's own nor a study's."""
    own = {"seed", "strategy", "data.name", "budget.seconds"}
    refused = {"data.dir", "workers.address", "workers.inline"}
    refused |= {"tracking.tensorboard", "tracking.mlflow"}
    expected = {key for key in setting_keys() if not key.startswith("study.")} - own - refused
    fields = [field for group in groups() for field in group.fields]
    assert {field.key for field in fields} == expected
    assert len(fields) == len(expected)
    assert all(group.about and group.fields for group in groups())


def test_a_form_filled_in_like_a_search_starts_an_equal_one():
    """What is as usual stays empty, so that a form can be read at a glance."""
    assert prefilled(load_config().model_dump(mode="json")) == {"minutes": "9"}
    settings = ("seed=3", "budget.evaluations=5", "training.epochs=4", "space.block.kernel_a=[7]")
    config = load_config(settings=(*settings, "budget.seconds=none"))
    texts = prefilled(config.model_dump(mode="json"))
    assert texts == {
        "seed": "3",
        "budget.evaluations": "5",
        "training.epochs": "4",
        "space.block.kernel_a": "[7]",
        "minutes": "",
    }
    again = filled_in({key: [text] for key, text in texts.items()})
    assert load_config(overrides=again) == config


def test_the_copies_start_the_same_search():
    """As a file, as a command, and over HTTP."""
    assert tomllib.loads(as_toml(SETTINGS)) == tree_of(SETTINGS)
    words = shlex.split(as_command(SETTINGS, "tiny").replace("\\\n", ""))
    assert words[:4] == ["vlga", "search", "--name", "tiny"]
    given = [word for word in words[4:] if word != "--set"]
    assert load_config(settings=given) == load_config(overrides=SETTINGS)
    curl = shlex.split(as_curl(SETTINGS, "tiny", "http://h").replace("\\\n", ""))
    assert curl[1] == "http://h/api/v1/searches"
    assert json.loads(curl[-1]) == {"name": "tiny", "settings": tree_of(SETTINGS)}
