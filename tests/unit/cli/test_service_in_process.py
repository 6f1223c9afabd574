"""What a command's own service does otherwise than one that others reach."""

import pytest

from surefoot.cli.service import for_one_user
from surefoot.settings import Settings


@pytest.mark.parametrize("given", [0, 700])
def test_bulk_fills_passes_unless_it_is_bounded_by_hand(given: int) -> None:
    scheduler = for_one_user(Settings(models=[], scheduler={"max_bulk_batch_tokens": given})).scheduler
    assert scheduler.max_bulk_batch_tokens == (given or scheduler.max_queue_tokens)


def test_whoever_runs_the_process_needs_no_key(tmp_path) -> None:
    assert for_one_user(Settings(models=[], auth={"keys_file": tmp_path / "keys"})).auth.keys_file is None
