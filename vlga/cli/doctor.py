"""``vlga doctor``: whether a search will run here, before it is started."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from vlga.cli.diagnosis import (
    Diagnosis,
    judge_clock,
    judge_cpus,
    judge_data,
    judge_disk,
    judge_gpus,
    judge_libraries,
)
from vlga.cli.options import db_option, format_option
from vlga.cli.screen import screen_width
from vlga.errors import VlgaError
from vlga.report.formats import number_of, render

__all__ = ["doctor"]


@click.command()
@click.option("--address", help="Ray cluster to check too.")
@click.option("--data-dir", envvar="VLGA_DATA", help="Folder of torchvision's files.")
@db_option
@format_option
def doctor(address: str | None, data_dir: str | None, db_url: str, form: str) -> None:
    """Check whether a search will run: libraries, GPUs, database, clocks, data and disk.

    Checks this machine, and with --address every machine of a cluster. Exit code 1 if a search
    would not run.
    """
    found = [*_here(), *_database(db_url), *_data(data_dir), *_cluster(address)]
    rows = [asdict(one) for one in found]
    columns = ("state", "what", "found") if form == "table" else ("state", "what", "found", "do")
    click.echo(render(rows, form, columns, width=screen_width()))
    advice = [f"{one.state}: {one.what}: {one.do}" for one in found if one.do]
    if advice and form == "table":
        click.echo("\n" + "\n".join(advice))
    n_problems = sum(one.state == "problem" for one in found)
    if n_problems:
        click.echo(f"vlga: {number_of(n_problems, 'problem')}", err=True)
        sys.exit(1)


def _here() -> Iterator[Diagnosis]:
    """Check this machine."""
    import os

    import torch

    from workers.cluster.nodes import own_report
    from workers.machine import gpu_memories_bytes

    own = own_report()
    versions = [f"{name} {found}" for name, found in {"python": own.python, **own.versions}.items()]
    yield Diagnosis("ok", "libraries of this machine", ", ".join(versions))
    yield judge_cpus("CPUs of this machine", os.cpu_count() or 0)
    has_gpu = bool(gpu_memories_bytes())
    yield judge_gpus("this machine", torch.cuda.device_count(), has_gpu, torch.__version__)
    yield judge_disk("disk of this folder", shutil.disk_usage(Path.cwd()).free)


def _database(url: str) -> Iterator[Diagnosis]:
    """Check the database; it is fine if an SQLite file does not exist yet."""
    from db.connection.engine import build_engine, disposing, reading, require_file
    from db.connection.urls import masked
    from db.read.leases import read_clock
    from db.schema.revision import require_head, stored_revision

    where = masked(url)
    try:
        with disposing(build_engine(url)) as engine:
            try:
                require_file(engine)
            except VlgaError:
                yield Diagnosis("ok", "database", f"{where}: the first search will create it")
                return
            with reading(engine) as connection:
                revision = stored_revision(connection, where)
            if revision is None:
                found = "is empty: the first search will create its tables"
            else:
                require_head(revision, where)
                found = "has this version's schema"
            asked = time.time()
            clock = read_clock(engine)
            yield Diagnosis("ok", "database", f"{where} {found}")
            yield judge_clock("the database", clock - time.time(), clock - asked)
    except VlgaError as error:
        yield Diagnosis("problem", "database", f"{where} cannot be used", str(error))


def _data(data_dir: str | None) -> Iterator[Diagnosis]:
    """Check which data sets are on the disk."""
    from workers.data import known_datasets

    there = [one.name for one in known_datasets(data_dir) if one.path or one.built_in]
    yield judge_data(data_dir, data_dir is None or Path(data_dir).is_dir(), there)


def _cluster(address: str | None) -> Iterator[Diagnosis]:
    """Check every machine of a cluster."""
    if address is None:
        return
    from workers.cluster.connect import visit
    from workers.cluster.nodes import own_report

    what, own = f"Ray cluster {address}", own_report()
    try:
        reports = visit(address)
    except VlgaError as error:
        yield Diagnosis("problem", what, "cannot be used", str(error))
        return
    yield Diagnosis("ok", what, number_of(len(reports), "machine"))
    yield judge_cpus(f"CPUs of {what}", sum(one.resources.get("CPU", 0.0) for one in reports))
    mine = {"python": own.python, **own.versions}
    for one in reports:
        yield judge_libraries(one.host, {"python": one.python, **one.versions}, mine)
        code = "the same as here" if one.code == own.code else "sent along with each search"
        yield Diagnosis("ok", f"vlga of {one.host}", code)
        n_gpus, torch_version = one.resources.get("GPU", 0.0), one.versions["torch"]
        yield judge_gpus(one.host, n_gpus, n_gpus > 0, torch_version)
        yield judge_clock(one.host, one.clock - one.answered, one.clock - one.asked)
