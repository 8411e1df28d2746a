"""What the records of Pipeliner hold.

A related record stands in another as its web address, which ends in its id; or in full, where a read expands it. Names
of custom fields look like all others, and stand beside them. Tags are told by relations to them, and are written by
their ids alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from switchboard.crm.catalog import Resource
from switchboard.crm.codecs import Codec, choice, day, moment, number, same, text
from switchboard.crm.mapping import Table, row
from switchboard.crm.paging import Since, Token
from switchboard.crm.places import Always, Each, First, Joined, Named, Postal, Record, Slots
from switchboard.crm.vendors.pipeliner.changes import CHANGED, Changes
from switchboard.crm.wire import many, plant, word
from switchboard.models.company import COMPANY
from switchboard.models.contact import CONTACT
from switchboard.models.deal import DEAL
from switchboard.models.lead import LEAD
from switchboard.models.pipeline import PIPELINE
from switchboard.models.stage import STAGE
from switchboard.models.user import USER

ENTITIES = "/api/v100/rest/spaces/{space}/entities"

EXPANDED = {
    "leads": "lead_source",
    "contacts": "owner,primary_account,tags.tag",
    "companies": "owner,industry,tags.tag",
    "deals": "owner,step.pipeline,primary_account,primary_contact,tags.tag",
    "pipelines": "steps",
    "stages": "pipeline,lead_process,quote_process",
}
"""Relations that are asked for as records; all others, and these after a write, are web addresses that end in an id."""

STANDARD = frozenset(
    """
    account_class account_position account_relations account_type account_type_id active_quote active_quote_id
    address city closing_date comments contact_relations contact_type contact_type_id country created
    currency_exchange_rates_list currency_exchange_rates_list_id customer_type customer_type_id days_in_step
    description documents exchange_entity_id first_name formatted_name gapi_entity_id gender health
    health_category health_status home_page id industry industry_id is_archived is_delete_protected is_deleted
    is_favorite is_unsubscribed is_value_auto_calculate label_flag last_name lead_source lead_source_id
    lost_date middle_name modified modified_by_user name o365_entity_id oppty_recurrence oppty_type
    oppty_type_id owner owner_id parent_account parent_account_id parent_account_relation_type
    parent_account_relation_type_id picture picture_id position primary_account primary_account_account_roles
    primary_account_position primary_account_relationship primary_contact product_currency product_currency_id
    product_price_list product_price_list_id product_relations product_sections qualify_date quick_account_email
    quick_account_name quick_account_phone quick_contact_name quick_email quick_parent_account_name quick_phone
    quote_relations ranking reason_of_close reason_of_close_description reason_of_close_id revenue_schedule
    revision share_mode sharing_clients sharing_units social_media state_province static_profiles status step
    step_id table_name tags title unit unit_id value was_qualified won_date zip_code
    """.split()  # noqa: SIM905 - a list of this length is a page
) | {f"{kind}{number}" for kind in ("email", "phone") for number in range(1, 6)}
"""The vendor's own columns of contacts, accounts and opportunities, as specified or recorded; all else is custom."""


def _linked(value: Any) -> str | None:
    """The id of a related record, which stands for it as its web address or in full."""
    return value.rpartition("/")[2] or None if isinstance(value, str) else word(value, "id")


linked = Codec(same.out, _linked)

filled = Codec(text.out, lambda value: text.into(value) or None)
"""A text; one that was not set is empty."""


def _tagged(value: Any) -> list[str] | None:
    """The names of tags, as far as a read expands the relations to them."""
    return [name for each in many({"tags": value}, "tags") if (name := word(each, "tag.name"))] or None


class Home(First):
    """What a stage stands in: a process, if one is named beside a pipeline. Ours is sent as the pipeline's."""

    def put(self, record: Record, value: Any) -> Sequence[str]:
        plant(record, "pipeline_id", value)
        return ()


