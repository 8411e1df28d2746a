"""The unified user: somebody who works with the CRM, and may own its records."""

from datetime import datetime
from typing import Any

from switchboard.models.schema import Schema
from switchboard.models.values import Strict, Told


class UserInput(Strict):
    """Nothing: users are made in the CRM."""


class User(Told):
    """What callers get back."""

    id: str
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    title: str | None = None
    phone: str | None = None
    active: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    remote_data: dict[str, Any] | None = None


USER = Schema("user", "users", UserInput, User)
