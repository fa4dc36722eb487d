from dataclasses import replace
from random import Random

import pytest

from tests.support.mortal_store import Killed
from tests.support.records import DATA
from tests.support.searching import Bench, ScriptedEvaluator, small_config
from vlga.errors import SearchStopped
from vlga.execution.ending import finish
from vlga.execution.final_task import n_rounds, n_that_fit, n_together, seconds_had, share_of
from vlga.ports.evaluation import FailureReason
from vlga.ports.lease import Stop
from vlga.ports.machines import Machines
from vlga.ports.observer import FewerFit

KIND = "committee_weights"


@pytest.fixture
def bench(tmp_path):
    """A search of eight trainings that is to end with a committee of three."""
    settings = ("budget.evaluations=8", "final.epochs=7", "final.committee=3")
    return Bench(tmp_path, small_config("strategy=steady_state", *settings))


def end(bench, evaluator, **options):
    """Search, or go on, and finish; give the best networks and what came out."""
    search = bench.search(ScriptedEvaluator())
    search.run()
    best = search.best_networks(bench.config.final.committee)
    return best, finish(bench.entered(evaluator, **options), best)


def entered_with_two_slots(tmp_path, left_seconds):
    """Give a search of 100 s, of which 40 are kept, with so much of them left."""
    settings = ("budget.seconds=100", "budget.evaluations=1", "final.time_fraction=0.4")
    evaluator = ScriptedEvaluator(n_slots=2)
    run = Bench(tmp_path, small_config(*settings)).entered(evaluator)
    evaluator.clock.now += 100 - left_seconds
    return run


def finals(bench):
    return [one for one, is_final in bench.store.searches["first"].outcomes if is_final]


def members(bench):
    return {one.candidate_id for one in bench.store.artifacts("first") if one.kind == KIND}


def test_without_a_committee_the_winner_alone_is_trained_longer(tmp_path):
    """One training, after which the search is complete."""
    bench = Bench(tmp_path, small_config("budget.evaluations=3", "final.epochs=7"))
    evaluator = ScriptedEvaluator()
    (winner,), final = end(bench, evaluator)

    assert [task.candidate_id for task in evaluator.submitted] == [winner.id]
    assert final.committee is None
    assert finals(bench) == [final.winner]
    assert bench.store.find_search("first").status == "completed"
    assert not members(bench)


def test_the_members_are_the_best_different_networks(bench):
    """By what the search measured, the winner first; each is trained longer, once."""
    evaluator = ScriptedEvaluator()
    best, _ = end(bench, evaluator)
    known = {one.candidate_id: one.fitness for one in bench.trained}
    fittest = sorted(known, key=lambda number: -known[number])[:3]

    assert [one.id for one in best] == fittest
    assert [task.candidate_id for task in evaluator.submitted[:-1]] == fittest
    assert [task.training.epochs for task in evaluator.submitted[:-1]] == [7, 7, 7]


def test_their_mean_is_scored_once_after_all_trainings(bench):
    """With the weights of the longer trainings; its accuracy is then the search's."""
    evaluator = ScriptedEvaluator(outcome=lambda task: 0.75 if task.members else 0.5)
    best, final = end(bench, evaluator)
    last = evaluator.submitted[-1]

    assert [bool(task.members) for task in evaluator.submitted] == [False, False, False, True]
    assert [one.weights.candidate_id for one in last.members] == [one.id for one in best]
    assert final.committee.test_accuracy == 0.75
    assert final.committee.members == tuple(sorted(one.id for one in best))
    assert final.committee.train_seconds == 3.0
    assert bench.store.find_search("first").test_accuracy == 0.75
    assert final.winner.fitness == 0.5
    assert [one.epochs for one in finals(bench)] == [7, 7, 7, 0]
    assert members(bench) == set(final.committee.members)


def test_its_files_are_those_of_the_members(bench):
    """Nothing is written twice."""
    best, _ = end(bench, ScriptedEvaluator())
    files = {(one.candidate_id, one.kind): one for one in bench.store.artifacts("first")}

    for one in best:
        assert files[one.id, KIND] == replace(files[one.id, "final_weights"], kind=KIND)


