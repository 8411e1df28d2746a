"""The bodies of the pods surface: pods, templates, and what is said to make, change and find them."""

from collections.abc import Iterable, Mapping

from switchboard.api.openapi.terms import MOMENT, REST, TEXT, Json, described, enum, listed, record, ref
from switchboard.api.pods import creation, keeping, templates
from switchboard.crm import registry
from switchboard.models.values import ID
from switchboard.pods import blocks, variables
from switchboard.pods.blocks import Said, TemplateInput

SAID = {
    Said.LINE: "Plain text in one line; variables may stand in it.",
    Said.PROSE: "Markdown; variables may stand in it. HTML is text like any other.",
    Said.LINK: "An address with https, mailto or tel; variables may stand in it.",
    Said.SOURCE: "An address with https; variables may stand in it.",
}
"""What callers are told of a text, by what becomes of it."""

ROOTS = (*variables.ROOTS, variables.VENDOR)
"""What variables begin with."""
LAYOUT = (
    'What pages are made of. The texts are Liquid, as `{{ company.name | default: "your team" }}`. A variable is a '
    f"field of a record of the unified surface, by {', '.join(f'`{root}`' for root in variables.ROOTS)}; or one of the "
    f"CRM's own, by `{variables.VENDOR}`."
)
ADDRESS: Json = {"type": "string", "format": "uri"}
UUID: Json = {"type": "string", "format": "uuid"}
POD_ID: Json = {"type": "string", "pattern": f"^{keeping.ID_FORM.pattern}$"}
TEMPLATE_ID: Json = {"type": "string", "minLength": 1, "maxLength": creation.TEMPLATE_ID}
VERSION: Json = {"type": "integer", "minimum": 1, "description": "Stands in the ETag, and may be sent as `If-Match`."}
STRICT: Json = {"additionalProperties": False}

LINKS: Json = {
    "id": POD_ID,
    "edit_url": ADDRESS | {"description": "A page that asks for an API key, and changes the pod."},
    "live_url": ADDRESS | {"description": "The page that readers open."},
}
MISSING = listed(TEXT, description="The variables that have no value.")
SUMMARY: Json = {
    **LINKS,
    "title": {"type": "string", "description": "With its variables filled in."},
    "crm_type": enum(registry.NAMES),
    "crm_object": TEXT,
    "crm_id": TEXT,
    "integrated_account_id": UUID,
    "template_id": TEXT,
    "owner_email": TEXT,
    "missing_variables": MISSING,
    "version": VERSION,
    "created_at": MOMENT,
    "updated_at": MOMENT,
    "refreshed_at": MOMENT | {"description": "When the record was read from the CRM."},
}
"""The members of a pod in a list."""

CALLERS = {
    "crm_type": enum(registry.NAMES, description="The CRM that has the record."),
    "crm_id": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": ID, "description": "The CRM's id of it."},
    "integrated_account_id": UUID
    | {"description": "Where a brand has more than one account of the CRM: which. The oldest active one, if not said."},
    "template_id": TEMPLATE_ID | {"description": "One of the brand's own templates, or of those that come with us."},
    "owner_email": {
        "type": "string",
        "maxLength": 320,
        "description": "A user of the brand; whoever made the API key, if not said.",
    },
}
"""What a caller says of a pod that is to be made, but for the object."""
OPTIONAL = ("integrated_account_id", "owner_email")


def schemas() -> Json:
    """The components."""
    found = described(sent=[TemplateInput])
    for name, schema in found.items():
        for field, info in getattr(getattr(blocks, name), "model_fields", {}).items():
            if said := next((each for each in info.metadata if isinstance(each, Said)), None):
                schema["properties"][field]["description"] = SAID[said]
    sent = found["TemplateInput"]
    summary: Json = {
        "id": TEXT,
        "name": sent["properties"]["name"],
        "starter": {"type": "boolean", "description": "It comes with us, and cannot be changed."},
        "variables": listed(TEXT, description="What its texts mention."),
    }
    sent["description"] = LAYOUT
    layout = {name: sent["properties"][name] for name in keeping.LAYOUT}
    short = {name: part for name, part in layout.items() if name != "blocks"}
    own = {"version": VERSION, "created_at": MOMENT, "updated_at": MOMENT}
    return found | {
        "NewPod": record(_asked(creation.FIELDS), OPTIONAL, **STRICT),
        "PodLinks": record(LINKS),
        "PodSummary": record(SUMMARY),
        "Pod": record(
            {
                **SUMMARY,
                **layout,
                "variables": {
                    "type": "object",
                    "description": "The variables of its texts, by name, and what each stands for: null is nothing.",
                },
                "overridden": listed(TEXT, description="Those that say what a caller gave, not what the CRM has."),
                "record_values": {"type": "object", "description": "What the record says in place of those."},
            }
        ),
        "PodPatch": _patch(sent, layout, said=_said()),
        "PodSearch": _search(),
        "Template": record({**summary, **layout, **own}, own),
        "TemplateSummary": record({**summary, **short, **own}, own),
        "TemplatePatch": _patch(sent, sent["properties"], said={}),
        "PreviewInput": _preview(),
        "Preview": record(
            {
                "title": TEXT,
                "html": {"type": "string", "description": "The page."},
                "blocks": listed({"type": "object"}, description="The blocks with all filled in."),
                "missing_variables": MISSING,
            }
        ),
    }


