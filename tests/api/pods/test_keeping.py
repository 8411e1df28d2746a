"""Pods that are there: read, changed, read anew, looked for, removed."""

from dataclasses import replace
from typing import Any

import pytest

from switchboard.ports import User
from tests.api.pods.shop import LAYOUT, ShopWorld, told
from tests.worlds import BRAND


def refused(shop: ShopWorld, path: str, body: Any, method: str = "PATCH", **headers: str) -> tuple[int, list[str]]:
    reply = shop.send(method, path, body, **headers)
    return reply.status, [each["pointer"] for each in told(reply).get("errors", [])]


# --- read ------------------------------------------------------------------------------------------------------------


def test_a_pod_is_told_in_full(shop: ShopWorld) -> None:
    template = shop.template()
    pod = shop.pod(template)
    assert pod["blocks"] == LAYOUT["blocks"]
    assert pod["variables"] == {
        "company.name": "Analytical Engines",
        "deal.amount": 12500,
        "deal.currency": "GBP",
        "deal.name": "Engine no. 2",
    }
    assert (pod["crm_type"], pod["crm_object"], pod["crm_id"], pod["template_id"]) == ("shop", "Deal", "1", template)
    assert (pod["overridden"], pod["missing_variables"], pod["version"]) == ([], [], 1)
    assert pod["created_at"] == pod["updated_at"] == pod["refreshed_at"] == "2026-11-21T09:30:00Z"


