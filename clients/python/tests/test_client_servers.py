"""Several servers: the same problem to the same one, away from those that are ill or overloaded."""

from collections import Counter

import httpx
import pytest

from surefoot_client import ConnectionFailed, InternalError, QueueFull, ScoreItem, SurefootClient
from surefoot_client.servers import Server, Servers, by_affinity, chosen

URLS = [f"http://server{number}" for number in range(5)]
PROBLEMS = [f"What is {number} + 1?" for number in range(1000)]


def asked(server):
    """The hosts of the requests, in order."""
    return [request.url.host for request in server.requests]


def items(problem):
    return [{"problem": problem, "steps": ["one", "two"]}]


@pytest.fixture
def only(score_answer):
    """A reply of a server that answers well at some hosts, and as given elsewhere."""

    def make(*well, otherwise):
        def reply(request):
            if request.url.host in well:
                return httpx.Response(200, json=score_answer)
            if isinstance(otherwise, Exception):
                raise otherwise
            return httpx.Response(otherwise)

        return reply

    return make


def test_a_problem_has_one_server_whatever_the_order_of_their_names():
    servers = [Server(url) for url in URLS]
    first = [by_affinity(servers, problem)[0].url for problem in PROBLEMS]
    assert first == [by_affinity(servers[::-1], problem)[0].url for problem in PROBLEMS]


def test_problems_are_shared_out_evenly():
    servers = [Server(url) for url in URLS]
    counts = Counter(by_affinity(servers, problem)[0].url for problem in PROBLEMS)
    assert all(150 <= counts[url] <= 250 for url in URLS)


def test_a_server_that_goes_moves_its_own_problems_only():
    servers = [Server(url) for url in URLS]
    for problem in PROBLEMS:
        before = by_affinity(servers, problem)
        if before[0] is not servers[2]:
            assert by_affinity([*servers[:2], *servers[3:]], problem)[0] is before[0]


def test_an_overloaded_server_passes_on_to_the_next_in_line():
    servers = [Server("http://a", num_under_way=6), Server("http://b", num_under_way=1)]
    assert chosen(servers, True, 0.0, ()) is servers[1]
    servers[1].num_under_way = 6
    assert chosen(servers, True, 0.0, ()) is servers[0]


def test_without_a_problem_the_idlest_server_is_taken():
    servers = [Server("http://a", num_under_way=2), Server("http://b", num_under_way=1)]
    assert chosen(servers, False, 0.0, ()) is servers[1]


def test_an_ill_server_is_spared_until_its_time_is_up():
    servers = [Server("http://a", available_at=5.0), Server("http://b")]
    assert chosen(servers, True, 4.9, ()) is servers[1]
    assert chosen(servers, True, 5.0, ()) is servers[0]


def test_when_all_are_ill_the_soonest_is_taken():
    servers = [Server("http://a", available_at=5.0), Server("http://b", available_at=4.0)]
    assert chosen(servers, True, 0.0, ()) is servers[1]


def test_a_server_that_failed_this_call_comes_last():
    servers = [Server("http://a"), Server("http://b")]
    assert chosen(servers, True, 0.0, servers[:1]) is servers[1]
    assert chosen(servers, True, 0.0, servers) is servers[0]


def test_requests_under_way_are_counted_until_they_fail(server):
    counts = []

    def fail(request):
        counts.extend(state.num_under_way for state in client.servers)
        raise httpx.ReadError("broken")

    server.reply(fail)
    with SurefootClient(URLS[:1], max_retries=0, transport=httpx.MockTransport(server.handle)) as client:
        with pytest.raises(ConnectionFailed):
            client.score(items("p"))
        counts.extend(state.num_under_way for state in client.servers)
    assert counts == [1, 0]


@pytest.mark.parametrize(
    "forms",
    [
        [{"problem": "p", "steps": ["a"]}, {"problem": "p", "solution": "b"}, ScoreItem("p", steps=["c"])],
        [
            {"messages": [{"role": "user", "content": "p"}, {"role": "assistant", "content": answer}]}
            for answer in ("a", "b", "c")
        ],
    ],
    ids=["problem", "messages"],
)
def test_solutions_of_one_problem_go_to_one_server(driver, server, score_answer, forms):
    score_answer["results"][0]["steps"] = score_answer["results"][0]["steps"][:1]
    server.reply(httpx.Response(200, json=score_answer))
    for item in forms:
        driver.call("score", [item], settings={"base_url": URLS})
    assert len(set(asked(server))) == 1


def test_requests_of_one_problem_bear_one_mark_for_a_proxy_to_hash(driver, server, score_answer):
    server.reply(httpx.Response(200, json=score_answer))
    for item in (
        {"problem": "p", "steps": ["a", "b"]},
        ScoreItem("p", steps=["c", "d"]),
        *items("q"),
        *items("\ud800"),
    ):
        driver.call("score", [item])
    marks = [request.headers["x-surefoot-problem"] for request in server.requests]
    assert marks[:2] == ["148de9c5", "148de9c5"]
    assert len(set(marks)) == 3


