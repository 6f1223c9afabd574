"""Seeds of candidates: repeatable, apart from each other, within what engines take."""

from hypothesis import given
from hypothesis import strategies as st

from surefoot.sampling.seeds import candidate_seed

SEEDS = st.integers(0, 2**63 - 1)


def test_no_seed_stays_no_seed() -> None:
    assert candidate_seed(None, 3) is None


def test_a_seed_is_pinned_so_that_samples_stay_repeatable_over_versions() -> None:
    assert candidate_seed(1, 0) == 2964727883954193085


@given(SEEDS, st.integers(0, 10_000))
def test_seeds_fit_a_signed_64_bit_integer(seed: int, index: int) -> None:
    assert 0 <= candidate_seed(seed, index) < 2**63


def test_neighbouring_seeds_share_no_candidate() -> None:
    seeds = [candidate_seed(seed, index) for seed in range(100) for index in range(100)]
    assert len(set(seeds)) == len(seeds)
