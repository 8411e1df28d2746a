"""Contacts, the lists of their index and the checkpoints of their syncs on DynamoDB: the ports `Contacts`,
`Checkpoints` and `Paces`.

pk <brand>#contact#<id>       sk contact               a contact; after it was deleted what is to be remembered of it
pk <brand>#<list>             sk <what it is sorted by, the contact's id>   a place in a list of the index
pk <brand>#sync               sk checkpoint#<account>  how far the sync of an account has come
pk <brand>#sync               sk owners#<account>      who owns contacts there
pk <brand>#sweep#<account>    sk <run>#<part>          ids that a sweep has met
pk <brand>#pace#<account>     sk pace                  when its CRM may be asked next

Checkpoints are found by when they are due, of all brands, through the index `due`. Reads are consistent: what was
written is found at once.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from switchboard.ports import Checkpoint, Owner, Posting, Span, Stored

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

THREADS = 8
"""So many requests to the table at once."""
WRITES, READS = 25, 100
"""So many items one request of DynamoDB writes or reads."""
TRIES = 8
"""So often what DynamoDB left undone is asked for again, after longer and longer waits."""
PLANNED = "contacts"
"""The key of the index `due`: all checkpoints that are to be looked at."""
SWEEP_SECONDS = 7 * 24 * 3600
"""So long the ids that a sweep has met are kept, if nobody removes them."""


APART = ("brand", "account", "crm", "version", "due_at")
"""What of a checkpoint has an attribute of its own."""


class OverloadedError(RuntimeError):
    """DynamoDB left undone what it was asked for, time and again."""


def _s(value: str) -> dict[str, Any]:
    return {"S": value}


def _n(value: float) -> dict[str, Any]:
    return {"N": repr(value)}


def _packed(value: Any) -> dict[str, Any]:
    return {"B": zlib.compress(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())}


def _unpacked(item: Mapping[str, Any], name: str) -> Any:
    return json.loads(zlib.decompress(item[name]["B"]))


def _refused(fault: ClientError) -> bool:
    return fault.response.get("Error", {}).get("Code") == "ConditionalCheckFailedException"


@dataclass(slots=True)
class ContactsTable:
    """One table for all that is known of contacts."""

    client: "DynamoDBClient"
    name: str
    sleep: Callable[[float], None]
    _pool: ThreadPoolExecutor | None = field(default=None, repr=False)

    # --- contacts ----------------------------------------------------------------------------------------------------

    def contacts(self, brand: str, ids: Sequence[str]) -> dict[str, Stored]:
        """Contacts by their ids, a hundred in one request."""
        keys = [{"pk": _s(f"{brand}#contact#{id}"), "sk": _s("contact")} for id in dict.fromkeys(ids)]
        items = [item for found in self._side_by_side(self._read, batched(keys, READS, strict=False)) for item in found]
        found = (_stored(brand, item) for item in items)
        return {each.id: each for each in found}

    def put(self, stored: Stored, *, seen: int | None) -> bool:
        """Store a contact, if it still stands as seen."""
        item = {
            "pk": _s(f"{stored.brand}#contact#{stored.id}"),
            "sk": _s("contact"),
            "version": _n(stored.version),
            "account": _s(stored.account),
            "crm": _s(stored.crm),
            "remote_id": _s(stored.remote_id),
            "digest": _s(stored.digest),
            "body": _packed(
                [stored.body, [(p.list, p.at) for p in stored.postings], [(p.list, p.at) for p in stored.drops]]
            ),
        }
        if not stored.settled:
            item["unsettled"] = {"BOOL": True}
        if stored.gone_until:
            item["gone_until"] = _n(stored.gone_until)
            if stored.settled:
                item["expires"] = _n(stored.gone_until)
        return self._put(item, seen)

    def put_all(self, wanted: Sequence[tuple[Stored, int | None]]) -> list[bool]:
        """Store contacts, a request each, several at once."""
        return self._side_by_side(lambda pair: self.put(pair[0], seen=pair[1]), wanted)

    def post(self, brand: str, places: Sequence[tuple[Posting, int]]) -> None:
        """Write places, twenty-five in one request."""
        items = {(each.list, each.at): version for each, version in places}
        puts = [
            {"PutRequest": {"Item": {"pk": _s(f"{brand}#{name}"), "sk": _s(at), "v": _n(version)}}}
            for (name, at), version in items.items()
        ]
        self._side_by_side(self._written, batched(puts, WRITES, strict=False))

    def drop(self, brand: str, places: Sequence[tuple[Posting, int]]) -> None:
        """Remove places one by one: each only if it is not a newer version's."""

        def remove(place: tuple[Posting, int]) -> None:
            posting, version = place
            try:
                self.client.delete_item(
                    TableName=self.name,
                    Key={"pk": _s(f"{brand}#{posting.list}"), "sk": _s(posting.at)},
                    ConditionExpression="attribute_not_exists(v) OR v <= :version",
                    ExpressionAttributeValues={":version": _n(version)},
                )
            except ClientError as fault:
                if not _refused(fault):
                    raise

        self._side_by_side(remove, places)

    def places(self, brand: str, spans: Sequence[Span], *, limit: int, descending: bool) -> list[list[str]]:
        """The first places of parts of lists, a request each."""

        def query(span: Span) -> list[str]:
            found: Any = self.client.query(
                TableName=self.name,
                ConsistentRead=True,
                KeyConditionExpression="pk = :list AND sk BETWEEN :low AND :high",
                ExpressionAttributeValues={
                    ":list": _s(f"{brand}#{span.list}"),
                    ":low": _s(span.low),
                    ":high": _s(span.high),
                },
                ProjectionExpression="sk",
                ScanIndexForward=not descending,
                Limit=limit,
            )
            return [item["sk"]["S"] for item in found["Items"]]

        return self._side_by_side(query, spans)

    # --- checkpoints -------------------------------------------------------------------------------------------------

    def checkpoint(self, brand: str, account: str) -> Checkpoint | None:
        """The checkpoint of an account."""
        key = {"pk": _s(f"{brand}#sync"), "sk": _s(f"checkpoint#{account}")}
        item: Any = self.client.get_item(TableName=self.name, Key=key, ConsistentRead=True).get("Item")
        return _checkpoint(brand, item) if item else None

    def checkpoints(self, brand: str) -> list[Checkpoint]:
        """All checkpoints of a brand."""
        return [_checkpoint(brand, item) for item in self._beginning(f"{brand}#sync", "checkpoint#")]

    def move(self, checkpoint: Checkpoint) -> bool:
        """Store a checkpoint as its next version."""
        told = {name: getattr(checkpoint, name) for name in CHECKPOINT}
        item = {
            "pk": _s(f"{checkpoint.brand}#sync"),
            "sk": _s(f"checkpoint#{checkpoint.account}"),
            "crm": _s(checkpoint.crm),
            "version": _n(checkpoint.version + 1),
            "due_at": _n(checkpoint.due_at),
            "planned": _s(PLANNED),
            "state": _packed(told),
        }
        return self._put(item, checkpoint.version or None)

    def forget(self, checkpoint: Checkpoint) -> None:
        """Remove what is known of an account's sync."""
        brand, account = checkpoint.brand, checkpoint.account
        for sort in (f"owners#{account}", f"checkpoint#{account}"):
            self.client.delete_item(TableName=self.name, Key={"pk": _s(f"{brand}#sync"), "sk": _s(sort)})
        self.client.delete_item(TableName=self.name, Key={"pk": _s(f"{brand}#pace#{account}"), "sk": _s("pace")})

    def due(self, now: float, limit: int) -> list[Checkpoint]:
        """Checkpoints of all brands that are due, without their state."""
        found: Any = self.client.query(
            TableName=self.name,
            IndexName="due",
            KeyConditionExpression="planned = :planned AND due_at <= :now",
            ExpressionAttributeValues={":planned": _s(PLANNED), ":now": _n(now)},
            Limit=limit,
        )
        return [
            Checkpoint(
                brand=item["pk"]["S"].removesuffix("#sync"),
                account=item["sk"]["S"].removeprefix("checkpoint#"),
                crm="",
                due_at=float(item["due_at"]["N"]),
            )
            for item in found["Items"]
        ]

    def postpone(self, checkpoint: Checkpoint, until: float) -> bool:
        """Move when a checkpoint is due, if it still stands as it was found."""
        try:
            self.client.update_item(
                TableName=self.name,
                Key={"pk": _s(f"{checkpoint.brand}#sync"), "sk": _s(f"checkpoint#{checkpoint.account}")},
                UpdateExpression="SET due_at = :until",
                ConditionExpression="due_at = :seen",
                ExpressionAttributeValues={":until": _n(until), ":seen": _n(checkpoint.due_at)},
            )
        except ClientError as fault:
            if not _refused(fault):
                raise
            return False
        return True

    def owners(self, brand: str, account: str | None = None) -> dict[str, dict[str, Owner]]:
        """Owners of one account or of all."""
        return {
            item["sk"]["S"].removeprefix("owners#"): {
                id: Owner(name, email) for id, (name, email) in _unpacked(item, "owners").items()
            }
            for item in self._beginning(f"{brand}#sync", f"owners#{account or ''}")
        }

    def know(self, brand: str, account: str, owners: Mapping[str, Owner]) -> None:
        """Keep the owners of an account."""
        told = {id: (each.name, each.email) for id, each in owners.items()}
        item = {"pk": _s(f"{brand}#sync"), "sk": _s(f"owners#{account}"), "owners": _packed(told)}
        self.client.put_item(TableName=self.name, Item=item)

    def seen(self, brand: str, account: str, run: str, part: int, ids: Sequence[str]) -> None:
        """Note ids that a sweep has met; they go by themselves."""
        item = {
            "pk": _s(f"{brand}#sweep#{account}"),
            "sk": _s(f"{run}#{part:08d}"),
            "ids": _packed(list(ids)),
            "expires": _n(int(float(run)) + SWEEP_SECONDS),
        }
        self.client.put_item(TableName=self.name, Item=item)

    def met(self, brand: str, account: str, run: str) -> set[str]:
        """All ids that a sweep has met."""
        items = self._beginning(f"{brand}#sweep#{account}", f"{run}#")
        return {id for item in items for id in _unpacked(item, "ids")}

    # --- paces -------------------------------------------------------------------------------------------------------

    def reserve(self, brand: str, account: str, *, interval: float, now: float, until: float) -> float:
        """Take the next place in the row of an account's calls: one conditional write, two after a rest."""
        key = {"pk": _s(f"{brand}#pace#{account}"), "sk": _s("pace")}
        while True:
            try:
                told: Any = self.client.update_item(
                    TableName=self.name,
                    Key=key,
                    UpdateExpression="SET open_at = open_at + :interval",
                    ConditionExpression="open_at BETWEEN :now AND :until",
                    ExpressionAttributeValues={":interval": _n(interval), ":now": _n(now), ":until": _n(until)},
                    ReturnValues="UPDATED_OLD",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
                return float(told["Attributes"]["open_at"]["N"])
            except ClientError as fault:
                if not _refused(fault):
                    raise
                there: Any = fault.response.get("Item", {})
            if there and float(there["open_at"]["N"]) > until:
                return float(there["open_at"]["N"])
            if self._rest(key, now + interval, "attribute_not_exists(open_at) OR open_at < :now", {":now": _n(now)}):
                return now

    def rest(self, brand: str, account: str, until: float) -> None:
        """No call before that moment."""
        key = {"pk": _s(f"{brand}#pace#{account}"), "sk": _s("pace")}
        self._rest(key, until, "attribute_not_exists(open_at) OR open_at < :free", {})

    def _rest(self, key: Any, free: float, condition: str, values: Mapping[str, Any]) -> bool:
        try:
            self.client.update_item(
                TableName=self.name,
                Key=key,
                UpdateExpression="SET open_at = :free",
                ConditionExpression=condition,
                ExpressionAttributeValues={":free": _n(free), **values},
            )
        except ClientError as fault:
            if not _refused(fault):
                raise
            return False
        return True

    # --- the table ---------------------------------------------------------------------------------------------------

    def _put(self, item: Mapping[str, Any], seen: int | None) -> bool:
        condition: Any = (
            {"ConditionExpression": "attribute_not_exists(pk)"}
            if seen is None
            else {"ConditionExpression": "version = :seen", "ExpressionAttributeValues": {":seen": _n(seen)}}
        )
        try:
            self.client.put_item(TableName=self.name, Item=item, **condition)
        except ClientError as fault:
            if not _refused(fault):
                raise
            return False
        return True

    def _beginning(self, pk: str, beginning: str) -> Iterable[Any]:
        pages = self.client.get_paginator("query").paginate(
            TableName=self.name,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :beginning)",
            ExpressionAttributeValues={":pk": _s(pk), ":beginning": _s(beginning)},
        )
        return (item for page in pages for item in page["Items"])

    def _read(self, keys: Sequence[Any]) -> list[Any]:
        found: list[Any] = []
        left: Any = {self.name: {"Keys": list(keys), "ConsistentRead": True}}
        for attempt in range(TRIES):
            told: Any = self.client.batch_get_item(RequestItems=left)
            found += told["Responses"].get(self.name, [])
            left = told.get("UnprocessedKeys")
            if not left:
                return found
            self.sleep(0.05 * 2**attempt)
        raise OverloadedError("contacts cannot be read: the table is overloaded")

    def _written(self, requests: Sequence[Any]) -> None:
        left: Any = {self.name: list(requests)}
        for attempt in range(TRIES):
            told: Any = self.client.batch_write_item(RequestItems=left)
            left = told.get("UnprocessedItems")
            if not left:
                return
            self.sleep(0.05 * 2**attempt)
        raise OverloadedError("places cannot be written: the table is overloaded")

    def _side_by_side[A, R](self, work: Callable[[A], R], given: Iterable[A]) -> list[R]:
        """The same work with each of these, several at once where there are several."""
        todo = list(given)
        if len(todo) <= 1:
            return [work(each) for each in todo]
        if self._pool is None:
            self._pool = ThreadPoolExecutor(THREADS)
        return list(self._pool.map(work, todo))


