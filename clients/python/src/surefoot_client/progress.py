"""A progress bar for whoever watches, where `tqdm` is installed. No result depends on it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractContextManager, aclosing, closing, nullcontext
from importlib import import_module
from typing import Any, TypeVar

T = TypeVar("T")


def shown(source: Generator[T, None, None], items: object) -> Generator[T, None, None]:
    """`source`, with a bar that moves as it is read; closing it closes `source`."""
    with closing(source), _bar(items) as bar:
        for each in source:
            yield each
            bar.update()


async def shown_async(source: AsyncGenerator[T, None], items: object) -> AsyncGenerator[T, None]:
    """`shown` for an asynchronous stream."""
    async with aclosing(source):
        with _bar(items) as bar:
            async for each in source:
                yield each
                bar.update()


class _NoBar:
    def update(self) -> None:
        """Nothing is shown."""


def _bar(items: object) -> AbstractContextManager[Any]:
    """A bar as long as `items`, where that is known."""
    try:
        tqdm = import_module("tqdm").tqdm
    except ImportError:
        return nullcontext(_NoBar())
    bar: AbstractContextManager[Any] = tqdm(total=len(items) if hasattr(items, "__len__") else None, unit="item")
    return bar
