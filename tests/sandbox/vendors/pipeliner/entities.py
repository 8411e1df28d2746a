"""The entities of a space, as the vendor's document names them: columns, lists of other records, and what never varies.

Not built: products and quotes, tasks, notes, sharing, documents, batches, merging; of forms, only their absence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.sandbox.exchange import Json
from tests.sandbox.vendors.pipeliner.columns import (
    DAY,
    FLAG,
    INTEGER,
    MOMENT,
    NAME,
    TEXT,
    Column,
    identifier,
    money,
    number,
    one_of,
    option,
    ref,
    shut,
    text,
    texts,
)


@dataclass(frozen=True)
class Many:
    """A list of records that point back: `column` of `noun` holds the `key` of this one."""

    noun: str
    column: str
    written: bool = False
    required: bool = False
    key: str = "id"


@dataclass(frozen=True)
class Entity:
    """`part`: it goes when a record that it points at goes. `timed`: its list can be filtered by `modified`."""

    name: str
    singular: str
    columns: Mapping[str, Column]
    lists: Mapping[str, Many] = field(default_factory=dict[str, Many])
    constants: Mapping[str, Json] = field(default_factory=dict[str, Json])
    read_only: bool = False
    part: bool = False
    timed: bool = True


SHARED: Mapping[str, Column] = shut(
    {
        "is_delete_protected": FLAG,
        "id": Column(identifier),
        "is_deleted": FLAG,
        "modified": MOMENT,
        "created": MOMENT,
        "revision": INTEGER,
    }
)
"""Columns of every record."""

CREATED = {"created": MOMENT}  # an import may date its leads, contacts and accounts back
SHARE_MODE = {"share_mode": one_of(0, 1, 2, 3)}
RELATIONSHIP = {"relationship": one_of(0, 1, 2, 3)}
REACHABLE = texts(
    "email1 email2 email3 email4 email5 phone1 phone2 phone3 phone4 phone5 address city state_province zip_code country"
) | {"comments": TEXT}
OWNED = {"owner_id": ref("clients", required=True), "unit_id": ref("salesUnits", required=True)}
NO_SHARING: Mapping[str, Json] = {"sharing_units": [], "sharing_clients": [], "documents": []}
UNTOUCHED: Mapping[str, Json] = NO_SHARING | {"is_favorite": False, "modified_by_user": None}
NO_PICTURE: Mapping[str, Json] = {"picture": None, "picture_id": None}
STEP_PARENTS = {"pipelines": "pipeline_id", "leadProcesses": "lead_process_id", "quoteProcesses": "quote_process_id"}


PURSUED: Mapping[str, Column] = (
    {
        "name": NAME,
        "description": TEXT,
        "is_archived": FLAG,
        # The document calls it a string and lists integers; a mask of priority, hot and stalled.
        "label_flag": one_of(0, 1, 2, 3, 4, 5, 6, 7),
        "lead_source_id": option("lead_source"),
        "ranking": INTEGER,
        "reason_of_close_description": TEXT,
        "reason_of_close_id": option("reason_of_close"),
        "step_id": ref("steps", required=True),
        "unit_id": ref("salesUnits", required=True),
        "lost_date": MOMENT,
    }
    | texts("quick_account_email quick_account_name quick_account_phone quick_contact_name quick_email quick_phone")
    | shut({"formatted_name": TEXT, "days_in_step": Column(INTEGER.type, blank=0)})
)
"""What leads and opportunities have alike."""
RELATED: Mapping[str, Many] = {
    "contact_relations": Many("leadOpptyContactRelations", "lead_oppty_id", written=True),
    "account_relations": Many("leadOpptyAccountRelations", "lead_oppty_id", written=True),
}


def tagged(column: str) -> dict[str, Many]:
    """The relations to its tags, which have the names."""
    return {"tags": Many("tagRelations", column, written=True)}


def primary(to: str) -> dict[str, Column]:
    """What every relation of a lead or an opportunity has."""
    return {f"{to}_id": ref(f"{to}s", required=True), "is_primary": Column(FLAG.type, required=True)} | {
        "lead_oppty_id": Column(identifier, refers="leads", also="opportunities", required=True)
    }


def process(name: str, singular: str, types: dict[str, Many]) -> Entity:
    """A pipeline by any name; only the one of opportunities wants a colour."""
    column = STEP_PARENTS[name[0].lower() + name[1:]]
    steps = {"steps": Many("steps", column, written=True, required=True)}
    color = Column(INTEGER.type, required=name == "Pipelines")
    return Entity(name, singular, {"name": NAME, "color": color}, steps | types)


def binding(name: str, singular: str, columns: dict[str, Column], forms: str) -> Entity:
    """A type binds records to a pipeline or process; what a form shows is not built."""
    constants: dict[str, Json] = {"has_draft": False, "is_published": True, "can_change_readonly": True}
    constants |= dict.fromkeys(forms.split())
    flags = {"is_readonly": Column(FLAG.type, required=True)}
    return Entity(name, singular, {"name": NAME} | flags | columns, {}, constants, timed=False)


def looked_up(name: str, singular: str) -> Entity:
    typed = binding(name, singular, {}, "form_edit form_edit_api")
    return Entity(name, singular, typed.columns, {}, typed.constants, read_only=True, timed=False)


ENTITIES: Mapping[str, Entity] = {
    "leads": Entity(
        "Leads",
        "Lead",
        CREATED
        | SHARE_MODE
        | {
            "lead_type_id": ref("leadTypes", required=True),
            "owner_id": ref("clients"),
        }
        | PURSUED
        | shut({"status": one_of(1, 2)}),
        RELATED | tagged("lead_id"),
        UNTOUCHED | {"table_name": "lead", "qualify_date": None, "scoring": None},
    ),
    "opportunities": Entity(
        "Opportunities",
        "Opportunity",
        CREATED
        | SHARE_MODE
        | PURSUED
        | {
            "owner_id": ref("clients", required=True),
            "closing_date": Column(DAY.type, required=True),
            "value": Column(money, required=True),
            "oppty_type_id": ref("opportunityTypes"),
            "product_currency_id": ref("currencies"),
            "is_value_auto_calculate": FLAG,
            "was_qualified": FLAG,
            "won_date": MOMENT,
            "active_quote_id": Column(identifier),
            "product_price_list_id": Column(identifier),
        }
        | shut({"status": one_of(1, 2, 3), "qualify_date": MOMENT}),
        RELATED | tagged("oppty_id"),
        UNTOUCHED
        | {"table_name": "opportunity", "product_sections": {}, "product_relations": [], "quote_relations": []}
        | dict.fromkeys(("active_quote", "product_price_list", "oppty_recurrence", "revenue_schedule")),
    ),
    "contacts": Entity(
        "Contacts",
        "Contact",
        CREATED
        | SHARE_MODE
        | REACHABLE
        | OWNED
        | texts("first_name last_name middle_name title position quick_account_name account_position")
        | {
            "contact_type_id": ref("contactTypes", required=True),
            "gender": one_of(0, 1, 2, 3),
            "is_archived": FLAG,
            "is_unsubscribed": FLAG,
            "primary_account_relationship": TEXT,
        }
        | shut({"formatted_name": TEXT}),
        {"account_relations": Many("contactAccountRelations", "contact_id", written=True)} | tagged("contact_id"),
        UNTOUCHED
        | NO_PICTURE
        | {"social_media": None, "primary_account_account_roles": [], "primary_account_position": ""}
        | dict.fromkeys(("exchange_entity_id", "gapi_entity_id", "o365_entity_id")),
    ),
    "accounts": Entity(
        "Accounts",
        "Account",
        CREATED
        | SHARE_MODE
        | REACHABLE
        | OWNED
        | {
            "name": NAME,
            "account_type_id": ref("accountTypes", required=True),
            "account_class": one_of(1, 2, 3, 4, 5),
            "customer_type_id": option("customer_type"),
            "industry_id": option("industry"),
            "parent_account_id": ref("accounts"),
            "home_page": TEXT,
            "quick_parent_account_name": TEXT,
            "is_archived": FLAG,
            "is_unsubscribed": FLAG,
        }
        | shut({"formatted_name": TEXT}),
        tagged("account_id"),
        UNTOUCHED
        | NO_PICTURE
        | {"social_media": None, "static_profiles": [], "health": {}, "health_status": None, "health_category": None}
        | dict.fromkeys(("parent_account_relation_type", "parent_account_relation_type_id"))
        | dict.fromkeys(("currency_exchange_rates_list", "currency_exchange_rates_list_id")),
    ),
    "leadOpptyContactRelations": Entity(
        "LeadOpptyContactRelations",
        "LeadOpptyContactRelation",
        primary("contact") | RELATIONSHIP | {"comment": TEXT},
        {},
        {"position_in_group": None, "sales_roles": []}
        | dict.fromkeys(("lead_oppty_contact_group_relation", "lead_oppty_contact_group_relation_id")),
        part=True,
    ),
    "leadOpptyAccountRelations": Entity(
        "LeadOpptyAccountRelations",
        "LeadOpptyAccountRelation",
        primary("account"),
        part=True,
    ),
    "contactAccountRelations": Entity(
        "ContactAccountRelations",
        "ContactAccountRelation",
        {
            "account_id": ref("accounts", required=True),
            "contact_id": ref("contacts", required=True),
            "is_primary": Column(FLAG.type, required=True),
        }
        | RELATIONSHIP
        | {"comment": TEXT, "position": TEXT, "is_assistant": FLAG, "is_sibling": FLAG},
        {},
        {"account_roles": []},
        part=True,
    ),
    "tagRelations": Entity(
        "TagRelations",
        "TagRelation",
        {f"{to}_id": ref(noun) for to, noun in (("account", "accounts"), ("contact", "contacts"), ("lead", "leads"))}
        | {"oppty_id": ref("opportunities"), "tag_id": ref("tags", required=True)},
        {},
        dict.fromkeys(("project", "project_id")),
        part=True,
    ),
    "pipelines": process("Pipelines", "Pipeline", {"opportunity_types": Many("opportunityTypes", "pipeline_id")}),
    "leadProcesses": process("LeadProcesses", "LeadProcess", {"lead_types": Many("leadTypes", "lead_process_id")}),
    # Not in our cut of the document; "likewise" by the fact sheet, so its types are left out.
    "quoteProcesses": process("QuoteProcesses", "QuoteProcess", {}),
    "steps": Entity(
        "Steps",
        "Step",
        {
            "name": NAME,
            "description": TEXT,
            "percent": INTEGER,
            "timeframe": INTEGER,
            "has_readonly_form": FLAG,
            "has_version_increment": FLAG,
            "lead_process_id": ref("leadProcesses"),
            "quote_process_id": ref("quoteProcesses"),
            "pipeline_id": ref("pipelines", writable=False),
        }
        | shut({"sort_order": INTEGER}),
        {},
        {"documents": [], "step_checklists": []},
        part=True,
    ),
    "leadTypes": binding(
        "LeadTypes",
        "LeadType",
        {"lead_process_id": ref("leadProcesses", required=True), "form_lost_enabled": Column(FLAG.type, required=True)},
        "form_edit form_lost form_edit_api form_lost_api",
    ),
    "opportunityTypes": binding(
        "OpportunityTypes",
        "OpportunityType",
        {"pipeline_id": ref("pipelines", required=True)},
        "form_edit form_lost form_qualify form_won form_edit_api form_lost_api form_qualify_api form_won_api",
    ),
    # Administrators can write what follows, too. Nothing here needs it: it is planted, and read over the API.
    "clients": Entity(
        "Clients",
        "Client",
        texts("email first_name middle_name last_name phone position name formatted_name")
        | {"default_unit_id": ref("salesUnits"), "type": one_of(0, 1)},
        {},
        dict.fromkeys(
            f"{name}_favorite"
            for name in ("appointment", "task", "account", "contact", "profile", "report", "lead", "opportunity")
        )
        | dict.fromkeys(("last_active", "picture_url", "region", "timezone", "timezone_name"))
        | dict.fromkeys(("default_idp", "user_profile_id", "master_right", "master_right_id"))
        | {"unit_membership": [], "unit_manager_ids": [], "unit_member_ids": [], "user_recalculation_state": None},
        read_only=True,
    ),
    "salesUnits": Entity(
        "SalesUnits", "SalesUnit", {"name": NAME, "parent_id": ref("salesUnits")}, {}, NO_PICTURE, read_only=True
    ),
    "currencies": Entity(
        "Currencies",
        "Currency",
        {"code": TEXT, "symbol": TEXT, "is_base": FLAG},
        {},
        {"currency_exchange_rates": []},
        read_only=True,
    ),
    "data": Entity(
        "Data",
        "Data",
        {
            "data_set_id": Column(identifier),
            "option_name": TEXT,
            "sort_order": INTEGER,
            "calc_value": Column(number),
            "option_name_translated": TEXT,
        },
        {},
        {"has_draft": False, "is_published": True, "option_name_translations": None},
        read_only=True,
    ),
    "fields": Entity(
        "Fields",
        "Field",
        texts("entity_name api_name name type_id name_translated translated_name column_name")
        | {"data_set_id": Column(identifier), "system_required": FLAG, "system_readonly": FLAG, "is_unique": FLAG}
        | {"default_value": Column(text)},
        # One URI by the document; a list in the tutorial that makes a field, and more than one option in any case.
        {"data_set": Many("data", "data_set_id", key="data_set_id")},
        {
            "has_draft": False,
            "is_published": True,
            "use_lang": 0,
            "settings": {},
            "options": {},
            "field_permissions": [],
        }
        | dict.fromkeys(("column_source", "system_type", "relation_id", "relation_with_entity_id"))
        | dict.fromkeys(("shared_with_field_id", "composite_field_id", "parent_data_set_id", "calc_formula"))
        | dict.fromkeys(("sequence_id", "sequence_pattern", "lookup", "rollup", "advanced_formula"))
        | dict.fromkeys(("source_field_id", "source_type_id", "original_dataset_field_id", "name_translations"))
        | dict.fromkeys(("use_in_global_search", "use_in_interface_preview"), False)
        | dict.fromkeys(("is_available_for_webresource", "is_available_for_advanced_formula"), False)
        | {"primitive_type": None},
        read_only=True,
    ),
    "tags": Entity(
        "Tags",
        "Tag",
        {"name": NAME, "color": Column(INTEGER.type, required=True), "creator_id": ref("clients"), "use_lang": FLAG},
        {},
        {"supported_entities": None},
        read_only=True,
    ),
    "contactTypes": looked_up("ContactTypes", "ContactType"),
    "accountTypes": looked_up("AccountTypes", "AccountType"),
}

INDEXED = frozenset((many.noun, many.column) for entity in ENTITIES.values() for many in entity.lists.values())
HELD_BY: Mapping[str, tuple[tuple[str, str], ...]] = {
    "steps": (("leads", "step_id"), ("opportunities", "step_id")),
    "leadTypes": (("leads", "lead_type_id"),),
    "opportunityTypes": (("opportunities", "oppty_type_id"),),
    "leadProcesses": (("leadTypes", "lead_process_id"),),
    "pipelines": (("opportunityTypes", "pipeline_id"),),
}
"""What cannot be deleted as long as something stands in it; whether the vendor refuses that is unconfirmed."""


def twin(column: str) -> str:
    """The member that holds the URI (or the record itself) beside an id."""
    return "lead" if column == "lead_oppty_id" else column.removesuffix("_id")
