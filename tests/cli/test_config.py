import tomllib

import pytest

from tests.support.command import SMALL, vlga
from vlga.config.load import load_config
from vlga.config.preset import preset_names
from vlga.config.settings import SearchConfig


class TestConfig:
    def test_the_example_is_a_configuration_for_search(self, home):
        """Saved as it is, it is what `vlga search` reads."""
        (home / "mine.toml").write_text(vlga("config", "--example").out)
        told = vlga("search", "mine.toml", *SMALL)

        assert load_config(file=home / "mine.toml") == load_config()
        assert told.code == 0, told.err

    @pytest.mark.parametrize("preset", preset_names())
    def test_the_example_may_be_of_any_preset(self, preset):
        """The values shown are the preset's."""
        shown = tomllib.loads(vlga("config", "--example", "--preset", preset).out)

        assert shown["population"]["size"] == load_config(preset=preset).population.size

    def test_the_schema_is_json_schema(self):
        """For editors and the service."""
        schema = vlga("config", "--schema").json

        assert set(schema["properties"]) == set(SearchConfig.model_fields)

    @pytest.mark.parametrize("arguments", [(), ("--example", "--schema")])
    def test_one_of_both_must_be_asked_for(self, arguments):
        """There is no third thing to print."""
        told = vlga("config", *arguments)

        assert told.code == 2
        assert told.err == "vlga: give either --example or --schema; see vlga config --help\n"
