"""A site with pods on it: our pages and headers over HTTP, and a stand-in of `/v1/pods/{id}` that keeps them in memory.

What a page needs of its host is in `Site`; the local stack may take the place of this one.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_hex
from threading import Thread
from typing import Any, Protocol, Self

from switchboard.crm.problem import Problem
from switchboard.pods import blocks, filling, look, page, variables
from switchboard.pods.blocks import Layout

POD = re.compile(r"/v1/pods/([0-9a-f]{24})(/refresh)?")
LIVE = re.compile(r"/pods/([0-9a-f]{24})/live")
EDIT = re.compile(r"/pods/edit/([^/]+)")
LAYOUT = tuple(Layout.model_fields)
MADE = "2026-11-16T14:05:00Z"

type Answer = tuple[int, Mapping[str, str], bytes]


class Site(Protocol):
    """Where pods are: its address, a key that may read and write them, and how to put one there."""

    url: str
    key: str

    def pod(self, layout: Mapping[str, Any], values: Mapping[str, Any]) -> str:
        """A new pod of a layout, about a record; its id."""
        ...


@dataclass
class Pod:
    """A pod as it is kept."""

    layout: dict[str, Any]
    values: dict[str, Any]
    own: dict[str, str] = field(default_factory=dict[str, str])
    version: int = 1

    def known(self) -> dict[str, Any]:
        """The values that it is filled with."""
        return variables.laid_over({name: variables.spoken(each) for name, each in self.values.items()}, self.own)


class Stand:
    """The stand-in. Pages of other origins than ours may be put up as well, under any path, with any headers."""

    def __init__(self) -> None:
        self.key = "trpt_abc123_" + token_hex(16)
        self.pods = dict[str, Pod]()
        self.others = dict[str, Answer]()
        self.asked = list[str]()
        stand = self

        class Door(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                stand.asked.append(f"{self.command} {self.path}")
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                status, headers, content = stand.answer(self.command, self.path, self.headers, body)
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815  the names that the server calls

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def pod(self, layout: Mapping[str, Any], values: Mapping[str, Any]) -> str:
        """A new pod of a layout, about a record; its id."""
        id = token_hex(12)
        kept = Layout.model_validate({name: layout[name] for name in LAYOUT if name in layout})
        self.pods[id] = Pod(kept.model_dump(), dict(values))
        return id

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> Answer:
        """What is answered to a request."""
        if path in self.others:
            return self.others[path]
        if path.startswith(look.ASSET_PATH) and (asset := look.ASSETS.get(path.removeprefix(look.ASSET_PATH))):
            return 200, {"content-type": asset.media_type, "x-content-type-options": "nosniff"}, asset.content
        if found := EDIT.fullmatch(path):
            return _page(200, look.edit(found[1]), look.EDIT_POLICY)
        if found := POD.fullmatch(path):
            return self._api(method, found[1], bool(found[2]), headers, body)
        found = LIVE.fullmatch(path)
        pod = self.pods.get(found[1]) if found else None
        if found is None or pod is None:
            return _page(404, look.gone(), look.LIVE_POLICY)
        shown = filling.filled(Layout.model_validate(pod.layout), pod.known(), lambda: 1.0)
        return _page(200, page.live({"id": found[1], "url": self.url + path, **shown}), look.LIVE_POLICY)

    def _api(self, method: str, id: str, refresh: bool, headers: Any, body: bytes) -> Answer:
        if headers.get("authorization") != f"Bearer {self.key}":
            return _json(401, {"success": False, "error": "Invalid API key"})
        pod = self.pods.get(id)
        if pod is None:
            return _json(404, {"success": False, "error": "Pod not found"})
        if method == "DELETE":
            del self.pods[id]
            return 204, {}, b""
        if method == "PATCH":
            if headers.get("if-match") != f'"{pod.version}"':
                return _json(412, {"success": False, "error": "Somebody else has changed this pod"})
            try:
                _change(pod, json.loads(body))
            except Problem as problem:
                errors = [
                    {"pointer": each.pointer, "field": each.field, "detail": each.detail} for each in problem.faults
                ]
                return _json(400, {"success": False, "error": problem.detail, "errors": errors})
        if refresh:
            pod.version += 1
        return _json(200, {"success": True, "data": self._told(id, pod)}, {"etag": f'"{pod.version}"'})

    def _told(self, id: str, pod: Pod) -> dict[str, Any]:
        values = pod.known()
        mentioned = {
            mention
            for _, said, text in blocks.texts(Layout.model_validate(pod.layout))
            for mention in variables.mentions(text, said)
        }
        return {
            "id": id,
            **pod.layout,
            "variables": {str(each): variables.value(values, each) for each in mentioned},
            "overridden": sorted(pod.own),
            "missing_variables": variables.missing(values, mentioned),
            "crm_type": "acme",
            "crm_object": "deals",
            "crm_id": "8801",
            "template_id": "deal-room",
            "owner_email": "tom.okafor@example.com",
            "version": pod.version,
            "created_at": MADE,
            "updated_at": MADE,
            "refreshed_at": MADE,
            "edit_url": f"{self.url}/pods/edit/{id}",
            "live_url": f"{self.url}/pods/{id}/live",
        }


def _change(pod: Pod, changes: dict[str, Any]) -> None:
    own = {**pod.own, **changes.pop("variables", {})}
    layout, _ = filling.checked(Layout, {**pod.layout, **changes})
    pod.layout = layout.model_dump()
    pod.own = {name: value for name, value in own.items() if value is not None}
    pod.version += 1


def _page(status: int, html: str, policy: str) -> Answer:
    headers = {**look.HEADERS, "content-type": "text/html; charset=utf-8", "content-security-policy": policy}
    return status, headers, html.encode()


def _json(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    return status, {"content-type": "application/json", **(headers or {})}, json.dumps(value).encode()
