"""What a shell offers on Tab."""

import pytest
from click.shell_completion import ShellComplete

from vlga.cli.main import cli
from vlga.config.preset import preset_names


def offered(*words):
    """Give what is offered for the last word, and the kind of what the shell finds itself."""
    items = ShellComplete(cli, {}, "vlga", "_VLGA_COMPLETE").get_completions(
        [*words[:-1]], words[-1]
    )
    return [one.value for one in items if one.type == "plain"], {one.type for one in items}


@pytest.mark.parametrize(
    "command", ["show", "top", "individual", "lineage", "report", "delete", "resume", "stop"]
)
def test_searches_are_offered_by_their_names(command, finished):
    """Those of the database that --db or VLGA_DB names; without one, none, and no failure."""
    assert offered(command, "--db", finished.url, "dig") == (["digits-1"], {"plain"})
    assert offered(command, "--db", finished.url, "x") == ([], set())
    assert offered(command, "--db", "sqlite:///none.db", "") == ([], set())
    assert offered(command, "--db", "nonsense", "") == ([], set())


def test_networks_are_models_and_searches(finished, monkeypatch):
    """What `vlga train` takes."""
    monkeypatch.setenv("VLGA_DB", finished.url)

    assert offered("train", "resnet")[0] == ["resnet18", "resnet34"]
    assert offered("train", "dig")[0] == ["digits-1"]


@pytest.mark.parametrize("command", ["search", "compare", "config"])
def test_presets_are_offered_and_stand_in_the_help(command):
    """All of them, until a letter is typed."""
    assert offered(command, "--preset", "")[0] == [*preset_names()]
    assert offered(command, "--preset", "x")[0] == ["xiao2020"]


@pytest.mark.parametrize("command", ["search", "compare", "train", "resume"])
def test_data_sets_are_offered_and_then_files(command):
    """What begins like no name may be a path."""
    assert offered(command, "--data", "dig") == (["digits"], {"plain"})
    assert offered(command, "--data", "./my") == ([], {"file"})


@pytest.mark.parametrize("command", ["search", "compare", "train", "resume"])
def test_settings_are_offered_by_their_keys(command):
    """As they stand in the example, genes among them."""
    assert offered(command, "--set", "budget.se")[0] == ["budget.seconds="]
    assert offered(command, "--set", "space.block.kernel_a")[0] == ["space.block.kernel_a="]


def test_every_setting_that_is_offered_is_one(finished):
    """It is not refused as unknown; and none is missing that a search has."""
    shown = finished.ask("show", "digits-1", "--format", "json").json["config"]
    known = {
        f"{table}.{key}"
        for table, settings in shown.items()
        if isinstance(settings, dict) and table != "space"
        for key in settings
    }

    assert known <= {one.rstrip("=") for one in offered("search", "--set", "")[0]}


def test_strategies_are_offered_behind_a_comma_too():
    """Each once; a study's grid is none that can be compared."""
    assert "grid" not in offered("compare", "--strategies", "")[0]
    assert offered("compare", "--strategies", "random_search,reg")[0] == [
        "random_search,regularized_evolution"
    ]
    assert offered("compare", "--strategies", "random_search,random")[0] == []


@pytest.mark.parametrize("words", [("search", ""), ("train", "--grid", "")])
def test_files_are_the_shell_s_matter(words):
    """A configuration, and what describes a study."""
    assert offered(*words)[1] == {"file"}
