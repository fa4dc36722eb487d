import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.generators import PRESETS, genomes, spaces
from vlga.errors import ConfigError, GenomeError
from vlga.genetics.genes import BLOCK_GENES, NETWORK_GENES
from vlga.genetics.sampling import sample
from vlga.genetics.space import SearchSpace

XIAO = PRESETS["xiao2020"]


def settings_of(space):
    """Give a space as the settings that build it."""
    return (
        space.network_alleles(),
        space.block_alleles(1),
        space.block_alleles(0),
    )


def n_genomes(space, n_blocks):
    """Count the different genomes of so many blocks, silent genes included."""
    n = math.prod(map(len, space.network_alleles().values()))
    return n * math.prod(
        len(alleles) for i in range(n_blocks) for alleles in space.block_alleles(i).values()
    )


class TestTheSpaceOfXiao2020:
    def test_its_first_phase_has_156800_genomes(self):
        """The paper's own number: 7^2 * 5^2 * 4 * 2^5."""
        assert n_genomes(XIAO, 1) == 156_800

    @pytest.mark.parametrize("n_blocks", [1, 2, 5])
    def test_each_further_phase_multiplies_it_by_78400(self, n_blocks):
        """7^2 * 5^2 * 2^6: the distance of the points in the paper's figure 8."""
        assert n_genomes(XIAO, n_blocks + 1) == 78_400 * n_genomes(XIAO, n_blocks)

    def test_its_first_block_always_has_two_convolutions(self):
        """`include_b` is fixed in the first block and searched in all others."""
        assert XIAO.block_alleles(0)["include_b"] == (True,)
        assert XIAO.block_alleles(1)["include_b"] == (True, False)

    def test_its_phases_search_ten_genes_each(self):
        """The paper's chromosome grows by ten fields a phase."""
        first, second = XIAO.searched_genes(0), XIAO.searched_genes(1)

        assert "activation" in first
        assert "blocks.0.include_b" not in first
        assert [*second] == [f"blocks.1.{name}" for name in BLOCK_GENES]
        assert len(first) == len(second) == 10


def test_the_default_space_searches_training_genes_in_every_phase():
    """But for what they fix, and the activation, which the first phase settles."""
    default = PRESETS["default"]
    first = {name for name in default.searched_genes(0) if "." not in name}
    later = {name for name in default.searched_genes(3) if "." not in name}

    fixed = {"stem", "amplify_ratio", "amplify_threshold", "amplify_window"}
    assert first == set(NETWORK_GENES) - fixed
    assert later == first - {"activation"}


@given(spaces(), st.integers(0, 4))
def test_searched_genes_are_those_with_a_choice_in_the_last_block(space, phase):
    """A phase searches network-wide genes and its own block, never the blocks before it."""
    for address, alleles in space.searched_genes(phase).items():
        assert len(alleles) > 1
        assert "." not in address or address.startswith(f"blocks.{phase}.")


@given(spaces(), st.integers(1, 4))
def test_varied_genes_are_all_with_a_choice(space, n_blocks):
    """Of the whole genome: what the phases up to the last search, each in its turn."""
    varied = space.varied_genes(n_blocks)
    searched = [space.searched_genes(phase) for phase in range(n_blocks)]

    assert varied == {address: alleles for genes in searched for address, alleles in genes.items()}


@given(spaces())
def test_a_space_is_built_again_from_its_own_alleles(space):
    """`from_settings` keeps alleles and their order."""
    assert SearchSpace.from_settings(*settings_of(space)) == space


@given(spaces().flatmap(lambda space: st.tuples(st.just(space), genomes(space))))
def test_a_space_contains_the_genomes_drawn_from_it(space_and_genome):
    """`contains` accepts every combination of alleles of every length, and so does `check`."""
    space, genome = space_and_genome

    assert space.contains(genome)
    space.check(genome)


@given(st.data(), genomes(XIAO, max_blocks=3))
def test_a_space_does_not_contain_a_genome_with_one_foreign_allele(data, genome):
    """One gene out of place is enough, and the message shows the genome."""
    address = data.draw(st.sampled_from([*genome.genes()]))
    foreign = genome.with_genes({address: "foreign"})

    assert not XIAO.contains(foreign)
    with pytest.raises(GenomeError, match=r"must lie in its space, but got \{.*\}$"):
        XIAO.check(foreign)


