"""What the document says of the question what each CRM can do."""

from typing import get_args

from switchboard.api import capabilities
from switchboard.api.openapi.terms import TEXT, Json, answer, content, enum, listed, parameter, parameters, record, ref
from switchboard.crm import registry
from switchboard.crm.catalog import Deletions

PATH = "/unified/crm/capabilities"
PARAMETERS: dict[str, Json] = {"crm": parameter("crm", enum(registry.NAMES), "Only this CRM.")}

SYNC: Json = record(
    {
        "changes": enum(
            ["since", "all"], description="What is read: what changed since the last look, or all there is each time."
        ),
        "deletions": enum(
            get_args(Deletions.__value__),
            description="How it comes out that a record was deleted. `listed`: the CRM has a list of what was deleted. "
            "`told`: its list of changes tells of it. `swept`: all there is is listed now and then, and what is not "
            "met is asked for.",
        ),
        "lag_seconds": {"type": "integer", "description": "A change may stand in its lists so much later."},
        "pace": record(
            {
                "calls": {"type": "integer"},
                "seconds": {"type": "number"},
                "daily": {"type": ["integer", "null"], "description": "Calls in a day, where that is limited too."},
            },
            description="So many calls of one account in so many seconds are held to be allowed; a twentieth is left "
            "unused.",
        ),
        "every_seconds": {
            "type": "integer",
            "description": "So often an account is looked at; where all there is has to be read each time, one of "
            f"{capabilities.SMALL:,} records, and a larger one less often.",
        },
        "deletions_every_seconds": {"type": "integer", "description": "And so often for what was deleted."},
    },
    description="How records get into the store that is searched.",
)

CAPABILITIES: Json = record(
    {
        "result": listed(
            record(
                {
                    "crm": enum(registry.NAMES),
                    "title": TEXT,
                    "documentation": {"type": "string", "format": "uri"},
                    "authentication": listed(TEXT),
                    "settings": {"type": "object", "additionalProperties": TEXT},
                    "pods": listed(TEXT, description="What a pod may be made of: the values that `crm_object` takes."),
                    "resources": {
                        "type": "object",
                        "description": "By resource and method; each resource has its own methods.",
                        "additionalProperties": {
                            "type": "object",
                            "additionalProperties": {
                                "type": "object",
                                "required": ["support"],
                                "properties": {"support": enum(["native", "emulated", "impossible"])},
                            },
                        },
                    },
                    "syncs": {
                        "type": "object",
                        "description": "By resource; only contacts are synced.",
                        "properties": {plural: ref("Sync") for plural in capabilities.SYNCED},
                        "additionalProperties": False,
                    },
                }
            )
        )
    }
)


def schemas() -> Json:
    """The components."""
    return {"Capabilities": CAPABILITIES, "Sync": SYNC}


def operation(_path: str, _method: str) -> Json:
    """The one operation."""
    example = {"result": [capabilities.of(registry.load(registry.NAMES[0]))]}
    return {
        "tags": ["capabilities"],
        "operationId": "list_capabilities",
        "summary": "What each CRM can do, and why it cannot do the rest",
        "parameters": parameters("crm"),
        "responses": {
            "200": answer("From the CRMs' declarations.", (), content(ref("Capabilities"), example)),
            "default": {"$ref": "#/components/responses/problem"},
        },
    }
