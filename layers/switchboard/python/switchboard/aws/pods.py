"""Templates, pods and their pages on DynamoDB: the ports `Templates` and `Pods`.

pk <brand>      sk template#<id>  a template
pk <brand>      sk pod#<id>       what a list tells of a pod
pk <brand>      sk content#<id>   its layout, the record as it was read, what is said instead
pk page#<id>    sk page           what the public may see; the one key that does not begin with a brand, because who
                                  opens a link brings no more than the id. A role that may read these reads no other.

A pod's three items are written in one transaction. Ids begin with the second of their making, so that their order is
that of time; what is large lies apart, so that a list does not pay for it.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from switchboard.ports import Page, Pod, Template

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LOOKED_THROUGH = 1_000
"""So many pods are looked at for one page of a search that narrows."""
SCANNED = 100
"""So many of them at once."""
FILTERS = {
    "crm_type": "crm",
    "crm_object": "object",
    "crm_id": "crm_id",
    "template_id": "template",
    "owner_email": "owner",
}


def _s(value: str) -> dict[str, Any]:
    return {"S": value}


def _n(value: int) -> dict[str, Any]:
    return {"N": str(value)}


def _packed(value: Any) -> dict[str, Any]:
    return {"B": zlib.compress(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())}


def _unpacked(item: Mapping[str, Any], name: str) -> Any:
    return json.loads(zlib.decompress(item[name]["B"]))


def _as_seen(seen: int | None) -> dict[str, Any]:
    """The condition under which an item is written: it is not there, or stands in the version that was seen."""
    if seen is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {"ConditionExpression": "version = :seen", "ExpressionAttributeValues": {":seen": _n(seen)}}


def _conditional(fault: ClientError) -> bool:
    """Whether a write was refused because something stood otherwise than was thought."""
    error: Any = fault.response
    code = error.get("Error", {}).get("Code")
    reasons = [each.get("Code") for each in error.get("CancellationReasons", [])]
    return code == "ConditionalCheckFailedException" or (
        code == "TransactionCanceledException" and "ConditionalCheckFailed" in reasons
    )


@dataclass(frozen=True, slots=True)
class PodsTable:
    """Templates, pods and pages in one table."""

    client: "DynamoDBClient"
    name: str

    def template(self, brand: str, id: str) -> Template | None:
        """A template, by its brand and id."""
        item = self._get(brand, f"template#{id}")
        return _template(brand, item) if item else None

    def templates(self, brand: str) -> list[Template]:
        """All templates of a brand, newest first."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.name,
            KeyConditionExpression="pk = :brand AND begins_with(sk, :kind)",
            ExpressionAttributeValues={":brand": _s(brand), ":kind": _s("template#")},
            ScanIndexForward=False,
        )
        return [_template(brand, item) for page in pages for item in page["Items"]]

    def put_template(self, template: Template, *, seen: int | None) -> bool:
        """Store a template, if it still stands as seen."""
        item = {
            "pk": _s(template.brand),
            "sk": _s(f"template#{template.id}"),
            "name": _s(template.name),
            "layout": _packed(template.layout),
            "created_at": _n(template.created_at),
            "updated_at": _n(template.updated_at),
            "version": _n(template.version),
        }
        try:
            self.client.put_item(TableName=self.name, Item=item, **_as_seen(seen))
        except ClientError as fault:
            if not _conditional(fault):
                raise
            return False
        return True

    def delete_template(self, brand: str, id: str) -> bool:
        """Remove a template; pods that were made from it keep their copies."""
        key = {"pk": _s(brand), "sk": _s(f"template#{id}")}
        gone = self.client.delete_item(TableName=self.name, Key=key, ReturnValues="ALL_OLD")
        return bool(gone.get("Attributes"))

    def pod(self, brand: str, id: str) -> Pod | None:
        """A pod with its contents."""
        keys = [{"pk": _s(brand), "sk": _s(f"{kind}#{id}")} for kind in ("pod", "content")]
        answer: Any = self.client.transact_get_items(
            TransactItems=[{"Get": {"TableName": self.name, "Key": key}} for key in keys]
        )
        summary, content = (each.get("Item") for each in answer["Responses"])
        return _pod(brand, summary, content) if summary and content else None

    def save(self, pod: Pod, page: Page, *, seen: int | None) -> bool:
        """Store a pod and its page, if the pod still stands as seen."""
        summary = {
            "pk": _s(pod.brand),
            "sk": _s(f"pod#{pod.id}"),
            **{name: _s(getattr(pod, name)) for name in TEXTS if getattr(pod, name)},
            **{name: _n(getattr(pod, name)) for name in NUMBERS},
            "missing": _s(json.dumps(pod.missing)),
        }
        content = {
            "pk": _s(pod.brand),
            "sk": _s(f"content#{pod.id}"),
            **{name: _packed(getattr(pod, name)) for name in CONTENTS},
        }
        public = {
            "pk": _s(f"page#{pod.id}"),
            "sk": _s("page"),
            "html": {"B": page.html},
            "etag": _s(page.etag),
            "renderer": _s(page.renderer),
            "shown": _packed(page.shown),
        }
        puts: list[Any] = [{"Put": {"TableName": self.name, "Item": item}} for item in (summary, content, public)]
        puts[0]["Put"] |= _as_seen(seen)
        return self._transact(puts)

    def delete(self, brand: str, id: str) -> bool:
        """Remove a pod and its page."""
        keys = [(brand, f"pod#{id}"), (brand, f"content#{id}"), (f"page#{id}", "page")]
        deletes: list[Any] = [
            {"Delete": {"TableName": self.name, "Key": {"pk": _s(pk), "sk": _s(sk)}}} for pk, sk in keys
        ]
        deletes[0]["Delete"]["ConditionExpression"] = "attribute_exists(pk)"
        return self._transact(deletes)

    def search(
        self, brand: str, where: Mapping[str, str], *, before: str | None, limit: int
    ) -> tuple[list[Pod], str | None]:
        """Pods of a brand, newest first. A search that narrows looks at a thousand, and says where it stopped."""
        found: list[Pod] = []
        names = {f"#{index}": FILTERS[name] for index, name in enumerate(where)}
        values = {f":{index}": _s(value) for index, value in enumerate(where.values())}
        narrowed: Any = {
            "FilterExpression": " AND ".join(f"{name} = :{name[1:]}" for name in names),
            "ExpressionAttributeNames": names,
        }
        position: Any = {"pk": _s(brand), "sk": _s(f"pod#{before}")} if before else None
        looked = 0
        while len(found) < limit and looked < LOOKED_THROUGH:
            wanted = limit - len(found)
            page: Any = self.client.query(
                TableName=self.name,
                KeyConditionExpression="pk = :brand AND begins_with(sk, :kind)",
                ExpressionAttributeValues={":brand": _s(brand), ":kind": _s("pod#"), **values},
                ScanIndexForward=False,
                Limit=max(wanted, SCANNED) if where else wanted,
                **(narrowed if where else {}),
                **({"ExclusiveStartKey": position} if position else {}),
            )
            found += [_pod(brand, item, {}) for item in page["Items"]]
            looked += page["ScannedCount"]
            position = page.get("LastEvaluatedKey")
            if position is None:
                break
        if len(found) > limit:
            return found[:limit], found[limit - 1].id
        return found, position["sk"]["S"].removeprefix("pod#") if position else None

    def page(self, id: str) -> Page | None:
        """The page of a pod: one read, of what the last write left."""
        item = self._get(f"page#{id}", "page")
        if not item:
            return None
        return Page(item["html"]["B"], item["etag"]["S"], item["renderer"]["S"], _unpacked(item, "shown"))

    def _get(self, pk: str, sk: str) -> Any:
        key = {"pk": _s(pk), "sk": _s(sk)}
        return self.client.get_item(TableName=self.name, Key=key, ConsistentRead=True).get("Item")

    def _transact(self, writes: list[Any]) -> bool:
        try:
            self.client.transact_write_items(TransactItems=writes)
        except ClientError as fault:
            if not _conditional(fault):
                raise
            return False
        return True


TEXTS = ("id", "crm", "object", "crm_id", "account", "template", "owner", "title", "once")
NUMBERS = ("created_at", "updated_at", "refreshed_at", "version")
CONTENTS = ("layout", "values", "overrides")


def _template(brand: str, item: Mapping[str, Any]) -> Template:
    return Template(
        brand,
        item["sk"]["S"].removeprefix("template#"),
        item["name"]["S"],
        _unpacked(item, "layout"),
        int(item["created_at"]["N"]),
        int(item["updated_at"]["N"]),
        int(item["version"]["N"]),
    )


def _pod(brand: str, summary: Mapping[str, Any], content: Mapping[str, Any]) -> Pod:
    texts: dict[str, Any] = {name: summary.get(name, {}).get("S", "") for name in TEXTS}
    numbers: dict[str, Any] = {name: int(summary[name]["N"]) for name in NUMBERS}
    held: dict[str, Any] = {name: _unpacked(content, name) for name in CONTENTS} if content else {}
    return Pod(brand=brand, missing=tuple(json.loads(summary["missing"]["S"])), **texts, **numbers, **held)
