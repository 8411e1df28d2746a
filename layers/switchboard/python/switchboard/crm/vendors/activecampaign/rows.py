"""What ActiveCampaign's records hold, and what a body about one holds beside it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from switchboard.crm.catalog import Resource
from switchboard.crm.codecs import Codec, cents, choice, moment, number, number_id, text
from switchboard.crm.dialect import whole
from switchboard.crm.mapping import Table, row
from switchboard.crm.paging import OLDEST, Keyset, Offset, Since
from switchboard.crm.places import Always, Each, First, Joined, Listed, Record, Slots
from switchboard.crm.problem import invalid, pointer
from switchboard.models.company import COMPANY
from switchboard.models.contact import CONTACT
from switchboard.models.deal import DEAL
from switchboard.models.lead import LEAD
from switchboard.models.pipeline import PIPELINE
from switchboard.models.stage import STAGE
from switchboard.models.user import USER

API = "/api/3"
BESIDE = ("fieldValues", "dealStages", "accountContacts")
"""What an answer about one record holds beside it, where the record itself has ids only."""

EARLIER = timedelta(hours=38)
"""How much too early changes are asked for: a day, an account's distance from UTC, and something over."""


def early(when: datetime) -> str:
    """A moment for a filter, in the form that was recorded, and so early that it leaves nothing out.

    Whether the filter reads the whole of it, only its day, or the clock of the account's own zone is not documented.
    """
    return (max(when, OLDEST + EARLIER) - EARLIER).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Values(Listed):
    """Custom fields as they are written: every value is a text, and of several options one text is made."""

    def put(self, record: Record, value: Any) -> Sequence[str]:
        return super().put(record, {name: _value(name, each) for name, each in value.items()})


class Data(Values):
    """Custom fields of companies and deals, whose numbers are no texts. A read by id tells none of them."""

    def put(self, record: Record, value: Any) -> Sequence[str]:
        homeless = super().put(record, value)
        for each in record.get(self.path, ()):
            each[self.name] = int(each[self.name])
        return homeless


def _value(name: str, value: Any) -> str:
    if isinstance(value, list) and value and all(isinstance(each, str) and "||" not in each for each in value):
        return f"||{'||'.join(value)}||"
    if (told := text.into(value)) is None:
        detail = "has to be a text, a number, true or false, or a list of texts without ||"
        raise invalid(f"custom_fields.{name}", "invalid_value", detail, pointer("custom_fields", name))
    return told


def _numbered(name: str) -> bool:
    return whole(name) is not None


HINT = "ActiveCampaign numbers them"
CUSTOM = Values("fieldValues", "field", "value", _numbered, HINT)
"""A list of contacts tells none of them, unless it is asked to."""
DATA = Data("fields", "customFieldId", "fieldValue", _numbered, HINT)

named = Codec(text.out, lambda value: None if str(value) == "0" else text.into(value))
"""The id of another record; nobody is a zero."""

filled = Codec(text.out, lambda value: text.into(value) or None)
"""A text that may be left empty in a record of which the body about another tells."""

STATUS = choice({"open": 0, "won": 1, "lost": 2})
status = Codec(STATUS.out, lambda value: STATUS.into(number.into(value)))


def _cased(value: Any, case: Callable[[str], str]) -> str | None:
    told = text.into(value)
    return case(told) if told and ISO.fullmatch(told) else told


ISO = re.compile(r"[A-Z]{3}|[a-z]{3}")
iso = Codec(lambda value: _cased(value, str.lower), lambda value: _cased(value, str.upper))
"""A currency, which ActiveCampaign writes in small letters."""

lead = Table(
    LEAD,
    row("id", "id", text, read_only=True),
    row("first_name", "firstName", text, key=True),
    row("last_name", "lastName", text, key=True),
    row("email_addresses", Slots("email", {"primary": "email"}), required=True, key=True),
    row("phone_numbers", Slots("number", {"primary": "phone"})),
    row("custom_fields", CUSTOM),
    row("created_at", "cdate", moment, read_only=True),
    row("updated_at", "udate", moment, read_only=True),
)

