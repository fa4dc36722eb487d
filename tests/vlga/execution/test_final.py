import hashlib
from dataclasses import replace

import pytest

from tests.support.mortal_store import Killed
from tests.support.records import DATA
from tests.support.searching import Bench, ScriptedEvaluator, small_config, weights_of, with_curve
from vlga.errors import SearchStopped
from vlga.execution.final import train_longer
from vlga.execution.final_task import Share, epochs_of_final, final_task, seconds_of
from vlga.networks.phenotype import decode
from vlga.ports.evaluation import EpochRecord, FailureReason
from vlga.ports.lease import Stop
from vlga.ports.observer import FinalStarted
from vlga.strategies.base import training_seed


@pytest.fixture
def bench(tmp_path):
    """A search with three trainings behind it."""
    settings = ("fitness=f1_macro", "training.class_weights=balanced")
    return Bench(tmp_path, small_config("budget.evaluations=3", "final.epochs=7", *settings))


def train(bench, winner, evaluator, **options):
    return train_longer(bench.entered(evaluator, **options), [winner])[winner.id]


def test_it_trains_the_winner_once_more_for_the_final_epochs(bench):
    """One task, marked final, that goes on from the winner's trained layers."""
    winner, evaluator = bench.run(), ScriptedEvaluator()
    train(bench, winner, evaluator)
    (task,) = evaluator.submitted

    assert (task.candidate_id, task.is_final, task.keep_weights) == (winner.id, True, True)
    assert task.weights is not None
    assert task.weights.candidate_id == winner.id
    assert task.plan == decode(winner.genome, DATA.input_shape, len(DATA.classes))
    assert task.seed == training_seed(bench.config.seed, winner.candidate.fingerprint)
    assert task.training.epochs == 7
    assert task.training.label_smoothing == bench.config.final.label_smoothing
    assert task.training.class_weights == "balanced"
    assert task.fitness == "f1_macro"
    assert task.training.batch_size == bench.config.training.batch_size


@pytest.mark.parametrize(
    ("training", "side", "cutout", "early_size"),
    [
        ((30, "crop"), 16, 0.3, 1.0),
        ((29, "crop"), 16, 0.0, 1.0),
        ((30, "crop"), 15, 0.0, 1.0),
        ((30, "none"), 16, 0.0, 1.0),
        ((30, "crop"), 48, 0.3, 0.75),
        ((30, "crop"), 47, 0.3, 1.0),
        ((29, "crop"), 48, 0.0, 1.0),
        ((30, "none"), 48, 0.0, 1.0),
    ],
)
def test_squares_are_hidden_and_images_smaller_at_first_where_that_pays(
    tmp_path, training, side, cutout, early_size
):
    """Of augmented images that are large enough, in epochs that are many enough; and says so."""
    n_epochs, augment = training
    settings = f"final.epochs={n_epochs}", "final.cutout=0.3", f"training.augment={augment}"
    bench = Bench(tmp_path, small_config(*settings))
    winner, evaluator = bench.run(), ScriptedEvaluator()
    run = bench.entered(evaluator)
    images = replace(run.data, input_shape=(1, side, 50))
    told = []
    changed = replace(run, record=replace(run.record, data=images), observer=told.append)
    train_longer(changed, [winner])
    [started] = [one for one in told if isinstance(one, FinalStarted)]

    assert [task.cutout for task in evaluator.submitted] == [cutout]
    assert started.hides_squares is (cutout > 0)
    [task] = evaluator.submitted
    assert task.early_size == started.early_size == early_size


