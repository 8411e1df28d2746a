"""A function under AWS's own emulator behaves as on Lambda; a pool never gives one copy two events."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.local.emulator import (
    Code,
    Emulator,
    FunctionError,
    FunctionTimeoutError,
    InvocationError,
    PayloadTooLargeError,
    Pool,
    ThrottledError,
    WorkerDiedError,
)
from tests.local.template import Function

pytestmark = pytest.mark.local

APP = """
import os, time
running = 0

def handler(event, context):
    global running
    match event:
        case {"sleep": seconds}:
            running += 1
            assert running == 1, "two events at once"
            time.sleep(seconds)
            running -= 1
        case {"raise": message}:
            raise ValueError(message)
        case {"exit": status}:
            os._exit(status)
        case {"answer": answer}:
            return answer
        case {"import": name}:
            __import__(name)
        case {"environment": name}:
            return os.environ.get(name)
        case {"remaining": _}:
            return context.get_remaining_time_in_millis()
    return {"pid": os.getpid(), "event": event}
"""

Start = Callable[[], Emulator]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    (tmp_path / "app.py").write_text(APP)
    function = Function("Tiny", tmp_path, timeout=1)
    code = Code(tmp_path, Path(sys.executable), (), keeps_bytecode=False)
    started: list[Emulator] = []

    def start() -> Emulator:
        started.append(Emulator(function, code, {"GIVEN": "yes"}, logs=tmp_path / "logs"))
        return started[-1]

    yield start
    for emulator in started:
        emulator.stop()


def gone(pid: int) -> bool:
    """Ended, even if pid 1 has not collected it yet."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(") ")[2].startswith("Z")


def test_a_function_gets_its_event_and_stays_warm(start: Start) -> None:
    emulator = start()
    first, second = emulator.invoke({"a": "é"}), emulator.invoke({})
    assert first["event"] == {"a": "é"}
    assert first["pid"] == second["pid"]


def test_a_function_sees_lambdas_variables_and_its_own_and_none_of_ours(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "secret")
    emulator = start()
    seen = {name: emulator.invoke({"environment": name}) for name in ("AWS_LAMBDA_FUNCTION_NAME", "GIVEN", "OURS")}
    assert seen == {"AWS_LAMBDA_FUNCTION_NAME": "Tiny", "GIVEN": "yes", "OURS": None}
    assert 0 < emulator.invoke({"remaining": 1}) <= 1000


def test_what_a_handler_raises_is_a_function_error_and_the_copy_lives_on(start: Start) -> None:
    emulator = start()
    before = emulator.invoke({})["pid"]
    with pytest.raises(FunctionError, match="ValueError: no such luck"):
        emulator.invoke({"raise": "no such luck"})
    assert emulator.invoke({})["pid"] == before


@pytest.mark.parametrize("answer", [None, 7, "Task", [1], {"errorType": "mine", "errorMessage": "mine"}])
def test_any_json_may_be_an_answer_even_one_that_looks_like_an_error(start: Start, answer: object) -> None:
    assert start().invoke({"answer": answer}) == answer


def test_a_function_that_runs_out_of_time_is_ended_and_starts_anew(start: Start) -> None:
    emulator = start()
    before = emulator.invoke({})["pid"]
    with pytest.raises(FunctionTimeoutError, match=r"timed out after 1\.00 seconds"):
        emulator.invoke({"sleep": 3})
    assert emulator.invoke({})["pid"] != before


def test_a_function_that_exits_starts_anew(start: Start) -> None:
    emulator = start()
    with pytest.raises(FunctionError, match=r"Runtime\.ExitError.*exit status 3"):
        emulator.invoke({"exit": 3})
    assert emulator.invoke({})["pid"]


def test_payloads_over_six_megabytes_are_refused_both_ways(start: Start) -> None:
    emulator = start()
    with pytest.raises(PayloadTooLargeError):
        emulator.invoke({"answer": "x" * 6_300_000})
    assert len(emulator.invoke({"answer": "x" * 5_000_000})) == 5_000_000


