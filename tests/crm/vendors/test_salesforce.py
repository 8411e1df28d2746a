"""What is peculiar to Salesforce: queries in SOQL, a company that is a text, columns beside the given account."""

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from switchboard.crm.auth import OAuth2
from switchboard.crm.dialect import Answer
from switchboard.crm.paging import OLDEST
from switchboard.crm.places import Record
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.vendors.salesforce import CRM, literal
from switchboard.crm.wire import Response, dig
from tests.crm.samples import CASES
from tests.crm.shared import document
from tests.crm.voices import minutes
from tests.talk import ok, script

CASE = CASES["salesforce-leads"]
SALESFORCE = CRM.dialect
LEADS = CASE.resource
MADE = ok({"id": "00Q000000000000001", "success": True, "errors": []}, 201)
ESCAPED = re.compile(r"'(?:[^'\\\n\r\t\b\f\"]|\\['\"\\nrtbf])*'")


class TestLiteral:
    @given(value=st.text())
    @example("\\")
    @example("\\'")
    @example("' OR Name != '")
    @example("%_\n\r\t\b\f\"'\\")
    def test_no_value_leaves_its_literal(self, value: str) -> None:
        assert ESCAPED.fullmatch(literal(value))

    @given(value=st.text())
    def test_a_value_is_what_its_literal_says(self, value: str) -> None:
        meant = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
        assert re.sub(r"\\(.)", lambda found: meant.get(found[1], found[1]), literal(value)[1:-1]) == value

    @pytest.mark.parametrize(
        ("value", "written"),
        [
            (None, "null"),
            (True, "true"),
            (False, "false"),
            (7, "7"),
            (1.5, "1.5"),
            (datetime(2026, 5, 1, 12, 0, 0, 900_000, tzinfo=UTC), "2026-05-01T12:00:00Z"),
            ("Ada", "'Ada'"),
            ({"a": "'"}, "'{\\'a\\': \\\"\\'\\\"}'"),
        ],
    )
    def test_each_kind_of_value_is_written_in_its_own_way(self, value: Any, written: str) -> None:
        assert literal(value) == written

    @given(value=st.text(min_size=1), key=st.sampled_from(["title", "first_name", "last_name"]))
    def test_no_field_of_a_request_gets_into_the_query_but_as_a_literal(self, value: str, key: str) -> None:
        request = next(SALESFORCE.find(LEADS, CASE.draft({key: value, "last_name": value}), minutes(0)))
        bare = ESCAPED.sub("''", request.query["q"])
        assert re.fullmatch(
            r"SELECT [\w, ]+ FROM Lead WHERE (\w+ = '' AND )+CreatedDate >= \S+ ORDER BY [\w, ]+ LIMIT \d+", bare
        )

    @given(value=st.text() | st.dictionaries(st.text(), st.text(), max_size=2) | st.lists(st.text(), max_size=2))
    def test_nor_does_what_remote_data_holds(self, value: Any) -> None:
        talk = SALESFORCE.find(LEADS, CASE.draft({"title": "x"}, {"LastName": value}), minutes(0))
        bare = ESCAPED.sub("''", next(talk).query["q"])
        assert "'" not in bare.replace("''", "")
        assert "\\" not in bare

    @given(id=st.text(min_size=1))
    def test_nor_does_what_a_cursor_holds(self, id: str) -> None:
        for cursor in ({"id": id}, {"id": id, "at": "2026-05-01T12:00:00.000+0000"}):
            request = next(SALESFORCE.list(LEADS, since=minutes(0) if "at" in cursor else None, cursor=cursor, limit=5))
            bare = ESCAPED.sub("''", request.query["q"])
            assert "'" not in bare.replace("''", "")
            assert "\\" not in bare


