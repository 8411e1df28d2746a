"""What the document says of the question what each CRM can do."""

from switchboard.api import capabilities
from switchboard.api.openapi.terms import TEXT, Json, answer, content, enum, listed, parameter, parameters, record, ref
from switchboard.crm import registry

PATH = "/unified/crm/capabilities"
PARAMETERS: dict[str, Json] = {"crm": parameter("crm", enum(registry.NAMES), "Only this CRM.")}

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
                }
            )
        )
    }
)


def schemas() -> Json:
    """The components."""
    return {"Capabilities": CAPABILITIES}


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
