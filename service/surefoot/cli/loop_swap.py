"""A round's adapter put where a server looks for it, and the server told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
from rich.console import Console

from surefoot.whole_file import write_whole
from surefoot_client.environment import key_from_environment

_RELOAD_TIMEOUT_S = 600.0
"""A reload loads no base, but waits for what is being scored."""


@dataclass(frozen=True, slots=True)
class Swap:
    """The directory that a server is configured with, the server, and the model's name there."""

    directory: Path | None = None
    url: str | None = None
    model: str | None = None

    def execute(self, adapter: Path, console: Console) -> None:
        """Put the adapter's files there and have the server load them. What fails is said, and stops nothing."""
        if self.directory is None:
            return
        try:
            copied_adapter(adapter, self.directory)
        except OSError as cause:
            said = f"{self.directory} cannot be written: {cause.strerror}; the server keeps what it has"
            console.print(said, markup=False)
            return
        console.print(f"wrote {self.directory}", markup=False)
        if self.url is not None and self.model is not None:
            console.print(reloaded(self.url, self.model), markup=False)


def copied_adapter(source: Path, target: Path) -> None:
    """Replace the adapter in `target`, each file as a whole; the facts, which vouch for the weights, come last.

    Raises `OSError`.
    """
    from surefoot.modeling.adapters import CONFIG, FACTS, WEIGHTS
    from surefoot.training.adapter_files import PROFILE

    target.mkdir(parents=True, exist_ok=True)
    for name in (WEIGHTS, CONFIG, PROFILE, FACTS):
        write_whole(target / name, (source / name).read_bytes())


def reloaded(url: str, model: str) -> str:
    """Have a server load a model's adapter again, with the key of the environment; what became of it, in words."""
    where = f"{url.rstrip('/')}/admin/models/{quote(model)}/reload"
    key = key_from_environment()
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    try:
        answer = httpx.post(where, headers=headers, timeout=_RELOAD_TIMEOUT_S)
        content = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL) as cause:
        return f"{model} was not reloaded: {type(cause).__name__}; the server keeps what it has"
    except ValueError:
        return f"{model} was not reloaded: {answer.status_code} without JSON; the server keeps what it has"
    if not answer.is_success or not isinstance(content, dict):
        error = content.get("error") if isinstance(content, dict) else None
        said = f": {error.get('message')}" if isinstance(error, dict) else ""
        return f"{model} was not reloaded: {answer.status_code}{said}; the server keeps what it has"
    if not content.get("changed"):
        return f"{model} is what it was before the reload: {content.get('fingerprint')}"
    return f"{model} is reloaded: {content.get('fingerprint')}, before {content.get('previous_fingerprint')}"
