"""The page, the description of the API and their files: what a browser is told of them, and what it can ask for."""

import gzip
import re

import pytest

from surefoot.api.static_files import ROOT, static_names

PAGES = ("/", "/docs")
DIRECTIVES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "font-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}
FILES = [*PAGES, "/web/js/main.js", "/web/css/base.css", "/web/icon.svg"]


@pytest.mark.parametrize("path", FILES)
async def test_the_policy_is_strict_everywhere(api, path) -> None:
    answer = await api.http.get(path)
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert (answer.status_code, policy) == (200, DIRECTIVES)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("page", ["index.html", "docs.html"])
def test_a_page_names_only_files_that_are_there_and_nothing_inline(page) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r'(?:src|href)="([^"#]+)"', text)
    assert {name.removeprefix("web/") for name in named if name.startswith("web/")} <= static_names()
    assert [name for name in named if not re.fullmatch(r"web/[\w./-]+|\./|docs|openapi\.json", name)] == []
    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?! type=\"module\" src=)", text) == []


@pytest.mark.parametrize("path", FILES)
async def test_a_known_file_is_not_sent_again(api, path) -> None:
    first = await api.http.get(path)
    assert first.headers["cache-control"] == "no-cache"
    again = await api.http.get(path, headers={"if-none-match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert (await api.http.get(path, headers={"if-none-match": '"other"'})).status_code == 200


async def test_other_projects_files_bear_a_version_and_are_kept(api) -> None:
    [script] = [name for name in static_names() if name.endswith("katex.min.js")]
    answer = await api.http.get(f"/web/{script}")
    assert re.search(r"katex-\d+\.\d+\.\d+/", script)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip, br", "gzip"), ("gzip;q=0", None), ("br", None)])
async def test_texts_are_compressed_for_those_who_take_that(api, accepted, encoding) -> None:
    answer = await api.http.get("/", headers={"accept-encoding": accepted})
    assert answer.headers.get("content-encoding") == encoding
    # httpx has unpacked it.
    assert answer.content == (ROOT / "index.html").read_bytes()
    assert answer.headers["vary"] == "accept-encoding"


@pytest.mark.parametrize(
    "path",
    [
        "/web/",
        "/web/nothing.js",
        "/web/js",
        "/web/../app.py",
        "/web/%2e%2e/app.py",
        "/web/js/..%2f..%2f..%2fapp.py",
        "/web//etc/passwd",
        "/web/js/main.js/",
        "/web/js\\main.js",
    ],
)
async def test_nothing_else_can_be_asked_for(api, error_of, path) -> None:
    answer = await api.http.get(path)
    assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", FILES)
async def test_head_tells_what_get_would(api, path) -> None:
    head, got = await api.http.head(path), await api.http.get(path)
    assert (head.status_code, head.headers["etag"], head.headers["content-type"]) == (
        200,
        got.headers["etag"],
        got.headers["content-type"],
    )


async def test_every_file_has_its_kind(api) -> None:
    kinds = {}
    for name in static_names():
        answer = await api.http.get(f"/web/{name}")
        assert answer.status_code == 200
        kinds.setdefault(name.rpartition(".")[2], set()).add(answer.headers["content-type"].partition(";")[0])
    assert kinds == {
        "html": {"text/html"},
        "js": {"text/javascript"},
        "css": {"text/css"},
        "svg": {"image/svg+xml"},
        "woff2": {"font/woff2"},
        "txt": {"text/plain"},
    }


async def test_a_ranking_tells_what_weighted_votes_weigh(api) -> None:
    asked = {"problem": "2 + 3?", "candidates": ["It is 5.", "It is 6.", ""], "model": "prm", "outcome_model": "orm"}
    ranked = {each["index"]: each for each in (await api.post("/rerank", asked))["results"]}
    for strategy, name in (("process_weighted", "unit_score"), ("outcome_weighted", "unit_outcome_score")):
        votes = (await api.post("/rerank", {**asked, "strategy": strategy}))["votes"]
        assert [vote["weight"] for vote in votes] == sorted((ranked[i][name] for i in (0, 1)), reverse=True)
    assert "unit_score" not in ranked[2]


async def test_a_scale_without_a_map_tells_no_weight(api) -> None:
    asked = {"problem": "2 + 3?", "candidates": ["It is 5."], "strategy": "outcome", "outcome_model": "raw"}
    [result] = (await api.post("/rerank", asked))["results"]
    assert ("unit_outcome_score" in result, "outcome_score" in result) == (False, True)


def test_compression_is_the_same_every_time() -> None:
    from surefoot.api.static_files import static_file

    packed = static_file("index.html").gzipped
    assert packed is not None
    assert gzip.decompress(packed) == (ROOT / "index.html").read_bytes()
    assert packed[4:8] == b"\0\0\0\0"
