"""What Pipedrive's records hold: ids that are numbers, links as plain ids, fields of the account's own under hashes.

Persons       https://developers.pipedrive.com/docs/api/v1/Persons
Organizations https://developers.pipedrive.com/docs/api/v1/Organizations
Deals         https://developers.pipedrive.com/docs/api/v1/Deals
Leads         https://developers.pipedrive.com/docs/api/v1/Leads
Users         https://developers.pipedrive.com/docs/api/v1/Users
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from switchboard.crm.catalog import Resource
from switchboard.crm.codecs import boolean, choice, day, moment, number, number_id, text, texts
from switchboard.crm.mapping import Table, row
from switchboard.crm.paging import OLDEST, Cursor, Offset, Since, Stretch, Token, bodies, second, window
from switchboard.crm.places import Always, Each, First, Named, Postal, Record
from switchboard.crm.wire import Response, dig, many, word
from switchboard.models.company import COMPANY
from switchboard.models.contact import CONTACT
from switchboard.models.deal import DEAL
from switchboard.models.lead import LEAD
from switchboard.models.pipeline import PIPELINE
from switchboard.models.stage import STAGE
from switchboard.models.user import USER

CUSTOM = re.compile(r"^[0-9a-f]{40}(_\w+)?$")
"""Custom fields are named by a hash of 40 digits; parts of one value hang behind it (`_currency`, `_until`)."""

HINT = "Pipedrive names them by a hash of 40 digits"


def is_custom(name: str) -> bool:
    """Whether this is a custom field."""
    return bool(CUSTOM.match(name))


class Inside(Named):
    """Custom fields that v2 keeps in an object of their own."""

    __slots__ = ()

    def get(self, record: Record) -> Any:
        held = record.get("custom_fields")
        return super().get(held) if isinstance(held, dict) else None

    def put(self, record: Record, value: Any) -> Sequence[str]:
        return super().put(record.setdefault("custom_fields", {}), value) if value else ()


INSIDE = Inside(is_custom, HINT, ("custom_fields",))


class Ways(Each):
    """E-mail addresses or phone numbers, each with a label; the primary one is told first. Without one of that type,
    the first that is given is the primary one."""

    __slots__ = ()

    def get(self, record: Record) -> Any:
        told = sorted(many(record, self.path), key=lambda each: each.get("primary") is not True)
        return super().get({self.path: [each for each in told if each.get("value")]})

    def put(self, record: Record, value: Any) -> Sequence[str]:
        homeless = super().put(record, value)
        primary = next((place for place, each in enumerate(value) if each.get("type") == "primary"), 0)
        for place, each in enumerate(record[self.path]):
            each["primary"] = place == primary
        return homeless


class Spelled(Postal):
    """An address in one line, which is all that has to be given, and spelled out beside it as far as it was understood:
    https://pipedrive.readme.io/docs/pipedrive-api-v2-migration-guide"""

    __slots__ = ()

    def get(self, record: Record) -> Any:
        name = self.street.partition(".")[0]
        told = record.get(name)
        parts = dict(told) if isinstance(told, dict) else {}
        if any(dig(record, column) for column in self.columns):
            street = (text.into(parts.get(part)) for part in ("street_number", "route"))
            parts["route"] = " ".join(part for part in street if part)
        else:
            parts["route"] = parts.get("value")
        return super().get({name: parts})

    def put(self, record: Record, value: Any) -> Sequence[str]:
        homeless = super().put(record, value)
        name = self.street.partition(".")[0]
        if parts := record.get(name):
            record[name] = {"value": ", ".join(parts.values()), **parts}
        return homeless


def spelled(name: str) -> Spelled:
    """An address under this name."""
    parts = ("route", "locality", "admin_area_level_1", "postal_code", "country", "subpremise")
    return Spelled(*(f"{name}.{part}" for part in parts))


lead = Table(
    LEAD,
    row("id", "id", text, read_only=True),
    row("title", "title", text, required=True, key=True),
    row("owner.id", "owner_id", number_id),
    row("contact.id", "person_id", number_id, key=True),
    row("account.id", "organization_id", number_id, key=True),
    row("custom_fields", Named(is_custom, HINT)),
    row("lead_source", "source_name", text, read_only=True),
    row("created_at", "add_time", moment, read_only=True),
    row("updated_at", "update_time", moment, read_only=True),
)

gone = choice({"active": False, "inactive": True})

