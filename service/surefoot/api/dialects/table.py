"""Which dialects there are, by the name that switches them on and off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import APIRouter

from surefoot.api.dialects import classify, cohere, jina, openr, openrlhf, pooling, slime, tei, vllm_pairs
from surefoot.domain import Dialect

ROUTERS: Mapping[Dialect, Sequence[APIRouter]] = {
    "vllm": (vllm_pairs.router, classify.router, pooling.router),
    "cohere": (cohere.router,),
    "jina": (jina.router,),
    "tei": (tei.router,),
    "openrlhf": (openrlhf.router,),
    "slime": (slime.router,),
    "openr": (openr.router,),
}
