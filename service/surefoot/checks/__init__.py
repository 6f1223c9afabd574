"""Rules that judge single steps beside the model: no weights, one table, verdicts that are never mixed in silently."""

from surefoot.checks.combining import FAILED_CHECK_FACTOR, capped_by_checks
from surefoot.checks.table import CHECKS, run_checks

__all__ = ["CHECKS", "FAILED_CHECK_FACTOR", "capped_by_checks", "run_checks"]
