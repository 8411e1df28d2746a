"""What is derived from the declarations: `make docs` writes it into README and openapi.json, and a test compares.

Between `<!-- NAME -->` and `<!-- /NAME -->` stands what the function of that name in SECTIONS says.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from click import Context

from switchboard import cli, models
from switchboard.api import capabilities, openapi
from switchboard.api.openapi import records
from switchboard.api.pods.creation import layout_of
from switchboard.api.reply import STATUSES
from switchboard.api.routes import ROUTES
from switchboard.api.scopes import ACTIONS, ROLES
from switchboard.crm import registry
from switchboard.crm.catalog import CRM, Resource
from switchboard.crm.problem import Fault
from switchboard.models.schema import READ, VERBS, Schema, Verb, verbs
from switchboard.pods import filling, language, starters, variables
from switchboard.pods.blocks import BLOCKS, Layout
from switchboard.ports import Checkpoint, Owner
from switchboard.search import filters
from switchboard.search.fields import ALIASES, FIELDS, OPERATORS, Field, Kind, field
from switchboard.search.filters import MANY, NONE, Condition
from switchboard.search.sources import Scope, sources
from tests import matrix

README = Path(__file__).resolve().parents[1] / "README.md"
OPENAPI = README.with_name("openapi.json")
BY_ID = [plural for plural in models.MODULES if plural in READ]
"""Resources that are only read, and have a table of their own."""
SCHEMAS: Sequence[Schema] = [models.load(plural) for plural in models.MODULES if plural not in BY_ID]


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))


def crms() -> list[CRM]:
    """Every CRM, by name."""
    return [registry.load(name) for name in registry.NAMES]


class Supported:
    """Cells of `make matrix` in Markdown, and their notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._cells = matrix.cells()

    def cell(self, crm: CRM, plural: str, verb: Verb, *, yes: str = "yes", no: str = "no") -> str:
        """What is told of one, with the number of its note."""
        told = self._cells[crm.name, plural, verb]
        support = told.get("support", "")
        note = told.get("how") or (f"{told['why']} ([source]({told['see']}))" if "why" in told else None)
        if note is None:
            return yes if support == "native" else support
        if note not in self.notes:
            self.notes.append(note)
        return f"{no if support == 'impossible' else support} [{self.notes.index(note) + 1}]"

    def below(self, table: str) -> str:
        """A table and its notes."""
        return "\n\n".join((table, "\n".join(f"{number}. {note}" for number, note in enumerate(self.notes, start=1))))


def resources() -> str:
    """What can be done with which resource, where: `make matrix` in Markdown, with its notes."""
    found, first = Supported(), SCHEMAS[0].plural
    rows = [
        [crm.title if plural == first else "", plural, *(found.cell(crm, plural, verb) for verb in VERBS)]
        for crm in crms()
        for plural in (schema.plural for schema in SCHEMAS)
    ]
    return found.below(markdown(["", "", *VERBS], rows))


def only_read() -> str:
    """What is only read, and how."""
    found = Supported()
    asked: list[tuple[str, Verb]] = [(plural, verb) for plural in BY_ID for verb in verbs(plural)]
    rows = [[crm.title, *(found.cell(crm, *each, yes="native", no="—") for each in asked)] for crm in crms()]
    return found.below(markdown(["", *(f"{plural}: {verb}" for plural, verb in asked)], rows))


def pods() -> str:
    """What a pod is made of."""
    rows = [[f"`{crm.name}`", ", ".join(f"`{word}`" for word in crm.pods)] for crm in crms()]
    return markdown(["`crm_type`", "`crm_object`"], rows)


def starter_templates() -> str:
    """The templates that come with us."""
    rows: list[Sequence[str]] = []
    for id, starter in starters.load().items():
        layout, mentioned = filling.checked(Layout, layout_of(starter))
        said = ", ".join(sorted({str(each) for each in mentioned}))
        rows.append((f"`{id}`", starter["name"], str(len(layout.blocks)), said))
    return markdown(("id", "name", "blocks", "mentions"), rows)


