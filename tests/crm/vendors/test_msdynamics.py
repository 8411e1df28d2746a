"""What is peculiar to Dynamics: binds, annotations, choices by number, a version that breaks ties, ids in brackets."""

from datetime import date
from typing import Any, ClassVar

import pytest

from switchboard.crm.auth import OAuth2, Token
from switchboard.crm.catalog import Resource
from switchboard.crm.paging import OLDEST
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.vendors.msdynamics import CRM
from switchboard.crm.wire import Request, Response
from tests.crm.samples import CASES
from tests.crm.shared import document
from tests.crm.voices import minutes
from tests.talk import ok, script

CASE = CASES["msdynamics-leads"]
DYNAMICS = CRM.dialect
LEADS = CASE.resource
STAGES = CASES["msdynamics-stages"].resource
CONTACTS, COMPANIES, DEALS, USERS = (
    CASES[f"msdynamics-{plural}"].resource for plural in ("contacts", "companies", "deals", "users")
)

ID = "0928bcb4-bb27-ed11-9db1-002248274ada"
OTHER = "2e28bcb4-bb27-ed11-9db1-002248274ada"
SHOWN = "@OData.Community.Display.V1.FormattedValue"
PREFER = 'odata.include-annotations="OData.Community.Display.V1.FormattedValue"'


def recorded(name: str) -> Any:
    return document(f"fixtures/msdynamics/{name}.json")


def option(value: int, *names: str, hidden: bool = False) -> dict[str, Any]:
    """A choice as metadata_contact_picklists has it; the first name is in the user's language."""
    found = [{"Label": name, "LanguageCode": 1033 + place} for place, name in enumerate(names)]
    label = {"LocalizedLabels": found, "UserLocalizedLabel": found[0] if found else None}
    return {"Value": value, "IsHidden": hidden, "Label": label}


def defined(**columns: list[dict[str, Any]]) -> Response:
    """The definitions of choices, by column."""
    return ok({"value": [{"LogicalName": name, "OptionSet": {"Options": each}} for name, each in columns.items()]})


def row(version: int, at: str = "2026-05-01T12:00:00Z") -> dict[str, Any]:
    return {"leadid": f"{version:08x}-bb27-ed11-9db1-002248274ada", "modifiedon": at, "versionnumber": version}


def problem(*replies: Response, talk: Any = None) -> Problem:
    with pytest.raises(Problem) as caught:
        script(*replies).hold(talk or DYNAMICS.get(LEADS, ID))
    return caught.value


class TestCreate:
    def test_it_is_sent_as_the_vendor_shows_and_answers_the_record(self) -> None:
        shown, made = recorded("account_create_return_representation"), {"leadid": ID, "subject": "x"}
        partner = script(ok(made, 201))
        answer = partner.hold(DYNAMICS.create(LEADS, CASE.draft({"title": "x"})))
        [request] = partner.requests
        assert (request.method, request.path) == (shown["request"]["method"], "/api/data/v9.2/leads")
        expected = {name.lower(): value for name, value in shown["request"]["headers"].items() if name != "Accept"}
        assert request.headers == expected | {"if-none-match": "null", "prefer": f"return=representation,{PREFER}"}
        assert {"leadid", "subject", "_ownerid_value"} <= set(request.query["$select"].split(","))
        assert (answer.item, answer.raw, answer.partial) == ({"id": ID, "title": "x"}, made, False)

    def test_an_answer_without_a_record_tells_the_id_in_a_header_and_is_read_back(self) -> None:
        told = recorded("contact_create")["response"]
        headers = {name.lower(): value.replace("/contacts(", "/leads(") for name, value in told["headers"].items()}
        partner = script(Response(told["status"], headers, told["body"]), ok({"leadid": ID, "subject": "x"}))
        answer = partner.hold(DYNAMICS.create(LEADS, CASE.draft({"title": "x"})))
        assert (answer.item, answer.partial) == ({"id": ID, "title": "x"}, False)
        assert partner.requests[1].path == f"/api/data/v9.2/leads({ID})"

    def test_columns_that_were_added_are_written_and_never_told(self) -> None:
        """A list cannot ask for them, as nobody says which there are: so no answer has them."""
        draft = CASE.draft({"custom_fields": {"new_colour": "teal"}}, {"companyname": "Acme", "Lead_Tasks": []})
        partner = script(ok({"leadid": ID, "new_colour": "teal"}, 201))
        assert partner.hold(DYNAMICS.create(LEADS, draft)).item == {"id": ID}
        [request] = partner.requests
        assert request.json["new_colour"] == "teal"
        assert request.query["$select"].split(",") == list(LEADS.table.columns)
        assert "custom_fields" not in LEADS.table.names(readable=True)

    @pytest.mark.parametrize("name", ["address1_line3", "revenue_base", "subject", "new", "new_x@odata.bind", "New_X"])
    def test_a_column_that_nobody_added_is_no_custom_field(self, name: str) -> None:
        with pytest.raises(Problem) as caught:
            CASE.draft({"custom_fields": {name: "x"}})
        assert [fault.code for fault in caught.value.faults] == ["not_custom"]