@dataclass(frozen=True, slots=True)
class Primary:
    """The related record that matters most. It is told by itself, and written as the only relation of its kind."""

    told: str
    relations: str
    id: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.told, self.relations)

    def get(self, record: Record) -> Any:
        written = next((each for each in many(record, self.relations) if each.get("is_primary") is True), None)
        return linked.into(record.get(self.told)) or word(written, self.id)

    def put(self, record: Record, value: Any) -> Sequence[str]:
        record[self.relations] = [{self.id: value, "is_primary": True}]
        return ()


class Numbered(Slots):
    """A list over columns that bear numbers, without types."""

    __slots__ = ()

    def get(self, record: Record) -> Any:
        told = (text.into(record.get(column)) for column in self.columns)
        return [{self.value: each} for each in told if each] or None

    def put(self, record: Record, value: Any) -> Sequence[str]:
        homeless = [f"[{index}]" for index in range(len(self.columns), len(value))]
        for index, (column, item) in enumerate(zip(self.columns, value, strict=False)):
            record[column] = item[self.value]
            homeless += [f"[{index}].{part}" for part, given in item.items() if part != self.value and given]
        return homeless


class Custom(Named):
    """Custom fields, without texts that were not set."""

    __slots__ = ()

    def get(self, record: Record) -> Any:
        return {name: value for name, value in (Named.get(self, record) or {}).items() if value != ""} or None


CUSTOM = row(
    "custom_fields", Custom(lambda name: name not in STANDARD, "here it would be one of the vendor's own columns")
)
EMAILS = Numbered("email", {str(place): f"email{place}" for place in range(1, 6)})
PHONES = Numbered("number", {str(place): f"phone{place}" for place in range(1, 6)})
ADDRESS = Postal("address", "city", "state_province", "zip_code", "country")
TAGS = row("tags", "tags", Codec(same.out, _tagged), read_only=True)
ACCOUNT = row("company.id", Primary("primary_account", "account_relations", "account_id"), text)
OWNER = (
    row("owner.id", "owner_id", text, required=True),
    row("owner.name", First(("owner.name", "owner.formatted_name")), text, read_only=True),
    row("owner.email", "owner.email", text, read_only=True),
)
TIMES = (
    row("created_at", "created", moment, read_only=True),
    row("updated_at", "modified", moment, read_only=True),
)

lead = Table(
    LEAD,
    row("id", "id", text, read_only=True),
    row("name", "name", text, required=True, write_only=True),
    row("title", "name", text, read_only=True, key=True),
    row("description", "description", text, write_only=True),
    row("owner.id", "owner_id", text),
    row("contact.id", "primary_contact", linked, read_only=True),
    row("account.id", "primary_account", linked, read_only=True),
    row("lead_source", "lead_source.option_name", text, read_only=True),
    row("status", "status", choice({"open": 1, "lost": 2}), read_only=True),
    row("email_addresses", Slots("email", {"primary": "quick_email"}), read_only=True),
    row("phone_numbers", Slots("number", {"primary": "quick_phone"}), read_only=True),
    row("converted_at", "qualify_date", moment, read_only=True),
    row("created_at", "created", moment),
    row("updated_at", "modified", moment, read_only=True),
)

contact = Table(
    CONTACT,
    row("id", "id", text, read_only=True),
    row("first_name", "first_name", filled, key=True),
    row("last_name", "last_name", filled, key=True),
    row("name", Joined(("first_name", "last_name")), read_only=True),
    row("title", "position", filled),  # `title` is what is said before a name
    row("emails", EMAILS, key=True),
    row("phones", PHONES),
    ACCOUNT,
    row("company.name", "primary_account.name", text, read_only=True),
    *OWNER,
    row("addresses", ADDRESS),
    TAGS,
    row("description", "comments", filled),
    CUSTOM,
    *TIMES,
)

