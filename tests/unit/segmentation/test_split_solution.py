import time
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from surefoot.domain import Splitting
from surefoot.errors import EmptyStep, NoSteps
from surefoot.segmentation import join_steps, split_solution
from surefoot.segmentation.methods import METHODS

few_examples = settings(max_examples=60, deadline=None)
every_splitting = pytest.mark.parametrize("splitting", get_args(Splitting))

FRAGMENTS = [
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "\u2028",
    "\x85",
    "  ",
    "\t",
    "Step 1: ",
    "**Step 2**",
    "### Step 3",
    "step 4.",
    "1. ",
    "2) ",
    "10. ",
    "```",
    "```python",
    "~~~~",
    "$$",
    r"\[",
    r"\]",
    r"\begin{align}",
    r"\end{align}",
    "\\\\",
    "<sep>",
    "x = 1",
    "π🙂",
    "\x00",
    "\ud800",
    "\x0crac",
    "$",
]
texts = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=4), max_size=30).map("".join)


def steps_of(text, splitting, separator=None):
    return [step.text for step in split_solution(text, splitting, separator).steps]


def test_every_splitting_has_a_method():
    assert set(METHODS) == set(get_args(Splitting))


# What holds of every splitting.


@every_splitting
@few_examples
@given(text=texts.filter(lambda text: text.replace("<sep>", "").strip()))
@example(text="a\x00\ud800\nb")
def test_steps_are_stripped_pieces_at_their_spans(splitting, text):
    solution = split_solution(text, splitting, "<sep>")
    assert solution.text == text
    for step in solution.steps:
        assert text[slice(*step.span)] == step.text == step.text.strip() != ""


@every_splitting
@few_examples
@given(text=texts.filter(lambda text: text.replace("<sep>", "").strip()))
def test_only_whitespace_and_separators_lie_between_steps(splitting, text):
    position, outside = 0, []
    for step in split_solution(text, splitting, "<sep>").steps:
        assert step.span[0] >= position
        outside.append(text[position : step.span[0]])
        position = step.span[1]
    rest = " ".join([*outside, text[position:]])
    assert (rest.replace("<sep>", "") if splitting == "separator" else rest).strip() == ""


@every_splitting
@pytest.mark.parametrize("text", ["", " \n\t\r\n \u2028 "])
def test_blank_text_has_no_steps(splitting, text):
    with pytest.raises(NoSteps) as caught:
        split_solution(text, splitting, "<sep>")
    assert caught.value.param == "solution"


@every_splitting
@pytest.mark.parametrize(
    "block",
    [
        "```python\nStep 1: a\n\n1. b\n\n2. c<sep>\n```",
        "~~~\nStep 1: a\n\n```\n\n2. c<sep>\n~~~~",
        "$$\na\n\nStep 2: b<sep>\n$$",
        "\\[\na\n\n1. b\n\n2. c<sep>\n\\]",
        "\\begin{align}\na\\\\[2pt]\n\n<sep>\\begin{align}\n1. b\n\\end{align}\n\n2. c\n\\end{align}",
    ],
)
def test_blocks_are_never_torn_apart(splitting, block):
    text = f"before\n\n{block}\n\nafter"
    assert any(block in step for step in steps_of(text, splitting, "<sep>"))


@pytest.mark.parametrize("opener", ["```", "~~~", "$$", r"\[", r"\]", r"\begin{align}", r"\end{align}", "```\n~~~"])
def test_unterminated_block_protects_nothing(opener):
    assert steps_of(f"a\n{opener} x\nb", "newline")[-1] == "b"


@pytest.mark.parametrize("text", ["a \\$$ b\nc $$", "a \\\\[2pt]\nc \\]", "a ```inline``` b\n```"])
def test_what_only_looks_like_an_opener_protects_nothing(text):
    assert len(steps_of(text, "newline")) == 2


def test_shorter_fence_does_not_close_a_longer_one():
    assert len(steps_of("````\na\n```\nb\n````", "newline")) == 1


@pytest.mark.parametrize("block", ["$$a$$", "```\na\n```", "~~~\n$$\n~~~", "\\[ a \\]"])
def test_text_between_two_blocks_is_not_protected(block):
    assert steps_of(f"{block}\nb\n{block}", "newline") == [block, "b", block]


def test_text_on_a_block_s_own_lines_stays_with_it():
    assert steps_of("we get $$\nx\n$$ so\ny", "newline") == ["we get $$\nx\n$$ so", "y"]


