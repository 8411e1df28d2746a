"""One customer, planted in every fake CRM and read through ours: each object in one request, with all that it tells."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from switchboard.app import SystemClock
from switchboard.crm import registry
from switchboard.crm.catalog import SUBJECTS, Resource
from switchboard.crm.mapping import Table
from switchboard.crm.wire import dig
from switchboard.sender import Sender
from tests.local.partner import Partner
from tests.local.story import COMPANY, CONTACT, DEAL, LEAD, USER
from tests.local.tenant import SAMPLES, Vendor

PLURALS = (*SUBJECTS, "users")
EXPECTED: Mapping[str, Mapping[str, Any]] = {
    "users": USER,
    "companies": {**COMPANY, "phones": COMPANY["phone"], "addresses": COMPANY["city"]},
    "contacts": {
        **CONTACT,
        "name": f"{CONTACT['first_name']} {CONTACT['last_name']}",
        "emails": CONTACT["email"],
        "phones": CONTACT["phone"],
        "addresses": CONTACT["city"],
    },
    "deals": {**DEAL, "status": "open"},
    "leads": {"first_name": LEAD["first_name"], "last_name": LEAD["last_name"], "email_addresses": LEAD["email"]},
}
"""What our fields have to tell, where the CRM has a row for them; of a list, what one of its items has to hold."""
WHO = (("name",), ("first_name", "last_name"))
MUST: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "users": (("email",),),
    "companies": (("name",), ("owner.id",)),
    "contacts": (("name", "first_name"), ("emails",), ("phones",), ("company.id",), ("owner.id",)),
    "deals": (("name",), ("amount",), ("company.id", "contact.id"), ("owner.id",)),
}
"""Of each group of fields one has a row in every CRM that has the object."""
LACKING: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("close", "companies"): ("owner.id",),  # its contacts and companies belong to nobody
    ("close", "contacts"): ("owner.id",),
    ("activecampaign", "contacts"): ("owner.id",),
    ("brevo", "contacts"): ("company.id", "owner.id"),  # contacts are of the marketing part: only companies name them
}
"""What a CRM has nothing of, by its fact sheet."""
OTHERWISE = {
    ("close", "deals"): ("name",),  # it has none: we put one together
    ("msdynamics", "companies"): ("industry",),  # one of a list that this is not on
}
"""What a CRM cannot hold as it was planted."""
UNSEEN = {
    ("brevo", "users"): "its users are told with the attributes of its companies, which nobody is kept from",
    ("pipedrive", "users"): "it answers the same to a user who is not there and to one who may not be seen",
}
"""What a CRM does not tell apart from something else."""

HELD = {
    f"{name}-{plural}": (name, resource)
    for name in registry.NAMES
    for plural in PLURALS
    for resource in [registry.load(name).resources.get(plural)]
    if isinstance(resource, Resource)
}
every_object = pytest.mark.parametrize("partner", HELD.values(), ids=HELD, indirect=True)


@pytest.fixture
def partner(sandboxes: Callable[[str], Vendor], request: pytest.FixtureRequest) -> Iterator[Partner]:
    name, resource = request.param
    vendor, sender = sandboxes(name), Sender(SystemClock())
    yield Partner(registry.load(name), resource, vendor, vendor.grant(), sender)
    sender.close()


@pytest.fixture
def ids(partner: Partner) -> Mapping[str, str]:
    """The customer, planted; its ids by our plurals."""
    if "multi_currency" in partner.vendor.control("GET", "settings"):
        partner.vendor.control("POST", "settings", {"multi_currency": True})
    return SAMPLES[partner.crm.name].story(partner.vendor.plant)


def tells(value: Any, expected: Any) -> bool:
    """Whether a value, or what stands in one, is what was planted."""
    match value:
        case list():
            return any(tells(each, expected) for each in value)
        case dict():
            return any(tells(each, expected) for each in value.values())
        case str() if isinstance(expected, str) and expected.startswith("+"):  # some keep the digits of a number alone
            return "".join(filter(str.isdigit, value)) == "".join(filter(str.isdigit, expected))
        case str() if isinstance(expected, str):
            return value.casefold().rstrip("/") == expected.casefold()
        case _:
            return value == expected


def has(table: Table, ours: str) -> bool:
    """Whether a field, or a part of it, has a row."""
    return any(row.ours.partition(".")[0] == ours or row.ours == ours for row in table.rows)


@every_object
def test_what_was_planted_is_told(partner: Partner, ids: Mapping[str, str]) -> None:
    plural = partner.resource.plural

    answer = partner.hold(partner.crm.dialect.get(partner.resource, ids[plural]))

    assert answer.item["id"] == ids[plural]
    assert not answer.partial
    assert set(answer.item) <= set(partner.resource.table.schema.readable)
    for field, expected in EXPECTED[plural].items():
        if field in OTHERWISE.get((partner.crm.name, plural), ()):
            continue
        if has(partner.resource.table, field) and not (plural == "leads" and field not in answer.item):
            assert tells(answer.item.get(field), expected), f"{field}: {answer.item.get(field)!r}"


@every_object
def test_a_record_is_read_in_one_request(partner: Partner, ids: Mapping[str, str]) -> None:
    if partner.resource.plural == "leads":
        pytest.skip("leads have had their own counts since they were declared")
    partner.hold(partner.crm.dialect.get(partner.resource, ids[partner.resource.plural]))
    assert [f"{each.method} {each.path}" for each in partner.requests][1:] == []


@every_object
def test_the_fields_that_everybody_asks_for_are_declared(partner: Partner) -> None:
    absent = LACKING.get((partner.crm.name, partner.resource.plural), ())
    groups = [group for group in MUST.get(partner.resource.plural, ()) if not set(group) & set(absent)]
    lacking = [group for group in groups if not any(partner.resource.table.row(each) for each in group)]
    assert lacking == []


@every_object
def test_related_records_are_read_in_one_request_each(partner: Partner, ids: Mapping[str, str]) -> None:
    roles = {"company": "companies", "contact": "contacts", "owner": "users"}
    plural, dialect = partner.resource.plural, partner.crm.dialect
    if plural in ("users", "leads"):
        pytest.skip("it is what others name, or has rows of its own for what it names")
    answer = partner.hold(dialect.get(partner.resource, ids[plural]))
    absent = LACKING.get((partner.crm.name, plural), ())
    for role, kind in roles.items():
        if f"{role}.id" in absent:
            continue
        other = partner.crm.resources.get(kind)
        wanted = {"companies": ("owner",), "contacts": ("company", "owner"), "deals": tuple(roles)}[plural]
        if role not in wanted or not isinstance(other, Resource) or kind not in ids or kind == plural:
            continue
        partner.requests.clear()
        found = partner.hold(dialect.related(partner.resource, answer, role, other))
        assert found is not None, role
        assert found.item["id"] == ids[kind], role
        assert len(partner.requests) == 1, role


@every_object
def test_what_is_gone_is_not_found(partner: Partner, ids: Mapping[str, str]) -> None:
    """An id of the same form that no record has."""
    digits = str.maketrans("123456789abcdefABCDEF", "987654321fedcbaFEDCBA")
    gone = ids[partner.resource.plural].translate(digits)
    if gone in ids.values():
        pytest.skip("there is no other id of this form")
    problem = partner.problem(partner.crm.dialect.get(partner.resource, gone))
    assert problem.kind in ("crm-not-found", "crm-bad-id"), problem


@every_object
def test_what_the_connected_user_may_not_see_is_forbidden(partner: Partner, ids: Mapping[str, str]) -> None:
    plural = partner.resource.plural
    if why := UNSEEN.get((partner.crm.name, plural)):
        pytest.skip(why)
    partner.vendor.control("POST", "settings", {"forbidden": [plural, partner.sample.noun(plural)]})
    problem = partner.problem(partner.crm.dialect.get(partner.resource, ids[plural]))
    assert problem.kind == "crm-forbidden", problem


@every_object
def test_no_word_that_is_no_id_leads_anywhere(partner: Partner) -> None:
    for odd in ("no such id", "not-an-id", "0", "*", "null"):
        problem = partner.problem(partner.crm.dialect.get(partner.resource, odd))
        assert problem.kind in ("crm-not-found", "crm-bad-id"), (odd, problem)


@every_object
def test_the_rows_go_both_ways(partner: Partner, ids: Mapping[str, str]) -> None:
    """What was read can be said again: every writable field takes what it told."""
    table = partner.resource.table
    item = partner.hold(partner.crm.dialect.get(partner.resource, ids[table.schema.plural])).item
    own = {each.ours for each in table.rows if not each.read_only and not each.write_only}
    kept: dict[str, Any] = {}
    for ours in own:
        if (value := dig(item, ours)) is not None and not ours.startswith("custom_fields"):
            kept.setdefault(ours.partition(".")[0], {} if "." in ours else value)
            if "." in ours:
                kept[ours.partition(".")[0]][ours.partition(".")[2]] = value
    checked = replace(partner).checked({name: _input(value) for name, value in kept.items()})
    record, _ = table.out(checked)
    again = table.into(record)
    for name in kept:
        assert again.get(name) is not None, name


def _input(value: Any) -> Any:
    """What was told, as a request says it."""
    if isinstance(value, dict):
        return {"id": value["id"]} if "id" in value else value
    if isinstance(value, list):
        return [{k: v for k, v in each.items() if k != "type"} if isinstance(each, dict) else each for each in value]
    return value
