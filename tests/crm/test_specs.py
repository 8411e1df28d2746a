"""What we send is valid by the vendors' own specifications, as far as they publish any."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from switchboard.crm.problem import Problem
from switchboard.crm.wire import Request, Response
from tests.crm.samples import CASES, SPOKEN, Case
from tests.crm.shared import document
from tests.crm.voices import minutes
from tests.talk import Partner


def asked(case: Case) -> list[Request]:
    """The requests of every conversation about a resource, full and bare."""
    dialect, resource, first = case.crm.dialect, case.resource, case.said.id(1)
    record = case.record(case.sample(), first, created_at=minutes(1), updated_at=minutes(1))
    creating, looking = case.answers(first), case.looks_up([record])
    listing = Partner(lambda request: case.said.listing(request, [record] * 7))
    for item in (case.sample(), case.least(), {k: v for k, v in case.sample().items() if k != "title"}):
        try:
            draft = case.draft(item)
        except Problem:
            continue  # a title may be required
        creating.hold(dialect.create(resource, draft))
    looking.hold(dialect.find(resource, case.draft(), minutes(0)))
    for since in (None, minutes(0)):
        page = listing.hold(dialect.list(resource, since=since, limit=3))
        listing.hold(dialect.list(resource, since=since, cursor=json.loads(json.dumps(page.cursor)), limit=3))
    creating.hold(dialect.get(resource, first))
    removing = Partner(lambda request: Response(204))
    removing.hold(dialect.delete(resource, first))
    return [*creating.requests, *looking.requests, *listing.requests, *removing.requests]


def validator(spec: Mapping[str, Any], schema: Mapping[str, Any]) -> Draft202012Validator:
    """A JSON Schema of an OpenAPI 3.0 one, whose `nullable` is said in the words of JSON Schema."""

    def plain(node: Any) -> Any:
        match node:
            case {"nullable": True, "type": str(kind), **rest}:
                return plain({**rest, "type": [kind, "null"]})
            case dict():
                return {key: plain(value) for key, value in node.items() if key not in ("example", "nullable")}
            case list():
                return [plain(each) for each in node]
            case _:
                return node

    return Draft202012Validator({**plain(schema), "components": plain(spec.get("components", {}))})


def body_schema(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    return operation["requestBody"]["content"]["application/json"]["schema"]


def problems(spec: Mapping[str, Any], schema: Mapping[str, Any], value: Any) -> list[str]:
    return [f"{each.json_path}: {each.message}" for each in validator(spec, schema).iter_errors(value)]


def check_query(operation: Mapping[str, Any], query: Mapping[str, str]) -> None:
    """Every parameter is declared, and what is declared as a number is one."""
    declared = {each["name"]: each["schema"] for each in operation.get("parameters", []) if each["in"] == "query"}
    assert set(query) <= set(declared)
    for name, value in query.items():
        assert declared[name]["type"] != "integer" or value.isdecimal()


class TestHubSpot:
    """The specification is of v3; the dated API has the same bodies under other paths."""

    CASE = CASES["hubspot-leads"]

    def test_every_request_about_leads_is_in_the_specification(self) -> None:
        spec = document("specs/hubspot/leads.v3.json")
        seen: set[str] = set()
        for request in asked(self.CASE):
            found = re.fullmatch(r"/crm/objects/\d{4}-\d{2}/leads(/.*)?", request.path)
            if not found:
                found = re.fullmatch(
                    r"/crm/(objects/2026-09|v4/objects)/contacts/\d+(/associations/leads)?", request.path
                )
                assert found
                continue
            path = found[1] or "/"
            path = path if path in spec["paths"] else "/{leadsId}"
            operation = spec["paths"][path][request.method.lower()]
            seen.add(f"{request.method} {path}")
            check_query(operation, request.query)
            if request.method == "POST":
                assert problems(spec, body_schema(operation), self.as_specified(request.json)) == []
        assert seen == {"POST /", "GET /", "GET /{leadsId}", "DELETE /{leadsId}", "POST /search", "POST /batch/read"}

    def as_specified(self, body: Any) -> Any:
        """Where the specification is behind the recordings: a sort is an object, and history need not be asked for."""
        if "sorts" in body:
            assert all(set(each) == {"propertyName", "direction"} for each in body["sorts"])
            return body | {"sorts": [each["propertyName"] for each in body["sorts"]]}
        return body | {"propertiesWithHistory": []} if "inputs" in body else body

    def test_every_property_is_sent_as_text(self) -> None:
        body = self.CASE.draft().body
        assert all(isinstance(value, str) for value in body["properties"].values())


class TestPipedrive:
    CASE = CASES["pipedrive-leads"]

    def test_every_request_is_in_the_specification(self) -> None:
        spec = document("specs/pipedrive/v1.json")
        seen: set[str] = set()
        for request in asked(self.CASE):
            path = request.path.removeprefix("/api/v1")
            path = path if path in spec["paths"] else "/leads/{id}"
            operation = spec["paths"][path][request.method.lower()]
            seen.add(f"{request.method} {path}")
            if "sort" in request.query:
                column, _, direction = request.query["sort"].partition(" ")
                assert direction in ("ASC", "DESC")
                [sort] = [each for each in operation["parameters"] if each["name"] == "sort"]
                assert column in sort["schema"]["enum"]
            check_query(operation, request.query)
            if request.method == "POST":
                schema = body_schema(operation)
                assert problems(spec, schema, request.json) == []
                unknown = set(request.json) - set(schema["properties"])
                assert all(re.fullmatch(r"[0-9a-f]{40}", name) for name in unknown), "custom fields stand at the root"
        assert seen == {"POST /leads", "GET /leads", "GET /leads/{id}", "DELETE /leads/{id}"}

    def test_updated_since_has_no_fraction_of_a_second(self) -> None:
        for request in asked(self.CASE):
            since = request.query.get("updated_since")
            assert since is None or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", since)


class TestSalesforce:
    """There is no specification; the vendor's collection of requests lists methods and paths."""

    CASE = CASES["salesforce-leads"]

    def test_every_request_is_one_of_the_vendors_collection(self) -> None:
        listed = document("specs/salesforce/rest-requests.json")["requests"]
        known = {(each["method"], template(each["url"])) for each in listed}
        queries = {template(each["url"]): set(each.get("query", ())) for each in listed}
        fields = {"fields"}  # of "SObject Rows"; the collection shows it without
        for request in asked(self.CASE):
            path = template("{{_endpoint}}" + request.path)
            assert (request.method, path) in known, request.path
            assert set(request.query) <= queries[path] | fields

    def test_the_token_endpoint_is_the_vendors(self) -> None:
        listed = document("specs/salesforce/rest-requests.json")["requests"]
        [refresh] = [each for each in listed if each["name"] == "Refresh Token"]
        assert refresh["url"].endswith("/services/oauth2/token")
        assert set(refresh["form"]) == {"grant_type", "client_id", "client_secret", "refresh_token"}


def template(url: str) -> str:
    """A path without host, version, names and ids."""
    path = re.sub(r"^\{\{_endpoint\}\}", "", url).partition("?")[0].rstrip("/")
    path = re.sub(r"/v(\{\{version\}\}|\d+\.0)", "/v", path)
    path = re.sub(r"/<SOBJECT_API_NAME>|(?<=/sobjects)/[A-Z]\w+", "/T", path)
    return re.sub(r"/<RECORD_ID>|(?<=/T)/\w{15,18}|(?<=/T)/\d+", "/I", path)


@pytest.mark.parametrize("case", SPOKEN.values(), ids=SPOKEN)
def test_every_request_can_be_put_into_json(case: Case) -> None:
    for request in asked(case):
        json.dumps(request.json)
        assert all(isinstance(value, str) for value in request.query.values())
