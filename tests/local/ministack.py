"""ministack: DynamoDB, Secrets Manager, SQS and EventBridge Scheduler in one local process."""

import http.client
import os
import tempfile
from pathlib import Path
from typing import Self

from tests.local.process import LOGS, LOOPBACK, ROOT, Process, free_port

COMMAND = ROOT / ".tools" / "ministack" / "bin" / "ministack"


class Ministack:
    """One ministack, on a port of its own, with nothing kept after it stops."""

    def __init__(self, *, logs: Path = LOGS) -> None:
        if not COMMAND.exists():
            raise FileNotFoundError("ministack is not installed: make .tools/ministack/ready")
        self._directory = tempfile.TemporaryDirectory(prefix="ministack-")
        self._port = free_port()
        self._process = Process(
            [COMMAND],
            environment={
                "PATH": os.defpath,
                "HOME": self._directory.name,
                "TMPDIR": self._directory.name,  # its pid file and spill-over stay in here
                "BIND_HOST": LOOPBACK,  # without it ministack listens on every interface
                "GATEWAY_PORT": str(self._port),
                "IOT_MTLS_ENABLED": "0",  # no MQTT and no SFTP listener
                "SFTP_ENABLED": "0",
                "LAMBDA_EXECUTOR": "local",
            },
            log=logs / "ministack.log",
        )

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._port}"

    def wait(self) -> None:
        try:
            self._process.wait_until(self._ready, seconds=20)
        except BaseException:
            self.stop()
            raise

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=1)
        try:
            connection.request("GET", "/_ministack/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        self._process.stop()
        self._directory.cleanup()

    def __enter__(self) -> Self:
        self.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
