"""The unified company: an organisation that is sold to."""

from datetime import datetime
from typing import Any

from pydantic import Field

from switchboard.models.schema import Schema
from switchboard.models.values import (
    MOST,
    Address,
    AddressOut,
    Amount,
    Count,
    OwnerOut,
    Phone,
    PhoneOut,
    Ref,
    Strict,
    Text,
    Told,
    Url,
)


class CompanyInput(Strict):
    """What callers may send. Which of it a CRM requires or has a place for stands in that CRM's rows."""

    name: Text | None = None
    domain: Text | None = None
    website: Text | None = None
    phones: list[Phone] | None = Field(None, max_length=MOST)
    industry: Text | None = None
    description: Text | None = None
    number_of_employees: Count | None = None
    annual_revenue: Amount | None = None
    owner: Ref | None = None
    addresses: list[Address] | None = Field(None, max_length=MOST)
    tags: list[Text] | None = Field(None, max_length=MOST)
    custom_fields: dict[str, Any] | None = None


class Company(Told):
    """What callers get back. `domain` is the bare host name, `website` an address as the CRM has it."""

    id: str
    name: str | None = None
    domain: str | None = None
    website: str | None = None
    phones: list[PhoneOut] | None = None
    industry: str | None = None
    description: str | None = None
    number_of_employees: int | None = None
    annual_revenue: float | None = None
    owner: OwnerOut | None = None
    addresses: list[AddressOut] | None = None
    tags: list[str] | None = None
    custom_fields: dict[str, Any] | None = None
    urls: list[Url] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    last_activity_at: datetime | None = None
    remote_data: dict[str, Any] | None = None


COMPANY = Schema("company", "companies", CompanyInput, Company)
