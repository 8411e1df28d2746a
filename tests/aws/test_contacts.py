"""Contacts, lists and checkpoints on DynamoDB: each method holds what its port promises."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from switchboard.aws.contacts import READS, SWEEP_SECONDS, TRIES, WRITES, ContactsTable, OverloadedError
from switchboard.ports import Checkpoint, Owner, Posting, Span, Stored

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BRAND, OTHER = "acme01", "other1"
ACCOUNT = "62f44730-dd91-461e-bd6a-aedd9e0ad79d"
NOW = 1_795_253_400.0
LIST = "by#created_at#account-1"


def contact(id: str = "con_1", **changes: Any) -> Stored:
    made = Stored(
        BRAND, id, ACCOUNT, "hubspot", "501",
        body={"first_name": "Ada", "emails": [{"email": "ada@engines.example"}], "updated_at": "2026-11-21T09:30:00Z"},
        digest="d1", postings=(Posting("email=ada@engines.example", "x\x1fcon_1"),),
        drops=(Posting("email=old@engines.example", "x\x1fcon_1"),),
    )  # fmt: skip
    return replace(made, **changes)


def checkpoint(account: str = ACCOUNT, **changes: Any) -> Checkpoint:
    return replace(Checkpoint(BRAND, account, "hubspot"), **changes)


def place(at: str, name: str = LIST) -> Posting:
    return Posting(name, at)


def span(low: str = "\x00", high: str = "\U0010ffff", name: str = LIST) -> Span:
    return Span(name, low, high)


def _never(_: float) -> None:
    raise AssertionError("nothing is waited for")


@pytest.fixture
def waits() -> list[float]:
    """How long was waited, each time."""
    return []


@pytest.fixture
def table(dynamodb: "DynamoDBClient", waits: list[float]) -> ContactsTable:
    return ContactsTable(dynamodb, "contacts", waits.append)


def items(dynamodb: "DynamoDBClient") -> list[dict[str, Any]]:
    """All that lies in the table."""
    return [dict(item) for item in dynamodb.scan(TableName="contacts")["Items"]]


def first(table: ContactsTable, each: Span, *, limit: int = 1000, descending: bool = False) -> list[str]:
    """The first places of one part of a list."""
    [found] = table.places(BRAND, [each], limit=limit, descending=descending)
    return found


class TestContacts:
    def test_what_is_put_is_read_to_the_last_field(self, table: ContactsTable) -> None:
        whole = contact(version=3, gone_until=int(NOW), settled=False)
        assert table.put(whole, seen=None)
        assert table.contacts(BRAND, ["con_1"]) == {"con_1": whole}

    def test_one_that_is_settled_and_there_is_read_as_such(self, table: ContactsTable) -> None:
        table.put(contact(drops=()), seen=None)
        found = table.contacts(BRAND, ["con_1"])["con_1"]
        assert (found.settled, found.gone_until, found.drops) == (True, 0, ())

    def test_a_new_one_does_not_take_the_place_of_another(self, table: ContactsTable) -> None:
        assert table.put(contact(), seen=None)
        assert not table.put(contact(digest="d2"), seen=None)
        assert table.contacts(BRAND, ["con_1"])["con_1"].digest == "d1"

    def test_of_two_changes_of_one_version_one_is_stored(self, table: ContactsTable) -> None:
        table.put(contact(), seen=None)
        assert table.put(contact(version=2, digest="d2"), seen=1)
        assert not table.put(contact(version=2, digest="d3"), seen=1)
        assert table.contacts(BRAND, ["con_1"])["con_1"].digest == "d2"

    def test_one_that_is_not_there_cannot_be_changed(self, table: ContactsTable) -> None:
        assert not table.put(contact(version=2), seen=1)
        assert table.contacts(BRAND, ["con_1"]) == {}

    def test_one_that_is_gone_is_forgotten_by_the_table_after_a_while_and_others_never(
        self, table: ContactsTable, dynamodb: "DynamoDBClient"
    ) -> None:
        table.put(contact(), seen=None)
        table.put(contact("con_2", gone_until=int(NOW)), seen=None)
        expires = {item["pk"]["S"].rpartition("#")[2]: item.get("expires") for item in items(dynamodb)}
        assert expires == {"con_1": None, "con_2": {"N": str(int(NOW))}}

    def test_another_brand_has_none_of_it(self, table: ContactsTable) -> None:
        table.put(contact(), seen=None)
        assert table.contacts(OTHER, ["con_1"]) == {}
        assert table.put(contact(brand=OTHER, digest="d2"), seen=None)
        assert table.contacts(BRAND, ["con_1"])["con_1"].digest == "d1"

    def test_more_than_one_request_takes_are_read_and_each_once(self, table: ContactsTable) -> None:
        ids = [f"con_{n}" for n in range(READS + 5)]
        for id in ids:
            table.put(contact(id), seen=None)
        assert table.contacts(BRAND, [*ids, *ids, "con_none"]).keys() == set(ids)

    def test_nothing_is_asked_for_nothing(self) -> None:
        table = ContactsTable(Stub(most=0), "contacts", _never)  # type: ignore[arg-type]
        assert table.contacts(BRAND, []) == {}
        assert table.places(BRAND, [], limit=10, descending=False) == []
        table.post(BRAND, [])
        table.drop(BRAND, [])


class TestPlaces:
    @pytest.fixture(autouse=True)
    def posted(self, table: ContactsTable) -> None:
        table.post(BRAND, [(place(at), 1) for at in "bdfhj"])

    def test_they_are_given_in_both_directions(self, table: ContactsTable) -> None:
        assert first(table, span()) == list("bdfhj")
        assert first(table, span(), descending=True) == list("jhfdb")

    @pytest.mark.parametrize(
        ("low", "high", "found"),
        [("d", "h", "dfh"), ("c", "i", "dfh"), ("j", "j", "j"), ("k", "z", ""), ("\x00", "\x00", "")],
    )
    def test_both_bounds_belong_to_a_part(self, table: ContactsTable, low: str, high: str, found: str) -> None:
        assert first(table, span(low, high)) == list(found)
        assert first(table, span(low, high), descending=True) == list(reversed(found))

    def test_there_are_no_more_of_each_than_were_asked_for(self, table: ContactsTable) -> None:
        table.post(BRAND, [(place("x", "word"), 1)])
        assert first(table, span(), limit=2) == ["b", "d"]
        assert first(table, span(), limit=2, descending=True) == ["j", "h"]
        told = table.places(BRAND, [span(name="word"), span(), span(name="none")], limit=2, descending=False)
        assert told == [["x"], ["b", "d"], []]

    def test_another_brand_has_none_of_them(self, table: ContactsTable) -> None:
        assert table.places(OTHER, [span()], limit=10, descending=False) == [[]]
        table.drop(OTHER, [(place("b"), 9)])
        assert first(table, span("b", "b")) == ["b"]

    def test_the_same_place_twice_is_one(self, table: ContactsTable) -> None:
        table.post(BRAND, [(place("b"), 1), (place("b"), 1)])
        assert first(table, span()) == list("bdfhj")

    def test_more_than_one_request_takes_are_written(self, table: ContactsTable) -> None:
        ats = [f"{n:04d}" for n in range(3 * WRITES + 1)]
        table.post(BRAND, [(place(at, "many"), 1) for at in ats])
        assert first(table, span(name="many")) == ats
        table.drop(BRAND, [(place(at, "many"), 1) for at in ats])
        assert first(table, span(name="many")) == []

    @pytest.mark.parametrize(("version", "left"), [(4, "bdfhj"), (5, "dfhj"), (6, "dfhj"), (1 << 53, "dfhj")])
    def test_a_place_of_a_newer_version_is_not_removed(self, table: ContactsTable, version: int, left: str) -> None:
        table.post(BRAND, [(place("b"), 5)])
        table.drop(BRAND, [(place("b"), version)])
        assert first(table, span()) == list(left)

    def test_one_that_is_not_there_is_removed_without_ado(self, table: ContactsTable) -> None:
        table.drop(BRAND, [(place("a"), 1), (place("b"), 1)])
        assert first(table, span()) == list("dfhj")

    def test_a_fault_of_the_table_is_not_taken_for_a_place_that_stays(self, dynamodb: "DynamoDBClient") -> None:
        with pytest.raises(ClientError):
            ContactsTable(dynamodb, "no-such-table", _never).drop(BRAND, [(place("b"), 1)])


@dataclass
class Stub:
    """As much of DynamoDB as batches need, that does at most so many of each request."""

    most: int = 1000
    held: dict[str, Any] = field(default_factory=dict[str, Any])
    sizes: list[int] = field(default_factory=list[int])

    def batch_write_item(self, RequestItems: Any) -> Any:  # noqa: N803
        [(table, requests)] = RequestItems.items()
        self.sizes.append(len(requests))
        for request in requests[: self.most]:
            item = request["PutRequest"]["Item"]
            self.held[item["sk"]["S"]] = item
        left = requests[self.most :]
        return {"UnprocessedItems": {table: left} if left else {}}

    def batch_get_item(self, RequestItems: Any) -> Any:  # noqa: N803
        [(table, wanted)] = RequestItems.items()
        assert wanted["ConsistentRead"] is True
        self.sizes.append(len(wanted["Keys"]))
        done, left = wanted["Keys"][: self.most], wanted["Keys"][self.most :]
        found = [self.held[key["pk"]["S"]] for key in done if key["pk"]["S"] in self.held]
        return {
            "Responses": {table: found},
            "UnprocessedKeys": {table: {**wanted, "Keys": left}} if left else {},
        }


class TestOverload:
    def test_places_that_were_left_undone_are_written_after_a_wait(self, waits: list[float]) -> None:
        stub = Stub(most=10)
        table = ContactsTable(stub, "contacts", waits.append)  # type: ignore[arg-type]
        table.post(BRAND, [(place(f"{n:02d}"), 1) for n in range(WRITES)])
        assert sorted(stub.held) == [f"{n:02d}" for n in range(WRITES)]
        assert stub.sizes == [25, 15, 5]
        assert waits == sorted(waits)
        assert len(waits) == 2
        assert min(waits) > 0

    def test_contacts_that_were_left_out_are_read_after_a_wait(
        self, table: ContactsTable, dynamodb: "DynamoDBClient", waits: list[float]
    ) -> None:
        ids = [f"con_{n}" for n in range(7)]
        for id in ids:
            table.put(contact(id), seen=None)
        stub = Stub(most=3, held={item["pk"]["S"]: item for item in items(dynamodb)})
        found = ContactsTable(stub, "contacts", waits.append).contacts(BRAND, ids)  # type: ignore[arg-type]
        assert found == {id: contact(id) for id in ids}
        assert stub.sizes == [7, 4, 1]
        assert len(waits) == 2

    @pytest.mark.parametrize(
        "ask",
        [lambda table: table.post(BRAND, [(place("a"), 1)]), lambda table: table.contacts(BRAND, ["con_1"])],
        ids=["writes", "reads"],
    )
    def test_who_is_left_undone_time_and_again_gives_up_and_says_so(
        self, waits: list[float], ask: Callable[[ContactsTable], object]
    ) -> None:
        stub = Stub(most=0)
        with pytest.raises(OverloadedError):
            ask(ContactsTable(stub, "contacts", waits.append))  # type: ignore[arg-type]
        assert len(stub.sizes) == TRIES


class TestCheckpoints:
    WHOLE = checkpoint(
        stage="sweep", anchor="2026-11-21T09:30:00Z", since="2026-11-21T09:28:00Z", newest="2026-11-21T09:31:00Z",
        position={"after": "é", "n": [1, None]}, begun=NOW, synced_at=NOW - 0.25, deleted_at=NOW - 1, swept_at=NOW - 2,
        described_at=NOW - 3, size=12, pages=3, due_at=NOW + 0.123456, failures=2, last_error="crm-timeout",
        custom=("colour",), indexed=("colour", "size"),
    )  # fmt: skip

    def test_what_is_moved_is_read_as_the_next_version(self, table: ContactsTable) -> None:
        assert table.checkpoint(BRAND, ACCOUNT) is None
        assert table.move(self.WHOLE)
        assert table.checkpoint(BRAND, ACCOUNT) == replace(self.WHOLE, version=1)

    def test_of_two_who_have_seen_the_same_one_moves_it(self, table: ContactsTable) -> None:
        assert table.move(checkpoint())
        assert not table.move(checkpoint(stage="purge"))
        assert table.move(checkpoint(version=1, size=1))
        assert not table.move(checkpoint(version=1, size=2))
        assert table.checkpoint(BRAND, ACCOUNT) == checkpoint(version=2, size=1)

    def test_one_that_was_forgotten_does_not_come_back_by_a_move(self, table: ContactsTable) -> None:
        table.move(checkpoint())
        table.know(BRAND, ACCOUNT, {"7": Owner("Ada")})
        table.forget(checkpoint(version=1))
        assert table.checkpoint(BRAND, ACCOUNT) is None
        assert table.owners(BRAND) == {}
        assert not table.move(checkpoint(version=1))
        assert table.due(NOW, 10) == []

    def test_to_forget_one_leaves_nothing_of_it_and_all_of_the_others(
        self, table: ContactsTable, dynamodb: "DynamoDBClient"
    ) -> None:
        for account in ("a-1", "a-2"):
            table.move(checkpoint(account))
            table.know(BRAND, account, {"7": Owner("Ada")})
            table.reserve(BRAND, account, interval=1, now=NOW, until=NOW)
        table.forget(checkpoint("a-1", version=1))
        assert {account for item in items(dynamodb) for account in ("a-1", "a-2") if account in str(item)} == {"a-2"}
        assert len(items(dynamodb)) == 3

    def test_a_brand_has_its_own_and_no_other(self, table: ContactsTable) -> None:
        table.move(checkpoint("a-1"))
        table.move(checkpoint("a-2"))
        table.move(replace(checkpoint("a-3"), brand=OTHER))
        table.know(BRAND, "a-1", {"7": Owner("Ada")})
        assert [each.account for each in table.checkpoints(BRAND)] == ["a-1", "a-2"]
        assert [each.account for each in table.checkpoints(OTHER)] == ["a-3"]
        assert table.checkpoint(OTHER, "a-1") is None

    def test_the_due_of_all_brands_are_found_the_oldest_first(self, table: ContactsTable) -> None:
        table.move(checkpoint("a-1", due_at=NOW))
        table.move(checkpoint("a-2", due_at=NOW + 0.5))
        table.move(replace(checkpoint("a-3", due_at=NOW - 60), brand=OTHER))
        found = table.due(NOW, 10)
        assert [(each.brand, each.account, each.due_at) for each in found] == [
            (OTHER, "a-3", NOW - 60),
            (BRAND, "a-1", NOW),
        ]
        assert [each.account for each in table.due(NOW + 1, 2)] == ["a-3", "a-1"]

    def test_nothing_but_checkpoints_is_ever_due(self, table: ContactsTable) -> None:
        table.put(contact(), seen=None)
        table.post(BRAND, [(place("a"), 1)])
        table.know(BRAND, ACCOUNT, {"7": Owner("Ada")})
        table.seen(BRAND, ACCOUNT, repr(NOW), 0, ["1"])
        table.reserve(BRAND, ACCOUNT, interval=1, now=NOW, until=NOW)
        assert table.due(NOW + 1_000_000, 10) == []

    def test_to_postpone_moves_when_it_is_due_and_nothing_else(self, table: ContactsTable) -> None:
        table.move(self.WHOLE)
        [found] = table.due(NOW + 1, 10)
        assert table.postpone(found, NOW + 1800.5)
        assert table.checkpoint(BRAND, ACCOUNT) == replace(self.WHOLE, version=1, due_at=NOW + 1800.5)
        assert table.due(NOW + 1800, 10) == []
        assert [each.account for each in table.due(NOW + 1801, 10)] == [ACCOUNT]

    def test_of_two_who_postpone_the_same_one_does(self, table: ContactsTable) -> None:
        table.move(checkpoint(due_at=NOW + 0.1))
        [found] = table.due(NOW + 1, 10)
        assert table.postpone(found, NOW + 1800)
        assert not table.postpone(found, NOW + 3600)
        assert table.due(NOW + 1800, 10)[0].due_at == NOW + 1800

    def test_one_that_is_no_more_cannot_be_postponed_into_being(self, table: ContactsTable) -> None:
        assert not table.postpone(checkpoint(due_at=NOW), NOW + 1800)
        assert table.checkpoint(BRAND, ACCOUNT) is None


class TestOwners:
    OWNERS: Mapping[str, Owner] = {"7": Owner("Ada", "ada@engines.example"), "8": Owner(), "é": Owner(name="B")}

    def test_those_of_an_account_are_known_all_at_once(self, table: ContactsTable) -> None:
        table.know(BRAND, "a-1", {"9": Owner("Gone")})
        table.know(BRAND, "a-1", self.OWNERS)
        assert table.owners(BRAND) == {"a-1": self.OWNERS}

    def test_one_account_or_all_of_a_brand_are_asked_for(self, table: ContactsTable) -> None:
        table.know(BRAND, "a-1", self.OWNERS)
        table.know(BRAND, "a-2", {"7": Owner("Charles")})
        table.know(OTHER, "a-3", {"7": Owner("Else")})
        assert table.owners(BRAND, "a-2") == {"a-2": {"7": Owner("Charles")}}
        assert table.owners(BRAND).keys() == {"a-1", "a-2"}
        assert table.owners(BRAND, "a-3") == {}


class TestSweeps:
    def test_all_parts_of_a_run_are_met_and_those_of_no_other(self, table: ContactsTable) -> None:
        run, other = repr(NOW), repr(NOW + 1)
        table.seen(BRAND, "a-1", run, 0, ["1", "2"])
        table.seen(BRAND, "a-1", run, 12, ["3"])
        table.seen(BRAND, "a-1", run, 12, ["3", "4"])
        table.seen(BRAND, "a-1", other, 0, ["5"])
        table.seen(BRAND, "a-2", run, 0, ["6"])
        table.seen(OTHER, "a-1", run, 0, ["7"])
        assert table.met(BRAND, "a-1", run) == {"1", "2", "3", "4"}
        assert table.met(BRAND, "a-1", other) == {"5"}
        assert table.met(BRAND, "a-1", repr(NOW + 2)) == set()

    def test_what_was_met_is_forgotten_by_the_table_after_a_week(
        self, table: ContactsTable, dynamodb: "DynamoDBClient"
    ) -> None:
        table.seen(BRAND, "a-1", repr(NOW + 0.5), 0, ["1"])
        [item] = items(dynamodb)
        assert int(item["expires"]["N"]) == int(NOW) + SWEEP_SECONDS


class TestPaces:
    @pytest.fixture
    def reserve(self, table: ContactsTable) -> Callable[..., float]:
        def asked(now: float = NOW, until: float = NOW + 5, account: str = ACCOUNT, brand: str = BRAND) -> float:
            return table.reserve(brand, account, interval=0.5, now=now, until=until)

        return asked

    def test_the_first_may_go_at_once_and_each_after_it_an_interval_later(self, reserve: Callable[..., float]) -> None:
        assert [reserve() for _ in range(4)] == [NOW, NOW + 0.5, NOW + 1, NOW + 1.5]

    def test_time_that_nobody_used_is_lost(self, reserve: Callable[..., float]) -> None:
        reserve()
        assert [reserve(NOW + 60, NOW + 65) for _ in range(2)] == [NOW + 60, NOW + 60.5]

    def test_a_place_beyond_the_limit_is_told_and_not_taken(self, reserve: Callable[..., float]) -> None:
        assert [reserve(until=NOW + 1) for _ in range(5)] == [NOW, NOW + 0.5, NOW + 1, NOW + 1.5, NOW + 1.5]
        assert reserve(until=NOW + 2) == NOW + 1.5

    def test_each_account_has_a_row_of_its_own(self, reserve: Callable[..., float]) -> None:
        assert [reserve(account="a-1"), reserve(account="a-2"), reserve(account="a-1", brand=OTHER)] == [NOW] * 3

    def test_after_a_rest_the_row_goes_on(self, table: ContactsTable, reserve: Callable[..., float]) -> None:
        table.rest(BRAND, ACCOUNT, NOW + 30)
        assert reserve() == NOW + 30
        assert reserve() == NOW + 30
        assert [reserve(until=NOW + 60) for _ in range(2)] == [NOW + 30, NOW + 30.5]

    def test_a_rest_that_is_shorter_than_one_before_changes_nothing(
        self, table: ContactsTable, reserve: Callable[..., float]
    ) -> None:
        table.rest(BRAND, ACCOUNT, NOW + 30)
        table.rest(BRAND, ACCOUNT, NOW + 10)
        assert reserve() == NOW + 30


def test_every_key_begins_with_the_brand(table: ContactsTable, dynamodb: "DynamoDBClient") -> None:
    table.put(contact(), seen=None)
    table.post(BRAND, [(place("a"), 1)])
    table.move(checkpoint())
    table.know(BRAND, ACCOUNT, {"7": Owner("Ada")})
    table.seen(BRAND, ACCOUNT, repr(NOW), 0, ["1"])
    table.reserve(BRAND, ACCOUNT, interval=1, now=NOW, until=NOW)
    found = [item["pk"]["S"] for item in items(dynamodb)]
    assert len(found) == 6
    assert all(pk.startswith(f"{BRAND}#") for pk in found)


@pytest.fixture
def broken(dynamodb: "DynamoDBClient") -> ContactsTable:
    """A table that is not there."""
    return ContactsTable(dynamodb, "no-such-table", _never)


@pytest.mark.parametrize(
    "ask",
    [
        lambda table: table.put(contact(), seen=None),
        lambda table: table.move(checkpoint()),
        lambda table: table.postpone(checkpoint(), NOW),
        lambda table: table.rest(BRAND, ACCOUNT, NOW),
        lambda table: table.reserve(BRAND, ACCOUNT, interval=1, now=NOW, until=NOW),
    ],
    ids=["put", "move", "postpone", "rest", "reserve"],
)
def test_a_fault_of_the_table_is_never_taken_for_another_who_was_quicker(
    broken: ContactsTable, ask: Callable[[ContactsTable], object]
) -> None:
    with pytest.raises(ClientError):
        ask(broken)