class TestCompany:
    """A lead's company is a text; the contract names an account by its id."""

    def test_the_name_of_the_account_becomes_the_company(self) -> None:
        partner = script(ok({"Name": "Acme"}), MADE, ok({"Id": "00Q000000000000001"}))
        partner.hold(SALESFORCE.create(LEADS, CASE.draft({"last_name": "Lovelace", "account": {"id": "001A"}})))
        assert partner.requests[0].path.endswith("/sobjects/Account/001A")
        assert partner.requests[0].query == {"fields": "Name"}
        [created] = partner.unsafe
        assert created.json == {"LastName": "Lovelace", "Company": "Acme"}

    def test_a_company_that_remote_data_names_costs_no_request(self) -> None:
        partner = script(MADE, ok({"Id": "00Q000000000000001"}))
        draft = CASE.draft({"last_name": "Lovelace", "account": {"id": "001A"}}, {"Company": "Analytical Engines"})
        partner.hold(SALESFORCE.create(LEADS, draft))
        [created] = partner.unsafe
        assert created.json == {"LastName": "Lovelace", "Company": "Analytical Engines"}

    def test_an_account_that_is_not_there_is_told_before_anything_is_made(self) -> None:
        partner = script(Response(404, {}, [{"errorCode": "NOT_FOUND", "message": "no"}]))
        with pytest.raises(Problem) as caught:
            partner.hold(SALESFORCE.create(LEADS, CASE.draft({"account": {"id": "001A"}})))
        assert caught.value.kind is Kind.CRM_NOT_FOUND
        assert not partner.unsafe

    def test_the_draft_can_be_sent_again(self) -> None:
        draft = CASE.draft({"last_name": "Lovelace", "account": {"id": "001A"}})
        for _ in range(2):
            partner = script(ok({"Name": "Acme"}), MADE, ok({"Id": "00Q000000000000001"}))
            partner.hold(SALESFORCE.create(LEADS, draft))
            assert len(partner.requests) == 3


class TestIds:
    @pytest.mark.parametrize("id", ["describe", "deleted", "approvalLayouts", "00Q/0000", "00Q0000000000000000", ""])
    def test_what_is_no_id_is_asked_for_nowhere(self, id: str) -> None:
        """`GET /sobjects/Lead/describe` answers a description."""
        partner = script()
        for talk in (SALESFORCE.get(LEADS, id), SALESFORCE.delete(LEADS, id)):
            with pytest.raises(Problem) as caught:
                partner.hold(talk)
            assert caught.value.kind is Kind.CRM_BAD_ID

    @pytest.mark.parametrize("id", ["00Q5e00000abcde", "00Q5e00000abcdeEAA", "a0B000000000001"])
    def test_an_id_of_fifteen_or_eighteen_is_one(self, id: str) -> None:
        assert next(SALESFORCE.get(LEADS, id)).path.endswith(f"/sobjects/Lead/{id}")


