"""Inspection: what a checkpoint directory holds and which profiles can read it, without reading its weights."""

from surefoot.inspection.checkpoint_checks import Check, Status, check_checkpoint
from surefoot.inspection.contents import Contents, read_contents
from surefoot.inspection.detection import Candidate, Detection, Verdict, detect
from surefoot.inspection.heads import FoundHead
from surefoot.inspection.profile_checks import check_profile
from surefoot.inspection.report import Inspection, configuration_of

__all__ = [
    "Candidate",
    "Check",
    "Contents",
    "Detection",
    "FoundHead",
    "Inspection",
    "Status",
    "Verdict",
    "check_checkpoint",
    "check_profile",
    "configuration_of",
    "detect",
    "read_contents",
]
