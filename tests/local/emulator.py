"""One Lambda function under AWS's Runtime Interface Emulator, as a plain process; and a pool of them.

The emulator (RIE) and the runtime client (awslambdaric) are AWS's own, so start-up, time-outs, exits and the 6 MB
limits are Lambda's. Not emulated: memory limit, read-only file system, freezing between invocations, IAM.
"""

import contextlib
import http.client
import json
import platform
import queue
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.local.process import LOGS, LOOPBACK, ROOT, Process, ProcessDiedError, free_port, listening
from tests.local.template import REGION, Function

_ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
RIE = ROOT / f".tools/sam/lib/python3.13/site-packages/samcli/local/rapid/aws-lambda-rie-{_ARCHITECTURE}"
INVOCATIONS = "/2015-03-31/functions/function/invocations"
PAYLOAD_LIMIT = 6 * 1024 * 1024  # the emulator cuts a longer event instead of refusing it, so we refuse
MOST_WORKERS = 16


class InvocationError(Exception):
    """The function was not invoked, or did not answer."""


class FunctionError(InvocationError):
    """The function raised, exited or ran out of time: what Lambda marks with X-Amz-Function-Error."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


class FunctionTimeoutError(FunctionError):
    """The function ran past its own timeout; Lambda has ended its process."""

    def __init__(self, message: str) -> None:
        super().__init__("Sandbox.Timedout", message)


class PayloadTooLargeError(InvocationError):
    """The event is over Lambda's 6 MB."""


class WorkerDiedError(InvocationError):
    """The emulator itself went away; whether the function had run is not known, so nothing is invoked again."""


class ThrottledError(InvocationError):
    """Every worker stayed busy for as long as a caller may wait."""


@dataclass(frozen=True)
class Code:
    """Where a function's code stands, and what runs it."""

    directory: Path
    python: Path
    pythonpath: tuple[Path, ...]
    keeps_bytecode: bool

    @classmethod
    def source(cls, function: Function) -> Self:
        """The working tree, in the development environment: for the demo and for development."""
        layer = ROOT / "layers" / "switchboard" / "python"
        return cls(function.code, ROOT / ".venv" / "bin" / "python", (layer,), keeps_bytecode=True)

    @classmethod
    def built(cls, function: Function) -> Self:
        """What `sam build` made, on a stand-in for the managed runtime: what is missing in the layer is missed here."""
        build = ROOT / ".aws-sam" / "build"
        layers = tuple(build / layer / "python" for layer in function.layers)
        return cls(
            build / function.name,
            ROOT / ".tools" / "runtime" / "bin" / "python",
            layers,
            keeps_bytecode=False,  # /var/task and /opt are read-only on Lambda
        )


