"""Which candidates are served in place of the settings' models: written down, so that a restart serves them again."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from surefoot.errors import SettingsInvalid
from surefoot.whole_file import write_whole

log = logging.getLogger(__name__)


class Promotions:
    """Labels of promoted candidates by model name, as the file has them. Belongs to one process."""

    def __init__(self, file: Path | None) -> None:
        """`None` keeps nothing. Raises `SettingsInvalid` for a file that cannot be read, or not be written later."""
        self._file = file
        self._labels = {} if file is None else _read(file)

    def label(self, name: str) -> str | None:
        """What a restart would serve by that name: a candidate's label, or `None` for the model of the settings."""
        return self._labels.get(name)

    def keep(self, name: str, label: str | None) -> None:
        """Have a restart serve that, where there is a file. One that cannot be written is logged, and stays as it
        was: going back to a sound model must not wait for a disk."""
        if self._file is None:
            return
        labels = {known: its for known, its in self._labels.items() if known != name}
        if label is not None:
            labels[name] = label
        try:
            write_whole(self._file, (json.dumps(labels, indent=2) + "\n").encode())
        except OSError as error:
            served = "the model of the settings" if self.label(name) is None else f"candidate {self.label(name)}"
            log.error(  # noqa: TRY400  the message says it all
                "model %s: promotions_file cannot be written (%s): a restart serves %s", name, error.strerror, served
            )
        else:
            self._labels = labels


def _read(file: Path) -> dict[str, str]:
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise SettingsInvalid(
            f"promotions_file: {file.parent} is no directory that can be written to: create it, or name another",
            param="promotions_file",
        )
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as cause:
        raise SettingsInvalid(
            f"promotions_file: {file} cannot be read: {cause.strerror}", param="promotions_file"
        ) from cause
    except ValueError:
        content = None
    if not isinstance(content, dict) or not all(isinstance(label, str) for label in content.values()):
        raise SettingsInvalid(
            f"promotions_file: {file} must hold a JSON object of labels by model name: mend it, or remove it to "
            "serve the models of the settings",
            param="promotions_file",
        )
    return content
