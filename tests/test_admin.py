"""What an operator does, on tables and secrets in memory, and that the functions see it as it was meant."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from switchboard.admin import Admin, RefusedError
from switchboard.api import keys, scopes
from switchboard.aws.contacts import ContactsTable
from switchboard.aws.pods import PodsTable
from switchboard.aws.secrets import SecretStore
from switchboard.aws.tables import AccessTable
from switchboard.crm import registry
from switchboard.ports import Account, Admission, Checkpoint, Exhausted, KeyRefusal, Page, Pod, Template
from tests.aws import memory

NOW = 1_795_253_400
KEY: dict[str, Any] = {"api_key": "marker-key"}
OAUTH: dict[str, Any] = {"access_token": "marker-access", "refresh_token": "marker-refresh", "expires_at": NOW}


@pytest.fixture(scope="module")
def _aws() -> Iterator[None]:
    with memory.aws():
        yield


@pytest.fixture
def admin(_aws: None) -> Admin:
    memory.empty()
    return Admin(memory.dynamodb(), memory.secretsmanager(), "access", "switchboard/test", contacts="contacts")


def access(admin: Admin) -> AccessTable:
    return AccessTable(admin.dynamodb, "access")


def admit(admin: Admin, brand: str, secret: str) -> Admission | Exhausted | KeyRefusal:
    return access(admin).admit(brand, keys.digest(secret), "unified", window=10, now=NOW)


@pytest.fixture
def brand(admin: Admin) -> str:
    return admin.create_brand("Acme")


@pytest.fixture
def user(admin: Admin, brand: str) -> str:
    return admin.create_user(brand, "ada@example.com")


def everything(admin: Admin) -> str:
    """All that lies in the table, as text."""
    return json.dumps(admin.dynamodb.scan(TableName="access")["Items"])


# --- brands and users ------------------------------------------------------------------------------------------------


def test_a_brand_is_six_letters_and_digits_that_a_key_can_carry(brand: str) -> None:
    assert keys.brand_of(keys.issue(brand)) == brand


def test_brands_are_told_apart(admin: Admin) -> None:
    assert len({admin.create_brand("Acme") for _ in range(20)}) == 20


def test_a_brand_that_is_taken_is_not_given_again(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    letters = iter("aaaaaa" + "aaaaaa" + "bbbbbb")
    monkeypatch.setattr("switchboard.admin.choice", lambda _: next(letters))
    assert [admin.create_brand("one"), admin.create_brand("two")] == ["aaaaaa", "bbbbbb"]


def test_a_user_needs_a_brand(admin: Admin) -> None:
    with pytest.raises(RefusedError, match="brand"):
        admin.create_user("nobody", "ada@example.com")


def test_a_user_needs_a_role_that_there_is(admin: Admin, brand: str) -> None:
    with pytest.raises(RefusedError, match="admin, manager, member, viewer"):
        admin.create_user(brand, "ada@example.com", "owner")


def test_an_address_is_kept_in_one_spelling(admin: Admin, brand: str) -> None:
    admin.create_user(brand, "  Ada@Example.COM ")
    assert '"ada@example.com"' in everything(admin)


# --- keys ------------------------------------------------------------------------------------------------------------


def test_a_key_opens_the_door_with_its_scopes_and_its_users_role(admin: Admin, brand: str, user: str) -> None:
    issued = admin.issue_key(brand, user, ["lead.write", "CreatePod"], limit=7)
    found = admit(admin, brand, issued.secret)
    assert found == Admission(brand, issued.id, user, "member", frozenset({"lead.write", "CreatePod"}), 7, 1)


def test_a_key_has_the_limit_of_the_contract_unless_it_is_told_another(admin: Admin, brand: str, user: str) -> None:
    found = admit(admin, brand, admin.issue_key(brand, user, ["lead.read"]).secret)
    assert isinstance(found, Admission)
    assert found.limit == 500


def test_a_key_is_nowhere_kept_but_as_a_hash(admin: Admin, brand: str, user: str) -> None:
    issued = admin.issue_key(brand, user, ["lead.read"])
    stored = everything(admin)
    assert issued.secret not in stored
    assert issued.secret.removeprefix(f"trpt_{brand}_") not in stored
    assert keys.digest(issued.secret) in stored
    assert admin.secretsmanager.list_secrets()["SecretList"] == []


@pytest.mark.parametrize("granted", [["lead.fly"], ["leads.read"], ["*"], ["lead.read", "nope"], []])
def test_a_scope_that_there_is_not_is_refused(admin: Admin, brand: str, user: str, granted: list[str]) -> None:
    with pytest.raises(RefusedError, match="scopes"):
        admin.issue_key(brand, user, granted)
    assert admin.list_keys(brand) == []


def test_every_scope_that_there_is_may_be_held(admin: Admin, brand: str, user: str) -> None:
    found = admit(admin, brand, admin.issue_key(brand, user, scopes.SCOPES).secret)
    assert isinstance(found, Admission)
    assert found.scopes == scopes.SCOPES


def test_a_key_needs_a_user_of_its_own_brand(admin: Admin, user: str) -> None:
    other = admin.create_brand("Other")
    for brand, owner in ((other, user), (other, "nobody")):
        with pytest.raises(RefusedError, match="user"):
            admin.issue_key(brand, owner, ["lead.read"])


def test_a_revoked_key_stops_at_once_and_stays_listed(admin: Admin, brand: str, user: str) -> None:
    issued = admin.issue_key(brand, user, ["lead.read"], name="for tests")
    assert isinstance(admit(admin, brand, issued.secret), Admission)
    admin.revoke_key(brand, issued.id)
    assert admit(admin, brand, issued.secret) is KeyRefusal.UNKNOWN
    [listed] = admin.list_keys(brand)
    assert (listed["key_id"], listed["name"]) == (issued.id, "for tests")
    assert listed["revoked_at"] > 0


def test_a_deleted_key_is_gone(admin: Admin, brand: str, user: str) -> None:
    issued = admin.issue_key(brand, user, ["lead.read"])
    admin.delete_key(brand, issued.id)
    assert admin.list_keys(brand) == []
    assert admit(admin, brand, issued.secret) is KeyRefusal.UNKNOWN


def test_a_list_of_keys_tells_neither_the_hash_nor_the_counters(admin: Admin, brand: str, user: str) -> None:
    issued = admin.issue_key(brand, user, ["lead.read", "lead.write"])
    admit(admin, brand, issued.secret)
    [listed] = admin.list_keys(brand)
    assert set(listed) == {"key_id", "owner", "role", "scopes", "limit", "name", "created_at", "last_used"}
    assert keys.digest(issued.secret) not in json.dumps(listed)
    assert listed["scopes"] == ["lead.read", "lead.write"]


@pytest.mark.parametrize("what", ["revoke_key", "delete_key"])
def test_a_key_of_another_brand_is_out_of_reach(admin: Admin, brand: str, user: str, what: str) -> None:
    issued = admin.issue_key(brand, user, ["lead.read"])
    other = admin.create_brand("Other")
    with pytest.raises(RefusedError, match="key"):
        getattr(admin, what)(other, issued.id)
    assert isinstance(admit(admin, brand, issued.secret), Admission)


def test_a_change_of_role_reaches_every_key_of_the_user_at_once(admin: Admin, brand: str, user: str) -> None:
    other = admin.create_user(brand, "eve@example.com", "admin")
    issued = [admin.issue_key(brand, owner, ["lead.all"]) for owner in (user, user, other)]
    admin.set_role(brand, user, "viewer")
    found = [admit(admin, brand, each.secret) for each in issued]
    assert [each.role for each in found if isinstance(each, Admission)] == ["viewer", "viewer", "admin"]
    later = admit(admin, brand, admin.issue_key(brand, user, ["lead.all"]).secret)
    assert isinstance(later, Admission)
    assert later.role == "viewer"


def test_a_role_that_there_is_not_is_refused(admin: Admin, brand: str, user: str) -> None:
    with pytest.raises(RefusedError, match="role"):
        admin.set_role(brand, user, "king")


def test_the_role_of_a_user_that_there_is_not_is_refused_in_words(admin: Admin, brand: str) -> None:
    with pytest.raises(RefusedError, match="user"):
        admin.set_role(brand, "nobody", "viewer")


# --- accounts --------------------------------------------------------------------------------------------------------


def secrets(admin: Admin) -> list[str]:
    return sorted(each["Name"] for each in admin.secretsmanager.list_secrets()["SecretList"] if "Name" in each)


def test_a_connected_account_is_found_with_its_credentials(admin: Admin, brand: str) -> None:
    account = admin.connect_account(brand, "hubspot", KEY)
    found = access(admin).account(brand, account)
    assert found is not None
    assert found.created_at > 0
    assert replace(found, created_at=0) == Account(brand, account, "hubspot", "api_key")
    store = SecretStore(lambda: admin.secretsmanager, "switchboard/test")
    assert store.account(brand, account) == KEY


def test_credentials_decide_how_an_account_signs(admin: Admin, brand: str) -> None:
    account = admin.connect_account(brand, "hubspot", OAUTH)
    found = access(admin).account(brand, account)
    assert found is not None
    assert found.scheme == "oauth2"


def test_the_table_holds_no_credentials(admin: Admin, brand: str) -> None:
    admin.connect_account(brand, "hubspot", OAUTH)
    admin.set_app("hubspot", "marker-client", "marker-secret")
    assert "marker" not in everything(admin)
    assert "marker" not in json.dumps(admin.list_accounts(brand))


def test_an_account_needs_a_brand_and_a_crm_that_there_are(admin: Admin, brand: str) -> None:
    with pytest.raises(RefusedError, match="brand"):
        admin.connect_account("nobody", "hubspot", KEY)
    with pytest.raises(RefusedError, match="crm"):
        admin.connect_account(brand, "teapot", KEY)
    assert secrets(admin) == []


@pytest.mark.parametrize("given", [{}, {"password": "x"}, {"client_id": "x"}])
def test_credentials_that_the_crm_does_not_take_are_refused(admin: Admin, brand: str, given: dict[str, str]) -> None:
    with pytest.raises(RefusedError, match="credentials"):
        admin.connect_account(brand, "hubspot", given)
    assert (secrets(admin), admin.list_accounts(brand)) == ([], [])


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://acme.my.salesforce.com",
        "https://acme.my.salesforce.com/path",
        "https://acme.my.salesforce.com:444",
        "https://salesforce.com.evil.example",
        "https://notsalesforce.com",
    ],
)
def test_a_host_that_is_not_the_crms_is_refused(admin: Admin, brand: str, origin: str) -> None:
    with pytest.raises(RefusedError, match="origin"):
        admin.connect_account(brand, "salesforce", OAUTH, origin=origin)
    assert secrets(admin) == []


def test_a_crm_whose_accounts_have_hosts_of_their_own_needs_one(admin: Admin, brand: str) -> None:
    with pytest.raises(RefusedError, match="origin"):
        admin.connect_account(brand, "salesforce", OAUTH)
    account = admin.connect_account(brand, "salesforce", OAUTH, origin="https://acme.my.salesforce.com")
    found = access(admin).account(brand, account)
    assert found is not None
    assert found.origin == "https://acme.my.salesforce.com"


def test_a_reconnected_account_keeps_its_id_and_is_active(admin: Admin, brand: str) -> None:
    account = admin.connect_account(brand, "hubspot", KEY)
    access(admin).mark(Account(brand, account, "hubspot", "api_key"), status="needs_reauth", last_error="x")
    admin.reconnect_account(brand, account, {"api_key": "new"})
    found = access(admin).account(brand, account)
    assert found is not None
    assert found.status == "active"
    assert SecretStore(lambda: admin.secretsmanager, "switchboard/test").account(brand, account) == {"api_key": "new"}


def test_an_account_that_there_is_not_is_refused_in_words_and_no_secret_is_made(admin: Admin, brand: str) -> None:
    with pytest.raises(RefusedError, match="account"):
        admin.reconnect_account(brand, "nope", KEY)
    assert secrets(admin) == []


def test_accounts_are_listed_with_their_ids_and_only_those_of_the_brand(admin: Admin, brand: str) -> None:
    account = admin.connect_account(brand, "hubspot", KEY)
    other = admin.create_brand("Other")
    admin.connect_account(other, "hubspot", KEY)
    [listed] = admin.list_accounts(brand)
    assert (listed["id"], listed["crm"], listed["status"]) == (account, "hubspot", "active")
    assert "pk" not in listed


def test_an_app_may_be_set_twice(admin: Admin) -> None:
    admin.set_app("hubspot", "one", "a")
    admin.set_app("hubspot", "two", "b")
    store = SecretStore(lambda: admin.secretsmanager, "switchboard/test")
    assert store.app("hubspot") == {"client_id": "two", "client_secret": "b"}


def test_an_app_of_a_crm_that_there_is_not_is_refused(admin: Admin) -> None:
    with pytest.raises(RefusedError, match="crm"):
        admin.set_app("hubpsot", "one", "a")
    assert secrets(admin) == []


@pytest.mark.parametrize("crm", registry.NAMES)
def test_every_crm_can_be_connected_with_what_it_takes(admin: Admin, brand: str, crm: str) -> None:
    host = registry.load(crm).hosts["api"]
    origin = None if host.default else f"https://acme.{host.domains[0]}"
    settings = dict.fromkeys(registry.load(crm).settings, "acme_1")
    for scheme in registry.load(crm).auth.values():
        given = dict.fromkeys(scheme.fields, "sesame")
        assert admin.connect_account(brand, crm, given, origin=origin, settings=settings)


def test_a_setting_that_a_crm_wants_is_asked_for_by_its_name(admin: Admin, brand: str) -> None:
    key, origin = {"username": "u", "api_key": "k"}, "https://us-east.api.pipelinersales.com"
    with pytest.raises(RefusedError, match="needs space"):
        admin.connect_account(brand, "pipeliner", key, origin=origin)
    for wrong in ("", "x" * 200):
        with pytest.raises(RefusedError, match="needs space"):
            admin.connect_account(brand, "pipeliner", key, origin=origin, settings={"space": wrong})
    with pytest.raises(RefusedError, match="has no colour"):
        admin.connect_account(brand, "pipeliner", key, origin=origin, settings={"space": "a", "colour": "red"})


def test_many_keys_are_listed_all(admin: Admin, brand: str, user: str) -> None:
    for _ in range(30):
        admin.issue_key(brand, user, ["lead.read"], name="n" * 300)
    assert len(admin.list_keys(brand)) == 30


@pytest.mark.parametrize("key", ["sesame\n", " sesame", "sésame", "", "sesame\t1"])
def test_a_credential_that_cannot_stand_in_a_header_is_refused_without_being_repeated(
    admin: Admin, brand: str, key: str
) -> None:
    with pytest.raises(RefusedError, match=r"credentials\.api_key") as raised:
        admin.connect_account(brand, "hubspot", {"api_key": key})
    assert "same" not in str(raised.value)


def test_an_account_may_get_its_tokens_elsewhere_at_the_vendor_and_nowhere_else(admin: Admin, brand: str) -> None:
    tokens, own = {"access_token": "a", "refresh_token": "r"}, "https://acme.my.salesforce.com"
    admin.connect_account(brand, "salesforce", tokens, origin=own, token_origin="https://test.salesforce.com")
    with pytest.raises(RefusedError, match="token_origin"):
        admin.connect_account(brand, "salesforce", tokens, origin=own, token_origin="https://evil.example")


def test_a_deleted_brand_is_gone_with_its_credentials_and_pages(admin: Admin, brand: str) -> None:
    whole = replace(admin, pods="pods")
    account = admin.connect_account(brand, "hubspot", KEY)
    table = PodsTable(admin.dynamodb, "pods")
    made = Pod(brand, "6b01ca580000000000000001", "hubspot", "deals", "7", account, "t", "a@b.c", 1, 1, 1)
    table.save(made, Page(b"", "e", "r", {}), seen=None)
    table.put_template(Template(brand, "t1", "Offer", {}, 1, 1), seen=None)

    assert whole.delete_brand(brand) == 1

    assert table.page(made.id) is None
    assert table.templates(brand) == []
    found = access(admin).brand(brand)
    assert not found.exists
    assert found.accounts == ()
    assert not [name for name in secrets(admin) if brand in name]
    with pytest.raises(RefusedError, match="brand"):
        whole.delete_brand(brand)


def test_a_brand_is_not_deleted_where_its_pages_would_stay(admin: Admin, brand: str) -> None:
    with pytest.raises(RefusedError, match="pods"):
        admin.delete_brand(brand)
    assert access(admin).brand(brand).exists


def test_a_deleted_user_is_gone_and_the_keys_stay(admin: Admin, brand: str) -> None:
    user = admin.create_user(brand, "ada@example.com")
    admin.issue_key(brand, user, ["lead.read"])
    admin.delete_user(brand, user)
    assert access(admin).user(brand, id=user) is None
    assert len(admin.list_keys(brand)) == 1
    with pytest.raises(RefusedError, match="user"):
        admin.delete_user(brand, user)


# --- syncs -----------------------------------------------------------------------------------------------------------


def table(admin: Admin) -> ContactsTable:
    return ContactsTable(admin.dynamodb, "contacts", time.sleep)


def checkpoint(admin: Admin, brand: str, account: str) -> Checkpoint:
    found = table(admin).checkpoint(brand, account)
    assert found is not None
    return found


@pytest.fixture
def account(admin: Admin, brand: str) -> str:
    return admin.connect_account(brand, "hubspot", KEY)


LATER = time.time() + 3600


@pytest.fixture
def synced(admin: Admin, brand: str, account: str) -> Checkpoint:
    """The checkpoint of an account that was synced, is in the middle of a walk, and due in an hour."""
    state = replace(
        checkpoint(admin, brand, account),
        anchor="2026-11-20T00:00:00Z",
        synced_at=NOW,
        deleted_at=NOW,
        swept_at=NOW,
        begun=NOW,
        position={"after": "7"},
        size=120,
        failures=3,
        last_error="crm-timeout",
        due_at=LATER,
        indexed=("c_tier", "c_size"),
    )
    assert table(admin).move(state)
    return replace(state, version=state.version + 1)


class Racing(ContactsTable):
    """A table at which a run is always a little quicker."""

    def move(self, checkpoint: Checkpoint) -> bool:
        seen = super().checkpoint(checkpoint.brand, checkpoint.account)
        assert seen is not None
        super().move(seen)
        return super().move(checkpoint)

    def postpone(self, checkpoint: Checkpoint, until: float) -> bool:
        super().postpone(checkpoint, checkpoint.due_at + 1)
        return super().postpone(checkpoint, until)


class Once(Racing):
    """A table at which a run is quicker once."""

    raced = False

    def move(self, checkpoint: Checkpoint) -> bool:
        if self.raced:
            return ContactsTable.move(self, checkpoint)
        type(self).raced = True
        return super().move(checkpoint)

    def postpone(self, checkpoint: Checkpoint, until: float) -> bool:
        if self.raced:
            return ContactsTable.postpone(self, checkpoint, until)
        type(self).raced = True
        return super().postpone(checkpoint, until)


def test_a_connected_account_is_synced_as_soon_as_the_planner_runs(admin: Admin, brand: str) -> None:
    account = admin.connect_account(brand, "hubspot", KEY)
    found = checkpoint(admin, brand, account)
    assert replace(found, due_at=0) == Checkpoint(brand, account, "hubspot", version=1)
    [due] = table(admin).due(time.time(), 10)
    assert (due.brand, due.account) == (brand, account)


def test_an_account_is_connected_without_syncs_where_no_table_is_named(admin: Admin, brand: str) -> None:
    account = replace(admin, contacts="").connect_account(brand, "hubspot", KEY)
    assert table(admin).checkpoint(brand, account) is None


def test_a_disconnected_account_is_gone_with_its_secret_and_its_contacts_go_next(
    admin: Admin, brand: str, synced: Checkpoint
) -> None:
    admin.disconnect_account(brand, synced.account)
    assert access(admin).account(brand, synced.account) is None
    assert secrets(admin) == []
    found = checkpoint(admin, brand, synced.account)
    assert (found.stage, found.begun, found.position, found.size) == ("purge", 0, None, 120)
    assert found.due_at <= time.time()


def test_a_disconnect_that_broke_off_goes_on_when_it_is_done_again(
    admin: Admin, brand: str, synced: Checkpoint
) -> None:
    admin.secretsmanager.delete_secret(
        SecretId=f"switchboard/test/accounts/{brand}/{synced.account}", ForceDeleteWithoutRecovery=True
    )
    admin.dynamodb.delete_item(TableName="access", Key={"pk": {"S": brand}, "sk": {"S": f"account#{synced.account}"}})
    admin.disconnect_account(brand, synced.account)
    assert checkpoint(admin, brand, synced.account).stage == "purge"


def test_an_account_is_disconnected_where_no_table_of_contacts_is_named(admin: Admin, brand: str, account: str) -> None:
    replace(admin, contacts="").disconnect_account(brand, account)
    assert admin.list_accounts(brand) == []


def test_an_account_of_another_brand_is_not_disconnected(admin: Admin, brand: str, account: str) -> None:
    other = admin.create_brand("Other")
    with pytest.raises(RefusedError, match="account"):
        admin.disconnect_account(other, account)
    assert [each["id"] for each in admin.list_accounts(brand)] == [account]


def test_a_deleted_brand_has_its_contacts_removed(admin: Admin, brand: str, synced: Checkpoint) -> None:
    second = admin.connect_account(brand, "close", KEY)
    replace(admin, pods="pods").delete_brand(brand)
    assert {each.account: each.stage for each in table(admin).checkpoints(brand)} == {
        synced.account: "purge",
        second: "purge",
    }


def test_a_reconnected_account_is_synced_at_once_and_its_failures_are_forgiven(
    admin: Admin, brand: str, synced: Checkpoint
) -> None:
    admin.reconnect_account(brand, synced.account, {"api_key": "new"})
    found = checkpoint(admin, brand, synced.account)
    assert found.due_at <= time.time()
    assert replace(found, due_at=0, version=0, failures=0) == replace(synced, due_at=0, version=0, failures=0)
    assert found.failures == 0


def test_an_account_from_before_there_were_syncs_is_synced_when_it_is_reconnected_or_asked_for(
    admin: Admin, brand: str
) -> None:
    old = replace(admin, contacts="")
    first, second = (old.connect_account(brand, "hubspot", KEY) for _ in range(2))
    admin.reconnect_account(brand, first, KEY)
    admin.sync_now(brand, second)
    assert {each.account for each in table(admin).checkpoints(brand)} == {first, second}


def test_fields_become_searchable_and_all_contacts_are_looked_at_anew(
    admin: Admin, brand: str, synced: Checkpoint
) -> None:
    admin.set_searchable(brand, synced.account, ["c_tier", "c_region", "c_tier"])
    found = access(admin).account(brand, synced.account)
    assert found is not None
    assert found.searchable == ("c_tier", "c_region")
    walk = checkpoint(admin, brand, synced.account)
    assert (walk.anchor, walk.synced_at, walk.begun, walk.position) == ("", 0, 0, None)
    assert (walk.size, walk.deleted_at, walk.swept_at) == (120, NOW, NOW)
    assert walk.due_at <= time.time()
    assert walk.indexed == ("c_tier",), "one that is no longer kept is not to be searched by"


def test_no_field_is_searchable_when_none_is_named(admin: Admin, brand: str, synced: Checkpoint) -> None:
    admin.set_searchable(brand, synced.account, [])
    assert checkpoint(admin, brand, synced.account).indexed == ()


def test_a_search_never_trusts_an_index_that_walks_no_longer_keep(
    admin: Admin, brand: str, synced: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the moment at which the account says otherwise, the checkpoint has done so already."""
    seen: list[tuple[str, ...]] = []
    put = Admin._set

    def spy(self: Admin, brand: str, sort: str, changes: Mapping[str, Any]) -> None:
        seen.append(checkpoint(admin, brand, synced.account).indexed)
        put(self, brand, sort, changes)

    monkeypatch.setattr(Admin, "_set", spy)
    admin.set_searchable(brand, synced.account, ["c_size"])
    assert seen == [("c_size",)]


