"""Server-sent events from bytes as they arrive (WHATWG HTML, section 9.2.6). Pure: no input or output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

# By bytes, because text has more line ends (U+2028 and others) than the format, and they may stand in the data.
_LINE_END = re.compile(rb"\r\n|\n|\r")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """An event's name (`message` where the server gives none) and its data, lines joined by a line feed."""

    name: str
    data: str


@dataclass(slots=True)
class EventDecoder:
    """Turns chunks of bytes, cut anywhere, into events.

    Comments, and the fields `id` and `retry` that only matter to whoever reconnects, are left out. An event that is
    cut off by the end of the stream never comes.
    """

    _line: bytearray = field(default_factory=bytearray)
    _after_return: bool = False
    _at_start: bool = True
    _name: str = ""
    _data: list[str] = field(default_factory=list)

    def decode(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """The events that `chunk` completes. Raises `UnicodeDecodeError` for what is not UTF-8."""
        if not chunk:
            return
        if self._after_return:
            # The second half of a line end that was cut in two.
            chunk = chunk.removeprefix(b"\n")
        self._after_return = chunk.endswith(b"\r")
        first, *further = _LINE_END.split(chunk)
        self._line += first
        for following in further:
            event = self._end_of_line(self._line.decode())
            self._line = bytearray(following)
            if event is not None:
                yield event

    def _end_of_line(self, line: str) -> ServerSentEvent | None:
        if self._at_start:
            line, self._at_start = line.removeprefix(_BYTE_ORDER_MARK.decode()), False
        if not line:
            return self._dispatched()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._name = value
        elif name == "data":
            self._data.append(value)
        return None

    def _dispatched(self) -> ServerSentEvent | None:
        event = ServerSentEvent(self._name or "message", "\n".join(self._data)) if self._data else None
        self._name, self._data = "", []
        return event
