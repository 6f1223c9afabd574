import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarded import rows_of
from surefoot.backends.fake_backend import FakeBackend
from surefoot.domain import ForwardItem, RenderedInput

TOKENS = st.lists(st.integers(0, 2**31), min_size=1, max_size=20)


def read_at(tokens: list[int], *positions: int, head: str = "score") -> ForwardItem:
    return ForwardItem(RenderedInput(tuple(tokens), positions), head)


def test_values_are_pinned_for_every_machine_and_version() -> None:
    [rows] = rows_of(FakeBackend().forward([read_at([1, 2, 3], 0, 2)]))
    assert rows == ((-0.6369585990905762, 3.9171018600463867), (2.030559539794922, 0.5460929870605469))


@given(TOKENS, st.data())
def test_a_row_depends_on_its_prefix_alone(tokens: list[int], data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(tokens) - 1))
    [whole], [prefix] = (
        rows_of(FakeBackend().forward([read_at(seen, position)])) for seen in (tokens, tokens[: position + 1])
    )
    assert whole == prefix


@given(st.lists(TOKENS, min_size=1, max_size=5))
def test_an_item_gets_the_same_rows_alone_and_in_a_batch(sequences: list[list[int]]) -> None:
    items = [read_at(tokens, *range(len(tokens))) for tokens in sequences]
    assert rows_of(FakeBackend().forward(items)) == [rows_of(FakeBackend().forward([item]))[0] for item in items]


def test_an_earlier_token_changes_the_row() -> None:
    backend = FakeBackend()
    assert rows_of(backend.forward([read_at([1, 2, 3], 2)])) != rows_of(backend.forward([read_at([9, 2, 3], 2)]))


def test_heads_read_different_values() -> None:
    backend = FakeBackend()
    assert rows_of(backend.forward([read_at([1], 0, head="a")])) != rows_of(
        backend.forward([read_at([1], 0, head="b")])
    )


def test_columns_are_set_per_head_with_two_by_default() -> None:
    backend = FakeBackend(num_columns={"outcome": 1, "soft": 3})
    widths = [
        len(rows[0])
        for rows in rows_of(backend.forward([read_at([1], 0, head=h) for h in ("outcome", "soft", "other")]))
    ]
    assert widths == [1, 3, 2]


@given(TOKENS)
def test_values_stay_within_four(tokens: list[int]) -> None:
    [rows] = rows_of(FakeBackend().forward([read_at(tokens, *range(len(tokens)))]))
    assert all(-4 <= value < 4 for row in rows for value in row)


@pytest.mark.parametrize("positions", [(-1,), (3,), (2, 1)])
def test_a_position_outside_the_input_or_out_of_order_is_refused(positions: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="position"):
        FakeBackend().forward([read_at([1, 2, 3], *positions)])


def test_failures_are_raised_once_each_and_in_order() -> None:
    backend = FakeBackend()
    backend.fail_next(KeyError("first"))
    backend.fail_next()
    with pytest.raises(KeyError):
        backend.forward([read_at([1], 0)])
    with pytest.raises(RuntimeError):
        backend.forward([read_at([1], 0)])
    assert rows_of(backend.forward([read_at([1], 0)]))


def test_a_guilty_item_fails_its_batch_until_pardoned() -> None:
    backend = FakeBackend()
    backend.fail_items(lambda item: item.rendered.token_ids == (7,))
    assert rows_of(backend.forward([read_at([1], 0)]))
    with pytest.raises(RuntimeError):
        backend.forward([read_at([1], 0), read_at([7], 0)])
    backend.fail_items(None)
    assert rows_of(backend.forward([read_at([7], 0)]))


def test_batches_are_recorded_even_if_they_fail() -> None:
    backend, item = FakeBackend(), read_at([1], 0)
    backend.fail_next()
    with pytest.raises(RuntimeError):
        backend.forward([item])
    assert backend.batches == [(item,)]


@pytest.mark.parametrize("let_go", [FakeBackend.release, FakeBackend.close])
def test_a_held_forward_waits_until_let_go(let_go) -> None:
    backend = FakeBackend()
    backend.hold()
    ended = threading.Event()

    def call() -> None:
        try:
            backend.forward([read_at([1], 0)])
        except RuntimeError:
            pass
        finally:
            ended.set()

    thread = threading.Thread(target=call)
    thread.start()
    assert not ended.wait(0.02)
    let_go(backend)
    assert ended.wait(5)
    thread.join()


def test_a_closed_backend_computes_nothing() -> None:
    backend = FakeBackend()
    backend.close()
    with pytest.raises(RuntimeError, match="closed"):
        backend.forward([read_at([1], 0)])
