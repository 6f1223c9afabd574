"""Two replicas: what is asked and counted, when a threshold is crossed, and a rehearsal over the fakes."""

import json
from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loadtests.replicas import __main__ as command
from loadtests.replicas.asking import Answer, fate_of_error, num_computed
from loadtests.replicas.checks import checks_of_drain, checks_of_way, same_scores
from loadtests.replicas.drains import LEAVING, STAYING, Drained, drain
from loadtests.replicas.pair import Pair, Tokens, counter_in, fake_servers, scored_in, shares
from loadtests.replicas.questions import MOST_ROUNDS, Question, rounds_of, without_end
from loadtests.replicas.report import write_report
from loadtests.replicas.ways import WAYS, Measured, measure
from loadtests.servers.nginx_server import nginx_program
from loadtests.traffic.outcomes import Outcome, counted

from surefoot_client.errors import ConnectionFailed, ServerError, TimedOut

NEEDS_NGINX = pytest.mark.skipif(nginx_program() is None, reason="nginx is not installed")
NUM_PROBLEMS = 24


def answer(problem: int, place: int, turn: int = 0, **changes) -> Answer:
    question = Question(problem, turn, f"{problem}", (("a",), ("b",)))
    outcome = Outcome("interactive", 0.0, 0.0, 0.1, "answered")
    made = Answer(question, outcome, f"{problem}.{turn}", ((0.5,), (0.25,)), 100, 40, 60, place)
    return replace(made, **changes)


def measured(name: str, answers, **changes) -> Measured:
    tokens = Tokens(sum(each.given for each in answers), 0, 0)
    return replace(Measured(name, tuple(answers), 1.0, tokens), **changes)


def crossed(checks) -> list[str]:
    return [check.name for check in checks if not check.is_met]


# What is asked.


def test_each_round_asks_about_every_problem_in_another_order() -> None:
    rounds = rounds_of(20, 3, 1)
    orders = [[question.problem for question in questions] for questions in rounds]
    assert [sorted(order) for order in orders] == [list(range(20))] * 3
    assert len({tuple(order) for order in orders}) == 3
    assert rounds == rounds_of(20, 3, 1)


def test_a_candidate_grows_and_another_is_new() -> None:
    rounds = [{question.problem: question for question in questions} for questions in rounds_of(4, 3, 1)]
    for problem in range(4):
        asked = [questions[problem] for questions in rounds]
        assert len({question.text for question in asked}) == 1
        grown = [question.candidates[0] for question in asked]
        assert [len(steps) for steps in grown] == [1, 2, 3]
        assert grown[2][:2] == grown[1]


@pytest.mark.parametrize(("problems", "rounds"), [(65, 1), (4, MOST_ROUNDS + 1), (4, 0)])
def test_more_than_there_is_cannot_be_asked(problems, rounds) -> None:
    with pytest.raises(ValueError, match="at most"):
        rounds_of(problems, rounds, 1)


def test_what_goes_on_without_end_is_always_new() -> None:
    rounds = rounds_of(2, 3, 1)
    found = list(islice(without_end(rounds), 9))
    assert found[:3] == rounds
    asked = [(question.text, question.candidates) for questions in found for question in questions]
    assert len(set(asked)) == len(asked) == 18
    assert len({text for text, _ in asked}) == 2


# What is counted.

texts = st.lists(st.integers(0, 1), min_size=1, max_size=8)


@given(texts, texts, st.integers(0, 8), st.integers(0, 8))
def test_computed_are_the_prefixes_that_nobody_knew(first, second, first_known, second_known) -> None:
    def prefixes(tokens, num) -> set[tuple[int, ...]]:
        return {tuple(tokens[: end + 1]) for end in range(num)}

    # A tree of known prefixes knows as much of a candidate as any of its prefixes says.
    known = prefixes(first, min(first_known, len(first))) | prefixes(second, min(second_known, len(second)))
    every = [prefixes(first, len(first)), prefixes(second, len(second))]
    found = num_computed(len(every[0] & every[1]), [len(first), len(second)], [len(own & known) for own in every])
    assert found == len((every[0] | every[1]) - known)


