"""The unified surface: what a request to it says beside its body, and the three forms of its answers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, ValidationError

from switchboard.api import query
from switchboard.api.call import Call
from switchboard.crm.catalog import Resource
from switchboard.crm.codecs import utc
from switchboard.crm.dialect import Answer, Rate
from switchboard.crm.places import Record
from switchboard.crm.problem import Fault, Kind, Problem, pointer
from switchboard.crm.wire import Pairs, dig
from switchboard.models.schema import Schema

type Form = Literal["unified", "normalized", "raw"]
HEADER_LENGTH = 2000
FAULTS = 100
"""So many faults of one request are told; a caller with more has another problem."""
MEMBERS = 1000
"""So many members a body may have."""
COMMON = (
    "integrated_account_id",
    "truto_response_format",
    "truto_ignore_remote_data",
    "truto_exclude_fields",
    "remote_query",
)
"""Parameters of every request."""
LISTING = ("limit", "next_cursor", "updated_at", "truto_key_by")
"""Parameters of a list."""
PAGE = 25
MOST_PAGE = 100
MOMENT = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?)?", re.ASCII)
"""ISO 8601, as known clients write it: some of them leave out the zone, and mean UTC."""
OLDEST = datetime(1970, 1, 1, tzinfo=UTC)
"""Nothing changed before; some vendors take no earlier moment."""
FORMS: tuple[Form, ...] = ("unified", "normalized", "raw")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What every request to the unified surface says: of which account, and in what form it wants its answer."""

    account_id: str
    form: Form
    ignore_remote_data: bool
    exclude: frozenset[str]
    remote_query: Pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Asked):
    """A checked request to create a record."""

    item: Record
    remote_data: Record
    strict: bool
    said: tuple[Any, Any]
    """The parsed query and body, for the fingerprint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish(Asked):
    """A checked request for a stretch of a list. `including`: what changed at `since` itself is asked for, too."""

    limit: int | None
    next_cursor: str | None
    since: datetime | None
    including: bool
    key_by: str | None
    pipeline: str | None

    def where(self, brand: str, plural: str) -> list[Any]:
        """What a cursor of this list is bound to."""
        since = self.since.isoformat() if self.since else None
        return [brand, self.account_id, plural, since, self.including, self.pipeline, self.remote_query]

    def keeps(self, item: Record) -> bool:
        """Whether a record belongs to the list, as far as the CRM did not see to it."""
        changed = utc(item.get("updated_at"))
        if self.since and changed and (changed < self.since or (changed == self.since and not self.including)):
            return False
        return self.pipeline is None or dig(item, "pipeline.id") == self.pipeline


def order(call: Call, schema: Schema) -> Order:
    """The order in a call. Raises every fault of its query and of the fields of its body at once, up to a hundred."""
    body = call.json()
    if len(body) > MEMBERS:
        raise Problem(Kind.INVALID, f"The body has more than {MEMBERS} members.")
    tree = query.parse(call.query)
    faults: list[Fault] = []
    common = _common(call, tree, faults)
    remote_data = {} if body.get("remote_data") is None else body["remote_data"]
    if not isinstance(remote_data, dict):
        faults.append(Fault("remote_data", "wrong_type", "has to be an object", "#/remote_data"))
        remote_data = {}
    item = _item({name: value for name, value in body.items() if name != "remote_data"}, schema, faults)
    refuse(faults)
    return Order(
        **common,
        item=item,
        remote_data=cast("Record", remote_data),
        strict=call.prefers("handling=strict"),
        said=(tree, body),
    )


def asked(call: Call) -> Asked:
    """What a request about one record says. Raises every fault of its query at once."""
    tree, faults = query.parse(call.query), list[Fault]()
    common = _common(call, tree, faults)
    _strangers(tree, faults)
    refuse(faults)
    return Asked(**common)


def wish(call: Call, schema: Schema) -> Wish:
    """The list that a call wishes for. Raises every fault of its query at once: a filter that is not known is one,
    for a list that it had not narrowed would pass for one that it had."""
    tree, faults = query.parse(call.query), list[Fault]()
    common = _common(call, tree, faults)
    since, including = _since(tree, faults)
    found = Wish(
        **common,
        limit=_limit(tree, faults),
        next_cursor=_text(tree, "next_cursor", faults),
        since=since,
        including=including,
        key_by=_key_by(tree, schema, faults),
        pipeline=_pipeline(tree, schema, faults),
    )
    _strangers(tree, faults, *LISTING, *(("pipeline",) if "pipeline" in schema.readable else ()))
    refuse(faults)
    return found


def refuse(faults: list[Fault]) -> None:
    """Raise what is wrong, if something is: all of it, up to a hundred."""
    if not faults:
        return
    told = faults[:FAULTS]
    more = f"; and {len(faults) - FAULTS} more" if len(faults) > FAULTS else ""
    detail = "; ".join(f"{fault.field}: {fault.detail}" for fault in told) + more
    missing = [fault.field for fault in faults if fault.code == "required"]
    insight = {"missing_required_query_parameters": {"description": "These are required.", "value": missing}}
    raise Problem(Kind.INVALID, detail, faults=tuple(told), insight=insight if missing else None)


def _common(call: Call, tree: query.Tree, faults: list[Fault]) -> dict[str, Any]:
    """The members of Asked."""
    objective = isinstance(tree.get("remote_query", {}), dict)
    if not objective:
        faults.append(parameter("remote_query", "wrong_type", "has to be an object: remote_query[name]=value"))
    return {
        "account_id": _account_id(tree, faults),
        "form": _form(tree, faults),
        "ignore_remote_data": _boolean(tree, "truto_ignore_remote_data", faults),
        "exclude": _names(tree, "truto_exclude_fields", faults),
        "remote_query": query.below(call.query, "remote_query") if objective and "remote_query" in tree else (),
    }


def shape(answer: Answer, schema: Schema, asked: Asked) -> Any:
    """An answer of a CRM in the form that was asked for."""
    if asked.form == "raw":
        return answer.raw
    if asked.form == "normalized":
        shown: Record = {name: answer.item.get(name) for name in schema.readable}
    else:
        shown = {name: answer.item[name] for name in schema.readable if name in answer.item}
        if not asked.ignore_remote_data:
            shown["remote_data"] = answer.raw
    return {name: value for name, value in shown.items() if name not in asked.exclude}


def linked(answer: Answer, schema: Schema, resource: Resource, origin: str | None) -> Answer:
    """The answer with the address of the record's page in the vendor's web app, where both are known."""
    if not (resource.link and origin and "urls" in schema.readable and "id" in answer.item):
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
        faults.append(parameter("integrated_account_id", "required", "is required"))
        return ""
    try:
        return str(UUID(given)) if isinstance(given, str) and len(given) == 36 else _not_uuid(faults)
    except ValueError:
        return _not_uuid(faults)


def _not_uuid(faults: list[Fault]) -> str:
    faults.append(parameter("integrated_account_id", "wrong_type", "has to be one UUID"))
    return ""


def _form(tree: query.Tree, faults: list[Fault]) -> Form:
    given = tree.get("truto_response_format", "unified")
    found: Form | None = next((form for form in FORMS if form == given), None)
    if found is None:
        faults.append(parameter("truto_response_format", "invalid_value", "has to be one of " + ", ".join(FORMS)))
    return found or "unified"


def _boolean(tree: query.Tree, name: str, faults: list[Fault]) -> bool:
    given = tree.get(name, "false")
    if given not in ("true", "false"):
        faults.append(parameter(name, "wrong_type", "has to be true or false"))
    return given == "true"


def _names(tree: query.Tree, name: str, faults: list[Fault]) -> frozenset[str]:
    given = tree.get(name, [])
    listed = given.split(",") if isinstance(given, str) else given
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        faults.append(parameter(name, "wrong_type", "has to be a list of names"))
        return frozenset()
    return frozenset(part.strip() for each in listed for part in each.split(",") if part.strip())


def _text(tree: query.Tree, name: str, faults: list[Fault]) -> str | None:
    given = tree.get(name)
    if given is not None and not isinstance(given, str):
        faults.append(parameter(name, "wrong_type", "has to be one text"))
        return None
    return given or None


def _limit(tree: query.Tree, faults: list[Fault]) -> int | None:
    given = tree.get("limit")
    if given is None:
        return None
    short = isinstance(given, str) and len(given) <= len(str(MOST_PAGE))
    if short and given.isascii() and given.isdecimal() and 1 <= int(given) <= MOST_PAGE:
        return int(given)
    faults.append(parameter("limit", "invalid_value", f"has to be a whole number from 1 to {MOST_PAGE}"))
    return None


def _since(tree: query.Tree, faults: list[Fault]) -> tuple[datetime | None, bool]:
    given = tree.get("updated_at")
    if given is None:
        return None, False
    if not isinstance(given, dict) or len(given) != 1 or next(iter(given)) not in ("gt", "gte"):
        faults.append(parameter("updated_at", "wrong_type", "has to be given as updated_at[gt] or updated_at[gte]"))
        return None, False
    [(operator, written)] = given.items()
    moment = utc(written) if isinstance(written, str) and MOMENT.fullmatch(written) else None
    if moment is None:
        detail = "has to be a date and time in ISO 8601; without a zone it is UTC (a + is written %2B)"
        faults.append(parameter(f"updated_at[{operator}]", "wrong_type", detail))
        return None, False
    # Records tell milliseconds: what is finer is cut off here as it is there, and nothing in between is passed over.
    finer = moment.microsecond % 1000
    return max(moment - timedelta(microseconds=finer), OLDEST), operator == "gte" or finer > 0


def _key_by(tree: query.Tree, schema: Schema, faults: list[Fault]) -> str | None:
    given = _text(tree, "truto_key_by", faults)
    if given is None:
        return None
    if given not in schema.readable or not _flat(schema.response.model_fields[given].annotation):
        detail = "has to be a field of this resource that is one value"
        faults.append(parameter("truto_key_by", "invalid_value", detail))
        return None
    return given


def _flat(kind: Any) -> bool:
    """Whether values of a type are neither objects nor lists."""
    if get_origin(kind) in (dict, list) or (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return False
    return all(_flat(each) for each in get_args(kind))


def _pipeline(tree: query.Tree, schema: Schema, faults: list[Fault]) -> str | None:
    given = tree.get("pipeline")
    if given is None or "pipeline" not in schema.readable:
        return None
    if isinstance(given, dict) and list(given) == ["id"] and isinstance(given["id"], str) and given["id"]:
        return given["id"]
    faults.append(parameter("pipeline", "wrong_type", "has to be given as pipeline[id]"))
    return None


def _strangers(tree: query.Tree, faults: list[Fault], *known: str) -> None:
    strange = [name for name in tree if name not in COMMON and name not in known]
    faults += [parameter(name, "unknown_parameter", "is not a parameter of this request") for name in strange]


def parameter(name: str, code: str, detail: str) -> Fault:
    """A fault of a parameter of the query."""
    return Fault(name, code, detail, name)