pipeline = Table(
    PIPELINE,
    row("id", "id", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("entity", Always("opportunity"), read_only=True),
    row("stages", Each("stages", {"id": "id", "name": "name", "pipeline.id": "^id"}), read_only=True),
    row("created_at", "add_time", moment, read_only=True),
    row("updated_at", "update_time", moment, read_only=True),
)

stage = Table(
    STAGE,
    row("id", "id", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("pipeline.id", "pipeline_id", number_id, required=True, key=True),
    row("position", "order_nr", number, read_only=True),
    row("status", "is_deleted", gone, read_only=True),
    row("created_at", "add_time", moment, read_only=True),
    row("updated_at", "update_time", moment, read_only=True),
)

# First and last names are taken from the name, and what comes of a sync of contacts is only told. Labels are written by
# their numbers.
person = Table(
    CONTACT,
    row("id", "id", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("first_name", "first_name", text, read_only=True),
    row("last_name", "last_name", text, read_only=True),
    row("title", "job_title", text, read_only=True),
    row("emails", Ways("emails", {"email": "value", "type": "label"}), key=True),
    row("phones", Ways("phones", {"number": "value", "type": "label"})),
    row("addresses", spelled("postal_address"), read_only=True),
    row("description", "notes", text, read_only=True),
    row("company.id", "org_id", number_id, key=True),
    row("owner.id", "owner_id", number_id),
    row("tags", "labels", texts("label"), read_only=True),
    row("custom_fields", INSIDE),
    row("created_at", "add_time", moment, read_only=True),
    row("updated_at", "update_time", moment, read_only=True),
)

# What no request of the vendor's specification has is there in newer accounts alone. Their industry is left out: it is
# an option's number.
organization = Table(
    COMPANY,
    row("id", "id", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("website", "website", text, read_only=True),
    row("number_of_employees", "employee_count", number, read_only=True),
    row("annual_revenue", "annual_revenue", number, read_only=True),
    row("addresses", spelled("address")),
    row("owner.id", "owner_id", number_id),
    row("tags", "labels", texts("label"), read_only=True),
    row("custom_fields", INSIDE),
    row("created_at", "add_time", moment, read_only=True),
    row("updated_at", "update_time", moment, read_only=True),
)

deal = Table(
    DEAL,
    row("id", "id", text, read_only=True),
    row("name", "title", text, required=True, key=True),
    row("amount", "value", number),
    row("currency", "currency", text),
    row("pipeline.id", "pipeline_id", number_id),
    row("stage.id", "stage_id", number_id),
    row("status", "status", choice({"open": "open", "won": "won", "lost": "lost"})),
    row("probability", "probability", number),
    row("close_date", First(("expected_close_date", "local_close_date")), day),
    row("closed_at", "close_time", moment, read_only=True),
    row("company.id", "org_id", number_id, key=True),
    row("contact.id", "person_id", number_id, key=True),
    row("owner.id", "owner_id", number_id),
    row("tags", "labels", texts("label"), read_only=True),
    row("custom_fields", INSIDE),
    row("created_at", "add_time", moment, read_only=True),
    row("updated_at", "update_time", moment, read_only=True),
)

user = Table(
    USER,
    row("id", "id", text, read_only=True),
    row("name", "name", text, read_only=True),
    row("email", "email", text, read_only=True),
    row("phone", "phone", text, read_only=True),
    row("active", "active_flag", boolean, read_only=True),
    row("created_at", "created", moment, read_only=True),
    row("updated_at", "modified", moment, read_only=True),
)

OFFSET = "additional_data.pagination.more_items_in_collection"

leads = Resource(
    lead,
    "/api/v1/leads",
    any_of=(("contact.id", "account.id"),),
    link="/leads/inbox/{id}",
    paging=Offset(
        "data",
        start="start",
        most=500,
        more=OFFSET,
        # Whole seconds only; a fraction is refused.
        since=Since("updated_since", at="update_time", query={"sort": "update_time ASC"}),
        plain={"sort": "add_time ASC"},
    ),
)
LIST = Token("data", "cursor", "additional_data.next_cursor", most=500)


@dataclass(frozen=True, slots=True)
class Changes:
    """Records in the order of their change. Pipedrive's cursor, of whose life nothing is told, leads over what changed
    within one second alone; everywhere else the list begins anew at the last moment.

    Where everything is wanted, no moment is asked for: so come those as well that do not say when they changed.
    """

    at: str = "update_time"

    @property
    def changes(self) -> bool:
        """It is asked for what changed since a moment."""
        return True

    def ask(self, since: datetime | None, cursor: Cursor, limit: int) -> dict[str, str]:
        """The query that asks for a stretch. A fraction of a second is refused."""
        begin = cursor.get("from") or _begin(since)
        changed = {"updated_since": str(begin)} if begin else {}
        place = {LIST.after: str(cursor["start"])} if "start" in cursor else {}
        return {"sort_by": self.at, **changed, **place, LIST.size: str(min(limit, LIST.most))}

    def read(self, response: Response, since: datetime | None, cursor: Cursor, limit: int) -> Stretch:
        """The stretch that was answered."""
        following = word(response.body, LIST.following) or None
        ends = following is None or following == cursor.get("start")
        found = bodies(response.body, LIST.items)
        place = None if ends else following
        return window(found, place, cursor, since=_begin(since), write=second, at=(self.at,))


def _begin(since: datetime | None) -> str:
    return second(since) if since and since > OLDEST else ""


pipelines = Resource(pipeline, "/api/v2/pipelines", paging=LIST)
stages = Resource(stage, "/api/v2/stages", paging=LIST)
contacts = Resource(person, "/api/v2/persons", link="/person/{id}", paging=Changes())
companies = Resource(organization, "/api/v2/organizations", link="/organization/{id}")
deals = Resource(deal, "/api/v2/deals", link="/deal/{id}")
users = Resource(user, "/api/v1/users")
