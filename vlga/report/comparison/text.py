"""What ``vlga compare`` prints and writes: the table, JSON, CSV and the page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from vlga.config.settings import BudgetConfig, SearchConfig
from vlga.ports.data import fitness_label
from vlga.report.best_so_far import (
    Band,
    Steps,
    band,
    best_of_those_that_may_win,
    value_at,
)
from vlga.report.comparison.ratio import BudgetRatio, budget_ratio
from vlga.report.comparison.summary import Difference, difference, summaries
from vlga.report.formats import as_csv, as_json, as_table, count_text, filled, number_of
from vlga.report.rivals import rivals_lines

__all__ = ["Comparison", "budget_text", "searches_text"]

_COLUMNS = (
    "strategy", "seeds", "fitness", "test_accuracy", "evaluations", "epochs", "seconds", "failures",
    "depth", "parameters",
)  # fmt: skip
#: What a narrow terminal can do without, the first to go first.
_SPARE = ("failures", "epochs", "depth", "parameters", "evaluations", "seconds")
_EXPLANATION = (
    "Fitness and test accuracy are means ± sample standard deviations over the seeds: the "
    "{measure} of the winner in the search, and its accuracy after its longer training. "
    "Evaluations, epochs, seconds and failures are means of one search; depth (in convolutions) "
    "and parameters are medians over the winners. The first search's seconds include the start of "
    "its workers."
)
_BEST_SO_FAR = (
    "The best {measure} so far, of the networks that were trained for longest by then: the "
    "mean over the seeds, with a band from the worst seed to the best. A marker stands where the "
    "longest search ended. It is drawn by the logarithm of the error, so that 0.98 and "
    "0.99 are as far apart as 0.8 and 0.9."
)
#: Of the curves, so many points are in the table.
_POINTS_IN_TABLE = 10


def budget_text(budget: BudgetConfig) -> str:
    """Give a budget in words: 120 epochs, 600 seconds."""
    limits = budget.model_dump(exclude_none=True)
    return " and ".join(
        number_of(value, key.removesuffix("s")) if isinstance(value, int) else f"{value:g} {key}"
        for key, value in limits.items()
    )


def searches_text(number: int) -> str:
    """Give a count of searches: 1 search, 2 searches."""
    return f"{number} search{'' if number == 1 else 'es'}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison as it is recorded, ready to be shown.

    Attributes:
        name: of the comparison.
        config: of its searches, except strategy and seed.
        strategies: in the order of the table.
        seeds: that were asked for.
        outcomes: the searches that were started, as `vlga.report.comparison.summary.Outcome`.
    """

    name: str
    config: SearchConfig
    strategies: Sequence[str]
    seeds: Sequence[int]
    outcomes: Sequence[Mapping[str, Any]]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Give a row for each strategy."""
        return summaries(self.outcomes, self.strategies)

    @property
    def ratios(self) -> list[BudgetRatio]:
        """Say what the first strategy needs for what each of the others reaches."""
        first, *others = self.strategies
        found = (budget_ratio(first, other, self._curves()) for other in others)
        return [one for one in found if one is not None]

    @property
    def notes(self) -> list[str]:
        """Say in sentences what the table alone does not show."""
        found: Difference | None = difference(self.outcomes)
        ratios = [str(one) for one in self.ratios if one.has_interval]
        rivals = [line for one in self._with_rivals()[:1] for line in rivals_lines(one)]
        sentences = [*([] if found is None else [str(found)]), *ratios, *rivals]
        return [*map(_sentence, sentences), *self._caveats()]

    def text(self, form: str, width: int | None = None) -> str:
        """Give all of it as ``table``, ``json`` or ``csv``.

        JSON has the keys `name data budget seeds rivals strategies difference ratios curves notes
        searches`: `rivals` are those of any search, since all have the same images; `strategies`
        are the rows of `summary.summaries`, `difference` is None or has `first second mean
        standard_error pairs is_clear`, `ratios` has a row `first other share low high n_seeds` of
        `ratio.BudgetRatio` for each strategy but the first, `curves` has by strategy the `epochs
        mean low high` that are drawn, and `searches` has a row `name strategy seed status
        fitness test_accuracy evaluations epochs seconds failures reused taken_over ended_early
        depth parameters` for each search. CSV has the rows of `strategies`.
        """
        if form == "json":
            return as_json(self._tree())
        rows = self.rows
        if form == "csv":
            return as_csv(rows, list(rows[0]))
        cells = [self._cells(row) for row in rows]
        table = as_table(cells, _COLUMNS, right=_COLUMNS[1:], width=width, spare=_SPARE)
        return "\n".join([table, "", *(filled(note, width) for note in self.notes)])

    def page(self, command: str) -> str:
        """Give the HTML page.

        Args:
            command: that made the comparison, to be shown on the page.
        """
        from vlga.report import html
        from vlga.report.figures import best_so_far_figure

        bands = {one: found for one in self.strategies if (found := self._band(one))}
        drawing = best_so_far_figure(
            bands,
            n_images=min((one["images"]["validation"] for one in self.outcomes), default=1),
            measure=self._measure,
            budget_epochs=self.config.budget.epochs,
        )
        n_seeds = number_of(len(self.seeds), "seed")
        cells = [self._cells(row) for row in self.rows]
        return html.page(
            f"{self.name}: {self._data()}, {n_seeds}, {budget_text(self.config.budget)}",
            html.table(
                [column.replace("_", " ") for column in _COLUMNS],
                [[row[column] for column in _COLUMNS] for row in cells],
            ),
            *(html.paragraph(note) for note in self.notes),
            html.paragraph(_EXPLANATION.format(measure=self._measure)),
            html.figure(drawing, _BEST_SO_FAR.format(measure=self._measure), _bands_table(bands)),
            html.paragraph("Made by:"),
            html.code(command),
            *(html.paragraph(f"On {versions}.") for versions in self._versions()),
        )

    def _tree(self) -> dict[str, Any]:
        found = difference(self.outcomes)
        left_out = ("trainings", "versions", "data", "images", "input_shape", "rivals")
        return {
            "name": self.name,
            "data": self._data(),
            "budget": self.config.budget.model_dump(exclude_none=True),
            "seeds": list(self.seeds),
            "rivals": next((one["rivals"] for one in self._with_rivals()), None),
            "strategies": self.rows,
            "difference": found and {**asdict(found), "is_clear": found.is_clear},
            "ratios": [asdict(one) for one in self.ratios],
            "curves": {
                strategy: asdict(one)
                for strategy in self.strategies
                if (one := self._band(strategy))
            },
            "notes": self.notes,
            "searches": [
                {key: value for key, value in one.items() if key not in left_out}
                for one in self.outcomes
            ],
        }

    def _caveats(self) -> Iterator[str]:
        for row in self.rows:
            finished = row["finished"]
            if row["ended_early"]:
                yield (
                    f"{row['strategy']} ended by its own rule before its budget was used in "
                    f"{row['ended_early']} of {searches_text(finished)}."
                )
            if row["taken_over"]:
                yield (
                    f"{row['strategy']} took over {number_of(row['taken_over'], 'training')} of "
                    "other searches of the database, which took no time: its seconds would be more."
                )
            if finished < len(self.seeds):
                yield (
                    f"{row['strategy']} finished only {finished} of "
                    f"{number_of(len(self.seeds), 'seed')}: the other searches failed."
                )
            if self.config.final.epochs and row["tested"] < finished:
                yield (
                    f"{row['strategy']}: {finished - row['tested']} of {finished} winners failed "
                    "in their longer training and have no test accuracy."
                )
        if self.config.fitness != "accuracy":
            yield f"Fitness is the {self._measure}."
        if self.config.data.fitness_on == "test":
            yield "Fitness was measured on the test images: no accuracy here is on unseen images."
        if len(self._versions()) > 1:
            yield "The searches ran on different versions of the software."

    def _cells(self, row: Mapping[str, Any]) -> dict[str, str]:
        """Give a row of the table as text."""
        finished, asked = row["finished"], len(self.seeds)
        return {
            "strategy": row["strategy"],
            "seeds": str(finished) if finished == asked else f"{finished} of {asked}",
            **{key: _spread(row[key], row[f"{key}_sd"]) for key in ("fitness", "test_accuracy")},
            **{key: _number(row[key]) for key in ("evaluations", "epochs", "seconds", "failures")},
            "depth": _number(row["depth"]),
            "parameters": "-" if row["parameters"] is None else count_text(row["parameters"]),
        }

    def _with_rivals(self) -> list[Mapping[str, Any]]:
        return [one for one in self.outcomes if one["rivals"] is not None]

    def _band(self, strategy: str) -> Band | None:
        return band([*self._curves()[strategy].values()])

    def _curves(self) -> dict[str, dict[int, Steps]]:
        """Give the best fitness that counts in each completed search, by strategy and seed."""
        curves: dict[str, dict[int, Steps]] = {strategy: {} for strategy in self.strategies}
        for one in self.outcomes:
            if one["status"] == "completed":
                curves[one["strategy"]][one["seed"]] = best_of_those_that_may_win(one["trainings"])
        return curves

    @property
    def _measure(self) -> str:
        return fitness_label(self.config.fitness, self.config.data.fitness_on)

    def _data(self) -> str:
        return self.outcomes[0]["data"] if self.outcomes else self.config.data.name

    def _versions(self) -> list[str]:
        """Give the versions that searches ran on, each set of them once."""
        texts = (
            ", ".join(f"{name} {version}" for name, version in one["versions"].items())
            for one in self.outcomes
        )
        return list(dict.fromkeys(texts))


def _bands_table(bands: Mapping[str, Band]) -> str:
    """Give the means after some numbers of epochs, a column a strategy."""
    from vlga.report import html

    end = max((one.epochs[-1] for one in bands.values()), default=0)
    step = math.ceil(end / _POINTS_IN_TABLE) or 1
    rows = []
    for epochs in [*range(step, end, step), *([end] if end else [])]:
        values = [
            f"{value_at([*zip(one.epochs, one.mean, strict=True)], epochs):.4f}"
            if one.epochs[0] <= epochs
            else "-"
            for one in bands.values()
        ]
        rows.append([f"{epochs:,}", *values])
    return html.table(["epochs", *bands], rows)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _spread(mean: float | None, sd: float | None) -> str:
    if mean is None:
        return "-"
    return f"{mean:.4f} ± {'-' if sd is None else f'{sd:.4f}'}"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"
