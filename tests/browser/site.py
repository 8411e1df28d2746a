"""A site with pods on it: the real API over HTTP, in front of a world in memory.

What a page needs of its host is in `Host`; in tests/end_to_end the local stack takes the place of this one.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Protocol, Self

import pytest

from switchboard.api.call import Call
from switchboard.api.pods import creation, keeping
from switchboard.pods import variables
from tests import worlds
from tests.api.pods.shop import ShopWorld, install
from tests.worlds import BRAND

BODILESS = (204, 304)

type Answer = tuple[int, Mapping[str, str], bytes]


class Host(Protocol):
    """Where pods are: its address, and a key that may read and write them."""

    @property
    def url(self) -> str: ...

    @property
    def key(self) -> str: ...


class Site(Host, Protocol):
    """A host on which a test may put pods as it likes them."""

    def pod(self, layout: Mapping[str, Any], values: Mapping[str, Any]) -> str:
        """A new pod of a layout, about a record; its id."""
        ...


class Stand:
    """The site. Pages of other origins than ours may be put up as well, under any path, with any headers."""

    def __init__(self) -> None:
        self.world = ShopWorld()
        self.others = dict[str, Answer]()
        self.asked = list[str]()
        self._one = Lock()
        self._open = ExitStack()
        stand = self

        class Door(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                stand.asked.append(f"{self.command} {self.path}")
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, told, content = stand.answer(self.command, self.path, headers, body)
                length = {} if status in BODILESS else {"content-length": str(len(content))}
                self.send_response(status)
                for name, value in {**told, **length}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815  the names that the server calls

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.world.public_url = self.url
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        install(self._open.enter_context(pytest.MonkeyPatch.context()), self.world)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self._open.close()

    @property
    def key(self) -> str:
        """A key that may do everything with pods."""
        return self.world.key

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What is answered to a request: by the API, one at a time, unless another page was put up there."""
        if path in self.others:
            return self.others[path]
        way, _, query = path.partition("?")
        call = Call(method, way, query, headers, body, worlds.TRACE, domain="127.0.0.1")
        with self._one:
            reply = self.world.answer(call)
        return reply.status, {**reply.headers, "x-trace-id": call.trace_id}, reply.body

    def pod(self, layout: Mapping[str, Any], values: Mapping[str, Any]) -> str:
        """A new pod of a layout, about a record; its id. The API makes it of the shop's deal, and tells the record's
        values instead of that deal's until it is read again."""
        template = self.world.template(**{name: layout[name] for name in keeping.LAYOUT if name in layout})
        id = self.world.pod(template)["id"]
        made = self.world.pods.pods.pop((BRAND, id))
        about = replace(made, values={name: variables.spoken(each) for name, each in values.items()})
        creation.stored(about, self.world.services, f"{self.url}/pods/{id}/live", self.world.deadline, seen=None)
        return id

    def revoke(self) -> str:
        """Revoke the key, which is answered, and issue another."""
        old = self.world.key
        self.world.record(old).revoked = True
        self.world.key = self.world.issue(("pod.all", "template.all"))
        return old
