"""Which of the paper's findings appear in a grid: told from its numbers, each with the numbers that it is told from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from surefoot.evaluation.weak_supervision import Spread, spread
from surefoot.experiments.weak_to_strong.plan import Scheme, is_depth
from surefoot.experiments.weak_to_strong.results import SeedResult, StudentResult

Verdict = Literal["appears", "the opposite appears", "within the spread", "not measured"]

REWARD_TASKS = ("steps", "outcome", "preference")


@dataclass(frozen=True, slots=True)
class Finding:
    """What the paper reports, whether it is seen here, and the mean difference behind that, with how many there are."""

    claim: str
    verdict: Verdict
    told_from: str
    difference: Spread | None


def findings(found: Sequence[StudentResult]) -> list[Finding]:
    """All that can be held against the paper; a pair whose supervisor and ceiling are too near tells nothing."""
    clear = [each for each in found if each.is_clear]
    naive = [each for each in clear if each.scheme == "naive"]
    made = [
        _finding(
            "Students that learn weak labels are better than their supervisors",
            "student's accuracy less the supervisor's, naive",
            [seed.student["last"] - seed.weak for each in naive for seed in each.seeds],
        ),
        _finding(
            "They do not reach what they could do with the truth",
            "ceiling's accuracy less the naive student's",
            [seed.ceiling - seed.student["last"] for each in naive for seed in each.seeds],
        ),
        *(_against_naive(clear, scheme, claim) for scheme, claim in _SCHEMES),
        _finding(
            "Students agree with their supervisors more where these are right than where they are wrong",
            "agreement where right less where wrong, naive",
            [
                seed.agreement.where_right - seed.agreement.where_wrong
                for each in naive
                for seed in each.seeds
                if seed.agreement.where_right is not None and seed.agreement.where_wrong is not None
            ],
        ),
        _finding(
            "The confidence loss lowers agreement with the supervisor's errors",
            "naive student's agreement where the supervisor is wrong less the confident one's",
            _by_seed(clear, "naive", "confidence", lambda seed: seed.agreement.where_wrong),
        ),
        _finding(
            "Students overfit the weak labels within the training",
            # Not the best on the test items, which is above the last by chance too.
            "accuracy at the best true validation less at the end, naive",
            [seed.student["true"] - seed.student["last"] for each in naive for seed in each.seeds],
        ),
        _finding(
            "Stopping by the truth helps more than stopping by the weak labels",
            "accuracy at the best true validation less at the best weak one, naive",
            [seed.student["true"] - seed.student["weak"] for each in naive for seed in each.seeds],
        ),
    ]
    return [*made, _with_gap(naive), _reward_models_recover_less(naive)]


_SCHEMES: Sequence[tuple[Scheme, str]] = (
    ("confidence", "The auxiliary confidence loss makes students better"),
    ("bootstrap", "Bootstrapping through intermediate sizes makes students better"),
    ("probe", "A linear probe generalizes better than fine-tuning"),
    ("language", "Learning to write the task's text first makes students better"),
)


def told(differences: Sequence[float]) -> Verdict:
    """From differences over pairs and seeds: told where the mean is further from 0 than twice its standard error, of
    two differences at least."""
    if len(differences) < 2:
        return "not measured"
    found = spread(differences)
    if abs(found.mean) <= 2 * found.deviation / found.count**0.5:
        return "within the spread"
    return "appears" if found.mean > 0 else "the opposite appears"


def _finding(claim: str, told_from: str, differences: Sequence[float]) -> Finding:
    return Finding(claim, told(differences), told_from, spread(differences) if differences else None)


def _against_naive(clear: Sequence[StudentResult], scheme: Scheme, claim: str) -> Finding:
    return _finding(
        claim,
        f"accuracy under {scheme} less the naive student's",
        _by_seed(clear, scheme, "naive", lambda seed: seed.student["last"]),
    )


def _by_seed(
    found: Sequence[StudentResult], first: Scheme, second: Scheme, value: Callable[[SeedResult], float | None]
) -> list[float]:
    """Differences of a value between two schemes, for every pair and seed that has both."""
    pairs = (_both(found, each, second) for each in found if each.scheme == first)
    values = [(value(left), value(right)) for both in pairs for left, right in both]
    return [left - right for left, right in values if left is not None and right is not None]


def _both(
    found: Sequence[StudentResult], first: StudentResult, second: Scheme
) -> Iterator[tuple[SeedResult, SeedResult]]:
    for other in found:
        if (other.task, other.pair, other.scheme) == (first.task, first.pair, second):
            seeds = {each.seed: each for each in other.seeds}
            yield from ((each, seeds[each.seed]) for each in first.seeds if each.seed in seeds)


def _with_gap(naive: Sequence[StudentResult]) -> Finding:
    """Pairs of one task whose students have one size and whose supervisors have two."""
    differences = [
        near.pgr_of_means - far.pgr_of_means
        for near in naive
        for far in naive
        if (near.task, near.pair.strong) == (far.task, far.pair.strong)
        and is_depth(near.pair.weak)
        and is_depth(far.pair.weak)
        and int(near.pair.weak) > int(far.pair.weak)
        and near.pgr_of_means is not None
        and far.pgr_of_means is not None
    ]
    return _finding(
        "Less of the gap is recovered from a smaller supervisor (as in chess)",
        "PGR with the larger supervisor less with the smaller one, naive",
        differences,
    )


def _reward_models_recover_less(naive: Sequence[StudentResult]) -> Finding:
    rewards = [each for each in naive if each.task in REWARD_TASKS]
    others = [each for each in naive if each.task not in REWARD_TASKS]
    differences = [
        (other.pgr_of_means or 0.0) - (reward.pgr_of_means or 0.0)
        for other in others
        for reward in rewards
        if other.pair == reward.pair
    ]
    return _finding(
        "Less is recovered in reward modelling than in the classification of texts",
        "PGR of text tasks less of reward tasks, same pair, naive",
        differences,
    )
