"""The unified deal: something that is to be sold, on its way through the stages of a pipeline."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from switchboard.models.schema import Schema
from switchboard.models.values import MOST, Amount, Day, NamedOut, OwnerOut, Ref, RefOut, Strict, Text, Told, Url


class DealInput(Strict):
    """What callers may send. Which of it a CRM requires or has a place for stands in that CRM's rows."""

    name: Text | None = None
    amount: Amount | None = None
    currency: Text | None = None
    pipeline: Ref | None = None
    stage: Ref | None = None
    status: Literal["open", "won", "lost"] | None = None
    probability: Amount | None = None
    close_date: Day | None = None
    description: Text | None = None
    company: Ref | None = None
    contact: Ref | None = None
    owner: Ref | None = None
    tags: list[Text] | None = Field(None, max_length=MOST)
    custom_fields: dict[str, Any] | None = None


class Deal(Told):
    """What callers get back. `amount` is in units of `currency` (ISO 4217), not in cents; `probability` is in per cent;
    `close_date` is the day on which it is expected to close, or has closed."""

    id: str
    name: str | None = None
    amount: float | None = None
    currency: str | None = None
    pipeline: NamedOut | None = None
    stage: NamedOut | None = None
    status: Literal["open", "won", "lost"] | None = None
    probability: float | None = None
    close_date: date | None = None
    description: str | None = None
    company: RefOut | None = None
    contact: RefOut | None = None
    owner: OwnerOut | None = None
    tags: list[str] | None = None
    custom_fields: dict[str, Any] | None = None
    urls: list[Url] | None = None
    closed_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    last_activity_at: datetime | None = None
    remote_data: dict[str, Any] | None = None


DEAL = Schema("deal", "deals", DealInput, Deal)
