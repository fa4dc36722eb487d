"""The HTML page of a search: one file with its figures, tables and settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Engine

from db.read.reports import learning_curves
from vlga import page
from vlga.cli.output import as_json, count_text
from vlga.cli.search_report import SearchReport
from vlga.comparison import band
from vlga.plots import best_so_far_figure, svg_text
from vlga.search_plots import (
    curves_figure,
    depth_figure,
    failures_figure,
    fitness_figure,
    genes_figure,
    pareto_figure,
)
from vlga.search_report import (
    Outcome,
    accuracy_steps,
    failures_by_reason,
    fittest,
    pareto_front,
    rounds,
)

__all__ = ["search_page"]

#: Generations and genes that are drawn at most.
_ROUNDS, _GENES = 60, 6
_BEST_SO_FAR = (
    "The best fitness against the epochs trained by then, over all trainings in the order in which "
    "they ended."
)
_FITNESS = "The networks that each generation made, taken-over outcomes included."
_DEPTH = "How deep the networks are that each generation made."
_GENES_CAPTION = (
    "Each gene's alleles among {quarter}, for the genes whose shares differ most, and at least "
    "twice as much as by chance. A gene that another one switches off is left out. The fittest "
    "descend from each other: what they have in common need not be why they are fit."
)
_CURVES = "Accuracy on the validation images after each epoch of the search's own training."
_PARETO = (
    "Every network by its size and its fitness. To those on the line none is at once smaller and "
    "fitter."
)


def search_page(report: SearchReport, engine: Engine) -> str:
    """Give the whole page.

    Args:
        report: the search.
        engine: to read the learning curves with.
    """
    members = report.members
    best = fittest(members, 5)
    curves = learning_curves(engine, report.shown["name"], [one.id for one in best])
    parts = [page.paragraph(_sentence(line)) for line in report.story()]
    if any(one.fitness is not None for one in members):
        parts += [page.paragraph(f"{_sentence(report.winner())}."), *_networks(best)]
        parts += _figures(report, members, curves)
    else:
        parts.append(page.paragraph("No network has a fitness yet."))
    parts += _failures(report)
    front = pareto_front(members)
    if front:
        parts.append(page.details("The networks on the line, as a table", *_networks(front)))
    parts.append(page.details("All settings", page.code(as_json(report.shown["config"]))))
    versions = ", ".join(f"{name} {text}" for name, text in report.shown["versions"].items())
    parts.append(page.paragraph(f"On {versions}."))
    return page.page(report.title, *parts)


def _figures(
    report: SearchReport,
    members: Sequence[Outcome],
    curves: Mapping[int, Sequence[tuple[int, float]]],
) -> Iterator[str]:
    n_images = max(1, report.shown["images"]["validation"])
    by_round = rounds(members, _ROUNDS)
    steps = band([accuracy_steps(report.outcomes)])
    if steps is not None:
        drawing = best_so_far_figure({report.shown["strategy"]: steps}, title="", n_images=n_images)
        yield page.heading("Best so far")
        yield page.figure(svg_text(drawing), _BEST_SO_FAR)
    yield page.heading("Fitness by generation")
    yield page.figure(svg_text(fitness_figure(by_round, n_images=n_images)), _FITNESS)
    yield page.heading("Depth over time")
    yield page.figure(svg_text(depth_figure(by_round)), _DEPTH)
    shifts = report.shifts()[:_GENES]
    yield page.heading("What the fittest have in common")
    if shifts:
        caption = _GENES_CAPTION.format(quarter=report.quarter().removeprefix("genes of "))
        yield page.figure(svg_text(genes_figure(shifts)), caption)
    else:
        yield page.paragraph("No gene tells them from the others more than chance does.")
    if curves:
        yield page.heading("Learning curves of the best")
        yield page.figure(svg_text(curves_figure(curves, n_images=n_images)), _CURVES)
    yield page.heading("Accuracy against size")
    winner = report.shown["best"] and report.shown["best"]["id"]
    drawing = pareto_figure(members, pareto_front(members), winner, n_images=n_images)
    yield page.figure(svg_text(drawing), _PARETO)


def _failures(report: SearchReport) -> Iterator[str]:
    failed = failures_by_reason(report.outcomes)
    yield page.heading("Failures")
    if failed:
        yield page.figure(svg_text(failures_figure(failed)), "Trainings without a fitness.")
    else:
        yield page.paragraph("No training failed.")


def _networks(networks: Sequence[Outcome]) -> list[str]:
    columns = ("network", "fitness", "parameters", "MACs", "convolutions", "made in", "by")
    rows = [
        (
            f"#{one.id}",
            f"{one.fitness:.4f}",
            count_text(one.parameters),
            count_text(one.macs),
            str(one.depth),
            f"{one.phase}.{one.generation}",
            one.operator.replace("_", " ").replace("+", ", "),
        )
        for one in networks
    ]
    return [page.table(columns, rows)]


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"
