from typing import get_args

import pytest
from pydantic import ValidationError

from tests.support.records import genome_of_default
from vlga.config.load import load_config, parse_config, preset_text
from vlga.config.preset import preset_names
from vlga.config.strategies import ENDING, GENERATIONAL, PHASED, STUDIES, StrategyName
from vlga.errors import ConfigError
from vlga.strategies import STRATEGIES, make_strategy
from vlga.strategies.variable_length import VariableLength


class TestPresets:
    def test_three_come_with_vlga(self):
        """Sorted, for lists and messages."""
        assert preset_names() == ("default", "xiao2020", "young2015")

    @pytest.mark.parametrize("name", preset_names())
    def test_each_loads_and_says_at_its_top_what_it_is(self, name):
        """A preset is a valid configuration with a comment for whoever opens it."""
        config = load_config(preset=name)
        expected = {"default": "ladder", "young2015": "fixed_length"}

        assert config.strategy == expected.get(name, "variable_length")
        assert preset_text(name).startswith(f"# The preset `{name}`")

    def test_xiao2020_has_the_paper_s_settings(self):
        """Section 4: 20 individuals, 5 generations, half survive, 0.2, 0.2, 5 epochs, 0.01."""
        config = load_config(preset="xiao2020")
        population = config.population

        assert (population.size, population.generations) == (20, 5)
        assert population.survivor_fraction == 0.5
        assert population.less_fit_survival_probability == 0.2
        assert population.mutation_probability == 0.2
        assert population.stop_margin == 0.01
        assert population.mutate == "survivors"
        assert population.avoid_duplicates is False
        assert population.max_blocks is None
        assert config.training.epochs == 5
        assert config.training.inherit_weights

    def test_young2015_searches_the_six_genes_of_the_paper_s_baseline(self):
        """Channels and kernel of three convolutions, with the paper's alleles; 50 individuals."""
        config = load_config(preset="young2015")
        strategy = make_strategy(config, (3, 32, 32), 10)
        varied = strategy.space.varied_genes(2)
        xiao = load_config(preset="xiao2020").space.build().varied_genes(2)

        assert set(varied) == {
            "blocks.0.channels_a", "blocks.0.kernel_a", "blocks.0.channels_b", "blocks.0.kernel_b",
            "blocks.1.channels_a", "blocks.1.kernel_a",
        }  # fmt: skip
        assert varied == {address: xiao[address] for address in varied}
        assert config.population.size == 50
        assert config.budget.evaluations == 75

    def test_an_unknown_one_is_refused_with_the_nearest(self):
        """A typo is answered with the name meant."""
        with pytest.raises(ConfigError, match=r"--preset .* got 'xiao'; did you mean 'xiao2020'\?"):
            load_config(preset="xiao")


