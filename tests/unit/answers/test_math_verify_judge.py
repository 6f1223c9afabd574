import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import surefoot
from surefoot.answers import MathVerifyJudge

SERVICE = str(Path(surefoot.__file__).parent.parent)


@pytest.fixture(scope="module")
def judge():
    with MathVerifyJudge(limit_s=2.0) as judge:
        assert judge.start()
        yield judge


def is_running(pid):
    """An orphan that no init reaps stays listed as a zombie ("Z"); it runs no more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def assert_gone(pid):
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    ("first", "second"),
    [(r"\frac{\sqrt{2}}{2}", r"\frac{1}{\sqrt{2}}"), ("(1,2)", "(1, 2)"), ("x^2+1", "1+x^2"), ("x>3", r"(3,\infty)")],
)
def test_equivalence_is_found_in_both_directions(judge, first, second):
    assert (judge.equivalent(first, second), judge.equivalent(second, first)) == (True, True)


@pytest.mark.parametrize(
    ("first", "second"), [("(1,2)", "(2,1)"), ("x", "y"), ("", "1"), ("\ud800\x00\n", "1"), ("}{", "{")]
)
def test_what_is_not_equal_is_not_equivalent(judge, first, second):
    assert judge.equivalent(first, second) is False


@pytest.mark.parametrize("hostile", [r"9^{9^{9^{9}}}", r"\frac{" * 300, "x^{" * 200 + "x" + "}" * 200, "100000!!"])
def test_hostile_answer_costs_no_more_than_the_limit(judge, hostile):
    judge.start()
    judge._limit_s, usual_s = 0.3, judge._limit_s
    started_s = time.monotonic()
    try:
        assert judge.equivalent(hostile, "7") is False
    finally:
        judge._limit_s = usual_s
    assert time.monotonic() - started_s < 3
    assert judge.equivalent("x+1", "1+x")


def test_answers_too_long_for_the_pipe_are_not_asked():
    with MathVerifyJudge() as judge:
        assert judge.equivalent(r"\frac{" * 5000, "1") is False
        assert judge._worker is None


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGTERM])
def test_killed_worker_is_replaced(judge, kill):
    judge.start()
    killed = judge._worker.process.pid
    os.kill(killed, kill)
    deadline_s = time.monotonic() + 5
    while not (replaced := judge.equivalent("x+1", "1+x")) and time.monotonic() < deadline_s:
        pass
    assert replaced
    assert_gone(killed)


def test_worker_ignores_an_interrupt(judge):
    judge.start()
    worker = judge._worker
    os.kill(worker.process.pid, signal.SIGINT)
    assert judge.equivalent("x+1", "1+x")
    assert judge._worker is worker


def test_threads_may_share_a_judge(judge):
    verdicts = {}

    def ask(number):
        verdicts[number] = judge.equivalent(f"x+{number}", f"{number % 2}+x")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts == {0: True, 1: True, 2: False, 3: False, 4: False, 5: False}


def test_memory_of_the_worker_is_limited(judge):
    judge.start()
    limits = Path(f"/proc/{judge._worker.process.pid}/limits")
    if sys.platform == "linux":
        assert f"Max address space         {2 << 30}" in limits.read_text()


def test_closed_judge_leaves_no_process_and_refuses_work():
    judge = MathVerifyJudge()
    assert judge.start()
    pid = judge._worker.process.pid
    judge.close()
    judge.close()
    assert_gone(pid)
    with pytest.raises(RuntimeError, match="closed"):
        judge.equivalent("x", "y")


def test_worker_that_cannot_start_makes_nothing_equivalent(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with MathVerifyJudge() as judge:
        assert judge.start() is False
        assert judge.equivalent("x+1", "1+x") is False


def test_worker_that_is_not_ready_in_time_is_ended():
    with MathVerifyJudge(startup_limit_s=0.0) as judge:
        assert judge.start() is False
        assert judge._worker is None


ABANDONED = """
import os, sys, threading
sys.path.append(sys.argv[1])
from surefoot.answers import MathVerifyJudge
judge = MathVerifyJudge(limit_s=0.2)
judge.start()
print(judge._worker.process.pid, flush=True)
if sys.argv[2] == "busy":
    threading.Thread(target=judge.equivalent, args=("9^{9^{9^{9}}}", "7"), daemon=True).start()
    threading.Event().wait(0.1)
os._exit(1)
"""


@pytest.mark.parametrize("state", ["idle", "busy"])
def test_worker_does_not_outlive_a_parent_that_dies(state):
    parent = subprocess.run(
        [sys.executable, "-c", ABANDONED, SERVICE, state], capture_output=True, text=True, check=False
    )
    deadline_s = time.monotonic() + 10
    while is_running(int(parent.stdout)) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert not is_running(int(parent.stdout))


def test_importing_the_room_loads_no_computer_algebra():
    program = """
import sys
sys.path.append(sys.argv[1])
import surefoot.answers
print({"sympy", "math_verify"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program, SERVICE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
