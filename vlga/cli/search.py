"""``vlga search`` and ``vlga resume``: puts search, workers and database together and runs them."""

from __future__ import annotations

import os
import platform
import re
import shlex
import signal
from contextlib import closing, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from db.engine import masked
from db.store import SqlStore
from vlga.artifacts import ArtifactFolder
from vlga.cli.live import TerminalObserver
from vlga.cli.options import DEFAULT_DB, db_option
from vlga.cli.output import count_text, number_of
from vlga.config import load_config
from vlga.driver import Search
from vlga.errors import ConfigError, SearchExists, StoreError, VlgaError
from vlga.final import train_winner
from vlga.phenotype import decode
from vlga.population import Evaluation, Individual
from vlga.ports import Evaluator, SearchRecord
from vlga.settings import SearchConfig, WorkersConfig

__all__ = ["resume", "search"]

_LIBRARIES = ("vlga", "torch", "torchvision", "ray", "deap", "sqlalchemy", "numpy")


@click.command()
@click.argument("file", metavar="[CONFIG.toml]", required=False, type=click.Path(path_type=Path))
@click.option("--preset", default="default", show_default=True, help="Settings to start from.")
@click.option("--data", help="A known data set, an .npz file or a folder of class folders.")
@click.option(
    "--data-dir", envvar="VLGA_DATA", help="Folder of torchvision's files; also VLGA_DATA."
)
@click.option("--name", help="Name of the search; made up from the data if not given.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the search.")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any setting; repeatable."
)
@db_option
@click.option("--address", help="Ray cluster to use; Ray is started here if not given.")
@click.option("--workers", type=click.IntRange(min=1), help="Trainings at a time.")
@click.option("--cpus-per-evaluation", type=float, help="CPUs for each training.")
@click.option(
    "--gpus-per-evaluation", type=float, help="GPUs, or a share of one, for each training."
)
@click.option("--inline", is_flag=True, default=None, help="Train in this process, without Ray.")
def search(
    file: Path | None,
    preset: str,
    name: str | None,
    settings: tuple[str, ...],
    db_url: str,
    **options: Any,
) -> None:
    """Search for a network for your images, then train the winner longer and test it.

    \b
    vlga search                                         digits, a few minutes
    vlga search --data my_images/ --set budget.seconds=28800
    vlga search --preset xiao2020 --data cifar10 --gpus-per-evaluation 0.25
    """  # noqa: D301  # \b keeps click from filling the examples
    if name is not None:
        _check_name(name)
    config = load_config(preset=preset, file=file, settings=settings, overrides=_overrides(options))
    dataset = _load_data(config)
    with closing(SqlStore(db_url)) as store:
        if name is not None:
            _refuse_taken(store, name)
        evaluator = _make_evaluator(config.workers, dataset)
        with closing(evaluator):
            record = _enter(store, name, config, dataset)
            _run(record, store, evaluator, db_url)


@click.command()
@click.argument("name", metavar="SEARCH")
@db_option
def resume(name: str, db_url: str) -> None:
    """Go on with an interrupted search: what is recorded is kept, the rest is done."""
    with closing(SqlStore(db_url, create=False)) as store:
        record = store.find_search(name)
        if record.status == "completed":
            raise ConfigError(
                f"a search must be unfinished to be resumed, but {name!r} is completed; "
                "start another with: vlga search"
            )
        dataset = _load_data(record.config)
        if dataset.fingerprint != record.data.fingerprint:
            raise ConfigError(
                f"{name!r} must be resumed on the images it was started on, but {dataset.name!r} "
                "has changed since; bring them back, or start another search"
            )
        with closing(_make_evaluator(record.config.workers, dataset)) as evaluator:
            store.update_search(name, status="running", message="")
            _run(record, store, evaluator, db_url)


def _overrides(options: dict[str, Any]) -> dict[str, Any]:
    """Map the command line's options to settings."""
    data = options.pop("data")
    is_path = data is not None and Path(data).exists()
    return {
        "data.name": str(Path(data).absolute()) if is_path else data,
        "data.dir": options.pop("data_dir"),
        "seed": options.pop("seed"),
        **{f"workers.{key}": value for key, value in options.items()},
    }


def _load_data(config: SearchConfig) -> Any:
    from workers.data import load_dataset

    return load_dataset(config.data)


def _make_evaluator(workers: WorkersConfig, dataset: Any) -> Evaluator:
    """Give the evaluator that the settings ask for; torch and Ray are loaded only now."""
    if workers.inline:
        from workers.inline_evaluator import InlineEvaluator

        return InlineEvaluator(
            dataset,
            use_gpu=workers.gpus_per_evaluation > 0,
            n_threads=max(1, int(workers.cpus_per_evaluation)),
        )
    from workers.ray_evaluator import RayEvaluator

    return RayEvaluator(
        dataset,
        address=workers.address,
        n_workers=workers.workers,
        cpus_per_evaluation=workers.cpus_per_evaluation,
        gpus_per_evaluation=workers.gpus_per_evaluation,
    )


