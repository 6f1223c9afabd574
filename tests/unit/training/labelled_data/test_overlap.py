"""Which problems are copies: numbers and punctuation do not tell them apart, a common topic does not join them."""

import pytest

from surefoot.training.overlap import ProblemIndex, masked_words

TRAIN = "A train travels 270 miles in 3 hours. At the same rate, how many hours does it need for 180 more miles?"
INDEX = ProblemIndex([TRAIN, "Ann has 5 apples."])

COPIES = {
    "itself": (TRAIN, "exact"),
    "other numbers": (TRAIN.replace("270", "1,200").replace("180", "20.5"), "exact"),
    "other punctuation and case": (TRAIN.replace(".", " -").upper(), "exact"),
    "another vehicle": (TRAIN.replace("train", "plane"), "near"),
    "a sentence before it": ("Bob likes to look at trains all day long. " + TRAIN, "near"),
    "another problem": ("A train has 12 cars with 60 seats each. How many people can sit in it?", None),
    "a short one": ("Ann has 6 apples.", "exact"),
    "another short one": ("Ben has 6 pears.", None),
    "nothing": ("", None),
}


@pytest.mark.parametrize(("problem", "expected"), COPIES.values(), ids=COPIES)
def test_copies_are_found(problem, expected) -> None:
    assert INDEX.overlap(problem) == expected


def test_a_common_run_of_thirteen_words_is_enough() -> None:
    words = [f"w{chr(97 + number)}" for number in range(13)]
    index = ProblemIndex([" ".join([*words, *(f"x{chr(97 + number)}" for number in range(26))])])
    around = [f"y{chr(97 + number)}" for number in range(26)]
    assert index.overlap(" ".join([*around, *words])) == "near"
    assert index.overlap(" ".join([*around, *words[:12]])) is None


def test_an_empty_index_has_nothing() -> None:
    assert ProblemIndex([]).overlap(TRAIN) is None


def test_numbers_are_masked() -> None:
    assert masked_words("It's $1,200.50 at 10:30!") == ("its", "0", "at", "0")
