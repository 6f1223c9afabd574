"""A judge that remembers: the same verdicts, each pair asked for once."""

from surefoot.answers.remembered import RememberingJudge


class Asked:
    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []

    def equivalent(self, first: str, second: str) -> bool:
        self.pairs.append((first, second))
        return {first, second} == {"x", "y"}


def test_verdicts_are_the_judges() -> None:
    judge = RememberingJudge(Asked())
    assert [judge.equivalent("x", "y"), judge.equivalent("x", "z")] == [True, False]


def test_a_pair_is_asked_for_once_in_either_order() -> None:
    asked = Asked()
    judge = RememberingJudge(asked)
    assert [judge.equivalent("x", "y"), judge.equivalent("y", "x"), judge.equivalent("x", "y")] == [True] * 3
    assert asked.pairs == [("x", "y")]
