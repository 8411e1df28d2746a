"""Making pods: the seed's statuses and messages to the letter, the order of checks, and what is asked of the CRM."""

import json
from typing import Any

import pytest

from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.wire import Response
from switchboard.ports import User
from tests.api.pods.shop import LAYOUT, ORDER, ShopWorld, told, without
from tests.worlds import ACCOUNT, BRAND

ROUTES = ("/v1/pods", "/api/v1/pods/new")


@pytest.mark.parametrize("path", ROUTES)
def test_a_pod_is_answered_with_its_id_and_its_two_addresses(shop: ShopWorld, path: str) -> None:
    reply = shop.send("POST", path, {**ORDER, "template_id": shop.template()})

    assert reply.status == 200
    body = told(reply)
    assert body["success"] is True
    id = body["data"]["id"]
    assert body["data"] == {
        "id": id,
        "edit_url": f"https://pods.example.com/pods/edit/{id}",
        "live_url": f"https://pods.example.com/pods/{id}/live",
    }
    assert len(id) == 24
    assert int(id, 16)


def test_the_page_says_what_the_crm_holds(shop: ShopWorld) -> None:
    pod = shop.pod()
    assert pod["title"] == LAYOUT["title"]
    page = shop.live(pod["id"])
    assert "Engine no. 2 for Analytical Engines" in page
    assert "£12,500" in page
    assert pod["missing_variables"] == []


def test_a_domain_of_the_operators_own_stands_in_the_addresses(
    shop: ShopWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    own = replace(shop.services, public_url="https://rooms.example.org/")
    monkeypatch.setattr(ShopWorld, "services", property(lambda _: own))
    data = told(shop.send("POST", "/v1/pods", {**ORDER, "template_id": "deal-room"}))["data"]
    assert data["live_url"] == f"https://rooms.example.org/pods/{data['id']}/live"


# --- what is asked of the CRM ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("{{ deal.name }}", ["/deals/1"]),
        ("nothing", ["/deals/1"]),
        ("{{ company.name }}", ["/deals/1", "/companies/2"]),
        ("{{ company.name }} {{ company.description }}", ["/deals/1", "/companies/2"]),
        ("{{ deal.company.name }}", ["/deals/1", "/companies/2"]),
        ("{{ company.id }}", ["/deals/1"]),
        ("{{ contact.email }}", ["/deals/1", "/contacts/3"]),
        ("{{ owner.name }}", ["/deals/1", "/users/4"]),
        (
            "{{ company.name }} {{ contact.name }} {{ owner.email }}",
            ["/deals/1", "/companies/2", "/contacts/3", "/users/4"],
        ),
        ("{{ crm.x_colour }}", ["/deals/1"]),
    ],
)  # fmt: skip
def test_a_pod_costs_its_record_and_each_other_that_is_mentioned(shop: ShopWorld, text: str, asked: list[str]) -> None:
    template = shop.template(title="x", blocks=[{"type": "text", "text": text}])
    shop.pod(template)
    assert shop.asked == asked


def test_what_the_record_itself_tells_of_another_is_not_asked_for(shop: ShopWorld) -> None:
    shop.shelf["/deals/1"]["company_name"] = "Told at once"
    pod = shop.pod(shop.template(blocks=[{"type": "text", "text": "x"}]))
    assert shop.asked == ["/deals/1"]
    assert "Told at once" in shop.live(pod["id"])


def test_a_record_of_another_kind_is_named_by_the_crms_own_word(shop: ShopWorld) -> None:
    template = shop.template(title="{{ contact.name }} {{ contact.first_name }} of {{ company.name }}")
    pod = shop.pod(template, crm_object="Contact", crm_id="3")
    assert shop.asked == ["/contacts/3", "/companies/2"]
    assert "Ada of Analytical Engines" in shop.live(pod["id"])


def test_what_is_missing_renders_its_default_or_nothing_and_is_listed(shop: ShopWorld) -> None:
    text = "[{{ deal.description }}] [{{ contact.phone | default: 'no phone' }}] [{{ crm.nothing }}]"
    pod = shop.pod(shop.template(title="x", blocks=[{"type": "text", "text": text}]))
    assert "[] [no phone] []" in shop.live(pod["id"])
    assert pod["missing_variables"] == ["contact.phone", "crm.nothing", "deal.description"]


@pytest.mark.parametrize("status", [404, 403])
def test_another_record_that_is_gone_or_hidden_leaves_its_variables_without_a_value(
    shop: ShopWorld, status: int
) -> None:
    shop.answers["/companies/2"] = Response(status, {}, {"message": "No."})
    pod = shop.pod()
    assert pod["missing_variables"] == ["company.name"]
    assert "Engine no. 2 for you" in shop.live(pod["id"])


