"""Templates and the numbers of steps."""

import pytest

from surefoot.rendering.renderer import fill, numbered


def test_fields_inside_values_stay_text() -> None:
    assert fill("{problem} {step}", {"problem": "{step}", "step": "{problem}"}) == "{step} {problem}"


def test_other_braces_stay_text() -> None:
    assert fill(r"\frac{1}{2} {step}", {"step": "x"}) == r"\frac{1}{2} x"


def test_a_field_without_a_value_stays_text() -> None:
    assert fill("{index} {step}", {"step": "x"}) == "{index} x"


def test_a_step_gets_its_number() -> None:
    assert numbered("Step {index}: {step}", 1, "So x.") == "Step 2: So x."


@pytest.mark.parametrize("step", ["Step 7: So x.", "step 2. So x.", "  Step 2 : So x."])
def test_a_step_that_has_a_number_keeps_it(step) -> None:
    assert numbered("Step {index}: {step}", 1, step) == step


@pytest.mark.parametrize("step", ["Steps 1: x", "Step by step: x", "In Step 2: x"])
def test_a_step_that_only_looks_numbered_gets_one(step) -> None:
    assert numbered("Step {index}: {step}", 1, step) == f"Step 2: {step}"