class TestLookups:
    BINDS = ("owner", "systemusers", "ownerid"), ("contact", "contacts", "parentcontactid")

    @pytest.mark.parametrize(("ours", "table", "navigation"), [*BINDS, ("account", "accounts", "parentaccountid")])
    def test_one_is_written_as_a_path_and_read_as_a_value(self, ours: str, table: str, navigation: str) -> None:
        body = CASE.draft({ours: {"id": ID}}).body
        assert body == {f"{navigation}@odata.bind": f"/{table}({ID})"}
        assert DYNAMICS.item(LEADS, {f"_{navigation}_value": ID}) == {ours: {"id": ID}}

    @pytest.mark.parametrize("given", [f"contacts({ID})", f"https://x.crm.dynamics.com/api/data/v9.2/contacts({ID})"])
    def test_a_callers_own_bind_is_understood(self, given: str) -> None:
        assert DYNAMICS.item(LEADS, {"parentcontactid@odata.bind": given}) == {"contact": {"id": ID}}

    @pytest.mark.parametrize("id", ["1", "name='Acme'", f"{ID})", f"{{{ID}}}"])
    def test_an_id_that_is_no_guid_is_refused_before_anything_is_sent(self, id: str) -> None:
        with pytest.raises(Problem) as caught:
            CASE.draft({"account": {"id": id}})
        assert (caught.value.kind, caught.value.faults[0].field) == (Kind.INVALID, "account.id")

    def test_an_owner_has_to_be_a_user(self) -> None:
        with pytest.raises(Problem) as caught:
            CASE.draft({"owner": {"id": "Inside Sales"}})
        assert "a user, never a team" in caught.value.faults[0].detail


class TestMember:
    @pytest.mark.parametrize("id", ["1", "name='x'", f"{ID})/Lead_Tasks(", "", f"{ID}\n"])
    @pytest.mark.parametrize("verb", ["get", "delete"])
    @pytest.mark.parametrize("resource", [LEADS, CONTACTS, COMPANIES, DEALS, USERS])
    def test_an_id_that_is_no_guid_is_a_bad_one_without_a_word_to_the_vendor(
        self, id: str, verb: str, resource: Resource
    ) -> None:
        told = problem(talk=getattr(DYNAMICS, verb)(resource, id))
        assert (told.kind, told.outcome) == (Kind.CRM_BAD_ID, Outcome.NOTHING)

    def test_a_removal_is_the_vendors(self) -> None:
        shown = recorded("contact_delete")
        partner = script(Response(shown["response"]["status"]))
        partner.hold(DYNAMICS.delete(LEADS, ID))
        [request] = partner.requests
        assert (request.method, request.path) == ("DELETE", shown["request"]["path"].replace("contacts", "leads"))
        assert "if-match" not in request.headers


class TestChoices:
    SOURCES = option(1, "Advertisement", "Werbung"), option(8, "Web")

    def made(self, item: dict[str, Any], *replies: Response, remote: Any = None) -> list[Request]:
        partner = script(*replies, ok({"leadid": ID}, 201))
        partner.hold(DYNAMICS.create(LEADS, CASE.draft(item, remote)))
        return partner.requests

    @pytest.mark.parametrize(("name", "number"), [("Web", 8), (" web", 8), ("Advertisement", 1), ("werbung", 1)])
    def test_a_name_is_sent_as_its_number_in_any_language(self, name: str, number: int) -> None:
        look, create = self.made({"lead_source": name}, defined(leadsourcecode=list(self.SOURCES)))
        shown = recorded("metadata_contact_picklists")["request"]
        assert look.path == shown["path"].replace("'contact'", "'lead'")
        assert look.safe
        assert {name: look.query[name] for name in shown["query"]} == shown["query"]
        assert look.query["$filter"] == "LogicalName eq 'leadsourcecode'"
        assert create.json == {"leadsourcecode": number}

    def test_one_look_up_tells_all(self) -> None:
        columns = {"leadsourcecode": list(self.SOURCES), "industrycode": [option(7, "Consulting")]}
        look, create = self.made({"lead_source": "Web", "industry": "Consulting"}, defined(**columns))
        assert look.query == recorded("metadata_contact_picklists")["request"]["query"]
        assert create.json == {"leadsourcecode": 8, "industrycode": 7}

    def test_a_recorded_definition_is_read(self) -> None:
        """The definition is of a contact, and stands in for that of a lead."""
        body = recorded("metadata_contact_picklists")["response"]["body"]
        body = {"value": [{**body["value"][0], "LogicalName": "industrycode"}]}
        _, create = self.made({"industry": "Default Value"}, ok(body))
        assert create.json == {"industrycode": 1}

    def test_a_number_of_the_callers_own_needs_no_look_up(self) -> None:
        [create] = self.made({}, remote={"leadsourcecode": 8})
        assert create.json == {"leadsourcecode": 8}

    @pytest.mark.parametrize(
        ("known", "valid"), [({"leadsourcecode": [*SOURCES]}, "Advertisement, Web"), ({}, "nothing to choose from")]
    )
    def test_an_unknown_name_is_refused_with_those_that_are_known(self, known: Any, valid: str) -> None:
        told = problem(defined(**known), talk=DYNAMICS.create(LEADS, CASE.draft({"lead_source": "Moon"})))
        assert (told.kind, told.outcome) == (Kind.INVALID, Outcome.NOTHING)
        assert (told.faults[0].field, told.faults[0].code) == ("lead_source", "unknown_value")
        assert valid in told.detail

    def test_a_choice_is_read_by_its_name(self) -> None:
        body = {"leadid": ID, "leadsourcecode": 8, f"leadsourcecode{SHOWN}": "Web", "statuscode": 1}
        body |= {
            f"statuscode{SHOWN}": "New",
            f"createdon{SHOWN}": "5/1/2026 12:00 PM",
            "createdon": "2026-05-01T12:00:00Z",
        }
        expected = {"id": ID, "lead_source": "Web", "status": "New", "created_at": "2026-05-01T12:00:00Z"}
        answer = script(ok(body)).hold(DYNAMICS.get(LEADS, ID))
        assert (answer.item, answer.raw) == (expected, body)


