"""Child processes of the local stack: started apart from the terminal, stopped by their own id, never left behind."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / ".local" / "logs"
LOOPBACK = "127.0.0.1"


class ProcessDiedError(RuntimeError):
    """A child ended, or never became ready; the message holds the end of its log."""


_given_out: set[int] = set()
_giving_out = threading.Lock()


def free_port() -> int:
    """A port for a child to bind; never the same one twice, for two children may be starting side by side."""
    while True:
        with socket.socket() as probe, _giving_out:
            probe.bind((LOOPBACK, 0))
            port = int(probe.getsockname()[1])
            if port not in _given_out:
                _given_out.add(port)
                return port


class Process:
    """One child process in a session of its own, so that Ctrl-C reaches us alone and we stop the rest in order.

    log: where its output goes; None is our stderr. pipe: its standard output comes to us instead (first_line).
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        directory: Path = ROOT,
        log: Path | None = None,
        pipe: bool = False,
    ) -> None:
        self.log = log
        self._stopping = threading.Lock()
        with contextlib.ExitStack() as files:
            if log:
                log.parent.mkdir(parents=True, exist_ok=True)
            sink = files.enter_context(log.open("ab")) if log else None
            self._popen = subprocess.Popen(
                [str(part) for part in command],
                cwd=directory,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipe else sink or 2,
                stderr=sink,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def alive(self) -> bool:
        """Looks without reaping: until stop() has swept its session, its id must not go to another process."""
        if self._popen.returncode is not None:
            return False
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def first_line(self, *, seconds: float = 20) -> str:
        """The first line on standard output (only with pipe=True): how a child says that it is ready."""
        assert self._popen.stdout
        said, _, _ = select.select([self._popen.stdout], [], [], seconds)
        line = self._popen.stdout.readline().decode() if said else ""
        if not line:
            raise self.died()
        return line

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not (ready() and self.alive):
            if not self.alive or time.monotonic() > deadline:
                raise self.died()
            time.sleep(0.01)

    def died(self) -> ProcessDiedError:
        status = "is not ready" if self.alive else "has ended"
        tail = self.log.read_text(errors="replace")[-2000:] if self.log else "(its log went to stderr)"
        return ProcessDiedError(f"process {self.pid} {status}\n{tail}")

    def terminate(self) -> None:
        """Ask it to end; returns at once, so that several can end side by side."""
        with self._stopping:
            if self.alive:
                os.kill(self.pid, signal.SIGTERM)

    def stop(self, *, seconds: float = 5) -> None:
        """Ask, wait, and only then kill; what it started in its session goes with it."""
        self.terminate()
        with self._stopping:
            if self._popen.returncode is not None:
                return
            deadline = time.monotonic() + seconds
            while self.alive and time.monotonic() < deadline:
                time.sleep(0.005)
            while left := _session(self.pid):
                for pid in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                time.sleep(0.005)
            self._popen.wait()
            if self._popen.stdout:
                self._popen.stdout.close()


def _session(leader: int) -> list[int]:
    """Who still runs in a session. By session, not by group: the emulator gives its function a group of its own."""
    members: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _parent, _group, session = stat.read_text().rpartition(") ")[2].split()[:4]
            if int(session) == leader and state != "Z":
                members.append(int(stat.parent.name))
    return members


def listening(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), 0.5).close()
    except OSError:
        return False
    return True
