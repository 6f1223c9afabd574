"""The whole recipe: what is fitted, on which solutions, what is measured and what is written."""

import json
from xml.etree import ElementTree as ET

import pytest

from surefoot.errors import LabelsDegenerate, ScaleNotProbability
from surefoot.evaluation.calibration import JudgedSolution, calibrate, calibrated_profile, measure, split
from surefoot.evaluation.calibration_report import ROWS, profile_toml, report_json, report_markdown
from surefoot.evaluation.reliability_diagram import draw_reliability
from surefoot.profiles import Profile, load_profile

PRM = load_profile("embedded-prm")


def judged(*labels: bool | None) -> JudgedSolution:
    return JudgedSolution(tuple((0.5, 0.0) for _ in labels), labels)


@pytest.mark.parametrize(
    ("labels", "is_whole", "first_error"),
    [
        ((True, True), True, None),
        ((True, False, None), True, 1),
        ((True, False, True), True, 1),
        ((True, None, False), False, 2),
        ((True, None), False, None),
    ],
)
def test_the_first_error_is_known_where_every_step_before_it_is(labels, is_whole, first_error) -> None:
    assert (judged(*labels).is_whole, judged(*labels).first_error) == (is_whole, first_error)


def test_an_overconfident_model_is_mended_on_held_out_solutions(drawn) -> None:
    found = calibrate(PRM, drawn(3000, temperature=4.0))
    assert found.profile.readout.temperature == pytest.approx(4.0, rel=0.1)
    assert found.held_out.after.ece < 0.3 * found.held_out.before.ece
    assert found.notices == ()


def test_the_profiles_own_temperature_is_multiplied(drawn) -> None:
    solutions = drawn(500, temperature=4.0)
    halfway = calibrated_profile(PRM, 2.0, 0.5)
    first, second = (calibrate(profile, solutions).profile.readout.temperature for profile in (PRM, halfway))
    assert first == pytest.approx(second, rel=1e-4)


def test_the_measures_after_are_those_of_the_profile_that_is_written(drawn) -> None:
    solutions = drawn(200)
    found = calibrate(PRM, solutions, seed=3)
    _, rest = split(solutions, 0.5, 3)
    assert measure(found.profile, rest) == found.held_out.after


def test_equal_seeds_give_equal_calibrations(drawn) -> None:
    solutions = drawn(200)
    assert calibrate(PRM, solutions, seed=1) == calibrate(PRM, solutions, seed=1)


def test_another_seed_fits_on_other_solutions(drawn) -> None:
    solutions = drawn(50)
    assert split(solutions, 0.5, 1) != split(solutions, 0.5, 2)


def test_the_parts_share_no_solution_and_lose_none(drawn) -> None:
    solutions = drawn(41)
    fitting, rest = split(solutions, 0.3, 0)
    assert sorted([*fitting, *rest], key=solutions.index) == solutions
    assert len(fitting) == pytest.approx(0.3 * 41, abs=1)


def test_both_parts_have_both_sorts_of_solutions() -> None:
    solutions = [judged(False), judged(True), judged(False), judged(True)]
    for part in split(solutions, 0.1, 0):
        assert {solution.first_error for solution in part} == {0, None}


def test_too_few_solutions_of_a_sort_are_refused_with_their_number() -> None:
    with pytest.raises(LabelsDegenerate, match="there are 1 and 3"):
        calibrate(PRM, [judged(False), judged(True), judged(True), judged(True)])


def test_solutions_whose_first_error_is_unknown_count_for_the_temperature_alone() -> None:
    part = measure(PRM, [judged(True), judged(False), judged(None, False)])
    assert (part.num_solutions, part.num_judged_solutions, part.num_steps) == (3, 2, 3)


def test_unbounded_scores_are_refused() -> None:
    with pytest.raises(ScaleNotProbability, match="scale = 'probability'"):
        calibrate(load_profile("sequence-classification"), [])


def test_little_data_is_said_to_be_little(drawn) -> None:
    assert "Little data" in calibrate(PRM, drawn(40)).notices[0]


def test_scores_that_go_against_the_labels_are_named() -> None:
    solutions = [
        JudgedSolution(((-1.0 if right else 1.0, 0.0),), (right,)) for right in (True, False) for _ in range(4)
    ]
    assert any("do not tell right steps from wrong ones" in notice for notice in calibrate(PRM, solutions).notices)


def test_the_written_profile_is_the_calibrated_one(drawn, tmp_path) -> None:
    found = calibrate(PRM, drawn(60))
    path = tmp_path / "profile.toml"
    path.write_text(profile_toml(found.profile, "surefoot evaluate calibration"), encoding="utf-8")
    assert load_profile(str(path)) == found.profile


def test_a_calibrated_profile_is_named_so_once() -> None:
    assert calibrated_profile(calibrated_profile(PRM, 2.0, 0.4), 3.0, 0.4).name == "embedded-prm-calibrated"


def test_golden_scores_of_the_old_temperature_are_left_out() -> None:
    golden = {"problem": "p", "steps": ["a"], "scores": [0.5]}
    pinned = Profile.model_validate(PRM.model_dump() | {"golden": [golden]})
    assert calibrated_profile(pinned, 2.0, 0.5).golden == ()


def test_a_command_cannot_write_into_the_profile() -> None:
    assert profile_toml(PRM, 'x\nname = "other"').startswith('# Made by: x?name = "other"\n#')


def test_the_report_holds_every_measure_before_and_after(drawn) -> None:
    found = calibrate(PRM, drawn(60))
    text = report_markdown(found, {"seed": 0}, None)
    assert all(
        f"| {name} | {write(value(found.held_out.before))} | {write(value(found.held_out.after))} |" in text
        for name, value, write in ROWS
    )


def test_the_report_is_json(drawn) -> None:
    found = calibrate(PRM, drawn(60))
    report = json.loads(json.dumps(report_json(found, {"seed": 0}), allow_nan=False))
    assert report["held_out"]["after"]["threshold"] == found.profile.threshold


def test_the_diagram_is_drawn_in_both_formats_and_repeatable(drawn, tmp_path) -> None:
    found = calibrate(PRM, drawn(60))
    for name in ("first", "second"):
        draw_reliability(found.held_out, "title", [tmp_path / f"{name}.png", tmp_path / f"{name}.svg"])
    assert (tmp_path / "first.png").read_bytes().startswith(b"\x89PNG")
    assert ET.parse(tmp_path / "first.svg").getroot().tag.endswith("svg")
    assert (tmp_path / "first.svg").read_bytes() == (tmp_path / "second.svg").read_bytes()
