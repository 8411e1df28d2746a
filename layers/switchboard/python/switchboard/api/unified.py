"""The unified surface: what a request to it says beside its body, and the three forms of its answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast
from uuid import UUID

from pydantic import ValidationError

from switchboard.api import query
from switchboard.api.call import Call
from switchboard.crm.catalog import Resource
from switchboard.crm.dialect import Answer, Rate
from switchboard.crm.mapping import Record
from switchboard.crm.problem import Fault, Kind, Problem, pointer
from switchboard.crm.wire import Pairs
from switchboard.models.schema import Schema

type Form = Literal["unified", "normalized", "raw"]
HEADER_LENGTH = 2000
FAULTS = 100
"""So many faults of one request are told; a caller with more has another problem."""
MEMBERS = 1000
"""So many members a body may have."""
FORMS: tuple[Form, ...] = ("unified", "normalized", "raw")


@dataclass(frozen=True, slots=True)
class Order:
    """A checked request to create a record through the unified surface."""

    account_id: str
    form: Form
    ignore_remote_data: bool
    exclude: frozenset[str]
    remote_query: Pairs
    item: Record
    remote_data: Record
    strict: bool
    said: tuple[Any, Any]
    """The parsed query and body, for the fingerprint."""


def order(call: Call, schema: Schema) -> Order:
    """The order in a call. Raises every fault of its query and of the fields of its body at once, up to a hundred."""
    body = call.json()
    if len(body) > MEMBERS:
        raise Problem(Kind.INVALID, f"The body has more than {MEMBERS} members.")
    tree = query.parse(call.query)
    faults: list[Fault] = []
    account_id = _account_id(tree, faults)
    form = _form(tree, faults)
    ignore = _boolean(tree, "truto_ignore_remote_data", faults)
    exclude = _names(tree, "truto_exclude_fields", faults)
    if not isinstance(tree.get("remote_query", {}), dict):
        faults.append(_parameter("remote_query", "wrong_type", "has to be an object: remote_query[name]=value"))
    remote_data = {} if body.get("remote_data") is None else body["remote_data"]
    if not isinstance(remote_data, dict):
        faults.append(Fault("remote_data", "wrong_type", "has to be an object", "#/remote_data"))
        remote_data = {}
    item = _item({name: value for name, value in body.items() if name != "remote_data"}, schema, faults)
    if faults:
        told = faults[:FAULTS]
        more = f"; and {len(faults) - FAULTS} more" if len(faults) > FAULTS else ""
        detail = "; ".join(f"{fault.field}: {fault.detail}" for fault in told) + more
        missing = [fault.field for fault in faults if fault.code == "required"]
        insight = {"missing_required_query_parameters": {"description": "These are required.", "value": missing}}
        raise Problem(Kind.INVALID, detail, faults=tuple(told), insight=insight if missing else None)
    return Order(
        account_id=account_id,
        form=form,
        ignore_remote_data=ignore,
        exclude=exclude,
        remote_query=query.below(call.query, "remote_query") if "remote_query" in tree else (),
        item=item,
        remote_data=cast("Record", remote_data),
        strict=call.prefers("handling=strict"),
        said=(tree, body),
    )


def shape(answer: Answer, schema: Schema, order: Order) -> Any:
    """An answer of a CRM in the form that was asked for."""
    if order.form == "raw":
        return answer.raw
    if order.form == "normalized":
        shown: Record = {name: answer.item.get(name) for name in schema.readable}
    else:
        shown = {name: answer.item[name] for name in schema.readable if name in answer.item}
        if not order.ignore_remote_data:
            shown["remote_data"] = answer.raw
    return {name: value for name, value in shown.items() if name not in order.exclude}


def linked(answer: Answer, schema: Schema, resource: Resource, origin: str | None) -> Answer:
    """The answer with the address of the record's page in the vendor's web app, where both are known."""
    if not (resource.link and origin and "urls" in schema.readable):
        return answer
    url = origin.rstrip("/") + resource.link.format(id=answer.item["id"])
    return Answer({**answer.item, "urls": [{"url": url, "type": "record"}]}, answer.raw, answer.partial)


def listed(names: Sequence[str]) -> str:
    """Names for a header, cut where headers get too long for some client or proxy."""
    shown, length = list[str](), 0
    for name in names:
        length += len(name) + 2
        if length > HEADER_LENGTH:
            return ", ".join([*shown, f"and {len(names) - len(shown)} more"])
        shown.append(name)
    return ", ".join(shown)


def limits(rate: Rate | None) -> dict[str, str]:
    """The vendor's own limit as headers, in delta seconds; nothing where the vendor says nothing."""
    if rate is None:
        return {}
    figures = {"ratelimit-limit": rate.limit, "ratelimit-remaining": rate.remaining, "ratelimit-reset": rate.reset}
    return {name: str(figure) for name, figure in figures.items() if figure is not None}


def _item(body: Record, schema: Schema, faults: list[Fault]) -> Record:
    try:
        checked = schema.request.model_validate(body)
    except ValidationError as fault:
        faults += [_body_fault(error["loc"], error["type"], error["msg"]) for error in fault.errors()]
        return {}
    return checked.model_dump(exclude_unset=True)


def _body_fault(loc: tuple[str | int, ...], code: str, message: str) -> Fault:
    field = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc).lstrip(".")
    where = pointer(*loc)
    if code == "extra_forbidden":
        return Fault(field, "unknown_field", "is not a field of this resource", where)
    sentence = message.removeprefix("Value error, ")
    return Fault(field, code, sentence[0].lower() + sentence[1:], where)


def _account_id(tree: query.Tree, faults: list[Fault]) -> str:
    given = tree.get("integrated_account_id")
    if given is None:
        faults.append(_parameter("integrated_account_id", "required", "is required"))
        return ""
    try:
        return str(UUID(given)) if isinstance(given, str) and len(given) == 36 else _not_uuid(faults)
    except ValueError:
        return _not_uuid(faults)


def _not_uuid(faults: list[Fault]) -> str:
    faults.append(_parameter("integrated_account_id", "wrong_type", "has to be one UUID"))
    return ""


def _form(tree: query.Tree, faults: list[Fault]) -> Form:
    given = tree.get("truto_response_format", "unified")
    found: Form | None = next((form for form in FORMS if form == given), None)
    if found is None:
        faults.append(_parameter("truto_response_format", "invalid_value", "has to be one of " + ", ".join(FORMS)))
    return found or "unified"


def _boolean(tree: query.Tree, name: str, faults: list[Fault]) -> bool:
    given = tree.get(name, "false")
    if given not in ("true", "false"):
        faults.append(_parameter(name, "wrong_type", "has to be true or false"))
    return given == "true"


def _names(tree: query.Tree, name: str, faults: list[Fault]) -> frozenset[str]:
    given = tree.get(name, [])
    listed = given.split(",") if isinstance(given, str) else given
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        faults.append(_parameter(name, "wrong_type", "has to be a list of names"))
        return frozenset()
    return frozenset(part.strip() for each in listed for part in each.split(",") if part.strip())


def _parameter(name: str, code: str, detail: str) -> Fault:
    return Fault(name, code, detail, name)
