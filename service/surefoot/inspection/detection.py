"""Which built-in profiles can read a checkpoint. What is ambiguous is asked for, never guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from surefoot.inspection.contents import Contents
from surefoot.inspection.findings import RULES, Finding, finding_of
from surefoot.inspection.profile_checks import check_profile
from surefoot.ports import Tokenizer
from surefoot.profiles import load_profile

Verdict = Literal["one", "several", "none"]
"""`several`: which of the candidates is meant cannot be seen, even where a single built-in one is left, since the
model may need a profile of its user's own."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A profile, the sentence that says when to choose it, and what in the checkpoint speaks for and against it."""

    profile: str
    choose: str
    reasons_for: tuple[str, ...]
    reasons_against: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Detection:
    """`seen` is the finding's sentence, or what was looked for; `question` what the candidates cannot be told apart by;
    `ruled_out` holds profiles for such checkpoints that cannot read this one."""

    verdict: Verdict
    finding: Finding | None
    seen: str
    question: str | None
    candidates: tuple[Candidate, ...]
    ruled_out: tuple[Candidate, ...]


def detect(contents: Contents, tokenizer: Tokenizer | None) -> Detection:
    """The profiles that read such a checkpoint, each held against this one."""
    finding = finding_of(contents)
    if finding is None:
        looked_for = "; ".join(rule.seen for rule in RULES.values())
        return Detection("none", None, f"none of what was looked for: {looked_for}", None, (), ())
    rule = RULES[finding]
    judged = [_judge(contents, tokenizer, name, choose) for name, choose in rule.profiles.items()]
    candidates = tuple(candidate for candidate, fits in judged if fits)
    ruled_out = tuple(candidate for candidate, fits in judged if not fits)
    verdict: Verdict = (
        "none" if not candidates else "one" if rule.question is None and len(candidates) == 1 else "several"
    )
    return Detection(verdict, finding, rule.seen, rule.question, candidates, ruled_out)


def _judge(contents: Contents, tokenizer: Tokenizer | None, name: str, choose: str) -> tuple[Candidate, bool]:
    checks = check_profile(contents, load_profile(name), tokenizer)
    candidate = Candidate(
        name,
        choose,
        tuple(check.message for check in checks if check.status == "ok"),
        tuple(check.message for check in checks if check.status != "ok"),
    )
    return candidate, all(check.status != "error" for check in checks)
