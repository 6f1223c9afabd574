"""Where checkpoints come from: the embedded base, a directory, or the hub when it was asked for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from pathlib import Path

from surefoot.errors import CheckpointMissing
from surefoot.settings import Settings

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
_HUB_FILES = ["*.json", "*.safetensors", "*.jinja", "tokenizer.model"]
_HUB_FILES_IF_ALLOWED = {"pickle_weights": ["pytorch_model*.bin"], "remote_code": ["*.py"]}


def checkpoint_directory(
    path: str, settings: Settings, progress: Progress | None = None, *, allow: Collection[str] = ()
) -> Path:
    """The local directory of `path`, prepared or fetched where needed; blocking.

    `allow` names what is fetched beyond harmless files, as in a model's settings.

    Raises `CheckpointMissing` or another `StartupError`.
    """
    if path == "embedded":
        from surefoot.embedded.base_model import prepare_base

        return prepare_base(settings.cache, progress=progress or _log_quarters)
    if path.startswith("hub:"):
        allowed = [pattern for permission in allow for pattern in _HUB_FILES_IF_ALLOWED[permission]]
        return _from_hub(path.removeprefix("hub:"), [*_HUB_FILES, *allowed])
    directory = Path(path).expanduser()
    if not directory.is_dir():
        raise CheckpointMissing(
            f"model directory {directory} does not exist; give a directory, `embedded`, or `hub:owner/name`",
            param="path",
        )
    return directory


def _log_quarters(num_done: int, num_tensors: int) -> None:
    """Progress for a log: nothing when the model is there already, else a line a quarter."""
    if num_done * 4 % num_tensors < 4:
        log.info("preparing the embedded model, once: %d of %d tensors", num_done, num_tensors)


def _from_hub(repository: str, files: list[str]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, allow_patterns=files))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as cause:
        reason = str(cause).strip().splitlines()[0]
        raise CheckpointMissing(f"{repository} cannot be had from the hub: {reason}", param="path") from cause
