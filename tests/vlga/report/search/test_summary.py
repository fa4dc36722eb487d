"""A search in figures, worked out by hand on searches of a few networks."""

from dataclasses import replace
from random import Random

import pytest

from tests.support.records import genome
from vlga.report.search.genes import gene_shifts, heard_genes
from vlga.report.search.summary import (
    Outcome,
    Rung,
    accuracy_steps,
    drawn,
    each_once,
    failures_by_reason,
    fittest,
    leaders,
    pareto_front,
    rounds,
    rungs,
    trained,
    trained_longest,
)


def outcome(number, fitness=0.5, **changes):
    """Give a candidate's training; without a fitness, a failed one."""
    base = Outcome(
        id=number,
        phase=0,
        generation=0,
        rung=0,
        operator="sample",
        depth=2,
        fingerprint=f"{number:016x}",
        fitness=fitness,
        reason=None if fitness is not None else "diverged",
        on_budget=True,
        epochs=3,
        parameters=1000,
        macs=10_000,
    )
    return replace(base, **changes)


def made_in(phase, generation, *outcomes):
    return [replace(one, phase=phase, generation=generation) for one in outcomes]


def ids(outcomes):
    return [one.id for one in outcomes]


def test_each_candidate_counts_once_with_its_best():
    """Whatever the order; a failure only if it never had a fitness."""
    first, second = outcome(1, 0.5), outcome(1, 0.7)

    assert each_once([outcome(2, None), second, first, outcome(0)]) == [
        outcome(0),
        second,
        outcome(2, None),
    ]
    assert each_once([outcome(1, None), first]) == [first]


def test_the_best_so_far_counts_the_epochs_of_every_training():
    """Failed ones too; what was taken over cost nothing."""
    outcomes = [
        outcome(0, 0.5),
        outcome(1, None),
        outcome(2, 0.9, on_budget=False),
        outcome(3, 0.75, epochs=10),
    ]

    assert accuracy_steps(outcomes) == [(3, 0.5), (16, 0.75)]
    assert leaders(outcomes) == [0, 3]


def test_at_the_end_the_best_is_the_best_of_before():
    """It leads until another is fitter; an equal one is not."""
    outcomes = [outcome(0, 0.5), outcome(1, 0.5), outcome(2, 0.25)]

    assert accuracy_steps(outcomes) == [(3, 0.5), (9, 0.5)]
    assert leaders(outcomes) == [0, 0]


class TestRounds:
    MEMBERS = (
        *made_in(0, 0, outcome(0, 0.2, depth=1), outcome(1, 0.6, depth=3), outcome(2, None)),
        *made_in(0, 1, outcome(3, 0.4)),
        *made_in(1, 0, outcome(4, 0.8, depth=4), outcome(5, 0.8, depth=5)),
        *made_in(1, 1, outcome(6, None)),
    )

    def test_there_is_one_for_each_generation(self):
        """With what it made: how many, how fit, how deep; of equals the one made first."""
        first, second, third, last = rounds(self.MEMBERS, 10)

        assert (first.label, first.networks, first.failed) == ("0.0", 3, 1)
        assert (first.best_so_far, first.best, first.worst) == (0.6, 0.6, 0.2)
        assert (first.median, first.fitness) == (pytest.approx(0.4), (0.2, 0.6))
        assert (first.depth, first.depth_of_best) == ((1, 2, 3), 3)
        assert (second.label, second.best, second.best_so_far) == ("0.1", 0.4, 0.6)
        assert (third.label, third.depth_of_best) == ("1.0", 4)
        assert (last.label, last.failed, last.best, last.median) == ("1.1", 1, None, None)
        assert (last.best_so_far, last.depth, last.depth_of_best) == (0.8, None, None)

    def test_neighbours_are_joined_where_there_are_too_many(self):
        """So that a table stays a screen; nobody is lost."""
        first, second = rounds(self.MEMBERS, 2)

        assert (first.label, second.label) == ("0.0 to 0.1", "1.0 to 1.1")
        assert (first.networks, second.networks) == (4, 3)
        assert [one.label for one in rounds(self.MEMBERS, 1)] == ["0.0 to 1.1"]
        assert len(rounds(self.MEMBERS, 3)) == 2

    def test_generations_are_in_the_order_of_their_numbers(self):
        """Not of their words."""
        members = [one for g in (10, 9, 2) for one in made_in(0, g, outcome(g))]

        assert [one.label for one in rounds(members, 10)] == ["0.2", "0.9", "0.10"]
        assert rounds([], 10) == []