def blocks() -> str:
    """The blocks of a template, and what each says."""
    rows: list[Sequence[str]] = []
    for block in BLOCKS:
        members = [name for name in block.model_fields if name != "type"]
        [kind] = get_args(block.model_fields["type"].annotation)
        rows.append((f"`{kind}`", ", ".join(f"`{name}`" for name in members), str(block.__doc__)))
    return markdown(("type", "fields", "what it is"), rows)


def words() -> str:
    """What a text may speak of, and the filters that it may use."""
    rows = [(f"`{root}`", ", ".join(variables.fields(root))) for root in variables.ROOTS]
    table = markdown(
        ("variable", "fields"), [*rows, (f"`{variables.VENDOR}`", "the record's fields by the CRM's own names")]
    )
    tags = ", ".join(f"`{tag}`" for tag in language.TAGS)
    return f"{table}\n\nTags: {tags}. Filters: {', '.join(f'`{name}`' for name in language.filters())}."


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


def accounts() -> str:
    """What an account of each CRM is connected with."""

    def credentials(crm: CRM) -> str:
        return " or ".join("`" + "`, `".join(each.fields) + "`" for each in crm.auth.values())

    def host(crm: CRM) -> str:
        api = crm.hosts["api"]
        own = "its own: " + " or ".join(f"`*.{domain}`" for domain in api.domains) if api.domains else ""
        return ", or ".join(part for part in (f"`{api.default}`" if api.default else "", own) if part)

    def settings(crm: CRM) -> str:
        told = [
            f"`{name}`: {each.what}" + (f" (`{each.default}` if not said)" if each.default else "")
            for name, each in crm.settings.items()
        ]
        return "; ".join(told)

    rows = [[f"`{crm.name}`", credentials(crm), host(crm), settings(crm)] for crm in crms()]
    return markdown(["CRM", "credentials", "host", "settings"], rows)


def roles() -> str:
    """What a role may do, within its key's scopes."""
    rows = [[role, *("yes" if action in may else "" for action in ACTIONS)] for role, may in ROLES.items()]
    return markdown(["role", *ACTIONS], rows)


def problems() -> str:
    """Every kind of problem and its status."""
    return markdown(["problem", "status"], [[f"[`{kind}`](#{kind})", str(status)] for kind, status in STATUSES.items()])


EXAMPLES: Mapping[Kind, str | int] = {
    "text": "ada",
    "id": "7",
    "digits": "44207946",
    "moment": "2026-06-01T00:00:00Z",
    "custom": "large",
}
"""A value of each kind of field."""
SOUGHT = Scope(
    "acme01", {"one": Checkpoint("acme01", "one", "hubspot", indexed=("indexed",))}, {"one": {"7": Owner("ada", "ada")}}
)
"""An account of which one custom field has an index."""


def condition(name: str, operator: str) -> Condition:
    """A condition on a field of contacts, with values of its kind."""
    found, faults = field(name), list[Fault]()
    value = EXAMPLES[found.kind] if found else None
    more = {} if operator in NONE else {"values": [value, value]} if operator in MANY else {"value": value}
    [told] = filters.read([{"field": name, "operator": operator, **more}], faults)
    if not isinstance(told, Condition):
        raise TypeError(f"{name} {operator} is no condition")
    return told


def contact_fields() -> str:
    """What contacts can be searched by, and what of it an index answers."""
    customs = {"custom_fields.plain": "`custom_fields.<name>`", "custom_fields.indexed": "the same, with an index"}
    names: dict[str, Field] = {**FIELDS, **{name: found for name in customs if (found := field(name))}}

    def label(name: str) -> str:
        other = "".join(f" or `{alias}`" for alias, meant in ALIASES.items() if meant == name)
        return customs.get(name) or f"`{name}`{other}"

    def cell(name: str, operator: str) -> str:
        if operator not in names[name].operators:
            return ""
        return "**index**" if sources(condition(name, operator), SOUGHT) else "yes"

    columns: dict[tuple[str, ...], list[str]] = {}
    for operator in dict.fromkeys(each for operators in OPERATORS.values() for each in operators):
        columns.setdefault(tuple(cell(name, operator) for name in names), []).append(operator)
    head = ["field", "kind", *(", ".join(f"`{each}`" for each in alike) for alike in columns.values()), "order"]
    rows = [
        [label(name), each.kind, *(cells[place] for cells in columns), "yes" if each.order else ""]
        for place, (name, each) in enumerate(names.items())
    ]
    return markdown(head, rows)


