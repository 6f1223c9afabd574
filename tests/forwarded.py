"""What backends give, without what it cost."""

from collections.abc import Callable, Sequence

from surefoot.domain import Forwarded, Rows


def rows_of(results: Sequence[Forwarded]) -> list[Rows]:
    return [result.rows for result in results]


def with_rows(results: Sequence[Forwarded], change: Callable[[Rows], Rows]) -> list[Forwarded]:
    """The same with other rows."""
    return [Forwarded(change(result.rows), result.cached_tokens) for result in results]
