"""Seeds of single candidates, the same for every sampler."""

from __future__ import annotations

from hashlib import blake2b


def candidate_seed(seed: int | None, index: int) -> int | None:
    """The seed of candidate `index` in a request with `seed`, within [0, 2**63); `None` stays `None`.

    A hash, not `seed + index`: with a sum the requests of seeds 1 and 2 would share all candidates but one, and
    whoever averages over seeds would average over copies.
    """
    if seed is None:
        return None
    digest = blake2b(f"{seed}:{index}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