def test_another_record_that_cannot_be_read_just_now_fails_the_pod(shop: ShopWorld) -> None:
    template = shop.template()
    shop.answers["/companies/2"] = Response(500, {}, {"message": "Down."})
    assert shop.send("POST", "/v1/pods", {**ORDER, "template_id": template}).status == 502
    assert shop.pods.pods == {}


def test_a_vendors_own_field_is_told_by_its_own_name(shop: ShopWorld) -> None:
    pod = shop.pod(shop.template(title="It is {{ crm.x_colour }}"))
    assert "It is teal" in shop.live(pod["id"])


# --- the seed's table of errors --------------------------------------------------------------------------------------

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("crm_type", without(ORDER, "crm_type"), "crm_type: is required"),
    ("crm_object", without(ORDER, "crm_object"), "crm_object: is required"),
    ("crm_id", without(ORDER, "crm_id"), "crm_id: is required"),
    ("template_id", without(ORDER, "template_id"), "template_id: is required"),
    ("crm_type", {**ORDER, "crm_type": "nobody"}, "crm_type: has to be one of acme, "),
    ("crm_type", {**ORDER, "crm_type": "Shop"}, "crm_type: has to be one of acme, "),
    ("crm_object", {**ORDER, "crm_object": "deal"}, "crm_object: has to be one of Deal, Company, Contact for shop"),
    ("crm_object", {**ORDER, "crm_object": "Users"}, "crm_object: has to be one of Deal, Company, Contact for shop"),
    ("crm_id", {**ORDER, "crm_id": 1}, "crm_id: has to be a string, not a number"),
    ("crm_id", {**ORDER, "crm_id": True}, "crm_id: has to be a string, not a boolean"),
    ("crm_id", {**ORDER, "crm_id": ["1"]}, "crm_id: has to be a string, not an array"),
    ("crm_id", {**ORDER, "crm_id": ""}, "crm_id: is required"),
    ("crm_id", {**ORDER, "crm_id": None}, "crm_id: is required"),
    ("crm_id", {**ORDER, "crm_id": "../users/4"}, "crm_id: is not an id"),
    ("crm_id", {**ORDER, "crm_id": "1" * 256}, "crm_id: has more than 255 characters"),
    ("template_id", {**ORDER, "template_id": "t" * 65}, "template_id: has more than 64 characters"),
    ("owner_email", {**ORDER, "owner_email": 1}, "owner_email: has to be a string, not a number"),
    ("owner_email", {**ORDER, "owner_email": "charles"}, "owner_email: is not an e-mail address"),
    ("integrated_account_id", {**ORDER, "integrated_account_id": "x"}, "integrated_account_id: has to be a UUID"),
    ("colour", {**ORDER, "colour": "teal"}, "colour: is not a field here"),
]


@pytest.mark.parametrize(("field", "body", "error"), REFUSED, ids=[error[:60] for _, _, error in REFUSED])
def test_a_faulty_field_is_a_400_that_names_it(shop: ShopWorld, field: str, body: Any, error: str) -> None:
    reply = shop.send("POST", "/v1/pods", body)
    assert reply.status == 400
    body = told(reply)
    assert body["success"] is False
    assert body["error"].startswith(error)
    assert [(each["field"], each["pointer"]) for each in body["errors"]] == [(field, f"#/{field}")]
    assert reply.headers["content-type"] == "application/problem+json"
    assert shop.asked == []


def test_every_fault_is_told_at_once(shop: ShopWorld) -> None:
    reply = shop.send("POST", "/v1/pods", {"crm_type": "nobody", "crm_id": 5, "template_id": [], "x": 1})
    assert [each["field"] for each in told(reply)["errors"]] == ["crm_type", "crm_object", "crm_id", "template_id", "x"]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b'{"a": 1, "a": 2}', {}, 400),
        (b"{}", {"content_type": "text/plain"}, 415),
        (b" " * (1024 * 1024 + 1), {}, 413),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(
    shop: ShopWorld, body: bytes, headers: dict[str, str], status: int
) -> None:
    reply = shop.send("POST", "/v1/pods", body, **headers)
    assert reply.status == status
    assert told(reply)["success"] is False


def test_a_crm_that_is_not_connected_is_a_400(shop: ShopWorld) -> None:
    shop.access.accounts.clear()
    reply = shop.send("POST", "/v1/pods", ORDER)
    assert (reply.status, told(reply)["error"]) == (400, "No shop integration found")


