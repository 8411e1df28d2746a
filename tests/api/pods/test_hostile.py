"""Callers, templates and records that mean harm: no answer that is a fault of ours, nothing stored that cannot be
stored, and nothing on a page that its texts do not say.
"""

import json
import string
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from switchboard.api.pods import keeping
from switchboard.aws.pods import _packed  # pyright: ignore[reportPrivateUsage] - the size of what is stored
from switchboard.pods import page, subject
from tests.api.pods.shop import LAYOUT, ORDER, RECORDS, ShopWorld, told
from tests.worlds import BRAND

ITEM = 400 * 1024
"""DynamoDB takes no larger item."""
ANSWER = 6 * 1024 * 1024
"""Lambda gives no larger answer."""


def noise(length: int) -> str:
    """A text that no compression makes small."""
    state, found = 1, list[str]()
    for _ in range(length):
        state = state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407 & (1 << 64) - 1
        found.append(chr(0x4E00 + (state >> 33) % 20_000))
    return "".join(found)


def stored(value: Any) -> int:
    return len(_packed(value)["B"])


def text(*texts: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": each} for each in texts]


def record(shop: ShopWorld, **fields: Any) -> None:
    shop.shelf["/deals/1"] = {**RECORDS["/deals/1"], **fields}


def utf8(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


# --- what cannot be stored -------------------------------------------------------------------------------------------


def test_a_template_that_no_item_can_hold_is_refused(shop: ShopWorld) -> None:
    body = utf8({**LAYOUT, "blocks": text(*[noise(19_000 - index) for index in range(16)])})
    reply = shop.send("POST", "/v1/templates", body)
    sizes = [stored(each.layout) for each in shop.pods.kept.values()]
    assert reply.status == 400 or max(sizes) < ITEM, (reply.status, sizes)


def test_values_said_instead_do_not_grow_without_end(shop: ShopWorld) -> None:
    id = shop.pod()["id"]
    for patch in range(4):
        said = {f"crm.f{patch}_{index}": noise(15_000 + index) for index in range(12)}
        shop.send("PATCH", f"/v1/pods/{id}", utf8({"variables": said}))
    assert stored(shop.pods.pods[BRAND, id].overrides) < ITEM
    assert len(shop.pods.pods[BRAND, id].overrides) <= keeping.MOST_OVERRIDES


def test_the_names_of_what_is_missing_fit_beside_the_pod(shop: ShopWorld) -> None:
    long = {**LAYOUT, "blocks": text(*["{{ crm['" + "x" * (19_000 + index) + "'] }}" for index in range(8)])}
    assert shop.send("POST", "/v1/templates", long).status == 400
    many = text(*["".join(f"{{{{ crm['{'x y' * 60}{index}{each}'] }}}}" for each in range(30)) for index in range(9)])
    shop.pod(shop.template(blocks=many))
    assert all(len(json.dumps(each.missing)) < ITEM for each in shop.pods.pods.values())


@pytest.mark.parametrize("value", ["z" * 5_000_000, ["q" * 100] * 50_000], ids=["a text", "a list"])
def test_a_field_of_megabytes_is_not_kept_whole(shop: ShopWorld, value: Any) -> None:
    record(shop, x_notes=value)
    template = shop.template(blocks=text("{% if crm.x_notes %}yes{% endif %}"))
    shop.send("POST", "/v1/pods", {**ORDER, "template_id": template})
    assert all(len(json.dumps(each.values)) <= subject.KEPT_BYTES for each in shop.pods.pods.values())


def test_a_record_of_ten_thousand_fields_makes_a_pod(shop: ShopWorld) -> None:
    record(shop, **{f"x_{index}": "v" * 100 for index in range(10_000)})
    pod = shop.pod(shop.template(blocks=text("{{ crm.x_7 }}")))
    assert "v" * 100 in shop.live(pod["id"])


def test_an_id_longer_than_ids_are_asks_nothing_of_the_table(shop: ShopWorld) -> None:
    for method, path in (("DELETE", ""), ("POST", "/preview"), ("GET", ""), ("PATCH", "")):
        before = len(shop.journal.lines)
        body = {"name": "x"} if method == "PATCH" else {}
        assert shop.send(method, f"/v1/templates/{'a' * 3_000}{path}", body).status == 404
        asked = [line for line in shop.journal.lines[before:] if line.startswith("templates.")]
        assert asked == [], f"{method}: a key of more than 1,024 bytes is an error of DynamoDB's"


# --- what cannot be answered -----------------------------------------------------------------------------------------

LONG = "\\" * 500_000


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/v1/pods/{id}", {"variables": {LONG: "x"}}),
        ("POST", "/v1/pods", {LONG: 1}),
        ("POST", "/v1/templates", {LONG: 1}),
        ("POST", "/v1/pods/search", {LONG: 1}),
        ("POST", "/v1/templates/deal-room/preview", {"values": {LONG: 1}}),
    ],
    ids=["variables", "pod", "template", "search", "values"],
)
def test_a_refusal_is_not_larger_than_an_answer_may_be(shop: ShopWorld, method: str, path: str, body: Any) -> None:
    reply = shop.send(method, path.format(id=shop.pod()["id"]), body)
    assert reply.status == 400
    assert len(json.dumps(reply.event("0123456789abcdef"))) < ANSWER


