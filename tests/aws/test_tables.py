"""The ports on DynamoDB: each condition, and how many calls a request costs."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from switchboard.api import keys
from switchboard.api.walk import Create
from switchboard.aws.contacts import ContactsTable
from switchboard.aws.pods import PodsTable
from switchboard.aws.secrets import SecretStore
from switchboard.aws.tables import STALE_WINDOWS, AccessTable, OnceTable
from switchboard.models.lead import LEAD
from switchboard.ports import Account, Admission, Claim, Exhausted, KeyRefusal, Services
from switchboard.talks.tokens import Tokens
from tests import worlds
from tests.worlds import ACCOUNT, BRAND, START, World

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

DIGEST = "d" * 64
NOW = int(START)
KEY: dict[str, Any] = {"pk": {"S": BRAND}, "sk": {"S": f"key#{DIGEST}"}}
PLACE: dict[str, Any] = {"pk": {"S": BRAND}, "sk": {"S": f"account#{ACCOUNT}"}}


@pytest.fixture
def access(dynamodb: "DynamoDBClient") -> AccessTable:
    dynamodb.put_item(
        TableName="access",
        Item={
            **KEY,
            "key_id": {"S": "key-1"},
            "owner": {"S": "user-1"},
            "role": {"S": "member"},
            "scopes": {"SS": ["lead.read", "lead.write"]},
            "limit": {"N": "3"},
        },
    )
    dynamodb.put_item(
        TableName="access",
        Item={**PLACE, "crm": {"S": "acme"}, "scheme": {"S": "api_key"}, "status": {"S": "active"}},
    )
    return AccessTable(dynamodb, "access")


@pytest.fixture
def once(dynamodb: "DynamoDBClient") -> OnceTable:
    return OnceTable(dynamodb, "once")


def item(dynamodb: "DynamoDBClient", key: dict[str, Any]) -> dict[str, Any]:
    return dict(dynamodb.get_item(TableName="access", Key=key, ConsistentRead=True).get("Item", {}))


def hits(dynamodb: "DynamoDBClient") -> dict[str, str]:
    return {name: value["N"] for name, value in item(dynamodb, KEY).items() if name.startswith("hits#")}


# --- admit -----------------------------------------------------------------------------------------------------------


def admit(
    access: AccessTable, now: int = NOW, *, brand: str = BRAND, digest: str = DIGEST, group: str = "unified"
) -> Admission | Exhausted | KeyRefusal:
    return access.admit(brand, digest, group, window=10, now=now)


def test_a_key_is_admitted_counted_and_stamped(access: AccessTable, dynamodb: "DynamoDBClient") -> None:
    assert admit(access) == Admission(
        brand=BRAND,
        key_id="key-1",
        owner="user-1",
        role="member",
        scopes=frozenset({"lead.read", "lead.write"}),
        limit=3,
        used=1,
    )
    assert item(dynamodb, KEY)["last_used"] == {"N": str(NOW)}


@pytest.mark.parametrize("how", [{"digest": "e" * 64}, {"brand": "other1"}, {"digest": ""}])
def test_a_key_that_is_not_there_is_unknown_and_is_not_made(
    access: AccessTable, dynamodb: "DynamoDBClient", how: Any
) -> None:
    assert admit(access, **how) is KeyRefusal.UNKNOWN
    assert dynamodb.scan(TableName="access")["Count"] == 2


def test_a_key_stops_the_moment_it_is_revoked(access: AccessTable, dynamodb: "DynamoDBClient") -> None:
    assert isinstance(admit(access), Admission)
    revoke(dynamodb)
    assert admit(access) is KeyRefusal.UNKNOWN
    assert hits(dynamodb) == {f"hits#unified#{NOW // 10}": "1"}


def revoke(dynamodb: "DynamoDBClient") -> None:
    dynamodb.update_item(
        TableName="access",
        Key=KEY,
        UpdateExpression="SET revoked_at = :now",
        ExpressionAttributeValues={":now": {"N": str(NOW)}},
    )


def test_a_key_that_is_used_up_is_told_so_and_is_not_counted(access: AccessTable, dynamodb: "DynamoDBClient") -> None:
    found = [admit(access) for _ in range(5)]
    assert [each.used for each in found if isinstance(each, Admission)] == [1, 2, 3]
    assert found[3:] == [Exhausted(3)] * 2
    assert list(hits(dynamodb).values()) == ["3"]


def test_a_key_that_is_revoked_and_used_up_is_unknown(access: AccessTable, dynamodb: "DynamoDBClient") -> None:
    for _ in range(3):
        admit(access)
    revoke(dynamodb)
    assert admit(access) is KeyRefusal.UNKNOWN


def test_a_new_window_begins_at_nought_and_takes_the_last_one_away(
    access: AccessTable, dynamodb: "DynamoDBClient"
) -> None:
    for _ in range(4):
        admit(access)
    found = admit(access, NOW + 10)
    assert isinstance(found, Admission)
    assert found.used == 1
    assert list(hits(dynamodb)) == [f"hits#unified#{NOW // 10 + 1}"]


def test_the_last_second_of_a_window_belongs_to_it(access: AccessTable) -> None:
    for _ in range(3):
        admit(access, NOW)
    assert isinstance(admit(access, NOW + 9), Exhausted)
    assert isinstance(admit(access, NOW + 10), Admission)


def test_groups_of_routes_are_counted_apart(access: AccessTable) -> None:
    for _ in range(3):
        admit(access)
    assert isinstance(admit(access), Exhausted)
    assert isinstance(admit(access, group="pods"), Admission)


def test_a_limit_of_nought_admits_nobody(access: AccessTable, dynamodb: "DynamoDBClient") -> None:
    dynamodb.update_item(
        TableName="access",
        Key=KEY,
        UpdateExpression="SET #limit = :none",
        ExpressionAttributeNames={"#limit": "limit"},
        ExpressionAttributeValues={":none": {"N": "0"}},
    )
    assert isinstance(admit(access), Exhausted)


def test_windows_that_were_left_behind_are_swept_away_before_they_are_many(
    access: AccessTable, dynamodb: "DynamoDBClient"
) -> None:
    most = 0
    for window in range(3 * STALE_WINDOWS):
        admit(access, NOW + window * 100)
        most = max(most, len(hits(dynamodb)))
    assert most <= STALE_WINDOWS + 1
    found = admit(access, NOW + 10_000)
    assert isinstance(found, Admission)
    assert found.used == 1


def test_a_sweep_takes_no_window_that_counts(access: AccessTable, dynamodb: "DynamoDBClient") -> None:
    for window in range(STALE_WINDOWS - 1):
        admit(access, NOW + window * 100)
    last = NOW + STALE_WINDOWS * 100
    admit(access, last, group="pods")
    admit(access, last)
    assert {f"hits#pods#{last // 10}", f"hits#unified#{last // 10}"} <= set(hits(dynamodb))
    second = admit(access, last)
    assert isinstance(second, Admission)
    assert second.used == 2


# --- accounts --------------------------------------------------------------------------------------------------------


def test_an_account_is_found_in_its_brand(access: AccessTable) -> None:
    assert access.account(BRAND, ACCOUNT) == Account(BRAND, ACCOUNT, "acme", "api_key")


@pytest.mark.parametrize(("brand", "id"), [("other1", ACCOUNT), (BRAND, "nope"), (BRAND, ""), ("", ACCOUNT)])
def test_an_account_of_another_brand_is_none(access: AccessTable, brand: str, id: str) -> None:
    if brand:
        assert access.account(brand, id) is None


def test_an_account_cannot_be_reached_through_another_kind_of_record(access: AccessTable) -> None:
    assert access.account(BRAND, f"../key#{DIGEST}") is None


def test_everything_that_is_marked_is_read_again(access: AccessTable) -> None:
    account = Account(BRAND, ACCOUNT, "acme", "api_key")
    access.mark(
        account,
        status="needs_reauth",
        retried_at=NOW,
        doubtful_until=NOW + 600,
        origin="https://tenant.acme.example",
        last_error="invalid_grant",
    )
    assert access.account(BRAND, ACCOUNT) == replace(
        account,
        status="needs_reauth",
        retried_at=NOW,
        doubtful_until=NOW + 600,
        origin="https://tenant.acme.example",
    )


def test_a_mark_on_an_account_that_is_gone_makes_none(access: AccessTable, dynamodb: "DynamoDBClient") -> None:
    access.mark(Account(BRAND, "gone", "acme", "api_key"), status="active")
    assert access.account(BRAND, "gone") is None
    assert dynamodb.scan(TableName="access")["Count"] == 2


def test_one_live_try_is_given_in_its_time(access: AccessTable) -> None:
    account = Account(BRAND, ACCOUNT, "acme", "api_key")
    tries = [access.may_retry(account, now=NOW + second, every=60) for second in (0, 1, 59, 60, 61, 119, 121)]
    assert tries == [True, False, False, True, False, False, True]


def test_no_live_try_is_given_to_an_account_that_is_gone(access: AccessTable) -> None:
    assert not access.may_retry(Account(BRAND, "gone", "acme", "api_key"), now=NOW, every=60)


# --- leases ----------------------------------------------------------------------------------------------------------


def test_a_lease_has_one_holder_until_it_is_given_back(access: AccessTable) -> None:
    assert access.acquire(BRAND, "token#1", "a", now=START, seconds=60)
    assert not access.acquire(BRAND, "token#1", "b", now=START + 59, seconds=60)
    access.release(BRAND, "token#1", "a")
    assert access.acquire(BRAND, "token#1", "b", now=START + 59, seconds=60)


def test_a_lease_runs_out(access: AccessTable) -> None:
    assert access.acquire(BRAND, "token#1", "a", now=START, seconds=60)
    assert access.acquire(BRAND, "token#1", "b", now=START + 60.5, seconds=60)


def test_who_lost_a_lease_does_not_give_it_back(access: AccessTable) -> None:
    access.acquire(BRAND, "token#1", "a", now=START, seconds=60)
    access.acquire(BRAND, "token#1", "b", now=START + 61, seconds=60)
    access.release(BRAND, "token#1", "a")
    assert not access.acquire(BRAND, "token#1", "c", now=START + 62, seconds=60)


def test_leases_of_other_names_and_brands_are_others(access: AccessTable) -> None:
    assert access.acquire(BRAND, "token#1", "a", now=START, seconds=60)
    assert access.acquire(BRAND, "token#2", "b", now=START, seconds=60)
    assert access.acquire("other1", "token#1", "b", now=START, seconds=60)


def test_giving_back_what_nobody_holds_does_nothing(access: AccessTable) -> None:
    access.release(BRAND, "token#1", "a")


# --- claims ----------------------------------------------------------------------------------------------------------

DAY = 24 * 3600
CLAIM = Claim(f"{BRAND}#abc", "claimed", "print", START + 0.25, START + 29.5)
SETTLED = replace(CLAIM, state="settled", status=201, headers={"a": "b"}, body="{é}".encode())


def claim(once: OnceTable, given: Claim = CLAIM) -> Claim | None:
    return once.claim(given, expires=int(given.claimed_at) + DAY)


def test_the_first_claim_wins_and_the_next_is_shown_it(once: OnceTable) -> None:
    assert claim(once) is None
    assert claim(once, replace(CLAIM, fingerprint="other", claimed_at=START + 9)) == CLAIM


def test_a_claim_is_read_as_it_was_written(once: OnceTable) -> None:
    given = replace(CLAIM, claimed_at=START + 0.123456, lease_until=START + 1 / 3, settles_at=START + 15.5, attempt=4)
    claim(once, given)
    found = once.read(CLAIM.key, now=NOW)
    assert found is not None
    assert found.claimed_at == pytest.approx(given.claimed_at, abs=1e-6)
    assert replace(found, claimed_at=0, lease_until=0) == replace(given, claimed_at=0, lease_until=0)


def test_what_is_settled_is_shown_to_the_next_to_the_byte(once: OnceTable) -> None:
    claim(once)
    once.settle(SETTLED, expires=NOW + DAY)
    assert claim(once) == SETTLED
    assert once.read(CLAIM.key, now=NOW) == SETTLED


@pytest.mark.parametrize("body", [b"", b"x" * 1_000_000, bytes(range(256))])
def test_a_body_of_any_size_and_kind_is_kept(once: OnceTable, body: bytes) -> None:
    claim(once)
    once.settle(replace(SETTLED, body=body), expires=NOW + DAY)
    found = once.read(CLAIM.key, now=NOW)
    assert found is not None
    assert found.body == body


def test_a_record_whose_time_is_over_is_as_if_it_were_not_there(once: OnceTable) -> None:
    once.claim(CLAIM, expires=NOW + 10)
    late = replace(CLAIM, claimed_at=START + 11, fingerprint="other")
    assert claim(once, replace(late, claimed_at=START + 9)) == CLAIM
    assert claim(once, late) is None


def test_a_record_whose_time_is_over_is_not_read_either(once: OnceTable) -> None:
    once.claim(replace(CLAIM, claimed_at=0), expires=1)  # in 1970, by any clock
    assert once.read(CLAIM.key, now=NOW) is None


def test_there_is_nothing_where_nothing_was_put(once: OnceTable) -> None:
    assert once.read("nope", now=NOW) is None


def test_only_the_run_that_holds_a_claim_settles_it(once: OnceTable) -> None:
    claim(once)
    for other in (replace(SETTLED, attempt=2), replace(SETTLED, lease_until=START + 99)):
        once.settle(other, expires=NOW + DAY)
        assert once.read(CLAIM.key, now=NOW) == CLAIM
    once.settle(SETTLED, expires=NOW + DAY)
    once.settle(replace(SETTLED, body=b"later"), expires=NOW + DAY)
    assert once.read(CLAIM.key, now=NOW) == SETTLED


def test_only_the_run_that_holds_a_claim_releases_it(once: OnceTable) -> None:
    claim(once)
    once.release(replace(CLAIM, attempt=2))
    once.release(replace(CLAIM, lease_until=START))
    assert once.read(CLAIM.key, now=NOW) == CLAIM
    once.release(CLAIM)
    assert once.read(CLAIM.key, now=NOW) is None
    once.release(CLAIM)


def test_what_is_settled_is_not_released(once: OnceTable) -> None:
    claim(once)
    once.settle(SETTLED, expires=NOW + DAY)
    once.release(CLAIM)
    assert once.read(CLAIM.key, now=NOW) == SETTLED


def test_of_two_that_take_over_one_wins(once: OnceTable) -> None:
    claim(once)
    once.settle(replace(CLAIM, state="unknown"), expires=NOW + DAY)
    seen = once.read(CLAIM.key, now=NOW)
    assert seen is not None
    heirs = [replace(CLAIM, attempt=2, lease_until=START + 60 + number) for number in range(2)]
    assert [once.take_over(heir, seen=seen, expires=NOW + DAY) for heir in heirs] == [True, False]
    assert once.read(CLAIM.key, now=NOW) == heirs[0]


def test_a_dead_claim_is_taken_over_as_it_was_seen(once: OnceTable) -> None:
    odd = replace(CLAIM, lease_until=START + 1 / 3)
    claim(once, odd)
    seen = once.read(CLAIM.key, now=NOW)
    assert seen is not None
    assert once.take_over(replace(odd, attempt=2, lease_until=START + 90), seen=seen, expires=NOW + DAY)


def test_who_was_taken_over_settles_nothing(once: OnceTable) -> None:
    claim(once)
    heir = replace(CLAIM, attempt=2, lease_until=START + 90)
    once.take_over(heir, seen=CLAIM, expires=NOW + DAY)
    once.settle(SETTLED, expires=NOW + DAY)
    once.release(CLAIM)
    assert once.read(CLAIM.key, now=NOW) == heir


def test_other_faults_are_not_taken_for_a_refused_condition(dynamodb: "DynamoDBClient") -> None:
    lost, gone = OnceTable(dynamodb, "nowhere"), AccessTable(dynamodb, "nowhere")
    account = Account(BRAND, ACCOUNT, "acme", "api_key")
    missing = dynamodb.exceptions.ResourceNotFoundException
    for work in (
        lambda: claim(lost),
        lambda: lost.settle(SETTLED, expires=NOW),
        lambda: lost.release(CLAIM),
        lambda: lost.read("x", now=NOW),
        lambda: admit(gone),
        lambda: gone.account(BRAND, ACCOUNT),
        lambda: gone.mark(account, status="active"),
        lambda: gone.may_retry(account, now=NOW, every=60),
        lambda: gone.acquire(BRAND, "x", "a", now=START, seconds=1),
        lambda: gone.release(BRAND, "x", "a"),
    ):
        with pytest.raises(missing):
            work()


# --- what a request costs --------------------------------------------------------------------------------------------


class Counted:
    """The walk on the real adapters, with every call to AWS noted."""

    def __init__(self, dynamodb: "DynamoDBClient", secretsmanager: "SecretsManagerClient") -> None:
        self.world = World()
        key = keys.issue(BRAND)
        self.world.key = key
        dynamodb.put_item(
            TableName="access",
            Item={
                "pk": {"S": BRAND},
                "sk": {"S": f"key#{keys.digest(key)}"},
                "key_id": {"S": "key-1"},
                "owner": {"S": "user-1"},
                "role": {"S": "member"},
                "scopes": {"SS": ["lead.write"]},
                "limit": {"N": "500"},
            },
        )
        dynamodb.put_item(
            TableName="access",
            Item={**PLACE, "crm": {"S": "acme"}, "scheme": {"S": "api_key"}, "status": {"S": "active"}},
        )
        secretsmanager.create_secret(Name=f"sb/accounts/{BRAND}/{ACCOUNT}", SecretString='{"api_key": "vendor-key"}')
        access = AccessTable(dynamodb, "access")
        self.services = Services(
            access=access,
            claims=OnceTable(dynamodb, "once"),
            templates=PodsTable(dynamodb, "pods"),
            pods=PodsTable(dynamodb, "pods"),
            contacts=ContactsTable(dynamodb, "contacts", time.sleep),
            checkpoints=ContactsTable(dynamodb, "contacts", time.sleep),
            leases=access,
            secrets=SecretStore(lambda: secretsmanager, "sb"),
            send=self.world.crm,
            word=self.world.word,
            clock=self.world.clock,
            log=self.world.log,
        )
        self.tokens = Tokens(self.services.secrets, access, self.world.clock, self.world.word)
        self.calls: list[str] = []
        for client in (dynamodb, secretsmanager):
            client.meta.events.register("before-call", self._note)

    def _note(self, model: Any, **_: Any) -> None:
        self.calls.append(model.name)

    def post(self, **how: Any) -> list[str]:
        """The calls to AWS during one create."""
        self.calls.clear()
        call = self.world.call(**how)
        reply = Create(LEAD).walk(call, self.services, self.tokens, self.world.deadline)
        assert reply.status == 201
        return list(self.calls)


@pytest.fixture
def counted(
    dynamodb: "DynamoDBClient", secretsmanager: "SecretsManagerClient", monkeypatch: pytest.MonkeyPatch
) -> Counted:
    worlds.install(monkeypatch)
    return Counted(dynamodb, secretsmanager)


def test_the_first_create_of_a_process_reads_the_credentials_and_the_next_do_not(counted: Counted) -> None:
    assert counted.post() == ["UpdateItem", "GetItem", "GetSecretValue"]
    assert counted.post() == ["UpdateItem", "GetItem"]


def test_an_idempotency_key_costs_two_writes_more(counted: Counted) -> None:
    counted.post()
    assert counted.post(idempotency="k") == ["UpdateItem", "GetItem", "PutItem", "PutItem"]


def test_a_replay_costs_one_write_that_is_refused(counted: Counted) -> None:
    counted.post(idempotency="k")
    assert counted.post(idempotency="k") == ["UpdateItem", "GetItem", "PutItem"]
    assert len(counted.world.crm.sent) == 1


def test_a_refused_key_costs_one_write_that_is_refused(counted: Counted) -> None:
    counted.calls.clear()
    assert counted.world.problem(key=keys.issue(BRAND)).kind == "invalid-api-key"
    assert counted.calls == []  # that was the world in memory
    reply = keys.authenticate(counted.world.call(), counted.services.access, counted.world.clock.now())
    assert reply.admission.key_id == "key-1"
    assert counted.calls == ["UpdateItem"]


def test_the_walk_on_the_tables_replays_to_the_byte(counted: Counted) -> None:
    walk = Create(LEAD).walk
    replies = [
        walk(counted.world.call(idempotency="k"), counted.services, counted.tokens, counted.world.deadline)
        for _ in range(2)
    ]
    assert replies[0].body == replies[1].body
    assert replies[1].headers == {**replies[0].headers, "idempotent-replayed": "true"}


def test_a_create_in_doubt_is_adopted_over_the_tables(counted: Counted) -> None:
    counted.world.crm.turns.append(worlds.drops(stored=True))
    walk = Create(LEAD).walk
    for idempotency in ("k", None):
        counted.world.crm.turns.clear()
        counted.world.crm.records.clear()
        counted.world.crm.turns.append(worlds.drops(stored=True))
        call = counted.world.call(idempotency=idempotency)
        statuses: list[Any] = []
        for _ in range(2):
            try:
                statuses.append(walk(call, counted.services, counted.tokens, counted.world.deadline).status)
            except worlds.Problem as problem:
                statuses.append(problem.kind)
        assert statuses == ["outcome-unknown", 201]
        assert len(counted.world.crm.records) == 1


def test_a_claim_whose_answer_was_lost_does_not_stand_in_its_own_way(once: OnceTable) -> None:
    mine = replace(CLAIM, run="run-1")
    assert claim(once, mine) is None
    assert claim(once, mine) is None, "the SDK sends it again by itself"
    assert claim(once, replace(mine, run="run-2")) == mine


def test_a_take_over_whose_answer_was_lost_is_ours(once: OnceTable) -> None:
    claim(once)
    mine = replace(CLAIM, attempt=2, lease_until=START + 60, run="run-2")
    assert once.take_over(mine, seen=CLAIM, expires=NOW + DAY)
    assert once.take_over(mine, seen=CLAIM, expires=NOW + DAY)
    assert not once.take_over(replace(mine, run="run-3"), seen=CLAIM, expires=NOW + DAY)


def test_a_lease_is_given_again_to_who_holds_it(access: AccessTable) -> None:
    assert access.acquire(BRAND, "token#a", "me", now=START, seconds=60)
    assert access.acquire(BRAND, "token#a", "me", now=START + 1, seconds=60)
    assert not access.acquire(BRAND, "token#a", "you", now=START + 2, seconds=60)
