"""What every table of the configuration file has in common."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import BaseModel, ConfigDict

from surefoot.errors import SettingsInvalid

Dtype = Literal["auto", "float32", "bfloat16", "float16"]


class Section(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


def key_in(variable: str | None, whose: str) -> str | None:
    """The key that an environment variable holds, `None` where none is named.

    Raises `SettingsInvalid`, which names the variable and never shows the key.
    """
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not (key and key.isascii() and key.isprintable()):
        raise SettingsInvalid(f"{whose}: no usable key in the variable {variable}")
    return key
