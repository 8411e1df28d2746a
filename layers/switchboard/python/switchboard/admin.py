"""What an operator does: brands, users, API keys, connected accounts and their syncs. Behind the CLI, the demo and the
tests."""

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from secrets import choice, token_hex
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from switchboard.api import keys, scopes
from switchboard.aws.contacts import ContactsTable
from switchboard.aws.pods import PodsTable
from switchboard.crm import registry
from switchboard.crm.auth import Scheme
from switchboard.crm.catalog import CRM
from switchboard.ports import Checkpoint
from switchboard.search.fields import CUSTOM_NAME
from switchboard.sync import planning, walking

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

PRINTABLE = re.compile(r"[!-~](?:[ -~]*[!-~])?", re.ASCII)
SETTING_LENGTH = 128
BRAND_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
SEARCHABLE = 10
"""So many custom fields of an account may have an index: each is a list in which all its contacts stand."""
MOVES = 8
"""So often a checkpoint is looked at again that a run has just moved."""
SIGHTS = ("all", "own")
"""What members of a brand may see: all contacts, or their own and those of nobody."""


class RefusedError(ValueError):
    """What an operator asked for cannot be done; the text says why."""


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new API key. `secret` is shown here and never again."""

    id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Admin:
    """The operator's hands on the tables and secrets of one stage."""

    dynamodb: "DynamoDBClient"
    secretsmanager: "SecretsManagerClient"
    table: str
    prefix: str
    pods: str = ""
    """The table of pods, for what takes pods along."""
    contacts: str = ""
    """The table of contacts, for what has to do with syncs."""

    def create_brand(self, name: str) -> str:
        """A new brand; answers its id, six of a-z and 0-9."""
        while True:
            brand = "".join(choice(BRAND_LETTERS) for _ in range(6))
            if self._put(brand, "brand", {"name": name, "created_at": int(time.time())}):
                return brand

    def delete_brand(self, brand: str) -> int:
        """Remove a brand: its accounts are disconnected, its pods, pages and templates go. Answers how many pods.

        Its keys stay, and open nothing but the answer that there is no such brand, until they are deleted. Its contacts
        go with the next turns of their syncs.
        """
        self._brand(brand)
        if not self.pods:
            raise RefusedError("pods: the name of the table of pods is needed, or their pages would stay")
        self.dynamodb.delete_item(TableName=self.table, Key=_key(brand, "brand"))
        for account in self.list_accounts(brand):
            self.disconnect_account(brand, account["id"])
        return self._delete_pods(brand)

    def set_members_see(self, brand: str, sight: str) -> None:
        """Say what members of a brand see of its contacts: `all`, or their `own` and those of nobody."""
        if sight not in SIGHTS:
            raise RefusedError(f"members_see: has to be one of {', '.join(SIGHTS)}")
        self._brand(brand)
        self._set(brand, "brand", {"members_see": sight})

    def _delete_pods(self, brand: str) -> int:
        held = PodsTable(self.dynamodb, self.pods)
        for template in held.templates(brand):
            held.delete_template(brand, template.id)
        gone = 0
        while found := held.search(brand, {}, before=None, limit=100)[0]:
            gone += sum(held.delete(brand, pod.id) for pod in found)
        return gone

    def delete_user(self, brand: str, user: str) -> None:
        """Remove a user. Keys that the user has made stay; what is made with them needs another owner."""
        if self._get(brand, f"user#{user}") is None:
            raise RefusedError("user: there is no such user in this brand")
        self.dynamodb.delete_item(TableName=self.table, Key=_key(brand, f"user#{user}"))

    def create_user(self, brand: str, email: str, role: str = "member") -> str:
        """A new user of a brand; answers its id."""
        if role not in scopes.ROLES:
            raise RefusedError(f"role: has to be one of {', '.join(scopes.ROLES)}")
        self._brand(brand)
        user = token_hex(12)
        self._put(brand, f"user#{user}", {"email": email.strip().lower(), "role": role, "created_at": int(time.time())})
        return user

    def set_role(self, brand: str, user: str, role: str) -> None:
        """Change a user's role, on the user and on all of the user's keys: a key does what its owner may do now."""
        if role not in scopes.ROLES:
            raise RefusedError(f"role: has to be one of {', '.join(scopes.ROLES)}")
        if self._get(brand, f"user#{user}") is None:
            raise RefusedError("user: there is no such user in this brand")
        self._set(brand, f"user#{user}", {"role": role})
        for item in self._all(brand, "key#"):
            if item["owner"] == user:
                self._set(brand, item["sk"], {"role": role})

    def issue_key(
        self, brand: str, user: str, granted: Iterable[str], *, name: str = "", limit: int = keys.LIMIT
    ) -> IssuedKey:
        """A new API key of a user. Its scopes are fixed for its life; what it may do also needs the user's role."""
        held = frozenset(granted)
        if unknown := sorted(held - scopes.SCOPES):
            raise RefusedError(f"scopes: there is no {', '.join(unknown)}")
        if not held:
            raise RefusedError("scopes: at least one is needed")
        owner = self._get(brand, f"user#{user}")
        if owner is None:
            raise RefusedError("user: there is no such user in this brand")
        secret, key_id = keys.issue(brand), token_hex(8)
        self._put(
            brand,
            f"key#{keys.digest(secret)}",
            {
                "key_id": key_id,
                "owner": user,
                "role": owner["role"],
                "scopes": held,
                "limit": limit,
                "name": name,
                "created_at": int(time.time()),
            },
        )
        return IssuedKey(key_id, secret)

    def list_keys(self, brand: str) -> list[dict[str, Any]]:
        """The keys of a brand, revoked ones too; what they hash to stays here."""
        return [
            {name: value for name, value in item.items() if name not in ("pk", "sk") and not name.startswith("hits#")}
            for item in self._all(brand, "key#")
        ]

    def revoke_key(self, brand: str, key_id: str) -> None:
        """Stop a key at once; it stays listed."""
        self._set(brand, self._key(brand, key_id), {"revoked_at": int(time.time())})

    def delete_key(self, brand: str, key_id: str) -> None:
        """Remove a key; nothing of it stays."""
        self.dynamodb.delete_item(TableName=self.table, Key=_key(brand, self._key(brand, key_id)))

    def set_app(self, crm: str, client_id: str, client_secret: str) -> None:
        """Keep the id and secret of our OAuth app at a CRM."""
        _known(crm)
        self._keep(f"{self.prefix}/apps/{crm}", {"client_id": client_id, "client_secret": client_secret})

    def connect_account(
        self,
        brand: str,
        crm: str,
        credentials: Mapping[str, Any],
        *,
        origin: str | None = None,
        token_origin: str | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> str:
        """Connect a CRM to a brand; answers the account's id, a UUID.

        `credentials` are what one of the CRM's schemes wants: `{api_key}`, with a user name beside it where the CRM has
        both, or `{access_token, refresh_token, expires_at}`, in epoch seconds.
        `origin` is the account's own host, where the CRM gives each account one; `token_origin` is where its tokens
        come from, if not from the CRM's usual place (an account for testing, another region). `settings` are what
        else the CRM wants to know of an account, by the names that it declares.
        """
        self._brand(brand)
        _known(crm)
        declared = registry.load(crm)
        scheme = next((name for name, each in declared.auth.items() if _fits(each, credentials)), None)
        if scheme is None:
            kinds = [f"{name} ({', '.join(each.fields)})" for name, each in declared.auth.items()]
            raise RefusedError(f"credentials: {declared.title} takes {' or '.join(kinds)}")
        if origin and not declared.hosts["api"].allows(origin):
            raise RefusedError(f"origin: is no host of {declared.title}")
        if not origin and not declared.hosts["api"].default:
            raise RefusedError(f"origin: {declared.title} gives each account a host of its own; name it")
        if token_origin and not declared.hosts["token"].allows(token_origin):
            raise RefusedError(f"token_origin: is no host of {declared.title}")
        told = _settings(declared, settings or {})
        if token_origin:
            told["token_origin"] = token_origin
        _whole(credentials)
        account = str(uuid4())
        self._keep(f"{self.prefix}/accounts/{brand}/{account}", dict(credentials))
        item = {"crm": crm, "scheme": scheme, "status": "active", "created_at": int(time.time())}
        hosts = {"origin": origin} if origin else {}
        if told:
            hosts["settings"] = json.dumps(told)
        self._put(brand, f"account#{account}", item | hosts)
        if self.contacts and declared.has("contacts"):
            self._move(Checkpoint(brand, account, crm), _at_once)
        return account

    def reconnect_account(self, brand: str, account: str, credentials: Mapping[str, Any]) -> None:
        """Give an account new credentials, of the kind that it had; its id stays."""
        known = self._account(brand, account)
        declared = registry.load(known["crm"])
        if not _fits(declared.auth[known["scheme"]], credentials):
            raise RefusedError(f"credentials: this account takes {known['scheme']}")
        _whole(credentials)
        self._keep(f"{self.prefix}/accounts/{brand}/{account}", dict(credentials))
        self._set(brand, f"account#{account}", {"status": "active"})
        if self.contacts and declared.has("contacts"):
            self._move(Checkpoint(brand, account, known["crm"]), lambda seen: replace(_at_once(seen), failures=0))

    def disconnect_account(self, brand: str, account: str) -> None:
        """Remove an account and its credentials; its contacts go with the next turn of its sync.

        What was broken off is done by doing it again. A sync that finds no account removes its contacts, also where
        nobody has told it to.
        """
        known = self._get(brand, f"account#{account}")
        synced = self._table().checkpoint(brand, account) if self.contacts else None
        if known is None and synced is None:
            raise RefusedError("account: there is no such account in this brand")
        with suppress(self.secretsmanager.exceptions.ResourceNotFoundException):
            secret = f"{self.prefix}/accounts/{brand}/{account}"
            self.secretsmanager.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
        self.dynamodb.delete_item(TableName=self.table, Key=_key(brand, f"account#{account}"))
        if synced:
            self._move(replace(synced, version=0), lambda seen: replace(walking.idle(_at_once(seen)), stage="purge"))

    def set_searchable(self, brand: str, account: str, names: Sequence[str]) -> None:
        """Say which custom fields of an account's contacts have an index; all contacts are then looked at anew.

        A field has its index for searches when that walk is over, and has it no more from the beginning.
        """
        known, wanted = self._account(brand, account), tuple(dict.fromkeys(names))
        if len(wanted) > SEARCHABLE:
            raise RefusedError(f"searchable: at most {SEARCHABLE} custom fields can have an index")
        if not all(0 < len(name) <= CUSTOM_NAME for name in wanted):
            raise RefusedError(f"searchable: the name of a custom field has 1 to {CUSTOM_NAME} characters")
        bare = Checkpoint(brand, account, known["crm"])

        def less(seen: Checkpoint) -> Checkpoint:
            return replace(seen, indexed=tuple(name for name in seen.indexed if name in wanted))

        # Before a contact loses a place in a list, nobody must look for it there; and no walk that began with the old
        # names may end as if it had begun with the new ones.
        self._move(bare, less)
        self._set(brand, f"account#{account}", {"searchable": json.dumps(wanted)})
        self._move(bare, lambda seen: replace(walking.idle(_at_once(less(seen))), anchor="", synced_at=0))

    def list_syncs(self, brand: str) -> list[dict[str, Any]]:
        """How far the syncs of a brand have come, of accounts that were disconnected too until their contacts are gone.

        Times are epoch seconds.
        """
        shown = ("account", "crm", "stage", "synced_at", "size", "due_at", "failures", "last_error")
        return [{name: getattr(each, name) for name in shown} for each in self._table().checkpoints(brand)]

    def sync_now(self, brand: str, account: str, *, deletions: bool = False) -> None:
        """Let an account be looked at as soon as the planner runs; a run that is under way goes on.

        deletions: also look for what was deleted, which is otherwise done once an hour, or once a day.
        """
        known, table = self._account(brand, account), self._table()
        if deletions:
            now = time.time()
            listed, swept = now - planning.DELETIONS_SECONDS, now - planning.SWEEP_SECONDS
            return self._move(
                Checkpoint(brand, account, known["crm"]),
                lambda seen: replace(
                    _at_once(seen), deleted_at=min(seen.deleted_at, listed), swept_at=min(seen.swept_at, swept)
                ),
            )
        for _ in range(MOVES):
            seen = table.checkpoint(brand, account)
            if seen is None:
                return self._move(Checkpoint(brand, account, known["crm"]), _at_once)
            if table.postpone(seen, time.time()):
                return None
        raise RefusedError("account: is being synced right now; try again")

    def list_accounts(self, brand: str) -> list[dict[str, Any]]:
        """The connected accounts of a brand, without their credentials."""
        return [
            {"id": item["sk"].removeprefix("account#")} | {k: v for k, v in item.items() if k not in ("pk", "sk")}
            for item in self._all(brand, "account#")
        ]

    def _table(self) -> ContactsTable:
        if not self.contacts:
            raise RefusedError("contacts: the name of the table of contacts is needed")
        return ContactsTable(self.dynamodb, self.contacts, time.sleep)

    def _move(self, bare: Checkpoint, change: Callable[[Checkpoint], Checkpoint]) -> None:
        """Change the checkpoint of an account as it stands now, or a bare one where there is none."""
        table = self._table()
        for _ in range(MOVES):
            if table.move(change(table.checkpoint(bare.brand, bare.account) or bare)):
                return
        raise RefusedError("account: is being synced right now; try again")

    def _account(self, brand: str, account: str) -> dict[str, Any]:
        known = self._get(brand, f"account#{account}")
        if known is None:
            raise RefusedError("account: there is no such account in this brand")
        return known

    def _brand(self, brand: str) -> None:
        if self._get(brand, "brand") is None:
            raise RefusedError("brand: there is no such brand")

    def _key(self, brand: str, key_id: str) -> str:
        found = next((item["sk"] for item in self._all(brand, "key#") if item["key_id"] == key_id), None)
        if found is None:
            raise RefusedError("key: there is no such key in this brand")
        return found

    def _keep(self, name: str, value: dict[str, Any]) -> None:
        try:
            self.secretsmanager.create_secret(Name=name, SecretString=json.dumps(value))
        except self.secretsmanager.exceptions.ResourceExistsException:
            self.secretsmanager.put_secret_value(SecretId=name, SecretString=json.dumps(value))

    def _put(self, brand: str, sort: str, item: Mapping[str, Any]) -> bool:
        try:
            self.dynamodb.put_item(
                TableName=self.table,
                Item=_key(brand, sort) | {name: _typed(value) for name, value in item.items()},
                ConditionExpression="attribute_not_exists(pk)",
            )
        except self.dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _set(self, brand: str, sort: str, changes: Mapping[str, Any]) -> None:
        self.dynamodb.update_item(
            TableName=self.table,
            Key=_key(brand, sort),
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in changes),
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeNames={f"#{name}": name for name in changes},
            ExpressionAttributeValues={f":{name}": _typed(value) for name, value in changes.items()},
        )

    def _get(self, brand: str, sort: str) -> dict[str, Any] | None:
        found = self.dynamodb.get_item(TableName=self.table, Key=_key(brand, sort), ConsistentRead=True).get("Item")
        return _plain(found) if found else None

    def _all(self, brand: str, beginning: str) -> list[dict[str, Any]]:
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :brand AND begins_with(sk, :beginning)",
            ExpressionAttributeValues={":brand": {"S": brand}, ":beginning": {"S": beginning}},
        )
        return [_plain(item) for page in pages for item in page["Items"]]