# A contact has no owner. Its company and its title there are a record between the two, of which it has one at most.
contact = Table(
    CONTACT,
    row("id", "id", text, read_only=True),
    row("first_name", "firstName", text, key=True),
    row("last_name", "lastName", text, key=True),
    row("name", Joined(("firstName", "lastName")), read_only=True),
    row("title", "accountContacts.0.jobTitle", filled, read_only=True),
    row("emails", Slots("email", {"primary": "email"}), required=True, key=True),
    row("phones", Slots("number", {"primary": "phone"})),
    row("company.id", "accountContacts.0.account", named, read_only=True),
    row("custom_fields", CUSTOM),
    row("created_at", "cdate", moment, read_only=True),
    row("updated_at", "udate", moment, read_only=True),
)

company = Table(
    COMPANY,
    row("id", "id", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("website", "accountUrl", text),
    row("owner.id", "owner", Codec(number_id.out, named.into)),
    row("custom_fields", DATA),
    row("created_at", "createdTimestamp", moment, read_only=True),
    row("updated_at", "updatedTimestamp", moment, read_only=True),
)

# `percent` is 0 in all deals that nobody gave one, and `edate` is not explained: neither is read.
deal = Table(
    DEAL,
    row("id", "id", text, read_only=True),
    row("name", "title", text, required=True, key=True),
    row("amount", "value", cents, required=True),
    row("currency", "currency", iso, required=True),
    row("pipeline.id", "group", named),
    row("stage.id", "stage", named),
    row("status", "status", status),
    row("probability", "winProbability", number, read_only=True),
    row("description", "description", text),
    row("company.id", First(("account", "customerAccount")), named),
    row("contact.id", "contact", named, key=True),
    row("owner.id", "owner", named),
    row("custom_fields", DATA),
    row("created_at", "cdate", moment, read_only=True),
    row("updated_at", "mdate", moment, read_only=True),
)

user = Table(
    USER,
    row("id", "id", text, read_only=True),
    row("first_name", "firstName", text, read_only=True),
    row("last_name", "lastName", text, read_only=True),
    row("name", Joined(("firstName", "lastName")), read_only=True),
    row("email", "email", text, read_only=True),
    row("phone", "phone", text, read_only=True),
)

# The `udate` of a pipeline and of a stage may be hours ahead, in UTC with the account's offset behind it: not told.
pipeline = Table(
    PIPELINE,
    row("id", "id", text, read_only=True),
    row("name", "title", text, required=True, key=True),
    row("entity", Always("opportunity"), read_only=True),
    row("stages", Each("dealStages", {"id": "id", "name": "title", "pipeline.id": "group"}), read_only=True),
    row("created_at", "cdate", moment, read_only=True),
)

stage = Table(
    STAGE,
    row("id", "id", text, read_only=True),
    row("name", "title", text, required=True, key=True),
    row("pipeline.id", "group", text, required=True, key=True),
    row("position", "order", number, read_only=True),
    row("created_at", "cdate", moment, read_only=True),
)

BY_ID = Keyset("contacts", "id_greater", since=Since("filters[updated_after]", early), query={"orders[id]": "ASC"})
"""What the vendor recommends for many contacts; by their change they cannot be sorted."""

leads = Resource(
    lead,
    f"{API}/contacts",
    nearest="ActiveCampaign has no leads: a lead is a contact there.",
    paging=BY_ID,
)
SIDE = ("fieldValues", "accountContacts")
"""What is asked for beside contacts in a list, where each of them is named as `contact`. `include` is documented for
other lists only; that this one takes it was seen in clients. Where it is passed over, these are not told."""

contacts = Resource(contact, leads.path, paging=replace(BY_ID, query={**BY_ID.query, "include": ",".join(SIDE)}))
companies = Resource(company, f"{API}/accounts")
deals = Resource(deal, f"{API}/deals", any_of=(("contact.id", "company.id"), ("pipeline.id", "stage.id")))
users = Resource(user, f"{API}/users")

EMPTY = "ActiveCampaign would delete its deals with it: they are asked for first, and while there are any, it stays."

pipelines = Resource(
    pipeline,
    f"{API}/dealGroups",
    paging=Offset("dealGroups"),
    emulates={
        "create": "The currency that ActiveCampaign wants is that of the first pipeline there is.",
        "delete": EMPTY,
    },
)
stages = Resource(stage, f"{API}/dealStages", paging=Offset("dealStages"), emulates={"delete": EMPTY})