WIDTH = 116


def laid(value: Any, indent: str = "  ") -> str:
    """JSON in lines that are no longer than they have to be."""
    whole = json.dumps(value)
    if len(indent) + len(whole) <= WIDTH or not isinstance(value, dict | list):
        return whole
    inner = indent + " "
    if isinstance(value, dict):
        parts = [f"{json.dumps(name)}: {laid(each, inner)}" for name, each in value.items()]
    else:
        parts = [laid(each, inner) for each in value]
    lines = [""]
    for part in parts:
        if lines[-1] and (len(inner) + len(lines[-1]) + len(part) > WIDTH or "\n" in lines[-1] + part):
            lines.append("")
        lines[-1] += f", {part}" if lines[-1] else part
    first, last = ("{", "}") if isinstance(value, dict) else ("[", "]")
    return first + f",\n{inner}".join(lines) + last


def contact_example() -> str:
    """A search and its answer: those of the OpenAPI document, which a test asks and compares."""
    version = records.PARAMETERS["Version"]["example"]
    return f"""```console
$ curl -s http://127.0.0.1:8080{records.PATH} -H 'authorization: Bearer trpt_8izexb_...' \\
    -H 'version: {version}' -H 'content-type: application/json' -d '
  {laid(records.SEARCH)}'

{laid(records.page(), "")}
```"""


def lasting(seconds: float) -> str:
    """A time in the largest unit that fits."""
    for unit, name in ((3600, "h"), (60, "min")):
        if seconds >= unit and not seconds % unit:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"


def syncs() -> str:
    """How contacts of each CRM are synced."""
    head = ["CRM", "reads", "deletions are", "looks", "for deletions", "lag", "calls", "in a day"]
    rows: list[Sequence[str]] = []
    for crm in crms():
        told = capabilities.synced(crm, "contacts")
        pace = told["pace"]
        rows.append(
            (
                crm.title,
                {"since": "what changed", "all": "everything"}[told["changes"]],
                told["deletions"],
                f"every {lasting(told['every_seconds'])}",
                f"every {lasting(told['deletions_every_seconds'])}",
                lasting(told["lag_seconds"]) if told["lag_seconds"] else "",
                f"{pace['calls']} in {lasting(pace['seconds'])}",
                f"{pace['daily']:,}" if pace["daily"] else "",
            )
        )
    return markdown(head, rows)


def commands() -> str:
    """The operator's commands."""
    rows: list[tuple[str, str]] = []
    for name, command in cli.main.commands.items():
        given = [each for each in command.collect_usage_pieces(Context(command)) if each != "[OPTIONS]"]
        rows.append((f"`{' '.join((name, *given))}`".replace("|", r"\|"), " ".join(str(command.help).split())))
    return markdown(("command", ""), sorted(rows))


SECTIONS: Mapping[str, Callable[[], str]] = {
    "resources": resources,
    "only-read": only_read,
    "pods": pods,
    "starters": starter_templates,
    "blocks": blocks,
    "variables": words,
    "fields": fields,
    "routes": routes,
    "contact-fields": contact_fields,
    "contact-example": contact_example,
    "syncs": syncs,
    "commands": commands,
    "accounts": accounts,
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


def specification() -> str:
    """The OpenAPI document as a file."""
    return json.dumps(openapi.document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    README.write_text(written(README.read_text()))
    OPENAPI.write_text(specification())
