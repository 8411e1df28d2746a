"""What the pages of all surfaces are written in: parameters, headers, bodies, and the problem."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from switchboard.api.call import Call
from switchboard.api.reply import TYPES, refusal
from switchboard.api.scopes import ALIASES
from switchboard.crm import registry
from switchboard.crm.problem import Kind, Problem

type Json = dict[str, Any]

REF = "#/components/schemas/{model}"
TEXT: Json = {"type": "string"}
MOMENT: Json = {"type": "string", "format": "date-time"}
TRACE = "0123456789abcdef"


def ref(model: str) -> Json:
    """A schema among the components."""
    return {"$ref": REF.format(model=model)}


def described(*, sent: Iterable[type[BaseModel]] = (), told: Iterable[type[BaseModel]] = ()) -> Json:
    """The schemas of what is sent and of what is told, and of all that these are made of, by name."""
    inputs, outputs = [(each, "validation") for each in sent], [(each, "serialization") for each in told]
    _, found = models_json_schema([*inputs, *outputs], ref_template=REF)  # pyright: ignore[reportArgumentType]
    return found["$defs"]


def enum(values: Iterable[str], **more: Any) -> Json:
    """One of these words."""
    return {"type": "string", "enum": list(values), **more}


def listed(items: Json, **more: Any) -> Json:
    """An array."""
    return {"type": "array", "items": items, **more}


def record(properties: Mapping[str, Any], optional: Iterable[str] = (), **more: Any) -> Json:
    """An object that has all of these, but for the optional ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": dict(properties), **more}


def parameter(name: str, schema: Json, description: str, where: str = "query", **more: Any) -> Json:
    """A parameter of requests."""
    return {"name": name, "in": where, "description": description, "schema": schema, **more}


def key(name: str) -> str:
    """The name of a parameter as components may have it."""
    return name.replace("[", ".").replace("]", "")


def parameters(*names: str) -> list[Json]:
    """Parameters among the components."""
    return [{"$ref": f"#/components/parameters/{key(name)}"} for name in names]


def header(description: str, kind: str = "string") -> Json:
    """A header of answers."""
    return {"description": description, "schema": {"type": kind}}


def headers(*names: str) -> Json:
    """Headers among the components."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def content(schema: Json, example: Any, media: str = "application/json") -> Json:
    """A body, and an example of it."""
    return {media: {"schema": schema, "example": example}}


def answer(description: str, names: Iterable[str], body: Json | None = None) -> Json:
    """An answer with these headers, and with a body if it has one."""
    told: Json = {"description": description, "headers": headers("x-trace-id", *names)}
    return told | ({"content": body} if body else {})


def wanting(description: str, scope: str) -> str:
    """A description, and the scope that is wanted."""
    scopes = [scope, *(alias for alias, meant in ALIASES.items() if meant == scope)]
    return f"{description}\n\nWants the scope {' or '.join(f'`{each}`' for each in scopes)}."


def raised(work: Callable[[], object]) -> Problem:
    """The problem that something ends in."""
    try:
        work()
    except Problem as problem:
        return problem
    raise LookupError("there is no problem with it")


def problem(path: str, found: Problem, names: Iterable[str] = ()) -> Json:
    """The answer to all that goes wrong on the surface of a path, with the example of a POST there."""
    example = json.loads(refusal(Call("POST", path, "", {}, b"", TRACE), found).body)
    description = "What went wrong (RFC 9457), with the members that known clients parse."
    return answer(description, ("retry-after", *names), content(ref("Problem"), example, "application/problem+json"))


PARAMETERS: dict[str, Json] = {
    "Idempotency-Key": parameter(
        "Idempotency-Key",
        {"type": "string", "minLength": 1, "maxLength": 255},
        "The same request with the same key is done once; its answer is kept for 24 hours.",
        "header",
    ),
}
"""The parameters of more than one surface, by the names that components have."""

HEADERS: dict[str, Json] = {
    "x-trace-id": header("Names this call in the logs."),
    "retry-after": header("Seconds to wait before the same request is sent again.", "integer"),
    "idempotent-replayed": header("`true` where an answer is told again."),
    "x-ratelimit-limit": header("Calls that the key may make in ten seconds.", "integer"),
    "x-ratelimit-remaining": header("Those that are left.", "integer"),
    "x-ratelimit-reset": header("When it may make all of them again, in epoch seconds.", "integer"),
}
"""The headers of more than one surface."""

LIMITS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
"""Those of every answer to a caller with a key, where they are not the CRM's."""

REST: Json = record({"next": {"type": ["string", "null"]}, "has_more": {"type": "boolean"}})
"""Where a search goes on."""

PROBLEM: Json = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "trace_id"],
    "properties": {
        "type": enum([TYPES + kind for kind in Kind]),
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
        "instance": TEXT,
        "trace_id": TEXT,
        "errors": listed(
            {"type": "object", "properties": dict.fromkeys(("pointer", "field", "code", "detail"), TEXT)},
            description="Every fault of the request.",
        ),
        "crm": enum(registry.NAMES),
        "crm_status": {"type": "integer"},
        "crm_code": TEXT,
        "crm_request_id": TEXT,
        "existing_id": TEXT,
        "success": {"type": "boolean", "description": "On the pods surface: `false`."},
        "error": {"type": "string", "description": "The name of the status; on the pods surface a sentence."},
        "statusCode": {"type": "integer"},
        "message": TEXT,
        "truto_is_remote_error": {"type": "boolean"},
        "raw_response": {},
        "truto_error_insight": {"type": "object"},
    },
}
"""A problem; which of its members there are depends on the surface."""
