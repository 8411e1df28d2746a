"""Templates, pods and pages on DynamoDB: what is stored is read, one brand never sees another's, and one write wins."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from switchboard.aws.pods import LOOKED_THROUGH, PodsTable
from switchboard.aws.tables import AccessTable
from switchboard.ports import Page, Pod, Template

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BRAND, OTHER = "acme01", "other1"
PAGE = Page(b"\x1f\x8bhtml", "etag-1", "look-1", {"title": "Hello", "blocks": []})


def template(id: str = "t1", **changes: Any) -> Template:
    return replace(Template(BRAND, id, "Offer", {"title": "{{ deal.name }}", "blocks": [1]}, 100, 100), **changes)


def pod(id: str = "6b01ca580000000000000001", **changes: Any) -> Pod:
    made = Pod(
        BRAND, id, "hubspot", "deals", "777", "account-1", "t1", "ada@example.com",
        created_at=100, updated_at=100, refreshed_at=100, title="Hello", missing=("company.name",), once="name-1",
        layout={"blocks": []}, values={"deal": {"name": "Engine"}}, overrides={"deal.name": "Other"},
    )  # fmt: skip
    return replace(made, **changes)


@pytest.fixture
def table(dynamodb: "DynamoDBClient") -> PodsTable:
    return PodsTable(dynamodb, "pods")


class TestTemplates:
    def test_what_is_put_is_read(self, table: PodsTable) -> None:
        assert table.put_template(template(), seen=None)
        assert table.template(BRAND, "t1") == template()
        assert table.templates(BRAND) == [template()]

    def test_another_brand_has_none_of_it(self, table: PodsTable) -> None:
        table.put_template(template(), seen=None)
        assert table.template(OTHER, "t1") is None
        assert table.templates(OTHER) == []
        assert not table.delete_template(OTHER, "t1")
        assert table.template(BRAND, "t1")

    def test_a_new_one_does_not_take_the_place_of_another(self, table: PodsTable) -> None:
        assert table.put_template(template(), seen=None)
        assert not table.put_template(template(name="Else"), seen=None)
        assert table.template(BRAND, "t1") == template()

    def test_of_two_changes_of_one_version_one_is_stored(self, table: PodsTable) -> None:
        table.put_template(template(), seen=None)
        assert table.put_template(template(name="First", version=2), seen=1)
        assert not table.put_template(template(name="Second", version=2), seen=1)
        assert table.template(BRAND, "t1") == template(name="First", version=2)

    def test_a_change_of_one_that_is_gone_makes_none(self, table: PodsTable) -> None:
        assert not table.put_template(template(version=2), seen=1)
        assert table.template(BRAND, "t1") is None

    def test_what_is_deleted_is_gone_and_cannot_be_deleted_again(self, table: PodsTable) -> None:
        table.put_template(template(), seen=None)
        assert table.delete_template(BRAND, "t1")
        assert not table.delete_template(BRAND, "t1")


class TestPods:
    def test_what_is_saved_is_read_in_full(self, table: PodsTable) -> None:
        assert table.save(pod(), PAGE, seen=None)
        assert table.pod(BRAND, pod().id) == pod()
        assert table.page(pod().id) == PAGE

    def test_another_brand_has_none_of_it(self, table: PodsTable) -> None:
        table.save(pod(), PAGE, seen=None)
        assert table.pod(OTHER, pod().id) is None
        assert not table.delete(OTHER, pod().id)
        assert table.page(pod().id) == PAGE
        assert table.search(OTHER, {}, before=None, limit=9) == ([], None)

    def test_of_two_changes_of_one_version_one_is_stored_with_its_page(self, table: PodsTable) -> None:
        table.save(pod(), PAGE, seen=None)
        assert table.save(pod(version=2, title="First"), replace(PAGE, etag="first"), seen=1)
        assert not table.save(pod(version=2, title="Second"), replace(PAGE, etag="second"), seen=1)
        found, page = table.pod(BRAND, pod().id), table.page(pod().id)
        assert found is not None
        assert page is not None
        assert (found.title, page.etag) == ("First", "first")

    def test_a_pod_and_its_page_go_together(self, table: PodsTable, dynamodb: "DynamoDBClient") -> None:
        table.save(pod(), PAGE, seen=None)
        assert table.delete(BRAND, pod().id)
        assert dynamodb.scan(TableName="pods")["Items"] == []
        assert not table.delete(BRAND, pod().id)

    def test_a_change_of_a_pod_that_was_deleted_meanwhile_brings_nothing_back(
        self, table: PodsTable, dynamodb: "DynamoDBClient"
    ) -> None:
        table.save(pod(), PAGE, seen=None)
        table.delete(BRAND, pod().id)
        assert not table.save(pod(version=2), PAGE, seen=1)
        assert dynamodb.scan(TableName="pods")["Items"] == []

    def test_the_page_holds_nothing_of_the_record_but_what_it_shows(
        self, table: PodsTable, dynamodb: "DynamoDBClient"
    ) -> None:
        table.save(pod(), PAGE, seen=None)
        key: Any = {"pk": {"S": f"page#{pod().id}"}, "sk": {"S": "page"}}
        item: Any = dynamodb.get_item(TableName="pods", Key=key).get("Item")
        assert set(item) == {"pk", "sk", "html", "etag", "renderer", "shown"}

    def test_every_key_but_the_pages_begins_with_the_brand(self, table: PodsTable, dynamodb: "DynamoDBClient") -> None:
        table.put_template(template(), seen=None)
        table.save(pod(), PAGE, seen=None)
        stored: list[Any] = list(dynamodb.scan(TableName="pods")["Items"])
        keys = sorted(each["pk"]["S"] for each in stored)
        assert keys == [BRAND, BRAND, BRAND, f"page#{pod().id}"]


class TestSearch:
    @pytest.fixture
    def filled(self, table: PodsTable) -> PodsTable:
        for number in range(7):
            crm = "hubspot" if number % 2 else "salesforce"
            table.save(pod(f"{number:024x}", crm=crm, created_at=number), PAGE, seen=None)
        return table

    def pages(self, table: PodsTable, where: dict[str, str], limit: int) -> list[list[str]]:
        found, before = list[list[str]](), None
        while True:
            pods, before = table.search(BRAND, where, before=before, limit=limit)
            found.append([each.id[-1] for each in pods])
            if before is None:
                return found

    def test_newest_first_page_by_page(self, filled: PodsTable) -> None:
        assert [id for page in self.pages(filled, {}, 3) for id in page] == list("6543210")

    @pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
    def test_what_is_narrowed_is_whole_whatever_the_page(self, filled: PodsTable, limit: int) -> None:
        found = self.pages(filled, {"crm_type": "hubspot"}, limit)
        assert [id for page in found for id in page] == list("531")
        assert all(len(page) <= limit for page in found)

    def test_conditions_hold_together(self, filled: PodsTable) -> None:
        assert filled.search(BRAND, {"crm_type": "hubspot", "crm_id": "none"}, before=None, limit=9) == ([], None)
        both = filled.search(BRAND, {"crm_type": "hubspot", "owner_email": "ada@example.com"}, before=None, limit=9)
        assert len(both[0]) == 3

    def test_a_list_does_not_pay_for_what_it_does_not_tell(self, filled: PodsTable) -> None:
        found, _ = filled.search(BRAND, {}, before=None, limit=1)
        assert (found[0].layout, found[0].values, found[0].overrides) == ({}, {}, {})
        assert found[0].missing == ("company.name",)

    def test_the_work_of_one_search_is_bounded(self, table: PodsTable, monkeypatch: pytest.MonkeyPatch) -> None:
        for number in range(5):
            table.save(pod(f"{number:024x}"), PAGE, seen=None)
        monkeypatch.setattr("switchboard.aws.pods.LOOKED_THROUGH", 2)
        monkeypatch.setattr("switchboard.aws.pods.SCANNED", 2)
        found, before = table.search(BRAND, {"crm_id": "none"}, before=None, limit=2)
        assert found == []
        assert before == f"{3:024x}"
        assert LOOKED_THROUGH == 1000


class TestBrands:
    """What the pods surface asks of the other table."""

    @pytest.fixture
    def access(self, dynamodb: "DynamoDBClient") -> AccessTable:
        def put(sk: str, **item: Any) -> None:
            typed = {name: {"N": str(v)} if isinstance(v, int) else {"S": v} for name, v in item.items()}
            dynamodb.put_item(TableName="access", Item={"pk": {"S": BRAND}, "sk": {"S": sk}, **typed})

        put("brand", name="Acme")
        put("key#abc", owner="u1")
        put("account#b", crm="hubspot", scheme="api_key", status="active", created_at=5)
        put("account#a", crm="zoho", scheme="api_key", status="needs_reauth", created_at=9)
        put("user#u1", email="ada@example.com", role="admin")
        put("user#u2", email="Grace@Example.com", role="member")
        return AccessTable(dynamodb, "access")

    def test_a_brand_and_its_accounts_come_in_one_read_oldest_first(self, access: AccessTable) -> None:
        found = access.brand(BRAND)
        assert found.exists
        assert [(each.id, each.crm, each.status) for each in found.accounts] == [
            ("b", "hubspot", "active"),
            ("a", "zoho", "needs_reauth"),
        ]
        assert access.brand(OTHER) == replace(found, exists=False, accounts=())

    def test_a_user_is_found_by_id_or_by_e_mail_whatever_its_case(self, access: AccessTable) -> None:
        find: Callable[..., Any] = access.user
        assert find(BRAND, id="u2").email == "Grace@Example.com"
        assert find(BRAND, email=" grace@example.COM").id == "u2"
        assert find(BRAND, email="nobody@example.com") is None
        assert find(BRAND, id="u") is None
        assert find(OTHER, id="u1") is None
