"""Each round's adapter reaches the server, or what went wrong is told."""

from typing import Any

import httpx
import pytest

from loop_rows import contents
from surefoot.cli.loop_swap import reloaded


@pytest.fixture
def reloads(monkeypatch) -> list[str]:
    """Where reloads were asked for; each is answered as the server does."""
    asked: list[str] = []

    def post(url: str, **_: Any) -> httpx.Response:
        asked.append(url)
        changed = {"name": "prm", "fingerprint": "new", "previous_fingerprint": "old", "changed": True}
        return httpx.Response(200, json=changed)

    monkeypatch.setattr("surefoot.cli.loop_swap.httpx.post", post)
    return asked


def test_each_rounds_adapter_is_put_where_the_server_looks(loop, tmp_path, reloads) -> None:
    served = tmp_path / "served"
    ended = loop("out", "--serve-dir", served, "--reload", "http://host:1/", "--model-name", "prm")
    trained = contents(tmp_path / "out/round-2/adapter")
    assert contents(served) == {name: content for name, content in trained.items() if not name.startswith("curves.")}
    assert reloads == ["http://host:1/admin/models/prm/reload"] * 2
    assert "prm is reloaded: new, before old" in ended.stderr


@pytest.mark.parametrize(("key", "headers"), [(None, {}), ("sf-1", {"authorization": "Bearer sf-1"})])
def test_a_reload_is_asked_for_with_the_key_of_the_environment(monkeypatch, key, headers) -> None:
    sent: list[Any] = []

    def post(_: str, **options: Any) -> httpx.Response:
        sent.append(options["headers"])
        return httpx.Response(200, json={"changed": False})

    monkeypatch.setattr("surefoot.cli.loop_swap.httpx.post", post)
    monkeypatch.delenv("SUREFOOT_API_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("SUREFOOT_API_KEY", key)
    reloaded("http://host:1", "prm")
    assert sent == [headers]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(404, json={"error": {"code": "model_not_found", "message": "no such model"}}), "no such model"),
        (httpx.Response(502, text="bad gateway"), "502 without JSON"),
        (httpx.ConnectError("refused"), "ConnectError"),
    ],
)
def test_a_reload_that_fails_is_told_and_stops_nothing(loop, tmp_path, monkeypatch, answer, said: str) -> None:
    def post(url: str, **_: Any) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr("surefoot.cli.loop_swap.httpx.post", post)
    ended = loop("out", "--serve-dir", tmp_path / "served", "--reload", "http://host:1", "--model-name", "prm")
    assert ended.exit_code == 0
    assert said in ended.stderr
    assert "keeps what it has" in ended.stderr