class TestPrecedence:
    def test_without_settings_it_is_the_default_preset(self):
        """A plain search needs no configuration."""
        assert load_config() == load_config(preset="default")

    def test_a_file_replaces_what_it_names_and_keeps_the_rest(self, tmp_path):
        """Tables are merged, values and lists of alleles replaced."""
        file = tmp_path / "mine.toml"
        file.write_text(
            'seed = 7\n[population]\nsize = 6\n[space.network]\nactivation = ["relu", "elu"]\n'
        )
        config = load_config(preset="xiao2020", file=file)

        assert (config.seed, config.population.size, config.population.generations) == (7, 6, 5)
        assert config.space.network["activation"] == ["relu", "elu"]
        assert config.space.network["head_pool"] == "max"

    def test_a_dropped_table_counts_neither_in_preset_nor_in_file(self, tmp_path):
        """Settings given beside it do."""
        file = tmp_path / "mine.toml"
        file.write_text("seed = 7\n[budget]\nevaluations = 6\n")
        config = load_config(file=file, drop=["budget"], settings=["budget.epochs=9"])

        assert config.seed == 7
        assert config.budget.model_dump(exclude_none=True) == {"epochs": 9}

    def test_settings_win_over_the_file_and_overrides_over_settings(self, tmp_path):
        """The later word counts; an override of None was not given."""
        file = tmp_path / "mine.toml"
        file.write_text("seed = 1\n[population]\nsize = 6\ngenerations = 2\n")
        config = load_config(
            file=file,
            settings=["population.size=7", "seed=2", "seed=3"],
            overrides={"seed": 4, "population.size": None, "data.name": "mnist"},
        )

        assert config.seed == 4
        assert config.population.size == 7
        assert config.population.generations == 2
        assert config.data.name == "mnist"

    def test_the_next_is_not_given_what_was_set_within_a_default(self):
        """A default that is a table stays as the caller has it."""
        defaults = {"budget": {}}
        config = load_config(settings=["budget.evaluations=8"], defaults=defaults)

        assert config.budget.evaluations == 8
        assert defaults == {"budget": {}}

    def test_one_search_s_settings_do_not_reach_the_next(self):
        """A preset is read anew each time."""
        before = load_config()
        load_config(settings=["population.size=77", "space.network.head_pool=max"])

        assert load_config() == before


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("seed=3", 3),
        (" seed = 3 ", 3),
        ("data.name=mnist", "mnist"),
        ('data.name="3"', "3"),
        ("data.name=a=b", "a=b"),
        ("data.name=", ""),
        ("data.name=C:\\images", "C:\\images"),
        ("population.avoid_duplicates=false", False),
        ("budget.seconds=1.5", 1.5),
        ("budget.seconds=10", 10),
        ("space.network.momentum=[0.5, 0.6]", [0.5, 0.6]),
        ("space.first_block.include_b=true", True),
        ("space.network.activation=[relu, gelu]", ["relu", "gelu"]),
    ],
)
def test_a_setting_is_read_in_toml_s_form(text, value):
    """Numbers, booleans and lists as in the file; a bare word is a string."""
    setting = load_config(settings=[text]).model_dump()
    for key in text.partition("=")[0].strip().split("."):
        setting = setting[key]

    assert setting == value


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("populaton.size=3", r"'populaton' is not a setting; did you mean 'population'\?"),
        ("population.sise=3", r"\[population\] 'sise' is not a setting; did you mean 'size'\?"),
        ("space.foo=1", r"\[space\] 'foo' is not a setting; known: block, first_block, network"),
        ("foo=1", "'foo' is not a setting; known: auto, budget, data, .*, workers"),
        ("space.network.learning_rat=1", r"\[space.network\] .* did you mean 'learning_rate'\?"),
        ("space.block.kernel_a=2", r"\[space.block\] kernel_a must be an odd number .* got 2"),
        ("space.first_block.skip=3", r"\[space.first_block\] skip must be true or false, .* got 3"),
        ("seed=-1", "seed must be greater than or equal to 0, but got seed=-1"),
        ("seed=x", "seed must be a valid integer, but got seed='x'"),
        ("seed.x=1", "seed must be a valid integer, but got seed={'x': 1}"),
        ("seed=1.0", "seed must be a valid integer, but got seed=1.0"),
        ("seed=true", "seed must be a valid integer, but got seed=True"),
        ("population=3", "population must be a table of settings, but got population=3"),
        ("space.network=3", r"\[space\] network must be a table of settings, but got network=3"),
        ("population.size=1", r"\[population\] size must be greater .* to 2, but got size=1"),
        (
            "population.size=1e3",
            r"\[population\] size must be a valid integer, but got size=1000.0",
        ),
        (
            "population.survivor_fraction=0",
            r"\[population\] survivor_fraction must be greater than",
        ),
        ("population.survivor_fraction=50", r"\[population\] .* but got survivor_fraction=50"),
        (
            "population.mutation_probability=1.5",
            r"\[population\] mutation_probability must be less",
        ),
        (
            "population.stop_margin=nan",
            r"\[population\] stop_margin must be .* got stop_margin=nan",
        ),
        (
            "population.mutate=x",
            r"\[population\] mutate must be 'survivors' or 'offspring', but got",
        ),
        (
            "population.avoid_duplicates=1",
            r"\[population\] avoid_duplicates must be a valid boolean",
        ),
        ("data.name=2020-01-01", r"\[data\] name must be a valid string, but got name=datetime"),
        ("data.train_limit=9", r"\[data\] train_limit must be greater than or equal to 10"),
        ("data.validation_fraction=1", r"\[data\] validation_fraction must be less than 1"),
        ("training.epochs=0", r"\[training\] epochs must be greater than or equal to 1"),
        ("training.augment=flip", r"\[training\] augment must be 'none', .* got augment='flip'"),
        ("final.epochs=-1", r"\[final\] epochs must be greater than or equal to 0"),
        ("budget.evaluations=0", r"\[budget\] evaluations must be greater than or equal to 1"),
        ("budget.epochs=2", r"\[budget\] epochs must be at least training.epochs=5, but got"),
        ("seed=9223372036854775808", "seed must fit in 64 bits, but got"),
        ("budget.seconds=0", r"\[budget\] seconds must be greater than 0, but got seconds=0"),
        ("limits.max_macs=true", r"\[limits\] max_macs must be a valid integer, but got"),
        (
            "workers.gpus_per_evaluation=-1",
            r"\[workers\] gpus_per_evaluation must be a number of at least 0, or auto",
        ),
        ("strategy=genetic", "strategy must be 'variable_length', .* or .*, but got"),
        ("seed", "--set must be key=value, but got 'seed'"),
        ("=3", "--set must be key=value, but got '=3'"),
        ("population.size.x=3", "--set population.size.x must .*, but 'size' is not a table"),
    ],
)
def test_a_mistake_is_named_in_one_line(setting, message):
    """Where, the rule, the value, and the nearest known key for a typo."""
    with pytest.raises(ConfigError, match=f"^{message}") as caught:
        load_config(preset="xiao2020", settings=[setting])
    assert "\n" not in str(caught.value)


