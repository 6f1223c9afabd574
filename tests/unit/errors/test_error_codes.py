"""Codes are part of the API: each names one error, and the tree at the top of the room shows every class."""

import pytest

import surefoot.errors
from surefoot.errors import (
    BulkError,
    EvaluationError,
    ItemError,
    RequestError,
    StartupError,
    SurefootError,
    TrainingError,
)

FAMILIES = (SurefootError, ItemError, RequestError, StartupError, EvaluationError, BulkError, TrainingError)
CLASSES = [getattr(surefoot.errors, name) for name in surefoot.errors.__all__]
LEAVES = [error for error in CLASSES if error not in FAMILIES]


def test_no_code_names_two_errors() -> None:
    codes = [error.code for error in LEAVES]
    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize("error", LEAVES)
def test_every_error_has_a_code_of_its_own_in_snake_case(error) -> None:
    assert "code" in vars(error)
    assert error.code.replace("_", "").isalpha()
    assert error.code.islower()


@pytest.mark.parametrize("error", LEAVES)
def test_every_error_belongs_to_one_family(error) -> None:
    assert sum(issubclass(error, family) for family in FAMILIES[1:]) == 1


@pytest.mark.parametrize("error", CLASSES)
def test_the_tree_shows_every_class(error) -> None:
    assert error.__name__ in surefoot.errors.__doc__.replace("·", " ").replace(":", " ").split()