def test_they_share_the_time_that_is_kept(tmp_path):
    """Three trainings together take what one would have, where each takes what was expected."""
    settings = (
        "strategy=steady_state", "budget.evaluations=8", "budget.seconds=3000",
        "final.epochs=99999", "final.time_fraction=0.4",
    )  # fmt: skip
    n_epochs = {}
    for n in (1, 3):
        config = small_config(*settings, f"final.committee={n}")
        bench = Bench(tmp_path / str(n), config)
        evaluator = ScriptedEvaluator()
        seconds = 1 / config.training.epochs * (DATA.n_train + DATA.n_validation) / DATA.n_train

        def outcome(task, evaluator=evaluator, seconds=seconds):
            evaluator.clock.now += seconds * task.epochs - 1  # which it adds itself
            return 0.5

        evaluator.outcome = outcome
        end(bench, evaluator)
        n_epochs[n] = [task.training.epochs for task in evaluator.submitted if not task.members]

    assert n_epochs[3] == pytest.approx([n_epochs[1][0] / 3] * 3, rel=0.02)


@pytest.mark.parametrize(
    ("n_slots", "n_gpus", "n_members", "expected"),
    [
        (1, 0, 1, 1), (8, 0, 1, 1), (1, 0, 3, 1), (2, 0, 2, 2), (2, 0, 3, 1), (2, 0, 4, 2),
        (3, 0, 4, 2), (8, 0, 3, 3), (8, 1, 3, 1), (8, 2, 4, 2), (1, 2, 4, 1), (8, 8, 3, 3),
    ],
)  # fmt: skip
def test_as_many_are_trained_at_a_time_as_there_is_room_for(
    bench, n_slots, n_gpus, n_members, expected
):
    """A number that leaves none over, so that all have as much time; a GPU has one at a time."""
    run = bench.entered(ScriptedEvaluator(n_slots=n_slots, machines=Machines(1, n_gpus)))

    assert n_together(run, n_members) == expected


def test_those_that_were_trained_at_a_time_took_as_long_as_one(tmp_path):
    """So a search that is resumed has searched for the rest of its time."""
    settings = ("budget.evaluations=8", "final.epochs=7", "final.committee=4")
    bench = Bench(tmp_path, small_config("strategy=steady_state", *settings))
    end(bench, ScriptedEvaluator(n_slots=2))
    of_all = sum(one.train_seconds for one in finals(bench))

    for n_slots, n_rounds_wanted in ((1, 4), (2, 2), (8, 1)):
        run = bench.entered(ScriptedEvaluator(n_slots=n_slots))
        assert n_rounds(run) == n_rounds_wanted
        assert seconds_had(run) == of_all * n_rounds_wanted / 4


@pytest.mark.parametrize("seed", range(5))
def test_whatever_order_they_end_in_the_same_committee_comes_out(tmp_path, seed):
    """Of four networks two at a time are trained, on half of the machine each."""
    settings = ("budget.evaluations=8", "final.epochs=7", "final.committee=4")
    config = small_config("strategy=steady_state", *settings)
    one_by_one, two_by_two = (Bench(tmp_path / which, config) for which in ("one", "two"))
    evaluator = ScriptedEvaluator(n_slots=2, rng=Random(seed))
    _, final = end(two_by_two, evaluator)

    assert final == end(one_by_one, ScriptedEvaluator())[1]
    assert [task.n_together for task in evaluator.submitted] == [2, 2, 2, 2, 1]
    record = two_by_two.store.find_search("first")
    assert record.test_accuracy == final.committee.test_accuracy
    assert record.status == "completed"


def test_two_at_a_time_have_twice_the_time_each(tmp_path):
    """Of 1,200 s that are kept, four have 300 one by one, and 600 two by two."""
    seconds = {}
    for n_slots in (1, 2):
        settings = ("budget.evaluations=8", "budget.seconds=3000", "final.committee=4")
        more = ("final.epochs=99999", "final.time_fraction=0.4", "strategy=steady_state")
        bench = Bench(tmp_path / str(n_slots), small_config(*settings, *more))
        search = bench.search(ScriptedEvaluator())
        search.run()
        evaluator = ScriptedEvaluator(n_slots=n_slots)
        run = bench.entered(evaluator)
        evaluator.clock.now += 1792  # eight more were its trainings'
        finish(run, search.best_networks(4))
        seconds[n_slots] = evaluator.submitted[0].timed.seconds

    assert seconds == pytest.approx({1: 300, 2: 600}, rel=0.05)