class TestComplaint:
    def test_a_2xx_that_says_no_is_a_refusal(self) -> None:
        body = {
            "id": None,
            "success": False,
            "errors": [{"statusCode": "DUPLICATE_VALUE", "message": "no", "fields": []}],
        }
        with pytest.raises(Problem) as caught:
            script(ok(body, 201)).hold(SALESFORCE.create(LEADS, CASE.draft({"last_name": "x"})))
        assert caught.value.kind is Kind.CRM_CONFLICT

    def test_the_id_in_the_way_of_a_unique_value_stands_in_the_sentence(self) -> None:
        message = "duplicate value found: Email__c duplicates value on record with id: 00Q5e00000abcde"
        complaint = SALESFORCE.complaint(Response(400, {}, [{"errorCode": "DUPLICATE_VALUE", "message": message}]))
        assert complaint
        assert complaint.existing_id == "00Q5e00000abcde"

    @pytest.mark.parametrize("key", ["duplicateResut", "duplicateResult"])
    def test_the_vendors_spelling_and_the_right_one_are_both_read(self, key: str) -> None:
        result = {"matchResults": [{"matchRecords": [{"record": {"Id": "00Q1"}}]}]}
        complaint = SALESFORCE.complaint(Response(400, {}, [{"errorCode": "DUPLICATES_DETECTED", key: result}]))
        assert complaint
        assert complaint.existing_id == "00Q1"

    @pytest.mark.parametrize("odd", [7, True, "text", {"a": 1}, None], ids=repr)
    def test_an_error_of_any_shape_is_a_complaint(self, odd: Any) -> None:
        for body in ([{"errorCode": odd, "message": odd, "fields": odd}], {"fields": odd}, [odd], odd):
            complaint = SALESFORCE.complaint(Response(400, {}, body))
            assert complaint
            assert all(len(name) > 1 for name in complaint.fields), "no single letters"

    def test_an_id_in_the_way_is_text_or_none(self) -> None:
        result = {"matchResults": [{"matchRecords": [{"record": {"Id": {"odd": 1}}}]}]}
        complaint = SALESFORCE.complaint(
            Response(400, {}, [{"errorCode": "DUPLICATES_DETECTED", "duplicateResut": result}])
        )
        assert complaint
        assert complaint.existing_id is None

    def test_a_row_that_is_locked_for_a_moment_is_not_refused_for_good(self) -> None:
        """The fact sheet: retry. As `crm-rejected` it would be kept for a day under its Idempotency-Key."""
        body = [{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access to this record"}]
        with pytest.raises(Problem) as caught:
            script(Response(400, {}, body)).hold(SALESFORCE.create(LEADS, CASE.draft({"last_name": "x"})))
        assert caught.value.kind in (Kind.CRM_UNAVAILABLE, Kind.CRM_RATE_LIMITED)

    def test_an_error_that_is_a_single_object_is_read_too(self) -> None:
        complaint = SALESFORCE.complaint(Response(403, {}, {"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "no"}))
        assert complaint
        assert complaint.code == "REQUEST_LIMIT_EXCEEDED"

    @pytest.mark.parametrize(
        ("header", "figures"),
        [
            ("api-usage=25/100", (100, 75)),
            ("api-usage=120/100", (100, 0)),
            ("per-app-api-usage=1/2", (2, 1)),
            ("x", None),
        ],
    )
    def test_what_is_left_of_the_day_is_told(self, header: str, figures: tuple[int, int] | None) -> None:
        rate = SALESFORCE.rate(Response(200, {"sforce-limit-info": header}))
        assert (rate and (rate.limit, rate.remaining)) == figures


class TestList:
    def test_the_cursor_holds_the_last_moment_and_id(self) -> None:
        record = {"Id": "00Q1", "LastModifiedDate": "2026-05-01T12:00:00.000+0000"}
        page = script(ok({"records": [record]})).hold(SALESFORCE.list(LEADS, since=minutes(0), limit=1))
        assert page.cursor == {"id": "00Q1", "at": "2026-05-01T12:00:00.000+0000"}

    def test_a_page_that_is_not_full_is_the_last(self) -> None:
        record = {"Id": "00Q1", "LastModifiedDate": "2026-05-01T12:00:00.000+0000"}
        assert script(ok({"records": [record]})).hold(SALESFORCE.list(LEADS, limit=5)).cursor is None

    @pytest.mark.parametrize("since", [None, minutes(0)], ids=["all", "changed"])
    def test_a_page_that_says_it_is_not_all_is_not_the_last_however_short(self, since: datetime | None) -> None:
        """The size of a batch is the vendor's own affair."""
        records = [{"Id": f"00Q{n}", "LastModifiedDate": "2026-05-01T12:00:00.000+0000"} for n in (1, 2)]
        body = {"totalSize": 5, "done": False, "nextRecordsUrl": "/services/data/x", "records": records}
        page = script(ok(body)).hold(SALESFORCE.list(LEADS, since=since, limit=5))
        assert page.cursor
        assert page.cursor["id"] == "00Q2"

    def test_what_changed_is_found_by_the_moment_that_is_told(self) -> None:
        """The stamp of the system moves without a change that anybody made, and is told to nobody."""
        query = next(SALESFORCE.list(LEADS, since=minutes(0), limit=5)).query["q"]
        where = "LastModifiedDate >= 2026-05-01T12:00:00Z ORDER BY LastModifiedDate ASC, Id ASC"
        assert query == f"SELECT FIELDS(ALL) FROM Lead WHERE {where} LIMIT 5"

    def test_all_fields_are_asked_for_as_one_that_is_hidden_would_fail_the_query(self) -> None:
        query = next(SALESFORCE.list(LEADS, limit=500)).query["q"]
        assert query == "SELECT FIELDS(ALL) FROM Lead ORDER BY Id ASC LIMIT 200"

    def test_a_changed_record_without_its_moment_ends_in_a_problem_or_a_page_that_can_be_resumed(self) -> None:
        try:
            page = script(ok({"records": [{"Id": "00Q1"}]})).hold(SALESFORCE.list(LEADS, since=minutes(0), limit=5))
        except Problem:
            return
        if page.cursor:
            script(ok({"records": []})).hold(SALESFORCE.list(LEADS, since=minutes(0), cursor=page.cursor, limit=5))

    def test_no_query_goes_by_an_offset(self) -> None:
        for since in (None, minutes(0)):
            assert "OFFSET" not in next(SALESFORCE.list(LEADS, since=since, limit=5)).query["q"]


class TestContacts:
    """All fields of two hundred at once: no more come where they are not named, and custom ones come along."""

    STAMP = "2026-05-01T12:00:00.000+0000"

    def body(self, number: int, **fields: Any) -> Any:
        stamps = {"SystemModstamp": self.STAMP, "LastModifiedDate": "2020-01-01T00:00:00.000+0000"}
        return {"Id": f"003{number:015d}", "LastName": "Lovelace", **stamps, **fields}

    def test_the_first_page_asks_for_all_that_ever_changed(self) -> None:
        """By the stamp of the system: an import may set the other moment back, and an activity leaves it as it was."""
        request = next(SALESFORCE.list(CONTACTS, since=OLDEST, limit=2000))
        where = "SystemModstamp >= 1970-01-01T00:00:00Z ORDER BY SystemModstamp ASC, Id ASC"
        assert request.query["q"] == f"SELECT FIELDS(ALL) FROM Contact WHERE {where} LIMIT 200"
        assert request.path == "/services/data/v66.0/query"

    def test_a_later_page_begins_behind_the_last_moment_and_id(self) -> None:
        partner = script(ok({"records": [self.body(1), self.body(2)]}), ok({"records": []}))
        page = partner.hold(SALESFORCE.list(CONTACTS, since=OLDEST, limit=2))
        assert page.cursor == {"id": "003000000000000002", "at": self.STAMP}
        partner.hold(SALESFORCE.list(CONTACTS, since=OLDEST, limit=2, cursor=page.cursor))
        at, last = "2026-05-01T12:00:00Z", "'003000000000000002'"
        where = f"WHERE (SystemModstamp > {at} OR (SystemModstamp = {at} AND Id > {last})) ORDER BY"
        assert where in partner.requests[1].query["q"]

    def test_without_a_moment_they_come_by_id(self) -> None:
        talk = SALESFORCE.list(CONTACTS, limit=5, cursor={"id": "003000000000000002"})
        where = "WHERE Id > '003000000000000002' ORDER BY Id ASC LIMIT 5"
        assert next(talk).query["q"] == f"SELECT FIELDS(ALL) FROM Contact {where}"

    def test_an_item_of_the_list_is_that_of_a_read(self) -> None:
        body = self.body(1, OwnerId="005000000000001", AccountId="001000000000001", Colour__c="teal", Odd__c=None)
        [listed] = script(ok({"records": [body]})).hold(SALESFORCE.list(CONTACTS, since=OLDEST, limit=5)).answers
        assert listed.item == script(ok(body)).hold(SALESFORCE.get(CONTACTS, body["Id"])).item
        assert (listed.item["owner"], listed.item["company"]) == ({"id": "005000000000001"}, {"id": "001000000000001"})
        assert listed.item["custom_fields"] == {"Colour__c": "teal"}

    def test_deleted_contacts_stand_in_the_recycle_bin(self) -> None:
        full = [{"Id": f"003{n:015d}"} for n in range(2000)]
        partner = script(ok({"records": full, "done": True}), ok({"records": full[:1], "done": True}))
        gone = partner.hold(SALESFORCE.deleted(CONTACTS, since=minutes(0)))
        assert gone
        assert (len(gone.ids), gone.cursor) == (2000, {"id": "003000000000001999"})
        last = partner.hold(SALESFORCE.deleted(CONTACTS, since=minutes(0), cursor=gone.cursor))
        assert last
        assert (last.ids, last.cursor) == (["003000000000000000"], None)
        first, second = (request.query["q"] for request in partner.requests)
        where = "IsDeleted = true AND SystemModstamp >= 2026-05-01T12:00:00Z"
        assert first == f"SELECT Id FROM Contact WHERE {where} ORDER BY Id ASC LIMIT 2000"
        assert f"{where} AND Id > '003000000000001999' ORDER BY" in second
        assert {request.path for request in partner.requests} == {"/services/data/v66.0/queryAll"}

    def test_a_short_page_of_the_bin_that_is_not_all_goes_on(self) -> None:
        gone = script(ok({"records": [{"Id": "0031"}], "done": False})).hold(
            SALESFORCE.deleted(CONTACTS, since=minutes(0))
        )
        assert gone
        assert gone.cursor == {"id": "0031"}


class TestLogin:
    def refusal(self, sentence: str) -> Problem:
        login = CRM.auth["oauth2"]
        assert isinstance(login, OAuth2)
        return login.refusal(Response(400, {}, {"error": "invalid_grant", "error_description": sentence}))

    def test_an_account_whose_token_another_is_refreshing_is_not_lost(self) -> None:
        problem = self.refusal("token request is already being processed")
        assert (problem.kind, problem.retry_after) == (Kind.CRM_UNAVAILABLE, 2)

    def test_an_account_whose_grant_is_dead_is(self) -> None:
        assert self.refusal("expired access/refresh token").kind is Kind.NEEDS_REAUTH


class TestNamedCompany:
    def test_an_account_beside_a_company_is_told_as_having_no_place_and_is_not_read(self) -> None:
        item = {"last_name": "Lovelace", "account": {"id": "001000000000001"}}
        draft = CASE.draft(item, {"Company": "Engines"})
        assert draft.ignored == ("account",)
        assert draft.body == {"LastName": "Lovelace", "Company": "Engines"}


class TestLook:
    def query(self, item: dict[str, Any]) -> str:
        partner = script(ok({"records": []}))
        partner.hold(SALESFORCE.find(LEADS, CASE.draft(item), minutes(0)))
        return partner.requests[0].query["q"]

    def test_it_looks_for_what_the_vendor_keeps_of_a_text(self) -> None:
        query = self.query({"last_name": "  Lovelace ", "first_name": " ", "title": ""})
        assert "LastName = 'Lovelace'" in query
        assert "FirstName" not in query
        assert "Title" not in query

    def test_it_asks_for_no_column_that_was_not_sent(self) -> None:
        query = self.query({"last_name": "Lovelace", "phone_numbers": [{"number": "1", "type": "mobile"}]})
        assert query.startswith("SELECT Id, CreatedDate, LastName, MobilePhone FROM Lead WHERE")


CONTACTS, COMPANIES, DEALS, USERS, STAGES = (
    CASES[f"salesforce-{plural}"].resource for plural in ("contacts", "companies", "deals", "users", "stages")
)
OBJECTS = {"Contact": CONTACTS, "Account": COMPANIES, "Opportunity": DEALS, "User": USERS}
ID = "006dM00000Mw7VtQAJ"


def recorded(name: str, path: str = "response.body") -> Any:
    """A part of a recorded exchange."""
    return dig(document(f"fixtures/salesforce/{name}.json"), path)


def problem(talk: Any, *replies: Response) -> Problem:
    with pytest.raises(Problem) as caught:
        script(*replies).hold(talk)
    return caught.value


class TestRecorded:
    def test_a_contact(self) -> None:
        first, second, _ = (SALESFORCE.item(CONTACTS, each) for each in recorded("contacts.query.200")["records"])
        assert first == {
            "id": "003dM00001vWOXJQA4",
            "first_name": "Rose",
            "last_name": "Gonzalez",
            "name": "Rose Gonzalez",
            "title": "SVP, Procurement",
            "emails": [{"email": "user5@example.com", "type": "primary"}],
            "phones": [
                {"number": "(512) 757-6000", "type": "primary"},
                {"number": "(512) 757-9340", "type": "mobile"},
            ],
            "addresses": [{"street_1": "313 Constitution Place", "street_2": "Austin, TX 78767\nUSA"}],
            "company": {"id": "001dM00003jU9GxQAK"},
            "created_at": "2026-05-01T07:25:37Z",
        }
        assert (second["name"], second["company"]) == ("Tim Barr", {"id": "001dM00003jU9H1QAK"})

    def test_a_company(self) -> None:
        first, *_ = (SALESFORCE.item(COMPANIES, each) for each in recorded("accounts.query.page1.200")["records"])
        assert first == {
            "id": "001dM00003jU9GyQAK",
            "name": "Burlington Textiles Corp of America",
            "website": "www.burlington.com",
            "phones": [{"number": "(336) 222-7000", "type": "primary"}],
            "industry": "Apparel",
            "addresses": [{"city": "Burlington", "state": "NC", "country": "USA"}],
            "created_at": "2026-05-01T07:25:37Z",
            "updated_at": "2026-05-01T07:25:37Z",
        }

    def test_a_deal(self) -> None:
        first, *_ = (SALESFORCE.item(DEALS, each) for each in recorded("opportunities.query.200")["records"])
        assert first == {
            "id": ID,
            "name": "Dickenson Mobile Generators",
            "amount": 15000,
            "stage": {"id": "Qualification"},
            "close_date": "2026-03-08",
            "owner": {"id": "005dM00000aYf0qQAC"},
        }


class TestObjects:
    """One read of an id, without columns, answers all that the user may see: custom fields too."""

    @pytest.mark.parametrize("name", OBJECTS)
    def test_a_read_is_one_request_that_names_no_columns(self, name: str) -> None:
        partner = script(ok({"attributes": {"type": name}, "Id": ID, "Colour__c": "teal"}))
        answer = partner.hold(SALESFORCE.get(OBJECTS[name], ID))
        [request] = partner.requests
        assert (request.method, request.path) == ("GET", f"/services/data/v66.0/sobjects/{name}/{ID}")
        assert dict(request.query) == {}
        assert answer.item == {"id": ID} | ({} if name == "User" else {"custom_fields": {"Colour__c": "teal"}})

    def test_a_user(self) -> None:
        body = {
            "Id": "005dM00000aYf0qQAC",
            "Name": "Charles Babbage",
            "FirstName": "Charles",
            "LastName": "Babbage",
            "Username": "charles@org.example",
            "Email": "charles@example.com",
            "IsActive": False,
        }
        assert SALESFORCE.item(USERS, body) == {
            "id": "005dM00000aYf0qQAC",
            "name": "Charles Babbage",
            "first_name": "Charles",
            "last_name": "Babbage",
            "email": "charles@example.com",
            "active": False,
        }

    @pytest.mark.parametrize(
        ("flags", "status"),
        [((False, False), "open"), ((True, True), "won"), ((True, False), "lost"), ((None, None), None)],
    )
    def test_what_became_of_a_deal_follows_its_stage(self, flags: tuple[Any, Any], status: str | None) -> None:
        body = {"Id": ID, "IsClosed": flags[0], "IsWon": flags[1]}
        assert SALESFORCE.item(DEALS, body).get("status") == status

    def test_a_deal_of_an_org_with_one_currency_tells_none(self) -> None:
        assert SALESFORCE.item(DEALS, {"Id": ID, "Amount": 7.5}) == {"id": ID, "amount": 7.5}

    def test_what_is_not_there_is_not_found(self) -> None:
        deleted = [{"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED"}]
        for body in (recorded("record.get.not-found.404"), deleted):
            for resource in OBJECTS.values():
                assert problem(SALESFORCE.get(resource, ID), Response(404, {}, body)).kind is Kind.CRM_NOT_FOUND

    def test_an_id_that_the_vendor_cannot_read_is_a_bad_one(self) -> None:
        body = [{"message": "malformed id", "errorCode": "MALFORMED_ID"}]
        assert problem(SALESFORCE.get(DEALS, ID), Response(400, {}, body)).kind is Kind.CRM_BAD_ID

    def test_an_id_in_a_body_that_it_cannot_read_is_a_refusal_as_it_always_was(self) -> None:
        body = [{"message": "Owner ID: malformed", "errorCode": "MALFORMED_ID", "fields": ["OwnerId"]}]
        talk = SALESFORCE.create(LEADS, CASE.draft({"last_name": "Lovelace"}))
        assert problem(talk, Response(400, {}, body)).kind is Kind.CRM_REJECTED

    @pytest.mark.parametrize("id", ["describe", "approvalLayouts", "00Q/0000", "00Q0000000000000000", ""])
    def test_a_word_is_no_id(self, id: str) -> None:
        for resource in OBJECTS.values():
            assert problem(SALESFORCE.get(resource, id)).kind is Kind.CRM_BAD_ID

    @pytest.mark.parametrize("status", [400, 403])
    def test_what_the_user_may_not_see_is_forbidden(self, status: int) -> None:
        answer = Response(status, {}, recorded("record.delete.no-permission.403"))
        assert problem(SALESFORCE.get(DEALS, ID), answer).kind is Kind.CRM_FORBIDDEN


class TestBothWays:
    """What is written is read again as it was."""

    def turned(self, name: str, item: Record) -> tuple[Record, Record]:
        record, ignored = OBJECTS[name].table.out(item)
        assert ignored == []
        return record, OBJECTS[name].table.into(record)

    def test_a_contact(self) -> None:
        item = {
            "first_name": "Ada",
            "last_name": "Lovelace",
            "title": "Head of Programmes",
            "emails": [{"email": "ada@engines.example", "type": "primary"}],
            "phones": [{"number": "1", "type": "primary"}, {"number": "2", "type": "mobile"}],
            "addresses": [{"street_1": "12 Dorset Street", "city": "London", "country": "United Kingdom"}],
            "description": "Writes programmes.",
            "company": {"id": "001dM00003jU9GxQAK"},
            "owner": {"id": "005dM00000aYf0qQAC"},
            "custom_fields": {"Colour__c": "teal"},
        }
        record, back = self.turned("Contact", item)
        assert back == {**item, "name": "Ada Lovelace"}
        assert (record["MailingCity"], record["AccountId"]) == ("London", "001dM00003jU9GxQAK")

    def test_a_company(self) -> None:
        item = {
            "name": "Analytical Engines",
            "website": "https://engines.example",
            "phones": [{"number": "1", "type": "primary"}, {"number": "2", "type": "fax"}],
            "industry": "Machinery",
            "description": "Builders of engines.",
            "number_of_employees": 12,
            "annual_revenue": 1.5,
            "addresses": [{"street_1": "12 Dorset Street", "street_2": "Second floor", "postal_code": "W1"}],
            "owner": {"id": "005dM00000aYf0qQAC"},
            "custom_fields": {"Colour__c": "teal"},
        }
        record, back = self.turned("Account", item)
        assert back == item
        assert record["BillingStreet"] == "12 Dorset Street\nSecond floor"

    def test_a_deal(self) -> None:
        """Its stage is named by the value of the picklist, which is all that the vendor tells of it."""
        item = {
            "name": "Engine no. 2",
            "amount": 12500,
            "currency": "GBP",
            "stage": {"id": "Qualification"},
            "probability": 20,
            "close_date": date(2026, 12, 31),
            "description": "One engine.",
            "company": {"id": "001dM00003jU9GxQAK"},
            "contact": {"id": "003dM00001vWOXJQA4"},
            "owner": {"id": "005dM00000aYf0qQAC"},
            "custom_fields": {"Colour__c": "teal"},
        }
        record, back = self.turned("Opportunity", item)
        assert back == {**item, "close_date": "2026-12-31"}
        assert (record["StageName"], record["CloseDate"]) == ("Qualification", "2026-12-31")


class TestRelated:
    def deal(self, **columns: str) -> Answer:
        body = {"Id": ID, **columns}
        return Answer(SALESFORCE.item(DEALS, body), body)

    @pytest.mark.parametrize(
        ("name", "column", "other"),
        [("company", "AccountId", "Account"), ("owner", "OwnerId", "User"), ("contact", "ContactId", "Contact")],
    )
    def test_what_a_deal_names_by_its_id_is_one_read(self, name: str, column: str, other: str) -> None:
        partner = script(ok({"Id": "0010000000000001"}))
        deal = self.deal(**{column: "0010000000000001"})
        assert partner.hold(SALESFORCE.related(DEALS, deal, name, OBJECTS[other]))
        assert [each.path for each in partner.requests] == [f"/services/data/v66.0/sobjects/{other}/0010000000000001"]

    def test_without_a_primary_contact_it_is_one_that_has_a_role(self) -> None:
        partner = script(ok({"done": True, "records": [{"Id": "003dM00001vWOXJQA4", "Colour__c": "teal"}]}))
        found = partner.hold(SALESFORCE.related(DEALS, self.deal(), "contact", CONTACTS))
        assert found
        assert found.item == {"id": "003dM00001vWOXJQA4", "custom_fields": {"Colour__c": "teal"}}
        [request] = partner.requests
        roles = f"SELECT ContactId FROM OpportunityContactRole WHERE OpportunityId = '{ID}'"
        assert request.query["q"] == (
            f"SELECT FIELDS(ALL) FROM Contact WHERE Id IN ({roles}) ORDER BY CreatedDate ASC, Id ASC LIMIT 1"
        )

    def test_nobody_may_have_a_role(self) -> None:
        partner = script(ok({"done": True, "records": []}))
        assert partner.hold(SALESFORCE.related(DEALS, self.deal(), "contact", CONTACTS)) is None

    def test_contacts_or_stages_that_the_user_may_not_see_are_forbidden(self) -> None:
        """To SOQL an object that may not be seen is none; its name is ours, and right."""
        answer = Response(400, {}, recorded("query.unknown-object.400"))
        for deal, name, other in (
            (self.deal(), "contact", CONTACTS),
            (self.deal(StageName="Qualification"), "stage", STAGES),
        ):
            assert problem(SALESFORCE.related(DEALS, deal, name, other), answer).kind is Kind.CRM_FORBIDDEN

    def test_a_stage_is_found_by_its_value(self) -> None:
        stage = {"Id": "01J000000000001", "MasterLabel": "Closed 'Won'", "SortOrder": 9, "IsActive": True}
        partner = script(ok({"done": True, "records": [stage]}))
        found = partner.hold(SALESFORCE.related(DEALS, self.deal(StageName="Closed 'Won'"), "stage", STAGES))
        assert found
        assert found.item == {"id": "01J000000000001", "name": "Closed 'Won'", "position": 9, "status": "active"}
        [request] = partner.requests
        assert "WHERE ApiName = 'Closed \\'Won\\'' ORDER BY" in request.query["q"]

    def test_a_deal_without_a_stage_or_a_company_costs_no_request(self) -> None:
        for name, other in (("stage", STAGES), ("company", COMPANIES)):
            assert script().hold(SALESFORCE.related(DEALS, self.deal(), name, other)) is None

    def test_an_owner_that_is_a_queue_is_none(self) -> None:
        answer = Response(404, {}, recorded("record.get.not-found.404"))
        lead = Answer({"id": "00Q000000000001", "owner": {"id": "00G000000000001"}}, {})
        assert script(answer).hold(SALESFORCE.related(LEADS, lead, "owner", USERS)) is None


def test_a_pod_is_made_of_these_objects_in_this_order() -> None:
    pods = [("Lead", "leads"), ("Opportunity", "deals"), ("Account", "companies"), ("Contact", "contacts")]
    assert list(CRM.pods.items()) == pods
