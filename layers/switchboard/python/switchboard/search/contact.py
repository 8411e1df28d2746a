"""A contact as it is kept, and as callers see it."""

import json
import unicodedata
from collections.abc import Mapping
from hashlib import sha256
from itertools import accumulate
from typing import Any

from switchboard.crm.catalog import Resource
from switchboard.crm.wire import dig
from switchboard.ports import Owner, Stored

PREFIX = "con_"
ID_DIGITS = 24

LEFT_OUT = ("id", "remote_data", "urls")
"""What is kept beside the record, or not at all."""

CUSTOM_BYTES = 200_000
"""So much of a contact's custom fields is kept; an item of the table holds 400 KB in all."""
TEXT_BYTES = 40_000
"""So much of any other text of a contact is kept."""
TEXTS_BYTES = 100_000
"""So much of them all together."""
EACH = 200
"""So many e-mail addresses, phones, tags and values of one custom field are kept: each has its places in lists."""


def contact_id(brand: str, account: str, remote_id: str) -> str:
    """Our id of a contact: the same for the same record of the same account, and of no other."""
    return PREFIX + sha256(f"{brand}\n{account}\n{remote_id}".encode()).hexdigest()[:ID_DIGITS]


NO_CHARACTER = "\U0010ffff"
"""Means nothing in any text; it ends the parts of lists."""


def fold(text: str) -> str:
    """A text as it is compared: without case, widths of letters, and white space that says nothing."""
    told = unicodedata.normalize("NFKC", text.replace(NO_CHARACTER, "")).casefold()
    return " ".join(unicodedata.normalize("NFKC", told).split())


def kept(item: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a CRM's record that is kept. Owners are called by name only when they are shown: a name that changes
    is then changed for all their contacts at once."""
    body = {name: value for name, value in item.items() if name not in LEFT_OUT and value not in (None, [], {})}
    owner = body.get("owner")
    if isinstance(owner, Mapping) and owner.get("id"):
        body["owner"] = {"id": owner["id"]}
    url = dig(item, "urls.0.url")
    if url:
        body["url"] = url
    custom = body.pop("custom_fields", None)
    body = _fitting({name: _short(value) for name, value in body.items()}, TEXTS_BYTES)
    if custom:
        body["custom_fields"] = _fitting({name: _few(value) for name, value in custom.items()}, CUSTOM_BYTES)
    return body


def linked(item: Mapping[str, Any], contacts: Resource, origin: str | None) -> dict[str, Any]:
    """A CRM's record with the address of its page there, where that follows from its id."""
    if not contacts.link or not origin or item.get("urls") or "id" not in item:
        return dict(item)
    return {**item, "urls": [{"url": origin + contacts.link.replace("{id}", str(item["id"]))}]}


def _fitting(told: Mapping[str, Any], most: int) -> dict[str, Any]:
    """What fits into so many bytes: of all that there is the shortest, for who owns a contact is said in few."""
    if _bytes(told) <= most:
        return dict(told)
    sizes = {name: _bytes(name) + _bytes(value) for name, value in told.items()}
    shortest = sorted(sizes, key=lambda name: sizes[name])
    ends = dict(zip(shortest, accumulate(sizes[name] for name in shortest), strict=True))
    return {name: value for name, value in told.items() if ends[name] <= most}


def _bytes(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _few(value: Any) -> Any:
    return value[:EACH] if isinstance(value, list) else value


def _short(value: Any) -> Any:
    """A value without the ends of texts that are too long, and without the last of too many."""
    match value:
        case str():
            return value.encode()[:TEXT_BYTES].decode(errors="ignore") if len(value) * 4 > TEXT_BYTES else value
        case list():
            return [_short(each) for each in value[:EACH]]
        case dict():
            return {name: _short(each) for name, each in value.items()}
        case _:
            return value


def shown(stored: Stored, owners: Mapping[str, Owner]) -> dict[str, Any]:
    """A contact as callers see it: every field of the contract, null or empty where the CRM says nothing.

    owners: those of the contact's account, by their ids at the CRM.
    """
    body = stored.body
    company, owner = body.get("company") or {}, body.get("owner") or {}
    known = owners.get(str(owner.get("id")))
    return {
        "id": stored.id,
        "first_name": body.get("first_name"),
        "last_name": body.get("last_name"),
        "name": body.get("name"),
        "title": body.get("title"),
        "emails": body.get("emails") or [],
        "phones": body.get("phones") or [],
        "company": {"id": company.get("id"), "name": company.get("name")} if company else None,
        "owner": {"id": owner.get("id"), "name": known.name if known else owner.get("name")} if owner else None,
        "addresses": body.get("addresses") or [],
        "tags": body.get("tags") or [],
        "lead_status": body.get("lead_status"),
        "description": body.get("description"),
        "custom_fields": body.get("custom_fields") or {},
        "source": {
            "crm": stored.crm,
            "integrated_account_id": stored.account,
            "remote_id": stored.remote_id,
            "url": body.get("url"),
        },
        "created_at": body.get("created_at"),
        "updated_at": body.get("updated_at"),
        "last_activity_at": body.get("last_activity_at"),
    }
