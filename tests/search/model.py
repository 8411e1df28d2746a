"""What a search has to answer, said as plainly as it can be: all contacts, filtered and sorted. No index, no pages."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from switchboard.ports import Owner, Stored

type Json = Mapping[str, Any]

ALIASES = {"email": "emails", "phone": "phones", "tag": "tags", "integrated_account_id": "source.integrated_account_id"}
MOMENTS = ("created_at", "updated_at", "last_activity_at")
EXACT = ("id", "company.id", "owner.id", "source.crm", "source.integrated_account_id", "source.remote_id")


def folded(text: str) -> str:
    """A text without case, widths and idle white space."""
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split())


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def values(contact: Stored, name: str, owners: Mapping[str, Owner]) -> list[Any]:
    """What a contact has in a field."""
    body = contact.body
    parts = {"emails": "email", "phones": "number", "addresses.city": "city", "addresses.country": "country"}
    owner = body.get("owner") or {}
    match name:
        case "id":
            found: Iterable[Any] = [contact.id]
        case "source.crm":
            found = [contact.crm]
        case "source.integrated_account_id":
            found = [contact.account]
        case "source.remote_id":
            found = [contact.remote_id]
        case "emails" | "phones" | "addresses.city" | "addresses.country":
            found = [each.get(parts[name]) for each in body.get(name.partition(".")[0]) or ()]
        case "domain":
            found = [each["email"].split("@")[1] for each in body.get("emails") or ()]
        case "company.id" | "company.name":
            found = [(body.get("company") or {}).get(name.partition(".")[2])]
        case "owner.id":
            found = [owner.get("id")]
        case "owner.name" | "owner.email":
            known = owners.get(owner.get("id", ""))
            found = [getattr(known, name.partition(".")[2])] if known else []
        case "tags":
            found = body.get("tags") or ()
        case _ if name.startswith("custom_fields."):
            told = (body.get("custom_fields") or {}).get(name.partition(".")[2])
            found = told if isinstance(told, list) else [told]
        case _:
            found = [body.get(name)]
    return [plain for each in found if each not in (None, "") and (plain := compared(name, each)) != ("text", "")]


def compared(name: str, value: Any) -> tuple[str, Any]:
    """A value with its type, as it is compared."""
    if name in MOMENTS:
        return "moment", instant(value)
    if name in EXACT:
        return "id", value
    if name == "phones":
        return "text", "".join(each for each in value if each in "0123456789")
    if name.startswith("custom_fields."):
        if isinstance(value, bool):
            return "boolean", value
        if isinstance(value, int | float):
            return "number", float(value)
    return "text", folded(value)


def written(value: tuple[str, Any]) -> str:
    """A value as a text."""
    kind, plain = value
    if kind == "boolean":
        return str(plain).lower()
    if kind == "number":
        return str(int(plain) if plain.is_integer() else plain)
    return plain


def meets(contact: Stored, condition: Json, owners: Mapping[str, Owner]) -> bool:
    """Whether a contact meets a condition, or a group of them."""
    if "group" in condition:
        told = [meets(contact, each, owners) for each in condition["filters"]]
        return any(told) if condition["group"] == "or" else all(told)
    name: str = condition["field"]
    name = ALIASES.get(name, name)
    has = values(contact, name, owners)
    given = condition.get("values") or ([condition["value"]] if "value" in condition else [])
    asked = [compared(name, each) for each in given]
    match condition["operator"]:
        case "eq" | "in":
            return any(each in asked for each in has)
        case "neq" | "not_in":
            return not any(each in asked for each in has)
        case "contains":
            return any(written(asked[0]) in written(each) for each in has)
        case "not_contains":
            return not any(written(asked[0]) in written(each) for each in has)
        case "starts_with":
            return any(written(each).startswith(written(asked[0])) for each in has)
        case "is_empty":
            return not has
        case "is_not_empty":
            return bool(has)
        case "gt":
            return any(each[0] == asked[0][0] and each[1] > asked[0][1] for each in has)
        case "gte":
            return any(each[0] == asked[0][0] and each[1] >= asked[0][1] for each in has)
        case "lt":
            return any(each[0] == asked[0][0] and each[1] < asked[0][1] for each in has)
        case "lte":
            return any(each[0] == asked[0][0] and each[1] <= asked[0][1] for each in has)
        case "between":
            low, high = asked
            return any(each[0] == low[0] == high[0] and low[1] <= each[1] <= high[1] for each in has)
        case other:
            raise AssertionError(other)


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", folded(text))


def speaks(contact: Stored, typed: str) -> bool:
    """Whether every word that was typed begins one of the contact's."""
    names = ("first_name", "last_name", "name", "company.name", "emails")
    held = [word for name in names for _, text in values(contact, name, {}) for word in words(text)]
    return all(any(each.startswith(word) for each in held) for word in words(typed))


def answer(
    people: Mapping[str, Stored],
    owners: Mapping[str, Mapping[str, Owner]],
    filters: Iterable[Json],
    typed: str,
    order: str,
    *,
    descending: bool,
) -> list[str]:
    """The ids of all that are meant, in order."""

    def place(contact: Stored) -> tuple[Any, str]:
        value = contact.body.get(order)
        if order == "name":
            return folded(value or "")[:64], contact.id
        if value is None:
            return datetime.min.replace(tzinfo=UTC), contact.id
        moment = instant(value)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000), contact.id

    filters = list(filters)
    meant = [
        each
        for each in people.values()
        if all(meets(each, one, owners.get(each.account, {})) for one in filters) and (not typed or speaks(each, typed))
    ]
    return [each.id for each in sorted(meant, key=place, reverse=descending)]