@pytest.mark.parametrize(
    ("n_left", "left_seconds", "expected"),
    [
        (4, 60.0, 30.0),
        (3, 60.0, 30.0),
        (4, 10.0, 20.0),
        (3, 10.0, 20.0),
        (2, 18.0, 18.0),
        (2, 0.0, 10.0),
    ],
)
def test_the_last_make_up_for_what_the_first_took_too_long(
    tmp_path, n_left, left_seconds, expected
):
    """Of 40 s that are kept four have 20 each, two by two; the second two may have half of it."""
    run = entered_with_two_slots(tmp_path, left_seconds)

    assert share_of(run, 4, n_left).seconds == pytest.approx(expected)


@pytest.mark.parametrize(
    ("n_members", "n_left", "expected"), [(1, 1, 1.0), (2, 2, 3.0), (4, 4, 3.0), (4, 2, 5.0)]
)
def test_the_members_leave_time_for_the_score_of_all(tmp_path, n_members, n_left, expected):
    """Two by two: those of the last round for all four, those of the first for half of them."""
    run = entered_with_two_slots(tmp_path, left_seconds=40)

    assert share_of(run, n_members, n_left).n_scores == expected


@pytest.mark.parametrize(
    ("n_slots", "left_seconds", "expected"),
    [
        (1, 99.9, 3),
        (1, 75.1, 3),
        (1, 50.1, 2),
        (1, 49.9, 1),
        (1, 0.0, 1),
        (2, 50.1, 4),
        (2, 49.9, 2),
    ],
)
def test_there_are_no_more_than_have_time_for_a_fair_number_of_epochs(
    tmp_path, n_slots, left_seconds, expected
):
    """Twenty, here of 1.25 s each: one by one, or two by two on one core each."""
    settings = ("budget.seconds=100", "final.time_fraction=0.01", "training.epochs=3")
    bench = Bench(tmp_path, small_config("budget.evaluations=3", *settings))
    winner = bench.run()
    own = replace(winner.evaluation, train_seconds=3.0, epochs=3, n_macs=1)
    evaluator = ScriptedEvaluator(n_slots=n_slots)
    run = bench.entered(evaluator)
    data = replace(run.data, n_train=80, n_validation=20)
    run = replace(run, record=replace(run.record, data=data))
    evaluator.clock.now += 100 - run.elapsed_seconds - left_seconds

    assert n_that_fit(run, [replace(winner, evaluation=own)] * 4) == expected


@pytest.mark.parametrize(("left_seconds", "told"), [(90, []), (30, [FewerFit(2, 4)])])
def test_it_is_told_that_there_is_time_for_fewer(tmp_path, left_seconds, told):
    """Two by two: twenty epochs of each take 20 s or so."""
    settings = ("budget.seconds=100", "final.time_fraction=0.01", "final.epochs=30")
    bench = Bench(tmp_path, small_config("budget.evaluations=8", *settings))
    search = bench.search()
    search.run()
    best = [
        replace(one, evaluation=replace(one.evaluation, train_seconds=3.0, epochs=3, n_macs=1))
        for one in search.best_networks(4)
    ]
    evaluator, heard = ScriptedEvaluator(n_slots=2), []
    run = replace(bench.entered(evaluator), observer=heard.append)
    evaluator.clock.now += 100 - run.elapsed_seconds - left_seconds
    finish(run, best)

    assert [event for event in heard if isinstance(event, FewerFit)] == told


def test_after_a_winner_that_fails_no_other_is_begun(tmp_path):
    """The one that is trained beside it ends, and there is no committee."""
    settings = ("budget.evaluations=8", "final.epochs=7", "final.committee=4")
    bench = Bench(tmp_path, small_config("strategy=steady_state", *settings))
    trained = []

    def fail_the_first(task):
        trained.append(task)
        return FailureReason.OUT_OF_MEMORY if len(trained) == 1 else 0.5

    _, final = end(bench, ScriptedEvaluator(n_slots=2, outcome=fail_the_first))

    assert final.committee is None
    assert [one.completed for one in finals(bench)] == [False, True]
    assert not members(bench)


def test_asked_to_stop_it_keeps_what_runs_at_the_same_time(tmp_path):
    """And begins none of those that wait."""
    settings = ("budget.evaluations=8", "final.epochs=7", "final.committee=4")
    bench = Bench(tmp_path, small_config("strategy=steady_state", *settings))
    evaluator = ScriptedEvaluator(n_slots=2)

    def asked():
        return Stop.DRAIN if len(evaluator.submitted) == 2 else None

    with pytest.raises(SearchStopped):
        end(bench, evaluator, asked_to_stop=asked)

    assert len(evaluator.submitted) == len(finals(bench)) == 2


