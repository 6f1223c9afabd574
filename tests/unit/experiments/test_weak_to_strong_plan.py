"""The grid: who learns from whom, each training once."""

import pytest

from surefoot.experiments.weak_to_strong.plan import Cell, Pair, cells, chain_between, parse_pair, slug


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4:30", Pair("4", "30")),
        ("scratch-2x64:hub:owner/name", Pair("scratch-2x64", "hub:owner/name")),
        ("hub:a/b:models/c", Pair("hub:a/b", "models/c")),
    ],
)
def test_a_pair_is_two_sizes(text: str, expected: Pair) -> None:
    assert parse_pair(text) == expected


@pytest.mark.parametrize("text", ["4", "4:", "30:4", "4:4", "a:b:c"])
def test_other_texts_are_no_pair(text: str) -> None:
    with pytest.raises(ValueError, match=r"WEAK:STRONG|fewer layers"):
        parse_pair(text)


def test_a_chain_is_given_or_two_sizes_in_equal_ratios() -> None:
    assert chain_between(Pair("4", "30"), ()) == ("8", "15")
    assert chain_between(Pair("4", "30"), ("6", "30", "12")) == ("6", "12")
    assert chain_between(Pair("1", "2"), ()) == ()
    with pytest.raises(ValueError, match="--chain"):
        chain_between(Pair("a", "b"), ())


def test_every_training_is_there_once_behind_those_that_it_learns_from() -> None:
    grid = cells(["steps"], [Pair("4", "30"), Pair("8", "30")], ["naive", "bootstrap"], [0, 1])
    names = [cell.name for cell in grid]
    assert len(set(names)) == len(names)
    assert sum(cell.role == "ceiling" for cell in grid) == 2, "one a seed, shared by both pairs"
    assert all(cell.labels_of in names[:place] for place, cell in enumerate(grid) if cell.labels_of)


def test_bootstrapping_hands_labels_from_size_to_size() -> None:
    grid = cells(["steps"], [Pair("4", "30")], ["bootstrap"], [0])
    assert [(cell.role, cell.size) for cell in grid] == [
        ("supervisor", "4"),
        ("ceiling", "30"),
        ("intermediate", "8"),
        ("intermediate", "15"),
        ("student", "30"),
    ]
    assert [cell.labels_of for cell in grid[2:]] == [grid[0].name, grid[2].name, grid[3].name]
    assert all(cell.weak == "4" for cell in grid[2:])


def test_a_supervisor_alone_learns_the_other_half() -> None:
    grid = cells(["steps"], [Pair("4", "30")], ["naive"], [0])
    assert [(cell.role, cell.part) for cell in grid] == [
        ("supervisor", "supervisor"),
        ("ceiling", "student"),
        ("student", "student"),
    ]


def test_paths_that_differ_in_signs_alone_are_two_sizes() -> None:
    assert slug("a/b") != slug("a-b")
    assert Cell("steps", 0, "ceiling", "hub:owner/name").name.startswith("steps/seed-0/ceiling-hub_owner_name_")
