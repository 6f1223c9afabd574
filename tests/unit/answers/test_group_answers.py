from collections import defaultdict
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.answers import group_answers
from surefoot.answers.canonical import canonical_key

few_examples = settings(max_examples=100, deadline=None)


@dataclass
class TableJudge:
    """Holds the listed pairs for equivalent and remembers what it was asked."""

    pairs: set[frozenset[str]] = field(default_factory=set)
    asked: list[frozenset[str]] = field(default_factory=list)

    def equivalent(self, first, second):
        self.asked.append(frozenset({first, second}))
        return frozenset({first, second}) in self.pairs


def judge_of(*pairs):
    return TableJudge({frozenset(pair) for pair in pairs})


def partition(answers, groups):
    members = defaultdict(set)
    for answer, group in zip(answers, groups, strict=True):
        members[group].add(answer)
    return {frozenset(group) for group in members.values()}


def test_classes_are_numbered_by_first_appearance():
    assert group_answers(["7", None, "x", "7.0", "2"], judge_of()) == [0, None, 1, 0, 2]


def test_equal_keys_are_one_class_without_the_judge():
    judge = judge_of()
    assert group_answers(["1/2", "0.5", r"\frac12"], judge) == [0, 0, 0]
    assert judge.asked == []


def test_different_numbers_are_never_put_to_the_judge():
    judge = judge_of(("1/3", "0.333"))
    assert group_answers(["1/3", "0.333", "50%"], judge) == [0, 1, 2]
    assert judge.asked == []


def test_judge_joins_answers_of_different_keys():
    assert group_answers(["a+b", "c", "b+a"], judge_of(("a+b", "b+a"))) == [0, 1, 0]


def test_equivalence_is_transitive():
    assert group_answers(["a", "b", "c"], judge_of(("a", "b"), ("b", "c"))) == [0, 0, 0]


def test_a_third_answer_does_not_join_two_numbers():
    groups = group_answers(["1/3", "x", "0.333"], judge_of(("1/3", "x"), ("x", "0.333")))
    assert groups[0] != groups[2]


def test_no_pair_is_asked_twice():
    judge = judge_of()
    group_answers(["a", "b", "a", "c", "b"], judge)
    assert len(judge.asked) == len(set(judge.asked)) == 3


def test_members_of_one_class_are_not_asked_again():
    judge = judge_of(("a", "b"), ("a", "c"))
    group_answers(["a", "b", "c"], judge)
    assert len(judge.asked) == 2


def test_shortest_spelling_is_put_to_the_judge():
    judge = judge_of()
    group_answers(["$x$.", "y", "x", "x "], judge)
    assert judge.asked == [frozenset({"x", "y"})]


@pytest.mark.parametrize("max_pairs", [0, 1, 2])
def test_no_more_pairs_are_asked_than_allowed(max_pairs):
    judge = judge_of()
    group_answers(["a", "b", "c"], judge, max_pairs=max_pairs)
    assert len(judge.asked) == max_pairs


def test_frequent_answers_are_asked_first():
    judge = judge_of()
    group_answers(["a", "z", "b", "z", "y", "y"], judge, max_pairs=1)
    assert judge.asked == [frozenset({"y", "z"})]


def test_pairs_beyond_the_time_budget_count_as_different():
    seconds = iter(range(100))
    judge = judge_of(("a", "b"), ("a", "c"), ("b", "c"))
    assert group_answers(["a", "b", "c"], judge, time_budget_s=1.5, clock=lambda: next(seconds)) == [0, 0, 1]


def test_long_answers_are_compared_by_key_alone():
    long = "x" * 201
    judge = judge_of((long, "y"))
    assert group_answers([long, "y", f"${long}$"], judge) == [0, 1, 0]


def test_a_thousand_different_numbers_ask_nothing():
    judge = judge_of()
    assert group_answers([str(number) for number in range(1000)], judge) == list(range(1000))
    assert judge.asked == []


def test_nothing_has_no_classes():
    assert group_answers([], judge_of()) == []


names = st.sampled_from(["a", "b", "c", "1", "2", "1/2", "0.5", "$a$"])
tables = st.sets(st.frozensets(names, min_size=2, max_size=2))


@few_examples
@given(st.lists(st.none() | names, max_size=12), tables)
def test_numbers_run_from_zero_and_only_missing_answers_have_none(answers, table):
    groups = group_answers(answers, TableJudge(table))
    assert [group is None for group in groups] == [answer is None for answer in answers]
    seen = list(dict.fromkeys(group for group in groups if group is not None))
    assert seen == list(range(len(seen)))


@few_examples
@given(st.lists(names, max_size=12), tables, st.randoms(use_true_random=False))
def test_classes_do_not_depend_on_the_order_of_the_candidates(answers, table, shuffle):
    shuffled = list(answers)
    shuffle.shuffle(shuffled)
    expected = partition(answers, group_answers(answers, TableJudge(table)))
    assert partition(shuffled, group_answers(shuffled, TableJudge(table))) == expected


@few_examples
@given(st.lists(names, max_size=12), tables)
def test_no_class_holds_two_numbers(answers, table):
    for group in partition(answers, group_answers(answers, TableJudge(table))):
        assert len({key for answer in group if (key := canonical_key(answer))[0].isdigit()}) <= 1