@pytest.mark.parametrize(("share", "early_size"), [(0.34, 0.34), (0.33, 1.0)])
def test_images_are_not_too_small_for_the_network(tmp_path, share, early_size):
    """A stem of stride 2 and three pools leave 3x3 of 50x60 pixels: a third of a side is needed."""
    settings = (f"final.early_size={share}",)
    bench = Bench(tmp_path, small_config("final.epochs=30", "training.augment=crop", *settings))
    winner, evaluator = bench.run(), ScriptedEvaluator()
    block = replace(winner.genome.blocks[0], include_pool=True)
    genome = replace(winner.genome, blocks=(block,) * 3)
    winner = replace(winner, candidate=replace(winner.candidate, genome=genome))
    run = bench.entered(evaluator)
    images = replace(run.data, input_shape=(1, 50, 60))
    train_longer(replace(run, record=replace(run.record, data=images)), [winner])

    assert [task.early_size for task in evaluator.submitted] == [early_size]


@pytest.mark.parametrize(
    ("settings", "n_slots_n_macs", "seconds", "expected"),
    [
        (("final.time_fraction=0",), (1, 1), 40.0, 30),  # as many as asked for
        ((), (1, 10**9), 40.0, 16),  # of 2.5 s each
        ((), (4, 1), 40.0, 16),  # too small a network for several cores
        ((), (2, 10**9), 40.0, 21),  # of 1.9 s each
        ((), (4, 10**9), 40.0, 25),  # of 1.6 s each
        ((), (1, 1), 50.0, 20),
        ((), (1, 1), 4.0, 3),  # as many as in the search
    ],
)
def test_its_epochs_fit_the_time_that_there_is(
    tmp_path, settings, n_slots_n_macs, seconds, expected
):
    """By the winner's own speed, here 2 s an epoch on four fifths of the images."""
    bench = Bench(tmp_path, small_config("final.epochs=30", "budget.evaluations=3"))
    winner = bench.run()
    n_slots, n_macs = n_slots_n_macs
    own = replace(winner.evaluation, train_seconds=6.0, epochs=3, n_macs=n_macs)
    winner = replace(winner, evaluation=own)
    settings = ("training.epochs=3", "final.epochs=30", "final.time_fraction=0.4", *settings)
    bench = Bench(tmp_path, small_config(*settings))
    run = bench.entered(ScriptedEvaluator(n_slots=n_slots))
    data = replace(run.data, n_train=80, n_validation=20)
    run = replace(run, record=replace(run.record, data=data))

    assert epochs_of_final(run, winner, Share(seconds, fewest=3)) == expected


@pytest.mark.parametrize(("seconds", "expected"), [(58.0, 23), (59.0, 30), (300.0, 99)])
def test_smaller_images_at_first_are_more_epochs(tmp_path, seconds, expected):
    """Of 2.5 s, the first half 9/16 of it, if there are 30 of them."""
    settings = ("training.epochs=3", "final.epochs=99", "final.time_fraction=0.4")
    bench = Bench(tmp_path, small_config("budget.seconds=100", "budget.evaluations=3", *settings))
    winner, told = bench.run(), []
    own = replace(winner.evaluation, train_seconds=6.0, epochs=3, n_macs=1)
    winner = replace(winner, evaluation=own)
    run = bench.entered(ScriptedEvaluator())
    data = replace(run.data, input_shape=(1, 48, 48), n_train=80, n_validation=20)
    run = replace(run, record=replace(run.record, data=data), observer=told.append)
    share = Share(seconds, fewest=3)
    n_epochs = epochs_of_final(run, winner, share)
    task = final_task(run, winner, n_epochs, share)

    assert n_epochs == task.epochs == expected
    assert task.timed.early_cost == (1 if expected < 30 else 0.75**2)
    assert seconds_of(run, winner, task) <= seconds


def test_it_has_all_the_time_that_the_search_left_and_is_not_done_twice(tmp_path):
    """A search that ends early leaves more than was kept; a longer budget trains it anew."""
    settings = ("budget.evaluations=3", "final.time_fraction=0.4", "final.epochs=99")
    bench = Bench(tmp_path, small_config("budget.seconds=100", *settings))
    winner = bench.run()
    winner = replace(winner, evaluation=replace(winner.evaluation, train_seconds=3.0, epochs=3))
    n_longer = (DATA.n_train + DATA.n_validation) / DATA.n_train
    evaluator = ScriptedEvaluator()
    train(bench, winner, evaluator)
    train(bench, winner, evaluator)
    (task,) = evaluator.submitted

    assert task.training.epochs > 90 / n_longer

    run, longer = bench.entered(evaluator), small_config("budget.seconds=1000", *settings)
    train_longer(replace(run, record=replace(run.record, config=longer)), [winner])
    assert len(evaluator.submitted) == 2