def test_failures_are_counted_the_most_frequent_first():
    """Once for each training; what was taken over failed elsewhere."""
    outcomes = [
        outcome(0, None, reason="timed_out"),
        outcome(1, None),
        outcome(2, None),
        outcome(3, None, on_budget=False, reason="build"),
        outcome(4),
        outcome(5, None, reason="error"),
    ]

    assert list(failures_by_reason(outcomes).items()) == [
        ("diverged", 2),
        ("error", 1),
        ("timed_out", 1),
    ]


def test_the_fittest_are_each_network_once():
    """The one made first of equals; a failure never."""
    twin = replace(outcome(3, 0.9), fingerprint=outcome(1).fingerprint)
    members = [outcome(0, 0.5), outcome(1, 0.9), outcome(2, None), twin, outcome(4, 0.5)]

    assert ids(fittest(members, 3)) == [1, 0, 4]
    assert ids(fittest(members, 9)) == [1, 0, 4]


def test_what_failed_or_was_taken_over_is_not_trained():
    """The others are, in their order."""
    members = [outcome(2), outcome(0, None), outcome(3, on_budget=False), outcome(1)]

    assert ids(trained(members)) == [2, 1]


def test_what_is_drawn_is_the_same_every_time():
    """All, or so many of them at most, each once."""
    networks = [outcome(i) for i in range(50)]
    some = drawn(networks, 10)

    assert drawn(networks, 50) == networks
    assert drawn(networks, 10) == some
    assert len(set(ids(some))) == 10
    assert drawn([], 5) == []


def shifts_of(genes, fitness=lambda i: (i + 1) / 16):
    """Compare the genes of networks that get fitter with their number."""
    members = [outcome(i, fitness(i)) for i in range(len(genes))]
    return gene_shifts(members, dict(enumerate(genes)))


class TestGeneShifts:
    def test_shares_and_what_moved(self):
        """Of four fit among sixteen: all have relu and a quarter of all has it."""
        genes = [{"activation": "relu" if i >= 12 else "elu"} for i in range(16)]
        (shift,) = shifts_of(genes)

        assert shift.gene == "activation"
        assert shift.shares == {"elu": (0.75, 0.0), "relu": (0.25, 1.0)}
        assert shift.moved == 0.75
        # Each share's deviation is sqrt(0.25 * 0.75 / 4 * 12 / 15) = 0.1936; two halves of
        # sqrt(2 / pi) = 0.798 of it.
        assert shift.by_chance == pytest.approx(0.1545, abs=1e-4)

    def test_by_chance_is_what_a_drawn_quarter_gives(self):
        """On average over many draws."""
        rng = Random(0)
        alleles = ["a"] * 30 + ["b"] * 60 + ["c"] * 30
        moved = []
        for _ in range(2000):
            drawn = rng.sample(alleles, 30)
            moved.append(sum(abs(drawn.count(x) / 30 - alleles.count(x) / 120) for x in "abc") / 2)
        # The fittest quarter has one allele only, so that the gene is given.
        genes = [{"gene": allele} for allele in alleles]
        (shift,) = shifts_of(genes, lambda i: 1.0 if alleles[i] == "a" else 0.0)

        assert shift.by_chance == pytest.approx(sum(moved) / len(moved), rel=0.05)

    def test_a_gene_that_tells_nothing_is_left_out(self):
        """Whether everyone has the same allele or the fittest have what all have."""
        assert shifts_of([{"same": 1, "even": i % 2} for i in range(16)]) == []
        assert shifts_of([]) == []

    def test_the_most_telling_comes_first(self):
        """Measured beyond chance."""
        genes = [{"some": i >= 8, "clear": i >= 12} for i in range(16)]

        assert [one.gene for one in shifts_of(genes)] == ["clear", "some"]

    def test_alleles_are_in_their_order(self):
        """Numbers as numbers."""
        genes = [{"k": 9 if i < 12 else 10} for i in range(16)]

        assert list(shifts_of(genes)[0].shares) == [9, 10]

    def test_who_does_not_have_a_gene_does_not_count(self):
        """A block that only some have is compared among those."""
        genes = [{"blocks.1.k": i >= 12} if i >= 8 else {} for i in range(16)]
        (shift,) = shifts_of(genes)

        assert shift.shares == {False: (0.5, 0.0), True: (0.5, 1.0)}


