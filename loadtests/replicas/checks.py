"""What must be so, as ratios within a run. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from loadtests.replicas.asking import Answer
from loadtests.replicas.drains import Drained
from loadtests.replicas.pair import shares
from loadtests.replicas.ways import AFFINE, Measured
from loadtests.traffic.bench import Check
from loadtests.traffic.outcomes import counted

MOST_AWAY = 0.22
"""Of the questions, scored elsewhere than most of their problem. In turns it is 31% of four rounds: of four tosses of a
coin 2.75 fall to the side that comes more often. A client's bound on load passes on one in eight with 16 callers."""

MOST_COMPUTED = {"client": 0.95, "proxy-hash": 0.85}
"""Of the tokens that are computed where turns are taken. With affinity alone it is 0.69 here: in turns a second replica
computes a problem's text and what its candidates had before. Half of what that saves is asked for; of the client,
which passes questions on, a sixth."""

MOST_SHARE = 0.75
"""Of the requests, at one replica. Which of two a problem has is a fair coin: of 48 problems more than three quarters
fall to one side once in 3,000 runs."""

LEAST_KEPT, LEAST_RETURNED, LEAST_KNOWN = 1.0, 1.0, 0.9

SAME_WITHIN = {"bfloat16": 0.0, "float32": 1e-5}
"""By how much a score may differ alone, in company and from a cache, by the type that is computed in, on a CPU: ADR
0028. The fakes' are the same."""


def checks_of_way(measured: Measured, turns: Measured | None, *, keeps_states: bool) -> list[Check]:
    """Of one way; `turns` is the way without affinity, where it was measured, and `keeps_states` whether the replicas
    have a prefix cache."""
    found = [*sound(measured.answers), _nothing_refused(measured.answers)]
    given = sum(answer.given for answer in measured.answers)
    found.append(
        Check(
            "tokens that replicas counted", f"{measured.tokens.prompt:,}", f"{given:,}", measured.tokens.prompt == given
        )
    )
    if measured.name not in AFFINE:
        return found
    most = max(shares(answer.place for answer in measured.answers))
    found += [
        Check("share of the busier replica", f"{most:.0%}", f"at most {MOST_SHARE:.0%}", most <= MOST_SHARE),
        Check(
            "scored away from its problem",
            f"{measured.away:.0%}",
            f"at most {MOST_AWAY:.0%}",
            measured.away <= MOST_AWAY,
        ),
    ]
    if turns is not None and keeps_states:
        ratio = measured.computed / max(1, turns.computed)
        bound = MOST_COMPUTED[measured.name]
        wanted = f"at most {bound:g} of those in turns"
        found.append(Check("tokens computed", f"{ratio:.2f}", wanted, 0 < ratio <= bound))
    return found


def same_scores(ways: Sequence[Measured], dtype: str) -> list[Check]:
    """Whoever scored a candidate, and whatever was known there, it has the same scores by every way."""
    first, found = ways[0], []
    within = SAME_WITHIN[dtype]
    wanted = f"at most {within:g} in {dtype}"
    for other in ways[1:]:
        both = first.scores.keys() & other.scores.keys()
        pairs = [
            abs(one - two)
            for key in both
            for ours, theirs in zip(first.scores[key], other.scores[key], strict=True)
            for one, two in zip(ours, theirs, strict=True)
        ]
        largest = max(pairs, default=float("nan"))
        name = f"largest difference of {len(pairs):,} scores, {first.name} and {other.name}"
        found.append(Check(name, f"{largest:g}", wanted, largest <= within))
    return found


def checks_of_drain(drained: Drained, *, keeps_states: bool) -> list[Check]:
    """Of a replica that left and came back."""
    found = [
        *sound(drained.answers),
        _nothing_refused(drained.answers),
        Check("exit status", str(drained.status), "0", drained.status == 0),
        _at_least("its own problems stayed with who stayed", drained.kept, LEAST_KEPT),
        _at_least("problems of who left, back with it", drained.returned, LEAST_RETURNED),
    ]
    if keeps_states:
        known, before = drained.known(drained.without), drained.known(drained.before)
        name = "known tokens of who stayed, of its own problems"
        wanted = f"at least {LEAST_KNOWN:g} times {before:.0%}, as before"
        found.append(Check(name, f"{known:.0%}", wanted, 0 < LEAST_KNOWN * before <= known))
    return found


def sound(answers: Sequence[Answer]) -> list[Check]:
    """Nothing may be lost, and nothing done twice."""
    outcomes = [answer.outcome for answer in answers]
    counts = counted(outcomes)
    said = sorted({each.said for each in outcomes if each.fate == "lost"})
    lost = f"{counts.lost} ({'; '.join(said[:3])})" if said else str(counts.lost)
    # Without a place an answer would pass all that is asked of places.
    placed = sum(answer.place >= 0 for answer in answers if answer.outcome.fate == "answered")
    answered = counts.answered - counts.failed
    return [
        Check("in the replicas' logs", f"{placed:,}", f"all {answered:,}", placed == answered),
        Check("lost", lost, "0", counts.lost == 0),
        Check("doubled", str(counts.doubled), "0", counts.doubled == 0),
    ]


def _nothing_refused(answers: Sequence[Answer]) -> Check:
    counts = counted(answer.outcome for answer in answers)
    is_met = counts.answered == counts.sent > 0
    return Check("answered with scores", f"{counts.answered:,}", f"all {counts.sent:,}", is_met)


def _at_least(name: str, measured: float, least: float) -> Check:
    return Check(name, f"{measured:.0%}", f"at least {least:.0%}", measured >= least)
