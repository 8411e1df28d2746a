"""HubSpot's records, their associations, and the search index that lags behind them."""

from dataclasses import dataclass, field
from itertools import count

from tests.sandbox.vendors.hubspot.properties import CREATED, MODIFIED, SHOWN, iso

PORTAL = "25251234"

TYPES: dict[tuple[str, str], tuple[int, int | None]] = {
    ("contacts", "companies"): (279, 1),
    ("companies", "contacts"): (280, 2),
    ("contacts", "deals"): (4, None),
    ("deals", "contacts"): (3, None),
    ("deals", "companies"): (341, 5),
    ("companies", "deals"): (342, 6),
    ("leads", "contacts"): (608, 578),
    ("leads", "companies"): (610, 580),
    ("leads", "deals"): (1037, 582),
    # The guide lists only the lead's side; its other pairs are neighbours (596 and 597, 646 and 647).
    ("contacts", "leads"): (609, 579),
    ("companies", "leads"): (611, 581),
    ("deals", "leads"): (1038, 583),
}
"""Unlabelled and primary HUBSPOT_DEFINED type ids, from the associations guide."""

SINGULAR = {"contacts": "contact", "companies": "company", "deals": "deal", "leads": "lead"}


@dataclass
class Record:
    id: str
    kind: str
    properties: dict[str, str]
    created: float
    updated: float
    archived_at: float | None = None
    snapshots: list[tuple[float, dict[str, str], float]] = field(
        default_factory=list[tuple[float, dict[str, str], float]]
    )
    """(visible in search from, properties, updated) of each write."""


@dataclass
class Store:
    records: dict[str, dict[str, Record]] = field(
        default_factory=lambda: {kind: {} for kind in SINGULAR}  # insertion order is id order
    )
    links: dict[tuple[str, str, str], dict[str, set[int]]] = field(
        default_factory=dict[tuple[str, str, str], dict[str, set[int]]]
    )
    ids: "count[int]" = field(default_factory=lambda: count(734_931_000_001))

    def add(
        self, kind: str, properties: dict[str, str], created: float, visible_at: float, changed: float | None = None
    ) -> Record:
        record = Record(str(next(self.ids)), kind, {}, created, created)
        self.records[kind][record.id] = record
        source = {"hs_object_source": "INTEGRATION", "hs_object_source_id": "18221010"}
        stamps = {"hs_object_id": record.id, CREATED[kind]: iso(created), "hs_object_source_label": "INTEGRATION"}
        self.write(record, source | stamps | properties, created if changed is None else changed, visible_at)
        return record

    def write(self, record: Record, properties: dict[str, str], now: float, visible_at: float) -> None:
        record.updated = now
        merged = record.properties | properties | {MODIFIED[record.kind]: iso(now)}
        record.properties = {name: value for name, value in merged.items() if value != ""}
        record.snapshots = [*record.snapshots[-3:], (visible_at, dict(record.properties), now)]

    def live(self, kind: str, record_id: str) -> Record | None:
        record = self.records.get(kind, {}).get(record_id)
        return record if record and record.archived_at is None else None

    def binned(self, kind: str, record_id: str) -> Record | None:
        record = self.records.get(kind, {}).get(record_id)
        return record if record and record.archived_at is not None else None

    def indexed(self, kind: str, now: float) -> list[tuple[Record, dict[str, str], float]]:
        """What search knows now: for each record its newest snapshot that the index has reached."""
        known: list[tuple[Record, dict[str, str], float]] = []
        for record in self.records[kind].values():
            reached = [snapshot for snapshot in record.snapshots if snapshot[0] <= now]
            if reached and record.archived_at is None:
                _, own, updated = reached[-1]
                known.append((record, own | self.calculated(record), updated))
        return known

    def link(self, kind: str, record_id: str, to: str, to_id: str, type_ids: set[int]) -> None:
        """Both directions; a labelled association is also the unlabelled one."""
        there, back = TYPES[kind, to], TYPES[to, kind]
        mirrored = {back[there.index(type_id)] for type_id in type_ids if type_id in there}
        self.links.setdefault((kind, record_id, to), {}).setdefault(to_id, {there[0]}).update(type_ids)
        backwards = self.links.setdefault((to, to_id, kind), {}).setdefault(record_id, {back[0]})
        backwards.update(type_id for type_id in mirrored if type_id is not None)

    def linked(self, kind: str, record_id: str, to: str) -> dict[str, set[int]]:
        """Associated ids that still exist, with their type ids."""
        found = self.links.get((kind, record_id, to), {})
        return {to_id: types for to_id, types in found.items() if self.live(to, to_id)}

    def properties(self, record: Record, names: list[str], own: dict[str, str] | None = None) -> dict[str, str | None]:
        """The asked properties (null when unset) and the few that always come; unknown names are dropped before."""
        values = (record.properties if own is None else own) | self.calculated(record)
        always = ("hs_object_id", CREATED[record.kind], MODIFIED[record.kind])
        return {name: values.get(name) for name in sorted({*always, *(names or SHOWN[record.kind])})}

    def calculated(self, record: Record) -> dict[str, str]:
        """hs_associated_* of a lead, and a contact's company, follow the associations; nobody can write them."""
        if record.kind == "contacts":
            linked = self.linked("contacts", record.id, "companies")
            primary = TYPES["contacts", "companies"][1]
            first = min(linked, key=lambda to_id: primary not in linked[to_id], default=None)
            return {"associatedcompanyid": first} if first else {}
        if record.kind != "leads":
            return {}
        values: dict[str, str] = {}
        for to, names in (("contacts", ("firstname", "lastname", "email")), ("companies", ("name",))):
            for to_id in list(self.linked("leads", record.id, to))[:1]:
                properties = self.records[to][to_id].properties
                values |= {
                    f"hs_associated_{SINGULAR[to]}_{name}": properties[name] for name in names if name in properties
                }
        return values

    def url(self, record: Record, object_type: str) -> str:
        return f"https://app.hubspot.com/contacts/{PORTAL}/record/{object_type}/{record.id}"
