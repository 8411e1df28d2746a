"""Whatever a caller sends: a lead or a problem, never a fault of ours, never a lead that the answer does not tell."""

import json
from collections import Counter
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.create_lead.app import handler
from tests.local.inside import Invocation
from tests.local.tenant import Tenant

words = st.text(max_size=12) | st.sampled_from(
    ["", "1", "0", "x" * 300, "../..", "a/b", "%2e%2e", "\u202e", "\U0001f600", "1e999"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
refs = st.fixed_dictionaries({"id": words}) | values
people = st.lists(st.fixed_dictionaries({"email": words}, optional={"type": words, "x": values}), max_size=3) | values
phones = st.lists(
    st.fixed_dictionaries({"number": words}, optional={"type": st.sampled_from(["mobile", "fax", "work"]) | words}),
    max_size=3,
)
places = st.lists(
    st.dictionaries(st.sampled_from(["street_1", "street_2", "city", "country", "type"]), words), max_size=2
)
given_fields: dict[str, st.SearchStrategy[Any]] = {
    "title": words | values,
    "owner": refs,
    "contact": refs,
    "account": refs,
    "custom_fields": st.dictionaries(words | st.just("Favourite_Colour__c") | st.just("favourite_colour"), values)
    | values,
    "first_name": words,
    "last_name": words,
    "email_addresses": people,
    "phone_numbers": phones | values,
    "addresses": places | values,
    "created_at": words | st.just("2026-01-01T00:00:00Z"),
    "number_of_employees": values,
    "converted_contact": refs,
    "status": words,
    "lead_type": words,
    "remote_data": values
    | st.dictionaries(
        st.sampled_from(["properties", "associations", "Company", "_account", "title", "person_id", "Street"]), values
    ),
}
bodies = st.fixed_dictionaries({}, optional=given_fields)
queries = st.dictionaries(
    st.sampled_from(
        ["truto_response_format", "truto_exclude_fields[]", "remote_query[a][]", "remote_query", "a[b][c]", "[", "x]"]
    ),
    words,
    max_size=3,
)


@pytest.mark.parametrize("complete", [True, False], ids=["on-a-good-lead", "alone"])
def test_a_call_is_a_lead_or_a_problem(tenant: Tenant, process: None, crm: str, complete: bool) -> None:
    good, vendor = tenant.lead(crm), tenant.vendors[crm]
    seen: Counter[int] = Counter()

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    @given(body=bodies, query=queries)
    def holds(body: dict[str, Any], query: dict[str, str]) -> None:
        event = tenant.event(crm, {**good, **body} if complete else body)
        event["rawQueryString"] += "&" + urlencode(query)
        held = vendor.leads

        answer = handler(event, Invocation(20))

        assert answer["statusCode"] < 500, answer["body"]
        seen[answer["statusCode"]] += 1
        told = json.loads(answer["body"])
        assert vendor.leads == held + (answer["statusCode"] == 201)
        if answer["statusCode"] != 201:
            assert {"type", "title", "status", "detail", "trace_id", "statusCode", "error", "message"} <= told.keys()
            assert told["status"] == answer["statusCode"]

    holds()
    assert seen[400] > 0
    assert seen[201] > 0 or not complete, "some of these have to be leads"
