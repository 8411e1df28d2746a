"""What is derived from the declarations: `make docs` writes it into README, and a test compares.

Between `<!-- NAME -->` and `<!-- /NAME -->` stands what the function of that name in SECTIONS says.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from switchboard.api.reply import STATUSES
from switchboard.api.routes import ROUTES
from switchboard.api.scopes import ACTIONS, ROLES
from switchboard.crm import registry
from switchboard.crm.catalog import CRM, Resource, Unsupported
from switchboard.models.lead import LEAD
from switchboard.models.schema import Schema

README = Path(__file__).resolve().parents[1] / "README.md"
SCHEMAS: Sequence[Schema] = (LEAD,)


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))


def crms() -> list[CRM]:
    """Every CRM, by name."""
    return [registry.load(name) for name in registry.NAMES]


def resources() -> str:
    """What can be done with which resource, where; a reason for each that cannot."""
    named = sorted({plural for crm in crms() for plural in crm.resources})
    notes: list[str] = []

    def note(unsupported: Unsupported) -> str:
        text = f"{unsupported.why} ([source]({unsupported.see}))"
        if text not in notes:
            notes.append(text)
        return f"[{notes.index(text) + 1}]"

    def cell(crm: CRM, plural: str) -> str:
        match crm.resources.get(plural):
            case Resource() as resource:
                return ", ".join([*resource.verbs, *(f"no {verb} {note(why)}" for verb, why in resource.lacks.items())])
            case Unsupported() as unsupported:
                return f"no {note(unsupported)}"
            case None:
                return ""

    rows = [[crm.title, *(cell(crm, plural) for plural in named)] for crm in crms()]
    told = "\n".join(f"{number}. {note}" for number, note in enumerate(notes, start=1))
    return markdown(["", *named], rows) + (f"\n\n{told}" if told else "")


def fields() -> str:
    """Which field of a resource each CRM requires, takes and answers."""
    return "\n\n".join(f"**{schema.plural}**\n\n{_fields(schema)}" for schema in SCHEMAS)


def _fields(schema: Schema) -> str:
    offering = [(crm.title, crm.resources.get(schema.plural)) for crm in crms()]
    offered = {title: resource for title, resource in offering if isinstance(resource, Resource)}
    names = list(dict.fromkeys([*schema.readable, *schema.request.model_fields]))
    rows = [[f"`{name}`", *(_cell(resource, name) for resource in offered.values())] for name in names]
    return markdown(["field", *offered], rows)


def _cell(resource: Resource, name: str) -> str:
    rows = [row for row in resource.table.rows if row.ours.split(".")[0] == name]
    sent = any(not row.read_only for row in rows)
    answered = any(not row.write_only for row in rows) or (name == "urls" and resource.link is not None)
    required = "required" if any(row.required for row in rows) else "sent" if sent else ""
    return ", ".join(part for part in (required, "answered" if answered else "") if part)


def routes() -> str:
    """The routes and the functions that answer them."""
    pairs = [(path, method, name) for path, methods in ROUTES.items() for method, name in methods.items()]
    rows = [[f"`{method} {path}`", f"`functions/{name}`"] for path, method, name in pairs]
    return markdown(["route", "function"], rows)


def roles() -> str:
    """What a role may do, within its key's scopes."""
    rows = [[role, *("yes" if action in may else "" for action in ACTIONS)] for role, may in ROLES.items()]
    return markdown(["role", *ACTIONS], rows)


def problems() -> str:
    """Every kind of problem and its status."""
    return markdown(["problem", "status"], [[f"[`{kind}`](#{kind})", str(status)] for kind, status in STATUSES.items()])


SECTIONS: Mapping[str, Callable[[], str]] = {
    "resources": resources,
    "fields": fields,
    "routes": routes,
    "roles": roles,
    "problems": problems,
}


def written(text: str) -> str:
    """A text with every section as the declarations have it."""
    for name, section in SECTIONS.items():
        there = re.compile(rf"<!-- {name} -->.*?<!-- /{name} -->", re.DOTALL)
        if not there.search(text):
            raise LookupError(f"there is no <!-- {name} --> in the text")
        fresh = f"<!-- {name} -->\n\n{section()}\n\n<!-- /{name} -->"
        text = there.sub(lambda _, fresh=fresh: fresh, text)
    return text


if __name__ == "__main__":
    README.write_text(written(README.read_text()))