class TestList:
    def test_everything_comes_in_the_order_in_which_it_was_made(self) -> None:
        request = next(DYNAMICS.list(LEADS, limit=5))
        assert (request.query["$orderby"], request.query["$top"]) == ("createdon,versionnumber", "5")
        assert "$filter" not in request.query

    def test_a_page_begins_behind_the_last_record_of_the_one_before(self) -> None:
        pages = ok({"value": [row(7), row(9)]}), ok({"value": [row(8, "2026-05-01T12:00:01Z")]})
        partner = script(*pages)
        assert LEADS.changes
        first = partner.hold(DYNAMICS.list(LEADS, since=minutes(-5), limit=2))
        last = partner.hold(DYNAMICS.list(LEADS, since=minutes(-5), cursor=first.cursor, limit=2))
        assert [request.query["$filter"] for request in partner.requests] == [
            "modifiedon ge 2026-05-01T11:55:00Z",
            "modifiedon gt 2026-05-01T12:00:00Z or (modifiedon eq 2026-05-01T12:00:00Z and versionnumber gt 9)",
        ]
        assert first.cursor == {"at": "2026-05-01T12:00:00Z", "version": 9}
        assert (len(last.answers), last.cursor) == (1, None)

    def test_a_next_link_is_not_followed(self) -> None:
        body = recorded("contacts_list_with_nextlink")["response"]["body"]
        page = script(ok(body)).hold(DYNAMICS.list(LEADS, limit=5))
        assert (len(page.answers), page.cursor) == (2, None)

    def test_a_lost_create_is_recognised_by_whom_it_is_about(self) -> None:
        mine, others = {**row(7), "_parentcontactid_value": ID.upper()}, {**row(8), "_parentcontactid_value": OTHER}
        found = ok({"value": [{**each, "createdon": "2026-05-01T12:00:01Z"} for each in (others, mine)]})
        draft = CASE.draft({"contact": {"id": ID}})
        assert script(found).hold(DYNAMICS.find(LEADS, draft, minutes(0))) == mine["leadid"]

    def test_a_lost_create_is_looked_for_among_what_was_made_since(self) -> None:
        made = {**row(7), "createdon": "2026-05-01T12:00:01Z", "subject": "x"}
        full = [{**made, "subject": "y", "versionnumber": 100 + each} for each in range(100)]
        partner = script(ok({"value": full}), ok({"value": [made]}))
        assert partner.hold(DYNAMICS.find(LEADS, CASE.draft({"title": "x"}), minutes(0))) == made["leadid"]
        first, second = (request.query["$filter"] for request in partner.requests)
        assert first == "createdon ge 2026-05-01T12:00:00Z"
        assert second.endswith("(createdon eq 2026-05-01T12:00:01Z and versionnumber gt 199)")