def test_silent_genes_are_not_heard():
    """Whatever silences them, maps of one pixel included; the others are as they were."""
    one = genome(2).with_genes({"amplify": "intelligent", "blocks.0.include_pool": False})
    genes = one.genes()

    assert {*genes} - {*heard_genes(one, (8, 8))} == {"amplify_ratio", "blocks.0.pool_type"}
    assert {*genes} - {*heard_genes(one, (1, 1))} >= {"head_pool", "blocks.1.include_pool"}
    assert heard_genes(one, (8, 8)).items() < genes.items()


def test_to_the_front_none_is_better_in_all_objectives():
    """From the least fit to the fittest; of equals the one made first; failures nowhere."""
    members = [
        outcome(0, 0.5, parameters=10),
        outcome(1, 0.4, parameters=5),
        outcome(2, 0.5, parameters=20),
        outcome(3, 0.9, parameters=20),
        outcome(4, 0.9, parameters=20),
        outcome(5, None, parameters=1),
        outcome(6, 0.3, parameters=6),
    ]

    sizes = ("fitness", "parameters")
    assert ids(pareto_front(members, sizes)) == [1, 0, 3]
    assert pareto_front([], sizes) == []
    quick = [*members, outcome(7, 0.3, parameters=20, macs=1)]
    assert ids(pareto_front(quick, (*sizes, "macs"))) == [7, 1, 0, 3]
    assert ids(pareto_front(quick, ("fitness", "macs"))) == [7, 3]
    timed = [replace(one, latency_seconds=one.id / 8) for one in members[:3]]
    assert ids(pareto_front([*timed, *members[3:]], ("fitness", "latency"))) == [0]


def test_rungs_have_a_row_each():
    """From the shortest training; a rung of failures alone has no best."""
    members = [
        outcome(0, 0.5, epochs=1),
        outcome(1, 0.7, epochs=1),
        outcome(2, None, epochs=1),
        outcome(3, 0.9, epochs=2, rung=1, fingerprint=f"{1:016x}"),
        outcome(4, None, epochs=6, rung=2),
    ]

    assert rungs(members) == [
        Rung(0, epochs=1, networks=3, failed=1, best=0.7, median=0.6),
        Rung(1, epochs=2, networks=1, failed=0, best=0.9, median=0.9),
        Rung(2, epochs=6, networks=1, failed=1, best=None, median=None),
    ]


def test_of_a_network_s_trainings_the_longest_counts():
    """The shorter ones would make up a network's kin; one that failed when longer is no network."""
    short, long = outcome(0, 0.5), outcome(1, 0.9, rung=1, fingerprint=f"{0:016x}")
    failed = outcome(3, None, rung=1, fingerprint=f"{2:016x}")

    assert ids(trained_longest([short, long, outcome(2, 0.6), failed])) == [1, 2, 3]
    assert ids(trained_longest([outcome(0), outcome(1, fingerprint=f"{0:016x}")])) == [0, 1]