def test_one_that_fails_does_not_end_the_rest(bench):
    """The mean is that of the others."""
    trained = []

    def fail_the_second(task):
        if task.members:
            return 0.5
        trained.append(task)
        return FailureReason.OUT_OF_MEMORY if len(trained) == 2 else 0.5

    best, final = end(bench, ScriptedEvaluator(outcome=fail_the_second))

    assert final.committee.members == tuple(sorted((best[0].id, best[2].id)))
    assert bench.store.find_search("first").status == "completed"


@pytest.mark.parametrize("n_completed", [0, 1])
def test_fewer_than_two_are_no_committee(bench, n_completed):
    """Nor is one without the winner, which it would be compared with."""
    trained = []

    def outcome(task):
        trained.append(task)
        is_winner = len(trained) == 1 and n_completed
        return 0.5 if is_winner else FailureReason.OUT_OF_MEMORY

    _, final = end(bench, ScriptedEvaluator(outcome=outcome))

    assert final.committee is None
    assert len(trained) == (3 if n_completed else 1)
    assert not members(bench)


def test_a_score_that_fails_leaves_a_complete_search(bench):
    """With its winner, and without a committee."""
    evaluator = ScriptedEvaluator(
        outcome=lambda task: FailureReason.OUT_OF_MEMORY if task.members else 0.5
    )
    _, final = end(bench, evaluator)

    assert final.committee is None
    assert final.winner.fitness == bench.store.find_search("first").test_accuracy == 0.5
    assert bench.store.find_search("first").status == "completed"
    assert not members(bench)


def test_killed_before_any_write_it_ends_as_if_it_had_not_been(tmp_path):
    """Nothing that was recorded is trained again, and the same committee comes out."""
    settings = ("budget.evaluations=8", "final.epochs=7", "final.committee=3")
    config = small_config("strategy=steady_state", *settings)
    whole = Bench(tmp_path / "whole", config)
    _, expected = end(whole, ScriptedEvaluator())
    for n_left in range(4):
        bench = Bench(tmp_path / str(n_left), config)
        search = bench.search(ScriptedEvaluator())
        search.run()
        best = search.best_networks(3)
        bench.store.n_left = n_left
        with pytest.raises(Killed):
            finish(bench.entered(ScriptedEvaluator()), best)
        assert bench.store.find_search("first").status == "running"

        bench.store.n_left = None
        again = ScriptedEvaluator()
        _, final = end(bench, again)
        assert len(again.submitted) == 4 - n_left
        assert final == expected
        assert finals(bench) == finals(whole)
        assert members(bench) == members(whole)
        assert bench.store.find_search("first").status == "completed"


def test_complete_it_is_not_scored_again(bench):
    """The test images are used once for the same committee."""
    _, final = end(bench, ScriptedEvaluator())
    again = ScriptedEvaluator()

    assert end(bench, again)[1] == final
    assert not again.submitted


@pytest.mark.parametrize(("n", "expected"), [(1, set()), (2, {0, 1})])
def test_another_committee_takes_the_place_of_the_former(bench, n, expected):
    """A search that goes on without one has none; one of two has two members."""
    best, _ = end(bench, ScriptedEvaluator())
    bench.config = bench.config.model_copy(
        update={"final": bench.config.final.model_copy(update={"committee": n})}
    )
    again = ScriptedEvaluator()
    end(bench, again)

    assert members(bench) == {best[index].id for index in expected}
    assert len(again.submitted) == (n > 1)


@pytest.mark.parametrize("stop", Stop)
def test_asked_to_stop_it_begins_no_further_training(bench, stop):
    """What has ended is saved, and the search goes on from there."""
    evaluator = ScriptedEvaluator()
    with pytest.raises(SearchStopped):
        end(bench, evaluator, asked_to_stop=lambda: stop if evaluator.submitted else None)

    assert len(evaluator.submitted) == 1
    assert len(finals(bench)) == 1
    assert bench.store.find_search("first").status == "running"


def test_a_mean_is_scored_also_if_nothing_more_may_be_trained(bench):
    """It takes no time, and completes the search."""
    evaluator = ScriptedEvaluator()

    def asked():
        return Stop.DRAIN if len(evaluator.submitted) == 3 else None

    _, final = end(bench, evaluator, asked_to_stop=asked)
    assert final.committee is not None