def test_a_log_tells_what_was_scored() -> None:
    lines = [
        {"route": "/score", "status": 200, "request_id": "a"},
        {"route": "/score", "status": 503, "request_id": "b"},
        {"route": "/metrics", "status": 200, "request_id": "c"},
        {"route": "/score", "status": 200, "request_id": "a"},
    ]
    assert scored_in("surefoot on http\n" + "\n".join(map(json.dumps, lines))) == Counter(a=2)


def test_a_counter_that_is_not_there_is_no_zero() -> None:
    assert counter_in('x_total{model="orm"} 1.0\nx_total{model="prm"} 7.0\n', "x_total") == 7
    with pytest.raises(RuntimeError, match="y_total"):
        counter_in('x_total{model="prm"} 7.0\n', "y_total")


@pytest.mark.parametrize(
    ("error", "fate"),
    [
        (ServerError("no room", code="queue_full", status=429), "refused"),
        (ServerError("draining", code="not_ready", status=503), "refused"),
        (ServerError("bad gateway", code="", status=502), "lost"),
        (ConnectionFailed("nobody there", sent=False), "unreached"),
        (ConnectionFailed("broke", sent=True), "lost"),
        (TimedOut("late"), "lost"),
    ],
)
def test_what_reaches_the_caller_is_refused_or_lost(error, fate) -> None:
    assert fate_of_error(error) == fate


# When a threshold is crossed.

AFFINE = [answer(problem, problem % 2, turn) for problem in range(8) for turn in range(4)]
IN_TURNS = [answer(problem, turn % 2, turn, computed=100) for problem in range(8) for turn in range(4)]


def test_affinity_as_it_should_be_crosses_nothing() -> None:
    turns = measured("round-robin", IN_TURNS)
    assert crossed(checks_of_way(measured("client", AFFINE), turns, keeps_states=True)) == []
    assert crossed(checks_of_way(turns, turns, keeps_states=True)) == []
    assert (measured("client", AFFINE).away, turns.away) == (0.0, 0.5)


@pytest.mark.parametrize(
    ("answers", "name"),
    [
        ([replace(each, computed=96) for each in AFFINE], "tokens computed"),
        ([replace(each, computed=0) for each in AFFINE], "tokens computed"),
        ([replace(AFFINE[0], place=-1), *AFFINE[1:]], "in the replicas' logs"),
        ([replace(each, place=0) for each in AFFINE], "share of the busier replica"),
        ([replace(each, place=each.question.round % 2) for each in AFFINE], "scored away from its problem"),
        ([replace(each, outcome=replace(each.outcome, num_doubled=1)) for each in AFFINE], "doubled"),
    ],
)
def test_a_way_that_is_not_as_it_should_be(answers, name) -> None:
    found = checks_of_way(measured("client", answers), measured("round-robin", IN_TURNS), keeps_states=True)
    assert crossed(found) == [name]


@pytest.mark.parametrize("fate", ["lost", "refused", "failed", "unreached"])
def test_an_answer_without_scores_is_seen(fate) -> None:
    answers = [replace(AFFINE[0], outcome=replace(AFFINE[0].outcome, fate=fate)), *AFFINE[1:]]
    found = crossed(checks_of_way(measured("round-robin", answers), None, keeps_states=True))
    assert found == {"lost": ["lost", "answered with scores"], "failed": []}.get(fate, ["answered with scores"])


def test_tokens_that_no_answer_tells_of_were_scored_twice() -> None:
    way = measured("client", AFFINE, tokens=Tokens(100 * len(AFFINE) + 100, 0, 0))
    assert crossed(checks_of_way(way, None, keeps_states=True)) == ["tokens that replicas counted"]


