"""The composition root: real things behind the ports, made once; and the handlers that functions are made of.

What a handler is made of is imported where it is made: every function starts with its own parts only.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Protocol

from aws_lambda_powertools import Logger

from switchboard.api.call import Call
from switchboard.api.reply import Reply, refusal
from switchboard.crm.problem import Kind, Problem
from switchboard.ports import Deadline, Services

if TYPE_CHECKING:
    from switchboard.api.pods.envelope import Means
    from switchboard.aws.contacts import ContactsTable
    from switchboard.aws.pods import PodsTable
    from switchboard.aws.queue import SyncQueue
    from switchboard.models.schema import Schema, Verb
    from switchboard.talks.tokens import Tokens

RESERVE_SECONDS = 1.5
"""Kept of a function's time for storing the outcome and answering."""
LOCAL = "local"
"""The one stage in which a CRM may be looked for elsewhere than at its own hosts."""

log = Logger(service="switchboard", log_uncaught_exceptions=False)


class Context(Protocol):
    """What Lambda tells of an invocation, as far as it is used."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is stopped."""
        ...


type Handler = Callable[[dict[str, Any], Context], dict[str, Any]]
type Answer = Callable[[Call, Deadline], Reply]


class SystemClock:
    """Time as it is."""

    def now(self) -> float:
        """Epoch seconds."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@cache
def pods() -> PodsTable:
    """The table of pods: all that the pages need of the world."""
    from switchboard.aws import clients
    from switchboard.aws.pods import PodsTable

    return PodsTable(clients.dynamodb(), os.environ["SWITCHBOARD_PODS_TABLE"])


@cache
def contacts() -> ContactsTable:
    """The table of contacts."""
    from switchboard.aws import clients
    from switchboard.aws.contacts import ContactsTable

    return ContactsTable(clients.dynamodb(), os.environ["SWITCHBOARD_CONTACTS_TABLE"], time.sleep)


@cache
def queue() -> SyncQueue:
    """The queue of syncs."""
    from switchboard.aws import clients
    from switchboard.aws.queue import SyncQueue

    return SyncQueue(clients.sqs(), os.environ["SWITCHBOARD_SYNC_QUEUE"])


@cache
def services() -> Services:
    """The world, made once per process."""
    from switchboard.aws import clients
    from switchboard.aws.secrets import SecretStore
    from switchboard.aws.tables import AccessTable, OnceTable
    from switchboard.sender import Sender

    clock = SystemClock()
    access = AccessTable(clients.dynamodb(), os.environ["SWITCHBOARD_ACCESS_TABLE"])
    return Services(
        access=access,
        claims=OnceTable(clients.dynamodb(), os.environ["SWITCHBOARD_ONCE_TABLE"]),
        templates=pods(),
        pods=pods(),
        contacts=contacts(),
        checkpoints=contacts(),
        leases=access,
        secrets=SecretStore(clients.secretsmanager, os.environ["SWITCHBOARD_SECRETS"]),
        send=Sender(clock),
        clock=clock,
        log=log,
        public_url=os.environ.get("SWITCHBOARD_PUBLIC_URL", ""),
        origins=origins(os.environ),
        word=lambda: token_hex(8),
    )


def origins(environment: Mapping[str, str]) -> dict[str, str]:
    """Where CRMs are to be found instead of at their own hosts, by name. Empty in every stage but the local one."""
    if environment.get("SWITCHBOARD_STAGE") != LOCAL:
        return {}
    return json.loads(environment.get("SWITCHBOARD_ORIGINS", "{}"))


@cache
def tokens() -> Tokens:
    """The credentials that this process knows."""
    from switchboard.talks.tokens import Tokens

    world = services()
    return Tokens(world.secrets, world.leases, world.clock, world.word)


def unified_create(schema: Schema) -> Handler:
    """`POST /unified/crm/{plural}`: create a record in the CRM of an integrated account."""
    from switchboard.api.walk import Create

    create = Create(schema)
    _warm()
    return handler(lambda call, deadline: create.walk(call, services(), tokens(), deadline))


def unified_read(verb: Verb) -> Handler:
    """`GET` and `DELETE` below `/unified/crm`: read or remove records in the CRM of an integrated account."""
    from switchboard import models
    from switchboard.api.reading import Read

    read = Read(verb)
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        services()
        for plural in models.MODULES:
            models.load(plural)
    return handler(lambda call, deadline: read.walk(call, services(), tokens(), deadline))


def unified_capabilities() -> Handler:
    """`GET /unified/crm/capabilities`: what each CRM can do."""
    from switchboard.api import capabilities
    from switchboard.crm import registry

    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        services()
        for name in registry.NAMES:
            registry.load(name)
    return handler(lambda call, _: capabilities.walk(call, services()))


def means(deadline: Deadline) -> Means:
    """What a call that reaches a CRM is answered with."""
    from switchboard.api.pods.envelope import Means

    return Means(services(), tokens(), deadline)


def create_pod() -> Handler:
    """`POST /v1/pods`, and `/api/v1/pods/new`: make a pod from a CRM's record."""
    from switchboard.api.pods import creation

    _warm()
    return handler(lambda call, deadline: creation.create(call, means(deadline)))


def refresh_pod() -> Handler:
    """`POST /v1/pods/{id}/refresh`: read a pod's record anew."""
    from switchboard.api.pods import keeping

    _warm()
    return handler(lambda call, deadline: keeping.refresh(call, means(deadline)))


