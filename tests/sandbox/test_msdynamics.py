"""The peculiarities of Dynamics 365 Sales, and its recorded answers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.sandbox.caller import Caller, Reply
from tests.sandbox.recipes import token_request
from tests.sandbox.shape import fits
from tests.sandbox.vendors.msdynamics.tables import DEFINED, TABLES
from tests.sandbox.vendors.msdynamics.tokens import ENVIRONMENT, TENANT

CRM = "msdynamics"
API = "/api/data/v9.2"
LEADS = f"{API}/leads"
NOBODY = "11111111-2222-3333-4444-555555555555"
ANNOTATED = {"Prefer": 'odata.include-annotations="*"'}
FORMATTED = "@OData.Community.Display.V1.FormattedValue"
INVENTORY = Path(__file__).resolve().parents[3] / "shared" / "specs" / "msdynamics" / "dataverse-crm-tables.json"
LEFT_OUT = {"entityimage", "originatingcaseid", "preferredsystemuserid", "relatedobjectid", "slaid"} | {
    "customeridtype", "owneridtype", "parentcustomeridtype",
}  # fmt: skip
"""Images, lookups to tables of other apps, and the types of lookups, which OData tells in annotations."""

type Recorded = Callable[[str], Any]


def lead(api: Caller, **fields: Any) -> Reply:
    return api.post(LEADS, {"subject": "Engines", "lastname": "Lovelace"} | fields)


def made(api: Caller, **fields: Any) -> str:
    reply = lead(api, **fields)
    assert reply.status == 201, reply.text
    return f"{LEADS}({reply.json['leadid']})"


def told(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json["error"]["code"]


def found(api: Caller, wanted: str, **more: Any) -> list[str]:
    reply = api.get(LEADS, query={"$select": "lastname", "$filter": wanted, "$orderby": "lastname"} | more)
    assert reply.status == 200, reply.text
    return [row["lastname"] for row in reply.json["value"]]


# Writing.


def test_a_create_answers_with_a_header_alone_unless_a_representation_is_preferred(
    api: Caller, recorded: Recorded
) -> None:
    bare = api.post(LEADS, {"lastname": "Lovelace"}, headers={"Prefer": "return=minimal"})
    was = recorded("msdynamics/contact_create.json")
    assert (bare.status, bare.text) == (was["status"], "")
    assert {name.lower() for name in was["headers"]} <= set(bare.headers)
    [row] = api.stored("leads")
    assert bare.headers["odata-entityid"] == f"{api.url}{LEADS}({row['leadid']})"
    asked = api.post(LEADS, {"lastname": "B", "estimatedamount": 5}, query={"$select": "lastname,estimatedamount"})
    was = recorded("msdynamics/account_create_return_representation.json")
    assert asked.status == was["status"]
    assert "odata-entityid" not in asked.headers
    currency = "_transactioncurrencyid_value"
    assert currency in was["body"]
    assert asked.json.keys() == {"@odata.context", "@odata.etag", "lastname", "estimatedamount", currency, "leadid"}


def test_a_lead_is_read_as_recorded(api: Caller, recorded: Recorded) -> None:
    path = made(api, firstname="Ada", estimatedamount=80000, jobtitle="Countess")
    was = recorded("msdynamics/contact_get.json")
    reply = api.get(path, query={"$select": "fullname,estimatedamount,jobtitle,description"}, headers=ANNOTATED)
    renamed = {name.replace("annualincome", "estimatedamount").replace("contactid", "leadid") for name in was["body"]}
    assert reply.json.keys() == renamed
    assert {name.lower() for name in was["headers"]} <= set(reply.headers)
    assert reply.headers["etag"] == reply.json["@odata.etag"]
    assert (reply.json["fullname"], reply.json["description"]) == ("Ada Lovelace", None)
    amount = was["body"][f"annualincome{FORMATTED}"]
    assert reply.json[f"estimatedamount{FORMATTED}"] == amount
    assert reply.json["@odata.context"].endswith(
        "$metadata#leads(fullname,estimatedamount,jobtitle,description)/$entity"
    )
    bare = api.get(path).json
    assert len(bare) > 100
    assert not any("@" in name for name in bare.keys() - {"@odata.context", "@odata.etag"})


def test_lookups_are_bound_by_navigation_and_read_by_value(api: Caller) -> None:
    account = api.plant("accounts", {"name": "Engines"})
    contact = api.plant("contacts", {"firstname": "Ada", "lastname": "L"})
    owner = next(row for row in api.stored("systemusers") if row["fullname"] == "Sven Seller")["systemuserid"]
    team = api.stored("teams")[0]["teamid"]
    path = made(
        api,
        **{
            "parentaccountid@odata.bind": f"/accounts({account})",
            "parentcontactid@odata.bind": f"contacts({contact.upper()})",
            "customerid_contact@odata.bind": f"{ENVIRONMENT}{API}/contacts({contact})",
            "cr123_PartnerId@odata.bind": f"/accounts({account})",
            "ownerid@odata.bind": f"/systemusers({owner})",
        },
    )
    row = api.get(path, headers=ANNOTATED).json
    assert (row["_parentaccountid_value"], row["_parentcontactid_value"]) == (account, contact)
    assert row[f"_ownerid_value{FORMATTED}"] == "Sven Seller"
    assert row["_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "systemuser"
    assert row["_customerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"] == "customerid_contact"
    assert row["_cr123_partnerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"] == "cr123_PartnerId"
    expanded = api.get(path, query={"$select": "subject", "$expand": "parentaccountid($select=name),owninguser"}).json
    assert expanded["parentaccountid"].keys() == {"@odata.etag", "name", "accountid"}
    assert expanded["owninguser"]["internalemailaddress"] == "svenseller@example.com"
    assert api.get(path, query={"$expand": "ownerid($select=fullname)"}).status == 400
    api.patch(path, {"ownerid@odata.bind": f"/teams({team})"})
    row = api.get(path, query={"$select": "_owninguser_value,_owningteam_value"}).json
    assert (row["_owninguser_value"], row["_owningteam_value"]) == (None, team)


def test_a_lookup_is_cleared_by_its_reference_and_by_null_only_where_that_is_allowed(crm: Caller, api: Caller) -> None:
    contact = api.plant("contacts", {"lastname": "L"})
    path = made(api, **{"parentcontactid@odata.bind": f"/contacts({contact})"})
    assert told(api.patch(path, {"parentcontactid@odata.bind": None})) == (400, "0x80048d19")
    assert api.delete(f"{path}/parentcontactid/$ref").status == 204
    assert api.get(path).json["_parentcontactid_value"] is None
    assert api.delete(f"{path}/ownerid/$ref").status == 400
    crm.adjust(null_unbinds=True)
    assert api.patch(path, {"parentcontactid@odata.bind": None}).status == 200
    api.patch(path, {"parentcontactid@odata.bind": f"/contacts({contact})"})
    assert api.delete(f"{API}/contacts({contact})").status == 204
    assert api.get(path).json["_parentcontactid_value"] is None


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"nonsense": 1}, 400, "0x80048d19"),
        ({"LastName": "L"}, 400, "0x80048d19"),
        ({"fullname": "Ada"}, 400, "0x80048d19"),
        ({"createdon": "2026-01-01T00:00:00Z"}, 400, "0x80048d19"),
        ({"statecode": 1}, 400, "0x80048d19"),
        ({"statuscode": 3}, 400, "0x80048408"),
        ({"subject": "x" * 301}, 400, "0x80044331"),
        ({"mobilephone": "1" * 21}, 400, "0x80044331"),
        ({"telephone1": 12345}, 400, "0x80048d19"),
        ({"numberofemployees": "12"}, 400, "0x80048d19"),
        ({"numberofemployees": 1.5}, 400, "0x80048d19"),
        ({"numberofemployees": -1}, 400, "0x80040203"),
        ({"estimatedamount": "5"}, 400, "0x80048d19"),
        ({"donotemail": "true"}, 400, "0x80048d19"),
        ({"estimatedclosedate": "31.12.2026"}, 400, "0x80048d19"),
        ({"estimatedclosedate": "2026-12-31T00:00:00Z"}, 400, "0x80048d19"),
        ({"lastonholdtime": "2026-12-31"}, 400, "0x80048d19"),
        ({"leadsourcecode": "Web"}, 400, "0x80048d19"),
        ({"leadsourcecode": 99}, 400, "0x8004431A"),
        ({"cr123_tier": 1}, 400, "0x8004431A"),
        ({"ownerid": NOBODY}, 400, "0x80048d19"),
        ({"_ownerid_value": NOBODY}, 400, "0x80048d19"),
        ({"owninguser@odata.bind": f"/systemusers({NOBODY})"}, 400, "0x80048d19"),
        ({"ParentAccountId@odata.bind": f"/accounts({NOBODY})"}, 400, "0x80048d19"),
        ({"cr123_partnerid@odata.bind": f"/accounts({NOBODY})"}, 400, "0x80048d19"),
        ({"parentaccountid@odata.bind": f"/contacts({NOBODY})"}, 400, "0x80048d19"),
        ({"parentaccountid@odata.bind": NOBODY}, 400, "0x80048d19"),
        ({"parentaccountid@odata.bind": f"/accounts({NOBODY})"}, 404, "0x80040217"),
        ({"campaignid@odata.bind": f"/campaigns({NOBODY})"}, 404, "0x80040217"),
        ({"@logicalName": "lead"}, 400, "0x80048d19"),
    ],
)
def test_a_lead_that_does_not_fit_is_refused(api: Caller, fields: dict[str, Any], status: int, code: str) -> None:
    assert told(lead(api, **fields)) == (status, code)
    assert api.stored("leads") == []


def test_the_platform_requires_nothing_but_a_plug_in_may(crm: Caller, api: Caller) -> None:
    assert api.post(LEADS, {}).status == 201
    crm.adjust(required_columns={"leads": ["subject"]})
    assert told(api.post(LEADS, {"lastname": "L"})) == (400, "0x80040265")
    path = made(api)
    assert told(api.patch(path, {"subject": None})) == (400, "0x80040265")
    assert api.patch(path, {"lastname": None}).status == 200


def test_columns_that_are_read_only_are_ignored_where_the_environment_does_that(crm: Caller, api: Caller) -> None:
    crm.adjust(ignores_read_only_columns=True)
    row = lead(api, fullname="Somebody Else", statecode=2).json
    assert (row["fullname"], row["statecode"]) == ("Lovelace", 0)


def test_bodies_are_json_objects_of_the_right_type(api: Caller) -> None:
    assert told(api.post(LEADS, ["a"])) == (400, "0x80048d19")
    assert told(api.post(LEADS, headers={"Content-Type": "application/json"})) == (400, "0x80048d19")
    assert api.post(LEADS, form={"lastname": "L"}).status == 415
    assert api.stored("leads") == []


def test_custom_columns_and_choices_are_written_by_number(api: Caller) -> None:
    path = made(
        api, cr123_tier=856_480_001, cr123_favouritecolour="red", leadsourcecode=8, cr123_contractend="2026-12-31"
    )
    row = api.get(path, headers=ANNOTATED).json
    assert (row["cr123_tier"], row[f"cr123_tier{FORMATTED}"], row["cr123_contractend"]) == (
        856_480_001,
        "Silver",
        "2026-12-31",
    )
    assert row[f"leadsourcecode{FORMATTED}"] == "Web"
    only = {"Prefer": 'odata.include-annotations="Microsoft.Dynamics.CRM.*"'}
    assert not any(name.endswith(FORMATTED) for name in api.get(path, headers=only).json)


def test_amounts_are_in_the_currency_of_the_row_and_in_the_base(api: Caller) -> None:
    euro = next(row for row in api.stored("transactioncurrencies") if row["isocurrencycode"] == "EUR")
    bind = f"/transactioncurrencies({euro['transactioncurrencyid']})"
    row = lead(api, estimatedamount=80, **{"transactioncurrencyid@odata.bind": bind}).json
    assert (row["estimatedamount"], row["estimatedamount_base"]) == (80.0, 100.0)
    path = f"{API}/transactioncurrencies({row['_transactioncurrencyid_value']})"
    assert api.get(path, query={"$select": "isocurrencycode"}).json["isocurrencycode"] == "EUR"


# Updating and deleting.


def test_a_patch_creates_what_is_not_there_unless_if_match_forbids_it(api: Caller, recorded: Recorded) -> None:
    path = f"{LEADS}({NOBODY})"
    missing = api.patch(path, {"subject": "S"}, headers={"If-Match": "*"})
    assert told(missing) == (404, "0x80040217")
    assert api.patch(path, {"subject": "S"}).status == 201
    assert [row["leadid"] for row in api.stored("leads")] == [NOBODY]
    was = recorded("msdynamics/contact_update.json")
    changed = api.patch(path, {"subject": "T"}, headers={"If-Match": "*", "Prefer": "return=minimal"})
    assert (changed.status, changed.text) == (was["status"], "")
    assert changed.headers["odata-entityid"].endswith(path)
    again = api.patch(path, {"subject": "U"}, headers={"If-None-Match": "*"})
    was = recorded("msdynamics/error_prevent_update_412.json")
    assert (again.status, again.json) == (was["status"], was["body"])
    assert api.patch(path, {"leadid": NOBODY}).status == 400
    assert told(lead(api, leadid=NOBODY)) == (412, "0x80040237")
    assert api.get(path).json["subject"] == "T"


def test_an_etag_guards_against_lost_updates(api: Caller, recorded: Recorded) -> None:
    path = made(api)
    first = api.get(path).headers["etag"]
    assert (
        api.get(path, headers={"If-None-Match": first}).status == recorded("msdynamics/not_modified_304.json")["status"]
    )
    assert api.get(path, headers={"If-None-Match": "null"}).status == 200
    changed = api.patch(path, {"subject": "T"}, headers={"If-Match": first})
    assert (changed.status, changed.json["subject"]) == (200, "T")
    assert changed.json["@odata.etag"] != first
    stale = api.patch(path, {"subject": "U"}, headers={"If-Match": first})
    was = recorded("msdynamics/error_etag_mismatch_412.json")
    assert (stale.status, stale.json) == (was["status"], was["body"])
    assert api.delete(path, headers={"If-Match": first}).status == 412
    assert api.delete(path, headers={"If-Match": changed.json["@odata.etag"]}).status == 204


def test_what_is_deleted_is_gone(api: Caller, recorded: Recorded) -> None:
    path = made(api)
    deleted = api.delete(path)
    assert (deleted.status, deleted.text) == (recorded("msdynamics/contact_delete.json")["status"], "")
    assert deleted.headers["odata-version"] == "4.0"
    assert told(api.delete(path)) == told(api.get(path)) == (404, "0x80040217")
    assert api.get(LEADS).json["value"] == []
    assert told(api.get(f"{LEADS}('ada')")) == (400, "0x80060888")
    assert api.get(f"{LEADS}({NOBODY})", query={"$filter": "statecode eq 0"}).status == 400


def test_a_closed_lead_is_read_only_until_it_is_opened_again(api: Caller) -> None:
    path = made(api)
    assert told(api.patch(path, {"statuscode": 4})) == (400, "0x80048408")
    closed = api.patch(path, {"statecode": 2}).json
    assert (closed["statecode"], closed["statuscode"]) == (2, 4)
    assert api.patch(path, {"subject": "T"}).status == 400
    opened = api.patch(path, {"statecode": 0, "statuscode": 2, "subject": "T"}).json
    assert (opened["statecode"], opened["statuscode"], opened["subject"]) == (0, 2, "T")


def test_duplicates_are_looked_for_only_where_a_header_asks(crm: Caller, api: Caller, recorded: Recorded) -> None:
    was = recorded("msdynamics/error_duplicate_detected_500.json")
    asked = {"MSCRM.SuppressDuplicateDetection": "false"}
    body = {"lastname": "L", "emailaddress1": "ada@example.com"}
    assert [api.post(LEADS, body).status for _ in range(2)] == [201, 201]
    twin = api.post(LEADS, body | {"emailaddress1": "ADA@example.com"}, headers=asked)
    assert (twin.status, twin.json) == (was["status"], was["body"])
    assert api.post(f"{API}/contacts", body, headers=asked).status == 201
    crm.adjust(duplicate_status=412)
    other = made(api)
    assert told(api.patch(other, {"emailaddress1": "ada@example.com"}, headers=asked)) == (412, "0x80040333")
    crm.fault("duplicate", method="POST", route="leads")
    assert told(lead(api)) == (412, "0x80040333")
    assert len(api.stored("leads")) == 3


# Lists.


def test_pages_follow_the_next_link_unchanged_and_in_the_order_of_keys(api: Caller, recorded: Recorded) -> None:
    planted = sorted(api.plant("leads", {"lastname": str(number)}) for number in range(5))
    two = {"Prefer": "odata.maxpagesize=2"}
    page = api.get(LEADS, query={"$select": "lastname"}, headers=two).json
    was = recorded("msdynamics/contacts_page1.json")["body"]
    assert page.keys() == was.keys()
    assert page["value"][0].keys() == {name.replace("fullname", "lastname").replace("contactid", "leadid")
                                       for name in was["value"][0]}  # fmt: skip
    seen = [row["leadid"] for row in page["value"]]
    last = ""
    while "@odata.nextLink" in page:
        link = page["@odata.nextLink"]
        assert link.startswith(f"{api.url}{LEADS}?$select=lastname&$skiptoken=%3Ccookie%20pagenumber")
        parts = urlsplit(link)
        last = f"{parts.path}?{parts.query}"
        page = api.get(last, headers=two).json
        seen += [row["leadid"] for row in page["value"]]
    assert seen == planted
    assert api.get(last).status == 400  # pages of another size
    assert api.get(last.replace("lastname", "subject"), headers=two).status == 400
    assert api.get(LEADS, query={"$skiptoken": "nonsense"}).status == 400


def test_a_row_that_comes_or_goes_between_pages_shifts_no_other(api: Caller) -> None:
    for name in "bdfh":
        api.plant("leads", {"lastname": name})
    two = {"Prefer": "odata.maxpagesize=2"}
    page = api.get(LEADS, query={"$select": "lastname", "$orderby": "lastname desc"}, headers=two).json
    api.delete(f"{LEADS}({page['value'][0]['leadid']})")
    api.plant("leads", {"lastname": "g"})
    parts = urlsplit(page["@odata.nextLink"])
    rest = api.get(f"{parts.path}?{parts.query}", headers=two).json
    assert [row["lastname"] for row in page["value"] + rest["value"]] == ["h", "f", "d", "b"]


def test_a_page_has_5000_rows_at_most_and_top_has_no_next_link(api: Caller) -> None:
    api.post("/_sandbox/records/leads", [{"lastname": "L"}] * 5001)
    for headers in ({"Prefer": ""}, {"Prefer": "odata.maxpagesize=6000"}):
        page = api.get(LEADS, query={"$select": "leadid", "$count": "true"}, headers=headers).json
        assert (len(page["value"]), page["@odata.count"]) == (5000, 5000)
        assert "@odata.nextLink" in page
    top = api.get(LEADS, query={"$select": "leadid", "$top": 3}, headers={"Prefer": "odata.maxpagesize=2"}).json
    assert len(top["value"]) == 3
    assert "@odata.nextLink" not in top


def test_a_list_with_annotations_looks_as_recorded(api: Caller, recorded: Recorded) -> None:
    for name in ("Ada", "Bob"):
        api.plant("contacts", {"lastname": name, "familystatuscode": 1})
    wishes = {"Prefer": 'odata.maxpagesize=1, odata.include-annotations="*"'}
    columns = "fullname,emailaddress1,fax,familystatuscode"
    reply = api.get(f"{API}/contacts", query={"$select": columns}, headers=wishes).json
    was = recorded("msdynamics/contacts_list_with_nextlink.json")["body"]
    assert reply.keys() == was.keys()
    assert reply["value"][0].keys() == was["value"][0].keys()
    empty = api.get(LEADS).json
    assert empty.keys() == recorded("msdynamics/opportunities_list_empty.json")["body"].keys()


def test_filters_compare_join_and_search(api: Caller) -> None:
    account = api.plant("accounts", {"name": "Engines"})
    api.plant("leads", {"lastname": "Ada", "leadsourcecode": 8, "modifiedon": "2026-01-01T00:00:00Z"})
    api.plant("leads", {"lastname": "Bob", "numberofemployees": 5, "_parentaccountid_value": account})
    api.plant("leads", {"lastname": "O'Neil", "emailaddress1": "cy@Example.com", "estimatedclosedate": "2026-05-01"})
    for wanted, names in {
        "lastname eq 'aDA'": ["Ada"],
        "lastname eq 'O''Neil'": ["O'Neil"],
        "lastname ne 'Ada' and statecode eq 0": ["Bob", "O'Neil"],
        "lastname eq 'Ada' or lastname eq 'Bob' and numberofemployees gt 5": ["Ada"],
        "(lastname eq 'Ada' or lastname eq 'Bob') and numberofemployees ge 5": ["Bob"],
        "not contains(lastname,'b')": ["Ada", "O'Neil"],
        "startswith(emailaddress1,'CY@') or endswith(fullname, 'da')": ["Ada", "O'Neil"],
        "leadsourcecode eq null": ["Bob", "O'Neil"],
        "modifiedon lt 2026-01-01T01:00:00+01:00": [],
        "modifiedon le 2026-01-01T01:00:00%2B01:00".replace("%2B", "+"): ["Ada"],
        "modifiedon gt 2026-01-02": ["Bob", "O'Neil"],
        "estimatedclosedate lt 2026-06-01": ["O'Neil"],
        f"_parentaccountid_value eq {account}": ["Bob"],
        "parentaccountid/name eq 'engines'": ["Bob"],
    }.items():
        assert found(api, wanted) == names, wanted
    assert found(api, "statecode eq 0", **{"$orderby": "leadsourcecode desc,lastname desc"}) == ["Ada", "O'Neil", "Bob"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"$select": "nonsense"}, "0x0"),
        ({"$select": "LastName"}, "0x0"),
        ({"$select": "parentaccountid"}, "0x0"),
        ({"$filter": "nonsense eq 1"}, "0x0"),
        ({"$filter": "nowhere/name eq 'x'"}, "0x0"),
        ({"$orderby": "nonsense"}, "0x0"),
        ({"$expand": "nonsense"}, "0x0"),
        ({"$filter": "lastname = 'Ada'"}, "0x80060888"),
        ({"$filter": "lastname like 'Ada'"}, "0x80060888"),
        ({"$filter": "lastname eq Ada"}, "0x80060888"),
        ({"$filter": "lastname eq 'Ada' and"}, "0x80060888"),
        ({"$filter": "lastname eq 5"}, "0x80060888"),
        ({"$filter": "statecode eq '0'"}, "0x80060888"),
        ({"$filter": "statecode gt null"}, "0x80060888"),
        ({"$filter": f"_ownerid_value eq '{NOBODY}'"}, "0x80060888"),
        ({"$filter": "contains(numberofemployees,'5')"}, "0x80060888"),
        ({"$orderby": "lastname down"}, "0x80060888"),
        ({"$top": "-1"}, "0x80060888"),
        ({"$skip": "5"}, "0x80060888"),
        ({"$search": "ada"}, "0x80060888"),
    ],
)
def test_a_query_that_cannot_be_read_is_refused(api: Caller, query: dict[str, str], code: str) -> None:
    assert told(api.get(LEADS, query=query)) == (400, code)


def test_changes_are_told_with_what_is_gone_where_tracking_is_on(crm: Caller, api: Caller) -> None:
    track = {"Prefer": "odata.track-changes"}
    assert api.get(LEADS, headers=track).status == 400
    crm.adjust(change_tracking=True)
    kept, lost = made(api), made(api)
    first = api.get(LEADS, query={"$select": "subject"}, headers=track).json
    assert len(first["value"]) == 2
    api.patch(kept, {"subject": "T"})
    api.delete(lost)
    parts = urlsplit(first["@odata.deltaLink"])
    delta = api.get(f"{parts.path}?{parts.query}").json
    changed, gone = delta["value"]
    assert (changed["subject"], gone["reason"]) == ("T", "deleted")
    assert gone.keys() == {"@odata.context", "id", "reason"}
    assert f"{LEADS}({gone['id']})" == lost
    parts = urlsplit(delta["@odata.deltaLink"])
    assert api.get(f"{parts.path}?{parts.query}").json["value"] == []
    assert api.get(LEADS, query={"$filter": "statecode eq 0"}, headers=track).status == 400
    assert api.get(f"{API}/systemusers", headers=track).status == 400


# Reading one record with what belongs to it.


def customer(api: Caller) -> dict[str, str]:
    """A company, its contact, a deal and a lead of one planted user, in the words of the rest of the sandbox."""
    user = api.plant("users", {"firstname": "Charles", "lastname": "Babbage", "internalemailaddress": "c@example.com"})
    own = {"_ownerid_value": user}
    company = api.plant("companies", {"name": "Engines", "websiteurl": "https://engines.example"} | own)
    person = {"firstname": "Ada", "lastname": "Lovelace", "emailaddress1": "ada@engines.example", "annualincome": 5}
    contact = api.plant("contacts", person | own | {"_parentcustomerid_value": company})
    links = {"_parentaccountid_value": company, "_parentcontactid_value": contact, "_customerid_value": company}
    sale = {"name": "No. 2", "estimatedvalue": 12500, "estimatedclosedate": "2026-12-31", "salesstage": 1}
    euro = next(row for row in api.stored("transactioncurrencies") if row["isocurrencycode"] == "EUR")
    money = {"_transactioncurrencyid_value": euro["transactioncurrencyid"]}
    deal = api.plant("deals", sale | links | own | money)
    lead_id = api.plant("leads", {"lastname": "Lovelace", "companyname": "Engines"} | own)
    return {"users": user, "companies": company, "contacts": contact, "deals": deal, "leads": lead_id}


SETS = {"users": "systemusers", "companies": "accounts", "contacts": "contacts", "deals": "opportunities"} | {
    "leads": "leads"
}


def path_of(ids: dict[str, str], noun: str) -> str:
    return f"{API}/{SETS[noun]}({ids[noun]})"


def test_a_deal_has_every_column_that_was_recorded(api: Caller, recorded: Recorded) -> None:
    row = api.get(path_of(customer(api), "deals")).json
    was = recorded("msdynamics/opportunity_get_full.json")["body"]
    assert was.keys() - row.keys() == set()
    fits(was, row)
    assert (row["estimatedvalue"], row["estimatedvalue_base"], row["exchangerate"]) == (12500.0, 15625.0, 0.8)
    assert (row["estimatedclosedate"], row["statecode"], row["statuscode"]) == ("2026-12-31", 0, 1)
    assert [row[name] for name in ("stageid", "processid", "salesstage")] == [None, None, 1]


def test_one_request_tells_a_deal_with_its_company_contact_owner_and_currency(api: Caller) -> None:
    ids = customer(api)
    expand = (
        "parentaccountid($select=name,websiteurl),parentcontactid($select=fullname,emailaddress1),"
        "owninguser($select=fullname,internalemailaddress),transactioncurrencyid($select=isocurrencycode)"
    )
    query = {"$select": "name,estimatedvalue,salesstage,_ownerid_value,_customerid_value", "$expand": expand}
    row = api.get(path_of(ids, "deals"), query=query, headers=ANNOTATED).json
    assert row["parentaccountid"] | {"@odata.etag": ""} == {
        "@odata.etag": "", "name": "Engines", "websiteurl": "https://engines.example", "accountid": ids["companies"],
    }  # fmt: skip
    assert (row["parentcontactid"]["fullname"], row["parentcontactid"]["contactid"]) == (
        "Ada Lovelace",
        ids["contacts"],
    )
    assert row["owninguser"]["internalemailaddress"] == "c@example.com"
    assert row["transactioncurrencyid"]["isocurrencycode"] == "EUR"
    assert (row[f"salesstage{FORMATTED}"], row[f"estimatedvalue{FORMATTED}"]) == ("Develop", "€12,500.00")
    assert row["_customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "account"
    assert row[f"_ownerid_value{FORMATTED}"] == "Charles Babbage"


def test_the_stage_of_a_process_is_expanded_by_a_navigation_of_its_own_name(api: Caller) -> None:
    stage = next(row for row in api.stored("processstages") if row["stagename"] == "Propose")["processstageid"]
    deals = [api.plant("deals", {"name": "A", "stageid": stage}), api.plant("deals", {"name": "B"})]
    query = {"$select": "name,stageid", "$expand": "stageid_processstage($select=stagename)"}
    rows = [api.get(f"{API}/opportunities({deal})", query=query).json for deal in deals]
    assert rows[0]["stageid_processstage"]["stagename"] == "Propose"
    assert (rows[1]["stageid"], rows[1]["stageid_processstage"]) == (None, None)
    assert "_stageid_processstage_value" not in api.get(f"{API}/opportunities({deals[0]})").json


def test_a_contact_and_an_account_are_read_as_recorded(api: Caller, recorded: Recorded) -> None:
    ids = customer(api)
    query = {"$select": "fullname,annualincome,jobtitle,description"}
    contact = api.get(path_of(ids, "contacts"), query=query, headers=ANNOTATED).json
    fits(recorded("msdynamics/contact_get.json")["body"], contact)
    api.patch(path_of(ids, "companies"), {"primarycontactid@odata.bind": f"/contacts({ids['contacts']})"})
    query = {"$select": "name", "$expand": "primarycontactid($select=fullname,jobtitle,annualincome)"}
    account = api.get(path_of(ids, "companies"), query=query, headers=ANNOTATED).json
    fits(recorded("msdynamics/account_get_expand_contact.json")["body"], account)
    whole = api.get(path_of(ids, "contacts"), headers=ANNOTATED).json
    assert whole["_parentcustomerid_value"] == ids["companies"]
    assert whole[f"_parentcustomerid_value{FORMATTED}"] == "Engines"


def test_the_contacts_and_deals_of_an_account_are_under_it(api: Caller, recorded: Recorded) -> None:
    ids = customer(api)
    api.plant("contacts", {"lastname": "Else"})
    path = f"{path_of(ids, 'companies')}/contact_customer_accounts"
    body = api.get(path, query={"$select": "fullname,jobtitle"}).json
    was = recorded("msdynamics/account_contacts_list.json")["body"]
    assert (body.keys(), [row.keys() for row in body["value"]]) == (was.keys(), [was["value"][0].keys()])
    assert body["@odata.context"].endswith("$metadata#contacts(fullname,jobtitle)")
    deals = api.get(f"{path_of(ids, 'companies')}/opportunity_customer_accounts").json["value"]
    assert [row["opportunityid"] for row in deals] == [ids["deals"]]
    assert told(api.get(f"{path_of(ids, 'companies')}/colours")) == (400, "0x80060888")


@pytest.mark.parametrize("noun", SETS)
def test_every_record_is_read_by_a_guid_that_is_there(api: Caller, noun: str) -> None:
    ids = customer(api)
    key = f"{TABLES[SETS[noun]].logical_name}id"
    assert api.get(path_of(ids, noun)).json[key] == ids[noun]
    assert api.get(path_of(ids | {noun: ids[noun].upper()}, noun)).json[key] == ids[noun]
    assert told(api.get(f"{API}/{SETS[noun]}({NOBODY})")) == (404, "0x80040217")
    for odd in ("12", f"'{ids[noun]}'", ids[noun][:-1]):
        assert told(api.get(f"{API}/{SETS[noun]}({odd})")) == (400, "0x80060888")
    assert told(api.get(path_of(ids, noun), query={"$select": "colour"})) == (400, "0x0")
    assert told(api.get(path_of(ids, noun), query={"$expand": "colour"})) == (400, "0x0")
    if noun != "users":
        assert api.delete(path_of(ids, noun)).status == 204
        assert told(api.get(path_of(ids, noun))) == (404, "0x80040217")


def test_the_code_of_a_record_that_is_not_there_may_be_another(crm: Caller, api: Caller) -> None:
    """Only stubs of others tell it: who reads it has to get along with the status."""
    crm.adjust(missing_record_code="0x80060891")
    assert told(api.get(f"{API}/accounts({NOBODY})")) == (404, "0x80060891")


@pytest.mark.parametrize("noun", SETS)
def test_what_the_roles_of_the_user_may_not_read_is_403(crm: Caller, api: Caller, noun: str) -> None:
    ids = customer(api)
    crm.adjust(forbidden=[noun])
    for name in SETS:
        replies = [api.get(path_of(ids, name), query={"$select": "createdon"}), api.get(f"{API}/{SETS[name]}")]
        assert {reply.status for reply in replies} == ({403} if name == noun else {200})
    refused = api.get(path_of(ids, noun))
    assert told(refused) == (403, "0x80040220")
    assert f"prvRead{TABLES[SETS[noun]].privilege}" in refused.text
    expanded = api.get(path_of(ids, "deals"), query={"$expand": "parentaccountid($select=name)"})
    assert expanded.status == (403 if noun in ("companies", "deals") else 200)


def test_deals_are_found_by_their_columns_and_win_by_no_patch(crm: Caller, api: Caller) -> None:
    ids = customer(api)
    api.plant("deals", {"name": "Other"})
    query = {"$filter": f"_parentaccountid_value eq {ids['companies']} and estimatedvalue gt 10000", "$select": "name"}
    assert [row["name"] for row in api.get(f"{API}/opportunities", query=query).json["value"]] == ["No. 2"]
    assert told(api.patch(path_of(ids, "deals"), {"statecode": 1})) == (400, "0x80048d19")
    crm.adjust(sales_app=False)
    assert told(api.get(path_of(ids, "deals"))) == (404, "0x80060888")


# Users, definitions, and what there is not.


def test_users_are_read_and_never_written(api: Caller) -> None:
    query = {"$select": "fullname,isdisabled,applicationid", "$filter": "isdisabled eq false", "$orderby": "fullname"}
    rows = api.get(f"{API}/systemusers", query=query).json["value"]
    assert [row["fullname"] for row in rows if not row["applicationid"]] == ["Ada Admin", "Sven Seller"]
    assert len(rows) == 3
    me = api.get(f"{API}/WhoAmI").json
    assert me.keys() == {"@odata.context", "UserId", "BusinessUnitId", "OrganizationId"}
    path = f"{API}/systemusers({me['UserId']})"
    assert api.get(path).json["fullname"] == "Ada Admin"
    assert [api.post(f"{API}/systemusers", {}).status, api.patch(path, {}).status, api.delete(path).status] == [405] * 3


def test_every_column_of_the_inventory_is_known() -> None:
    if not INVENTORY.is_file():
        pytest.skip(f"no inventory at {INVENTORY}")
    for name, entity in json.loads(INVENTORY.read_text())["entities"].items():
        if name not in DEFINED:
            continue
        table = DEFINED[name]
        listed = set(entity.get("writable_columns", entity.get("columns"))) - LEFT_OUT
        assert listed - set(table.columns) - set(table.lookups) == set(), name
        for one in entity.get("lookups", {}).values():
            assert one.get("value", "_ownerid_value") in table.values
            assert {one[side] for side in ("expand",) if side in one} <= set(table.navigations)
            assert set(one.get("bind", [])) <= set(table.navigations)


def test_definitions_tell_columns_as_recorded(api: Caller, recorded: Recorded) -> None:
    base = f"{API}/EntityDefinitions(LogicalName='lead')/Attributes"
    was = recorded("msdynamics/metadata_contact_attributes.json")["body"]["value"]
    rows = {row["LogicalName"]: row for row in api.get(base).json["value"]}
    assert all(row.keys() >= was[0].keys() for row in rows.values())
    assert {row["@odata.type"] for row in rows.values()} >= {
        row["@odata.type"] for row in was if "Virt" not in str(row)
    }
    tier = rows["cr123_tier"]
    assert (tier["SchemaName"], tier["DisplayName"]["UserLocalizedLabel"]["Label"]) == ("cr123_Tier", "Tier")
    assert (rows["fullname"]["IsValidForCreate"], rows["statecode"]["IsValidForUpdate"]) == (False, True)
    assert rows["parentaccountid"]["Targets"] == ["account"]
    chosen = api.get(base, query={"$select": "LogicalName,DisplayName,SchemaName"}).json["value"][0]
    assert chosen.keys() == {"@odata.type", "LogicalName", "DisplayName", "SchemaName", "MetadataId"}
    assert api.get(base, query={"$select": "Colour"}).status == 400
    assert told(api.get(f"{API}/EntityDefinitions(LogicalName='unicorn')/Attributes")) == (404, "0x80040217")


def test_choices_tell_their_options_as_recorded(api: Caller, recorded: Recorded) -> None:
    base = f"{API}/EntityDefinitions(LogicalName='lead')/Attributes/Microsoft.Dynamics.CRM."
    query = {"$select": "LogicalName", "$expand": "OptionSet($select=Options)"}
    for cast, fixture, name in (
        ("Picklist", "metadata_contact_picklists", "leadsourcecode"),
        ("Status", "metadata_contact_statuses", "statuscode"),
    ):
        was = recorded(f"msdynamics/{fixture}.json")["body"]["value"][0]
        rows = api.get(f"{base}{cast}AttributeMetadata", query=query).json["value"]
        row = next(row for row in rows if row["LogicalName"] == name)
        assert row.keys() >= was.keys()
        option, before = row["OptionSet"]["Options"][0], was["OptionSet"]["Options"][0]
        assert option.keys() == before.keys()
        assert option["Label"].keys() == before["Label"].keys()
    assert [one["State"] for one in row["OptionSet"]["Options"]] == [0, 0, 1, 2, 2, 2, 2]
    bare = api.get(f"{base}StateAttributeMetadata", query={"$select": "LogicalName"}).json["value"]
    assert [row["LogicalName"] for row in bare] == ["statecode"]
    assert "OptionSet" not in bare[0]


def test_sales_stages_are_a_choice_that_can_only_be_read(api: Caller) -> None:
    base = f"{API}/EntityDefinitions(LogicalName='opportunity')/Attributes"
    cast = "Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
    expanded = {"$expand": "OptionSet($select=Options)"}
    one = api.get(f"{base}(LogicalName='salesstage')/{cast}", query=expanded).json
    [same] = api.get(f"{base}/{cast}", query=expanded | {"$filter": "LogicalName eq 'salesstage'"}).json["value"]
    assert one["OptionSet"] == same["OptionSet"]
    stages = {row["Value"]: row["Label"]["UserLocalizedLabel"]["Label"] for row in one["OptionSet"]["Options"]}
    assert stages == {0: "Qualify", 1: "Develop", 2: "Propose", 3: "Close"}
    assert api.get(f"{base}(LogicalName='colour')/{cast}").status == 404
    assert api.post(base, {"LogicalName": "x"}).status == 405
    for segment in ("pipelines", "stages"):
        assert told(api.post(f"{API}/{segment}", {"name": "New"})) == (404, "0x80060888")


def test_an_unknown_segment_is_told_in_either_way(crm: Caller, api: Caller, recorded: Recorded) -> None:
    was = recorded("msdynamics/error_unknown_entity_set_400.json")
    unknown = api.get(f"{API}/conacs")
    assert (unknown.status, unknown.json) == (404, was["body"])
    crm.adjust(unknown_segment_status=400)
    assert api.get(f"{API}/conacs").status == was["status"]
    assert told(api.get(f"{API}/Leads")) == (400, "0x80060888")
    crm.adjust(sales_app=False)
    assert told(lead(api)) == (400, "0x80060888")
    assert api.get(f"{API}/contacts").status == 200
    assert api.get("/api/data/v8.0/leads").status == 404
    assert told(api.post(f"{API}/WhoAmI")) == (404, "")
    wrong = api.put(LEADS, {})
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, POST")


def test_errors_have_annotations_for_who_wants_them(api: Caller, recorded: Recorded) -> None:
    was = recorded("msdynamics/error_with_annotations_400.json")["body"]["error"]
    known = api.post(LEADS, {"nonsense": 1}, headers=ANNOTATED).json["error"]
    assert known.keys() >= was.keys()
    assert lead(api, nonsense=1).json["error"].keys() == {"code", "message"}


# Who calls.


def test_refusals_of_who_calls_have_no_error_object_but_privileges_do(crm: Caller, api: Caller) -> None:
    nobody = crm.get(LEADS)
    assert (nobody.status, nobody.text) == (401, "")
    crm.adjust(says_why_unauthenticated=True)
    assert crm.get(LEADS).headers["content-type"] == "text/html"
    reader = crm.authorised(scopes=["prvReadLead"])
    assert reader.get(LEADS).status == 200
    assert told(lead(reader)) == (403, "0x80040220")
    assert "prvCreateLead" in lead(reader).text
    crm.adjust(user_is_member=False)
    assert told(api.get(LEADS)) == (403, "0x80072560")


def test_limits_are_told_by_code_and_the_wait_grows(crm: Caller, api: Caller, recorded: Recorded) -> None:
    left = "x-ms-ratelimit-burst-remaining-xrm-requests"
    crm.adjust(requests_per_window=2)
    assert [api.get(LEADS).headers[left] for _ in range(2)] == ["1", "0"]
    waits: list[int] = []
    for kind in ("requests", "time", "concurrency"):
        crm.adjust(limit_that_is_hit=kind)
        reply = api.get(LEADS)
        was = recorded(f"msdynamics/error_rate_limited_{kind}_429.json")
        assert told(reply) == (was["status"], was["body"]["error"]["code"])
        waits.append(int(reply.headers["retry-after"]))
    assert waits == sorted(set(waits))
    crm.fault("rate_limited_silent")
    assert "retry-after" not in api.get(LEADS).headers


def token(crm: Caller, grant: dict[str, Any], tenant: str = TENANT, **form: str) -> Reply:
    client = {"client_id": grant["client_id"], "client_secret": grant["client_secret"]}
    return crm.post(f"/{tenant}/oauth2/v2.0/token", form=client | form)


def test_tokens_look_as_recorded_and_old_refresh_tokens_live_on(crm: Caller, recorded: Recorded) -> None:
    grant = crm.grant()
    assert (grant["tenant"], grant["environment"]) == (TENANT, ENVIRONMENT)
    scope = f"{ENVIRONMENT}/user_impersonation offline_access"
    first = token(crm, grant, grant_type="authorization_code", code=grant["code"], scope=scope)
    was = recorded("msdynamics/token_success.json")["body"]
    assert first.json.keys() == was.keys() - {"id_token"}
    assert 3590 <= first.json["expires_in"] <= 3600
    refreshes = [token_request(crm, grant, refresh_token=grant["refresh_token"]) for _ in range(3)]
    assert {reply.status for reply in refreshes} == {200}
    assert len({reply.json["refresh_token"] for reply in [first, *refreshes]}) == 4
    crm.post("/_sandbox/grants/revoke", {"token": grant["refresh_token"]})
    for old in (grant["refresh_token"], refreshes[-1].json["refresh_token"]):
        reply = token_request(crm, grant, refresh_token=old)
        assert (reply.json["error"], reply.json["error_codes"]) == ("invalid_grant", [50173])
    crm.adjust(revoked_grant_number=700082)
    assert token_request(crm, grant).json["error_description"].startswith("AADSTS700082:")


def test_an_app_of_its_own_gets_no_refresh_token(crm: Caller) -> None:
    grant = crm.grant()
    own = {"grant_type": "client_credentials", "scope": f"{ENVIRONMENT}/.default"}
    reply = token(crm, grant, **own)
    assert reply.status == 200
    assert "refresh_token" not in reply.json
    assert crm.get(LEADS, headers={"Authorization": f"Bearer {reply.json['access_token']}"}).status == 200
    assert token(crm, grant, "organizations", **own).status == 400
    assert token(crm, grant, **own | {"scope": f"{ENVIRONMENT}/user_impersonation"}).json["error"] == "invalid_scope"
    crm.post("/_sandbox/grants/revoke", {"token": grant["refresh_token"]})
    assert token(crm, grant, **own).status == 400


def test_a_token_of_another_environment_is_good_there_alone(crm: Caller) -> None:
    grant = crm.grant()
    refresh = {"grant_type": "refresh_token", "refresh_token": grant["refresh_token"]}
    other = token(crm, grant, **refresh, scope="https://elsewhere.crm4.dynamics.com/.default offline_access")
    assert other.status == 200
    assert crm.get(LEADS, headers={"Authorization": f"Bearer {other.json['access_token']}"}).status == 401
    mine = token(crm, grant, **refresh, scope=f"{ENVIRONMENT}/.default offline_access")
    assert crm.get(LEADS, headers={"Authorization": f"Bearer {mine.json['access_token']}"}).status == 200


def test_refused_tokens_tell_a_number(crm: Caller, recorded: Recorded) -> None:
    grant = crm.grant()
    refresh = {"grant_type": "refresh_token", "refresh_token": grant["refresh_token"]}
    named = {"scope": grant["token_scope"]}
    malformed = token(crm, grant, **refresh | named | {"refresh_token": "x"})
    was = recorded("msdynamics/error_token_invalid_grant_400.json")
    assert (malformed.status, malformed.json.keys()) == (was["status"], was["body"].keys())
    assert malformed.json["error_codes"] == was["body"]["error_codes"]
    was = recorded("msdynamics/error_token_invalid_scope_400.json")
    for scope in ("leads.read", "offline_access", f"{ENVIRONMENT.replace('.crm', '.api.crm')}/.default"):
        reply = token(crm, grant, **refresh, scope=scope)
        assert (reply.status, reply.json["error"]) == (was["status"], was["body"]["error"]), scope
        assert reply.json["error_codes"] == was["body"]["error_codes"]
    cases = {
        90009: token(crm, grant, **refresh),
        7000215: token(crm, grant | {"client_secret": "x"}, **refresh | named),
        7000218: token(crm, grant | {"client_secret": ""}, **refresh),
        700016: token(crm, grant | {"client_id": "x"}, **refresh | named),
        90002: token(crm, grant, "nowhere", **refresh),
        70003: token(crm, grant, grant_type="password"),
        900144: crm.post(f"/{TENANT}/oauth2/v2.0/token", {"grant_type": "refresh_token"}),
    }
    for number, reply in cases.items():
        assert reply.json["error_codes"] == [number]
        assert reply.status == (401 if number in (7000215, 7000218) else 400)


# Contacts: all of them, what changed, what was deleted.

CONTACTS = f"{API}/contacts"
SOME = "firstname,lastname,emailaddress1,modifiedon,cr123_favouritecolour"


def pages(api: Caller, reply: Reply, headers: dict[str, str] | None = None) -> tuple[list[Any], Any]:
    """Every row from this page on, and the last page."""
    assert reply.status == 200, reply.text
    rows, page = list(reply.json["value"]), reply.json
    while "@odata.nextLink" in page:
        parts = urlsplit(page["@odata.nextLink"])
        page = api.get(f"{parts.path}?{parts.query}", headers=headers).json
        rows += page["value"]
    return rows, page


def delta(api: Caller, last: Any, headers: dict[str, str] | None = None) -> tuple[list[Any], Any]:
    parts = urlsplit(last["@odata.deltaLink"])
    return pages(api, api.get(f"{parts.path}?{parts.query}", headers=headers), headers)


def changed_since(api: Caller, moment: str, operator: str = "ge") -> list[str]:
    query = {"$select": SOME, "$filter": f"modifiedon {operator} {moment}", "$orderby": "modifiedon asc,contactid asc"}
    return [row["contactid"] for row in pages(api, api.get(CONTACTS, query=query))[0]]


def change(api: Caller, noun: str, record_id: str, **fields: Any) -> Reply:
    return api.patch(f"/_sandbox/records/{noun}/{record_id}", fields)


def vanish(api: Caller, noun: str, record_id: str) -> Reply:
    return api.delete(f"/_sandbox/records/{noun}/{record_id}")


def test_thousands_of_contacts_are_listed_once_each(api: Caller) -> None:
    planted = [{"lastname": str(number), "createdon": "2024-01-02T03:04:05Z"} for number in range(5000)]
    ids = api.post("/_sandbox/records/contacts", planted).json["ids"]
    wish = {"Prefer": "odata.maxpagesize=1000"}
    query = {"$select": SOME, "$orderby": "modifiedon asc,contactid asc"}
    rows, _ = pages(api, api.get(CONTACTS, query=query, headers=wish), wish)
    assert [row["contactid"] for row in rows] == sorted(ids)
    assert {row["modifiedon"] for row in rows} == {"2024-01-02T03:04:05Z"}


def test_a_colleagues_change_moves_the_moment_and_the_etag(api: Caller) -> None:
    old = {"createdon": "2024-01-01T00:00:00Z"}
    first, second = (api.plant("contacts", old | {"lastname": name}) for name in ("Lovelace", "Byron"))
    third = api.plant("contacts", old | {"lastname": "King", "modifiedon": "2024-01-01T00:00:01Z"})
    assert changed_since(api, "2024-01-01T00:00:00Z") == [*sorted([first, second]), third]
    assert changed_since(api, "2024-01-01T00:00:00Z", "gt") == [third]
    before = api.get(f"{CONTACTS}({first})").json
    assert change(api, "contacts", first, lastname="Byron", cr123_favouritecolour="teal").status == 200
    row = api.get(f"{CONTACTS}({first})").json
    assert (row["fullname"], row["cr123_favouritecolour"], row["createdon"]) == ("Byron", "teal", old["createdon"])
    assert row["@odata.etag"] != before["@odata.etag"]
    assert row["modifiedon"] > "2024-02"
    assert len(row["modifiedon"]) == len("2024-01-01T00:00:00Z")
    assert changed_since(api, "2024-01-01T00:00:02Z") == [first]
    assert change(api, "contacts", second, statecode=1).status == 200
    assert api.get(f"{CONTACTS}({second})", query={"$select": "statuscode"}).json["statuscode"] == 2
    for record_id, fields in ((NOBODY, {}), (first, {"colour": "red"}), (first, {"contactid": NOBODY})):
        assert change(api, "contacts", record_id, **fields).status == 400


def test_a_contact_that_a_colleague_deletes_vanishes_without_a_word(api: Caller) -> None:
    kept, lost = (api.plant("contacts", {"lastname": name}) for name in ("Lovelace", "Byron"))
    assert vanish(api, "contacts", lost.upper()).status == 200
    assert [row["contactid"] for row in api.get(CONTACTS).json["value"]] == [kept]
    assert told(api.get(f"{CONTACTS}({lost})")) == (404, "0x80040217")
    assert vanish(api, "contacts", lost).status == 400
    owner = api.get(f"{API}/WhoAmI").json["UserId"]
    assert vanish(api, "users", owner).status == 400
    assert change(api, "users", owner, isdisabled=True).status == 200


def test_every_object_is_changed_and_deleted_by_colleagues(api: Caller) -> None:
    ids = customer(api)
    for noun, field in {"companies": "name", "contacts": "jobtitle", "deals": "name", "leads": "subject"}.items():
        assert change(api, noun, ids[noun], **{field: "Other"}).status == 200
        assert api.get(path_of(ids, noun)).json[field] == "Other"
        assert vanish(api, noun, ids[noun]).status == 200
        assert api.get(path_of(ids, noun)).status == 404


def test_ids_have_no_order_in_a_filter(api: Caller) -> None:
    record_id = api.plant("contacts", {"lastname": "Lovelace"})
    assert told(api.get(CONTACTS, query={"$filter": f"contactid gt {NOBODY}"})) == (400, "0x80040203")
    assert len(api.get(CONTACTS, query={"$filter": f"contactid eq {record_id}"}).json["value"]) == 1


def test_the_definition_of_a_table_tells_whether_its_changes_are_tracked(crm: Caller, api: Caller) -> None:
    path = f"{API}/EntityDefinitions(LogicalName='contact')"
    for on in (False, True):
        crm.adjust(change_tracking=on)
        assert api.get(path, query={"$select": "ChangeTrackingEnabled"}).json["ChangeTrackingEnabled"] is on


def test_changes_of_contacts_come_in_pages_with_the_deleted_ones_at_the_end(crm: Caller, api: Caller) -> None:
    crm.adjust(change_tracking=True)
    ids = [api.plant("contacts", {"lastname": str(number)}) for number in range(6)]
    track = {"Prefer": "odata.track-changes,odata.maxpagesize=2"}
    rows, last = pages(api, api.get(CONTACTS, query={"$select": SOME}, headers=track), track)
    assert ({row["contactid"] for row in rows}, len(rows)) == (set(ids), 6)
    assert last["@odata.context"].endswith("/$delta")
    vanish(api, "contacts", ids[0])
    for number in (4, 3, 2):
        change(api, "contacts", ids[number], lastname="Changed")
    new = api.plant("contacts", {"lastname": "New"})
    short = api.plant("contacts", {"lastname": "There and gone"})
    api.delete(f"{CONTACTS}({short})")
    rows, last = delta(api, last, {"Prefer": "odata.maxpagesize=2"})
    assert [row.get("contactid") for row in rows[:4]] == [ids[4], ids[3], ids[2], new]
    assert [(row["id"], row["reason"]) for row in rows[4:]] == [(ids[0], "deleted"), (short, "deleted")]
    assert rows[4]["@odata.context"].endswith("$metadata#contacts/$deletedEntity")
    assert delta(api, last)[0] == []
    api.patch(f"{CONTACTS}({ids[0]})", {"lastname": "Back"})
    assert [row["contactid"] for row in delta(api, last)[0]] == [ids[0]]
    assert api.get(CONTACTS, query={"$deltatoken": "nonsense"}).status == 400


def test_a_delta_link_that_is_too_old_brings_every_row_and_no_deletion(crm: Caller, api: Caller) -> None:
    crm.adjust(change_tracking=True)
    kept, lost = (api.plant("contacts", {"lastname": name}) for name in ("Lovelace", "Byron"))
    _, last = pages(api, api.get(CONTACTS, headers={"Prefer": "odata.track-changes"}))
    vanish(api, "contacts", lost)
    assert [row["id"] for row in delta(api, last)[0]] == [lost]
    crm.adjust(change_tracking_days=-1)
    assert [row["contactid"] for row in delta(api, last)[0]] == [kept]
