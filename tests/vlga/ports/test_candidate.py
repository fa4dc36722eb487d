import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.generators import candidates, fitnesses, populations
from tests.support.synthetic import individual
from vlga.ports.candidate import Individual, best_of
from vlga.ports.evaluation import EpochRecord, Evaluation, FailureReason


class TestEvaluation:
    @pytest.mark.parametrize(
        ("fitness", "reason"),
        [(None, None), (0.5, FailureReason.ERROR), (0.0, FailureReason.BUILD)],
    )
    def test_it_has_a_fitness_or_a_reason_and_never_both(self, fitness, reason):
        """A training completed or failed; zero is a fitness."""
        with pytest.raises(ValueError, match="either a fitness or a reason, but got fitness="):
            Evaluation(0, 1, 0, fitness=fitness, reason=reason)

    @pytest.mark.parametrize("fitness", [float("nan"), float("inf"), -float("inf"), -0.01, 1.01])
    def test_a_fitness_that_is_no_accuracy_is_refused(self, fitness):
        """NaN counts as a valid fitness in DEAP and breaks its sorting: it never gets that far."""
        with pytest.raises(ValueError, match=r"must be a number in \[0, 1\], but got "):
            Evaluation(0, 1, 0, fitness=fitness)

    @given(st.floats(0, 1))
    def test_any_accuracy_completes_it(self, fitness):
        """The bounds included."""
        assert Evaluation(0, 1, 0, fitness=fitness).completed

    @pytest.mark.parametrize("reason", FailureReason)
    def test_any_reason_fails_it(self, reason):
        """A failure has no fitness."""
        evaluation = Evaluation(0, 1, 0, fitness=None, reason=reason)

        assert not evaluation.completed
        assert evaluation.fitness is None


def test_reasons_are_stored_by_these_words():
    """They stand in databases and in scripts: a change breaks both."""
    assert {str(reason) for reason in FailureReason} == {
        "out_of_memory",
        "diverged",
        "timed_out",
        "too_slow",
        "worker_lost",
        "build",
        "error",
    }


@given(candidates(), fitnesses())
def test_values_travel_to_workers_and_back(candidate, accuracy):
    """Candidates, evaluations and individuals pickle to their equal and hash."""
    record = EpochRecord(0, 2.3, 0.1, None, None, 0.1, 1.5, ("blocks.0.a",))
    evaluation = Evaluation(candidate.id, 1, 0, accuracy, curve=(record,))
    individual = Individual(candidate, evaluation)

    for value in (candidate, evaluation, individual):
        again = pickle.loads(pickle.dumps(value))
        assert again == value
        assert hash(again) == hash(value)


class TestIndividual:
    @given(candidates(), fitnesses(), fitnesses())
    def test_deap_orders_individuals_by_accuracy(self, candidate, one, other):
        """The fitness that DEAP reads is valid and maximised."""
        left, right = individual(candidate, one).fitness, individual(candidate, other).fitness

        assert left.valid
        assert left.values == (one,)
        assert (left > right) == (one > other)
        assert (left == right) == (one == other)

    @given(candidates())
    def test_it_shows_its_candidate_s_id_and_genome(self, candidate):
        """Shorthands for what selection needs."""
        one = individual(candidate, 0.5)

        assert (one.id, one.genome, one.accuracy) == (candidate.id, candidate.genome, 0.5)


class TestBestOf:
    def test_of_none_it_is_none(self):
        """A population may be empty."""
        assert best_of([]) is None

    @given(st.data(), populations())
    def test_it_is_the_fittest_in_any_order(self, data, population):
        """Nobody is fitter, and the order of the sequence does not matter."""
        best = best_of(population)

        assert best.accuracy == max(one.accuracy for one in population)
        assert best_of(data.draw(st.permutations(population))) == best

    @given(populations())
    def test_of_equals_it_is_the_one_made_first(self, population):
        """The lowest id wins a tie."""
        equal = [individual(one.candidate, 0.5) for one in population]

        assert best_of(equal).id == min(one.id for one in population)
