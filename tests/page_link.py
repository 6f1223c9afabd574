"""Links to the page that hold a request, as the page itself makes them."""

import json
import zlib
from base64 import urlsafe_b64encode
from typing import Any


def link_to(**ask: Any) -> str:
    """The fragment for what is asked: `mode`, `problem`, `solutions`, `sampling`, ..."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = squeezer.compress(json.dumps(ask).encode()) + squeezer.flush()
    return f"#ask={urlsafe_b64encode(packed).decode().rstrip('=')}"
