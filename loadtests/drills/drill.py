"""What a drill gives: counts of what was asked, and what else must be so."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from loadtests.traffic.outcomes import Counts


class CannotDrill(RuntimeError):
    """Something is missing that the drill needs; the message names it. Never a reason to go on as if it had passed."""


@dataclass(frozen=True, slots=True)
class Drilled:
    """`claims`: what must be so besides that nothing is lost or doubled, and whether it is."""

    counts: Counts
    claims: Mapping[str, bool]

    @property
    def failures(self) -> list[str]:
        """What should have been so, and is not."""
        found = [said for said, is_so in self.claims.items() if not is_so]
        if self.counts.lost:
            found.append(f"{self.counts.lost} lost")
        if self.counts.doubled:
            found.append(f"{self.counts.doubled} doubled")
        if not self.counts.answered:
            found.append("nothing was answered, so that nothing was shown")
        return found


def needs(*programs: str, root: bool = False) -> None:
    """Raises `CannotDrill` where a program is not installed, or where the drill may not do what it has to."""
    if missing := [program for program in programs if shutil.which(program) is None]:
        raise CannotDrill(f"not installed: {', '.join(missing)}")
    if root and os.geteuid() != 0:
        raise CannotDrill("only root may do this; run it as root, in a container for instance")