def test_a_score_that_depends_on_the_way_is_seen() -> None:
    other = [replace(AFFINE[0], scores=((0.5,), (0.2500001,))), *AFFINE[1:]]
    ways = [measured("client", AFFINE), measured("proxy-hash", AFFINE), measured("round-robin", other)]
    assert [check.is_met for check in same_scores(ways, "bfloat16")] == [True, False]
    assert [check.is_met for check in same_scores(ways, "float32")] == [True, True]
    assert not same_scores([ways[0], measured("empty", [])], "float32")[0].is_met


BEFORE = [answer(problem, problem % 2) for problem in range(8)]
WITHOUT = [replace(each, place=STAYING) for each in BEFORE]
DRAINED = Drained("client", 0, BEFORE, BEFORE, WITHOUT, WITHOUT, WITHOUT, BEFORE, BEFORE)


def test_a_drain_as_it_should_be_crosses_nothing() -> None:
    assert crossed(checks_of_drain(DRAINED, keeps_states=True)) == []


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"status": -15}, "exit status"),
        ({"last": WITHOUT}, "problems of who left, back with it"),
        ({"last": []}, "problems of who left, back with it"),
        ({"without": [replace(each, place=LEAVING) for each in BEFORE]}, "its own problems stayed with who stayed"),
        ({"without": [replace(each, known=20) for each in WITHOUT]}, "known tokens of who stayed, of its own problems"),
    ],
)
def test_a_drain_that_is_not_as_it_should_be(changes, name) -> None:
    assert crossed(checks_of_drain(replace(DRAINED, **changes), keeps_states=True)) == [name]


# A rehearsal.


@NEEDS_NGINX
def test_all_ways_give_the_same_scores_and_taking_turns_has_no_affinity(tmp_path) -> None:
    rounds = rounds_of(NUM_PROBLEMS, 4, 1)
    with Pair(fake_servers) as pair:
        ways = [measure(name, pair, rounds, 4) for name in WAYS]
    for way in ways:
        assert crossed(checks_of_way(way, None, keeps_states=False)[:5]) == []
        assert min(shares(each.place for each in way.answers)) > 0
    assert crossed(same_scores(ways, "bfloat16")) == []
    away = {way.name: way.away for way in ways}
    assert away["proxy-hash"] == 0.0
    assert away["round-robin"] > 0.05
    text = write_report(tmp_path, ways, [], {"client": checks_of_way(ways[0], None, keeps_states=False)}, {"a": "b"})
    assert f"| client | {4 * NUM_PROBLEMS} | {4 * NUM_PROBLEMS} | {4 * NUM_PROBLEMS} | 0 | 0 | 0 |" in text
    assert {file.name for file in tmp_path.iterdir()} == {"report.md", "results.json", "latency.png", "latency.svg"}


@NEEDS_NGINX
def test_a_replica_leaves_and_comes_back_under_load() -> None:
    drained = drain("proxy-hash", fake_servers, rounds_of(NUM_PROBLEMS, MOST_ROUNDS, 1), 4)
    assert crossed(checks_of_drain(drained, keeps_states=False)) == []
    assert counted(each.outcome for each in drained.answers).answered == len(drained.answers)
    assert (drained.kept, drained.returned) == (1.0, 1.0)


def test_a_missing_nginx_is_said(monkeypatch, capsys) -> None:
    monkeypatch.setattr(command, "drain", lambda *_: DRAINED)
    monkeypatch.setattr(command, "measured_by", lambda name, *_: measured(name, AFFINE))
    plan = command.Plan(8, 4, 8, 4, 1)
    assert [way.name for way in command._ways(plan, has_nginx=False, fake=True)] == ["client"]
    assert len(command._drains(plan, has_nginx=False, fake=True)) == 1
    said = capsys.readouterr().err
    assert all(f"{name}: left out: nginx is not installed" in said for name in ("proxy-hash", "round-robin"))
