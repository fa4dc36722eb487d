"""The HTML page of a search: one file with its figures, tables and settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from vlga.config.objectives import objectives_text
from vlga.genetics.changes import allele_text
from vlga.genetics.genome import Genome
from vlga.networks.phenotype import decode
from vlga.ports.data import fitness_label
from vlga.ports.mistakes import Mistakes
from vlga.report import html
from vlga.report.best_so_far import band
from vlga.report.figures import best_so_far_figure
from vlga.report.formats import as_json, count_text
from vlga.report.mistakes import mistakes_html
from vlga.report.search.curves import curves_figure
from vlga.report.search.figures import (
    depth_figure,
    failures_figure,
    fitness_figure,
    genes_figure,
    pareto_figure,
)
from vlga.report.search.genes import GeneShift
from vlga.report.search.rows import ROUND, round_row
from vlga.report.search.summary import (
    Outcome,
    Round,
    accuracy_steps,
    failures_by_reason,
    fittest,
    leaders,
    rounds,
)
from vlga.report.search.text import SearchReport

__all__ = ["search_page"]

Curve = Sequence[tuple[int, float]]

#: How many generations and genes are drawn at most.
_ROUNDS, _GENES = 60, 6
_BEST_SO_FAR = (
    "The best fitness so far against the number of epochs trained so far, over all trainings in "
    "the order in which they ended."
)
_FITNESS = "The networks made in each generation, including those whose outcome was reused."
_DEPTH = "The depth of the networks made in each generation."
_GENES_CAPTION = (
    "How often each allele occurs among {quarter}, for the genes that differ most, and at least "
    "twice as much as by chance. A network in which another gene switches a gene off does not "
    "count for it. The fittest networks are related to each other: what they have in common need "
    "not be the reason for their fitness."
)
_CURVES = "Accuracy on the validation images after each epoch of training in the search."
_PARETO = (
    "Every network by its cost and its fitness. The Pareto front is marked: no other network is as "
    "good in {objectives} as one on it."
)


def search_page(
    report: SearchReport,
    read_curves: Callable[[Sequence[int]], Mapping[int, Curve]],
    read_genomes: Callable[[Sequence[int]], Mapping[int, Genome]],
    mistakes: Mistakes | None,
) -> str:
    """Give the whole page.

    Args:
        report: the search.
        mistakes: its winner's, if they are known.
        read_genomes: a function from candidates' numbers to their genomes.
        read_curves: a function from candidates' numbers to their learning curves, each a list of
            (epoch, validation accuracy after it).
    """
    members = report.members
    best = fittest(members, 5)
    curves = read_curves([one.id for one in best])
    parts = [html.paragraph(_sentence(line)) for line in report.story()]
    if any(one.fitness is not None for one in members):
        parts += [html.paragraph(f"{_sentence(line)}.") for line in report.winner_lines()]
        parts.append(_networks_table(best))
        parts += _layers(report, read_genomes)
        if mistakes is not None:
            parts += [html.heading("What it gets wrong"), mistakes_html(mistakes)]
        parts += _figures(report, members, curves)
    else:
        parts.append(html.paragraph("No network has a fitness yet."))
    parts += _failures(report)
    parts.append(html.details("All settings", html.code(as_json(report.shown["config"]))))
    versions = ", ".join(f"{name} {text}" for name, text in report.shown["versions"].items())
    parts.append(html.paragraph(f"On {versions}."))
    return html.page(report.title, *parts)


def _figures(
    report: SearchReport,
    members: Sequence[Outcome],
    curves: Mapping[int, Curve],
) -> Iterator[str]:
    shown = report.shown
    n_images = max(1, shown["images"]["validation"])
    measure = fitness_label(shown["fitness"], shown["fitness_on"])
    by_round = rounds(members, _ROUNDS)
    steps = accuracy_steps(report.outcomes)
    together = band([steps])
    if together is not None:
        drawing = best_so_far_figure(
            {shown["strategy"]: together},
            n_images=n_images,
            measure=measure,
            ids=leaders(report.outcomes),
        )
        yield html.heading("Best so far")
        yield html.figure(drawing, _BEST_SO_FAR, _steps_table(steps))
    yield html.heading("Fitness by generation")
    drawing = fitness_figure(by_round, n_images=n_images, measure=measure)
    yield html.figure(drawing, _FITNESS, _rounds_table(by_round))
    yield html.heading("Depth over time")
    yield html.figure(depth_figure(by_round), _DEPTH)
    yield html.heading("What the fittest have in common")
    shifts = report.shifts()[:_GENES]
    if shifts:
        caption = _GENES_CAPTION.format(quarter=report.quarter().removeprefix("genes of "))
        yield html.figure(genes_figure(shifts), caption, _genes_table(shifts))
    else:
        yield html.paragraph("No gene differs by more than chance explains.")
    if curves:
        yield html.heading("Learning curves of the best")
        drawing = curves_figure(curves, n_images=n_images)
        yield html.figure(drawing, _CURVES, _curves_table(curves))
    objectives = report.objectives
    yield html.heading(f"Fitness against {objectives[1]}")
    winner = shown["best"] and shown["best"]["id"]
    front = report.front()
    drawing = pareto_figure(
        members, front, winner, objectives=objectives, n_images=n_images, measure=measure
    )
    caption = _PARETO.format(objectives=objectives_text(objectives))
    yield html.figure(drawing, caption, _networks_table(front))


def _failures(report: SearchReport) -> Iterator[str]:
    failed = failures_by_reason(report.outcomes)
    yield html.heading("Failures")
    if failed:
        yield html.figure(failures_figure(failed), "Trainings without a fitness, by reason.")
    else:
        yield html.paragraph("No training failed.")


def _steps_table(steps: Curve) -> str:
    rows = [(f"{epochs:,}", f"{fitness:.4f}") for epochs, fitness in steps]
    return html.table(("epochs", "best so far"), rows)


def _rounds_table(by_round: Sequence[Round]) -> str:
    rows = [
        ["-" if value is None else str(value) for value in round_row(one).values()]
        for one in by_round
    ]
    return html.table([key.replace("_", " ") for key in ROUND], rows)


def _genes_table(shifts: Sequence[GeneShift]) -> str:
    rows = [
        (one.gene, allele_text(allele), f"{before:.0%}", f"{after:.0%}")
        for one in shifts
        for allele, (before, after) in one.shares.items()
    ]
    return html.table(("gene", "allele", "of all", "of the fittest"), rows)


def _curves_table(curves: Mapping[int, Curve]) -> str:
    epochs = sorted({epoch for points in curves.values() for epoch, _ in points})
    by_epoch = [dict(points) for points in curves.values()]
    rows = [
        [str(epoch), *(f"{one[epoch]:.4f}" if epoch in one else "-" for one in by_epoch)]
        for epoch in epochs
    ]
    return html.table(["epoch", *(f"#{number}" for number in curves)], rows)


def _networks_table(networks: Sequence[Outcome]) -> str:
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
    return html.table(columns, rows)


def _layers(
    report: SearchReport, read_genomes: Callable[[Sequence[int]], Mapping[int, Genome]]
) -> Iterator[str]:
    """Give the winner's layers, unless there is none yet or it is a model without a genome."""
    shown, number = report.shown, report.shown["best"] and report.shown["best"]["id"]
    genome = None if number is None else read_genomes([number]).get(number)
    if genome is None:
        return
    channels, height, width = shown["input_shape"]
    plan = decode(genome, (channels, height, width), len(shown["classes"]))
    rows = [
        (
            row.name,
            row.kind,
            "x".join(map(str, row.output_shape)),
            f"{row.n_parameters:,}",
            f"{row.n_macs:,}",
        )
        for row in plan.layer_table()
    ]
    columns = ("layer", "what", "shape", "parameters", "MACs")
    yield html.details(f"The layers of #{number}", html.table(columns, rows))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"