def manage_pods() -> Handler:
    """`GET`, `PATCH` and `DELETE /v1/pods/{id}`, `POST /v1/pods/search`."""
    from switchboard.api.pods import keeping

    def manage(call: Call, deadline: Deadline) -> Reply:
        match call.method:
            case "GET":
                return keeping.get(call, services())
            case "PATCH":
                return keeping.change(call, services(), deadline)
            case "DELETE":
                return keeping.delete(call, services())
            case _:
                return keeping.search(call, services())

    _warm()
    return handler(manage)


def manage_templates() -> Handler:
    """`POST` and `GET /v1/templates`; `GET`, `PATCH` and `DELETE /v1/templates/{id}`."""
    from switchboard.api.pods import templates

    def manage(call: Call, deadline: Deadline) -> Reply:
        match call.method, call.path.rstrip("/").count("/"):
            case "POST", _:
                return templates.create(call, services(), deadline)
            case "PATCH", _:
                return templates.change(call, services())
            case "DELETE", _:
                return templates.delete(call, services())
            case _, 2:
                return templates.list_(call, services())
            case _:
                return templates.get(call, services())

    _warm()
    return handler(manage)


def preview_template() -> Handler:
    """`POST /v1/templates/{id}/preview`: what a pod would show."""
    from switchboard.api.pods import templates

    _warm()
    return handler(lambda call, deadline: templates.preview(call, means(deadline)))


def view_pod() -> Handler:
    """`GET /pods/{id}/live`, `/pods/edit/{id}` and `/pods/assets/{file}`: the pages."""
    from switchboard.api.pods import pages

    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        pods()
    return handler(lambda call, _: pages.view(call, pods()))


def search_contacts() -> Handler:
    """`POST /v1/contacts/search` and `GET /v1/contacts/{id}`: contacts out of the store."""
    from switchboard.api.records import contacts as records

    def answer(call: Call, deadline: Deadline) -> Reply:
        if call.method == "GET":
            return records.get(call, services())
        return records.search(call, services(), deadline)

    _warm()
    return handler(answer)


def plan_syncs() -> Handler:
    """What the schedule starts: accounts that are due go into the queue."""
    from switchboard.sync import scheduling

    def handle(_event: dict[str, Any], _context: Context) -> dict[str, Any]:
        return {"queued": scheduling.schedule(services(), queue())}

    _warm()
    return handle


def run_sync() -> Handler:
    """What the queue starts: turns at accounts. What fails goes back into the queue; the others of its batch do not."""
    from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

    from switchboard.sender import BIGGEST_PAGE, Sender
    from switchboard.sync import running
    from switchboard.sync.planning import Message

    sender = Sender(SystemClock(), biggest=BIGGEST_PAGE)
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

    def handle(event: dict[str, Any], context: Context) -> dict[str, Any]:
        means = running.Means(replace(services(), send=sender), tokens(), contacts(), queue())
        ends = time.time() + context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS
        left = len(event["Records"])

        def turn(record: Any) -> None:
            nonlocal left
            share = time.time() + (ends - time.time()) / left  # nobody takes the time of those who come after
            left -= 1
            told = json.loads(record.body)
            try:
                running.run(
                    Message(told["brand"], told["account"], told.get("due_at")), means, Deadline(share, SystemClock())
                )
            except Exception:
                log.exception("fault", extra={"message_id": record.message_id})
                raise

        lambda_context: Any = context
        return dict(process_partial_response(event, turn, processor, lambda_context))

    _warm()
    return handle


def _warm() -> None:
    """Make the world while the function starts, where time is cheap and SnapStart can keep it."""
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        services()


def unknown_route() -> Handler:
    """`$default`: what no other function answers, refused in the form of its surface."""
    from switchboard.api import routes

    def refuse(call: Call, _: Deadline) -> Reply:
        raise routes.unknown(call)

    return handler(refuse)


def handler(answer: Answer) -> Handler:
    """A Lambda handler around the answer to a call: every call gets a reply and one line in the log."""

    def handle(event: dict[str, Any], context: Context) -> dict[str, Any]:
        started = time.time()
        call = Call.of(event, trace_id())
        remaining = context.get_remaining_time_in_millis() / 1000
        deadline = Deadline(started + remaining - RESERVE_SECONDS, SystemClock())
        try:
            reply = answer(call, deadline)
        except Problem as problem:
            reply = refusal(call, problem)
        except Exception:
            log.exception("fault", extra={"trace_id": call.trace_id})
            reply = refusal(call, Problem(Kind.INTERNAL, "Something went wrong on our side."))
        line = {
            "trace_id": call.trace_id,
            "method": call.method,
            "path": call.path,
            "status": reply.status,
            **call.notes,
        }
        log.info("call", extra={**line, "ms": round((time.time() - started) * 1000)})
        return reply.event(call.trace_id)

    return handle


def trace_id() -> str:
    """The trace of this invocation, 16 hex digits: the end of X-Ray's own where there is one, else a new one."""
    root = re.search(r"Root=1-[0-9a-f]{8}-[0-9a-f]{8}([0-9a-f]{16})", os.environ.get("_X_AMZN_TRACE_ID", ""))
    return root[1] if root else token_hex(8)
