import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.answers.extraction import extract_answer

few_examples = settings(max_examples=100, deadline=None)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"so \boxed{42}.", "42"),
        (r"\boxed{1} then \boxed{2}", "2"),
        (r"\boxed{\frac{1}{\sqrt{2}}}", r"\frac{1}{\sqrt{2}}"),
        (r"\fbox{7}", "7"),
        (r"\boxed {7}", "7"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed{\left\{ x \right.}", r"\left\{ x \right."),
        (r"\boxed{\boxed{3}}", "3"),
        ("\\boxed{\n5\n}", "5"),
        (r"\boxed{5} and \boxed{ }", "5"),
        (r"\boxed{5} and \boxed{6", "5"),
        (r"\boxed{5} the answer is 6 #### 7", "5"),
    ],
)
def test_boxed_answer_comes_first(text, answer):
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("2 + 2 = 4\n#### 4", "4"),
        ("#### 4\nQuestion: 9?\n#### 1,234.", "1,234"),
        ("#### 72\n\nQuestion: what is 3?", "72"),
        ("#### yes", "yes"),
        ("#### $x$", "x"),
        ("the answer is 5\n#### 6", "6"),
    ],
)
def test_answer_after_hashes_comes_second(text, answer):
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    "heading",
    ["#### Step 1: count 3", "#### Conclusion", "#### 1. Count", "##### 9", "#### Adding 3:", "#### **Sum of 3:**"],
)
def test_heading_is_no_answer(heading):
    assert extract_answer(f"{heading}\nWe see. The answer is 5.") == "5"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is 5.", "5"),
        ("THE ANSWER IS: 5", "5"),
        ("So the final answer is $\\frac{1}{2}$.", r"\frac{1}{2}"),
        ("The answer is \\(x^2\\), as 3 shows.", "x^2"),
        ("The answer is $$\n7\n$$", "7"),
        ("The answer is\n\\[ 7 \\]", "7"),
        ("**Final Answer:** **12**", "12"),
        ("**Final Answer**: 12", "12"),
        ("Answer: (B)", "(B)"),
        ("The answer is 3.5. Then 4 more.", "3.5"),
        ("The answer is 5! ways", "5! ways"),
        ("The answer is blue.\nThe 3 of us agree.", "blue"),
        ("The answer is 1. No, the answer is 2.", "2"),
        ("The answer is $x=2$ or $x=3$.", "$x=2$ or $x=3$"),
        ("The answer is $18.", "$18"),
        ("The answer is $18 + $2$.", "$18 + $2$"),
        ("The answer is ...\n9", "9"),
        ("**The answer is 7.**", "7"),
        ("**The answer is 7**", "7"),
        ("**The answer is:** 7", "7"),
        ("The answer is **7**.", "7"),
        ("The answer is 2**3", "2**3"),
        ("The answer is 7. So the answer is", "7"),
    ],
)
def test_answer_in_words_comes_third(text, answer):
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("first 3 then 4 apples", "4"),
        ("it costs $1,234.50 now", "1,234.50"),
        ("that is 3/4 of it", "3/4"),
        ("it falls to -7 degrees", "-7"),
        ("it falls to −7 degrees", "-7"),
        ("that is 12.5% more", "12.5%"),
        ("that is 12\\% more", "12\\%"),
        ("10-3", "3"),
        ("about -$5", "-5"),
        ("about .5", ".5"),
        ("about 6.02e23 of them", "6.02e23"),
        ("it is \\frac{3}{4} of it", "\\frac{3}{4}"),
        ("it is 5.", "5"),
        ("1,2345", "2345"),
    ],
)
def test_last_number_is_the_last_resort(text, answer):
    assert extract_answer(text) == answer


@pytest.mark.parametrize("text", ["", " \n", "no idea", "\\boxed{}", "####", "The answer is", "\ud800\x00", "\\boxed{"])
def test_text_that_states_nothing_has_no_answer(text):
    assert extract_answer(text) is None


@few_examples
@given(st.text())
def test_any_text_is_read_without_error(text):
    answer = extract_answer(text)
    assert answer is None or answer == answer.strip() != ""


@few_examples
@given(st.text(), st.text("ab12 +-", min_size=1).map(str.strip).filter(bool))
def test_a_box_at_the_end_is_always_found(text, answer):
    assert extract_answer(f"{text}\n\\boxed{{{answer}}}") == answer


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "\\boxed{",
            "\\boxed{}",
            "{",
            "}",
            "#### a\n",
            "####",
            "####:",
            "#### ",
            ":",
            "answer ",
            "the answer is ",
            " ",
        ),
        *(
            "the answer is:\n",
            "9",
            "1,",
            ",234",
            "1/",
            "-",
            "$",
            "**",
            "$$",
            "the answer is $x",
            "\\(",
            ".",
            ". ",
            "1e",
        ),
    ],
)
@pytest.mark.parametrize("prefix", ["", "The answer is ", "#### "])
def test_time_is_linear_in_the_text(prefix, unit):
    text = prefix + unit * (200_000 // len(unit))
    started_s = time.process_time()
    extract_answer(text)
    assert time.process_time() - started_s < 2  # quadratic time would take minutes
