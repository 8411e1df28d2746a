"""JSON Patch as Nutshell takes it: paths begin with /leads/0/, relations are added to with "-" and removed by id.

https://developers.nutshell.com, "patchInput" of its OpenAPI document, and RFC 6902
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

from tests.sandbox.exchange import Json
from tests.sandbox.vendors.nutshell.fields import (
    FIELDS,
    RELATIONS,
    FieldError,
    Relation,
    Written,
    fitted,
    related,
    text,
)

REPLACEABLE = ("accounts", "emAudiences")
"""Relations that may be replaced as a whole, of contacts; those of a lead are changed one by one."""


@dataclass
class Draft:
    """A record's content while its patches are applied: all of them count, or none."""

    kind: str
    content: Written
    custom_names: Iterable[str]
    added: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Relation -> the ids that were not there before."""

    def apply(self, patches: list[Json]) -> None:
        for patch in patches:
            if not isinstance(patch, dict):
                raise FieldError("", "a patch is an object")
            op, path = patch.get("op"), patch.get("path")
            if op not in ("add", "remove", "replace") or not isinstance(path, str):
                # The document names move and copy, too, but nothing here could be their target.
                raise FieldError(str(path), f"cannot {op}")
            if op != "remove" and "value" not in patch:
                raise FieldError(path, "a value is required")
            self.step(op, path, patch.get("value"))

    def step(self, op: str, path: str, value: Json) -> None:
        parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")]
        start, rest = parts[:3], parts[3:]
        if start != ["", self.kind, "0"] or not rest:
            raise FieldError(path, f"a path begins with /{self.kind}/0/")
        if rest[0] == "links" and len(rest) > 1 and rest[1] in RELATIONS[self.kind]:
            self.relate(op, path, rest[1:], value)
        elif len(rest) > 1:
            raise FieldError(path, "is not a path that can be written")
        elif rest[0] in FIELDS[self.kind]:
            reader = FIELDS[self.kind][rest[0]]
            self.content.values[rest[0]] = None if op == "remove" else fitted(path, reader, value)
        elif self.kind == "leads" and rest[0] == "valueToProductMode":
            self.content.values["manualValue"] = None
        elif rest[0] in self.custom_names and op == "remove":
            self.content.custom.pop(rest[0], None)
        elif rest[0] in self.custom_names:
            self.content.custom[rest[0]] = fitted(path, text, value)
        else:
            raise FieldError(path, "is not a path that can be written")

    def relate(self, op: str, path: str, rest: list[str], value: Json) -> None:
        name, *item = rest
        relation = RELATIONS[self.kind][name]
        links = self.content.links
        match op, item:
            case "add", [place] if relation.many and place in ("-", value):
                given = cast("str", related(path, Relation(relation.target, many=False), value))
                if given not in links[name]:
                    links[name] = [*links[name], given]
                    self.added.setdefault(name, []).append(given)
            case "remove", [gone] if relation.many and gone in links[name]:
                links[name] = [one for one in links[name] if one != gone]
            case "replace", [] if relation.many and self.kind == "contacts" and name in REPLACEABLE:
                given = cast("list[str]", related(path, relation, value))
                self.added[name] = [one for one in given if one not in links[name]]
                links[name] = given
            case (("add" | "replace"), []) if not relation.many:
                links[name] = related(path, relation, value)
                self.added[name] = [links[name]]
            case "remove", [] if not relation.many:
                links[name] = None
            case _:
                raise FieldError(path, f"cannot {op}")
