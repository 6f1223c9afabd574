"""Bodies that come gzipped: read as what they hold, and never unpacked beyond the bound."""

import gzip
import json
import tracemalloc
import zlib

import pytest

from surefoot.api.service import Limits

LONG = {"problem": "2 + 3? " * 200, "steps": ["2 + 3 = 5"]}
PLAIN = json.dumps(LONG).encode()
PACKED = gzip.compress(PLAIN)


async def post(api, content, encoding="gzip", path="/score"):
    headers = {"content-type": "application/json", "content-encoding": encoding}
    return await api.http.post(path, content=content, headers=headers)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", " gzip "])
@pytest.mark.parametrize("path", ["/score", "/surefoot/v1/score"])
async def test_it_is_read_as_what_it_holds(api, encoding, path) -> None:
    answer = (await post(api, PACKED, encoding, path)).json()
    assert answer["results"] == (await api.post("/score", LONG))["results"]


async def test_it_may_come_byte_by_byte(api) -> None:
    async def parts():
        for byte in PACKED:
            yield bytes([byte])

    assert (await post(api, parts())).status_code == 200


async def test_a_body_up_to_the_bound_is_read(serve) -> None:
    api = await serve(limits=Limits(max_body_bytes=len(PLAIN)))
    assert (await post(api, PACKED)).status_code == 200


async def test_one_byte_beyond_it_is_too_large(serve, error_of) -> None:
    api = await serve(limits=Limits(max_body_bytes=len(PLAIN) - 1))
    response = await post(api, PACKED)
    assert (response.status_code, error_of(response)["code"]) == (413, "body_too_large")


async def test_a_bomb_is_never_unpacked(serve) -> None:
    packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    bomb = b"".join(packer.compress(b"0" * 1_000_000) for _ in range(200)) + packer.flush()
    api = await serve(limits=Limits(max_body_bytes=1_000_000))
    tracemalloc.start()
    try:
        response = await post(api, bomb)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (response.status_code, peak_bytes < 20_000_000) == (413, True)
    assert api.parts.backend.batches == []


@pytest.mark.parametrize(
    "content",
    [PLAIN, b"\x1f\x8b", PACKED[:-1], PACKED[:-8], PACKED + b" ", PACKED + PACKED, PACKED[:12] + b"x" + PACKED[13:]],
    ids=["plain", "header", "cut", "no sum", "more", "twice", "damaged"],
)
async def test_what_is_no_whole_gzip_is_a_bad_request(api, error_of, content) -> None:
    response = await post(api, content)
    assert (response.status_code, error_of(response)["code"]) == (400, "bad_request")
    assert "gzip" in error_of(response)["message"]