@pytest.mark.parametrize(
    ("settings", "is_timed"),
    [
        (("budget.seconds=100",), True),
        (("budget.seconds=none",), False),
        (("budget.seconds=100", "final.time_fraction=0"), False),
        (("budget.seconds=100", "training.epochs=99"), False),  # no choice
        (("budget.seconds=100", "training.windows=[{until=9, rate=0.5}]"), False),
    ],
)
def test_its_time_decides_its_epochs_where_time_is_limited(tmp_path, settings, is_timed):
    """Between those of the longest training in the search and `final.epochs`; and it says so."""
    fixed = ("budget.evaluations=3", "training.epochs=2", "final.epochs=99")
    settings = (*fixed, "final.time_fraction=0.4", *settings)
    bench = Bench(tmp_path, small_config(*settings))
    winner, evaluator, told = bench.run(), ScriptedEvaluator(), []
    train_longer(replace(bench.entered(evaluator), observer=told.append), [winner])
    (task,) = evaluator.submitted
    (started,) = [one for one in told if isinstance(one, FinalStarted)]

    assert started.is_timed is is_timed
    if is_timed:
        assert (task.timed.fewest, task.timed.most) == (2, 99)
        assert 40 <= task.timed.seconds <= 100
    else:
        assert task.timed is None


@pytest.mark.parametrize(("train_seconds", "is_enough"), [(36.0, True), (35.9, False)])
def test_one_that_used_the_time_for_it_is_not_done_again(tmp_path, train_seconds, is_enough):
    """However few epochs it had in these 40 s: a machine may have got slower."""
    settings = ("budget.evaluations=3", "budget.seconds=100", "final.epochs=99")
    bench = Bench(tmp_path, small_config(*settings, "final.time_fraction=0.4"))
    winner = bench.run()
    winner = replace(winner, evaluation=replace(winner.evaluation, train_seconds=3.0, epochs=3))
    slow = replace(winner.evaluation, epochs=2, train_seconds=train_seconds)
    bench.store.add_evaluations("first", [slow], is_final=True)
    evaluator = ScriptedEvaluator()
    train(bench, winner, evaluator)

    assert len(evaluator.submitted) == (not is_enough)


def test_no_other_training_is_final(bench):
    """The test images are scored by the winner's last training and by nothing else."""
    evaluator = ScriptedEvaluator()
    train(bench, bench.run(evaluator), evaluator)

    assert [task.is_final for task in evaluator.submitted] == [False, False, False, True]


def test_its_score_is_the_search_s_test_accuracy_and_no_fitness(bench):
    """It is in the ledger as final, apart from what the search was steered by."""
    winner = bench.run()
    final = train(bench, winner, ScriptedEvaluator(outcome=lambda _: 0.25))

    assert final.fitness == bench.store.find_search("first").test_accuracy == 0.25
    assert bench.store.searches["first"].outcomes[-1] == (final, True)
    assert final not in bench.store.evaluations("first")