def _check_name(name: str) -> None:
    """Refuse a name that cannot be a folder's and be typed without quotes."""
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise ConfigError(
            "--name must be letters, digits, '_', '.' and '-', beginning with one of the first "
            f"three, but got {name!r}"
        )


def _refuse_taken(store: SqlStore, name: str) -> None:
    """Refuse a name that is taken before anything is started for it."""
    with suppress(LookupError):
        store.find_search(name)
        raise SearchExists(
            f"--name must be new in its database, but {name!r} is taken; "
            f"choose another, or go on with: vlga resume {shlex.quote(name)}"
        )


def _enter(store: SqlStore, name: str | None, config: SearchConfig, dataset: Any) -> SearchRecord:
    """Enter the search; without a name it is the data's with the next free number."""
    versions = {"python": platform.python_version(), **{lib: version(lib) for lib in _LIBRARIES}}
    stem = Path(dataset.name).stem
    number = 1
    while True:
        record = SearchRecord(name or f"{stem}-{number}", config, dataset.summary(), versions)
        try:
            store.create_search(record)
        except SearchExists:
            if name is not None:
                raise
            number += 1
        else:
            return record


def _run(record: SearchRecord, store: SqlStore, evaluator: Evaluator, db_url: str) -> None:
    """Run a search to its end and say how to go on from there."""
    name, config, data = record.name, record.config, record.data
    artifacts = ArtifactFolder(Path("vlga-artifacts") / name)
    observer = TerminalObserver(name, data)
    print_ = observer.console.print
    print_(
        f"[bold]{escape(name)}[/]  {config.strategy}, seed {config.seed}, on {escape(data.name)}: "
        f"{data.n_train:,} + {data.n_validation:,} images of {'x'.join(map(str, data.input_shape))}"
        f", {len(data.classes)} classes; {evaluator.n_slots} at a time; {escape(masked(db_url))}"
    )
    engine = Search(
        name,
        config,
        data,
        evaluator=evaluator,
        store=store,
        artifacts=artifacts,
        observer=observer,
        seconds_before=record.seconds,
    )
    is_implied = db_url == os.environ.get("VLGA_DB", DEFAULT_DB)
    hint = "" if is_implied else f" --db {shlex.quote(masked(db_url))}"
    status, message = "failed", ""
    try:
        with observer:
            winner = engine.run()
            final = None
            if config.final.epochs:
                observer.final_started(winner, config.final.epochs)
                final = train_winner(
                    name,
                    winner,
                    config,
                    data,
                    evaluator=evaluator,
                    store=store,
                    artifacts=artifacts,
                )
        status = "completed"
    except KeyboardInterrupt:
        # A second Ctrl-C while the last is being saved would lose what the first one kept.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        status = "interrupted"
        print_(
            "interrupted; what is finished is saved. "
            f"Go on with: vlga resume {escape(shlex.quote(name) + hint)}"
        )
        raise click.Abort from None
    except VlgaError as error:
        message = str(error)
        raise
    finally:
        with suppress(StoreError):
            store.update_search(
                name, status=status, message=message, seconds=engine.elapsed_seconds
            )
    _conclude(observer, winner, final, record, hint)


def _conclude(
    observer: TerminalObserver,
    winner: Individual,
    final: Evaluation | None,
    record: SearchRecord,
    hint: str,
) -> None:
    """Print the winner, its score on the test images, and the next commands to type."""
    data, name, hint = record.data, escape(shlex.quote(record.name)), escape(hint)
    plan = decode(winner.genome, data.input_shape, len(data.classes))
    print_ = observer.console.print
    print_()
    print_(
        f"[bold green]winner #{winner.id}[/]  validation accuracy {winner.accuracy:.4f}, "
        f"{number_of(plan.depth, 'convolution')}, {count_text(plan.n_parameters)} parameters, "
        f"{count_text(plan.n_macs)} MACs an image"
    )
    if final is not None and final.completed:
        print_(
            f"test accuracy [bold]{final.fitness:.4f}[/] on {data.n_test:,} images never used "
            f"before, after {number_of(final.epochs, 'epoch')} on all others"
        )
    elif final is not None:
        print_(f"[bold red]its longer training failed[/] ({final.reason}): {escape(final.message)}")
    print_(f"next:  vlga individual {name} {winner.id}{hint}")
    print_(f"       vlga top {name}{hint}")