@pytest.mark.parametrize("id", ["x", "6b01ca58a1b2c3d4e5f60718", "6B01CA58A1B2C3D4E5F60718", "search", "..", "%2e"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_id_that_no_pod_has_is_a_404(shop: ShopWorld, method: str, id: str) -> None:
    reply = shop.send(method, f"/v1/pods/{id}", {"title": "x"})
    assert (reply.status, told(reply)["error"]) == (404, "Pod not found")


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/refresh")])
def test_another_brands_pod_is_the_same_404(shop: ShopWorld, method: str, path: str) -> None:
    pod = shop.pod()
    shop.pods.pods["other1", pod["id"]] = replace(shop.pods.pods.pop((BRAND, pod["id"])), brand="other1")
    reply = shop.send(method, f"/v1/pods/{pod['id']}{path}", {"title": "x"} if method == "PATCH" else {})
    none = shop.send(method, f"/v1/pods/{'0' * 24}{path}", {"title": "x"} if method == "PATCH" else {})
    assert reply.status == none.status == 404
    assert reply.body.replace(pod["id"].encode(), b"") == none.body.replace(b"0" * 24, b"")


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [("pod.read", {"GET", "search"}), ("CreatePod", {"PATCH", "refresh"}), ("pod.delete", {"DELETE"})],
)
def test_each_scope_opens_its_own_methods(shop: ShopWorld, scope: str, allowed: set[str]) -> None:
    id, key = shop.pod()["id"], shop.issue((scope,))
    calls = {
        "GET": ("GET", f"/v1/pods/{id}", None),
        "search": ("POST", "/v1/pods/search", {}),
        "PATCH": ("PATCH", f"/v1/pods/{id}", {"title": "x"}),
        "refresh": ("POST", f"/v1/pods/{id}/refresh", {}),
        "DELETE": ("DELETE", f"/v1/pods/{id}", None),
    }
    open_ = {name for name, call in calls.items() if shop.send(*call, key=key).status != 403}
    assert open_ == allowed


# --- changed ---------------------------------------------------------------------------------------------------------


def test_blocks_are_changed_and_the_page_shows_it(shop: ShopWorld) -> None:
    pod = shop.pod()
    blocks = [{"type": "heading", "text": "For {{ company.name }}"}]
    reply = shop.send("PATCH", f"/v1/pods/{pod['id']}", {"blocks": blocks, "title": "New"})
    assert reply.status == 200
    data = told(reply)["data"]
    assert data["blocks"] == [{"type": "heading", "text": "For {{ company.name }}", "level": 2}]
    assert (data["title"], data["version"], reply.headers["etag"]) == ("New", 2, '"2"')
    page = shop.live(pod["id"])
    assert "For Analytical Engines" in page
    assert "It costs" not in page


def test_a_value_is_said_otherwise_and_taken_back(shop: ShopWorld) -> None:
    pod = shop.pod()
    path = f"/v1/pods/{pod['id']}"
    changed = told(shop.send("PATCH", path, {"variables": {"company.name": "Somebody", "deal.amount": 5}}))["data"]
    assert changed["variables"]["company.name"] == "Somebody"
    assert changed["overridden"] == ["company.name", "deal.amount"]
    assert changed["record_values"] == {"company.name": "Analytical Engines", "deal.amount": 12500}
    assert "for Somebody" in shop.live(pod["id"])
    back = told(shop.send("PATCH", path, {"variables": {"company.name": None}}))["data"]
    assert back["variables"]["company.name"] == "Analytical Engines"
    assert back["overridden"] == ["deal.amount"]


def test_what_was_missing_is_no_longer_once_it_is_said(shop: ShopWorld) -> None:
    pod = shop.pod(shop.template(title="{{ deal.description }} {{ crm.colour }}"))
    assert pod["missing_variables"] == ["crm.colour", "deal.description"]
    body = {"variables": {"deal.description": "Two engines", "crm.colour": "teal"}}
    changed = told(shop.send("PATCH", f"/v1/pods/{pod['id']}", body))["data"]
    assert changed["missing_variables"] == []
    assert "Two engines teal" in shop.live(pod["id"])


def test_changing_a_pod_asks_nothing_of_the_crm(shop: ShopWorld) -> None:
    pod = shop.pod()
    shop.asked.clear()
    shop.send("PATCH", f"/v1/pods/{pod['id']}", {"title": "{{ owner.name }}"})
    assert shop.asked == []


BAD_CHANGES: list[tuple[Any, list[str]]] = [
    ({}, ["#"]),
    ({"colour": 1}, ["#/colour"]),
    ({"id": "x", "version": 2}, ["#/id", "#/version"]),
    ({"blocks": []}, ["#/blocks"]),
    ({"blocks": [{"type": "text"}]}, ["#/blocks/0/text"]),
    ({"blocks": [{"type": "text", "text": "{{ nobody.x }}"}]}, ["#/blocks/0/text"]),
    ({"blocks": [{"type": "text", "text": "{{ deal.name"}]}, ["#/blocks/0/text"]),
    ({"blocks": [{"type": "image", "url": "http://x", "alt": ""}]}, ["#/blocks/0/url"]),
    ({"blocks": [{"type": "button", "text": "x", "url": "javascript:alert(1)"}]}, ["#/blocks/0/url"]),
    ({"language": "xx"}, ["#/language"]),
    ({"accent": "pink"}, ["#/accent"]),
    ({"variables": []}, ["#/variables"]),
    ({"variables": {"nobody.x": "y", "deal.name": ["x"]}}, ["#/variables/nobody.x", "#/variables/deal.name"]),
    ({"variables": {"deal": "y"}}, ["#/variables/deal"]),
    ({"variables": {"deal.name": True}}, ["#/variables/deal.name"]),
    ({"variables": {"deal.name": "x" * 20_001}}, ["#/variables/deal.name"]),
    ({"owner_email": 5}, ["#/owner_email"]),
    ({"title": 5, "accent": None}, ["#/title"]),
]


@pytest.mark.parametrize(("body", "pointers"), BAD_CHANGES, ids=[str(each[0])[:60] for each in BAD_CHANGES])
def test_a_faulty_change_is_a_400_that_points_at_it(shop: ShopWorld, body: Any, pointers: list[str]) -> None:
    pod = shop.pod()
    assert refused(shop, f"/v1/pods/{pod['id']}", body) == (400, pointers)
    assert shop.fetch(pod["id"]) == pod


def test_a_change_by_who_saw_another_version_is_a_412(shop: ShopWorld) -> None:
    path = f"/v1/pods/{shop.pod()['id']}"
    assert shop.send("PATCH", path, {"title": "A"}, if_match='"1"').status == 200
    reply = shop.send("PATCH", path, {"title": "B"}, if_match='"1"')
    assert reply.status == 412
    assert told(reply)["type"].endswith("#precondition-failed")
    assert shop.send("PATCH", path, {"title": "B"}, if_match='"2"').status == 200
    assert shop.send("PATCH", path, {"title": "C"}, if_match="*").status == 200
    assert shop.send("PATCH", path, {"title": "D"}, if_match='W/"x"').status == 412


def test_the_owner_can_be_changed_within_the_brand(shop: ShopWorld) -> None:
    shop.access.users.append((BRAND, User("user-2", "ada@example.com", "member")))
    path = f"/v1/pods/{shop.pod()['id']}"
    assert (
        told(shop.send("PATCH", path, {"owner_email": "ADA@example.com"}))["data"]["owner_email"] == "ada@example.com"
    )
    assert shop.send("PATCH", path, {"owner_email": "grace@example.com"}).status == 404


def test_a_page_of_more_than_a_hundred_kilobytes_is_refused(shop: ShopWorld) -> None:
    pod = shop.pod()
    blocks = [{"type": "text", "text": "word " * 4000} for _ in range(6)]
    status, pointers = refused(shop, f"/v1/pods/{pod['id']}", {"blocks": blocks})
    assert (status, pointers) == (400, ["#/blocks"])
    assert shop.fetch(pod["id"]) == pod


# --- read anew -------------------------------------------------------------------------------------------------------


def test_a_pod_keeps_what_it_read_until_it_is_read_anew(shop: ShopWorld) -> None:
    pod = shop.pod()
    shop.shelf["/deals/1"]["name"] = "Engine no. 3"
    assert "Engine no. 2" in shop.live(pod["id"])
    shop.clock.pass_(60)
    data = told(shop.send("POST", f"/v1/pods/{pod['id']}/refresh"))["data"]
    assert "Engine no. 3" in shop.live(pod["id"])
    assert (data["version"], data["refreshed_at"], data["created_at"]) == (
        2,
        "2026-11-21T09:31:00Z",
        "2026-11-21T09:30:00Z",
    )


def test_a_refresh_reads_what_the_pod_mentions_now(shop: ShopWorld) -> None:
    pod = shop.pod()
    shop.send("PATCH", f"/v1/pods/{pod['id']}", {"title": "{{ owner.name }}", "variables": {"deal.amount": "7"}})
    assert shop.fetch(pod["id"])["missing_variables"] == ["owner.name"]
    shop.asked.clear()
    data = told(shop.send("POST", f"/v1/pods/{pod['id']}/refresh"))["data"]
    assert shop.asked == ["/deals/1", "/users/4"]
    assert (data["missing_variables"], data["overridden"]) == ([], ["deal.amount"])
    assert "Charles Babbage" in shop.live(pod["id"])


def test_a_record_that_is_gone_leaves_the_pod_as_it_was(shop: ShopWorld) -> None:
    pod = shop.pod()
    shop.shelf.clear()
    reply = shop.send("POST", f"/v1/pods/{pod['id']}/refresh")
    assert (reply.status, told(reply)["error"]) == (404, "CRM record not found")
    assert shop.fetch(pod["id"]) == pod


def test_an_account_that_is_gone_is_told(shop: ShopWorld) -> None:
    pod = shop.pod()
    shop.access.accounts.clear()
    reply = shop.send("POST", f"/v1/pods/{pod['id']}/refresh")
    assert (reply.status, told(reply)["error"]) == (400, "No shop integration found")


def test_a_refresh_with_a_key_is_done_once(shop: ShopWorld) -> None:
    path = f"/v1/pods/{shop.pod()['id']}/refresh"
    first, again = (shop.send("POST", path, idempotency_key="r1") for _ in range(2))
    assert first.body == again.body
    assert again.headers["idempotent-replayed"] == "true"


# --- looked for ------------------------------------------------------------------------------------------------------


def test_pods_are_found_newest_first_page_by_page(shop: ShopWorld) -> None:
    template, made = shop.template(), list[str]()
    for _ in range(5):
        made.append(shop.pod(template)["id"])
        shop.clock.pass_(1)
    found, body = list[str](), {"limit": 2}
    while True:
        reply = shop.send("POST", "/v1/pods/search", body)
        assert reply.status == 200
        found += [each["id"] for each in told(reply)["data"]]
        cursor = told(reply)["meta"]["cursor"]
        assert cursor["has_more"] is (cursor["next"] is not None)
        if cursor["next"] is None:
            break
        body = {"limit": 2, "cursor": cursor["next"]}
    assert found == made[::-1]


def test_a_search_is_narrowed_by_what_pods_were_made_of(shop: ShopWorld) -> None:
    one, other = shop.template(), shop.template(name="Other")
    first, second = shop.pod(one), shop.pod(other, crm_object="Company", crm_id="2")

    def ids(**where: str) -> list[str]:
        filters = [{"field": field, "operator": "eq", "value": value} for field, value in where.items()]
        return [each["id"] for each in told(shop.send("POST", "/v1/pods/search", {"filters": filters}))["data"]]

    assert ids(template_id=one) == [first["id"]]
    assert ids(crm_object="Company") == [second["id"]]
    assert ids(crm_type="shop", crm_id="1") == [first["id"]]
    assert ids(owner_email="nobody@example.com") == []


BAD_SEARCHES: list[tuple[Any, str]] = [
    ({"limit": 0}, "#/limit"),
    ({"limit": 101}, "#/limit"),
    ({"limit": "5"}, "#/limit"),
    ({"limit": True}, "#/limit"),
    ({"filters": {}}, "#/filters"),
    ({"filters": ["x"]}, "#/filters/0/field"),
    ({"filters": [{"field": "title", "operator": "eq", "value": "x"}]}, "#/filters/0/field"),
    ({"filters": [{"field": "crm_id", "operator": "gt", "value": "x"}]}, "#/filters/0/operator"),
    ({"filters": [{"field": "crm_id", "operator": "eq", "value": 5}]}, "#/filters/0/value"),
    ({"filters": [{"field": "crm_id", "operator": "eq", "value": "5"}] * 2}, "#/filters/1/field"),
    ({"cursor": 5}, "#/cursor"),
    ({"page": 2}, "#/page"),
]


@pytest.mark.parametrize(("body", "pointer"), BAD_SEARCHES, ids=[str(each[0])[:60] for each in BAD_SEARCHES])
def test_a_faulty_search_is_a_400_that_points_at_it(shop: ShopWorld, body: Any, pointer: str) -> None:
    assert refused(shop, "/v1/pods/search", body, "POST") == (400, [pointer])


def test_a_cursor_is_good_for_its_own_search_alone(shop: ShopWorld) -> None:
    template = shop.template()
    for _ in range(3):
        shop.pod(template)
        shop.clock.pass_(1)
    cursor = told(shop.send("POST", "/v1/pods/search", {"limit": 1}))["meta"]["cursor"]["next"]
    filters = [{"field": "crm_type", "operator": "eq", "value": "shop"}]
    for body in ({"cursor": cursor, "filters": filters}, {"cursor": cursor[:-2] + "AA"}, {"cursor": "x"}):
        assert shop.send("POST", "/v1/pods/search", body).status == 400
    other = shop.issue(("pod.all",), brand="other1")
    assert shop.send("POST", "/v1/pods/search", {"cursor": cursor}, key=other).status == 400


# --- removed ---------------------------------------------------------------------------------------------------------


def test_a_removed_pod_is_gone_with_its_page(shop: ShopWorld) -> None:
    pod = shop.pod()
    reply = shop.send("DELETE", f"/v1/pods/{pod['id']}")
    assert (reply.status, reply.body) == (204, b"")
    assert shop.send("DELETE", f"/v1/pods/{pod['id']}").status == 404
    assert shop.send("GET", f"/v1/pods/{pod['id']}").status == 404
    assert shop.send("GET", f"/pods/{pod['id']}/live").status == 404
    assert shop.send("GET", f"/pods/edit/{pod['id']}").status == 404
