"""Names of dialects are the same wherever they switch something, and no error becomes another one on its way."""

from typing import get_args

import pytest

from surefoot.api.dialects.score_scale import SCALINGS, Scaling, best_first
from surefoot.api.dialects.shapes import shape_of
from surefoot.api.dialects.table import ROUTERS
from surefoot.api.error_shapes import NATIVE
from surefoot.domain import Dialect
from surefoot.errors import InputTooLong, ModelStopped
from surefoot.settings.dialects import DialectSettings


def test_every_dialect_has_routes() -> None:
    assert set(ROUTERS) == set(get_args(Dialect))


def test_every_dialect_is_a_setting() -> None:
    assert set(DialectSettings.model_fields) == set(get_args(Dialect))


def test_all_dialects_are_spoken_by_default() -> None:
    assert DialectSettings().spoken() == set(get_args(Dialect))


@pytest.mark.parametrize("name", get_args(Dialect))
def test_a_dialect_is_switched_off_alone(name) -> None:
    assert DialectSettings(**{name: False}).spoken() == set(get_args(Dialect)) - {name}


def test_every_scale_has_a_function() -> None:
    assert set(SCALINGS) == set(get_args(Scaling))


@pytest.mark.parametrize(
    "path", [route.path for routers in ROUTERS.values() for one in routers for route in one.routes]
)
def test_every_path_of_a_dialect_has_its_systems_errors(path) -> None:
    assert shape_of(path) is not NATIVE


@pytest.mark.parametrize("path", ["/score", "/rerank", "/surefoot/v1/score", "/v1/chat/completions", "/nowhere", ""])
def test_every_other_path_has_native_errors(path) -> None:
    assert shape_of(path) is NATIVE


def test_of_equal_scores_the_first_comes_first() -> None:
    assert best_first([0.5, 0.7, 0.5, 0.7]) == [1, 3, 0, 2]


@pytest.mark.parametrize("error", [InputTooLong(9, 4), ModelStopped("stuck")])
def test_an_error_of_one_input_stays_what_it_is(error) -> None:
    told = error.at("documents[1]")
    assert (type(told), told.code, told.retryable) == (type(error), error.code, error.retryable)
    assert (told.message, told.param) == (f"documents[1]: {error.message}", "documents[1]")


def test_an_error_of_one_input_leaves_the_others_alone() -> None:
    error = ModelStopped("stuck")
    error.at("documents[1]")
    assert (error.message, error.param) == ("stuck", None)
