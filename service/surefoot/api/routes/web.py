"""The built-in page at `/`, the description of the API at `/docs`, and the files that both are made of.

They hold no data and ask for no key; what they show comes from the API, with the key that their reader gives.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from surefoot.api.static_files import StaticFile, static_file

router = APIRouter(include_in_schema=False)

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # The browser itself refuses to read a text as HTML, whoever forgets that it must not be.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
SECURITY_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_METHODS = ["GET", "HEAD"]


@router.api_route("/", methods=_METHODS)
def page(request: Request) -> Response:
    """The page."""
    return _answer(request, static_file("index.html"))


@router.api_route("/docs", methods=_METHODS)
def docs(request: Request) -> Response:
    """The description of the API, drawn from /openapi.json."""
    return _answer(request, static_file("docs.html"))


@router.api_route("/web/{name:path}", methods=_METHODS)
def part(name: str, request: Request) -> Response:
    """A script, a style, a font or a picture of theirs."""
    return _answer(request, static_file(name))


def _answer(request: Request, file: StaticFile | None) -> Response:
    if file is None:
        raise HTTPException(404, "there is no such file")
    headers = {
        **SECURITY_HEADERS,
        "etag": file.etag,
        "cache-control": file.cache_control,
        "vary": "accept-encoding",
    }
    known = (tag.strip() for tag in request.headers.get("if-none-match", "").split(","))
    if file.etag in known:
        return Response(status_code=304, headers=headers)
    body = file.body
    if file.gzipped is not None and _takes_gzip(request.headers.get("accept-encoding", "")):
        body, headers["content-encoding"] = file.gzipped, "gzip"
    return Response(body, media_type=file.media_type, headers=headers)


def _takes_gzip(accepted: str) -> bool:
    """Whether `accept-encoding` names gzip, and not to refuse it (RFC 9110, section 12.5.3)."""
    for each in accepted.split(","):
        coding, _, weight = each.replace(" ", "").partition(";q=")
        if coding.lower() == "gzip":
            return weight not in ("0", "0.0", "0.00", "0.000")
    return False