company = Table(
    COMPANY,
    row("id", "id", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("website", "home_page", filled),
    row("phones", PHONES),
    row("industry", "industry.option_name", text, read_only=True),
    row("description", "comments", filled),
    *OWNER,
    row("addresses", ADDRESS),
    TAGS,
    CUSTOM,
    *TIMES,
)

deal = Table(
    DEAL,
    row("id", "id", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("amount", "value.base_value", number, required=True),  # in the currency of the space, which no deal names
    row("pipeline.id", First(("step.pipeline_id", "step.pipeline.id")), text, read_only=True),
    row("pipeline.name", "step.pipeline.name", text, read_only=True),
    row("stage.id", "step_id", text, required=True),
    row("stage.name", "step.name", text, read_only=True),
    row("status", "status", choice({"open": 1, "lost": 2, "won": 3}), read_only=True),
    row("close_date", "closing_date", day, required=True),
    row("description", "description", filled),
    ACCOUNT,
    row("company.name", "primary_account.name", text, read_only=True),
    row("contact.id", Primary("primary_contact", "contact_relations", "contact_id"), text),
    row("contact.name", Joined(("primary_contact.first_name", "primary_contact.last_name")), read_only=True),
    *OWNER,
    TAGS,
    CUSTOM,
    row("closed_at", First(("won_date", "lost_date")), moment, read_only=True),
    *TIMES,
)

user = Table(
    USER,
    row("id", "id", text, read_only=True),
    row("name", First(("name", "formatted_name")), text, read_only=True),
    row("first_name", "first_name", filled, read_only=True),
    row("last_name", "last_name", filled, read_only=True),
    row("email", "email", filled, read_only=True),
    row("title", "position", filled, read_only=True),
    row("phone", "phone", filled, read_only=True),
    *TIMES,
)

pipeline = Table(
    PIPELINE,
    row("id", "id", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("entity", Always("opportunity"), read_only=True),
    row("stages", Each("steps", {"id": "id", "name": "name", "pipeline.id": "^id"})),
    *TIMES,
)

stage = Table(
    STAGE,
    row("id", "id", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("pipeline.id", Home(("lead_process_id", "quote_process_id", "pipeline_id")), text, key=True),
    row("pipeline.name", First(("pipeline.name", "lead_process.name", "quote_process.name")), text, read_only=True),
    row("position", "sort_order", number, read_only=True),
    row("status", "is_deleted", choice({"active": False, "inactive": True}), read_only=True),
    *TIMES,
)

SINCE = Since(f"filter[{CHANGED}]", query={f"filter-op[{CHANGED}]": "gte", "order-by": CHANGED})
LIST = Token(
    "data",
    "after",
    "page_info.end_cursor",
    size="first",
    more="page_info.has_next_page",  # the last page has a cursor as well
    since=SINCE,
)

leads = Resource(lead, f"{ENTITIES}/Leads", paging=LIST, deletions="listed")
contacts = Resource(
    contact,
    f"{ENTITIES}/Contacts",
    any_of=(("first_name", "last_name"),),
    paging=Changes(LIST.items, LIST.after, LIST.following, size=LIST.size, more=LIST.more, since=SINCE),
    deletions="listed",
)
companies = Resource(company, f"{ENTITIES}/Accounts")
deals = Resource(deal, f"{ENTITIES}/Opportunities")
users = Resource(user, f"{ENTITIES}/Clients")
pipelines = Resource(pipeline, f"{ENTITIES}/Pipelines", paging=LIST)
stages = Resource(
    stage,
    f"{ENTITIES}/Steps",
    paging=LIST,
    emulates={
        "create": (
            "A stage is added by writing its pipeline: read with its revision, written with all its stages and the new"
            " one, and read again. Without a pipeline it goes to the oldest one of the space; with the id of a lead"
            " process it is made there in one call. A stage that somebody else adds between the read and the write may"
            " get lost where Pipeliner does not heed the revision."
        )
    },
)
