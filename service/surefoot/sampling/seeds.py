"""Seeds of single candidates, the same for every sampler, and of the requests of a run."""

from __future__ import annotations

from hashlib import blake2b


def candidate_seed(seed: int | None, index: int) -> int | None:
    """The seed of candidate `index` in a request with `seed`, within [0, 2**63); `None` stays `None`.

    A hash, not `seed + index`: with a sum the requests of seeds 1 and 2 would share all candidates but one, and
    whoever averages over seeds would average over copies.
    """
    if seed is None:
        return None
    return _hashed(f"{seed}:{index}")


def problem_seed(seed: int, problem: str) -> int:
    """The seed of a request in a run with `seed` over many problems, within [0, 2**63): the same wherever it stands."""
    return _hashed(f"{seed}:{problem}")


def _hashed(text: str) -> int:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
