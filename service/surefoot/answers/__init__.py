"""Final answers of solutions: finding them, and telling which of them mean the same."""

from surefoot.answers.canonical import canonical_key
from surefoot.answers.equivalence import EquivalenceJudge, group_answers
from surefoot.answers.extraction import extract_answer
from surefoot.answers.worker import MathVerifyJudge

__all__ = ["EquivalenceJudge", "MathVerifyJudge", "canonical_key", "extract_answer", "group_answers"]