@pytest.mark.parametrize(
    "liquid",
    [
        "{{ deal.amount | number: context: 'x' }}",
        "{{ deal.name | split: '' | compact: 50 }}",
        "{{ deal.name | split: '' | uniq: 50 }}",
    ],
)
def test_a_template_that_fails_is_told_to_who_uses_it(shop: ShopWorld, liquid: str) -> None:
    made = shop.send("POST", "/v1/templates", {**LAYOUT, "blocks": text(liquid)})
    if made.status == 201:
        order = {**ORDER, "template_id": told(made)["data"]["id"]}
        assert shop.send("POST", "/v1/pods", order).status == 400


def test_values_that_nest_deep_are_refused(shop: ShopWorld) -> None:
    body = b'{"values":{"deal":{"name":' + b"[" * 2_000 + b"]" * 2_000 + b"}}}"
    assert shop.send("POST", "/v1/templates/deal-room/preview", body).status == 400


def test_what_would_fill_many_pages_is_refused_before_it_is_drawn(
    shop: ShopWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(shop, name="a" * 10_000)
    steps = [{"title": "", "text": "{{ deal.name }}"}] * 30
    template = shop.template(blocks=[{"type": "timeline", "steps": steps}])
    drawn: list[int] = []
    real = page.live
    monkeypatch.setattr(page, "live", lambda shown: drawn.append(len(json.dumps(shown))) or real(shown))
    assert shop.send("POST", "/v1/pods", {**ORDER, "template_id": template}).status == 400
    assert drawn == [], "Markdown of megabytes takes minutes, and no clock is looked at meanwhile"


# --- what a page says ------------------------------------------------------------------------------------------------


def test_the_vendors_own_fields_are_as_clean_as_ours(shop: ShopWorld) -> None:
    record(shop, x_notes="a\r\r    code\u202eevil\u2066\x07\x1b")
    shown = shop.live(shop.pod(shop.template(blocks=text("{{ crm.x_notes }}")))["id"])
    assert not set(shown) & set("\u202e\u2066\x07\x1b")
    assert "<pre" not in shown, "a carriage return begins a line, whose spaces make it code"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "https:\\\\evil.example",
        "https://bank.example@evil.example",
        "https:evil.example",
        "http://a.example",
    ],
)
def test_an_address_out_of_a_record_leads_nowhere_but_where_it_may(shop: ShopWorld, url: str) -> None:
    record(shop, name=url)
    pod = shop.pod(
        shop.template(
            blocks=[
                {"type": "button", "text": "b", "url": "{{ deal.name }}"},
                {"type": "image", "url": "{{ deal.name }}", "alt": ""},
                {"type": "video", "url": "{{ deal.name }}", "title": "", "poster": "{{ deal.name }}"},
                *text("[a]({{ deal.name }}) <{{ deal.name }}>"),
            ]
        )
    )
    main = shop.live(pod["id"]).partition("<main>")[2]
    assert "href=" not in main
    assert "src=" not in main


# --- small promises --------------------------------------------------------------------------------------------------


def test_a_caller_over_the_limit_is_told_the_limit(shop: ShopWorld) -> None:
    shop.key = shop.issue(("pod.all",), limit=1)
    assert shop.send("POST", "/v1/pods/search", {}).status == 200
    reply = shop.send("POST", "/v1/pods/search", {})
    assert reply.status == 429
    assert reply.headers.get("x-ratelimit-limit") == "1"


@pytest.mark.parametrize("email", [0, False, [], {}])
def test_an_owner_that_is_no_text_is_refused_on_a_change_too(shop: ShopWorld, email: Any) -> None:
    assert shop.send("PATCH", f"/v1/pods/{shop.pod()['id']}", {"owner_email": email}).status == 400


def test_an_empty_etag_is_nobodys_version(shop: ShopWorld) -> None:
    assert shop.send("PATCH", f"/v1/pods/{shop.pod()['id']}", {"accent": "rust"}, if_match='""').status == 412


def test_a_cursor_of_nobodys_is_pointed_at_by_its_name(shop: ShopWorld) -> None:
    reply = shop.send("POST", "/v1/pods/search", {"cursor": "AAAA"})
    assert [each["pointer"] for each in told(reply)["errors"]] == ["#/cursor"]


# --- anything --------------------------------------------------------------------------------------------------------

KNOWN = """
crm_type crm_object crm_id template_id owner_email integrated_account_id name title description language accent blocks
variables values filters limit cursor type text url alt columns steps people deal company crm emails field operator
value deal.name crm.x
"""
NAMES = st.sampled_from(sorted(set(KNOWN.split()))) | st.text(string.printable, max_size=8)
WORDS = st.sampled_from(["shop", "Deal", "1", "deal-room", "en", "blue", "text", "columns", "{{ deal.name }}", "eq"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
REQUESTS = st.sampled_from(
    [
        ("POST", "/v1/pods", dict[str, Any](ORDER)),
        ("PATCH", "/v1/pods/{id}", {"variables": {"deal.name": "x"}}),
        ("POST", "/v1/pods/search", {"filters": [{"field": "crm_id", "operator": "eq", "value": "1"}]}),
        ("POST", "/v1/templates", LAYOUT),
        ("POST", "/v1/templates/deal-room/preview", {"values": {"deal": {"name": "x"}}}),
    ]
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request=REQUESTS, changes=st.dictionaries(NAMES, ANYTHING, max_size=4))
def test_whatever_is_sent_is_answered_and_nothing_is_a_fault_of_ours(
    shop: ShopWorld, request: tuple[str, str, dict[str, Any]], changes: dict[str, Any]
) -> None:
    shop.key = shop.issue(("pod.all", "template.all"))
    id = next((id for _, id in shop.pods.pods), None) or shop.pod()["id"]
    method, path, body = request
    reply = shop.send(method, path.format(id=id), {**body, **changes})
    assert reply.status < 500
