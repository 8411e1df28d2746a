"""The unified lead."""

from datetime import datetime
from typing import Any

from pydantic import Field

from switchboard.models.schema import Schema
from switchboard.models.values import (
    MOST,
    Address,
    AddressOut,
    Count,
    Email,
    EmailOut,
    LooseRef,
    Moment,
    Phone,
    PhoneOut,
    Ref,
    RefOut,
    Strict,
    Text,
    Told,
    Url,
)


class LeadInput(Strict):
    """What callers may send. Which of it a CRM requires or has a place for stands in that CRM's rows."""

    title: Text | None = None
    owner: Ref | None = None
    contact: Ref | None = None
    account: Ref | None = None
    custom_fields: dict[str, Any] | None = None
    first_name: Text | None = None
    last_name: Text | None = None
    lead_source: Text | None = None
    email_addresses: list[Email] | None = Field(None, max_length=MOST)
    phone_numbers: list[Phone] | None = Field(None, max_length=MOST)
    addresses: list[Address] | None = Field(None, max_length=MOST)
    converted_contact: LooseRef | None = None
    converted_account: LooseRef | None = None
    description: Text | None = None
    industry: Text | None = None
    website: Text | None = None
    number_of_employees: Count | None = None
    name: Text | None = None
    created_at: Moment | None = None
    lead_type: Text | None = None
    status: Text | None = None


class Lead(Told):
    """What callers get back."""

    id: str
    owner: RefOut | None = None
    lead_source: str | None = None
    lead_type: str | None = None
    status: str | None = None
    title: str | None = None
    contact: RefOut | None = None
    account: RefOut | None = None
    first_name: str | None = None
    last_name: str | None = None
    addresses: list[AddressOut] | None = None
    email_addresses: list[EmailOut] | None = None
    phone_numbers: list[PhoneOut] | None = None
    custom_fields: dict[str, Any] | None = None
    last_activity_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    converted_at: datetime | None = None
    converted_contact: str | None = None
    converted_account: str | None = None
    urls: list[Url] | None = None
    remote_data: dict[str, Any] | None = None


LEAD = Schema("lead", "leads", LeadInput, Lead)
