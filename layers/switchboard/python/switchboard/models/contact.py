"""The unified contact: a person."""

from datetime import datetime
from typing import Any

from pydantic import Field

from switchboard.models.schema import Schema
from switchboard.models.values import (
    MOST,
    Address,
    AddressOut,
    Email,
    EmailOut,
    OwnerOut,
    Phone,
    PhoneOut,
    Ref,
    RefOut,
    Strict,
    Text,
    Told,
    Url,
)


class ContactInput(Strict):
    """What callers may send. Which of it a CRM requires or has a place for stands in that CRM's rows."""

    first_name: Text | None = None
    last_name: Text | None = None
    name: Text | None = None
    title: Text | None = None
    emails: list[Email] | None = Field(None, max_length=MOST)
    phones: list[Phone] | None = Field(None, max_length=MOST)
    company: Ref | None = None
    owner: Ref | None = None
    addresses: list[Address] | None = Field(None, max_length=MOST)
    tags: list[Text] | None = Field(None, max_length=MOST)
    lead_status: Text | None = None
    description: Text | None = None
    custom_fields: dict[str, Any] | None = None


class Contact(Told):
    """What callers get back. `name` is the whole name, `title` the person's position."""

    id: str
    first_name: str | None = None
    last_name: str | None = None
    name: str | None = None
    title: str | None = None
    emails: list[EmailOut] | None = None
    phones: list[PhoneOut] | None = None
    company: RefOut | None = None
    owner: OwnerOut | None = None
    addresses: list[AddressOut] | None = None
    tags: list[str] | None = None
    lead_status: str | None = None
    description: str | None = None
    custom_fields: dict[str, Any] | None = None
    urls: list[Url] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    last_activity_at: datetime | None = None
    remote_data: dict[str, Any] | None = None


CONTACT = Schema("contact", "contacts", ContactInput, Contact)