def objects() -> str:
    """What a pod may be made of, by CRM: a table."""
    lines = [f"| `{name}` | {', '.join(f'`{word}`' for word in registry.load(name).pods)} |" for name in registry.NAMES]
    return "\n".join(("| `crm_type` | `crm_object` |", "| --- | --- |", *lines))


def success(data: Json, **beside: Json) -> Json:
    """What is around every answer of this surface."""
    return record({"success": {"type": "boolean", "const": True}, "data": data, **beside})


def _asked(names: Iterable[str]) -> Json:
    """Those of the members by which a caller names a record, and what is to become of it."""
    words = sorted({word for name in registry.NAMES for word in registry.load(name).pods})
    told = "The kind of record, in the CRM's own word and case: `crm_type` decides which there are."
    known = CALLERS | {"crm_object": enum(words, description=told)}
    return {name: known[name] for name in names}


def _patch(sent: Json, names: Iterable[str], said: Mapping[str, Json]) -> Json:
    """A merge patch of parts of a layout: null takes back what need not be said at all."""
    whole = {name: sent["properties"][name] for name in names}
    plain = {name: {word: told for word, told in part.items() if word != "default"} for name, part in whole.items()}
    parts = {
        name: part if name in sent["required"] else {"anyOf": [part, {"type": "null"}]} for name, part in plain.items()
    }
    return {"type": "object", "properties": {**parts, **said}, "minProperties": 1, **STRICT}


def _said() -> Json:
    """What else a patch of a pod may hold."""
    value: Json = {"anyOf": [{"type": "string", "maxLength": blocks.TEXT}, {"type": "number"}, {"type": "null"}]}
    return {
        "variables": {
            "type": "object",
            "description": "What is said instead of the record's values, by variable; null takes that back.",
            "maxProperties": keeping.MOST_OVERRIDES,
            "additionalProperties": value,
        },
        "owner_email": CALLERS["owner_email"] | {"description": "The user of the brand who is to own it."},
    }


def _search() -> Json:
    condition = record(
        {"field": enum(keeping.FILTERS), "operator": {"const": "eq"}, "value": {"type": "string", "minLength": 1}}
    )
    told = "All have to hold; each is about a field of its own."
    limit = {"type": "integer", "minimum": 1, "maximum": keeping.MOST, "default": keeping.PAGE}
    cursor = {"type": "string", "description": "Where the page before said that the list goes on; same filters."}
    known = {
        "filters": listed(condition, maxItems=keeping.MOST_FILTERS, description=told),
        "limit": limit,
        "cursor": cursor,
    }
    return record({name: known[name] for name in keeping.SEARCH}, known, **STRICT)


def _preview() -> Json:
    """A record of a CRM, or values; neither is made-up records."""
    properties = {"type": "object"}
    values = {
        "type": "object",
        "description": "The records under the names that variables begin with, instead of a CRM's record.",
        "properties": dict.fromkeys(ROOTS, properties),
        **STRICT,
    }
    names = [name for name in templates.PREVIEW if name != "values"]
    required = [name for name in names if name not in OPTIONAL]
    return {
        "type": "object",
        "properties": _asked(names) | {"values": values},
        "dependentRequired": dict.fromkeys(names, required),
        "dependentSchemas": {"values": {"properties": dict.fromkeys(names, False)}},
        **STRICT,
    }


def page() -> Json:
    """A page of a search."""
    partial = {"type": "boolean", "description": "`true` where there is more and none of it was found in time."}
    meta = record({"cursor": REST, "partial": partial}, ("partial",))
    return success(listed(ref("PodSummary")), meta=meta)
