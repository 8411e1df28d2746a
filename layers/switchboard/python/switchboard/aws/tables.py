"""The ports on DynamoDB. Every key begins with the brand, so that a leading-key condition can prove isolation.

access   pk <brand>          sk key#<sha256>  user#<id>  account#<uuid>  lease#<name>  brand
once     pk <brand>#<hash>   idempotency records

The table of pods has a module of its own.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from switchboard.ports import Account, Admission, Brand, Claim, Exhausted, KeyRefusal, User

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STALE_WINDOWS = 16
"""So many counters of long gone windows may lie on a key's record before they are swept away."""


def _s(value: str) -> dict[str, Any]:
    return {"S": value}


def _n(value: float) -> dict[str, Any]:
    return {"N": f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)}


def _refused(fault: ClientError) -> dict[str, Any] | None:
    """The item in the way of a conditional write (empty where there is none), or None if the fault is another."""
    if fault.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
        return None
    return fault.response.get("Item", {})


@dataclass(frozen=True, slots=True)
class AccessTable:
    """API keys, accounts and leases: the ports `Access` and `Leases`."""

    client: "DynamoDBClient"
    name: str

    def admit(
        self, brand: str, digest: str, group: str, *, window: int, now: int
    ) -> Admission | Exhausted | KeyRefusal:
        """Authenticate, limit and stamp in one conditional UpdateItem.

        The calls of a window are counted in an attribute of its own, named after the window: a new window needs no
        reset. The one before is removed in passing; more gather only where a key rests for long, and are swept then.
        """
        slot = now // window
        key = {"pk": _s(brand), "sk": _s(f"key#{digest}")}
        try:
            item: Any = self.client.update_item(
                TableName=self.name,
                Key=key,
                UpdateExpression="SET last_used = :now ADD #hits :one REMOVE #before",
                ConditionExpression="attribute_exists(pk) AND attribute_not_exists(revoked_at) "
                "AND #limit > :none AND (attribute_not_exists(#hits) OR #hits < #limit)",
                ExpressionAttributeNames={
                    "#hits": f"hits#{group}#{slot}",
                    "#before": f"hits#{group}#{slot - 1}",
                    "#limit": "limit",
                },
                ExpressionAttributeValues={":now": _n(now), ":one": _n(1), ":none": _n(0)},
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            ).get("Attributes", {})
        except ClientError as fault:
            found = _refused(fault)
            if found is None:
                raise
            if not found or "revoked_at" in found:
                return KeyRefusal.UNKNOWN
            return Exhausted(int(found["limit"]["N"]))
        self._sweep(key, item, slot)
        return Admission(
            brand=brand,
            key_id=item["key_id"]["S"],
            owner=item["owner"]["S"],
            role=item["role"]["S"],
            scopes=frozenset(item["scopes"]["SS"]),
            limit=int(item["limit"]["N"]),
            used=int(item[f"hits#{group}#{slot}"]["N"]),
        )

    def _sweep(self, key: dict[str, Any], item: Mapping[str, Any], slot: int) -> None:
        stale = [name for name in item if name.startswith("hits#") and int(name.rpartition("#")[2]) < slot]
        if len(stale) < STALE_WINDOWS:
            return
        names = {f"#h{index}": name for index, name in enumerate(stale)}
        self.client.update_item(
            TableName=self.name,
            Key=key,
            UpdateExpression="REMOVE " + ", ".join(names),
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeNames=names,
        )

    def account(self, brand: str, id: str) -> Account | None:
        """The brand's account of that id."""
        key = {"pk": _s(brand), "sk": _s(f"account#{id}")}
        item: Any = self.client.get_item(TableName=self.name, Key=key, ConsistentRead=True).get("Item")
        return None if item is None else _account(brand, item)

    def brand(self, brand: str) -> Brand:
        """The brand and its accounts: `account#...` and `brand` stand side by side in the order of sort keys."""
        items = self._between(brand, "account#", "brand")
        accounts = [_account(brand, item) for item in items if item["sk"]["S"] != "brand"]
        there = next((item for item in items if item["sk"]["S"] == "brand"), None)
        own = there is not None and there.get("members_see", {}).get("S") == "own"
        by_age = tuple(sorted(accounts, key=lambda each: (each.created_at, each.id)))
        return Brand(there is not None, by_age, "own" if own else "all")

    def user(self, brand: str, *, id: str = "", email: str = "") -> User | None:
        """A user by id or by e-mail address; a brand has few."""
        wanted = email.strip().casefold()
        for item in self._between(brand, f"user#{id}", f"user#{id or '~'}"):
            found = User(item["sk"]["S"].removeprefix("user#"), item["email"]["S"], item["role"]["S"])
            if id or found.email.casefold() == wanted:
                return found
        return None

    def _between(self, brand: str, first: str, last: str) -> list[Any]:
        """The brand's items from one sort key to another, both included."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.name,
            ConsistentRead=True,
            KeyConditionExpression="pk = :brand AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={":brand": _s(brand), ":first": _s(first), ":last": _s(last)},
        )
        return [item for page in pages for item in page["Items"]]

    def mark(self, account: Account, **changes: str | int) -> None:
        """Note changes on the account, if it is still there."""
        names = {f"#{name}": name for name in changes}
        values = {f":{name}": _s(value) if isinstance(value, str) else _n(value) for name, value in changes.items()}
        try:
            self.client.update_item(
                TableName=self.name,
                Key={"pk": _s(account.brand), "sk": _s(f"account#{account.id}")},
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in changes),
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )
        except ClientError as fault:
            if _refused(fault) is None:
                raise

    def may_retry(self, account: Account, *, now: int, every: int) -> bool:
        """Take the live try, if nobody took it lately."""
        try:
            self.client.update_item(
                TableName=self.name,
                Key={"pk": _s(account.brand), "sk": _s(f"account#{account.id}")},
                UpdateExpression="SET retried_at = :now",
                ConditionExpression="attribute_exists(pk) "
                "AND (attribute_not_exists(retried_at) OR retried_at <= :then)",
                ExpressionAttributeValues={":now": _n(now), ":then": _n(now - every)},
            )
        except ClientError as fault:
            if _refused(fault) is None:
                raise
            return False
        return True

    def acquire(self, brand: str, name: str, holder: str, *, now: float, seconds: int) -> bool:
        """Take a lease if it is free or has run out."""
        try:
            self.client.put_item(
                TableName=self.name,
                Item={
                    "pk": _s(brand),
                    "sk": _s(f"lease#{name}"),
                    "holder": _s(holder),
                    "until": _n(now + seconds),
                    "expires": _n(int(now) + seconds + 3600),
                },
                ConditionExpression="attribute_not_exists(pk) OR #until < :now OR holder = :holder",
                ExpressionAttributeNames={"#until": "until"},
                ExpressionAttributeValues={":now": _n(now), ":holder": _s(holder)},
            )
        except ClientError as fault:
            if _refused(fault) is None:
                raise
            return False
        return True

    def release(self, brand: str, name: str, holder: str) -> None:
        """Give a lease back, if it is still ours."""
        try:
            self.client.delete_item(
                TableName=self.name,
                Key={"pk": _s(brand), "sk": _s(f"lease#{name}")},
                ConditionExpression="holder = :holder",
                ExpressionAttributeValues={":holder": _s(holder)},
            )
        except ClientError as fault:
            if _refused(fault) is None:
                raise


def _account(brand: str, item: Mapping[str, Any]) -> Account:
    return Account(
        brand=brand,
        id=item["sk"]["S"].removeprefix("account#"),
        crm=item["crm"]["S"],
        scheme=item["scheme"]["S"],
        status="active" if item["status"]["S"] == "active" else "needs_reauth",
        origin=item.get("origin", {}).get("S"),
        retried_at=int(item.get("retried_at", {}).get("N", 0)),
        doubtful_until=int(item.get("doubtful_until", {}).get("N", 0)),
        created_at=int(item.get("created_at", {}).get("N", 0)),
        settings=json.loads(item.get("settings", {}).get("S", "{}")),
        searchable=tuple(json.loads(item.get("searchable", {}).get("S", "[]"))),
    )


@dataclass(frozen=True, slots=True)
class OnceTable:
    """Idempotency records: the port `Claims`. The end of a lease names the run that holds it."""

    client: "DynamoDBClient"
    name: str

    def claim(self, claim: Claim, *, expires: int) -> Claim | None:
        """Put the record if there is none, or one whose time is over; DynamoDB removes those only later."""
        try:
            self.client.put_item(
                TableName=self.name,
                Item=_item(claim, expires),
                ConditionExpression="attribute_not_exists(pk) OR expires < :now",
                ExpressionAttributeValues={":now": _n(int(claim.claimed_at))},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as fault:
            found = _refused(fault)
            if found is None:
                raise
            there = _claim(found)
            return None if claim.run and there.run == claim.run else there
        return None

    def take_over(self, claim: Claim, *, seen: Claim, expires: int) -> bool:
        """Claim a record as it was seen."""
        return self._put(claim, expires, seen) or (bool(claim.run) and self._run(claim.key) == claim.run)

    def settle(self, claim: Claim, *, expires: int) -> None:
        """Store what became of our claim, if it is still ours."""
        self._put(claim, expires, Claim(claim.key, "claimed", "", 0, claim.lease_until, claim.attempt))

    def _put(self, claim: Claim, expires: int, seen: Claim) -> bool:
        try:
            self.client.put_item(
                TableName=self.name,
                Item=_item(claim, expires),
                ConditionExpression="#state = :state AND lease_until = :lease AND attempt = :attempt",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={
                    ":state": _s(seen.state),
                    ":lease": _n(seen.lease_until),
                    ":attempt": _n(seen.attempt),
                },
            )
        except ClientError as fault:
            if _refused(fault) is None:
                raise
            return False
        return True

    def _run(self, key: str) -> str:
        """The run that holds a record: a write whose answer was lost may have been ours."""
        found: Any = self.client.get_item(TableName=self.name, Key={"pk": _s(key)}, ConsistentRead=True).get("Item")
        return found.get("run", {}).get("S", "") if found else ""

    def release(self, claim: Claim) -> None:
        """Forget our claim, if it is still ours."""
        try:
            self.client.delete_item(
                TableName=self.name,
                Key={"pk": _s(claim.key)},
                ConditionExpression="#state = :state AND lease_until = :lease AND attempt = :attempt",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={
                    ":state": _s("claimed"),
                    ":lease": _n(claim.lease_until),
                    ":attempt": _n(claim.attempt),
                },
            )
        except ClientError as fault:
            if _refused(fault) is None:
                raise

    def read(self, key: str, *, now: int) -> Claim | None:
        """The record of a key, if its time is not over."""
        found: Any = self.client.get_item(TableName=self.name, Key={"pk": _s(key)}, ConsistentRead=True).get("Item")
        return _claim(found) if found and int(found["expires"]["N"]) >= now else None


def _item(claim: Claim, expires: int) -> dict[str, Any]:
    item = {
        "pk": _s(claim.key),
        "state": _s(claim.state),
        "print": _s(claim.fingerprint),
        "claimed_at": _n(claim.claimed_at),
        "lease_until": _n(claim.lease_until),
        "attempt": _n(claim.attempt),
        "settles_at": _n(claim.settles_at),
        "expires": _n(expires),
    }
    if claim.run:
        item["run"] = _s(claim.run)
    if claim.state == "settled":
        item |= {
            "status": _n(claim.status),
            "headers": _s(json.dumps(dict(claim.headers))),
            "body": {"B": zlib.compress(claim.body)},
        }
    return item


def _claim(item: Mapping[str, Any]) -> Claim:
    state = item["state"]["S"]
    return Claim(
        key=item["pk"]["S"],
        state="settled" if state == "settled" else "unknown" if state == "unknown" else "claimed",
        fingerprint=item["print"]["S"],
        claimed_at=float(item["claimed_at"]["N"]),
        lease_until=float(item["lease_until"]["N"]),
        attempt=int(item["attempt"]["N"]),
        settles_at=float(item["settles_at"]["N"]),
        status=int(item.get("status", {}).get("N", 0)),
        headers=json.loads(item.get("headers", {}).get("S", "{}")),
        body=zlib.decompress(item["body"]["B"]) if "body" in item else b"",
        run=item.get("run", {}).get("S", ""),
    )
