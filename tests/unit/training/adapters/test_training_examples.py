"""From rows to targets: at the served places, up to the first error, in the classes of the readout."""

import pytest

from surefoot.domain import ScoreTask
from surefoot.errors import NotTrainable
from surefoot.profiles import load_profile
from surefoot.rendering.fake_tokenizer import FakeTokenizer
from surefoot.training.examples import (
    FINAL_SHARE,
    columns_of,
    generator_example,
    is_wanted,
    outcome_example,
    outcome_of,
    process_example,
    solution_start,
    up_to_last_target,
    with_words,
)
from surefoot.training.labelled_row import LabelledRow
from surefoot.wiring.training import served_render

PRM, ORM, THREE = (load_profile(name) for name in ("embedded-prm", "embedded-orm", "prm800k"))
STEPS = ("one", "two", "three", "four")
RIGHT, WRONG = (1.0, 0.0), (0.0, 1.0)


def render_of(profile):
    return served_render(profile, FakeTokenizer.for_profile(profile), 4096)


def row(*labels, **facts) -> LabelledRow:
    return LabelledRow("1 + 1?", STEPS[: len(labels)], labels, **facts)


def targets(*labels, profile=PRM, **facts):
    return process_example(row(*labels, **facts), render_of(profile), profile).targets


def test_targets_stand_where_the_service_reads() -> None:
    example = process_example(row(1, 1, 1), render_of(PRM), PRM)
    assert example.positions == render_of(PRM)(ScoreTask("1 + 1?", steps=STEPS[:3])).readout_positions


def test_supervision_stops_at_the_first_error() -> None:
    assert targets(1, -1, 1, -1) == (RIGHT, WRONG)


def test_a_step_without_a_label_has_no_target() -> None:
    example = process_example(row(1, None, 1), render_of(PRM), PRM)
    assert example.positions == (example.rendered.readout_positions[0], example.rendered.readout_positions[2])


def test_soft_labels_are_the_targets() -> None:
    assert targets(1, 1, 1, soft_labels=(0.75, None, 0.25)) == ((0.75, 0.25), RIGHT, (0.25, 0.75))


def test_supervision_stops_where_no_rollout_was_right() -> None:
    assert targets(1, -1, -1, soft_labels=(0.5, 0.0, 0.0)) == ((0.5, 0.5), WRONG)


def test_neutral_is_a_class_of_its_own_where_there_is_one() -> None:
    assert targets(0, 1, -1, profile=THREE) == ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0))


def test_neutral_may_be_a_word_of_its_own() -> None:
    words = PRM.readout.model_copy(update={"neutral": "0"})
    profile = PRM.model_copy(update={"readout": words})
    assert columns_of(profile) == ("positive", "negative", "neutral")
    assert targets(1, 0, -1, profile=profile) == ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0))


def test_neutral_is_right_for_two_classes() -> None:
    assert targets(0, 1) == (RIGHT, RIGHT)


def test_what_is_judged_is_every_step_with_a_label() -> None:
    assert process_example(row(1, -1, None, 1), render_of(PRM), PRM).is_right == (True, False, None, True)


def test_the_last_tokens_of_a_step_share_its_target() -> None:
    example = process_example(row(1, -1), render_of(PRM), PRM, tail_tokens=3)
    first, second = render_of(PRM)(ScoreTask("1 + 1?", steps=STEPS[:2])).readout_positions
    assert example.positions == (first - 2, first - 1, first, second - 2, second - 1, second)
    assert example.targets == (RIGHT,) * 3 + (WRONG,) * 3
    assert example.weights == (0.25, 0.25, 0.5) * 2


def test_a_tail_ends_where_its_step_begins() -> None:
    example = process_example(row(1, 1), render_of(PRM), PRM, tail_tokens=10_000)
    assert len(set(example.positions)) == len(example.positions)
    assert example.positions == tuple(range(example.positions[0], example.positions[-1] + 1))
    assert example.positions[0] > len("1 + 1?")


