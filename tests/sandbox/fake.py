"""What all fakes share: routes, the walk of a request, and how a fault bends it. A CRM says only what is its own."""

import copy
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule

from tests.sandbox import spec
from tests.sandbox.control import Control
from tests.sandbox.exchange import Answer, Delivery, Json, RefusalError, Request
from tests.sandbox.faults import BAD_GATEWAY, Fault, FaultKind, Faults
from tests.sandbox.grants import Grant, Grants, Standing
from tests.sandbox.journal import Journal


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    label: str
    scope: str | None
    public: bool
    handler: str = ""


def route(
    method: str, *paths: str, label: str, scope: str | None = None, public: bool = False
) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Marks a method of a Fake as the handler of `method` on `paths`; label and scope may name path arguments."""

    def mark(handler: Callable[..., Answer]) -> Callable[..., Answer]:
        routes: list[Route] = handler.__dict__.setdefault("routes", [])
        routes.extend(Route(method, path, label, scope, public) for path in paths)
        return handler

    return mark


class Fake:
    """One CRM. Subclasses give routes, sentences of refusal, and a store that `clear` empties and seeds."""

    name: ClassVar[str]
    token_path: ClassVar[str]
    token_lifetime: ClassVar[float]
    rotates: ClassVar[bool] = False
    """Whether a refresh gives a new refresh token, and kills the old one, unless the control plane wishes otherwise."""
    key_prefix: ClassVar[str | None] = None
    defaults: ClassVar[dict[str, Any]] = {}
    nouns: ClassVar[dict[str, str]] = {}
    specs: ClassVar[dict[str, str]] = {}
    """Document in shared/specs/<name> -> the path that its own paths continue."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.control = Control(self)
        self.routes = Map(
            [
                Rule(mark.path, methods=[mark.method], endpoint=replace(mark, handler=name))
                for name, method in inspect.getmembers(type(self), inspect.isfunction)
                for mark in method.__dict__.get("routes", [])
            ],
            strict_slashes=False,
            merge_slashes=False,
        ).bind("sandbox")
        self.contracts = [
            spec.Contract(self.amended(file, copy.deepcopy(document)), prefix)
            for file, prefix in self.specs.items()
            if (document := spec.document(self.name, file)) is not None
        ]
        self.reset()

    def reset(self) -> None:
        self.settings = dict(self.defaults)
        self.journal = Journal()
        self.faults = Faults()
        self.grants = Grants(self.clock)
        self.clear()

    # The walk of a request.

    def receive(self, request: Request) -> Delivery:
        if request.path.startswith("/_sandbox"):
            return self.control.receive(request)
        found = self.find(request)
        label = found.label.format_map(request.args) if isinstance(found, Route) else "unknown"
        entry = self.journal.arrived(request, label)
        fault = self.faults.take(request.method, label)
        entry.fault = fault.kind if fault else None
        delivery = self.bend(fault, found, request, label) if fault else Delivery(self.handle(found, request, label))
        entry.status = delivery.answer.status if delivery.answer else None
        return delivery

    def find(self, request: Request) -> Route | Answer:
        try:
            found, matched = self.routes.match(request.path, request.method)
        except MethodNotAllowed as wrong:
            return self.method_not_allowed(request, sorted(wrong.valid_methods or ()))
        except HTTPException:
            return self.route_unknown(request)
        request.args = {name: str(value) for name, value in matched.items()}
        if "kind" in request.args:
            request.args["kind"] = self.noun(request.args["kind"])
        return found

    def noun(self, word: str) -> str:
        """The plural that labels, control plane and store use, from any of the vendor's words for an object."""
        return self.nouns.get(word.lower(), word)

    def handle(self, found: Route | Answer, request: Request, label: str) -> Answer:
        headers: dict[str, str] = {}
        try:
            headers = self.admit(request, label)
            answer = found if isinstance(found, Answer) else self.perform(found, request)
        except RefusalError as refused:
            answer = refused.answer
        answer.headers = headers | answer.headers
        return answer

    def perform(self, found: Route, request: Request) -> Answer:
        if not found.public:
            self.authenticate(request, found.scope.format_map(request.args) if found.scope else None)
            self.check(request)
        return getattr(self, found.handler)(request)

    def authenticate(self, request: Request, scope: str | None) -> None:
        value = self.api_key(request)
        if value is not None:
            key = self.grants.key(value)
            if key is None:
                raise RefusalError(self.unauthenticated(Standing.UNKNOWN))
            if key.scopes is not None and scope is not None and scope not in key.scopes:
                raise RefusalError(self.missing_scope(scope))
            return
        if request.bearer is None:
            raise RefusalError(self.unauthenticated(None))
        standing, grant = self.grants.standing(request.bearer)
        if standing is not Standing.GOOD or grant is None:
            expired_at = grant.tokens[request.bearer] if grant and standing is Standing.EXPIRED else 0.0
            raise RefusalError(self.unauthenticated(standing, expired_at))
        if scope is not None and not self.allowed(grant, scope):
            raise RefusalError(self.missing_scope(scope))

    def allowed(self, grant: Grant, scope: str) -> bool:
        return grant.allows(scope)

    def check(self, request: Request) -> None:
        """The body against the vendor's OpenAPI document, where one is there."""
        path = self.spec_path(request)
        for contract in self.contracts if request.body else ():
            operation = contract.operation(request.method, path)
            if operation is None:
                continue
            try:
                body = request.json()
            except ValueError as broken:
                raise RefusalError(self.bad_json(str(broken))) from broken
            if violation := contract.violation(operation, body):
                raise RefusalError(self.violation(request, *violation))
            return

    def body(self, request: Request) -> dict[str, Json]:
        """The JSON object of a request; anything else is refused in the vendor's words."""
        try:
            body = request.json()
        except ValueError as broken:
            raise RefusalError(self.bad_json(str(broken))) from broken
        if not isinstance(body, dict):
            raise RefusalError(self.bad_json("a JSON object was expected"))
        return body

    def objects(self, body: dict[str, Json], name: str) -> list[dict[str, Json]]:
        """A member that is an array of objects, or absent."""
        value = body.get(name) or []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in cast("list[Json]", value)):
            raise RefusalError(self.bad_json(f"{name} must be an array of objects"))
        return value

    # Faults.

    def bend(self, fault: Fault, found: Route | Answer, request: Request, label: str) -> Delivery:
        if fault.kind is FaultKind.DROPPED_BEFORE:
            return Delivery(None)
        answer = self.handle(found, request, label) if fault.processes else None
        if fault.kind is FaultKind.DROPPED_AFTER:
            return Delivery(None)
        if fault.kind is FaultKind.STALLED:
            return Delivery(answer, wait=fault.seconds)
        if fault.kind is FaultKind.TRUNCATED_JSON:
            return Delivery(truncated(answer or Answer(200, {"success": True})))
        return Delivery(self.sentence(fault, found, request, label))

    def sentence(self, fault: Fault, found: Route | Answer, request: Request, label: str) -> Answer:
        match fault.kind:
            case FaultKind.RATE_LIMITED:
                return self.rate_limited(fault.wait, label)
            case FaultKind.RATE_LIMITED_SILENT:
                return self.rate_limited(None, label)
            case FaultKind.SERVER_ERROR:
                return self.server_error(fault.status or 500)
            case FaultKind.REVOKED_TOKEN:
                return self.unauthenticated(Standing.REVOKED)
            case FaultKind.MISSING_SCOPE:
                scope = found.scope if isinstance(found, Route) else None
                return self.missing_scope((scope or "").format_map(request.args))
            case FaultKind.DUPLICATE:
                return self.duplicate(found, request, label, fault.id)
            case _:
                return Answer(502, BAD_GATEWAY, {"Content-Type": "text/html"})

    # What a CRM says for itself.

    def clear(self) -> None:
        """Empties the store and puts in what every account of this CRM has."""
        raise NotImplementedError

    def admit(self, request: Request, label: str) -> dict[str, str]:
        """Counts the request against the vendor's limits; the headers that every answer carries."""
        return {}

    def api_key(self, request: Request) -> str | None:
        """The API key that a request presents, where the vendor knows keys."""
        return None

    def grant_facts(self) -> dict[str, str]:
        """What else an account of this CRM needs to be connected, e.g. its instance URL."""
        return {}

    def spec_path(self, request: Request) -> str:
        return request.path

    def amended(self, file: str, document: dict[str, Any]) -> dict[str, Any]:
        """The vendor's document without its known errors."""
        return document

    def plant(self, noun: str, fields: dict[str, Json]) -> str | int:
        """Stores a prerequisite record past all checks; LookupError for an object that this CRM lacks."""
        raise NotImplementedError

    def alter(self, noun: str, id: str, fields: dict[str, Json]) -> None:
        """Changes a record past all checks, as somebody at the CRM would; LookupError for one that is not there."""
        raise NotImplementedError

    def erase(self, noun: str, id: str) -> None:
        """Deletes a record as somebody at the CRM would; LookupError for one that is not there."""
        raise NotImplementedError

    def stored(self, noun: str) -> list[Json]:
        raise NotImplementedError

    def unauthenticated(self, standing: Standing | None, expired_at: float = 0.0) -> Answer:
        raise NotImplementedError

    def missing_scope(self, scope: str) -> Answer:
        raise NotImplementedError

    def rate_limited(self, wait: float | None, label: str) -> Answer:
        raise NotImplementedError

    def server_error(self, status: int) -> Answer:
        raise NotImplementedError

    def duplicate(self, found: Route | Answer, request: Request, label: str, existing: str | None) -> Answer:
        raise NotImplementedError

    def route_unknown(self, request: Request) -> Answer:
        raise NotImplementedError

    def method_not_allowed(self, request: Request, allowed: list[str]) -> Answer:
        raise NotImplementedError

    def bad_json(self, detail: str) -> Answer:
        raise NotImplementedError

    def violation(self, request: Request, where: str, detail: str) -> Answer:
        raise NotImplementedError


def truncated(answer: Answer) -> Answer:
    """Cut in the middle, while Content-Length fits the cut body: only reading the JSON tells."""
    whole = answer.payload()
    return Answer(answer.status, whole[: len(whole) // 2], {"Content-Type": "application/json"} | answer.headers)