def test_an_account_of_another_crm_is_none_of_this_one(shop: ShopWorld) -> None:
    shop.access.accounts.clear()
    other = shop.connect_shop(crm="acme")
    reply = shop.send("POST", "/v1/pods", {**ORDER, "integrated_account_id": other})
    assert (reply.status, told(reply)["error"]) == (400, "No shop integration found")


@pytest.mark.parametrize("key", ["", "nonsense", "trpt_acme01_" + "0" * 33])
def test_a_key_that_opens_nothing_is_a_401(shop: ShopWorld, key: str) -> None:
    reply = shop.send("POST", "/v1/pods", ORDER, key=key)
    assert (reply.status, told(reply)["error"]) == (401, "Invalid or revoked API key")
    assert "x-ratelimit-limit" not in reply.headers


def test_a_revoked_key_is_the_same_401(shop: ShopWorld) -> None:
    shop.record(shop.key).revoked = True
    reply = shop.send("POST", "/v1/pods", ORDER)
    assert (reply.status, told(reply)["error"]) == (401, "Invalid or revoked API key")


@pytest.mark.parametrize(
    ("scopes", "role"), [(("lead.all",), "admin"), (("pod.read",), "admin"), (("CreatePod",), "viewer")]
)
def test_a_key_without_the_scope_or_a_user_without_the_role_is_a_403(
    shop: ShopWorld, scopes: tuple[str, ...], role: str
) -> None:
    reply = shop.send("POST", "/v1/pods", ORDER, key=shop.issue(scopes, role))
    assert (reply.status, told(reply)["error"]) == (403, "Insufficient permissions")
    assert reply.headers["x-ratelimit-remaining"] == "499"


@pytest.mark.parametrize("scope", ["CreatePod", "pod.write", "pod.all"])
def test_the_seeds_scope_is_enough(shop: ShopWorld, scope: str) -> None:
    template = shop.template()
    key = shop.issue((scope,), "member")
    assert shop.send("POST", "/v1/pods", {**ORDER, "template_id": template}, key=key).status == 200


def test_a_brand_that_was_deleted_is_a_404(shop: ShopWorld) -> None:
    shop.access.brands.clear()
    reply = shop.send("POST", "/v1/pods", ORDER)
    assert (reply.status, told(reply)["error"]) == (404, "Brand not found")


def test_an_owner_who_is_nobody_of_the_brand_is_a_404(shop: ShopWorld) -> None:
    shop.access.users.append(("other1", User("user-9", "grace@example.com", "admin")))
    reply = shop.send("POST", "/v1/pods", {**ORDER, "owner_email": "grace@example.com"})
    assert (reply.status, told(reply)["error"]) == (404, "User not found")


def test_a_key_whose_maker_is_gone_is_a_404(shop: ShopWorld) -> None:
    shop.access.users.clear()
    reply = shop.send("POST", "/v1/pods", ORDER)
    assert (reply.status, told(reply)["error"]) == (404, "User not found")


def test_the_owner_is_who_is_named_whatever_the_case_else_who_made_the_key(shop: ShopWorld) -> None:
    shop.access.users.append((BRAND, User("user-2", "ada@example.com", "member")))
    template = shop.template()
    assert shop.pod(template)["owner_email"] == "charles@example.com"
    assert shop.pod(template, owner_email=" Ada@Example.com ")["owner_email"] == "ada@example.com"


def test_a_template_that_is_not_there_is_a_404(shop: ShopWorld) -> None:
    reply = shop.send("POST", "/v1/pods", {**ORDER, "template_id": "69f0bafc4cc54b506b0355d8"})
    assert (reply.status, told(reply)["error"]) == (404, "Template not found")


def test_another_brands_template_is_not_there(shop: ShopWorld) -> None:
    from dataclasses import replace

    template = shop.template()
    stored = shop.pods.kept.pop((BRAND, template))
    shop.pods.kept["other1", template] = replace(stored, brand="other1")
    assert shop.send("POST", "/v1/pods", {**ORDER, "template_id": template}).status == 404


def test_a_record_that_is_not_there_is_a_404(shop: ShopWorld) -> None:
    reply = shop.send("POST", "/v1/pods", {**ORDER, "crm_id": "99", "template_id": shop.template()})
    assert (reply.status, told(reply)["error"]) == (404, "CRM record not found")
    assert told(reply)["crm"] == "shop"


