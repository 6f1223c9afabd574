"""What every table of the configuration file has in common."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Dtype = Literal["auto", "float32", "bfloat16", "float16"]


class Section(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)
