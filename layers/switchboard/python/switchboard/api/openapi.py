"""The OpenAPI 3.1 document of the unified surface, made from the routes, the records and the CRMs' declarations.

`make docs` writes it to openapi.json; a test compares.
"""

from collections.abc import Callable, Iterable
from typing import Any

from pydantic.json_schema import models_json_schema

from switchboard import models
from switchboard.api import capabilities, unified
from switchboard.api.reply import STATUSES, TYPES, title
from switchboard.api.routes import ROUTES
from switchboard.crm import registry
from switchboard.crm.catalog import Resource, Verb
from switchboard.crm.problem import Kind
from switchboard.models.schema import Schema

type Json = dict[str, Any]

VERSION = "1.0.0"
REF = "#/components/schemas/{model}"
ACCOUNT = "62f44730-dd91-461e-bd6a-aedd9e0ad79d"

REQUESTS: dict[str, Json] = {
    "leads": {"title": "Fifty seats for the Lisbon office", "contact": {"id": "50601"}, "account": {"id": "20801"}},
    "pipelines": {"name": "Renewals"},
    "stages": {"name": "Contract sent", "pipeline": {"id": "default"}},
}
"""A request of each resource."""

ANSWERS: dict[str, Json] = {
    "leads": {
        "id": "393188427970",
        "owner": {"id": "77912"},
        "title": "Fifty seats for the Lisbon office",
        "contact": {"id": "50601"},
        "account": {"id": "20801"},
        "first_name": "Ada",
        "last_name": "Lovelace",
        "email_addresses": [{"email": "ada@example.com", "type": "primary"}],
        "created_at": "2026-11-21T09:30:00Z",
        "updated_at": "2026-11-21T09:30:00Z",
        "remote_data": {"id": "393188427970", "properties": {"hs_lead_name": "Fifty seats for the Lisbon office"}},
    },
    "pipelines": {
        "id": "29016",
        "name": "Renewals",
        "entity": "opportunity",
        "stages": [{"id": "81", "name": "Contract sent", "status": "open", "pipeline": {"id": "29016"}}],
        "created_at": "2026-11-21T09:30:00Z",
        "updated_at": "2026-11-21T09:30:00Z",
        "remote_data": {"id": "29016", "label": "Renewals"},
    },
    "stages": {
        "id": "81",
        "name": "Contract sent",
        "position": 4,
        "status": "active",
        "pipeline": {"id": "29016", "name": "Renewals"},
        "created_at": "2026-11-21T09:30:00Z",
        "updated_at": "2026-11-21T09:30:00Z",
        "remote_data": {"id": "81", "label": "Contract sent"},
    },
}
"""An answer of each resource."""


def document() -> Json:
    """The whole document."""
    schemas = _schemas()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Switchboard",
            "version": VERSION,
            "summary": "One API in front of thirteen CRMs, in your own AWS account.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "https://{api}", "variables": {"api": {"default": "api.example.com"}}}],
        "security": [{"key": []}],
        "tags": [{"name": plural} for plural in models.MODULES] + [{"name": "capabilities"}],
        "paths": {path: {m.lower(): _operation(path, m) for m in methods} for path, methods in ROUTES.items()},
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "trpt_<brand>_<random>"}},
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "responses": {"problem": _problem()},
            "schemas": schemas,
        },
    }


def offering(plural: str, verb: Verb) -> list[str]:
    """The titles of the CRMs that can do this."""
    return [crm.title for crm in registry.offering(plural, verb)]


def notes(schema: Schema, name: str, *, request: bool) -> str:
    """What the CRMs make of a field: who requires it, who takes it, who answers it."""
    told: dict[str, list[str]] = {"Required in": [], "Supported in": [], "Answered by": []}
    for crm in (registry.load(each) for each in registry.NAMES):
        resource = crm.resources.get(schema.plural)
        if not isinstance(resource, Resource):
            continue
        rows = [row for row in resource.table.rows if row.ours.split(".")[0] == name]
        if request and "create" in resource.verbs:
            if any(row.required for row in rows):
                told["Required in"].append(crm.title)
            elif any(not row.read_only for row in rows):
                told["Supported in"].append(crm.title)
        if not request and name in (each.split(".")[0] for each in capabilities.readable(resource)):
            told["Answered by"].append(crm.title)
    return " ".join(f"{what}: {', '.join(titles)}." for what, titles in told.items() if titles)


