"""What ``vlga report`` says of a search: in the terminal, as JSON or CSV, and as an HTML page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from vlga.config.objectives import objectives_text, weighed
from vlga.config.strategies import RUNGED
from vlga.genetics.genome import Genome
from vlga.ports.data import fitness_label
from vlga.report.committee import committee_text, tested_of
from vlga.report.formats import (
    as_csv,
    as_json,
    as_table,
    count_text,
    filled,
    number_of,
    seconds_text,
)
from vlga.report.rivals import rivals_lines, scores_text
from vlga.report.search.genes import Genes, GeneShift, gene_shifts, heard_genes
from vlga.report.search.rows import GENE, NETWORK, ROUND, gene_row, network_row, round_row
from vlga.report.search.summary import (
    Outcome,
    Rung,
    accuracy_steps,
    drawn,
    each_once,
    failures_by_reason,
    fittest,
    pareto_front,
    rounds,
    rungs,
    trained,
    trained_longest,
)

__all__ = ["SearchReport"]

_MOVED = "moved: how much the shares differ; by chance: how much they would if it did not matter"
_PARETO = "networks of the Pareto front (no other network is as good in {objectives})"
#: How many rows a table has in the terminal, and how many are on the page.
_ROUNDS_IN_TEXT, _ROUNDS_ON_PAGE = 12, 60
_GENES_IN_TEXT, _GENES_ON_PAGE = 5, 6
#: The genes of at most so many networks are compared, since reading a genome takes longer than
#: reading the rest of a candidate. A share among the fittest quarter is then within 0.02 of what
#: it is among all.
_MOST_DRAWN = 10_000


@dataclass(frozen=True, slots=True)
class SearchReport:
    """A search as it is recorded, ready to be shown; it may still be running.

    Attributes:
        shown: as `db.read.searches.show_search` gives it.
        outcomes: in the order of recording.
        members: each candidate once, with its best outcome, by number.
        compared: the trained networks whose genes are compared.
        genes: of each compared network those that are not silent, by its number.
    """

    shown: Mapping[str, Any]
    outcomes: Sequence[Outcome]
    members: Sequence[Outcome]
    compared: Sequence[Outcome]
    genes: Mapping[int, Genes]

    @classmethod
    def of(
        cls,
        shown: Mapping[str, Any],
        outcomes: Sequence[Outcome],
        genomes: Callable[[Sequence[int]], Mapping[int, Genome]],
    ) -> SearchReport:
        """Make it from what was read, and a function that reads some candidates' genomes."""
        members = each_once(outcomes)
        compared = drawn(trained(trained_longest(members)), _MOST_DRAWN)
        _, height, width = shown["input_shape"]
        genes = {
            number: heard_genes(genome, (height, width))
            for number, genome in genomes([one.id for one in compared]).items()
        }
        compared = [one for one in compared if one.id in genes]
        return cls(shown, outcomes, members, compared, genes)

    def text(self, form: str, width: int | None = None) -> str:
        """Give all of it as ``table``, ``json`` or ``csv``; a table in lines of `width` at most.

        JSON has the keys `search rounds rungs best_so_far failures genes pareto fittest`: `search`
        is what ``vlga show`` gives, `rounds` has a row for each generation, `rungs` one for each
        length of training, `best_so_far` pairs of epochs trained and fitness, `genes` every gene in
        which the fittest quarter differs from all. CSV has the rows of `rounds`.
        """
        members = self.members
        if form == "csv":
            rows = [round_row(one) for one in rounds(members, max(1, len(members)))]
            return as_csv(rows, ROUND)
        if form == "json":
            return as_json(self._tree())
        return "\n\n".join(part for part in self._parts(width) if part)

    @property
    def title(self) -> str:
        """Name the search, its strategy and its images."""
        shown = self.shown
        return f"{shown['name']}: {shown['strategy']}, seed {shown['seed']}, on {shown['data']}"

    def story(self) -> list[str]:
        """Describe what was searched and how far the search got, a line each."""
        shown, counts, config = self.shown, self.shown["evaluations"], self.shown["config"]
        images = " + ".join(f"{n:,} {split}" for split, n in shown["images"].items())
        shape = "x".join(map(str, shown["input_shape"]))
        outcomes = ", ".join(
            [
                number_of(counts["completed"] + counts["failed"], "training"),
                f"{counts['failed']:,} of them failed",
                f"{number_of(counts['reused'], 'outcome')} reused",
            ]
        )
        limits = {key: value for key, value in config["budget"].items() if value is not None}
        budget = " or ".join(f"{value:,g} {key}" for key, value in limits.items())
        size = config["population"]["size"]
        epochs = number_of(config["training"]["epochs"], "epoch")
        each = "a training" if shown["strategy"] not in RUNGED else "at most a network"
        lines = [
            f"{images} images of {shape}, {len(shown['classes'])} classes",
            f"population {size}, {epochs} {each}, budget: {budget or 'none'}",
            f"{shown['status']} after {seconds_text(shown['seconds'])}: {outcomes}"
            + (f"; {shown['message']}" if shown["message"] else ""),
        ]
        by_rung = rungs(self.members)
        if len(by_rung) > 1:
            lines.append(f"rungs: {'; '.join(map(_rung_text, by_rung))}")
        if shown["fitness_on"] == "test":
            lines.append(
                "Fitness was measured on the test images: no accuracy here is on unseen images."
            )
        return lines

    def winner(self) -> str:
        """Describe the winner in a sentence."""
        best = self.shown["best"]
        if best is None:
            return "no network has a fitness yet"
        test, size = best["test_accuracy"], count_text(best["parameters"])
        fitness, kind = self.shown["fitness"], ""
        if fitness != "accuracy":
            kind = f" ({fitness_label(fitness, self.shown['fitness_on'])})"
        tested = test is not None and scores_text(best, self.shown["images"]["test"], fitness)
        return (
            f"winner #{best['id']}: fitness {best['fitness']:.4f}{kind}, "
            f"{number_of(best['depth'], 'convolution')}, {size} parameters"
            + (f", test accuracy {tested} after its longer training" if tested else "")
        )

    def winner_lines(self) -> list[str]:
        """Describe the winner, its committee, and what simple methods reach on its images."""
        committee, tested = self.shown["committee"], tested_of(self.shown)
        lines = [self.winner()]
        if committee is not None:
            scores = scores_text(committee, self.shown["images"]["test"], self.shown["fitness"])
            lines.append(f"test accuracy {scores} {committee_text(committee)}")
        return [*lines, *rivals_lines(self.shown, tested["test_fitness"])]

    def _parts(self, width: int | None) -> Iterator[str]:
        members = self.members
        yield filled("\n".join([self.title, *self.story()]), width, indent=2)
        if members:
            rows = [round_row(one) for one in rounds(members, _ROUNDS_IN_TEXT)]
            yield as_table(
                rows, ROUND, right=ROUND[1:], width=width, spare=("worst", "failed", "networks")
            )
            yield self.failures()
        shifts = self.shifts()[:_GENES_IN_TEXT]
        if shifts:
            rows = [gene_row(one) for one in shifts]
            genes = as_table(rows, GENE, right=GENE[1:3], width=width, spare=("by_chance",))
            yield f"{self.quarter()}:\n{genes}\n{filled(_MOVED, width)}"
        front = self.front()
        if front:
            some = thinned(front, 8)
            has_latency = "latency" in self.objectives
            columns = [*NETWORK[:4], *["latency_ms"] * has_latency, *NETWORK[4:]]
            networks = as_table([network_row(one) for one in some], columns, width=width)
            count = f"{len(some)} of {len(front)} " if len(some) < len(front) else ""
            about = _PARETO.format(objectives=objectives_text(self.objectives))
            yield f"{filled(f'{count}{about}:', width)}\n{networks}"
        yield filled("\n".join(self.winner_lines()), width, indent=2)

    @property
    def objectives(self) -> tuple[str, ...]:
        """Of its front."""
        return weighed(self.shown["config"])

    def front(self) -> list[Outcome]:
        """Give its Pareto front, as `pareto_front` does."""
        return pareto_front(self.members, self.objectives)

    def failures(self) -> str:
        """Say how many trainings failed, by reason."""
        failed = failures_by_reason(self.outcomes)
        reasons = ", ".join(f"{n:,} {why.replace('_', ' ')}" for why, n in failed.items())
        return f"failed trainings: {reasons or 'none'}"

    def shifts(self) -> list[GeneShift]:
        """Compare the genes of the fittest quarter with all."""
        return gene_shifts(self.compared, self.genes)

    def quarter(self) -> str:
        """Say which networks the table of genes compares."""
        n_drawn, n_trained = len(self.compared), len(trained(trained_longest(self.members)))
        text = f"genes of the fittest quarter ({math.ceil(n_drawn / 4):,}) against all {n_drawn:,}"
        return text + (f", drawn from {n_trained:,}" if n_drawn < n_trained else "")

    def _tree(self) -> dict[str, Any]:
        members = self.members
        return {
            "search": dict(self.shown),
            "rounds": [
                {key: value for key, value in asdict(one).items() if key not in ("fitness", "ids")}
                for one in rounds(members, max(1, len(members)))
            ],
            "rungs": [asdict(one) for one in rungs(members)],
            "best_so_far": accuracy_steps(self.outcomes),
            "failures": failures_by_reason(self.outcomes),
            "genes": [
                {
                    **asdict(one),
                    "shares": [
                        {"allele": allele, "all": before, "fittest": after}
                        for allele, (before, after) in one.shares.items()
                    ],
                }
                for one in self.shifts()
            ],
            "pareto": [network_row(one, is_exact=True) for one in self.front()],
            "fittest": [network_row(one, is_exact=True) for one in fittest(members, 10)],
        }


def _rung_text(one: Rung) -> str:
    """Describe the trainings of a rung in a few words."""
    text = f"{number_of(one.networks, 'network')} for {number_of(one.epochs, 'epoch')}"
    text = f"{text} more" if one.rung else text
    return text if one.best is None else f"{text}, best {one.best:.4f}"


def thinned(networks: Sequence[Outcome], most: int) -> list[Outcome]:
    """Give at most so many of these, evenly spaced, always with the last one."""
    step = max(1.0, (len(networks) - 1) / max(1, most - 1))
    count = min(most, len(networks))
    return [networks[len(networks) - 1 - round(i * step)] for i in reversed(range(count))]
