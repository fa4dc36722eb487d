import re
import tomllib

import pytest
from pydantic import BaseModel

from vlga.config.example import example_toml
from vlga.config.load import load_config
from vlga.config.preset import preset_names
from vlga.config.settings import SearchConfig
from vlga.errors import ConfigError


def keys(model, path=()):
    """Give the dotted name and description of every setting; the space has no fixed ones."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            if name != "space":
                yield from keys(field.annotation, (*path, name))
        elif name != "auto":  # stands at the settings that are
            yield (*path, name), field.description


@pytest.mark.parametrize("preset", preset_names())
class TestEveryPreset:
    def test_is_given_whole(self, preset, tmp_path):
        """The file on top of any preset is the preset it was made from, but for limits left out."""
        file = tmp_path / "example.toml"
        file.write_text(example_toml(preset))

        assert load_config(preset=preset, file=file) == load_config(preset=preset)
        assert tomllib.loads(example_toml(preset))["space"] == {
            name: table
            for name, table in load_config(preset=preset).space.model_dump().items()
            if table
        }

    def test_has_every_setting_in_its_table_with_its_meaning(self, preset):
        """Those that are not set too, switched off."""
        table, found = (), {}
        for line in example_toml(preset).splitlines():
            if line.startswith("["):
                table = tuple(line.strip("[]").split("."))
            elif " =" in line:
                setting, _, comment = line.partition("  # ")
                found[(*table, setting.removeprefix("# ").partition(" =")[0])] = comment or None

        for key, description in keys(SearchConfig):
            assert key in found
            assert description is None or found[key] == description


@pytest.mark.parametrize("preset", preset_names())
def test_every_switched_off_setting_may_be_switched_on(preset, tmp_path):
    """Without the # it is TOML, and a value that the setting may have; and all of them together."""
    file = tmp_path / "example.toml"
    lines = example_toml(preset).splitlines()
    hidden = [n for n, line in enumerate(lines) if re.match(r"# \w+ =", line)]
    assert len(hidden) >= 8

    for chosen in ([one] for one in hidden), [hidden]:
        for numbers in chosen:
            text = [line[2:] if n in numbers else line for n, line in enumerate(lines)]
            file.write_text("\n".join(text))
            assert load_config(preset=preset, file=file) != load_config(preset=preset)


@pytest.mark.parametrize("preset", preset_names())
def test_none_unsets_what_a_preset_has_set(preset):
    """TOML has no null."""
    unset = ["budget.seconds=none", "budget.phases='none'", "budget.evaluations=9"]
    config = load_config(preset=preset, settings=unset)

    assert (config.budget.seconds, config.budget.phases) == (None, None)
    with pytest.raises(ConfigError, match="size must be a valid integer, but got size='none'"):
        load_config(preset=preset, settings=["population.size=none"])


def test_a_preset_that_is_unknown_is_refused():
    """As everywhere."""
    with pytest.raises(ConfigError, match="known preset, but got 'xiao'; did you mean 'xiao2020'"):
        example_toml("xiao")
