"""The merged model as transformers' token classifier, which two peers call in their own ways."""

from __future__ import annotations

from typing import Any

from loadtests.comparison.peer import PeerOptions


def open_classifier(given: PeerOptions) -> Any:
    """The model, ready to be called; class 1 of a token is the probability of the step that ends there."""
    import torch
    from transformers import AutoModelForTokenClassification

    torch.set_num_threads(given.threads)
    dtype = getattr(torch, given.dtype)
    return AutoModelForTokenClassification.from_pretrained(given.classifier, dtype=dtype).eval().to(given.device)