@pytest.mark.parametrize("names", [[f"c_{number}" for number in range(11)], [""], ["x" * 129]])
def test_what_cannot_be_searchable_is_refused_and_nothing_changes(
    admin: Admin, brand: str, synced: Checkpoint, names: list[str]
) -> None:
    with pytest.raises(RefusedError, match="searchable"):
        admin.set_searchable(brand, synced.account, names)
    assert checkpoint(admin, brand, synced.account) == synced


def test_ten_fields_of_the_longest_names_are_searchable(admin: Admin, brand: str, account: str) -> None:
    names = [f"{number:0128d}" for number in range(10)]
    admin.set_searchable(brand, account, names)
    found = access(admin).account(brand, account)
    assert found is not None
    assert found.searchable == tuple(names)


def test_members_see_what_the_brand_says(admin: Admin, brand: str) -> None:
    assert access(admin).brand(brand).members_see == "all"
    for sight in ("own", "all"):
        admin.set_members_see(brand, sight)
        assert access(admin).brand(brand).members_see == sight
    with pytest.raises(RefusedError, match="all, own"):
        admin.set_members_see(brand, "none")
    with pytest.raises(RefusedError, match="brand"):
        admin.set_members_see("nobody", "own")


def test_syncs_are_listed_of_one_brand(admin: Admin, brand: str, synced: Checkpoint) -> None:
    other = admin.create_brand("Other")
    admin.connect_account(other, "hubspot", KEY)
    assert admin.list_syncs(brand) == [
        {
            "account": synced.account,
            "crm": "hubspot",
            "stage": "changes",
            "synced_at": NOW,
            "size": 120,
            "due_at": LATER,
            "failures": 3,
            "last_error": "crm-timeout",
        }
    ]