def test_a_missing_table_is_named():
    """Only a tree that no preset made can lack one."""
    with pytest.raises(ConfigError, match=r"^space must be set, but it is missing$"):
        parse_config({})


def test_every_strategy_can_be_configured():
    """What a configuration may name is what is registered."""
    assert {*STRATEGIES} == {*get_args(StrategyName)} >= ENDING


def test_studies_are_what_is_scored_on_test_images():
    """And phases what a variable length has: the names have what their classes do."""
    assert {name for name, kind in STRATEGIES.items() if kind.scores_test} == STUDIES
    assert {name for name, kind in STRATEGIES.items() if issubclass(kind, VariableLength)} == PHASED
    with_generations = {name for name, kind in STRATEGIES.items() if kind.has_generations}
    assert with_generations | STUDIES == GENERATIONAL


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["objectives=[fitness,size]"], r"^objectives\[1\] must be 'fitness', .* but got .*'size'"),
        (["objectives=[parameters]"], r"^objectives must begin with fitness .*\['parameters'\]$"),
        (["objectives=[]"], r"^objectives must begin with fitness and have none twice.*\[\]$"),
        (
            ["objectives=[fitness,macs,macs]"],
            r"^objectives must .* none twice, but got .*'macs'\]$",
        ),
        (
            ["objectives=[fitness,macs]", "strategy=random_search"],
            r"^objectives must be \[fitness\] for strategy 'random_search', .*=ladder or --set str",
        ),
        (
            ["objectives=[fitness,macs]", "strategy=ladder", "population.screen=9"],
            r"^\[population\] screen must be 1 with several objectives, .* got screen=9$",
        ),
    ],
)
def test_objectives_that_cannot_be_are_refused(settings, message):
    """Unknown, without the fitness first, twice, or more than a strategy weighs."""
    base = ["strategy=steady_state", "budget.evaluations=9"]
    with pytest.raises(ConfigError, match=message):
        load_config(settings=[*base, *settings])


