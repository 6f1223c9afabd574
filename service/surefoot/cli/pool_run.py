"""Candidate pools of a JSONL file, scored into a file of rows, one a pool, and these rows read again."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from surefoot.answers import EquivalenceJudge
from surefoot.cli.jsonl_command import Prepared
from surefoot.cli.jsonl_retry import is_retryable
from surefoot.cli.jsonl_run import Failure, Outcome
from surefoot.cli.named_model import served_card
from surefoot.cli.pool_rows import GivenPool, given_pool, judged
from surefoot.cli.score import score_rows
from surefoot.domain import Kind
from surefoot.evaluation.best_of_n_curves import Candidate
from surefoot_client import AsyncSurefootClient, ModelInfo


@dataclass(slots=True)
class PoolScoring:
    """Scores pools with a process model, by default the first, and with an outcome model if one is named.

    `models` has their names by kind once it is prepared.
    """

    process_model: str | None
    outcome_model: str | None
    judge: EquivalenceJudge
    models: dict[Kind, str] = field(default_factory=dict)

    async def prepare(self, client: AsyncSurefootClient) -> Prepared:
        """The work on a batch of pools. Raises `ModelNotFound` and `WrongKind`."""
        served = (await client.models()).models
        cards: dict[Kind, ModelInfo] = {"process": served_card(served, self.process_model, "process")}
        if self.outcome_model is not None:
            cards["outcome"] = served_card(served, self.outcome_model, "outcome")
        self.models = {kind: card.id for kind, card in cards.items()}

        async def work(items: Sequence[Mapping[str, Any]]) -> list[Outcome]:
            return await self._scored(client, [given_pool(item) for item in items])

        models = [[card.id, card.fingerprint] for card in cards.values()]
        return Prepared(work, {"verb": "evaluate best-of-n", "models": models})

    async def _scored(self, client: AsyncSurefootClient, pools: Sequence[GivenPool]) -> list[Outcome]:
        sent = [{"problem": pool.problem, "solution": given.text} for pool in pools for given in pool.candidates]
        found = {
            kind: iter(await score_rows(client, sent, {"model": name, "priority": "bulk"}))
            for kind, name in self.models.items()
        }
        outcomes: list[Outcome] = []
        for pool in pools:
            # The judge may wait for a process of its own.
            verdicts = await asyncio.to_thread(judged, pool, self.judge)
            scores = [{kind: next(results) for kind, results in found.items()} for _ in verdicts]
            outcomes.append(
                passing_failure(scores)
                or {
                    "candidates": [
                        asdict(verdict) | _said(each) for verdict, each in zip(verdicts, scores, strict=True)
                    ]
                }
            )
        return outcomes


@dataclass(frozen=True, slots=True)
class ScoredPools:
    """The pools of a file of rows, in order, and how many candidates a model could not score, by the error's code."""

    pools: list[list[Candidate]]
    unscored: Counter[str]


def read_pools(path: Path) -> ScoredPools:
    """What a whole run has written; rows that failed are left out."""
    read = ScoredPools([], Counter())
    with path.open(encoding="utf-8") as rows:
        for row in map(json.loads, rows):
            if "result" not in row:
                continue
            candidates = row["result"]["candidates"]
            read.unscored.update(code for each in candidates for code in each.pop("errors").values())
            read.pools.append([Candidate(**each) for each in candidates])
    return read


def passing_failure(scores: Sequence[Mapping[Kind, Outcome]]) -> Failure | None:
    """A failure that may pass: the pool is then to be scored again, not judged without its candidate."""
    outcomes = (outcome for each in scores for outcome in each.values())
    return next((each for each in outcomes if isinstance(each, Failure) and is_retryable(each.code)), None)


def _said(scores: Mapping[Kind, Outcome]) -> dict[str, Any]:
    """Aggregates of the step scores, the outcome model's score, and why either is not there."""
    said: dict[str, Any] = {"process": None, "outcome": None, "errors": {}}
    for kind, outcome in scores.items():
        if isinstance(outcome, Failure):
            said["errors"][kind] = outcome.code
        else:
            said[kind] = outcome["aggregations" if kind == "process" else "score"]
    return said
