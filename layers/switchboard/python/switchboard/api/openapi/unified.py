"""What the document says of the unified surface."""

from collections.abc import Callable

from switchboard import models
from switchboard.api import capabilities, unified
from switchboard.api.openapi import terms
from switchboard.api.openapi.terms import (
    MOMENT,
    Json,
    answer,
    content,
    described,
    enum,
    header,
    key,
    parameter,
    parameters,
    record,
    ref,
)
from switchboard.crm import registry
from switchboard.crm.catalog import Resource
from switchboard.models.schema import READ, Schema, Verb
from switchboard.pods import starters
from switchboard.pods.variables import ROOTS

ACCOUNT = "62f44730-dd91-461e-bd6a-aedd9e0ad79d"
PROBLEM_REF: Json = {"$ref": "#/components/responses/problem"}

REQUESTS: dict[str, Json] = {
    "leads": {"title": "Fifty seats for the Lisbon office", "contact": {"id": "50601"}, "account": {"id": "20801"}},
    "pipelines": {"name": "Renewals"},
    "stages": {"name": "Contract sent", "pipeline": {"id": "default"}},
}
"""A request of each resource that can be created."""

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
    **{plural: starters.sample()[root] for root, plural in ROOTS.items() if plural in READ},
}
"""An answer of each resource; what is read by its id is what templates are tried with."""


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


def schemas() -> Json:
    """The records: what is sent where they can be created, what is answered, and their lists where there are any."""
    wanted = [models.load(plural) for plural in models.MODULES]
    made = [schema for schema in wanted if "create" in schema.verbs]
    found = described(sent=[each.request for each in made], told=[each.response for each in wanted])
    for schema, model in [(each, each.request) for each in made] + [(each, each.response) for each in wanted]:
        for name, field in found[model.__name__]["properties"].items():
            if said := notes(schema, name, request=model is schema.request):
                field["description"] = said
    for schema in made:
        found[schema.request.__name__]["properties"]["remote_data"] = {
            "type": "object",
            "description": "Laid over the body that is sent to the CRM, as it is; arrays are replaced.",
        }
    return found | {f"{each.response.__name__}List": _list(each) for each in wanted if "list" in each.verbs}


def _list(schema: Schema) -> Json:
    one = ref(schema.response.__name__)
    return record(
        {
            "result": {
                "description": "With `truto_key_by` an object, by the value of that field.",
                "oneOf": [{"type": "array", "items": one}, {"type": "object", "additionalProperties": one}],
            },
            "next_cursor": {"type": ["string", "null"]},
            "prev_cursor": {"type": "null"},
            "result_count": {"type": "integer"},
            "is_partial_response": {
                "type": "boolean",
                "description": "The time for one call was spent before a record was found; go on with `next_cursor`.",
            },
        }
    )


def operation(path: str, method: str) -> Json:
    """What is done with a resource by this method at this path."""
    schema, one = models.load(path.split("/")[3]), "{id}" in path
    made: Callable[[Schema], Json] = {
        ("POST", False): _create,
        ("GET", False): _listing,
        ("GET", True): _get,
        ("DELETE", True): _delete,
    }[method, one]
    return {"tags": [schema.plural], **made(schema)}


def _create(schema: Schema) -> Json:
    more = ("switchboard-ignored-fields", "idempotent-replayed")
    body = content(ref(schema.response.__name__), ANSWERS[schema.plural])
    return {
        "operationId": f"create_{schema.name}",
        "summary": f"Create a {schema.name}",
        "description": _supported(schema, "create"),
        "parameters": parameters(*unified.COMMON, "Idempotency-Key", "Prefer"),
        "requestBody": {
            "required": True,
            "content": content(ref(schema.request.__name__), REQUESTS[schema.plural]),
        },
        "responses": {"201": answer("It was made.", (*HEADERS_TOLD, *more), body), "default": PROBLEM_REF},
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
        "parameters": parameters(
            *unified.COMMON, "limit", "next_cursor", "updated_at[gt]", "updated_at[gte]", "truto_key_by", *own
        ),
        "responses": _as_it_is(f"{schema.response.__name__}List", page),
    }


