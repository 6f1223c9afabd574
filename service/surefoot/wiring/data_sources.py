"""Where files of data come from: a path, or a data set of the hub when it was asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from surefoot.errors import ExamplesInvalid

_PREFIX = "hub:"


def data_file(name: str, fetch: Callable[[str, str], Path] | None = None) -> Path:
    """The local file of `name`: a path, or `hub:owner/data-set/path/of/file.jsonl`, which is fetched once.

    `fetch` gets the data set and the path in it. Raises `ExamplesInvalid` where it cannot be had.
    """
    if not name.startswith(_PREFIX):
        return Path(name).expanduser()
    owner, _, rest = name.removeprefix(_PREFIX).partition("/")
    data_set, _, path = rest.partition("/")
    if not path.endswith(".jsonl"):
        raise ExamplesInvalid(
            "a file of the hub is named as hub:owner/data-set/path/of/file.jsonl; convert others to JSON lines",
            param="hub",
        )
    return (fetch or _from_hub)(f"{owner}/{data_set}", path)


def _from_hub(data_set: str, path: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(data_set, path, repo_type="dataset"))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as cause:
        reason = str(cause).strip().splitlines()[0]
        raise ExamplesInvalid(f"{data_set} cannot be had from the hub: {reason}", param="hub") from cause