def test_a_dead_emulator_says_so_and_invokes_nothing_twice(start: Start) -> None:
    emulator = start()
    os.kill(emulator.pid, signal.SIGKILL)
    with pytest.raises(WorkerDiedError):
        emulator.invoke({})
    assert not emulator.alive


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_busy_function_goes_when_its_emulator_is_stopped_or_killed(start: Start, how: signal.Signals) -> None:
    emulator = start()
    function = emulator.invoke({})["pid"]
    with ThreadPoolExecutor(1) as caller:
        busy = caller.submit(emulator.invoke, {"sleep": 0.9})
        time.sleep(0.1)
        os.kill(emulator.pid, how)
        emulator.stop()
        assert gone(emulator.pid)
        assert gone(function)
        with pytest.raises(InvocationError):  # it may still find the time to say that its function exited
            busy.result()


def test_the_log_holds_what_the_function_and_lambda_say(start: Start, tmp_path: Path) -> None:
    emulator = start()
    with pytest.raises(FunctionError):
        emulator.invoke({"raise": "for the log"})
    log = (tmp_path / "logs" / "Tiny.log").read_text()
    assert "for the log" in log
    assert "REPORT RequestId" in log


def test_a_folder_without_code_is_an_error_at_once(tmp_path: Path) -> None:
    absent = Function("Absent", tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match="Absent"):
        Emulator(absent, Code(absent.code, Path(sys.executable), (), keeps_bytecode=False), {})


def test_one_copy_takes_its_callers_in_turn(start: Start) -> None:
    emulator = start()
    with ThreadPoolExecutor(8) as callers:
        assert len({answer["pid"] for answer in callers.map(emulator.invoke, [{"sleep": 0.02}] * 16)}) == 1


def test_a_pool_of_three_serves_twenty_callers_with_one_event_per_copy_at_a_time(start: Start) -> None:
    with Pool(start, cap=3) as pool, ThreadPoolExecutor(20) as callers:
        answers = list(callers.map(pool.invoke, [{"sleep": 0.05}] * 60))
        assert len(answers) == 60
        assert len({answer["pid"] for answer in answers}) == 3
        assert len(pool.pids) == 3


def test_a_pool_starts_a_second_copy_only_when_the_first_is_busy(start: Start) -> None:
    with Pool(start, cap=3) as pool:
        assert len({pool.invoke({})["pid"] for _ in range(5)}) == 1
        assert len(pool.pids) == 1


def test_a_pool_replaces_a_copy_that_died(start: Start) -> None:
    with Pool(start, cap=1) as pool:
        orphan = pool.invoke({})["pid"]
        [before] = pool.pids
        os.kill(before, signal.SIGKILL)
        while pool.pids:
            time.sleep(0.01)
        assert pool.invoke({})["pid"] != orphan
        assert pool.pids.isdisjoint({before})
        assert gone(orphan)


def test_a_pool_replaces_a_copy_that_died_at_work(start: Start) -> None:
    with Pool(start, cap=1) as pool, ThreadPoolExecutor(1) as caller:
        pool.invoke({})
        busy = caller.submit(pool.invoke, {"sleep": 0.8})
        time.sleep(0.2)
        os.kill(next(iter(pool.pids)), signal.SIGKILL)
        with pytest.raises(WorkerDiedError):
            busy.result()
        assert pool.invoke({})["pid"]


def test_a_pool_turns_a_caller_away_after_its_wait(start: Start) -> None:
    with Pool(start, cap=1, wait=0.1) as pool, ThreadPoolExecutor(1) as caller:
        pool.invoke({})
        busy = caller.submit(pool.invoke, {"sleep": 0.8})
        time.sleep(0.2)
        with pytest.raises(ThrottledError):
            pool.invoke({})
        assert busy.result()


def test_a_closed_pool_leaves_no_process_and_starts_none(start: Start) -> None:
    pool = Pool(start, cap=4)
    with ThreadPoolExecutor(4) as callers:
        functions = {answer["pid"] for answer in callers.map(pool.invoke, [{"sleep": 0.1}] * 4)}
    emulators = pool.pids
    pool.close()
    assert all(gone(pid) for pid in functions | emulators)
    with pytest.raises(ThrottledError):
        pool.invoke({})


@pytest.mark.parametrize("cap", [0, 17])
def test_a_pool_has_one_to_sixteen_copies(start: Start, cap: int) -> None:
    with pytest.raises(ValueError, match="1 to 16"):
        Pool(start, cap=cap)
