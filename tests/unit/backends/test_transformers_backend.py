"""The backend in process: named heads on one checkpoint, values at the positions asked for, in the order asked."""

import logging

import pytest
import torch

from forwarded import rows_of
from surefoot.backends.transformers_backend import TransformersBackend
from surefoot.domain import ForwardItem, RenderedInput
from surefoot.errors import SettingsInvalid
from surefoot.modeling.checkpoint import Checkpoint, load_checkpoint
from surefoot.modeling.heads import LinearHead, contrast_head
from surefoot.modeling.packed_attention import PACKED_ATTENTION

TOKENS = tuple(range(30, 70))


def load(directory) -> Checkpoint:
    return load_checkpoint(directory, "causal_lm", dtype="float32", device="cpu", attention=PACKED_ATTENTION)


def backend_on(directory, **options) -> TransformersBackend:
    checkpoint = load(directory)
    backend = TransformersBackend("tiny", checkpoint, **options)
    backend.add_head("pair", contrast_head(checkpoint.model, [1, 2]))
    backend.add_head("single", contrast_head(checkpoint.model, [2]))
    return backend


@pytest.fixture(scope="module")
def backend(tiny) -> TransformersBackend:
    return backend_on(tiny("llama"))


def item(*positions: int, head: str = "pair", tokens: tuple[int, ...] = TOKENS) -> ForwardItem:
    return ForwardItem(RenderedInput(tokens, positions), head)


def test_one_row_per_position_and_one_column_per_output(backend: TransformersBackend) -> None:
    (rows,) = rows_of(backend.forward([item(0, 5, 39)]))
    assert [len(row) for row in rows] == [2, 2, 2]


def test_item_without_positions_gets_no_rows(backend: TransformersBackend) -> None:
    assert rows_of(backend.forward([item(3), item(), item(4)]))[1] == ()


def test_rows_belong_to_their_positions(backend: TransformersBackend) -> None:
    ((first,), (last,)) = rows_of(backend.forward([item(5), item(39)]))
    assert rows_of(backend.forward([item(5, 39)]))[0] == pytest.approx((pytest.approx(first), pytest.approx(last)))


def test_later_tokens_do_not_change_a_row(backend: TransformersBackend) -> None:
    whole, cut = rows_of(backend.forward([item(9), item(9, tokens=TOKENS[:10])]))
    assert whole[0] == pytest.approx(cut[0], abs=1e-5)


def test_heads_may_be_mixed_in_a_batch(backend: TransformersBackend) -> None:
    pair, single = rows_of(backend.forward([item(7), item(7, head="single")]))
    assert single[0] == pytest.approx(pair[0][1:], abs=1e-5)


def test_unknown_head_is_a_key_error(backend: TransformersBackend) -> None:
    with pytest.raises(KeyError, match="nowhere"):
        backend.forward([item(1, head="nowhere")])


def test_a_name_is_taken_once(tiny) -> None:
    backend = backend_on(tiny("llama"))
    with pytest.raises(SettingsInvalid, match="'pair'"):
        backend.add_head("pair", LinearHead(torch.zeros(2, 64)))


def test_a_head_that_is_let_go_of_is_no_longer_read(tiny) -> None:
    backend = backend_on(tiny("llama"))
    backend.remove_head("pair")
    with pytest.raises(KeyError, match="pair"):
        backend.forward([item(1)])


def test_a_head_that_is_let_go_of_during_a_pass_is_read_to_its_end(tiny) -> None:
    checkpoint = load(tiny("llama"))
    backend = TransformersBackend("tiny", checkpoint)
    backend.add_head("pair", contrast_head(checkpoint.model, [1, 2]))
    before = rows_of(backend.forward([item(3)]))
    checkpoint.trunk.register_forward_hook(lambda *_: backend.remove_head("pair"))
    assert rows_of(backend.forward([item(3)])) == before


@pytest.mark.parametrize(("asked", "expected"), [(None, 512), (100, 100), (9999, 512)])
def test_limit_never_exceeds_the_models_positions(tiny, asked: int | None, expected: int) -> None:
    directory = tiny("llama", max_position_embeddings=512)
    assert backend_on(directory, max_input_tokens=asked).max_input_tokens == expected


def test_model_that_cannot_be_packed_says_so_in_the_log(tiny, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="surefoot"):
        backend_on(tiny("gemma2"))
    assert "one sequence at a time" in caplog.text


def test_model_that_can_be_packed_says_nothing(tiny, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="surefoot"):
        backend_on(tiny("mistral"))
    assert not caplog.records


def test_longer_neighbour_does_not_change_a_row_where_rotations_depend_on_length(tiny) -> None:
    parameters = {
        "rope_type": "longrope",
        "rope_theta": 10_000.0,
        "short_factor": [1.0] * 8,
        "long_factor": [4.0] * 8,
        "factor": 4.0,
        "original_max_position_embeddings": 64,
    }
    backend = backend_on(tiny("llama", rope_parameters=parameters))
    (alone,) = rows_of(backend.forward([item(39)]))
    beside_long = rows_of(backend.forward([item(39), item(99, tokens=tuple(range(100)))]))[0]
    assert beside_long[0] == pytest.approx(alone[0], abs=1e-5)


def test_values_are_finite_numbers_of_python(backend: TransformersBackend) -> None:
    (rows,) = rows_of(backend.forward([item(0)]))
    assert all(type(value) is float for value in rows[0])


@pytest.mark.parametrize("family", ["llama", "mistral", "gemma2"])
def test_plain_rows_equal_the_served_ones(tiny, family: str) -> None:
    backend = backend_on(tiny(family))
    (served,) = rows_of(backend.forward([item(3, 39)]))
    for plain, row in zip(backend.plain_rows(item(3, 39)), served, strict=True):
        assert plain == pytest.approx(row, abs=1e-5)


def test_served_rows_are_the_same_after_a_plain_pass(tiny) -> None:
    backend = backend_on(tiny("llama"))
    before = rows_of(backend.forward([item(3, 39), item(9, head="single")]))
    backend.plain_rows(item(3, 39))
    assert rows_of(backend.forward([item(3, 39), item(9, head="single")])) == before


def test_how_full_the_prefix_cache_is_is_told(tiny) -> None:
    budget = 2**20
    backend = backend_on(tiny("llama"), prefix_cache_bytes=budget)
    before = backend.prefix_use
    backend.forward([item(5)])
    after = backend.prefix_use
    assert (before.entries, before.num_bytes, after.entries) == (0, 0, len(TOKENS))
    assert after.num_bytes == len(TOKENS) * after.max_bytes // after.max_entries
    assert budget * 0.9 < after.max_bytes <= budget


def test_without_a_prefix_cache_there_is_nothing_to_tell(backend: TransformersBackend) -> None:
    assert backend.prefix_use is None