def test_what_asks_nothing_bears_no_mark(driver, server):
    server.reply(httpx.Response(200, json={"status": "ok"}))
    driver.call("health")
    assert "x-surefoot-problem" not in server.requests[0].headers


def test_problems_spread_over_the_servers(driver, server, score_answer):
    server.reply(httpx.Response(200, json=score_answer))
    for problem in PROBLEMS[:30]:
        driver.call("score", items(problem), settings={"base_url": URLS})
    assert len(set(asked(server))) == 5


@pytest.mark.parametrize("failure", [httpx.ConnectError("refused"), httpx.ReadError("broken"), 429, 502, 503], ids=str)
def test_it_fails_over_at_once_to_a_server_that_is_well(driver, server, only, failure):
    server.reply(only("server1", otherwise=failure))
    driver.call("score", items("p"), settings={"base_url": URLS, "max_retries": 4, "uniform": lambda low, high: high})
    assert asked(server)[-1] == "server1"
    assert len(set(asked(server))) == len(asked(server))
    assert server.pauses == []


def test_the_request_id_goes_with_it(driver, server, only):
    server.reply(only("server1", otherwise=503))
    driver.call("score", items("p"), settings={"base_url": URLS[:2]})
    assert len({request.headers["x-request-id"] for request in server.requests}) == 1


def test_with_all_servers_refusing_it_waits_for_the_soonest(driver, server):
    server.reply(lambda request: httpx.Response(429, headers={"retry-after": "3"}))
    with pytest.raises(QueueFull):
        driver.call("score", items("p"), settings={"base_url": URLS[:2], "max_retries": 2})
    assert len(set(asked(server)[:2])) == 2
    assert server.pauses == [3.0]


def test_requests_that_fail_together_are_one_failure():
    servers = Servers(URLS[:2])
    server = servers.choose(None, 0.0)
    for _ in range(6):
        servers.failed(server, 0.0, 0.0)
    assert servers.states(0.0)[0].available_in_s == 0.5


def test_a_server_is_spared_longer_from_failure_to_failure():
    servers, spared, now = Servers(URLS[:2]), [], 0.0
    server = servers.choose(None, now)
    for _ in range(6):
        servers.failed(server, now, 1.0)
        spared.append(servers.states(now)[0].available_in_s)
        now = server.available_at
    assert spared == [1.5, 2.0, 3.0, 5.0, 9.0, 9.0]


def test_what_the_request_is_to_blame_for_is_final_and_harms_no_server(server):
    server.reply(httpx.Response(500))
    with SurefootClient(URLS[:2], transport=httpx.MockTransport(server.handle)) as client:
        with pytest.raises(InternalError):
            client.score(items("p"))
        assert [state.available_in_s for state in client.servers] == [0.0, 0.0]
    assert len(server.requests) == 1


def test_an_ill_server_is_spared_by_later_calls_and_asked_again_once_its_time_is_up(server, only):
    settings = {"sleep": server.sleep, "clock": lambda: server.now, "transport": httpx.MockTransport(server.handle)}
    server.reply(only("server1", otherwise=503))
    with SurefootClient(URLS[:2], **settings) as client:
        problem = next(one for one in PROBLEMS if by_affinity([Server(url) for url in URLS[:2]], one)[0].url == URLS[0])
        client.score(items(problem))
        client.score(items(problem))
        assert [(state.num_failed_in_a_row, state.available_in_s) for state in client.servers] == [(1, 0.5), (0, 0.0)]
        server.now += 0.5
        client.score(items(problem))
    assert asked(server) == ["server0", "server1", "server1", "server0", "server1"]


def test_a_silent_attempt_is_tried_elsewhere_where_attempts_have_a_limit(driver, server, only):
    server.reply(only("server1", otherwise=httpx.ReadTimeout("silent")))
    driver.call("score", items("p"), settings={"base_url": URLS[:2], "attempt_timeout_s": 7.0, "max_retries": 1})
    assert asked(server)[-1] == "server1"
    assert {request.extensions["timeout"]["read"] for request in server.requests} == {7.0}


def test_sampling_is_not_cut_short_by_the_limit_of_attempts(driver, server, sample_answer):
    server.reply(httpx.Response(200, json=sample_answer))
    driver.call("sample", "p", settings={"attempt_timeout_s": 7.0})
    assert server.requests[0].extensions["timeout"]["read"] == 600.0


def test_the_time_for_a_connection_is_not_that_of_an_attempt(driver, server, only):
    server.reply(only("server0", "server1", otherwise=500))
    driver.call("score", items("p"), settings={"base_url": URLS[:2], "attempt_timeout_s": 7.0})
    assert server.requests[0].extensions["timeout"]["pool"] == 60.0


@pytest.mark.parametrize("base_url", [[], ["http://a", "http://a/"], ["http://a", "b"]], ids=["none", "twice", "bad"])
def test_servers_that_cannot_work_are_refused_by_name(driver, base_url):
    with pytest.raises(ValueError, match="base_url"):
        driver.call("health", settings={"base_url": base_url})


def test_reload_is_for_one_server(driver, server):
    with pytest.raises(ValueError, match="one server"):
        driver.call("reload", "prm", settings={"base_url": URLS})
    assert server.requests == []