class Emulator:
    """One running copy of a function. It takes one event at a time: the RIE dies of two."""

    def __init__(
        self, function: Function, code: Code, environment: Mapping[str, str], *, logs: Path | None = LOGS
    ) -> None:
        """logs: the folder for what the function and Lambda log; None is stderr."""
        self.function = function
        self._one_at_a_time = threading.Lock()
        if not RIE.exists():
            raise FileNotFoundError("the emulator is not installed: make .tools/sam/ready")
        for needed in (code.directory, code.python, *code.pythonpath):
            if not needed.exists():
                raise FileNotFoundError(f"{function.name}: {needed} is not there")
        self._port = free_port()
        self._process = Process(
            [
                RIE,
                *("--runtime-interface-emulator-address", f"{LOOPBACK}:{self._port}"),
                *("--runtime-api-address", f"{LOOPBACK}:{free_port()}"),
                *("--log-level", "error"),
                *(code.python, "-m", "awslambdaric", function.handler),
            ],
            environment=_environment(function, code) | dict(environment),
            directory=code.directory,
            log=logs / f"{function.name}.log" if logs else None,
        )
        try:
            self._process.wait_until(lambda: listening(self._port), seconds=5)
        except BaseException:
            self._process.stop()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.alive

    def invoke(self, event: Any) -> Any:
        """What the handler returns. Waits for its turn, never for another try."""
        payload = json.dumps(event).encode()
        if len(payload) > PAYLOAD_LIMIT:
            raise PayloadTooLargeError(f"{len(payload)} bytes")
        with self._one_at_a_time:
            status, body = self._post(payload)
        return _result(status, body)

    def _post(self, payload: bytes) -> tuple[int, bytes]:
        # The RIE enforces the function's own timeout; the margin covers the start of its process.
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=self.function.timeout + 15)
        try:
            connection.request("POST", INVOCATIONS, payload, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as broken:
            self._process.stop()  # it may be hung: a worker that broke once takes no further event
            raise WorkerDiedError(f"{self.function.name}: {broken!r}") from broken
        finally:
            connection.close()

    def terminate(self) -> None:
        self._process.terminate()

    def stop(self) -> None:
        self._process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _environment(function: Function, code: Code) -> dict[str, str]:
    """What Lambda sets by itself; nothing of ours leaks in."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "LAMBDA_TASK_ROOT": str(code.directory),
        "PYTHONPATH": ":".join(str(path) for path in code.pythonpath),
        **({} if code.keeps_bytecode else {"PYTHONDONTWRITEBYTECODE": "1"}),
    }


def _result(status: int, body: bytes) -> Any:
    """The RIE answers 200 also for a handler that raised or ran out of time, and never says so in a header."""
    text = body.decode()
    if text.startswith("Task timed out after "):
        raise FunctionTimeoutError(text)
    try:
        answer = json.loads(text)
    except ValueError:
        raise FunctionError("Runtime.Unknown", text) from None
    failed = isinstance(answer, dict) and {"errorType", "errorMessage"} <= answer.keys()
    # awslambdaric always sends a stack trace with an error; a handler's own answer with such keys would have none.
    if failed and (status != 200 or "stackTrace" in answer):
        raise FunctionError(answer["errorType"], answer["errorMessage"])
    return answer


class Pool:
    """Copies of one function: started when all others are busy, up to a cap; beyond it callers queue."""

    def __init__(self, start: Callable[[], Emulator], *, cap: int = 4, wait: float = 29) -> None:
        if not 1 <= cap <= MOST_WORKERS:
            raise ValueError(f"a pool has 1 to {MOST_WORKERS} workers, not {cap}")
        self._start = start
        self._wait = wait
        self._guard = threading.Lock()
        self._workers: set[Emulator] = set()
        self._closed = False
        # Last in, first out: a warm worker lies above the places where none has been started yet.
        self._places: queue.LifoQueue[Emulator | None] = queue.LifoQueue()
        for _ in range(cap):
            self._places.put(None)

    @property
    def pids(self) -> set[int]:
        with self._guard:
            return {worker.pid for worker in self._workers if worker.alive}

    def invoke(self, event: Any) -> Any:
        with self._lease() as worker:
            return worker.invoke(event)

    __call__ = invoke

    @contextlib.contextmanager
    def _lease(self) -> Generator[Emulator]:
        try:
            worker = self._places.get(timeout=self._wait)
        except queue.Empty:
            raise ThrottledError(f"all workers busy for {self._wait} s") from None
        try:
            if worker is None or not worker.alive:
                worker = self._replace(worker)
            yield worker
        finally:
            self._places.put(worker)  # a dead one too: who takes its place sees to it

    def _replace(self, dead: Emulator | None) -> Emulator:
        if self._closed:
            raise ThrottledError("the pool is closed")
        if dead:
            dead.stop()  # the function that it ran may have outlived it
            with self._guard:
                self._workers.discard(dead)
        worker = self._started()
        with self._guard:
            if not self._closed:
                self._workers.add(worker)
                return worker
        worker.stop()
        raise ThrottledError("the pool was closed meanwhile")

    def _started(self) -> Emulator:
        try:
            return self._start()
        except ProcessDiedError:
            return self._start()  # another process may have taken the free port in between

    def close(self) -> None:
        with self._guard:
            self._closed = True
            workers, self._workers = self._workers, set()
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
