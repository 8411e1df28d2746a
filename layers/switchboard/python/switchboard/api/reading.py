"""Reading and removing: one record, a stretch of a list, and what becomes of it on our side of the CRM."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from switchboard import models
from switchboard.api import cursor, door, unified
from switchboard.api.call import Call
from switchboard.api.reply import Reply, result
from switchboard.api.unified import Asked, Wish
from switchboard.api.walk import find_account, offered
from switchboard.crm.catalog import CRM, Resource
from switchboard.crm.dialect import Answer
from switchboard.crm.paging import Cursor
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.wire import Talk, passing
from switchboard.models.schema import Schema, Verb
from switchboard.models.values import ID
from switchboard.ports import Deadline, Services
from switchboard.search import through
from switchboard.talks.line import Line
from switchboard.talks.tokens import Tokens

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

    def hold[T](self, talk: Talk[T], asked: Asked, *, reads: bool = True) -> T:
        """Hold a conversation with the CRM, and note what it makes of the account's credentials."""
        first = not self.line.calls  # the one live try of an account is good for all that one request asks
        if first:
            self.line.knock()
        try:
            passed = asked.remote_query
            found = self.line.hold(passing(talk, passed, reads=reads) if passed else talk)
        except Problem as problem:
            self.line.note(problem)
            raise
        if first:
            self.line.note()
        return found

    def reply(self, value: Any) -> Reply:
        """A result, with what the CRM says about its limits."""
        headers = {**self.line.forwarded, **unified.limits(self.line.rate)}
        headers.pop("retry-after", None)  # there is nothing to send again
        return result(200, value, headers)

    def shown(self, answer: Answer, asked: Asked) -> Any:
        """A record in the form that was asked for."""
        return unified.shape(unified.linked(answer, self.schema, self.resource, self.line.origin), self.schema, asked)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stretch of a list begins, and how many records it has; both are in the cursor of the stretch before."""

    where: list[Any]
    limit: int
    position: Cursor | None = None

    @classmethod
    def of(cls, wish: Wish, brand: str, plural: str, services: Services) -> "Place":
        """The place that a request names. Raises `invalid-request` where it holds no cursor of its list."""
        where = wish.where(brand, plural)
        if wish.next_cursor is None:
            return cls(where, wish.limit or unified.PAGE)
        told = cursor.unseal(services.secrets.signing(), where, wish.next_cursor)
        if wish.limit not in (None, told["limit"]):
            detail = f"is {told['limit']} in this list, as it was when it began"
            unified.refuse([unified.parameter("limit", "invalid_value", detail)])
        return cls(where, told["limit"], told["position"])

    def cursor(self, position: Cursor | None, services: Services) -> str | None:
        """The cursor of the next stretch; None at the end."""
        if position is None:
            return None
        return cursor.seal(services.secrets.signing(), self.where, {"limit": self.limit, "position": position})


@dataclass(frozen=True, slots=True)
class Read:
    """Reads and removals through the unified surface; the path says of which resource."""

    verb: Verb

    def walk(self, call: Call, services: Services, tokens: Tokens, deadline: Deadline) -> Reply:
        """From a call to its reply; raises the Problem of the first step that fails."""
        plural, id = parts(call.path)
        schema = models.load(plural)
        caller = door.enter(call, services, schema.name, "delete" if self.verb == "delete" else "read")
        asked = unified.wish(call, schema) if self.verb == "list" else unified.asked(call)
        place = Place.of(asked, caller.brand, plural, services) if isinstance(asked, Wish) else None
        account = find_account(caller, asked.account_id, services)
        call.notes.update(account=account.id, crm=account.crm)
        crm, resource = offered(account, schema, self.verb)
        line = Line(services, tokens, crm, account, deadline)
        access = Access(schema, resource, line)
        try:
            if isinstance(asked, Wish) and place:
                return listed(access, asked, place)
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
    if answer.partial:  # no record, but perhaps another page of the CRM's, which that id leads to
        raise Problem(Kind.CRM_UNAVAILABLE, "The CRM's answer holds no such record.", crm=access.line.crm.name)
    return access.reply(access.shown(answer, asked))


def removed(access: Access, asked: Asked, id: str) -> Reply:
    """What was removed, by its id."""
    access.hold(access.line.crm.dialect.delete(access.resource, checked(id)), asked, reads=False)
    through.removed(access.line, access.resource, id)
    return access.reply({"id": id})


def checked(id: str) -> str:
    """An id that can be one of a CRM's. What cannot be is not found, as little as one that is not there."""
    if len(id) > 255 or not ID_FORM.fullmatch(id):
        raise Problem(Kind.NOT_FOUND, "There is no such record.")
    return id


def narrowed(crm: CRM, resource: Resource, wish: Wish) -> None:
    """Raise `unsupported-by-crm` where the CRM does not tell what a filter looks at."""
    lacking = dict[str, str]()
    if wish.since and not resource.changes:
        lacking["updated_at"] = f"{crm.title} does not tell when {resource.plural} were changed."
    if wish.pipeline is not None and resource.table.row("pipeline.id") is None:
        lacking["pipeline[id]"] = f"{crm.title} does not tell the pipelines of {resource.plural}."
    if lacking:
        faults = tuple(unified.parameter(name, "unsupported_filter", detail) for name, detail in lacking.items())
        raise Problem(Kind.UNSUPPORTED, " ".join(lacking.values()), faults=faults, crm=crm.name)


def listed(access: Access, wish: Wish, place: Place) -> Reply:
    """A stretch of a list, never an empty one with a cursor; if the time for one call is spent, it says so."""
    crm, resource, deadline = access.line.crm, access.resource, access.line.deadline
    narrowed(crm, resource, wish)
    position, answers = place.position, list[Answer]()
    for _ in range(STRETCHES):
        page = access.hold(crm.dialect.list(resource, since=wish.since, cursor=position, limit=place.limit), wish)
        answers, position = [answer for answer in page.answers if wish.keeps(answer.item)], page.cursor
        if answers or position is None or deadline.left < STRETCH_SECONDS:
            break
    shown = [access.shown(answer, wish) for answer in answers]
    told = keyed(wish.key_by, answers, shown) if wish.key_by else shown
    return access.reply(
        {
            "result": told,
            "next_cursor": place.cursor(position, access.line.services),
            "prev_cursor": None,
            "result_count": len(told),
            "is_partial_response": not answers and position is not None,
        }
    )


def keyed(name: str, answers: list[Answer], shown: list[Any]) -> dict[str, Any]:
    """Records by the value of a field: the last of those that share one, and `null` for those that have none."""
    values = [answer.item.get(name) for answer in answers]
    return {"null" if value is None else str(value): each for value, each in zip(values, shown, strict=True)}