def test_a_sync_that_is_wanted_now_is_due_and_a_run_that_is_under_way_goes_on(
    admin: Admin, brand: str, synced: Checkpoint
) -> None:
    admin.sync_now(brand, synced.account)
    found = checkpoint(admin, brand, synced.account)
    assert found.due_at <= time.time()
    assert replace(found, due_at=LATER) == synced
    assert table(admin).move(synced), "a run that has seen the checkpoint before may still move it"


def test_what_has_to_do_with_syncs_needs_their_table(admin: Admin, brand: str, account: str) -> None:
    bare = replace(admin, contacts="")
    for work in (
        lambda: bare.list_syncs(brand),
        lambda: bare.sync_now(brand, account),
        lambda: bare.set_searchable(brand, account, ["c_tier"]),
    ):
        with pytest.raises(RefusedError, match="table of contacts"):
            work()
    found = access(admin).account(brand, account)
    assert found is not None
    assert found.searchable == ()


def test_an_account_that_there_is_not_has_no_syncs(admin: Admin, brand: str) -> None:
    for work in (
        lambda: admin.sync_now(brand, "nope"),
        lambda: admin.set_searchable(brand, "nope", []),
        lambda: admin.disconnect_account(brand, "nope"),
    ):
        with pytest.raises(RefusedError, match="account"):
            work()
    assert table(admin).checkpoints(brand) == []


def changes(admin: Admin, checkpoint: Checkpoint) -> list[Callable[[], None]]:
    """What an operator does with a checkpoint that a run may move meanwhile."""
    brand, account = checkpoint.brand, checkpoint.account
    return [
        lambda: admin.sync_now(brand, account),
        lambda: admin.set_searchable(brand, account, []),
        lambda: admin.reconnect_account(brand, account, KEY),
        lambda: admin.disconnect_account(brand, account),
    ]


def test_a_run_that_is_quicker_once_is_no_hindrance(
    admin: Admin, synced: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("switchboard.admin.ContactsTable", Once)
    for work in changes(admin, synced):
        assert table(admin).move(replace(checkpoint(admin, synced.brand, synced.account), due_at=LATER))
        Once.raced = False
        work()
        assert Once.raced
        assert checkpoint(admin, synced.brand, synced.account).due_at <= time.time()


def test_a_run_that_is_always_quicker_is_said_in_a_sentence(
    admin: Admin, synced: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("switchboard.admin.ContactsTable", Racing)
    for work in changes(admin, synced):
        with pytest.raises(RefusedError, match="being synced right now"):
            work()
