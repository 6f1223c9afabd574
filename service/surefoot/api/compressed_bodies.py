"""Bodies that come gzipped, unpacked on their way in and never beyond the bound on bodies."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from surefoot.api.service import Limits

ENCODINGS = (b"", b"identity", b"gzip")
"""Values of content-encoding that are understood."""
_GZIP_FRAME = 16 + zlib.MAX_WBITS


def encoding_of(headers: dict[bytes, bytes]) -> bytes:
    """How the body is encoded, in lower case; empty where nothing says so."""
    return headers.get(b"content-encoding", b"").strip().lower()


class Unpack:
    """Unpacks gzipped bodies as they arrive; 413 as soon as one grows beyond `max_body_bytes`, 400 for broken ones."""

    def __init__(self, app: ASGIApp, limits: Callable[[], Limits]) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or encoding_of(dict(scope["headers"])) != b"gzip":
            await self._app(scope, receive, send)
            return
        unpacked = _Unpacked(self._limits().max_body_bytes)
        is_whole = False

        async def receive_unpacked() -> Message:
            nonlocal is_whole
            message = await receive()
            if message["type"] != "http.request" or is_whole:
                return message
            is_whole = not message.get("more_body", False)
            return {**message, "body": unpacked.read(message.get("body", b""), is_whole)}

        await self._app(scope, receive_unpacked, send)


class _Unpacked:
    def __init__(self, max_bytes: int) -> None:
        self._stream = zlib.decompressobj(_GZIP_FRAME)
        self._max_bytes = max_bytes
        self._num_bytes = 0

    def read(self, packed: bytes, is_last: bool) -> bytes:
        """The next part; raises `HTTPException`, which alone comes through while a route reads its body."""
        try:
            # One byte more than allowed shows that there is more; the rest is never unpacked.
            body = self._stream.decompress(packed, self._max_bytes - self._num_bytes + 1)
        except zlib.error as cause:
            raise HTTPException(400, "the body is not gzip, as its content-encoding says") from cause
        self._num_bytes += len(body)
        if self._num_bytes > self._max_bytes:
            said = f"the body is larger than {self._max_bytes} bytes unpacked; send less at once"
            raise HTTPException(413, said)
        if self._stream.unused_data or (is_last and not self._stream.eof):
            raise HTTPException(400, "the gzipped body is cut off, or something follows it")
        return body
