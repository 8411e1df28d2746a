"""What a pod is about: the record, and those others that its texts mention. One request each, and no more."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from switchboard.crm.catalog import CRM, Resource
from switchboard.crm.dialect import Answer
from switchboard.crm.mapping import Table
from switchboard.crm.places import Record
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.wire import Talk, dig
from switchboard.pods.variables import ROOTS, VENDOR, Mention, spoken, spoken_of

KEPT_BYTES = 100_000
"""So much of a record is kept with a pod at the most: what is mentioned, and the rest where there is room."""

PARTS = {"stage": "stages", "pipeline": "pipelines"}
"""What a deal names, and is spoken of below it: `deal.stage.name`."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a record beside its own fields.

    related: names of other records (company, owner, stage ...), each with the fields of it that are mentioned.
    vendor: fields of the record by the vendor's own names.
    """

    related: Mapping[str, Collection[str]]
    vendor: tuple[str, ...]


def wanted(plural: str, mentioned: Iterable[Mention]) -> Wanted:
    """What texts about a record of this resource ask for."""
    related: dict[str, set[str]] = {}
    vendor: set[str] = set()
    for each in mentioned:
        if each.root == VENDOR:
            vendor.add(each.way[0])
        elif ROOTS[each.root] != plural:
            related.setdefault(each.root, set()).add(each.way[0])
        elif len(each.way) > 1 and each.way[0] in (*ROOTS, *PARTS):
            related.setdefault(each.way[0], set()).add(each.way[1])
    return Wanted(related, tuple(sorted(vendor)))


def read(crm: CRM, resource: Resource, id: str, asked: Wanted) -> Talk[dict[str, Any]]:
    """The values of the variables. Raises what the CRM says of the record itself; of the others, that one is not there
    or may not be seen leaves its variables without a value."""
    answer = yield from crm.dialect.get(resource, id, asked.vendor)
    if answer.partial:  # no record, but perhaps another page of the CRM's, which that id leads to
        raise Problem(Kind.CRM_UNAVAILABLE, "The CRM's answer holds no such record.", crm=crm.name)
    root = resource.table.schema.name
    record = spoken(answer.item)
    values: dict[str, Any] = {root: record}
    for name, fields in sorted(asked.related.items()):
        found = yield from _related(crm, resource, answer, name, fields)
        if not found:
            continue
        if name in ROOTS:
            values[name] = found
        if name in PARTS or isinstance(record.get(name), dict):
            record[name] = {**(record.get(name) or {}), **found}
    if root == "lead" and "contact" in asked.related and "contact" not in values and (person := _person(record)):
        values["contact"] = person
    if asked.vendor:
        opened = crm.dialect.open(resource, answer.raw)
        told = {name: spoken_of(opened.get(name, dig(opened, name))) for name in asked.vendor}
        values[VENDOR] = {name: value for name, value in told.items() if value is not None}
    return values


def kept(values: Mapping[str, Any], mentioned: Iterable[Mention]) -> dict[str, Any]:
    """The values as a pod keeps them: what is mentioned first, the shortest of it first, as far as there is room."""
    if _size(values) <= KEPT_BYTES:
        return dict(values)
    named = {(each.root, each.way[0]) for each in mentioned}
    parts = [(root, name, value) for root, held in values.items() for name, value in held.items()]
    sizes = {(root, name): _size({name: value}) + len(root) + 8 for root, name, value in parts}
    found: dict[str, Any] = {}
    room = KEPT_BYTES
    for root, name, value in sorted(parts, key=lambda part: ((part[0], part[1]) not in named, sizes[part[:2]])):
        if sizes[root, name] <= room:
            room -= sizes[root, name]
            found.setdefault(root, {})[name] = value
    return found


def _size(value: Any) -> int:
    return len(json.dumps(value))


def _related(crm: CRM, resource: Resource, answer: Answer, name: str, fields: Collection[str]) -> Talk[Record]:
    """Another record that this one names: as far as the record tells of it, if that is all that is asked."""
    told = answer.item.get(_named(resource.table, name))
    known: Record = spoken(told) if isinstance(told, dict) else {}
    other = crm.resources.get({**ROOTS, **PARTS}[name])
    if set(fields) <= known.keys() or not isinstance(other, Resource):
        return known
    try:
        found = yield from crm.dialect.related(resource, answer, _named(resource.table, name), other)
    except Problem as problem:
        if problem.kind is not Kind.CRM_FORBIDDEN:
            raise
        found = None
    return {**known, **spoken(found.item)} if found else known


def _person(lead: Record) -> Record:
    """Who a lead is about, where it is a person and names no contact: the lead speaks of itself."""
    names = [lead[part] for part in ("first_name", "last_name") if lead.get(part)]
    told = {"name": " ".join(names)} if names else {}
    told |= {name: lead[name] for name in ("first_name", "last_name", "email", "phone", "addresses") if name in lead}
    return told


def _named(table: Table, name: str) -> str:
    """What a resource calls another: a lead's company is its account."""
    return "account" if name == "company" and table.row("company.id") is None and table.row("account.id") else name
