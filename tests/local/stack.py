"""The whole local stack as one context manager: fake CRMs, AWS fakes, functions and gateway.

with Stack() as stack:
    httpx.post(f"{stack.url}/unified/crm/leads", ...)
"""

import contextlib
import json
import signal
import sys
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Self

from tests.local.delivery import Delivery
from tests.local.emulator import Code, Emulator, Pool
from tests.local.gateway import API_ID, Gateway
from tests.local.ministack import Ministack
from tests.local.process import LOGS, ROOT, Process
from tests.local.provision import CREDENTIALS, Provisioned, provision
from tests.local.template import REGION, Function, Physical, Template

SANDBOX = (sys.executable, "-m", "tests.sandbox")


class Stack:
    """Everything that `sam deploy` would make, on 127.0.0.1, and thirteen fake CRMs for it to talk to.

    code: Code.source for the working tree, Code.built for what `sam build` made.
    sandbox: the command that serves the fake CRMs; None leaves the functions with the real addresses.
    environment: on top of what each function gets. workers: the most copies of one function.
    schedules: whether they fire by themselves. parameters: of the template, beside its stage.
    quiet: functions log to files under logs; otherwise to stderr.
    """

    def __init__(
        self,
        *,
        template: Path = ROOT / "template.yaml",
        code: Callable[[Function], Code] = Code.source,
        sandbox: Sequence[str] | None = SANDBOX,
        environment: Mapping[str, str] | None = None,
        workers: int = 4,
        schedules: bool = False,
        parameters: Mapping[str, str] | None = None,
        port: int = 0,
        logs: Path = LOGS,
        quiet: bool = True,
    ) -> None:
        self.template = Template.load(template, parameters={"Stage": "local", **(parameters or {})})
        self.logs = logs
        self._code = code
        self._sandbox = sandbox
        self._given = environment or {}
        self._workers = workers
        self._schedules = schedules
        self._port = port
        self._quiet = quiet
        self._open = contextlib.ExitStack()
        self.url = ""
        self.aws_endpoint = ""
        self.vendors: Mapping[str, str] = {}
        self.environment: Mapping[str, Mapping[str, str]] = {}
        self.provisioned = Provisioned({}, (), {})
        self.functions: dict[str, Pool] = {}

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as opening:
            opening.enter_context(_signals())
            try:
                self._start(opening)
            except BaseException:
                _ignore_signals()
                raise
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        _ignore_signals()
        self._open.close()

    def _start(self, opening: contextlib.ExitStack) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        for old in self.logs.glob("*.log"):
            old.unlink()
        ministack = Ministack(logs=self.logs)  # both children start before either is waited for
        opening.callback(ministack.stop)
        sandbox = self._sandboxed(opening)
        # The gateway comes before the functions: their environment may hold its address.
        gateway = Gateway(self.template.routes, self.functions, port=self._port, log=self.logs / "gateway.log")
        opening.callback(gateway.close)
        self.url = gateway.url
        ministack.wait()
        self.aws_endpoint = ministack.url
        apis = {
            api.name: Physical(API_ID, {"ApiId": API_ID, "ApiEndpoint": self.url})
            for api in self.template.of_type("AWS::Serverless::HttpApi")
        }
        self.provisioned = provision(self.template, self.aws_endpoint, given=apis, schedules=self._schedules)
        self.vendors = json.loads(sandbox.first_line()) if sandbox else {}
        self.environment = {name: self._environment(name) for name in self.template.functions}
        for function in self.template.functions.values():
            self.functions[function.name] = opening.enter_context(self._pool(function))
        feeds = [feed for feed in self.provisioned.feeds if self._schedules or not feed.is_schedule]
        opening.enter_context(Delivery(feeds, self.functions, self.aws_endpoint, workers=self._workers))

    def _sandboxed(self, opening: contextlib.ExitStack) -> Process | None:
        if not self._sandbox:
            return None
        process = Process(
            self._sandbox, environment={"PATH": "/usr/bin:/bin"}, log=self.logs / "sandbox.log", pipe=True
        )
        opening.callback(process.stop)
        return process

    @property
    def aws_environment(self) -> dict[str, str]:
        """What any AWS client needs to speak to this stack: a function's, or an operator's command."""
        return {
            **CREDENTIALS,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.aws_endpoint,
        }

    def _environment(self, function: str) -> dict[str, str]:
        return {
            **self.provisioned.environment[function],
            **self.aws_environment,
            "SWITCHBOARD_STAGE": "local",
            "SWITCHBOARD_ORIGINS": json.dumps(dict(self.vendors)),
            "SWITCHBOARD_PUBLIC_URL": self.url,
            **self._given,
        }

    def _pool(self, function: Function) -> Pool:
        code, environment = self._code(function), self.environment[function.name]
        logs = self.logs if self._quiet else None
        return Pool(lambda: Emulator(function, code, environment, logs=logs), cap=self._workers)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextlib.contextmanager
def _signals() -> Generator[None]:
    """SIGTERM unwinds the with-blocks, as Ctrl-C does by itself; at the end all is as it was before."""

    def end(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    if not _in_main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_signals() -> None:
    """A second Ctrl-C must not break off the stopping and leave processes behind."""
    if _in_main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