@pytest.mark.parametrize("splitting", ["auto", "separator"])
@pytest.mark.parametrize(
    "unit",
    [
        *(
            "step 1: a\n",
            "1. ",
            "1. a\n",
            " ",
            "\n",
            "\n ",
            "\t\n",
            "$$",
            "\\",
            "\\[",
            "\\$",
            "~",
            "`",
            "#",
            "**",
            "<sep>",
        ),
        *("```a\n", "````\n```x\n", "\\begin{a}", "\\begin{a}\\end{b}", "x = 1. So\n\n"),
    ],
)
def test_time_is_linear_in_the_text(splitting, unit):
    text = "x" + unit * (400_000 // len(unit))
    started_s = time.process_time()
    split_solution(text, splitting, "<sep>")
    assert time.process_time() - started_s < 3  # quadratic time would take minutes


# Each splitting.


def test_newline_splits_at_every_kind_of_line_break():
    text = "a\nb\r\nc\rd\u2028e\u2029f\x85g"
    assert steps_of(text, "newline") == list("abcdefg")


def test_newline_does_not_split_at_a_form_feed():
    assert steps_of("\x0crac{1}{2} \x0b x", "newline") == ["rac{1}{2} \x0b x"]


def test_blank_line_keeps_neighbouring_lines_together():
    assert steps_of("a\nb\n \t\n\nc\r\n\r\nd", "blank_line") == ["a\nb", "c", "d"]


def test_numbered_lines_begin_steps():
    assert steps_of("Plan:\n1. a\nmore\n2) b\n**3.** c\n### 4. d", "numbered") == [
        "Plan:",
        "1. a\nmore",
        "2) b",
        "**3.** c",
        "### 4. d",
    ]


def test_numbered_ignores_numbers_that_do_not_rise():
    assert steps_of("1. a\n2. b\n1. inner\n2. inner\n3. c", "numbered") == ["1. a", "2. b\n1. inner\n2. inner", "3. c"]


def test_numbered_ignores_deeper_lists():
    assert steps_of("1. a\n   2. inner\n2. b", "numbered") == ["1. a\n   2. inner", "2. b"]


@pytest.mark.parametrize("line", ["3.14 is pi", "2.b", "12345. b", "2 b"])
def test_numbered_needs_a_mark_and_a_space_after_a_short_number(line):
    assert len(steps_of(f"1. a\n{line}", "numbered")) == 1


@pytest.mark.parametrize(
    "line",
    [
        "Step 2: b",
        "step 2. b",
        "STEP 2) b",
        "Step 2 - b",
        "**Step 2**: b",
        "**Step 2: b**",
        "### Step 2",
        "## **Step 2** b",
        "  Step 2: b",
        "Step #2: b",
        "Step 2",
    ],
)
def test_step_prefix_begins_a_step(line):
    assert steps_of(f"Step 1: a\n{line}\nmore", "step_prefix") == ["Step 1: a", f"{line.strip()}\nmore"]


@pytest.mark.parametrize("line", ["Step 2 gives b", "by Step 2: b", "Stepping 2: b", "Step two: b", "Step 2.5 b"])
def test_prose_about_steps_begins_no_step(line):
    assert len(steps_of(f"Step 1: a\n{line}", "step_prefix")) == 1


def test_text_before_the_first_step_is_a_step():
    assert steps_of("We plan.\n\nStep 1: a", "step_prefix") == ["We plan.", "Step 1: a"]


@pytest.mark.parametrize("separator", ["<extra_0>", "ки", "\n\n", ".*"])
def test_separator_is_taken_literally(separator):
    assert steps_of(f"a{separator} b{separator}{separator}c", "separator", separator) == ["a", "b", "c"]


@pytest.mark.parametrize("separator", [None, ""])
def test_separator_splitting_needs_a_separator(separator):
    with pytest.raises(ValueError, match="non-empty separator"):
        split_solution("a", "separator", separator)


def test_text_of_separators_alone_has_no_steps():
    with pytest.raises(NoSteps):
        split_solution("ки \n ки", "separator", "ки")


@pytest.mark.parametrize(
    ("text", "splitting"),
    [
        ("Step 1: a\n1. x\n2. y\n\nStep 2: b", "step_prefix"),
        ("Step 1: a\n\n1. b\n\n2. c\nd", "numbered"),
        ("1. a\n\nb\n\n3. c\nd", "blank_line"),
        ("a\nb\n\n\n", "newline"),
        ("a\nb", "newline"),
    ],
)
def test_auto_follows_the_clearest_structure(text, splitting):
    assert steps_of(text, "auto") == steps_of(text, splitting)


# Joining.


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=8), st.text(max_size=4))
@few_examples
def test_joined_steps_are_kept_at_their_spans(steps, separator):
    solution = join_steps(steps, separator)
    assert solution.text == separator.join(steps)
    assert (
        [solution.text[slice(*step.span)] for step in solution.steps] == steps == [step.text for step in solution.steps]
    )


@given(st.lists(st.text("ab \n", min_size=1).map(str.strip).filter(bool), min_size=1, max_size=8))
@few_examples
def test_splitting_undoes_joining(steps):
    solution = join_steps(steps, "<sep>")
    assert split_solution(solution.text, "separator", "<sep>") == solution


def test_joining_nothing_has_no_steps():
    with pytest.raises(NoSteps) as caught:
        join_steps([], "\n")
    assert caught.value.param == "steps"


@pytest.mark.parametrize("blank", ["", " \n", "\u2003"])
def test_blank_step_is_refused_by_its_index(blank):
    with pytest.raises(EmptyStep, match=r"steps\[1\]") as caught:
        join_steps(["a", blank], "\n")
    assert caught.value.param == "steps"


def test_blank_steps_are_kept_where_they_are_allowed():
    solution = join_steps(["a", "", " ", "b"], "\n", allow_blank=True)
    assert [step.span for step in solution.steps] == [(0, 1), (2, 2), (3, 4), (5, 6)]
