"""Implicit rewards: sums of log p - log p_ref over a solution's tokens, held against plain forward passes."""

import pytest
import torch
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forwarded import rows_of
from surefoot.backends.log_ratio_backend import LogRatioBackend, check_same_vocabulary, token_log_probabilities
from surefoot.domain import ForwardItem, RenderedInput
from surefoot.errors import SettingsInvalid
from surefoot.modeling.checkpoint import load_checkpoint
from surefoot.modeling.packed_attention import PACKED_ATTENTION
from surefoot.modeling.tokenizer import HfTokenizer

TOKENS = tuple(range(30, 70))


def load(directory):
    return load_checkpoint(directory, "causal_lm", dtype="float32", device="cpu", attention=PACKED_ATTENTION)


@pytest.fixture(scope="module")
def directories(tiny):
    return tiny("llama"), tiny("qwen2", seed=1)


@pytest.fixture(scope="module")
def backend(directories) -> LogRatioBackend:
    return LogRatioBackend("tiny", *map(load, directories))


@pytest.fixture(scope="module")
def formula(directories):
    """Σ over i in [start, t] of log p(token i | before it) - log p_ref, by one plain pass of each model."""
    models = [transformers.AutoModelForCausalLM.from_pretrained(path).eval() for path in directories]

    def sums(tokens, start: int, positions) -> list[float]:
        with torch.inference_mode():
            own, other = (model(torch.tensor([tokens])).logits[0].double().log_softmax(-1) for model in models)
        ratios = [float(own[i - 1, tokens[i]] - other[i - 1, tokens[i]]) if i else 0.0 for i in range(len(tokens))]
        return [sum(ratios[start : position + 1]) for position in positions]

    return sums


def item(*positions: int, start: int = 10, tokens: tuple[int, ...] = TOKENS) -> ForwardItem:
    return ForwardItem(RenderedInput(tokens, positions, start), "any")


def column(rows) -> list[float]:
    return [value for (value,) in rows]


@pytest.mark.parametrize("start", [1, 10, 39])
def test_rows_are_the_cumulative_log_ratio(backend, formula, start: int) -> None:
    positions = tuple(range(start, 40))
    (rows,) = rows_of(backend.forward([item(*positions, start=start)]))
    assert column(rows) == pytest.approx(formula(TOKENS, start, positions), abs=1e-4)


def test_the_first_token_of_the_solution_counts(backend, formula) -> None:
    (rows,) = rows_of(backend.forward([item(10, start=10)]))
    assert column(rows) == pytest.approx(formula(TOKENS, 10, [10]), abs=1e-5)
    assert abs(column(rows)[0]) > 1e-2


def test_the_token_at_the_position_counts(backend, formula) -> None:
    (rows,) = rows_of(backend.forward([item(20, 21)]))
    at, after = column(rows)
    assert after - at == pytest.approx(formula(TOKENS, 21, [21])[0], abs=1e-4)


def test_the_first_token_of_an_input_is_predicted_by_nothing(backend) -> None:
    (rows,) = rows_of(backend.forward([item(0, 5, start=0)]))
    (from_second,) = rows_of(backend.forward([item(5, start=1)]))
    assert column(rows) == pytest.approx([0.0, *column(from_second)])


def test_tokens_after_the_last_position_do_not_matter(backend) -> None:
    whole, cut = rows_of(backend.forward([item(20), item(20, tokens=TOKENS[:21])]))
    assert column(whole) == pytest.approx(column(cut), abs=1e-4)


@given(lengths=st.lists(st.integers(2, 60), min_size=1, max_size=5))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_alone_equals_in_a_batch(backend, lengths: list[int]) -> None:
    batch = [
        item(length // 2, length - 1, start=length // 2, tokens=tuple(range(20, 20 + length))) for length in lengths
    ]
    for one, together in zip(batch, rows_of(backend.forward(batch)), strict=True):
        assert column(together) == pytest.approx(column(rows_of(backend.forward([one]))[0]), abs=1e-4)


def test_input_without_positions_gets_no_rows(backend) -> None:
    assert rows_of(backend.forward([item(20), item(), item(30)]))[1] == ()


def test_a_batch_without_any_position_gets_no_rows(backend) -> None:
    assert rows_of(backend.forward([item(), item()])) == [(), ()]


def test_plain_rows_equal_the_served_ones(backend) -> None:
    (served,) = rows_of(backend.forward([item(12, 39)]))
    assert column(backend.plain_rows(item(12, 39))) == pytest.approx(column(served), abs=1e-4)


def test_a_model_against_itself_is_zero(tiny) -> None:
    (rows,) = rows_of(LogRatioBackend("same", load(tiny("llama")), load(tiny("llama"))).forward([item(20, 39)]))
    assert rows == ((0.0,), (0.0,))


def test_limit_is_the_smaller_of_both_models(tiny) -> None:
    long, short = load(tiny("llama")), load(tiny("qwen2", max_position_embeddings=512))
    assert LogRatioBackend("tiny", long, short, max_input_tokens=4096).max_input_tokens == 512


class Counting:
    """A head that remembers the most rows that it was given at once."""

    def __init__(self, columns: int) -> None:
        self.weight = torch.randn(columns, 8, generator=torch.Generator().manual_seed(0))
        self.most_rows = 0

    def __call__(self, hidden: torch.Tensor) -> torch.Tensor:
        self.most_rows = max(self.most_rows, len(hidden))
        return hidden @ self.weight.T


@pytest.mark.parametrize(("most_logits", "rows"), [(1, 1), (100, 10), (10**6, 37)])
def test_logits_at_once_are_bounded(most_logits: int, rows: int) -> None:
    head, random = Counting(10), torch.Generator().manual_seed(1)
    hidden, tokens = torch.randn(37, 8, generator=random), torch.randint(0, 10, (37,), generator=random)
    found = token_log_probabilities(head, hidden, tokens, most_logits=most_logits)
    expected = (hidden @ head.weight.T).log_softmax(-1)[torch.arange(37), tokens]
    assert torch.allclose(found, expected, atol=1e-6)
    assert head.most_rows == rows


def test_the_same_vocabulary_is_accepted(tiny) -> None:
    check_same_vocabulary(*(HfTokenizer.from_directory(tiny(family)) for family in ("llama", "qwen2")))


def test_another_vocabulary_is_refused(tiny) -> None:
    own, other = (HfTokenizer.from_directory(tiny(family)) for family in ("llama", "math-shepherd"))
    with pytest.raises(SettingsInvalid, match=r"another vocabulary: \d+ of the \d+ tokens") as caught:
        check_same_vocabulary(own, other)
    assert caught.value.param == "reference_path"