def test_its_weights_are_a_file_of_their_own(bench):
    """Beside those that others inherit, with the checksum of what was written."""
    winner, evaluator = bench.run(), ScriptedEvaluator()
    train(bench, winner, evaluator)
    (artifact,) = [one for one in bench.store.artifacts("first") if one.kind == "final_weights"]
    data = weights_of(evaluator.submitted[0])

    assert (bench.folder / artifact.path).read_bytes() == data
    assert artifact.candidate_id == winner.id
    assert (artifact.sha256, artifact.n_bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    assert bench.store.writes[-1] == ("add_evaluations", (winner.id,), (artifact,))


@pytest.mark.parametrize("rates", [(1.0,), (1.0, 0.5), (1.0, 0.5, 0.25)])
def test_one_that_diverges_is_tried_at_half_the_learning_rate(bench, rates):
    """Twice at most; the last counts, with all their time. The test images have no say in it."""
    evaluator, peak = ScriptedEvaluator(), bench.run().genome.network.learning_rate
    winner = bench.run()

    def outcome(task):
        is_last = task.plan.optimizer.learning_rate == peak * rates[-1]
        return 0.25 if is_last else FailureReason.DIVERGED

    evaluator.outcome = outcome
    final = train(bench, winner, evaluator)

    assert [task.plan.optimizer.learning_rate for task in evaluator.submitted] == [
        peak * rate for rate in rates
    ]
    assert (final.fitness, final.train_seconds) == (0.25, len(rates))
    assert [one for one, is_final in bench.store.searches["first"].outcomes if is_final] == [final]


def test_one_that_is_tried_again_has_the_time_that_is_left(tmp_path, monkeypatch):
    """Or none: it is then as short as a training of the search, and the whole is late by that."""
    settings = ("budget.evaluations=3", "budget.seconds=100", "training.epochs=2")
    bench = Bench(tmp_path, small_config(*settings, "final.epochs=99", "final.time_fraction=0.4"))
    winner, evaluator = bench.run(), ScriptedEvaluator(outcome=lambda _: FailureReason.DIVERGED)
    wait = evaluator.wait

    def wait_long(timeout_seconds=None):
        return [
            replace(one, evaluation=replace(one.evaluation, train_seconds=70.0))
            for one in wait(timeout_seconds)
        ]

    monkeypatch.setattr(evaluator, "wait", wait_long)
    train(bench, winner, evaluator)
    first, second, third = (task.timed.seconds for task in evaluator.submitted)

    assert (second, third) == (pytest.approx(first - 70), 0)


@pytest.mark.parametrize(
    ("losses", "n_trainings"),
    [((0.8, 0.9), 1), ((1.09, 1.11), 3), ((1.2, 1.1), 1), ((1.2,), 1), ((), 1)],
)
def test_so_is_one_that_ends_at_chance_and_above_where_it_began(
    bench, losses, n_trainings, monkeypatch
):
    """Three classes have a loss of ln 3 = 1.0986 where nothing is known of them."""
    winner, evaluator = bench.run(), ScriptedEvaluator()
    wait = evaluator.wait

    def wait_with_curve(timeout_seconds=None):
        curve = tuple(
            EpochRecord(epoch, loss, 0.3, None, None, 0.1, 1.0) for epoch, loss in enumerate(losses)
        )
        return [with_curve(one, *curve) for one in wait(timeout_seconds)]

    monkeypatch.setattr(evaluator, "wait", wait_with_curve)
    train(bench, winner, evaluator)

    assert len(evaluator.submitted) == n_trainings


def test_of_three_that_blew_up_the_best_on_the_training_images_counts(bench, monkeypatch):
    """Not the last one, and not by the test images."""
    winner, scores = bench.run(), iter([0.3, 0.2, 0.4])
    evaluator, losses = ScriptedEvaluator(outcome=lambda _: next(scores)), iter([1.3, 1.2, 1.4])
    wait = evaluator.wait

    def wait_with_curve(timeout_seconds=None):
        curve = [
            EpochRecord(n, loss, 0.3, None, None, 0.1, 1.0)
            for n, loss in enumerate((1.1, next(losses)))
        ]
        return [with_curve(one, *curve) for one in wait(timeout_seconds)]

    monkeypatch.setattr(evaluator, "wait", wait_with_curve)

    assert train(bench, winner, evaluator).fitness == 0.2
    assert len(evaluator.submitted) == 3


def test_a_failed_one_is_recorded_with_its_reason(bench):
    """The winner stays the winner; it has no test accuracy and no final weights."""
    winner = bench.run()
    final = train(bench, winner, ScriptedEvaluator(outcome=lambda _: FailureReason.OUT_OF_MEMORY))
    stored = bench.store.searches["first"]

    assert final.reason is FailureReason.OUT_OF_MEMORY
    assert stored.outcomes[-1] == (final, True)
    assert stored.record.test_accuracy is None
    assert stored.record.best_candidate_id == winner.id
    assert "final_weights" not in {one.kind for one in bench.store.artifacts("first")}


def test_it_completes_the_search_in_the_same_transaction(bench):
    """A process that dies before it leaves an open search, never one whose winner is trained."""
    winner = bench.run()
    n_before = len(bench.store.writes)
    bench.store.n_left = 0
    with pytest.raises(Killed):
        train(bench, winner, ScriptedEvaluator())
    assert bench.store.find_search("first").status == "running"
    assert bench.store.final_trainings("first") == []

    bench.store.n_left = None
    before = bench.store.find_search("first").seconds
    final = train(bench, winner, ScriptedEvaluator())
    done = bench.store.find_search("first")
    assert (done.status, done.test_accuracy) == ("completed", final.fitness)
    assert done.seconds == before + 1  # what a training takes here
    assert [method for method, _, _ in bench.store.writes[n_before:]] == ["add_evaluations"]


def test_recorded_it_is_not_trained_again(bench):
    """The search is completed with what the ledger has; nothing is submitted."""
    winner = bench.run()
    final = train(bench, winner, ScriptedEvaluator(outcome=lambda _: 0.25))
    bench.store.update_search("first", status="interrupted", test_accuracy=None)
    again = ScriptedEvaluator(outcome=lambda _: 0.5)

    assert train(bench, winner, again) == final
    assert not again.submitted
    done = bench.store.find_search("first")
    assert (done.status, done.test_accuracy) == ("completed", 0.25)


@pytest.mark.parametrize("change", ["winner", "epochs", "failed"])
def test_another_s_or_a_shorter_or_failed_one_does_not_count(bench, change):
    """Only a training of this winner, as long as it is to be now, that gave an accuracy."""
    winner = bench.run()
    candidates = [one.candidate_id for one in bench.trained]
    other = next(one for one in candidates if one != winner.id)
    final = train(bench, winner, ScriptedEvaluator())
    stored = bench.store.searches["first"]
    changes = {
        "winner": {"candidate_id": other},
        "epochs": {"epochs": 6},
        "failed": {"fitness": None, "reason": FailureReason.TIMED_OUT},
    }
    stored.outcomes[-1] = (replace(final, **changes[change]), True)
    again = ScriptedEvaluator()
    train(bench, winner, again)

    assert len(again.submitted) == 1


@pytest.mark.parametrize("stop", Stop)
def test_it_does_not_begin_in_a_search_that_was_asked_to_stop(bench, stop):
    """However; it takes longer than whoever asks wants to wait."""
    winner, evaluator = bench.run(), ScriptedEvaluator()

    with pytest.raises(SearchStopped):
        train(bench, winner, evaluator, asked_to_stop=lambda: stop)
    assert not evaluator.submitted


@pytest.mark.parametrize(("stop", "is_trained"), [(Stop.DRAIN, True), (Stop.NOW, False)])
def test_once_begun_it_is_ended_unless_it_has_to_stop_now(bench, stop, is_trained):
    """What runs is finished, which completes the search; or given up, and nothing recorded."""

    class Slow(ScriptedEvaluator):
        def wait(self, timeout_seconds=None):
            n_waits.append(timeout_seconds)
            return () if len(n_waits) < 3 else super().wait(timeout_seconds)

    winner, n_waits = bench.run(), []
    wishes = iter([None] + [stop] * 9)
    try:
        train(bench, winner, Slow(), asked_to_stop=lambda: next(wishes))
    except SearchStopped:
        assert not is_trained
    assert len(bench.store.final_trainings("first")) == is_trained
    assert (bench.store.find_search("first").status == "completed") == is_trained
