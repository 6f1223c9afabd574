"""Everything that an inspection says, and the configuration that follows from it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from surefoot.inspection.checkpoint_checks import Check
from surefoot.inspection.contents import Contents
from surefoot.inspection.detection import Detection


@dataclass(frozen=True, slots=True)
class Inspection:
    """`profile` is the one that was given or detected, with which the checkpoint was checked; `None` where none is."""

    contents: Contents
    detection: Detection
    profile: str | None
    checks: tuple[Check, ...]

    @property
    def fits(self) -> bool:
        """There is one profile, and nothing keeps it from reading the checkpoint."""
        return self.profile is not None and all(check.status != "error" for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """For JSON; keys are stable."""
        contents = self.contents
        return {
            "path": str(contents.path),
            "architectures": list(contents.architectures),
            "model_type": contents.model_type,
            "hidden_size": contents.hidden_size,
            "num_parameters": contents.num_parameters,
            "num_bytes": contents.num_bytes,
            "dtype": contents.stored_dtype or contents.dtype,
            "max_positions": contents.max_positions,
            "rope_scaling": contents.rope_scaling,
            "num_labels": contents.num_labels,
            "labels": list(contents.labels),
            "heads": [asdict(head) for head in contents.heads],
            **asdict(self.detection),
            "profile": self.profile,
            "fits": self.fits,
            "checks": [asdict(check) for check in self.checks],
            "configuration": configuration_of(self) if self.fits else None,
        }


def configuration_of(inspection: Inspection) -> str:
    """The `[[models]]` table that serves the checkpoint with the inspection's profile."""
    contents = inspection.contents
    lines = [
        "[[models]]",
        f"name = {_quoted(_model_name(contents))}",
        f"profile = {_quoted(inspection.profile or 'auto')}",
        f"path = {_quoted(str(contents.path.absolute()))}",
    ]
    if any(check.name == "reference" for check in inspection.checks):
        lines.append('reference_path = "/path/of/the/reference/model"')
    allowed = [check.allow for check in inspection.checks if check.allow is not None]
    if allowed:
        lines.append(f"allow = [{', '.join(map(_quoted, allowed))}]")
    return "\n".join(lines)


def _model_name(contents: Contents) -> str:
    """The directory's name, as far as a model's name may hold it."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", contents.path.absolute().name).lstrip("._-")
    return name or "model"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
