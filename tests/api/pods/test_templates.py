"""Templates: made, read, changed, removed, and seen before they are used."""

from dataclasses import replace
from typing import Any

import pytest

from switchboard.pods import starters
from tests.api.pods.shop import LAYOUT, ShopWorld, told
from tests.journal import CrashError
from tests.worlds import BRAND

STARTER = "deal-room"


def test_a_template_is_made_and_read(shop: ShopWorld) -> None:
    reply = shop.send("POST", "/v1/templates", LAYOUT)
    assert reply.status == 201
    data = told(reply)["data"]
    assert reply.headers["location"] == f"/v1/templates/{data['id']}"
    assert data["blocks"] == LAYOUT["blocks"]
    assert data["variables"] == ["company.name", "deal.amount", "deal.currency", "deal.name"]
    assert (data["starter"], data["version"], len(data["id"])) == (False, 1, 24)
    again = shop.send("GET", f"/v1/templates/{data['id']}")
    assert told(again)["data"] == data
    assert again.headers["etag"] == '"1"'


BAD: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "#/name"),
    ({"name": "x" * 201}, "#/name"),
    ({"title": "{{ foo.bar }}"}, "#/title"),
    ({"title": "{{ deal.nme }}"}, "#/title"),
    ({"title": "{{ deal }}"}, "#/title"),
    ({"title": "{{ crm }}"}, "#/title"),
    ({"title": "{{ deal.name | shout }}"}, "#/title"),
    ({"title": "{% include 'x' %}"}, "#/title"),
    ({"title": "{% capture x %}a{% endcapture %}"}, "#/title"),
    ({"title": "{{ deal[company.name] }}"}, "#/title"),
    ({"colour": "teal"}, "#/colour"),
    ({"blocks": [{"type": "iframe", "url": "x"}]}, "#/blocks/0"),
    ({"blocks": [{"type": "text", "text": "x", "html": "y"}]}, "#/blocks/0/html"),
    ({"blocks": [{"type": "columns", "columns": [[], []]}] * 101}, "#/blocks"),
    (
        {"blocks": [{"type": "columns", "columns": [[{"type": "columns", "columns": []}], []]}]},
        "#/blocks/0/columns/0/0",
    ),
    ({"blocks": [{"type": "contacts", "people": []}]}, "#/blocks/0/people"),
    ({"blocks": [{"type": "timeline", "steps": [{"title": "{{ x.y }}"}]}]}, "#/blocks/0/steps/0/title"),
]


@pytest.mark.parametrize(("changes", "pointer"), BAD, ids=[str(each[0])[:60] for each in BAD])
def test_a_faulty_template_is_a_400_that_points_at_it(shop: ShopWorld, changes: Any, pointer: str) -> None:
    reply = shop.send("POST", "/v1/templates", {**LAYOUT, **changes})
    assert reply.status == 400
    assert [each["pointer"] for each in told(reply)["errors"]] == [pointer]
    assert told(reply)["success"] is False


def test_every_fault_is_told_at_once_with_what_there_would_be(shop: ShopWorld) -> None:
    blocks = [{"type": "text", "text": "{{ deal.nme }}"}, {"type": "button", "text": "x", "url": "ftp://x"}]
    reply = shop.send("POST", "/v1/templates", {"name": "x", "title": "{{ foo.x }}", "blocks": blocks})
    errors = told(reply)["errors"]
    assert [each["pointer"] for each in errors] == ["#/title", "#/blocks/0/text", "#/blocks/1/url"]
    assert "there are deal, company, contact, lead, owner and crm" in errors[0]["detail"]
    assert "amount" in errors[1]["detail"]


def test_a_template_is_changed_and_its_pods_stay(shop: ShopWorld) -> None:
    id = shop.template()
    pod = shop.pod(id)
    reply = shop.send("PATCH", f"/v1/templates/{id}", {"title": "Another", "accent": "plum"}, if_match='"1"')
    assert reply.status == 200
    assert told(reply)["data"]["accent"] == "plum"
    assert told(reply)["data"]["name"] == LAYOUT["name"]
    assert shop.fetch(pod["id"]) == pod
    assert shop.send("PATCH", f"/v1/templates/{id}", {"title": "Third"}, if_match='"1"').status == 412
    assert shop.send("PATCH", f"/v1/templates/{id}", {}).status == 400
    assert shop.send("PATCH", f"/v1/templates/{id}", {"blocks": None}).status == 400


def test_a_removed_template_is_gone_and_its_pods_stay(shop: ShopWorld) -> None:
    id = shop.template()
    pod = shop.pod(id)
    assert [shop.send("DELETE", f"/v1/templates/{id}").status for _ in range(2)] == [204, 404]
    assert shop.send("GET", f"/v1/templates/{id}").status == 404
    assert shop.fetch(pod["id"]) == pod
    assert shop.send("POST", f"/v1/pods/{pod['id']}/refresh").status == 200


def test_the_list_holds_a_brands_own_and_those_that_come_with_us(shop: ShopWorld) -> None:
    first = shop.template()
    shop.clock.pass_(1)
    second = shop.template()
    shop.pods.kept["other1", "t9"] = replace(shop.pods.kept[BRAND, first], brand="other1", id="t9")
    found = told(shop.send("GET", "/v1/templates"))["data"]
    assert [each["id"] for each in found] == [second, first, *starters.load()]
    assert [each["starter"] for each in found] == [False, False, True, True, True]