@given(genomes(XIAO, max_blocks=1))
def test_an_allele_of_another_type_is_foreign(genome):
    """True is not 1, although Python calls them equal: the JSON would differ."""
    assert not XIAO.contains(genome.with_genes({"blocks.0.kernel_a": True}))
    assert not XIAO.contains(genome.with_genes({"blocks.0.include_b": 1}))


@given(genomes(XIAO, min_blocks=2, max_blocks=3))
def test_the_first_block_has_alleles_of_its_own(genome):
    """An allele that only later blocks have is foreign in the first one."""
    assert XIAO.contains(genome.with_genes({"blocks.1.include_b": False}))
    assert not XIAO.contains(genome.with_genes({"blocks.0.include_b": False}))


def test_a_bare_value_is_a_single_allele():
    """``head_pool = "max"`` fixes the gene; so does one window."""
    network, block, _ = settings_of(PRESETS["default"])
    space = SearchSpace.from_settings(
        {**network, "head_pool": "max", "amplify_window": [0, 1], "learning_rate": 1}, block
    )
    alleles = space.network_alleles()

    assert alleles["head_pool"] == ("max",)
    assert alleles["amplify_window"] == ((0.0, 1.0),)
    assert repr(alleles["learning_rate"]) == "(1.0,)"
    assert space.block == space.first_block


@pytest.mark.parametrize(
    ("table", "gene", "value", "message"),
    [
        ("network", "lr", 1, r"has no gene 'lr'; known: activation, .*, weight_decay"),
        ("network", "momentun", 0.9, "has no gene 'momentun'; did you mean 'momentum'"),
        ("block", "kernel_c", 3, "has no gene 'kernel_c'; did you mean 'kernel_[ab]'"),
        ("first_block", "skp", True, "has no gene 'skp'; did you mean 'skip'"),
        ("network", "momentum", ..., "must list the alleles of 'momentum', but it is missing"),
        ("block", "skip", ..., "must list the alleles of 'skip', but it is missing"),
        ("network", "activation", [], r"activation must list at least one .* but got \[\]"),
        ("block", "kernel_a", [3, 3], r"kernel_a must list .* none twice, but got \[3, 3\]"),
        ("network", "momentum", [0, 0.0], "momentum must list at least one allele and none twice"),
        ("network", "activation", "swish", "activation must be 'relu' or .*, but got 'swish'"),
        ("network", "amplify", ["off", True], "amplify must be 'off' or 'random' or .* got True"),
        ("block", "pool_type", "avg", "pool_type must be 'max' or 'average', but got 'avg'"),
        ("block", "skip", [1], "skip must be true or false, but got 1"),
        ("first_block", "include_b", "yes", "include_b must be true or false, but got 'yes'"),
        ("block", "channels_a", 0, "channels_a must be a whole number from 1 to 16,384, but got 0"),
        ("block", "channels_a", 8.0, "channels_a must be a whole number from 1 to 16,384, but got"),
        (
            "block",
            "channels_b",
            True,
            "channels_b must be a whole number from 1 to 16,384, but got",
        ),
        ("block", "kernel_a", [3, 4], "kernel_a must be an odd number of pixels, but got 4"),
        ("block", "kernel_b", -3, "kernel_b must be a whole number from 1 to 99, but got -3"),
        ("network", "learning_rate", 0, "learning_rate must be above 0, but got 0"),
        ("network", "learning_rate", "0.1", "learning_rate must be a finite number, but got '0.1'"),
        ("network", "learning_rate", True, "learning_rate must be a finite number, but got True"),
        ("network", "learning_rate", float("nan"), "learning_rate must be a finite number"),
        ("network", "weight_decay", float("inf"), "weight_decay must be a finite number"),
        ("network", "weight_decay", -1e-4, "weight_decay must be at least 0, but got -0.0001"),
        ("network", "momentum", 1, r"momentum must be in \[0, 1\), but got 1"),
        ("network", "momentum", -0.1, r"momentum must be in \[0, 1\), but got -0.1"),
        ("network", "amplify_ratio", 0, r"amplify_ratio must be in \(0, 1\], but got 0"),
        ("network", "amplify_ratio", 1.1, r"amplify_ratio must be in \(0, 1\], but got 1.1"),
        ("network", "amplify_factor", 0.9, "amplify_factor must be at least 1, but got 0.9"),
        ("network", "amplify_window", [], "amplify_window must be .first, last. with"),
        ("network", "amplify_window", [[0, 1], [0.5, 0.5]], r"amplify_window must .* \[0.5, 0.5\]"),
        ("network", "amplify_window", [0.5, 1.5], r"amplify_window must be .* <= 1, but got \[0.5"),
        ("network", "amplify_window", [-1, 1], r"amplify_window must be \[first, .*\[-1, 1\]"),
        ("network", "amplify_window", [0, 0.5, 1], "amplify_window must be .first, last. with"),
        ("network", "amplify_window", [False, 1], "amplify_window must be .first, last. with"),
        ("network", "amplify_window", 0.5, "amplify_window must be .first, last. with .* got 0.5"),
    ],
)
def test_a_mistake_in_a_space_is_named(table, gene, value, message):
    """One line: the table, the gene, the rule, the value."""
    network, block, _ = settings_of(PRESETS["default"])
    tables = {"network": dict(network), "block": dict(block), "first_block": {}}
    if value is ...:
        del tables[table][gene]
    else:
        tables[table][gene] = value

    with pytest.raises(ConfigError, match=rf"^\[space\.{table}\] {message}") as caught:
        SearchSpace.from_settings(**tables)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("gene", "lowest"),
    [
        ("momentum", 0.0),
        ("weight_decay", 0.0),
        ("amplify_factor", 1.0),
        ("amplify_ratio", 1.0),
        ("amplify_window", (0.0, 1.0)),
    ],
)
def test_bounds_belong_to_the_range(gene, lowest):
    """What a range includes is accepted."""
    network, block, _ = settings_of(PRESETS["default"])
    space = SearchSpace.from_settings({**network, gene: lowest}, block)

    assert space.network_alleles()[gene] == (lowest,)


