import pytest

from vlga.config.change import change_config
from vlga.config.load import load_config
from vlga.errors import ConfigError

#: Without limits on networks, whose share of them depends on the number of phases.
FREE = load_config().model_copy(
    update={
        "limits": load_config().limits.model_copy(
            update={"max_macs": None, "max_activation_bytes": None}
        )
    }
)


@pytest.mark.parametrize(
    ("setting", "table", "key", "value"),
    [
        ("budget.evaluations=500", "budget", "evaluations", 500),
        ("budget.seconds=1e5", "budget", "seconds", 1e5),
        ("budget.epochs=500", "budget", "epochs", 500),
        ("budget.phases=9", "budget", "phases", 9),
        ("final.epochs=100", "final", "epochs", 100),
        ("limits.evaluation_seconds=60", "limits", "evaluation_seconds", 60.0),
        ("limits.max_failures_in_a_row=3", "limits", "max_failures_in_a_row", 3),
        ("workers.inline=true", "workers", "inline", True),
        ("workers.gpus_per_evaluation=0.5", "workers", "gpus_per_evaluation", 0.5),
    ],
)
def test_what_no_candidate_depends_on_may_change(setting, table, key, value):
    """Budget, final training, workers and limits of patience; and nothing else changes."""
    changed = change_config(FREE, settings=[setting])
    expected = getattr(FREE, table).model_copy(update={key: value})

    assert changed == FREE.model_copy(update={table: expected})


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("seed=7", "its candidates and their trainings were drawn with it"),
        ("strategy=grid", "its candidates were made with it"),
        ("data.name=mnist", "fitness on other .* compared, and the same elsewhere go by --data"),
        ("data.train_limit=99", "fitness on other images cannot be compared"),
        ("space.block.skip=[true]", "its candidates were made with it"),
        ("population.size=99", "its candidates were made with it"),
        ("training.epochs=8", "its fitness comes from trainings with the old value"),
        ("limits.max_macs=9", "its networks were made to fit them"),
        ("study.seeds=9", "its trials are numbered by it"),
    ],
)
def test_what_the_recorded_depends_on_may_not(setting, why):
    """It is refused with the key, the value, the reason and what may change, in one line."""
    key = setting.partition("=")[0]
    message = (
        rf"^--set {key} must stay as it is in a search that has begun, but got .*: {why}; "
        r"change budget, final, limits.evaluation_seconds, .*, workers, or start another search$"
    )
    with pytest.raises(ConfigError, match=message):
        change_config(load_config(), settings=["budget.seconds=9", setting])


def test_what_was_chosen_when_it_began_is_not_chosen_again():
    """The networks were made to fit it."""
    begun = load_config().model_copy(update={"auto": []})
    with pytest.raises(ConfigError, match=r"^--set training.batch_size must be a number .* 'auto'"):
        change_config(begun, settings=["training.batch_size=auto"])


@pytest.mark.parametrize(
    ("reached", "generations", "is_possible"),
    [
        ((0, 0), 1, True),
        ((0, 1), 2, True),
        ((0, 1), 99, True),
        ((0, 1), 1, False),
        ((1, 0), 9, False),
    ],
)
def test_the_first_phase_may_become_longer_or_shorter(reached, generations, is_possible):
    """As long as it is not over, and by no generation that has begun."""
    settings = [f"population.generations={generations}"]
    if is_possible:
        changed = change_config(FREE, settings=settings, reached=reached)
        assert changed.population.generations == generations
        return
    with pytest.raises(ConfigError, match=r"generations must stay .*: its first phase is over, or"):
        change_config(FREE, settings=settings, reached=reached)


def test_the_same_again_is_no_change():
    """Whoever types the settings of the search once more gets the search."""
    config = load_config()
    same = [f"seed={config.seed}", f"population.size={config.population.size}"]

    assert change_config(config, settings=same) == change_config(config) == config


def test_options_count_as_settings_do():
    """Those that are given."""
    changed = change_config(FREE, overrides={"workers.workers": 3, "workers.address": None})

    assert changed.workers == FREE.workers.model_copy(update={"workers": 3})


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("budget.seconds", r"--set must be key=value, but got 'budget.seconds'"),
        ("budget.second=9", r"\[budget\] 'second' is not a setting; did you mean 'seconds'\?"),
        ("budget.seconds=-1", r"\[budget\] seconds must be greater than 0, but got seconds=-1"),
        ("budget.epochs=1", r"\[budget\] epochs must be at least training.epochs=9"),
    ],
)
def test_mistakes_are_explained_as_ever(setting, message):
    """Unknown keys, values out of range, contradictions."""
    with pytest.raises(ConfigError, match=message):
        change_config(load_config(settings=["training.epochs=9"]), settings=[setting])