class TestContacts:
    """Contacts are walked as leads are, with what others are called in the same answer."""

    def body(self, version: int, at: str = "2026-05-01T12:00:00Z", **columns: Any) -> dict[str, Any]:
        id = f"{version:08x}-bb27-ed11-9db1-002248274ada"
        return {"contactid": id, "modifiedon": at, "createdon": at, "versionnumber": version, **columns}

    def test_the_first_page_asks_for_all_that_ever_changed(self) -> None:
        request = next(DYNAMICS.list(CONTACTS, since=OLDEST, limit=2000, extra=["new_colour", "new_size"]))
        columns = [each for each in CONTACTS.table.columns if "." not in each]
        own = f"accountid,name),owninguser($select={','.join(('fullname', 'internalemailaddress'))}"
        assert (request.method, request.path) == ("GET", "/api/data/v9.2/contacts")
        assert request.query == {
            "$select": ",".join([*columns, "versionnumber", "new_colour", "new_size"]),
            "$expand": f"parentcustomerid_account($select={own})",
            "$orderby": "modifiedon,versionnumber",
            "$filter": "modifiedon ge 1970-01-01T00:00:00Z",
            "$top": str(20_000 // (len(CONTACTS.table.columns) + 2)),
        }
        assert request.headers["prefer"] == PREFER

    def test_a_page_is_no_longer_than_our_answers_may_be(self) -> None:
        """All columns of 5,000 records are more than the 2 MB that we read."""
        for names in ([], [f"new_{n}" for n in range(970)]):
            request = next(DYNAMICS.list(CONTACTS, since=OLDEST, limit=5000, extra=names))
            columns = len(CONTACTS.table.columns) + len(names)
            assert 20_000 - columns < int(request.query["$top"]) * columns <= 20_000
        assert next(DYNAMICS.list(CONTACTS, since=OLDEST, limit=7)).query["$top"] == "7"

    def test_a_page_begins_behind_the_last_record_of_the_one_before(self) -> None:
        partner = script(ok({"value": [self.body(7), self.body(9)]}), ok({"value": [self.body(8)]}))
        first = partner.hold(DYNAMICS.list(CONTACTS, since=OLDEST, limit=2))
        last = partner.hold(DYNAMICS.list(CONTACTS, since=OLDEST, limit=2, cursor=first.cursor))
        assert (first.cursor, last.cursor) == ({"at": "2026-05-01T12:00:00Z", "version": 9}, None)
        at = "2026-05-01T12:00:00Z"
        assert partner.requests[1].query["$filter"] == (
            f"modifiedon gt {at} or (modifiedon eq {at} and versionnumber gt 9)"
        )

    def test_a_full_page_as_long_as_the_vendor_was_asked_for_goes_on(self) -> None:
        most = 20_000 // len(CONTACTS.table.columns)
        page = script(ok({"value": [self.body(n) for n in range(most)]})).hold(
            DYNAMICS.list(CONTACTS, since=OLDEST, limit=2000)
        )
        assert page.cursor == {"at": "2026-05-01T12:00:00Z", "version": most - 1}

    def test_without_a_moment_they_come_in_the_order_in_which_they_were_made(self) -> None:
        query = next(DYNAMICS.list(CONTACTS, limit=5)).query
        assert (query["$orderby"], "$filter" in query) == ("createdon,versionnumber", False)

    def test_an_item_of_the_list_is_that_of_a_read(self) -> None:
        told: dict[str, Any] = {
            "_owninguser_value": ID,
            "owninguser": {"fullname": "Charles Babbage", "internalemailaddress": "charles@example.com"},
            "parentcustomerid_account": {"accountid": OTHER, "name": "Analytical Engines"},
            "new_colour": "teal",
            f"modifiedon{SHOWN}": "5/1/2026 12:00 PM",
        }
        body, names = self.body(7, **told), ["new_colour"]
        [listed] = (
            script(ok({"value": [body]})).hold(DYNAMICS.list(CONTACTS, since=OLDEST, limit=5, extra=names)).answers
        )
        # A read gives all columns there are, of which a few of the vendor's own look as if they had been added.
        whole = body | {"aging30_base": 5.0, "revenue_base": 5.0, "address1_line3": "x", "_new_friend_value": ID}
        assert listed.item == script(ok(whole)).hold(DYNAMICS.get(CONTACTS, body["contactid"], names)).item
        assert listed.item["custom_fields"] == {"new_colour": "teal"}
        assert listed.item["company"] == {"id": OTHER, "name": "Analytical Engines"}
        assert listed.item["updated_at"] == "2026-05-01T12:00:00Z"

    def test_custom_fields_are_the_columns_that_were_added(self) -> None:
        def column(name: str, kind: str, of: str | None = None) -> dict[str, Any]:
            return {"LogicalName": name, "AttributeOf": of, "AttributeTypeName": {"Value": kind}}

        told = [
            column("new_colour", "StringType"),
            column("new_sizes", "MultiSelectPicklistType"),
            column("new_friend", "LookupType"),
            column("new_friendname", "StringType", of="new_friend"),
            column("new_size", "PicklistType"),
            column("new_sizename", "VirtualType", of="new_size"),
            column("new_photo", "ImageType"),
            {"LogicalName": "new_odd", "AttributeTypeName": None},
        ]
        partner = script(ok({"value": told}))
        assert partner.hold(DYNAMICS.custom(CONTACTS)) == ("new_colour", "new_sizes", "new_size")
        [request] = partner.requests
        assert request.path == recorded("metadata_contact_attributes")["request"]["path"]
        assert request.query["$filter"] == "IsCustomAttribute eq true"
        assert script().hold(DYNAMICS.custom(LEADS)) == ()

    def test_nobody_lists_what_was_deleted(self) -> None:
        """Change tracking tells it to those alone who kept its last word."""
        assert script().hold(DYNAMICS.deleted(CONTACTS, since=OLDEST)) is None
        assert CONTACTS.deletions == "swept"


class TestStages:
    COLUMN = defined(salesstage=[option(0, "Qualify"), option(2, "Propose"), option(1, "Develop", hidden=True)])

    def test_they_are_the_choices_of_a_column_in_the_order_of_its_definition(self) -> None:
        partner = script(self.COLUMN)
        page = partner.hold(DYNAMICS.list(STAGES, limit=5))
        assert [answer.item for answer in page.answers] == [
            {"id": "0", "name": "Qualify", "position": 0, "status": "active"},
            {"id": "2", "name": "Propose", "position": 1, "status": "active"},
            {"id": "1", "name": "Develop", "position": 2, "status": "inactive"},
        ]
        [request] = partner.requests
        assert "LogicalName='opportunity'" in request.path
        assert request.query["$filter"] == "LogicalName eq 'salesstage'"
        assert page.answers[0].raw == option(0, "Qualify")

    def test_one_is_found_among_them(self) -> None:
        assert script(self.COLUMN).hold(DYNAMICS.get(STAGES, "1")).item["name"] == "Develop"
        assert problem(self.COLUMN, talk=DYNAMICS.get(STAGES, "4")).kind is Kind.CRM_NOT_FOUND

    def test_an_option_without_a_value_is_nobodys_stage(self) -> None:
        nameless = {"IsHidden": False, "Label": None}
        page = script(defined(salesstage=[nameless])).hold(DYNAMICS.list(STAGES, limit=5))
        assert "id" not in page.answers[0].item

    def test_a_name_in_another_language_is_better_than_none(self) -> None:
        only = option(0, "Qualifizieren")
        only["Label"]["UserLocalizedLabel"] = None
        page = script(defined(salesstage=[only])).hold(DYNAMICS.list(STAGES, limit=5))
        assert [answer.item["name"] for answer in page.answers] == ["Qualifizieren"]


class TestRefusals:
    @pytest.mark.parametrize("status", [412, 500])
    def test_a_duplicate_is_told_by_its_code(self, status: int) -> None:
        body = recorded("error_duplicate_detected_500")["response"]["body"]
        assert problem(Response(status, {}, body)).kind is Kind.CRM_CONFLICT

    @pytest.mark.parametrize("status", [400, 404])
    def test_an_environment_without_the_sales_app_is_no_missing_record(self, status: int) -> None:
        body = recorded("error_unknown_entity_set_400")["response"]["body"]
        assert problem(Response(status, {}, body)).kind is Kind.CRM_REJECTED

    @pytest.mark.parametrize("body", [None, "", "Unauthorized"])
    def test_a_refused_token_needs_no_body(self, body: Any) -> None:
        assert problem(Response(401, {}, body, readable=body != "Unauthorized")).kind is Kind.NEEDS_REAUTH

    def test_an_empty_code_is_none(self) -> None:
        told = problem(Response(412, {}, recorded("error_etag_mismatch_412")["response"]["body"]))
        assert told.remote
        assert (told.kind, told.remote.code) == (Kind.CRM_CONFLICT, None)
        assert told.remote.message

    def test_the_wait_of_a_throttle_is_told_by_its_header(self) -> None:
        body = recorded("error_rate_limited_time_429")["response"]["body"]
        assert problem(Response(429, {"retry-after": "27"}, body)).retry_after == 27
        assert problem(Response(429, {}, body)).retry_after is None


class TestLag:
    def test_a_create_that_was_not_answered_may_be_committed_two_minutes_later(self) -> None:
        assert DYNAMICS.lag == 120


class TestTokens:
    APP: ClassVar = {"client_id": "i", "client_secret": "s"}

    def refresh(self, reply: Response, **told: str) -> tuple[Token, Request]:
        scheme, partner = CRM.auth["oauth2"], script(reply)
        assert isinstance(scheme, OAuth2)
        token = partner.hold(scheme.refresh({"refresh_token": "old"}, self.APP | told))
        return token, partner.requests[0]

    @pytest.mark.parametrize(
        "origin",
        ["https://acme.api.crm4.dynamics.com", "https://acme.crm4.dynamics.com", "https://acme.crm4.dynamics.com/"],
    )
    def test_a_token_is_asked_for_the_accounts_own_environment(self, origin: str) -> None:
        token, request = self.refresh(ok({"access_token": "new"}), origin=origin)
        assert (request.form or {})["scope"] == "https://acme.crm4.dynamics.com/.default offline_access"
        assert (token.access_token, token.refresh_token) == ("new", "old")

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("invalid_grant", Kind.NEEDS_REAUTH),
            ("interaction_required", Kind.NEEDS_REAUTH),
            ("consent_required", Kind.NEEDS_REAUTH),
            ("invalid_request", Kind.CRM_UNAVAILABLE),
            ("invalid_scope", Kind.CRM_UNAVAILABLE),
            ("invalid_resource", Kind.CRM_UNAVAILABLE),
            ("unsupported_grant_type", Kind.CRM_UNAVAILABLE),
            ("temporarily_unavailable", Kind.CRM_UNAVAILABLE),
        ],
    )
    def test_only_what_a_user_can_mend_costs_the_account(self, code: str, kind: Kind) -> None:
        for status in (400, 401):
            with pytest.raises(Problem) as caught:
                self.refresh(Response(status, {}, {"error": code, "error_description": "AADSTS: secret"}))
            assert (caught.value.kind, caught.value.remote and caught.value.remote.code) == (kind, code)

    def test_the_endpoint_is_that_of_the_tenant_and_the_newest_token_is_kept(self) -> None:
        told = recorded("token_success")
        token, request = self.refresh(ok(told["response"]["body"]))
        assert (request.path, request.to) == (told["request"]["path"], "token")
        assert request.form == {"grant_type": "refresh_token", "refresh_token": "old", **self.APP}
        assert (token.refresh_token, token.expires_in) == (told["response"]["body"]["refresh_token"], 3599)
        assert CRM.settings["tenant"].default == "organizations"

    @pytest.mark.parametrize(
        ("origin", "allowed"),
        [
            ("https://org5bd08fdd.api.crm.dynamics.com", True),
            ("https://org5bd08fdd.crm4.dynamics.com", True),
            ("https://dynamics.com.example.com", False),
            ("https://login.microsoftonline.com", False),
        ],
    )
    def test_an_account_lives_below_the_vendors_domain(self, origin: str, allowed: bool) -> None:
        assert CRM.hosts["api"].allows(origin) is allowed