class TestPrior:
    @staticmethod
    def space(prior):
        """The paper's, with a prior."""
        xiao = PRESETS["xiao2020"]
        return SearchSpace.from_settings(
            xiao.network_alleles(), xiao.block_alleles(1), xiao.block_alleles(0), prior
        )

    def test_alleles_are_drawn_in_its_proportion(self):
        """Those that it does not name have weight 1; genes that it does not name are uniform."""
        prior = {
            "activation": {"relu": 6, "selu": 0},
            "kernel_a": {"3": 4},
            "include_pool": {"true": 3},
        }
        space, rng, n = self.space(prior), Random(0), 8000
        drawn = [sample(space, rng) for _ in range(n)]

        def share(gene, allele, where=lambda one: one.blocks[0]):
            return sum(getattr(where(one), gene) == allele for one in drawn) / n

        assert share("kernel_a", 3) == pytest.approx(4 / 8, abs=0.02)
        assert share("kernel_a", 9) == pytest.approx(1 / 8, abs=0.02)
        assert share("include_pool", True) == pytest.approx(3 / 4, abs=0.02)
        assert share("kernel_b", 9) == pytest.approx(1 / 5, abs=0.02)
        assert share("activation", "relu", lambda one: one.network) == pytest.approx(
            6 / 8, abs=0.02
        )
        assert share("activation", "selu", lambda one: one.network) == 0

    def test_names_alleles_that_the_space_need_not_have(self):
        """So that a space can be narrowed without touching the prior."""
        space = self.space({"channels_a": {"12": 100}})

        assert {sample(space, Random(seed)).blocks[0].channels_a for seed in range(50)} <= {
            8, 16, 32, 64, 128, 256, 512,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("prior", "message"),
        [
            ({"chanels_a": {"8": 1}}, r"\[space.prior\] has no gene 'chanels_a'; .* 'channels_a'"),
            ({"kernel_a": [1, 2]}, r"\[space.prior\] kernel_a must be a table .* but got \[1, 2\]"),
            ({"kernel_a": {"4": 1}}, r"\[space.prior\] kernel_a must be an odd number .* got 4"),
            (
                {"kernel_a": {"3": -1}},
                r"\[space.prior.kernel_a\] 3 must be .* at least 0, .* got -1",
            ),
            ({"skip": {"yes": 1}}, r"\[space.prior\] skip must be true or false, but got 'yes'"),
        ],
    )
    def test_a_mistake_is_named(self, prior, message):
        """With the gene, the rule and the value."""
        with pytest.raises(ConfigError, match=f"^{message}"):
            self.space(prior)