def _schemas() -> Json:
    wanted = [models.load(plural) for plural in models.MODULES]
    inputs = [(schema.request, "validation") for schema in wanted]
    outputs = [(schema.response, "serialization") for schema in wanted]
    _, found = models_json_schema([*inputs, *outputs], ref_template=REF)  # pyright: ignore[reportArgumentType]
    schemas: Json = found["$defs"]
    for schema in wanted:
        for model, request in ((schema.request, True), (schema.response, False)):
            for name, field in schemas[model.__name__]["properties"].items():
                if said := notes(schema, name, request=request):
                    field["description"] = said
        schemas[schema.request.__name__]["properties"]["remote_data"] = {
            "type": "object",
            "description": "Laid over the body that is sent to the CRM, as it is; arrays are replaced.",
        }
        schemas[f"{schema.response.__name__}List"] = _list(schema)
    return dict(sorted((schemas | {"Problem": PROBLEM, "Capabilities": CAPABILITIES}).items()))


def _list(schema: Schema) -> Json:
    ref = {"$ref": REF.format(model=schema.response.__name__)}
    return {
        "type": "object",
        "required": ["result", "next_cursor", "prev_cursor", "result_count", "is_partial_response"],
        "properties": {
            "result": {
                "description": "With `truto_key_by` an object, by the value of that field.",
                "oneOf": [{"type": "array", "items": ref}, {"type": "object", "additionalProperties": ref}],
            },
            "next_cursor": {"type": ["string", "null"]},
            "prev_cursor": {"type": "null"},
            "result_count": {"type": "integer"},
            "is_partial_response": {
                "type": "boolean",
                "description": "The time for one call was spent before a record was found; go on with `next_cursor`.",
            },
        },
    }


def _operation(path: str, method: str) -> Json:
    plural = path.split("/")[3]
    if plural == "capabilities":
        return _capabilities()
    schema, one = models.load(plural), "{id}" in path
    made: Callable[[Schema], Json] = {
        ("POST", False): _create,
        ("GET", False): _listing,
        ("GET", True): _get,
        ("DELETE", True): _delete,
    }[method, one]
    return {"tags": [plural], **made(schema)}


def _create(schema: Schema) -> Json:
    return {
        "operationId": f"create_{schema.name}",
        "summary": f"Create a {schema.name}",
        "description": _supported(schema, "create"),
        "parameters": _parameters(*unified.COMMON, "Idempotency-Key", "Prefer"),
        "requestBody": {
            "required": True,
            "content": _json(schema.request.__name__, REQUESTS[schema.plural]),
        },
        "responses": _responses("201", schema.response.__name__, ANSWERS[schema.plural], created=True),
    }


def _listing(schema: Schema) -> Json:
    own = ("pipeline[id]",) if "pipeline" in schema.readable else ()
    page = {
        "result": [ANSWERS[schema.plural]],
        "next_cursor": None,
        "prev_cursor": None,
        "result_count": 1,
        "is_partial_response": False,
    }
    since = [
        crm.title
        for crm in registry.offering(schema.plural, "list")
        if isinstance(found := crm.resources[schema.plural], Resource) and found.changes
    ]
    return {
        "operationId": f"list_{schema.plural}",
        "summary": f"List {schema.plural}",
        "description": f"{_supported(schema, 'list')} What changed since a moment: {', '.join(since)}.",
        "parameters": _parameters(
            *unified.COMMON, "limit", "next_cursor", "updated_at[gt]", "updated_at[gte]", "truto_key_by", *own
        ),
        "responses": _responses("200", f"{schema.response.__name__}List", page),
    }


