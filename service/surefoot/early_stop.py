"""When a vote may end early: the leading answer would stay first with the asked confidence.

The rule is the Beta criterion of Adaptive-Consistency (Aggarwal et al. 2023, "Let's Sample Step by Step",
arXiv 2305.11860). Of the leader's share p among the votes for the two first answers the posterior, from a uniform
prior, is Beta(v1 + 1, v2 + 1); the confidence is

    P(p > 1/2) = I_{1/2}(v2 + 1, v1 + 1)

with I the regularised incomplete beta function. Unequal weights count as Kish's effective number of equal votes:
with the weights w_i of all votes, an answer of total weight W_c has v_c = W_c * sum(w_i) / sum(w_i^2), which is its
count where all weights are equal and never more than one vote for a lone heavy one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_MAX_TERMS = 10_000
_PRECISION = 1e-14
_TINY = 1e-300


@dataclass(frozen=True, slots=True)
class EarlyStop:
    """Stop once the lead is safe with `confidence` in (1/2, 1), but never before `min_n` candidates count."""

    confidence: float = 0.95
    min_n: int = 4


@dataclass(frozen=True, slots=True)
class Ballot:
    """One candidate's vote: the number of its class of equivalent answers, and its weight, 0 or more."""

    answer_group: int
    weight: float


def should_stop(ballots: Sequence[Ballot], num_candidates: int, num_planned: int, rule: EarlyStop) -> bool:
    """Whether drawing may end after `num_candidates` of `num_planned`, of which those with an answer voted."""
    if num_candidates < rule.min_n or num_candidates >= num_planned:
        return False
    return lead_confidence(ballots) >= rule.confidence


def lead_confidence(ballots: Sequence[Ballot]) -> float:
    """The probability, in [1/2, 1], that the answer in front is the likelier of the two first."""
    first, second, *_ = [*sorted(effective_counts(ballots).values(), reverse=True), 0.0, 0.0]
    return regularised_incomplete_beta(second + 1.0, first + 1.0, 0.5)


def effective_counts(ballots: Sequence[Ballot]) -> dict[int, float]:
    """Effective votes by answer group; they do not change when all weights are multiplied by one number."""
    heaviest = max((ballot.weight for ballot in ballots), default=0.0)
    if heaviest <= 0.0:
        return dict.fromkeys((ballot.answer_group for ballot in ballots), 0.0)
    shares: dict[int, list[float]] = {}
    for ballot in ballots:
        # Divided first, because squares of very small weights would vanish.
        shares.setdefault(ballot.answer_group, []).append(ballot.weight / heaviest)
    flat = [share for group in shares.values() for share in group]
    scale = math.fsum(flat) / math.fsum(share * share for share in flat)
    return {group: scale * math.fsum(members) for group, members in shares.items()}


def regularised_incomplete_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b) for a, b > 0 and 0 <= x <= 1, by its continued fraction (DLMF 8.17.22).

    Raises `ValueError` outside that domain.
    """
    if not (a > 0 and b > 0 and 0 <= x <= 1):
        raise ValueError("I_x(a, b) needs a > 0, b > 0 and 0 <= x <= 1")
    if x in (0.0, 1.0):
        return x
    if x > (a + 1) / (a + b + 2):
        # The fraction converges fast on one side of the mean only.
        return 1.0 - _lower_tail(b, a, 1.0 - x)
    return _lower_tail(a, b, x)


def _lower_tail(a: float, b: float, x: float) -> float:
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return min(1.0, math.exp(log_front) * _continued_fraction(a, b, x) / a)


def _continued_fraction(a: float, b: float, x: float) -> float:
    """1/(1 + d1/(1 + d2/(1 + ...))) by the modified Lentz method."""
    numerator, denominator, value = 1.0, 0.0, 1.0
    for term in range(1, _MAX_TERMS):
        m, is_odd = divmod(term, 2)
        if is_odd:
            coefficient = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            coefficient = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        denominator = 1.0 / _away_from_zero(1.0 + coefficient * denominator)
        numerator = _away_from_zero(1.0 + coefficient / numerator)
        value *= numerator * denominator
        if abs(numerator * denominator - 1.0) < _PRECISION:
            break
    return 1.0 / value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
