"""The files of the built-in page on their way out of the package: each with a tag, compressed where that is smaller."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parent / "web"
VENDOR = "vendor/"
"""Below it lie other projects' files, in directories that bear their versions."""

_MEDIA_TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
_COMPRESSED_ALREADY = frozenset({".woff2"})
_REVALIDATE = "no-cache"
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file's bytes and what a browser is told of them; `gzipped` is `None` where that saves nothing."""

    body: bytes
    gzipped: bytes | None
    media_type: str
    etag: str
    cache_control: str


@cache
def static_names() -> frozenset[str]:
    """Every file that is served, by its path below `ROOT`; nothing else can be asked for."""
    found = (path for path in ROOT.rglob("*") if path.is_file() and path.suffix in _MEDIA_TYPES)
    return frozenset(path.relative_to(ROOT).as_posix() for path in found)


def static_file(name: str) -> StaticFile | None:
    """The file of that name, `None` where there is none."""
    return _read(name) if name in static_names() else None


@cache
def _read(name: str) -> StaticFile:
    path = ROOT / name
    body = path.read_bytes()
    smaller = None if path.suffix in _COMPRESSED_ALREADY else gzip.compress(body, 9, mtime=0)
    return StaticFile(
        body=body,
        gzipped=smaller if smaller is not None and len(smaller) < len(body) else None,
        media_type=_MEDIA_TYPES[path.suffix],
        # Weak: the same for both encodings.
        etag=f'W/"{sha256(body).hexdigest()[:20]}"',
        cache_control=_FOR_EVER if name.startswith(VENDOR) else _REVALIDATE,
    )
