"""The progress bar: as long as the stream, moved by what was taken, and never in the way."""

import sys

import pytest
import tqdm


@pytest.fixture
def bars(monkeypatch):
    """The bars that were made."""
    made = []

    class Bar:
        def __init__(self, total, unit):
            self.total, self.unit, self.num_done, self.is_closed = total, unit, 0, False
            made.append(self)

        def __enter__(self):
            return self

        def __exit__(self, *exception):
            self.is_closed = True

        def update(self):
            self.num_done += 1

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    return made


def test_a_bar_counts_the_items(mode, collect, busy_server, items, bars):
    collect(mode, busy_server(), list(items(20)), batch_size=3, progress=True)
    [bar] = bars
    assert (bar.total, bar.unit, bar.num_done, bar.is_closed) == (20, "item", 20, True)


def test_a_stream_of_unknown_length_has_a_bar_without_an_end(mode, collect, busy_server, items, bars):
    collect(mode, busy_server(), items(20), progress=True)
    assert bars[0].total is None


def test_leaving_early_ends_bar_and_work(mode, collect, busy_server, items, bars):
    server = busy_server()
    collect(mode, server, items(1000), batch_size=2, take=1, progress=True)
    assert bars[0].is_closed
    assert server.now == 0


def test_nothing_is_shown_unasked(mode, collect, busy_server, items, bars):
    collect(mode, busy_server(), items(5))
    assert bars == []


def test_without_tqdm_the_stream_is_the_same(mode, collect, busy_server, items, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    outcomes = collect(mode, busy_server(), items(20), batch_size=3, progress=True)
    assert [outcome.index for outcome in outcomes] == list(range(20))


def test_the_real_bar_shows_on_standard_error(mode, collect, busy_server, items, capsys):
    collect(mode, busy_server(), list(items(20)), progress=True)
    printed = capsys.readouterr()
    assert "20/20" in printed.err
    assert printed.out == ""