@pytest.mark.parametrize("name", sorted({*STRATEGIES} - ENDING))
class TestBaselines:
    def test_must_have_a_budget(self, name):
        """They never end by themselves; a number of phases limits none."""
        message = rf"^\[budget\] must limit .* for strategy '{name}', .* budget.evaluations=100$"
        with pytest.raises(ConfigError, match=message):
            load_config(preset="xiao2020", settings=[f"strategy={name}", "budget.phases=2"])

    @pytest.mark.parametrize("limit", ["evaluations=5", "epochs=5", "seconds=5"])
    def test_are_content_with_any_limit(self, name, limit):
        """They end with their budget, whichever it is."""
        settings = [f"strategy={name}", f"budget.{limit}"]

        assert load_config(preset="xiao2020", settings=settings).strategy == name


class TestFiles:
    def test_a_missing_one_is_named(self, tmp_path):
        """With the system's own words."""
        with pytest.raises(ConfigError, match=r"must be readable, but '.*no.toml' is not: No such"):
            load_config(file=tmp_path / "no.toml")

    def test_a_folder_is_none(self, tmp_path):
        """What cannot be opened is refused like what is not there."""
        with pytest.raises(ConfigError, match=r"must be readable, but .* is not: Is a directory"):
            load_config(file=tmp_path)

    @pytest.mark.parametrize(
        "content", [b"seed = ", b"seed: 3", b"\xff\xfe", b"seed = 1\nseed = 2"]
    )
    def test_what_is_not_toml_is_refused_in_one_line(self, tmp_path, content):
        """Text and bytes alike, with the place where reading stopped."""
        file = tmp_path / "mine.toml"
        file.write_bytes(content)

        with pytest.raises(
            ConfigError, match=r"must be TOML, but '.*mine.toml' is not: "
        ) as caught:
            load_config(file=file)
        assert "\n" not in str(caught.value)

    def test_a_mistake_in_one_is_named_like_any_other(self, tmp_path):
        """The rules do not depend on where a setting comes from."""
        file = tmp_path / "mine.toml"
        file.write_text("[populaton]\nsize = 3\n")

        with pytest.raises(ConfigError, match="'populaton' is not a setting; did you mean"):
            load_config(file=file)


def test_a_configuration_is_fixed():
    """What decides a search does not change while it runs."""
    with pytest.raises(ValidationError, match="frozen"):
        load_config().seed = 3


def test_a_configuration_comes_back_from_its_json():
    """It is stored as JSON and read again by `vlga resume`."""
    config = load_config(preset="xiao2020", settings=["seed=5"])

    assert parse_config(config.model_dump(mode="json")) == config


class TestFounders:
    def test_lie_in_the_space(self):
        """They are read once, when the configuration is."""
        config = load_config(overrides={"population.founders": [genome_of_default(2).to_dict()]})

        assert config.founders() == (genome_of_default(2),)

    @pytest.mark.parametrize(
        ("founder", "settings", "said"),
        [
            (
                genome_of_default(2).with_genes({"blocks.1.kernel_a": 7}).to_dict(),
                [],
                r"\[population\] founders\[0\] must lie in the space, but got blocks.1.kernel_a=7",
            ),
            (
                genome_of_default(2).to_dict(),
                ["population.max_blocks=1"],
                r"founders\[0\] must have at most population.max_blocks=1 blocks, but has 2",
            ),
            ({"version": 0}, [], r"founders\[0\]: a genome must have version="),
        ],
    )
    def test_that_the_space_does_not_have_are_refused(self, founder, settings, said):
        """With the gene, its allele and the way out, in one line."""
        with pytest.raises(ConfigError, match=said) as error:
            load_config(settings=settings, overrides={"population.founders": [founder]})
        assert "\n" not in str(error.value)
