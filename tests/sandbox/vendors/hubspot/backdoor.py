"""The control plane's way into an account: what colleagues do in HubSpot itself, past all checks of the API."""

from tests.sandbox.exchange import Json
from tests.sandbox.vendors.hubspot.associations import Associations
from tests.sandbox.vendors.hubspot.properties import CREATED, MODIFIED, OBJECT_TYPES, iso, milliseconds
from tests.sandbox.vendors.hubspot.store import TYPES, Record

RELATED = {kind: [to for (source, to) in TYPES if source == kind] for kind in OBJECT_TYPES}
NOT_PROPERTIES = ("associations", "updated")


class Backdoor(Associations):
    def plant(self, noun: str, fields: dict[str, Json]) -> str | int:
        """Properties by their names, and `associations` as in the body of a create.

        When it was created and last changed may be given in the vendor's own properties, as ISO 8601 or epoch
        milliseconds: `createdate` (`hs_createdate` of leads), `lastmodifieddate` (`hs_lastmodifieddate` of the others).
        Without the latter it has not been changed since. `updated` is both, in epoch seconds. Search knows it at once.
        """
        if noun == "owners":
            owner_id = str(fields.get("id") or 40_000_000 + len(self.owners))
            numbers = dict.fromkeys(("userId", "userIdIncludingInactive"), int(owner_id))
            template = next(iter(self.owners.values()))
            self.owners[owner_id] = template | numbers | fields | {"id": owner_id}
            return owner_id
        if noun not in OBJECT_TYPES:
            raise LookupError(f"HubSpot has no {noun} here: {', '.join([*OBJECT_TYPES, 'owners'])}")
        properties = texts(fields)
        both = float(fields.get("updated") or self.clock())
        created = moment(properties.pop(CREATED[noun], ""), both)
        changed = moment(properties.pop(MODIFIED[noun], ""), both if "updated" in fields else created)
        values = self.followed(noun, self.with_defaults(noun, properties))
        record = self.store.add(noun, values, created, visible_at=0.0, changed=changed)
        self.relate(record, fields)
        return record.id

    def alter(self, noun: str, id: str, fields: dict[str, Json]) -> None:
        """In the form of `plant`, without moments: the change is now. What is null or "" is cleared.

        As of any write, search knows of it after `search_lag`.
        """
        if noun == "owners":
            self.known_owner(id).update(fields | {"updatedAt": iso(self.clock())})
            return
        record = self.known(noun, id)
        self.store.write(record, self.followed(noun, texts(fields)), self.clock(), self.searchable_at())
        self.relate(record, fields)

    def erase(self, noun: str, id: str) -> None:
        """Into the recycle bin; an owner is shown only to who asks for the archived."""
        if noun == "owners":
            self.known_owner(id).update(archived=True, updatedAt=iso(self.clock()))
            return
        self.known(noun, id).archived_at = self.clock()

    def known_owner(self, id: str) -> dict[str, Json]:
        if id not in self.owners or self.owners[id]["archived"]:
            raise LookupError(f"no owner has the id {id}")
        return self.owners[id]

    def known(self, noun: str, id: str) -> Record:
        record = self.store.live(noun, id)
        if record is None:
            raise LookupError(f"no {noun} of id {id}")
        return record

    def relate(self, record: Record, fields: dict[str, Json]) -> None:
        for one in fields.get("associations") or []:
            self.store.link(record.kind, record.id, *self.association(record.kind, one))

    def stored(self, noun: str) -> list[Json]:
        if noun == "owners":
            return list(self.owners.values())
        if noun == "pipelines":
            return [row | {"objectType": kind} for kind, rows in self.pipelines.items() for row in rows]
        if noun not in OBJECT_TYPES:
            raise LookupError(f"HubSpot has no {noun} here")
        return [
            self.shown(record, list(record.properties)) | self.associated(record, RELATED[noun])
            for record in self.store.records[noun].values()
        ]


def texts(fields: dict[str, Json]) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in fields.items() if name not in NOT_PROPERTIES}


def moment(text: str, otherwise: float) -> float:
    return milliseconds(text) / 1000 if text else otherwise