class TestObjects:
    """Contacts, accounts, opportunities and users: each in one request, with what others are called."""

    OWNER: ClassVar = {"fullname": "Charles Babbage", "internalemailaddress": "charles@example.com"}

    @pytest.mark.parametrize(
        ("resource", "path", "expand"),
        [
            (
                CONTACTS,
                f"/contacts({ID})",
                "parentcustomerid_account($select=accountid,name),owninguser($select=fullname,internalemailaddress)",
            ),
            (COMPANIES, f"/accounts({ID})", "owninguser($select=fullname,internalemailaddress)"),
            (
                DEALS,
                f"/opportunities({ID})",
                "transactioncurrencyid($select=isocurrencycode),customerid_account($select=accountid,name),"
                "parentaccountid($select=name),customerid_contact($select=contactid,fullname),"
                "parentcontactid($select=fullname),owninguser($select=fullname,internalemailaddress)",
            ),
            (USERS, f"/systemusers({ID})", None),
        ],
    )
    def test_all_that_a_record_tells_is_asked_for_at_once(
        self, resource: Resource, path: str, expand: str | None
    ) -> None:
        request = next(DYNAMICS.get(resource, ID))
        assert (request.method, request.path, request.headers["prefer"]) == ("GET", f"/api/data/v9.2{path}", PREFER)
        assert request.query.get("$expand") == expand
        assert request.query["$select"].split(",") == [each for each in resource.table.columns if "." not in each]

    def test_what_is_asked_for_are_columns_and_lookups_of_the_table(self) -> None:
        entities = document("specs/msdynamics/dataverse-crm-tables.json")["entities"]
        for resource, name in ((COMPANIES, "account"), (DEALS, "opportunity"), (CONTACTS, "contact")):
            entity = entities[name]
            lookups = entity["lookups"]
            known = {"createdon", "modifiedon", entity["primary_id"], entity["primary_name"].split()[0]}
            known |= {*entity.get("columns", ()), *entity.get("writable_columns", ())}
            known |= {each["value"] for each in lookups.values() if "value" in each}
            leads_to = {path for each in lookups.values() for path in each.get("bind", ())} | {"owninguser"}
            query = next(DYNAMICS.get(resource, ID)).query
            # Of an account the facts name one line of the street; all addresses have two and more.
            assert set(query["$select"].split(",")) - known <= {"address1_line2", "_owninguser_value"}
            assert {part.split("(")[0] for part in query["$expand"].split("),")} <= leads_to

    @pytest.mark.parametrize("resource", [LEADS, CONTACTS, COMPANIES, DEALS, USERS])
    def test_whoever_wants_a_column_that_is_not_ours_gets_all_there_are(self, resource: Resource) -> None:
        """A name that no column has would be refused in `$select`; of all columns it is merely not one."""
        own = next(DYNAMICS.get(resource, ID)).query
        wanted = next(DYNAMICS.get(resource, ID, ["new_colour", "nonsense", "ownerid@odata.bind"])).query
        assert "$select" not in wanted
        assert wanted.get("$expand") == own.get("$expand")
        assert next(DYNAMICS.get(resource, ID, ["createdon"])).query == own

    def test_a_contact_of_the_vendors_pages_is_read(self) -> None:
        partner = script(ok(recorded("contact_get")["response"]["body"]))
        assert partner.hold(DYNAMICS.get(CONTACTS, ID)).item == {
            "id": ID,
            "name": "Rafel Shillo",
            "title": "Junior Developer",
        }
        assert len(partner.requests) == 1

    def test_a_contact_tells_its_account_and_its_owner_by_name(self) -> None:
        body = {
            "contactid": ID,
            "firstname": "Ada",
            "lastname": "Lovelace",
            "fullname": "Ada Lovelace",
            "emailaddress1": "ada@engines.example",
            "telephone1": "+44 20 7946 0001",
            "mobilephone": "+44 7946 1",
            "address1_line1": "12 St James's Square",
            "address1_line2": "Flat 2",
            "address1_city": "London",
            "_owninguser_value": OTHER,
            "owninguser": self.OWNER | {"systemuserid": OTHER},
            "parentcustomerid_account": {"accountid": OTHER, "name": "Engines"},
            "createdon": "2023-05-21T14:11:31Z",
        }
        assert DYNAMICS.item(CONTACTS, body) == {
            "id": ID,
            "first_name": "Ada",
            "last_name": "Lovelace",
            "name": "Ada Lovelace",
            "emails": [{"email": "ada@engines.example", "type": "primary"}],
            "phones": [
                {"number": "+44 20 7946 0001", "type": "primary"},
                {"number": "+44 7946 1", "type": "mobile"},
            ],
            "company": {"id": OTHER, "name": "Engines"},
            "owner": {"id": OTHER, "name": "Charles Babbage", "email": "charles@example.com"},
            "addresses": [{"street_1": "12 St James's Square", "street_2": "Flat 2", "city": "London"}],
            "created_at": "2023-05-21T14:11:31Z",
        }

    def test_who_belongs_to_a_person_or_to_a_team_has_no_company_and_no_owner(self) -> None:
        body = {"contactid": ID, "parentcustomerid_account": None, "_owninguser_value": None, "owninguser": None}
        assert DYNAMICS.item(CONTACTS, body) == {"id": ID}

    def test_an_account_of_the_vendors_pages_is_read(self) -> None:
        body = recorded("account_create_return_representation")["response"]["body"]
        assert script(ok(body)).hold(DYNAMICS.get(COMPANIES, ID)).item == {
            "id": "d6f193fc-ce85-e611-80d8-00155d2a68de",
            "name": "Sample Account",
            "description": "This is the description of the sample account",
            "annual_revenue": 5000000,
            "created_at": "2016-09-28T22:57:53Z",
        }
        body = recorded("account_get_expand_contact")["response"]["body"]
        assert DYNAMICS.item(COMPANIES, body) == {"id": "2728bcb4-bb27-ed11-9db1-002248274ada", "name": "Contoso Ltd"}

    def test_the_industry_of_an_account_is_told_and_given_by_its_name(self) -> None:
        body = {"accountid": ID, "industrycode": 7, f"industrycode{SHOWN}": "Consulting"}
        assert DYNAMICS.item(COMPANIES, body) == {"id": ID, "industry": "Consulting"}
        partner = script(defined(industrycode=[option(7, "Consulting")]), ok({"accountid": ID}, 201))
        item = {"name": "Engines", "industry": "consulting"}
        made = partner.hold(DYNAMICS.create(COMPANIES, DYNAMICS.draft(COMPANIES, item)))
        look, write = partner.requests
        assert "LogicalName='account'" in look.path
        assert write.json == {"name": "Engines", "industrycode": 7}
        assert (made.item, made.partial) == ({"id": ID}, False)

    def test_a_recorded_opportunity_is_read(self) -> None:
        partner = script(ok(recorded("opportunity_get_full")["response"]["body"]))
        assert partner.hold(DYNAMICS.get(DEALS, ID)).item == {
            "id": "e90a0493-e8f0-ea11-a815-000d3a1b14a2",
            "name": "10 Airpot XL Coffee Makers for Alpine Ski House",
            "amount": 4990,
            "status": "open",
            "probability": 65,
            "close_date": "2023-06-25",
            "description": "Adding coffee machines to HQ",
            "company": {"id": "81883308-7ad5-ea11-a813-000d3a33f3b4"},
            "contact": {"id": "d1bf9a01-b056-e711-abaa-00155d701c02"},
            "owner": {"id": "c47037b2-85f7-ed11-8847-000d3a358523"},
            "created_at": "2023-05-21T14:11:31Z",
            "updated_at": "2023-05-21T14:13:10Z",
        }

    def test_an_opportunity_tells_its_stage_its_currency_and_who_it_is_for(self) -> None:
        body = {
            "opportunityid": ID,
            "salesstage": 1,
            f"salesstage{SHOWN}": "Develop",
            "statecode": 1,
            "actualclosedate": "2023-06-20",
            "_parentaccountid_value": OTHER,
            "parentaccountid": {"name": "Engines", "accountid": OTHER},
            "_parentcontactid_value": OTHER,
            "parentcontactid": {"fullname": "Ada Lovelace", "contactid": OTHER},
            "transactioncurrencyid": {"isocurrencycode": "GBP"},
        }
        assert DYNAMICS.item(DEALS, body) == {
            "id": ID,
            "currency": "GBP",
            "stage": {"id": "1", "name": "Develop"},
            "status": "won",
            "company": {"id": OTHER, "name": "Engines"},
            "contact": {"id": OTHER, "name": "Ada Lovelace"},
            "closed_at": "2023-06-20T00:00:00Z",
        }

    @pytest.mark.parametrize(
        ("customer", "ours"),
        [
            ({"customerid_account": {"accountid": OTHER, "name": "E"}}, {"company": {"id": OTHER, "name": "E"}}),
            ({"customerid_contact": {"contactid": OTHER, "fullname": "A"}}, {"contact": {"id": OTHER, "name": "A"}}),
        ],
    )
    def test_the_customer_of_an_opportunity_stands_for_what_its_form_did_not_ask(
        self, customer: dict[str, Any], ours: dict[str, Any]
    ) -> None:
        nothing = {"_parentaccountid_value": None, "parentaccountid": None, "_parentcontactid_value": None}
        assert DYNAMICS.item(DEALS, {"opportunityid": ID} | nothing | customer) == {"id": ID} | ours

    def test_a_company_that_may_not_be_seen_is_not_called_by_the_name_of_another(self) -> None:
        body = {
            "opportunityid": ID,
            "_parentaccountid_value": ID,
            "parentaccountid": None,
            "customerid_account": {"accountid": OTHER, "name": "Engines"},
            "_parentcontactid_value": ID,
            "parentcontactid": None,
            "customerid_contact": {"contactid": OTHER, "fullname": "Ada"},
        }
        assert DYNAMICS.item(DEALS, body) == {"id": ID, "company": {"id": ID}, "contact": {"id": ID}}

    def test_a_probability_is_a_whole_number(self) -> None:
        """As `Edm.Int32` has it, which an amount of ours need not be."""
        body = DYNAMICS.draft(DEALS, {"name": "x", "probability": 65.0}).body
        assert repr(body["closeprobability"]) == "65"

    def test_a_user_is_read(self) -> None:
        body = self.OWNER | {"systemuserid": ID, "firstname": "Charles", "lastname": "Babbage", "isdisabled": False}
        expected = {
            "id": ID,
            "name": "Charles Babbage",
            "first_name": "Charles",
            "last_name": "Babbage",
            "email": "charles@example.com",
            "active": True,
        }
        assert DYNAMICS.item(USERS, body) == expected
        assert DYNAMICS.item(USERS, body | {"isdisabled": True}) == expected | {"active": False}

    @pytest.mark.parametrize(
        ("resource", "item", "body"),
        [
            (
                CONTACTS,
                {
                    "first_name": "Ada",
                    "last_name": "Lovelace",
                    "title": "Countess",
                    "emails": [{"email": "ada@example.com", "type": "primary"}],
                    "phones": [{"number": "1", "type": "mobile"}],
                    "company": {"id": ID},
                    "owner": {"id": OTHER},
                    "addresses": [{"street_1": "12 Dorset Street", "city": "London", "postal_code": "W1"}],
                    "description": "Wants engines.",
                },
                {
                    "firstname": "Ada",
                    "lastname": "Lovelace",
                    "jobtitle": "Countess",
                    "emailaddress1": "ada@example.com",
                    "mobilephone": "1",
                    "parentcustomerid_account@odata.bind": f"/accounts({ID})",
                    "ownerid@odata.bind": f"/systemusers({OTHER})",
                    "address1_line1": "12 Dorset Street",
                    "address1_city": "London",
                    "address1_postalcode": "W1",
                    "description": "Wants engines.",
                },
            ),
            (
                COMPANIES,
                {
                    "name": "Engines",
                    "website": "https://engines.example",
                    "phones": [{"number": "1", "type": "primary"}],
                    "industry": "Consulting",
                    "description": "Builders.",
                    "number_of_employees": 12,
                    "annual_revenue": 5000,
                    "owner": {"id": OTHER},
                    "addresses": [{"street_1": "12 Dorset Street", "country": "UK"}],
                },
                {
                    "name": "Engines",
                    "websiteurl": "https://engines.example",
                    "telephone1": "1",
                    "industrycode": "Consulting",
                    "description": "Builders.",
                    "numberofemployees": 12,
                    "revenue": 5000,
                    "ownerid@odata.bind": f"/systemusers({OTHER})",
                    "address1_line1": "12 Dorset Street",
                    "address1_country": "UK",
                },
            ),
            (
                DEALS,
                {
                    "name": "Engine no. 2",
                    "amount": 12500,
                    "stage": {"id": "1"},
                    "probability": 65,
                    "description": "One engine.",
                    "company": {"id": ID},
                    "contact": {"id": OTHER},
                    "owner": {"id": OTHER},
                },
                {
                    "name": "Engine no. 2",
                    "estimatedvalue": 12500,
                    "salesstage": 1,
                    "closeprobability": 65,
                    "description": "One engine.",
                    "parentaccountid@odata.bind": f"/accounts({ID})",
                    "parentcontactid@odata.bind": f"/contacts({OTHER})",
                    "ownerid@odata.bind": f"/systemusers({OTHER})",
                },
            ),
        ],
    )
    def test_what_is_written_comes_back(self, resource: Resource, item: dict[str, Any], body: dict[str, Any]) -> None:
        drafted = DYNAMICS.draft(resource, item | {"custom_fields": {"new_colour": "teal"}})
        assert (drafted.body, drafted.ignored) == (body | {"new_colour": "teal"}, ())
        told = {"custom_fields": {"new_colour": "teal"}} if resource is CONTACTS else {}
        assert DYNAMICS.item(resource, drafted.body) == item | told

    def test_the_day_of_closing_is_written_and_the_currency_has_no_place(self) -> None:
        drafted = DYNAMICS.draft(DEALS, {"name": "x", "close_date": date(2026, 12, 31), "currency": "GBP"})
        assert (drafted.body, drafted.ignored) == ({"name": "x", "estimatedclosedate": "2026-12-31"}, ("currency",))
        assert DYNAMICS.item(DEALS, drafted.body)["close_date"] == "2026-12-31"

    @pytest.mark.parametrize("resource", [CONTACTS, COMPANIES, DEALS, USERS])
    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (404, "0x80040217", Kind.CRM_NOT_FOUND),
            (404, "", Kind.CRM_NOT_FOUND),
            (404, "0x80060891", Kind.CRM_NOT_FOUND),
            (403, "0x80040220", Kind.CRM_FORBIDDEN),
            (403, "0x80072560", Kind.CRM_FORBIDDEN),
            (404, "0x80060888", Kind.CRM_REJECTED),
        ],
    )
    def test_a_read_that_fails_says_why(self, resource: Resource, status: int, code: str, kind: Kind) -> None:
        refusal = Response(status, {}, {"error": {"code": code, "message": "No."}})
        assert problem(refusal, talk=DYNAMICS.get(resource, ID)).kind is kind

    def test_related_records_are_read_by_the_ids_that_were_told(self) -> None:
        deal = script(ok(recorded("opportunity_get_full")["response"]["body"])).hold(DYNAMICS.get(DEALS, ID))
        for name, other, table in (
            ("company", COMPANIES, "accounts"),
            ("contact", CONTACTS, "contacts"),
            ("owner", USERS, "systemusers"),
        ):
            id = deal.item[name]["id"]
            partner = script(ok({other.table.columns[0]: id}))
            found = partner.hold(DYNAMICS.related(DEALS, deal, name, other))
            assert found
            assert found.item == {"id": id}
            assert [each.path for each in partner.requests] == [f"/api/data/v9.2/{table}({id})"]

    def test_the_stage_of_an_opportunity_is_found_among_the_choices(self) -> None:
        body = {"opportunityid": ID, "salesstage": 1, f"salesstage{SHOWN}": "Develop"}
        deal = script(ok(body)).hold(DYNAMICS.get(DEALS, ID))
        partner = script(defined(salesstage=[option(0, "Qualify"), option(1, "Develop")]))
        found = partner.hold(DYNAMICS.related(DEALS, deal, "stage", STAGES))
        assert found
        assert (found.item["id"], found.item["name"], len(partner.requests)) == ("1", "Develop", 1)

    def test_a_pod_is_made_of_contacts_deals_or_companies(self) -> None:
        assert list(CRM.pods.items()) == [(each, each) for each in ("contacts", "deals", "companies")]