TROUBLE: list[tuple[str, Response | Problem, int, str]] = [
    ("unreachable", Problem(Kind.CRM_UNAVAILABLE, "Not reached."), 502, "Not reached."),
    ("out of time", Problem(Kind.CRM_TIMEOUT, "No answer in time."), 504, "No answer in time."),
    ("down", Response(500, {}, {"message": "x"}), 502, "The CRM did not give a clean answer."),
    ("throttled", Response(429, {"retry-after": "7"}, {"message": "x"}), 429, "The CRM is throttling this account"),
    ("forbidden", Response(403, {}, {"message": "x"}), 403, "The CRM does not let the connected user do this."),
    ("expired", Response(401, {}, {"message": "x"}), 400, "The shop integration needs to be reconnected"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "status", "error"), [each[1:] for each in TROUBLE], ids=[each[0] for each in TROUBLE]
)
def test_trouble_with_the_crm_is_told_in_the_same_envelope(
    shop: ShopWorld, answer: Response | Problem, status: int, error: str
) -> None:
    template = shop.template()
    shop.answers["/deals/1"] = answer
    reply = shop.send("POST", "/v1/pods", {**ORDER, "template_id": template})
    assert reply.status == status
    assert told(reply)["success"] is False
    assert told(reply)["error"].startswith(error)
    assert told(reply)["crm"] == "shop"
    assert (reply.headers.get("retry-after") == "7") is (status == 429)
    assert shop.pods.pods == {}


def test_an_account_that_needs_to_be_reconnected_is_tried_once_in_a_while(shop: ShopWorld) -> None:
    template = shop.template()
    shop.answers["/deals/1"] = Response(401, {}, {"message": "x"})
    order = {**ORDER, "template_id": template}
    assert [shop.send("POST", "/v1/pods", order).status for _ in range(3)] == [400] * 3
    assert shop.asked == ["/deals/1"]
    shop.answers.clear()
    shop.clock.pass_(61)
    assert shop.send("POST", "/v1/pods", order).status == 200


def test_two_accounts_of_one_crm_the_oldest_that_works_is_taken_unless_one_is_named(shop: ShopWorld) -> None:
    shop.access.accounts.clear()
    first = shop.connect_shop("11111111-dd91-461e-bd6a-aedd9e0ad79d", created_at=1, status="needs_reauth")
    second = shop.connect_shop("22222222-dd91-461e-bd6a-aedd9e0ad79d", created_at=2)
    third = shop.connect_shop("33333333-dd91-461e-bd6a-aedd9e0ad79d", created_at=3)
    template = shop.template()
    assert shop.pod(template)["integrated_account_id"] == second
    assert shop.pod(template, integrated_account_id=third.upper())["integrated_account_id"] == third
    assert shop.pod(template, integrated_account_id=first)["integrated_account_id"] == first


# --- the order of checks ---------------------------------------------------------------------------------------------


def spoil_key(shop: ShopWorld, body: dict[str, Any]) -> None:
    shop.record(shop.key).revoked = True


def spoil_limit(shop: ShopWorld, body: dict[str, Any]) -> None:
    shop.record(shop.key).limit = 0


def spoil_scope(shop: ShopWorld, body: dict[str, Any]) -> None:
    shop.record(shop.key).scopes = frozenset({"lead.all"})


def spoil_body(shop: ShopWorld, body: dict[str, Any]) -> None:
    body["crm_id"] = 5


def spoil_account(shop: ShopWorld, body: dict[str, Any]) -> None:
    shop.access.accounts.clear()


def spoil_brand(shop: ShopWorld, body: dict[str, Any]) -> None:
    shop.access.brands.clear()


def spoil_owner(shop: ShopWorld, body: dict[str, Any]) -> None:
    shop.access.users.clear()


def spoil_template(shop: ShopWorld, body: dict[str, Any]) -> None:
    body["template_id"] = "none"


def spoil_record(shop: ShopWorld, body: dict[str, Any]) -> None:
    shop.shelf.clear()


CHECKS = [
    (spoil_key, 401, "Invalid or revoked API key"),
    (spoil_limit, 429, "This API key has used up its calls for now."),
    (spoil_scope, 403, "Insufficient permissions"),
    (spoil_body, 400, "crm_id: has to be a string, not a number"),
    (spoil_account, 400, "No shop integration found"),
    (spoil_brand, 404, "Brand not found"),
    (spoil_owner, 404, "User not found"),
    (spoil_template, 404, "Template not found"),
    (spoil_record, 404, "CRM record not found"),
]
PAIRS = [(first, second) for index, first in enumerate(CHECKS) for second in CHECKS[index + 1 :]]


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=[f"{a[0].__name__[6:]}-{b[0].__name__[6:]}" for a, b in PAIRS])
def test_of_two_faults_the_earlier_check_speaks(shop: ShopWorld, first: Any, second: Any) -> None:
    body = {**ORDER, "template_id": shop.template()}
    for spoil, _, _ in (first, second):
        spoil(shop, body)
    reply = shop.send("POST", "/v1/pods", body)
    assert (reply.status, told(reply)["error"]) == first[1:]
    assert shop.asked == []