def _get(schema: Schema) -> Json:
    return {
        "operationId": f"get_{schema.name}",
        "summary": f"Get a {schema.name}",
        "description": _supported(schema, "get"),
        "parameters": parameters("id", *unified.COMMON),
        "responses": _as_it_is(schema.response.__name__, ANSWERS[schema.plural]),
    }


def _delete(schema: Schema) -> Json:
    body = content(record({"id": terms.TEXT}), {"id": ANSWERS[schema.plural]["id"]})
    return {
        "operationId": f"delete_{schema.name}",
        "summary": f"Delete a {schema.name}",
        "description": _supported(schema, "delete"),
        "parameters": parameters("id", *unified.COMMON),
        "responses": {"200": answer("It is gone.", HEADERS_TOLD, body), "default": PROBLEM_REF},
    }


def _supported(schema: Schema, verb: Verb) -> str:
    return f"Supported by: {', '.join(offering(schema.plural, verb))}."


def _as_it_is(model: str, example: Json) -> Json:
    return {"200": answer("As the CRM has it.", HEADERS_TOLD, content(ref(model), example)), "default": PROBLEM_REF}


def problem() -> Json:
    """What is answered to a lead that lacks what its CRM requires."""
    crm, leads = next(
        (crm, found)
        for crm in registry.offering("leads", "create")
        if isinstance(found := crm.resources["leads"], Resource) and found.table.names(required=True)
    )
    return terms.problem("/unified/crm/leads", terms.raised(lambda: crm.dialect.draft(leads, {}, {})))


PARAMETERS = {
    key(each["name"]): each
    for each in (
        parameter(
            "integrated_account_id",
            {"type": "string", "format": "uuid"},
            "The connected account to use.",
            required=True,
            example=ACCOUNT,
        ),
        parameter(
            "truto_response_format",
            enum(unified.FORMS, default="unified"),
            "`unified`: our fields and `remote_data`. `normalized`: every field of the schema, null where it has no "
            "value. `raw`: the CRM's own body.",
        ),
        parameter("truto_ignore_remote_data", {"type": "boolean", "default": False}, "Leave out `remote_data`."),
        parameter(
            "truto_exclude_fields",
            terms.listed(terms.TEXT),
            "Fields to leave out, as `truto_exclude_fields[]=a`, with an index, repeated, or with commas.",
        ),
        parameter(
            "remote_query",
            {"type": "object", "additionalProperties": True},
            "Passed to the CRM untouched, as `remote_query[name]=value`.",
            style="deepObject",
            explode=True,
        ),
        parameter(
            "limit",
            {"type": "integer", "minimum": 1, "maximum": unified.MOST_PAGE, "default": unified.PAGE},
            "So many records at the most.",
        ),
        parameter(
            "next_cursor",
            terms.TEXT,
            "Where the page before said that the list goes on. The filters are to be given again; `limit` need not be.",
        ),
        parameter("updated_at[gt]", MOMENT, "Only what changed after this moment; without a zone it is UTC."),
        parameter("updated_at[gte]", MOMENT, "Only what changed at this moment or after it; without a zone it is UTC."),
        parameter(
            "truto_key_by", terms.TEXT, "Answer `result` as an object, by this field, which has to be one value."
        ),
        parameter("pipeline[id]", terms.TEXT, "Only the stages of this pipeline."),
        parameter("id", terms.TEXT, "The CRM's id of the record.", "path", required=True),
        parameter("Prefer", enum(["handling=strict"]), "Refuse fields that the CRM has no place for.", "header"),
    )
}
"""The parameters of this surface, by the names that components have."""

HEADERS = {
    "ratelimit-limit": header("The CRM's own limit, where it tells.", "integer"),
    "ratelimit-remaining": header("Calls left of it.", "integer"),
    "ratelimit-reset": header("Seconds until it opens again.", "integer"),
    "switchboard-ignored-fields": header("Fields of the request that this CRM has no place for."),
}
"""The headers of this surface."""
HEADERS_TOLD = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")
"""Those of every answer of a CRM."""
