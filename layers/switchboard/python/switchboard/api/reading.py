"""Reading and removing: one record, a stretch of a list, and what becomes of it on our side of the CRM."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from switchboard import models
from switchboard.api import cursor, keys, scopes, unified
from switchboard.api.call import Call
from switchboard.api.reply import Reply, result
from switchboard.api.speak import Line
from switchboard.api.tokens import Tokens
from switchboard.api.unified import Asked, Wish
from switchboard.api.walk import find_account, offered
from switchboard.crm.catalog import Resource, Verb
from switchboard.crm.dialect import Answer
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.wire import Talk, passing
from switchboard.models.schema import Schema
from switchboard.models.values import ID
from switchboard.ports import Deadline, Services

STRETCHES = 20
"""So many stretches of a CRM's list are read for one of ours, where none holds a record that is asked for."""
STRETCH_SECONDS = 5
"""Another stretch is only begun with so much of the deadline left."""

ID_FORM = re.compile(ID)


@dataclass(frozen=True, slots=True)
class Access:
    """One request to read or remove, after everything that could be refused before anything is sent."""

    schema: Schema
    resource: Resource
    line: Line
    brand: str

    def hold[T](self, talk: Talk[T], asked: Asked) -> T:
        """Hold a conversation with the CRM, and note what it makes of the account's credentials."""
        self.line.knock()
        try:
            found = self.line.hold(passing(talk, asked.remote_query) if asked.remote_query else talk)
        except Problem as problem:
            self.line.note(problem)
            raise
        self.line.note()
        return found

    def reply(self, value: Any) -> Reply:
        """A result, with what the CRM says about its limits."""
        return result(200, value, {**self.line.forwarded, **unified.limits(self.line.rate)})

    def shown(self, answer: Answer, asked: Asked) -> Any:
        """A record in the form that was asked for."""
        return unified.shape(unified.linked(answer, self.schema, self.resource, self.line.origin), self.schema, asked)


@dataclass(frozen=True, slots=True)
class Read:
    """Reads and removals through the unified surface; the path says of which resource."""

    verb: Verb

    def walk(self, call: Call, services: Services, tokens: Tokens, deadline: Deadline) -> Reply:
        """From a call to its reply; raises the Problem of the first step that fails."""
        plural, id = parts(call.path)
        schema = models.load(plural)
        caller = keys.authenticate(call, services.access, services.clock.now())
        call.notes.update(brand=caller.brand, key_id=caller.admission.key_id)
        scopes.permit(caller, schema.name, "delete" if self.verb == "delete" else "read")
        asked = unified.wish(call, schema) if self.verb == "list" else unified.asked(call)
        account = find_account(caller, asked.account_id, services)
        call.notes.update(account=account.id, crm=account.crm)
        crm, resource = offered(account, schema, self.verb)
        line = Line(services, tokens, crm, account, deadline)
        access = Access(schema, resource, line, caller.brand)
        try:
            if isinstance(asked, Wish):
                return listed(access, asked)
            return removed(access, asked, id) if self.verb == "delete" else found(access, asked, id)
        finally:
            call.notes["crm_calls"] = line.calls


def parts(path: str) -> tuple[str, str]:
    """The plural of the resource in a path of the unified surface, and the id behind it."""
    plural, _, id = path.removeprefix("/unified/crm/").partition("/")
    return plural, unquote(id)


def found(access: Access, asked: Asked, id: str) -> Reply:
    """One record."""
    answer = access.hold(access.line.crm.dialect.get(access.resource, checked(id)), asked)
    return access.reply(access.shown(answer, asked))


def removed(access: Access, asked: Asked, id: str) -> Reply:
    """What was removed, by its id."""
    access.hold(access.line.crm.dialect.delete(access.resource, checked(id)), asked)
    return access.reply({"id": id})


def checked(id: str) -> str:
    """An id that can be one of a CRM's. What cannot be is not found, as little as one that is not there."""
    if len(id) > 255 or not ID_FORM.fullmatch(id):
        raise Problem(Kind.NOT_FOUND, "There is no such record.")
    return id


def listed(access: Access, wish: Wish) -> Reply:
    """A stretch of a list, never an empty one with a cursor; if the time for one call is spent, it says so."""
    crm, resource, deadline = access.line.crm, access.resource, access.line.deadline
    if wish.since and not resource.changes:
        detail = f"{crm.title} does not tell when {resource.plural} were changed."
        fault = unified.parameter("updated_at", "unsupported_filter", detail)
        raise Problem(Kind.UNSUPPORTED, detail, faults=(fault,), crm=crm.name)
    where, key = wish.where(access.brand, resource.plural), access.line.services.secrets.signing()
    position = cursor.unseal(key, where, wish.next_cursor) if wish.next_cursor else None
    answers = list[Answer]()
    for _ in range(STRETCHES):
        page = access.hold(crm.dialect.list(resource, since=wish.since, cursor=position, limit=wish.limit), wish)
        answers, position = [answer for answer in page.answers if wish.keeps(answer.item)], page.cursor
        if answers or position is None or deadline.left < STRETCH_SECONDS:
            break
    shown = [access.shown(answer, wish) for answer in answers]
    keyed = {
        str(answer.item.get(wish.key_by)): each for answer, each in zip(answers, shown, strict=True) if wish.key_by
    }
    return access.reply(
        {
            "result": keyed if wish.key_by else shown,
            "next_cursor": cursor.seal(key, where, position) if position is not None else None,
            "prev_cursor": None,
            "result_count": len(answers),
            "is_partial_response": not answers and position is not None,
        }
    )
