"""Generative verifiers: a critique of a solution is written first, and its verdict is what is read."""

from surefoot.generative.drawing import CritiqueSource
from surefoot.generative.scorer import GenerativeScorer

__all__ = ["CritiqueSource", "GenerativeScorer"]