CHECKPOINT = tuple(each.name for each in fields(Checkpoint) if each.name not in APART)
"""What of a checkpoint is kept as its state."""


def _checkpoint(brand: str, item: Mapping[str, Any]) -> Checkpoint:
    told: Any = _unpacked(item, "state")
    state: Any = {
        name: tuple(value) if isinstance(value, list) else value for name, value in told.items() if name in CHECKPOINT
    }
    return Checkpoint(
        brand=brand,
        account=item["sk"]["S"].removeprefix("checkpoint#"),
        crm=item["crm"]["S"],
        version=int(item["version"]["N"]),
        due_at=float(item["due_at"]["N"]),
        **state,
    )


def _stored(brand: str, item: Mapping[str, Any]) -> Stored:
    body, postings, drops = _unpacked(item, "body")
    return Stored(
        brand=brand,
        id=item["pk"]["S"].rpartition("#")[2],
        account=item["account"]["S"],
        crm=item["crm"]["S"],
        remote_id=item["remote_id"]["S"],
        body=body,
        version=int(item["version"]["N"]),
        digest=item["digest"]["S"],
        postings=tuple(Posting(name, at) for name, at in postings),
        drops=tuple(Posting(name, at) for name, at in drops),
        gone_until=int(item.get("gone_until", {}).get("N", 0)),
        settled="unsettled" not in item,
    )
