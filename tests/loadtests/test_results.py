"""What is reported is what was measured."""

from dataclasses import replace

import pytest
from loadtests.comparison.results import Measured, markdown, work_of
from loadtests.comparison.roofline import ModelShape
from loadtests.comparison.token_inputs import TokenCounts, counted

SHAPE = ModelShape(hidden=8, layers=1, heads=2, key_heads=1, head_dim=4, inner=16)


def wave(*candidates: list[int]) -> list[dict]:
    return [{"candidates": [{"token_ids": tokens} for tokens in candidates]}]


def test_distinct_prefixes_are_counted_within_a_wave_and_over_all() -> None:
    waves = [wave([1, 2, 3], [1, 2, 4], [1, 2, 4]), wave([1, 2, 3, 5])]
    assert counted(waves) == TokenCounts(full=13, unique=8, new=5)


def test_work_is_that_of_distinct_tokens_at_their_depths() -> None:
    found = work_of([wave([1, 2, 3], [1, 2, 4], [1, 2, 4])], SHAPE)
    assert found == 4 * SHAPE.flops_per_token + sum(SHAPE.attention_flops(depth) for depth in (1, 2, 3, 3))


def measured(peer: str, *seconds: float) -> Measured:
    return Measured("W1", peer, seconds, (0.1, 0.2), 0.0, 500.0, 100, TokenCounts(10_000, 4_000, 3_000), 1e9)


def test_the_table_gives_medians_ranges_and_ratios() -> None:
    table = markdown([measured("surefoot", 1.0, 2.0, 3.0), measured("one_by_one", 5.0, 6.0, 8.0)], roofline=1e9)
    assert "100 candidates, 10,000 tokens, 4,000 distinct in their wave, 3,000 that no wave before had" in table
    assert "| surefoot | 2.00 (1.00–3.00) | 50.0 | 5,000 | – | 50% |" in table
    assert "| one_by_one | 6.00 (5.00–8.00) | 16.7 |" in table
    assert "3.00 times as fast" in table


def test_what_a_peer_does_beside_its_passes_is_told() -> None:
    served = replace(measured("surefoot", 2.0, 3.0, 5.0), forward_s=(1.8, 2.5, 4.9))
    table = markdown([served, measured("one_by_one", 5.0, 6.0, 8.0)], roofline=1e9)
    assert "surefoot: 0.20 of 3.00 s outside its forward passes." in table
    assert "one_by_one:" not in table


def test_latencies_are_read_at_their_quantiles() -> None:
    each = Measured("W3", "a", (1.0,), tuple(range(100)), 0.0, 1.0, 1, TokenCounts(1, 1, 1), 1.0)
    assert [each.latency(share) for share in (0.5, 0.95, 0.99)] == pytest.approx([50, 95, 99])