def test_a_starter_is_read_and_used_and_not_changed(shop: ShopWorld) -> None:
    assert told(shop.send("GET", f"/v1/templates/{STARTER}"))["data"]["starter"] is True
    assert shop.pod(STARTER)["template_id"] == STARTER
    for method, body in (("PATCH", {"title": "x"}), ("DELETE", None)):
        reply = shop.send(method, f"/v1/templates/{STARTER}", body)
        assert reply.status == 400
        assert "template of your own" in told(reply)["error"]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("id", ["none", "x" * 65, "t9", "%2e%2e"])
def test_a_template_of_nobody_or_of_another_brand_is_the_same_404(shop: ShopWorld, method: str, id: str) -> None:
    shop.pods.kept["other1", "t9"] = replace(shop.pods.kept[BRAND, shop.template()], brand="other1", id="t9")
    reply = shop.send(method, f"/v1/templates/{id}", {"title": "x"})
    assert (reply.status, told(reply)["error"]) == (404, "Template not found")


@pytest.mark.parametrize(
    ("scope", "statuses"),
    [("template.read", (403, 200, 200, 403, 200, 403)), ("template.write", (201, 403, 403, 200, 403, 403))],
)
def test_each_scope_opens_its_own_methods(shop: ShopWorld, scope: str, statuses: tuple[int, ...]) -> None:
    id, key = shop.template(), shop.issue((scope,))
    calls = (
        ("POST", "/v1/templates", LAYOUT),
        ("GET", "/v1/templates", None),
        ("GET", f"/v1/templates/{id}", None),
        ("PATCH", f"/v1/templates/{id}", {"title": "x"}),
        ("POST", f"/v1/templates/{id}/preview", {}),
        ("DELETE", f"/v1/templates/{id}", None),
    )
    assert tuple(shop.send(*call, key=key).status for call in calls) == statuses


def test_a_template_with_a_key_is_made_once_even_where_a_run_died(shop: ShopWorld) -> None:
    first, again = (shop.send("POST", "/v1/templates", LAYOUT, idempotency_key="k") for _ in range(2))
    assert first.body == again.body
    at = next(i for i, line in enumerate(shop.journal.lines) if line == "templates.put_template")
    shop.journal.die(at, "after")
    with pytest.raises(CrashError):
        shop.send("POST", "/v1/templates", LAYOUT, idempotency_key="k2")
    shop.journal.revive()
    shop.clock.pass_(120)
    held = len(shop.pods.kept)
    assert shop.send("POST", "/v1/templates", LAYOUT, idempotency_key="k2").status == 201
    assert len(shop.pods.kept) == held == 2


class TestPreview:
    def test_a_template_is_seen_with_our_own_sample(self, shop: ShopWorld) -> None:
        data = told(shop.send("POST", f"/v1/templates/{STARTER}/preview", {}))["data"]
        assert data["missing_variables"] == []
        assert data["html"].startswith("<!")
        assert shop.asked == []
        assert shop.pods.pods == {}

    def test_a_template_is_seen_with_values_that_are_given(self, shop: ShopWorld) -> None:
        body = {"values": {"deal": {"name": "Mine", "amount": 5}}}
        data = told(shop.send("POST", f"/v1/templates/{shop.template()}/preview", body))["data"]
        assert data["title"] == "Mine for you"
        assert data["missing_variables"] == ["company.name", "deal.currency"]

    def test_a_template_is_seen_with_a_record(self, shop: ShopWorld) -> None:
        body = {"crm_type": "shop", "crm_object": "Deal", "crm_id": "1"}
        data = told(shop.send("POST", f"/v1/templates/{shop.template()}/preview", body))["data"]
        assert data["title"] == "Engine no. 2 for Analytical Engines"
        assert shop.asked == ["/deals/1", "/companies/2"]
        assert shop.pods.pods == {}

    @pytest.mark.parametrize(
        ("body", "status", "pointers"),
        [
            ({"crm_type": "shop"}, 400, ["#/crm_object", "#/crm_id"]),
            ({"values": []}, 400, ["#/values"]),
            ({"values": {"foo": {}, "deal": 5}}, 400, ["#/values/foo", "#/values/deal"]),
            ({"x": 1}, 400, ["#/x"]),
            ({"values": {}, "crm_type": "shop", "crm_object": "Deal", "crm_id": "1"}, 400, ["#/values"]),
            ({"crm_type": "shop", "crm_object": "Deal", "crm_id": "99"}, 404, []),
            ({"crm_type": "acme", "crm_object": "leads", "crm_id": "99"}, 400, ["#/crm_type"]),
        ],
    )
    def test_what_cannot_be_seen_says_why(self, shop: ShopWorld, body: Any, status: int, pointers: list[str]) -> None:
        reply = shop.send("POST", f"/v1/templates/{shop.template()}/preview", body)
        assert reply.status == status
        assert [each["pointer"] for each in told(reply).get("errors", [])] == pointers
