"""Other systems' contracts."""

from __future__ import annotations

from typing import get_args

from surefoot.domain import Dialect
from surefoot.settings.section import Section


class DialectSettings(Section):
    """Whose requests are answered beside the native ones: `[dialects]` in the file. All are on: each asks for the same
    key, keeps to the same limits and reaches the same models as /score. Off: its paths are not there."""

    vllm: bool = True
    """vLLM's scoring: /v1/score, /v1/rerank, /v2/rerank, /classify, /pooling, and its bodies on /score and /rerank."""
    cohere: bool = True
    """Cohere's rerank under /cohere."""
    jina: bool = True
    """Jina's rerank under /jina."""
    tei: bool = True
    """Text Embeddings Inference: /predict, the same and its rerank under /tei, and its bodies on /rerank."""
    openrlhf: bool = True
    """OpenRLHF's remote reward model: /get_reward."""
    slime: bool = True
    """slime's remote reward model: /slime/reward."""
    openr: bool = True
    """openr's controller and value workers under /openr."""

    def spoken(self) -> frozenset[Dialect]:
        """The dialects that are on."""
        return frozenset(name for name in get_args(Dialect) if getattr(self, name))
