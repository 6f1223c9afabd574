"""The parts of an evaluation report, each scored into its own file beside the report and measured from there."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from surefoot.answers import EquivalenceJudge
from surefoot.cli.jsonl_command import FileRun
from surefoot.cli.jsonl_progress import show_summary, shown_progress
from surefoot.cli.labelled_run import LABELLED_ROW
from surefoot.cli.pool_form import share_well_formed
from surefoot.cli.pool_rows import POOL_ROW
from surefoot.cli.pool_run import PoolScoring, read_pools
from surefoot.cli.report_scoring import (
    LabelledScoring,
    ReportModels,
    SystemScoring,
    read_labelled,
    read_systems,
    system_row,
    systems_of,
)
from surefoot.errors import LabelsDegenerate
from surefoot.evaluation.best_of_n_curves import curves, sizes_up_to
from surefoot.evaluation.best_of_n_plot import draw_curves
from surefoot.evaluation.best_of_n_report import curve_table, headline, report_json
from surefoot.evaluation.report_labelled import labelled_section, measure_labelled
from surefoot.evaluation.report_page import Figure, Section
from surefoot.evaluation.report_plots import draw_confusions, draw_intervals, draw_step_groups
from surefoot.evaluation.report_systems import RANDOM, measure_systems, systems_section
from surefoot.evaluation.scored_solution import SCORERS
from surefoot_client import AsyncSurefootClient

Draw = Callable[[Sequence[Path]], None]


@dataclass(frozen=True, slots=True)
class Part:
    """A section, the same as JSON, its pictures by name, and how many rows failed."""

    section: Section
    measures: Mapping[str, Any]
    pictures: Mapping[str, Draw]
    num_failed: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the parts share; `words` begin the command that makes them again."""

    out: Path
    models: ReportModels
    connect: Callable[[], AbstractAsyncContextManager[AsyncSurefootClient]]
    judge: EquivalenceJudge
    console: Console
    words: Sequence[str]
    seed: int
    batch_size: int
    concurrency: int
    overwrite: bool
    retry_failed: bool

    def labelled(self, source: Path) -> Part:
        """Steps, first errors and whole solutions."""
        scores, facts, num_failed = self._score(source, "labelled", LABELLED_ROW, LabelledScoring(self.models).prepare)
        solutions = read_labelled(scores)
        if not solutions:
            raise LabelsDegenerate("--labelled: no row could be scored")
        measures = measure_labelled(solutions, self.models.cards["process"].threshold or 0.5)
        pictures: dict[str, Draw] = {"steps": partial(draw_step_groups, measures.families)}
        if measures.first_errors:
            pictures["confusion"] = partial(draw_confusions, measures.first_errors)
        section = labelled_section(measures, facts, self._command("--labelled", source))
        return Part(section, facts | asdict(measures), pictures, num_failed)

    def systems(self, source: Path) -> Part:
        """Balanced pairs, and the choice among the systems."""
        names = systems_of(source)
        scoring = SystemScoring(self.models, self.judge)
        scores, facts, num_failed = self._score(source, "systems", system_row(names), scoring.prepare)
        data = read_systems(scores, names)
        if not data.solutions:
            raise LabelsDegenerate("--systems: no row could be scored")
        measures = measure_systems(data, self.seed)
        pairs = {SCORERS[scorer].title: found.mean for scorer, found in measures.pairs.items()}
        chance, label = measures.choices[RANDOM].value, "problems whose chosen solution is right"
        pictures: dict[str, Draw] = {"choices": partial(draw_intervals, measures.choices, label, chance)}
        if pairs:
            pictures["pairs"] = partial(draw_intervals, pairs, "right solution scores higher than the wrong one", 0.5)
        section = systems_section(measures, facts, self._command("--systems", source))
        return Part(section, facts | asdict(measures), pictures, num_failed)

    def pools(self, source: Path, number: int) -> Part:
        """Accuracy against N; `number` counts the files of pools from 1."""
        cards = self.models
        name = f"pools-{number}"
        scoring = PoolScoring(cards.process, cards.outcome, self.judge)

        async def prepare(client: AsyncSurefootClient) -> Any:
            await cards.find(client)
            return await scoring.prepare(client)

        scores, facts, num_failed = self._score(source, name, POOL_ROW, prepare)
        scored = read_pools(scores)
        largest = min(map(len, scored.pools), default=1)
        form = share_well_formed(source)
        facts |= {
            "pools": len(scored.pools),
            "well_formed_candidates": "unknown" if form is None else f"{form:.1%}",
            "candidates_not_scored": dict(sorted(scored.unscored.items())),
        }
        with shown_progress(self.console, 0, len(scored.pools)) as advance:
            found = curves(scored.pools, sizes_up_to(largest), self.seed, advance)
        command = self._command("--pools", source)
        note = "After ± the standard deviation from draw to draw; it says nothing of how other problems would do.\n"
        section = Section(
            f"Pools: {source.name}",
            headline(found),
            facts,
            command,
            f"{curve_table(found)}\n{note}",
            (Figure(name, "Accuracy against N"),),
        )
        draw = partial(draw_curves, found, f"{headline(found)}, {len(scored.pools)} problems")
        return Part(section, report_json(found, facts), {name: draw}, num_failed)

    def _score(self, source: Path, name: str, shape: Any, prepare: Any) -> tuple[Path, dict[str, Any], int]:
        """The file of scores, what is said of it, and how many rows failed."""
        scores = self.out / f"{name}.scores.jsonl"
        self.console.print(f"{source} -> {scores}", markup=False)
        summary = FileRun(
            source,
            scores,
            self.overwrite,
            self.retry_failed,
            False,
            self.batch_size,
            self.concurrency,
            shape,
            self.connect,
            prepare,
        ).complete(self.console)
        show_summary(self.console, summary)
        facts: dict[str, Any] = {"data": source.name, "rows": summary["rows"], "failed_rows": summary["failed"]}
        for kind, card in self.models.cards.items():
            facts[f"{kind}_model"] = f"{card.id}, profile {card.profile}, fingerprint {card.fingerprint}"
            if card.notice is not None:
                facts[f"{kind}_model_notice"] = card.notice
        return scores, facts, summary["failed"]

    def _command(self, option: str, source: Path) -> str:
        return shlex.join([*self.words, option, str(source), "--seed", str(self.seed), "-o", "DIR"])
