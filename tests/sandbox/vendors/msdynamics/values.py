"""How a column takes a value: ids, moments, texts, numbers and choices, none of them coerced.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/web-api-types-operations
"""

import re
import uuid
from datetime import UTC, date, datetime

from tests.sandbox.exchange import Json
from tests.sandbox.vendors.msdynamics.tables import CHOICES, Column, Table

INVALID_ARGUMENT = "0x80040203"


class RejectedError(Exception):
    """A value that a column does not take. Without a code the payload itself could not be read."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


def guid(text: Json) -> str | None:
    """The usual lower-case form, or None for what is no GUID."""
    dashed = isinstance(text, str) and re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text)
    return str(uuid.UUID(text)) if dashed else None


def moment(at: float) -> str:
    """UTC, whole seconds."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read(table: Table, column: Column, value: Json) -> Json:
    """A sent value as it is stored. Types are strict; an empty text is no text."""
    if value is None or (value == "" and column.edm == "Edm.String"):
        if column.type in ("State", "Status"):
            raise RejectedError(f"'{column.name}' of '{table.logical_name}' cannot be null.", INVALID_ARGUMENT)
        return None
    match column.edm:
        case "Edm.String":
            return _text(table, column, value)
        case "Edm.Boolean":
            return value if isinstance(value, bool) else _misread(column, value)
        case "Edm.Guid":
            return guid(value) or _misread(column, value)
        case "Edm.Date" | "Edm.DateTimeOffset":
            return _time(column, value)
        case _:
            return _number(table, column, value)


def _misread(column: Column, value: Json) -> Json:
    raise RejectedError(f"Cannot convert the literal '{value}' to the expected type '{column.edm}'.")


def _text(table: Table, column: Column, value: Json) -> Json:
    if not isinstance(value, str):
        return _misread(column, value)
    if len(value) > column.length:
        raise RejectedError(
            f"A validation error occurred. The length of the '{column.name}' attribute of the '{table.logical_name}' "
            f"entity exceeded the maximum allowed length of '{column.length}'.",
            "0x80044331",
        )
    return value


def _time(column: Column, value: Json) -> Json:
    """A date has no time and a time has a zone; nothing in between is read."""
    pattern = r"\d{4}-\d\d-\d\d" if column.type == "DateOnly" else r"\d{4}-\d\d-\d\dT\d\d:\d\d.*(Z|[+-]\d\d:\d\d)"
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        return _misread(column, value)
    try:
        if column.type == "DateOnly":
            return date.fromisoformat(value).isoformat()
        return moment(datetime.fromisoformat(value).timestamp())
    except ValueError:
        return _misread(column, value)


def _number(table: Table, column: Column, value: Json) -> Json:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _misread(column, value)
    if column.edm in ("Edm.Int32", "Edm.Int64") and not isinstance(value, int):
        return _misread(column, value)
    if column.type in CHOICES:
        if value not in column.options:
            raise RejectedError(
                f"A validation error occurred. The value {value} of '{column.name}' on record of type "
                f"'{table.logical_name}' is outside the valid range. Accepted Values: "
                f"{','.join(str(option) for option in column.options)}",
                "0x8004431A",
            )
        return value
    low, high = column.limits
    if not low <= value <= high:
        # The code of this one is not known: the sheet names none, so it is that of any invalid argument.
        raise RejectedError(
            f"A validation error occurred. The value of '{column.name}' on record of type '{table.logical_name}' is "
            "outside the valid range.",
            INVALID_ARGUMENT,
        )
    if column.edm == "Edm.Int32":
        return value
    return round(float(value), 2 if column.type == "Money" else 5)
