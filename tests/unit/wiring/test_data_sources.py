"""Where files of data come from."""

from pathlib import Path

import pytest

from surefoot.errors import ExamplesInvalid
from surefoot.wiring.data_sources import data_file


def test_a_path_is_itself() -> None:
    assert data_file("some/train.jsonl") == Path("some/train.jsonl")


def test_a_file_of_the_hub_is_fetched_by_data_set_and_path() -> None:
    asked = []

    def fetch(data_set: str, path: str) -> Path:
        asked.append((data_set, path))
        return Path("fetched.jsonl")

    assert data_file("hub:owner/data/main/train.jsonl", fetch) == Path("fetched.jsonl")
    assert asked == [("owner/data", "main/train.jsonl")]


@pytest.mark.parametrize("name", ["hub:", "hub:owner/data", "hub:owner/data/train.parquet"])
def test_a_hub_name_without_a_file_of_rows_is_refused(name) -> None:
    with pytest.raises(ExamplesInvalid, match=r"file\.jsonl"):
        data_file(name)
