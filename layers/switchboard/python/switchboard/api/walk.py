"""The walk of a request, from top to bottom. Each step takes what the last one gave, so that none can be skipped."""

from dataclasses import dataclass

from switchboard.api import door, once, unified
from switchboard.api.call import Call
from switchboard.api.creation import Creation
from switchboard.api.keys import Caller
from switchboard.api.reply import Reply
from switchboard.crm import registry
from switchboard.crm.catalog import CRM, Resource
from switchboard.crm.dialect import Draft
from switchboard.crm.problem import Fault, Kind, Problem, pointed
from switchboard.models.schema import Schema, Verb
from switchboard.ports import Account, Deadline, Services
from switchboard.talks.line import Line
from switchboard.talks.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Create:
    """Creating records of one resource through the unified surface."""

    schema: Schema

    def walk(self, call: Call, services: Services, tokens: Tokens, deadline: Deadline) -> Reply:
        """From a call to its reply; raises the Problem of the first step that fails."""
        caller = door.enter(call, services, self.schema.name, "write")
        key = once.key_of(call.headers.get("idempotency-key"))
        order = unified.order(call, self.schema)
        account = find_account(caller, order.account_id, services)
        call.notes.update(account=account.id, crm=account.crm)
        crm, resource = offered(account, self.schema, "create")
        draft = crm.dialect.draft(resource, order.item, order.remote_data)
        if order.strict and draft.ignored:
            raise no_place(crm, draft)
        line = Line(services, tokens, crm, account, deadline)
        return Creation(self.schema, order, resource, draft, line).run(call, caller, key)


def find_account(caller: Caller, account_id: str, services: Services) -> Account:
    """The account of the caller's brand. Unknown and another brand's are the same 404."""
    account = services.access.account(caller.brand, account_id)
    if account is None:
        raise Problem(Kind.NOT_FOUND, "There is no such integrated account.")
    return account


def offered(account: Account, schema: Schema, verb: Verb) -> tuple[CRM, Resource]:
    """The account's CRM and what it has of the resource; a refusal says which CRMs can, and why this one cannot."""
    crm = registry.load(account.crm)
    resource = crm.resources.get(schema.plural)
    if isinstance(resource, Resource) and verb in resource.verbs:
        return crm, resource
    others = ", ".join(other.title for other in registry.offering(schema.plural, verb)) or "no CRM yet"
    lacking = resource.lacks.get(verb) if isinstance(resource, Resource) else resource
    why = f" {lacking.why} See {lacking.see}" if lacking else ""
    detail = f"{crm.title} cannot {verb} {schema.plural}.{why} It is possible with: {others}."
    raise Problem(Kind.UNSUPPORTED, detail, crm=crm.name)


def no_place(crm: CRM, draft: Draft) -> Problem:
    """The refusal of a strict request that holds fields which this CRM has no place for."""
    faults = tuple(
        Fault(name, "unsupported_field", f"{crm.title} has no place for it", pointed(name)) for name in draft.ignored
    )
    detail = f"{crm.title} has no place for: {', '.join(draft.ignored)}."
    return Problem(Kind.UNSUPPORTED, detail, faults=faults, crm=crm.name)
