"""What each CRM can do, said from its declarations: for callers, the README, OpenAPI and `make matrix`."""

from typing import Any

from switchboard import models
from switchboard.api import door, query
from switchboard.api.call import Call
from switchboard.api.reply import Reply, result
from switchboard.api.unified import parameter, refuse
from switchboard.crm import registry
from switchboard.crm.catalog import CRM, Emulated, Native, Resource, Unsupported
from switchboard.crm.problem import Fault
from switchboard.models.schema import Verb, verbs
from switchboard.ports import Services
from switchboard.sync import planning

SYNCED = ("contacts",)
"""Resources that are synced into a store, and searched there."""
SMALL = 10_000
"""What is told of how often an account is looked at holds for so many records."""


def walk(call: Call, services: Services) -> Reply:
    """`GET /unified/crm/capabilities[?crm=]`: open to every key, whatever its scopes."""
    door.known(call, services)
    tree, faults = query.parse(call.query), list[Fault]()
    wanted = tree.get("crm")
    if wanted is not None and wanted not in registry.NAMES:
        faults.append(parameter("crm", "invalid_value", "has to be one of " + ", ".join(registry.NAMES)))
    faults += [
        parameter(name, "unknown_parameter", "is not a parameter of this request") for name in tree if name != "crm"
    ]
    refuse(faults)
    names = registry.NAMES if wanted is None else (str(wanted),)
    return result(200, {"result": [of(registry.load(name)) for name in names]})


def of(crm: CRM) -> dict[str, Any]:
    """Everything that one CRM can do, and why it cannot do the rest."""
    declared = [plural for plural in models.MODULES if plural in crm.resources]
    return {
        "crm": crm.name,
        "title": crm.title,
        "documentation": crm.docs,
        "authentication": sorted(crm.auth),
        "settings": {name: setting.what for name, setting in crm.settings.items()},
        "pods": list(crm.pods),
        "resources": {plural: {verb: told(crm, plural, verb) for verb in verbs(plural)} for plural in declared},
        "syncs": {plural: synced(crm, plural) for plural in SYNCED if crm.has(plural)},
    }


def synced(crm: CRM, plural: str) -> dict[str, Any]:
    """How a resource gets into the store: what is asked for, how fast, and how often; and how soon it comes out that a
    record was deleted."""
    resource = crm.resources[plural]
    if not isinstance(resource, Resource):
        raise TypeError(f"{crm.title} has no {plural}")
    every = planning.interval(crm, resource, SMALL)
    return {
        "changes": "since" if resource.changes else "all",
        "deletions": resource.deletions,
        "lag_seconds": crm.dialect.lag,
        "pace": {"calls": crm.pace.calls, "seconds": crm.pace.seconds, "daily": crm.pace.daily},
        "every_seconds": every,
        "deletions_every_seconds": _deletions_every(resource, every),
    }


def _deletions_every(resource: Resource, every: int) -> int:
    """Deletions are looked for with changes, but no more often than it pays."""
    match resource.deletions:
        case "told":
            seconds = every
        case "listed":
            seconds = planning.DELETIONS_SECONDS
        case "swept":
            seconds = planning.sweep_interval(resource) if resource.changes else every
    return -(-seconds // every) * every


def told(crm: CRM, plural: str, verb: Verb) -> dict[str, Any]:
    """One cell of the matrix: native, emulated (how), or impossible (why, and where that is said)."""
    match crm.offer(plural, verb):
        case Unsupported(why, see):
            return {"support": "impossible", "why": why, "see": see}
        case Emulated(how):
            support: dict[str, Any] = {"support": "emulated", "how": how}
        case Native():
            support = {"support": "native"}
    resource = crm.resources[plural]
    return support | (_details(resource, verb) if isinstance(resource, Resource) else {})


def _details(resource: Resource, verb: Verb) -> dict[str, Any]:
    table = resource.table
    match verb:
        case "create":
            optional = [name for name in table.names(writable=True) if name not in table.names(required=True)]
            return {
                "required": table.names(required=True),
                "required_one_of": [list(group) for group in resource.any_of],
                "supported": optional,
            }
        case "list":
            return {"fields": readable(resource), "updated_since": resource.changes}
        case "get":
            return {"fields": readable(resource)}
        case "delete":
            return {}


def readable(resource: Resource) -> list[str]:
    """The fields of ours that its answers may hold."""
    return [*resource.table.names(readable=True), *(["urls"] if resource.link else [])]