def test_the_own_limit_is_told_on_every_answer(shop: ShopWorld) -> None:
    key = shop.issue(("pod.all",), limit=2)
    first = shop.send("POST", "/v1/pods/search", {}, key=key)
    second = shop.send("POST", "/v1/pods", {}, key=key)
    third = shop.send("POST", "/v1/pods", {}, key=key)
    assert [each.status for each in (first, second, third)] == [200, 400, 429]
    assert [each.headers["x-ratelimit-remaining"] for each in (first, second, third)] == ["1", "0", "0"]
    assert first.headers["x-ratelimit-limit"] == "2"
    assert int(first.headers["x-ratelimit-reset"]) > shop.clock.now()
    assert 1 <= int(third.headers["retry-after"]) <= 10


# --- once ------------------------------------------------------------------------------------------------------------


def test_the_same_key_makes_one_pod_and_the_same_bytes(shop: ShopWorld) -> None:
    order = {**ORDER, "template_id": shop.template()}
    first = shop.send("POST", "/v1/pods", order, idempotency_key="k1")
    again = shop.send("POST", "/api/v1/pods/new", order, idempotency_key='"k1"')
    assert again.body == first.body
    assert again.headers["idempotent-replayed"] == "true"
    assert len(shop.pods.pods) == 1
    assert shop.send("POST", "/v1/pods", order, idempotency_key="k2").body != first.body


def test_the_same_key_with_another_body_is_a_422(shop: ShopWorld) -> None:
    order = {**ORDER, "template_id": shop.template()}
    shop.send("POST", "/v1/pods", order, idempotency_key="k1")
    assert (
        shop.send("POST", "/v1/pods", {**order, "crm_object": "Company", "crm_id": "2"}, idempotency_key="k1").status
        == 422
    )


def test_a_failure_is_not_kept(shop: ShopWorld) -> None:
    order = {**ORDER, "template_id": shop.template()}
    record = shop.shelf.pop("/deals/1")
    assert shop.send("POST", "/v1/pods", order, idempotency_key="k1").status == 404
    shop.shelf["/deals/1"] = record
    assert shop.send("POST", "/v1/pods", order, idempotency_key="k1").status == 200


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_died_while_storing_is_adopted_or_done_again(shop: ShopWorld, when: Any) -> None:
    from tests.journal import CrashError

    order = {**ORDER, "template_id": shop.template()}
    shop.send("POST", "/v1/pods", order, idempotency_key="warm")
    lines = len(shop.journal.lines)
    shop.send("POST", "/v1/pods", order, idempotency_key="dry")
    at = next(i for i, line in enumerate(shop.journal.lines[lines:]) if line == "pods.save")
    held = len(shop.pods.pods)

    shop.journal.die(at, when)
    with pytest.raises(CrashError):
        shop.send("POST", "/v1/pods", order, idempotency_key="k1")
    shop.journal.revive()
    shop.clock.pass_(120)
    assert len(shop.pods.pods) == held + (when == "after")
    reply = shop.send("POST", "/v1/pods", order, idempotency_key="k1")
    assert reply.status == 200
    assert len(shop.pods.pods) == held + 1


def test_what_is_written_tells_no_secret(shop: ShopWorld) -> None:
    shop.pod()
    stored = json.dumps([str(each) for each in (*shop.pods.pods.values(), *shop.pods.pages.values())])
    assert "shop-key" not in stored
    assert shop.key not in stored
    assert ACCOUNT not in str(next(iter(shop.pods.pages.values())).shown)


def test_a_pod_is_two_writes_and_five_reads_of_tables(shop: ShopWorld) -> None:
    template = shop.template()
    before = len(shop.journal.lines)
    shop.send("POST", "/v1/pods", {**ORDER, "template_id": template})
    assert shop.journal.lines[before:] == [
        "access.admit",
        "access.brand",
        "access.user",
        "templates.template",
        "secrets.account",
        "pods.save",
    ]


def test_a_time_out_is_not_unknown_because_nothing_was_made_at_the_crm(shop: ShopWorld) -> None:
    template = shop.template()
    shop.answers["/deals/1"] = Problem(Kind.CRM_TIMEOUT, "The CRM did not answer in time.", outcome=Outcome.NOTHING)
    order = {**ORDER, "template_id": template}
    assert shop.send("POST", "/v1/pods", order, idempotency_key="k1").status == 504
    shop.answers.clear()
    assert shop.send("POST", "/v1/pods", order, idempotency_key="k1").status == 200