def _at_once(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint, to be looked at by the planner as soon as it runs."""
    return replace(checkpoint, due_at=time.time())


def _whole(credentials: Mapping[str, Any]) -> None:
    """Refuse what could not be written into a header: a stray line end, a letter outside ASCII."""
    for name, value in credentials.items():
        if isinstance(value, str) and not PRINTABLE.fullmatch(value):
            raise RefusedError(f"credentials.{name}: has to be printable ASCII, without spaces at its ends")


def _known(crm: str) -> None:
    if crm not in registry.NAMES:
        raise RefusedError(f"crm: has to be one of {', '.join(registry.NAMES)}")


def _settings(declared: CRM, given: Mapping[str, str]) -> dict[str, str]:
    for name in given.keys() - declared.settings.keys():
        raise RefusedError(
            f"settings: {declared.title} has no {name}; it has: {', '.join(declared.settings) or 'none'}"
        )
    for name, setting in declared.settings.items():
        value = given.get(name, setting.default)
        if not value or len(value) > SETTING_LENGTH:
            raise RefusedError(f"settings: {declared.title} needs {name}, {setting.what}")
    return dict(given)


def _fits(scheme: Scheme, credentials: Mapping[str, Any]) -> bool:
    needed = set(scheme.fields)
    return needed <= credentials.keys()


def _key(brand: str, sort: str) -> dict[str, Any]:
    return {"pk": {"S": brand}, "sk": {"S": sort}}


def _typed(value: Any) -> dict[str, Any]:
    match value:
        case int():
            return {"N": str(value)}
        case frozenset():
            return {"SS": sorted(value)}
        case _:
            return {"S": str(value)}


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, typed in item.items():
        [(kind, value)] = typed.items()
        found[name] = int(value) if kind == "N" else sorted(value) if kind == "SS" else value
    return found