def _get(schema: Schema) -> Json:
    return {
        "operationId": f"get_{schema.name}",
        "summary": f"Get a {schema.name}",
        "description": _supported(schema, "get"),
        "parameters": _parameters("id", *unified.COMMON),
        "responses": _responses("200", schema.response.__name__, ANSWERS[schema.plural]),
    }


def _delete(schema: Schema) -> Json:
    body = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    answer = {"content": {"application/json": {"schema": body, "example": {"id": ANSWERS[schema.plural]["id"]}}}}
    return {
        "operationId": f"delete_{schema.name}",
        "summary": f"Delete a {schema.name}",
        "description": _supported(schema, "delete"),
        "parameters": _parameters("id", *unified.COMMON),
        "responses": {"200": {"description": "It is gone.", **answer}, "default": PROBLEM_REF},
    }


def _capabilities() -> Json:
    example = {"result": [capabilities.of(registry.load(registry.NAMES[0]))]}
    return {
        "tags": ["capabilities"],
        "operationId": "list_capabilities",
        "summary": "What each CRM can do, and why it cannot do the rest",
        "parameters": _parameters("crm"),
        "responses": _responses("200", "Capabilities", example),
    }


def _supported(schema: Schema, verb: Verb) -> str:
    return f"Supported by: {', '.join(offering(schema.plural, verb))}."


def _parameters(*names: str) -> list[Json]:
    return [{"$ref": f"#/components/parameters/{_key(name)}"} for name in names]


def _json(model: str, example: Json) -> Json:
    return {"application/json": {"schema": {"$ref": REF.format(model=model)}, "example": example}}


def _responses(status: str, model: str, example: Json, *, created: bool = False) -> Json:
    told = ("x-trace-id", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")
    more = ("switchboard-ignored-fields", "idempotent-replayed") if created else ()
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in (*told, *more)}
    description = "It was made." if created else "As the CRM has it."
    return {
        status: {"description": description, "headers": headers, "content": _json(model, example)},
        "default": PROBLEM_REF,
    }


def _problem() -> Json:
    example = {
        "type": TYPES + Kind.MISSING_FIELD,
        "title": title(Kind.MISSING_FIELD),
        "status": STATUSES[Kind.MISSING_FIELD],
        "detail": "title is required.",
        "instance": "/unified/crm/leads",
        "trace_id": "0123456789abcdef",
        "errors": [
            {"pointer": "#/title", "field": "title", "code": "required", "detail": "is required by this CRM"},
        ],
        "crm": registry.NAMES[0],
        "statusCode": STATUSES[Kind.MISSING_FIELD],
        "error": "Bad Request",
        "message": "title is required.",
    }
    schema = {"$ref": REF.format(model="Problem")}
    return {
        "description": "What went wrong (RFC 9457), with the members that known clients parse.",
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in ("x-trace-id", "retry-after")},
        "content": {"application/problem+json": {"schema": schema, "example": example}},
    }


def _parameter(name: str, schema: Json, description: str, where: str = "query", **more: Any) -> Json:
    return {"name": name, "in": where, "description": description, "schema": schema, **more}


def _key(name: str) -> str:
    return name.replace("[", ".").replace("]", "")


def _enum(values: Iterable[str], **more: Any) -> Json:
    return {"type": "string", "enum": list(values), **more}


