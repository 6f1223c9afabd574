"""A line of the log is one JSON object, or one line of text, and no exception brings user text into it."""

import json
import logging
import sys
from datetime import UTC, datetime

import pytest

from surefoot.callers import called_by
from surefoot.errors import BackendFailed
from surefoot.log_lines import TELLS_MESSAGES, JsonLines, TextLines, log_origin, origin, with_fields
from surefoot.request_context import RequestContext, Trace, within_request

SECRET = "what nobody else may read"


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    """The error with a stack."""
    try:
        raise error from cause
    except BaseException as caught:  # noqa: BLE001
        return caught


def record(message: str = "said", *, name: str = "surefoot.room", error=None, extra=None) -> logging.LogRecord:
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    return logging.getLogger(name).makeRecord(name, logging.WARNING, "file.py", 1, message, (), exc_info, extra=extra)


def read(one: logging.LogRecord) -> dict:
    text = JsonLines().format(one)
    assert "\n" not in text
    return json.loads(text)


def test_a_json_line_says_when_how_grave_where_and_what() -> None:
    one = record()
    line = read(one)
    when = datetime.fromisoformat(line.pop("time"))
    assert line == {"level": "warning", "logger": "surefoot.room", "message": "said"}
    assert abs(when.timestamp() - one.created) < 0.001


def test_the_time_is_utc_in_rfc_3339() -> None:
    one = record()
    one.created = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()
    assert read(one)["time"] == "2030-01-02T03:04:05.000Z"


def test_the_request_the_trace_and_the_caller_are_named() -> None:
    trace = Trace("a" * 32, is_sampled=True, span_id="b" * 16)
    with within_request(RequestContext("r-1", trace)), called_by("key alice"):
        line = read(record())
    told = {name: line[name] for name in ("request_id", "trace_id", "span_id", "caller")}
    assert told == {"request_id": "r-1", "trace_id": "a" * 32, "span_id": "b" * 16, "caller": "key alice"}


def test_a_circle_of_causes_is_told_once() -> None:
    first, second = raised(ValueError(SECRET)), raised(KeyError(SECRET))
    first.__cause__, second.__cause__ = second, first
    told = origin(ExceptionGroup(SECRET, [first, second]))
    assert [told.count(name) for name in ("ExceptionGroup", "ValueError", "KeyError", SECRET)] == [1, 1, 1, 0]


def test_fields_of_a_line_are_fields() -> None:
    line = read(record(extra=with_fields(model="prm", seconds=0.5, caller=None)))
    assert (line["model"], line["seconds"], "caller" in line) == ("prm", 0.5, False)


@pytest.mark.parametrize("message", ["two\nlines", "\x00\x1b[31m", "\ud800", "‮\u2028"])
def test_odd_characters_cannot_break_a_line(message) -> None:
    text = JsonLines().format(record(message))
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text)["message"] == message


@pytest.mark.parametrize("lines", [JsonLines, TextLines])
@pytest.mark.parametrize(
    "error",
    [
        raised(ValueError(SECRET)),
        raised(RuntimeError("x"), raised(ValueError(SECRET))),
        raised(ExceptionGroup(SECRET, [raised(ValueError(SECRET))])),
    ],
    ids=["alone", "as a cause", "in a group"],
)
def test_an_exception_is_told_without_its_message(lines, error) -> None:
    text = lines().format(record(error=error))
    assert SECRET not in text
    assert "ValueError" in text
    assert "in raised" in text


def test_an_exception_has_fields_in_json() -> None:
    line = read(record(error=raised(ValueError(SECRET))))
    assert (line["message"], line["exception"]) == ("said", "ValueError")
    assert "test_log_lines.py" in line["stack"]


@pytest.mark.parametrize("lines", [JsonLines, TextLines])
def test_what_reads_no_request_may_say_why_it_failed(lines) -> None:
    one = record(error=raised(ValueError("no such weight")), extra=TELLS_MESSAGES)
    assert "no such weight" in lines().format(one)


def test_typed_errors_say_what_happened() -> None:
    assert "BackendFailed: the device is gone" in origin(raised(BackendFailed("the device is gone")))


def test_a_task_that_nobody_awaited_is_told_without_its_exception() -> None:
    said = f"Task exception was never retrieved\nfuture: <Task finished exception=ValueError('{SECRET}')>"
    line = read(record(said, name="asyncio", error=raised(ValueError(SECRET))))
    assert (line["message"], line["exception"]) == ("Task exception was never retrieved", "ValueError")
    assert SECRET not in json.dumps(line)


def test_an_unforeseen_error_is_safe_with_any_formatter(caplog) -> None:
    log_origin(logging.getLogger("surefoot.room"), "it broke", raised(ValueError(SECRET)))
    assert SECRET not in caplog.text
    assert "it broke: ValueError\n" in caplog.text


def test_an_unforeseen_error_has_its_stack_once_in_json(caplog) -> None:
    log_origin(logging.getLogger("surefoot.room"), "it broke", raised(ValueError(SECRET)))
    line = read(caplog.records[0])
    assert (line["message"], line["exception"]) == ("it broke: ValueError", "ValueError")
    assert "in raised" in line["stack"]


def test_text_names_the_request() -> None:
    with within_request(RequestContext("r-1")):
        assert TextLines().format(record()).endswith(" WARNING surefoot.room: [r-1] said")


def test_text_without_a_request_names_none() -> None:
    assert TextLines().format(record()).endswith(" WARNING surefoot.room: said")


def test_an_exception_in_handling_without_one_is_a_line() -> None:
    """`exc_info=True` outside of a handler."""
    one = record()
    one.exc_info = sys.exc_info()
    assert set(read(one)) == {"time", "level", "logger", "message"}
