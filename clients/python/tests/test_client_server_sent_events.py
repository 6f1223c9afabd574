"""The format of event streams: https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.6."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot_client.server_sent_events import EventDecoder


def decode(*chunks):
    decoder = EventDecoder()
    return [(event.name, event.data) for chunk in chunks for event in decoder.decode(chunk)]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_any_line_end_ends_a_line(end):
    assert decode(end.join([b"event: a", b"data: 1", b"", b"data: 2", b"", b""])) == [("a", "1"), ("message", "2")]


def test_lines_of_data_are_joined():
    assert decode(b"data: one\ndata:\ndata:two\n\n") == [("message", "one\n\ntwo")]


def test_one_space_after_the_colon_does_not_count():
    assert decode(b"data:  1 \n\n") == [("message", " 1 ")]


def test_comments_and_other_fields_are_left_out():
    assert decode(b": keep-alive\n\nid: 7\nretry: 5\n:\nevent: a\ndata: 1\nother\n\n: bye\n\n") == [("a", "1")]


def test_a_name_without_data_is_no_event_and_names_no_other():
    assert decode(b"event: a\n\ndata: 1\n\n") == [("message", "1")]


def test_an_unfinished_event_never_comes():
    assert decode(b"data: 1\n\ndata: 2\n") == [("message", "1")]


def test_a_byte_order_mark_is_no_part_of_the_first_name():
    assert decode(b"\xef\xbb\xbfdata: 1\n\n") == [("message", "1")]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c"])
def test_only_the_formats_own_line_ends_count(separator):
    assert decode(f"data: a{separator}b\n\n".encode()) == [("message", f"a{separator}b")]


def test_what_is_not_utf_8_is_refused():
    with pytest.raises(UnicodeDecodeError):
        decode(b"data: \xff\n\n")


@given(st.data())
def test_it_does_not_matter_where_the_bytes_are_cut(data):
    first = "\ufeffevent: a\r\ndata: \U0001f600\r\n\r\n: c\r\rdata: x\r\ndata: \u2028\n\n"
    whole = f"{first}event: b\ndata: \r\n\r\ndata: 9\r\r".encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=12)))
    chunks = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert decode(*chunks) == decode(whole) == [
        ("a", "\U0001f600"), ("message", "x\n\u2028"), ("b", ""), ("message", "9"),
    ]  # fmt: skip
