"""Drawing: small numbers, GSM8K's format, no problem twice, the same from the same seed."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import ExamplesInvalid
from surefoot.training.word_problems.drawing import MAX_FACTOR, MAX_VALUE, is_easy, word_problems
from surefoot.training.word_problems.splits import TEMPLATES
from surefoot.training.word_problems.template import Event, Template

TWO_NUMBERS = Template(
    "coins",
    "There are {a} gold coins and {b} silver coins.",
    ((Event("", "a:2-4 + b:5-7", "Together there are {=} coins.", "How many coins are there?"),),),
)
ROW = re.compile(r"(?:[^\n]*<<[0-9]+[-+*/][0-9]+=([0-9]+)>>\1[^\n]*\n)+#### [0-9]+")


def test_a_problem_of_one_course_reads_as_it_was_written() -> None:
    (problem,) = word_problems([TWO_NUMBERS], 1, seed=0)
    first, second = map(int, re.findall(r"[0-9]+", problem.question))
    assert problem.question == f"There are {first} gold coins and {second} silver coins. How many coins are there?"
    total = first + second
    assert problem.answer.replace(" ", "").startswith(f"Togetherthereare{first}+{second}=<<{first}+{second}={total}>>")
    assert problem.answer.endswith(f"\n#### {total}")


def test_equal_seeds_draw_equal_problems() -> None:
    first, second = (list(word_problems(TEMPLATES["train"], 50, seed=4)) for _ in range(2))
    assert first == second


def test_another_seed_draws_other_problems() -> None:
    first, second = (set(word_problems(TEMPLATES["train"], 50, seed=seed)) for seed in (4, 5))
    assert not first & second


def test_more_problems_begin_with_the_fewer() -> None:
    fewer, more = (list(word_problems(TEMPLATES["test"], count, seed=4)) for count in (20, 40))
    assert more[:20] == fewer


def test_all_that_the_templates_give_can_be_had() -> None:
    assert len({problem.question for problem in word_problems([TWO_NUMBERS], 9, seed=0)}) == 9


def test_more_than_the_templates_give_is_refused_with_the_largest_count() -> None:
    with pytest.raises(ExamplesInvalid, match="ask for 9 at most") as refused:
        list(word_problems([TWO_NUMBERS], 10, seed=0))
    assert refused.value.param == "--count"


def test_a_template_that_no_numbers_fit_says_so() -> None:
    impossible = Template("none", "", ((Event("", "a:2-4 - b:5-7", "That is {=} then.", "How many?"),),))
    with pytest.raises(ValueError, match="no numbers fit"):
        list(word_problems([impossible], 1, seed=0))


def test_every_answer_is_written_as_gsm8k_writes_it(samples) -> None:
    for problem in (problem for problems in samples.values() for problem in problems):
        assert ROW.fullmatch(problem.answer), problem.answer


def test_no_slot_is_left_open(samples) -> None:
    for problem in (problem for problems in samples.values() for problem in problems):
        assert not set("{}|") & set(problem.question + problem.answer)


def test_every_sentence_begins_with_a_capital_letter_or_a_number(samples) -> None:
    for problem in (problem for problems in samples.values() for problem in problems):
        sentences = re.split(r"(?<=[.?]) ", problem.question)
        assert all(sentence[0].isupper() or sentence[0].isdigit() for sentence in sentences), problem.question


def test_steps_of_all_numbers_are_about_as_frequent(samples) -> None:
    for split, problems in samples.items():
        counts = Counter(problem.num_steps for problem in problems)
        assert set(counts) == ({1} if split == "sums" else {1, 2, 3})
        assert min(counts.values()) > len(problems) / 5


def test_all_numbers_of_a_problem_differ(samples) -> None:
    for problem in (problem for problems in samples.values() for problem in problems):
        told = re.findall(r"[0-9]+", problem.question)
        results = re.findall(r"=([0-9]+)>>", problem.answer)
        assert len({*told, *results}) == len(told) + len(results), problem


def test_most_sums_and_differences_stay_below_a_hundred(samples) -> None:
    results = [
        int(result)
        for problem in samples["train"]
        for result in re.findall(r"<<[0-9]+[-+][0-9]+=([0-9]+)>>", problem.answer)
    ]
    assert sum(result < 100 for result in results) > 0.85 * len(results)


def test_most_products_are_of_the_tables(samples) -> None:
    factors = [
        max(map(int, pair))
        for problem in samples["train"]
        for pair in re.findall(r"<<([0-9]+)\*([0-9]+)=", problem.answer)
    ]
    assert sum(factor <= MAX_FACTOR for factor in factors) > 0.6 * len(factors)


@given(left=st.integers(2, 200), right=st.integers(2, 200), sign=st.sampled_from("+-*/"))
def test_what_is_easy_gives_a_small_whole_number(left, right, sign) -> None:
    if is_easy(left, sign, right):
        exact = {"+": left + right, "-": left - right, "*": left * right, "/": left / right}[sign]
        assert exact == int(exact)
        assert 2 <= exact <= MAX_VALUE


def test_division_with_a_remainder_is_not_easy() -> None:
    assert not is_easy(25, "/", 4)