MOMENT = {"type": "string", "format": "date-time"}
PARAMETERS = {
    _key(each["name"]): each
    for each in (
        _parameter(
            "integrated_account_id",
            {"type": "string", "format": "uuid"},
            "The connected account to use.",
            required=True,
            example=ACCOUNT,
        ),
        _parameter(
            "truto_response_format",
            _enum(unified.FORMS, default="unified"),
            "`unified`: our fields and `remote_data`. `normalized`: every field of the schema, null where it has no "
            "value. `raw`: the CRM's own body.",
        ),
        _parameter("truto_ignore_remote_data", {"type": "boolean", "default": False}, "Leave out `remote_data`."),
        _parameter(
            "truto_exclude_fields",
            {"type": "array", "items": {"type": "string"}},
            "Fields to leave out, as `truto_exclude_fields[]=a`, with an index, repeated, or with commas.",
        ),
        _parameter(
            "remote_query",
            {"type": "object", "additionalProperties": True},
            "Passed to the CRM untouched, as `remote_query[name]=value`.",
            style="deepObject",
            explode=True,
        ),
        _parameter(
            "limit",
            {"type": "integer", "minimum": 1, "maximum": unified.MOST_PAGE, "default": unified.PAGE},
            "So many records at the most.",
        ),
        _parameter(
            "next_cursor",
            {"type": "string"},
            "Where the page before said that the list goes on. The filters are to be given again; `limit` need not be.",
        ),
        _parameter("updated_at[gt]", MOMENT, "Only what changed after this moment; without a zone it is UTC."),
        _parameter(
            "updated_at[gte]", MOMENT, "Only what changed at this moment or after it; without a zone it is UTC."
        ),
        _parameter(
            "truto_key_by",
            {"type": "string"},
            "Answer `result` as an object, by this field, which has to be one value.",
        ),
        _parameter("pipeline[id]", {"type": "string"}, "Only the stages of this pipeline."),
        _parameter("crm", _enum(registry.NAMES), "Only this CRM."),
        _parameter("id", {"type": "string"}, "The CRM's id of the record.", "path", required=True),
        _parameter(
            "Idempotency-Key",
            {"type": "string", "minLength": 1, "maxLength": 255},
            "The same request with the same key is done once; its answer is kept for 24 hours.",
            "header",
        ),
        _parameter("Prefer", _enum(["handling=strict"]), "Refuse fields that the CRM has no place for.", "header"),
    )
}
"""Every parameter, by a name for it."""


def _header(description: str, kind: str = "string") -> Json:
    return {"description": description, "schema": {"type": kind}}


HEADERS = {
    "x-trace-id": _header("Names this call in the logs."),
    "retry-after": _header("Seconds to wait before the same request is sent again.", "integer"),
    "ratelimit-limit": _header("The CRM's own limit, where it tells.", "integer"),
    "ratelimit-remaining": _header("Calls left of it.", "integer"),
    "ratelimit-reset": _header("Seconds until it opens again.", "integer"),
    "switchboard-ignored-fields": _header("Fields of the request that this CRM has no place for."),
    "idempotent-replayed": _header("`true` where an answer is told again."),
}

PROBLEM: Json = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "trace_id"],
    "properties": {
        "type": _enum([TYPES + kind for kind in Kind]),
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "trace_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("pointer", "field", "code", "detail")},
            },
        },
        "crm": _enum(registry.NAMES),
        "crm_status": {"type": "integer"},
        "crm_code": {"type": "string"},
        "crm_request_id": {"type": "string"},
        "existing_id": {"type": "string"},
        "statusCode": {"type": "integer"},
        "error": {"type": "string"},
        "message": {"type": "string"},
        "truto_is_remote_error": {"type": "boolean"},
        "raw_response": {},
        "truto_error_insight": {"type": "object"},
    },
}
PROBLEM_REF = {"$ref": "#/components/responses/problem"}

CAPABILITIES: Json = {
    "type": "object",
    "required": ["result"],
    "properties": {
        "result": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["crm", "title", "resources"],
                "properties": {
                    "crm": _enum(registry.NAMES),
                    "title": {"type": "string"},
                    "documentation": {"type": "string", "format": "uri"},
                    "authentication": {"type": "array", "items": {"type": "string"}},
                    "settings": {"type": "object", "additionalProperties": {"type": "string"}},
                    "resources": {
                        "type": "object",
                        "description": "By resource and method.",
                        "additionalProperties": {
                            "type": "object",
                            "additionalProperties": {
                                "type": "object",
                                "required": ["support"],
                                "properties": {"support": _enum(["native", "emulated", "impossible"])},
                            },
                        },
                    },
                },
            },
        }
    },
}
