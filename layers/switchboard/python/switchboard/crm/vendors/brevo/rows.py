"""What Brevo's records hold: contacts of attributes in capitals; companies and deals of attributes in small letters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from switchboard.crm.catalog import Resource, Within, fixed
from switchboard.crm.codecs import day, moment, number, number_id, text
from switchboard.crm.dialect import OUTER
from switchboard.crm.mapping import Table, row
from switchboard.crm.paging import Offset, Overlapping, Since, Whole
from switchboard.crm.places import Always, Each, First, Joined, Named, Record, Slots
from switchboard.crm.wire import dig, plant
from switchboard.models.company import COMPANY
from switchboard.models.contact import CONTACT
from switchboard.models.deal import DEAL
from switchboard.models.lead import LEAD
from switchboard.models.pipeline import PIPELINE
from switchboard.models.stage import STAGE
from switchboard.models.user import USER

FIRST = First(("FIRSTNAME", "PRENOM", "FNAME"))
LAST = First(("LASTNAME", "NOM", "LNAME"))
"""What accounts call a name, by their age and language. We write the first of them until the account was asked."""
SMS, LANDLINE = "SMS", "LANDLINE_NUMBER"
OWN = ("EMAIL", SMS, *FIRST.columns, *LAST.columns)


def added(*own: str) -> Named:
    return Named(lambda key: key.isupper() and key not in own, "Brevo names its attributes in capital letters")


lead = Table(
    LEAD,
    row("id", "id", text, read_only=True),
    row("first_name", FIRST, text, key=True),
    row("last_name", LAST, text, key=True),
    row("email_addresses", Slots("email", {"primary": "email"}), key=True),
    row("phone_numbers", Slots("number", {"mobile": SMS, "primary": SMS}), key=True),
    row("custom_fields", added(*OWN)),
    row("created_at", "createdAt", moment, read_only=True),
    row("updated_at", "modifiedAt", moment, read_only=True),
)

# A contact tells neither an owner nor a company: companies tell their contacts.
contact = Table(
    CONTACT,
    row("id", "id", text, read_only=True),
    row("first_name", FIRST, text, key=True),
    row("last_name", LAST, text, key=True),
    row("name", Joined((FIRST.columns[0], LAST.columns[0])), read_only=True),
    row("emails", Slots("email", {"primary": "email"}), key=True),
    row("phones", Slots("number", {"mobile": SMS, "primary": SMS, "work": LANDLINE}), key=True),
    row("custom_fields", added(*OWN, LANDLINE)),
    row("created_at", "createdAt", moment, read_only=True),
    row("updated_at", "modifiedAt", moment, read_only=True),
)


@dataclass(frozen=True, slots=True)
class Linked:
    """The first of the records that one is linked to, by their ids."""

    path: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.path,)

    def get(self, record: Record) -> object:
        return dig(record, f"{self.path}.0")

    def put(self, record: Record, value: object) -> Sequence[str]:
        plant(record, self.path, [value])
        return ()


def more(*own: str) -> Named:
    """Attributes that somebody added. Their names look like those that all accounts have."""
    return Named(lambda key: key not in own, "the attributes that all accounts have are no custom fields")


BESIDE = ("id", "name", "linkedContactsIds", "linkedCompaniesIds", "linkedDealsIds")
"""What stands beside the attributes of a company or a deal; a name only where one is made."""
COUNTED = ("number_of_contacts", "number_of_activities", "next_activity_date", "last_activity_date", "created_at")

company = Table(
    COMPANY,
    row("id", "id", text, read_only=True),
    row("name", "name", text, required=True, key=True),
    row("domain", "domain", text),
    row("website", "website", text),
    row("phones", Slots("number", {"primary": "phone_number"})),  # a create wants a `countryCode` (a number) with it
    row("industry", "industry", text),
    row("number_of_employees", "number_of_employees", number),
    row("annual_revenue", "revenue", number),
    row("owner.id", "owner", text),
    row(
        "custom_fields",
        more(
            *BESIDE, *COUNTED, "domain", "website", "linkedin", "phone_number", "industry", "number_of_employees",
            "revenue", "owner", "owner_assign_date", "linked_contacts", "last_updated_at",
        ),
    ),
    row("created_at", "created_at", moment, read_only=True),
    row("updated_at", "last_updated_at", moment, read_only=True),
)  # fmt: skip

# No deal tells its currency, which is the account's; nor whether it is won, which only the name of its stage may tell.
deal = Table(
    DEAL,
    row("id", "id", text, read_only=True),
    row("name", First(("name", "deal_name")), text, required=True, key=True),
    row("amount", "amount", number),
    row("pipeline.id", "pipeline", text),
    row("stage.id", "deal_stage", text),
    row("close_date", "close_date", day),
    row("company.id", Linked("linkedCompaniesIds"), text),
    row("contact.id", Linked("linkedContactsIds"), number_id),
    row("owner.id", "deal_owner", text),
    row(
        "custom_fields",
        more(
            *BESIDE, *COUNTED, "deal_name", "amount", "pipeline", "deal_stage", "close_date", "deal_owner",
            "stage_updated_at", "last_updated_date",
        ),
    ),
    row("created_at", "created_at", moment, read_only=True),
    row("updated_at", "last_updated_date", moment, read_only=True),
    row("last_activity_at", "last_activity_date", moment, read_only=True),
)  # fmt: skip

user = Table(USER, row("id", "key", text, read_only=True), row("email", "value", text, read_only=True))

# What a deal is at a stage is not told: `winProbability` is 100 at all stages but one, and their names are anybody's.
pipeline = Table(
    PIPELINE,
    row("id", "pipeline", text, read_only=True),
    row("name", "pipeline_name", text, read_only=True),
    row("entity", Always("opportunity"), read_only=True),
    row("stages", Each("stages", {"id": "id", "name": "name", "pipeline.id": "^pipeline"}), read_only=True),
)

stage = Table(
    STAGE,
    row("id", "id", text, read_only=True),
    row("name", "name", text, read_only=True),
    row("pipeline.id", f"{OUTER}.pipeline", text, read_only=True),
    row("pipeline.name", f"{OUTER}.pipeline_name", text, read_only=True),
)


def just_before(when: datetime) -> str:
    """A moment in milliseconds, one earlier: whether "modified since" holds the moment itself is not told."""
    earlier = datetime.fromtimestamp(max(when.timestamp() - 0.001, 0), UTC)
    return earlier.strftime("%Y-%m-%dT%H:%M:%S.") + f"{earlier.microsecond // 1000:03}Z"


CONTACTS = "/v3/contacts"
DETAILS = "/v3/crm/pipeline/details"
SEE = "https://developers.brevo.com/reference/get-all-pipelines"
NO_PIPELINES = fixed("Brevo's API reads pipelines and has no call that writes one; its web app does.", SEE)
NO_STAGES = fixed("Stages are read with their pipeline, and Brevo's API has no call that writes one.", SEE)
WITHIN = "A stage is found in the list of all pipelines."

leads = Resource(
    lead,
    CONTACTS,
    nearest="Brevo has no leads: a lead is a contact there.",
    emulates={"create": "The account's attributes are read first, because Brevo drops in silence what is none."},
    any_of=(("email_addresses", "phone_numbers"),),
    # By creation, oldest first: it cannot be sorted by change.
    paging=Offset("contacts", most=1000, since=Since("modifiedSince", just_before), query={"sort": "asc"}),
)
contacts = Resource(
    contact,
    CONTACTS,
    any_of=(("emails", "phones"),),
    # By creation, too. Nothing tells of contacts that were deleted.
    paging=Overlapping(
        "contacts", most=1000, more="count", since=Since("modifiedSince", just_before), query={"sort": "asc"}
    ),
)
companies = Resource(company, "/v3/companies")
deals = Resource(deal, "/v3/crm/deals")
users = Resource(
    user,
    "/v3/crm/attributes/companies",
    nearest="Brevo's list of users tells no ids: who may own a company, by id and e-mail address, stands for them.",
    paging=Whole(),
    list_only=True,
)
pipelines = Resource(pipeline, DETAILS, lacks=NO_PIPELINES, paging=Whole(), listed=f"{DETAILS}/all")
stages = Resource(
    stage,
    DETAILS,
    lacks=NO_STAGES,
    emulates={"list": WITHIN, "get": WITHIN},
    within=Within(pipelines, "stages"),
)