def test_a_row_without_any_label_is_refused() -> None:
    with pytest.raises(ValueError, match="labels say nothing"):
        targets(None, None)


@pytest.mark.parametrize("name", ["eurus-prm", "skywork-o1-open-prm", "sequence-classification"])
def test_what_has_no_loss_is_refused_by_its_readout(name: str) -> None:
    with pytest.raises(NotTrainable, match=load_profile(name).readout.method):
        columns_of(load_profile(name))


def test_right_steps_may_be_learned_to_be_written() -> None:
    solution = row(1, 1, -1)
    whole = process_example(solution, render_of(PRM), PRM)
    found = with_words(whole, solution_start(solution, whole.rendered, render_of(PRM)))
    written = "".join(chr(whole.rendered.token_ids[place + 1]) for place in found.word_positions)
    assert written == "one\ntwo\n"


def test_of_a_solution_that_begins_wrong_nothing_is_learned_to_be_written() -> None:
    solution = row(-1, None)
    whole = process_example(solution, render_of(PRM), PRM)
    assert with_words(whole, solution_start(solution, whole.rendered, render_of(PRM))).word_positions == ()


def test_what_follows_the_last_target_is_left_out() -> None:
    whole = process_example(row(1, -1, None, None), render_of(PRM), PRM)
    found = up_to_last_target(whole)
    assert found.rendered.token_ids == whole.rendered.token_ids[: whole.positions[-1] + 1]
    assert found.rendered.readout_positions == whole.rendered.readout_positions[:2]
    assert (found.positions, found.targets, found.is_right) == (whole.positions, whole.targets, (True, False))


def test_an_outcome_is_read_at_the_end_alone() -> None:
    example = outcome_example(row(1, 1), render_of(ORM), ORM, every_token=False)
    assert (example.positions, example.targets) == (example.rendered.readout_positions, (RIGHT,))


def test_every_token_of_the_solution_is_a_target() -> None:
    example = outcome_example(row(1, -1), render_of(ORM), ORM, every_token=True)
    tokenizer = FakeTokenizer.for_profile(ORM)
    text = tokenizer.spelled([example.rendered.token_ids[place] for place in example.positions])
    assert text.startswith("one\ntwo<|im_end|>")
    assert set(example.targets) == {WRONG}


def test_the_token_that_is_served_weighs_as_much_as_all_others() -> None:
    weights = outcome_example(row(1, 1), render_of(ORM), ORM, every_token=True).weights
    assert weights[-1] == FINAL_SHARE
    assert sum(weights) == pytest.approx(1)


@pytest.mark.parametrize(
    ("labels", "is_correct", "expected"),
    [((1, 1), None, True), ((1, -1), None, False), ((1, None), None, None), ((None, None), False, False)],
)
def test_the_outcome_is_that_of_the_answer_or_of_all_steps(labels, is_correct, expected) -> None:
    assert outcome_of(row(*labels, is_correct=is_correct)) is expected


def test_an_outcome_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="is_correct"):
        outcome_example(row(1, None), render_of(ORM), ORM, every_token=False)


def test_answers_choose_the_rows() -> None:
    rows = [row(1, 1), row(1, -1), row(1, None)]
    assert [[is_wanted(each, answers) for each in rows] for answers in ("correct", "wrong", "any")] == [
        [True, False, False],
        [False, True, False],
        [True, True, True],
    ]


def test_a_generator_learns_the_solution_and_its_end() -> None:
    prompt = (7, 8, 9)
    example = generator_example(row(1, 1), lambda _: prompt, lambda text: list(map(ord, text)), 99)
    assert example.rendered.token_ids == (*prompt, *map(ord, "one\ntwo"), 99)
    assert [example.rendered.token_ids[place + 1] for place in example.positions] == list(example.targets)
    assert example.positions[0] == len(prompt) - 1
