"""Contacts as CRMs hold them, a few of everything that is hard: values that many share and values that none has, texts
in several scripts and widths, moments that are equal to the last digit and moments that are missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from switchboard.ports import Checkpoint, Owner, Span, Stored
from switchboard.search.keeping import Keeper, Whose, stored
from switchboard.search.sources import Scope
from tests.journal import Journal
from tests.store import MemoryContacts

BRAND = "acme01"
NOW = 1_795_253_400.0
CRMS = {"acc-1": "acme", "acc-2": "acme", "acc-3": "brief"}
INDEXED = {"acc-1": ("score", "tier"), "acc-2": ("score",), "acc-3": ("score", "tier")}
"""`score` has an index everywhere, `tier` not at every account, `plan` nowhere."""
OWNERS = {
    "acc-1": {"o1": Owner("Ada Lovelace", "ada@engines.example"), "o2": Owner("Charles", "charles@engines.example")},
    "acc-2": {"o1": Owner("Charles", "CHARLES@engines.example"), "o3": Owner(None, "nameless@engines.example")},
    "acc-3": {"o2": Owner("ada  lovelace", None)},
}
"""The same id is somebody else at another account; `o4` is known nowhere."""

LONG = "Wolfeschlegelsteinhausenbergerdorff the " + "x" * 60
FIRST = ("Ada", "ADA", "Alexandra", "Alex", "Jo", "José", "Ｊｏ", "李", "\U0001f600 Al", "Straße", "\U0010fffd")
LAST = ("Lovelace", "Love", "Jones", "Jo", "O'Neill-Smith", "Ÿ", "de la Cruz", LONG + "1", LONG + "2")
DOMAINS = ("engines.example", "Engines.example", "loom.example")
COMPANIES = (
    ("c1", "Analytical Engines"),
    ("c1", "Analytical Engines"),
    ("c2", "Loom & Co"),
    ("c3", "analytical  engines"),
)
TAGS = ("vip", "VIP", "Lead Gen", "ünïcode", "x" * 130, "x" * 131)
STATUSES = ("open", "open", "open", "Open", "won")
MOMENTS = (
    "2026-05-01T12:00:00Z", "2026-05-01T12:00:00Z", "2026-05-01T12:00:00.001Z", "2026-05-01T14:00:00+02:00",
    "2026-05-02T00:00:00.123456Z", "2026-05-02T00:00:00.123999Z", "2025-12-31T23:59:59Z", "0202-01-01T00:00:00Z",
    "2026-06-30T08:00:00Z", "2026-07-01T08:00:00Z",
)  # fmt: skip
SCORES = (1, 1, 1.0, True, "1", 2, 10.5, -3, False, "High", "high", "higher", ["a", "High"], "true")
PHONES = ("+1 555 0100", "+1-555-0100", "0049 30 1234", "1234", "ext.")


class StrictContacts(MemoryContacts):
    """As DynamoDB would: a part of a list that ends before it begins is refused."""

    def places(self, brand: str, spans: Sequence[Span], *, limit: int, descending: bool) -> list[list[str]]:
        assert all("" < span.low <= span.high for span in spans), spans
        return super().places(brand, spans, limit=limit, descending=descending)


@dataclass
class Crowd:
    """Contacts of one brand in several accounts, in the store, with all that surrounds them."""

    random: Random
    store: MemoryContacts

    @classmethod
    def of(cls, seed: int, size: int) -> "Crowd":
        """A crowd; the same for the same seed."""
        crowd = cls(Random(seed), StrictContacts(Journal()))
        for account, crm in CRMS.items():
            crowd.store.points[BRAND, account] = Checkpoint(BRAND, account, crm, 1, indexed=INDEXED[account])
            crowd.store.named[BRAND, account] = dict(OWNERS[account])
        crowd.keep([crowd.person(crowd.account(), f"r{number}") for number in range(size)])
        return crowd

    @property
    def keeper(self) -> Keeper:
        return Keeper(self.store, BRAND, NOW)

    @property
    def scope(self) -> Scope:
        """All accounts of the brand."""
        points = {each.account: each for each in self.store.checkpoints(BRAND)}
        return Scope(BRAND, points, self.store.owners(BRAND))

    @property
    def people(self) -> Mapping[str, Stored]:
        """Those that are there."""
        return self.store.all(BRAND)

    def keep(self, people: Sequence[Stored]) -> None:
        self.keeper.keep(people)

    def account(self) -> str:
        return self.random.choice(("acc-1", "acc-1", "acc-1", "acc-2", "acc-2", "acc-3"))

    def person(self, account: str, remote_id: str, **given: Any) -> Stored:
        """A contact as it comes from a CRM."""
        whose = Whose(BRAND, account, CRMS[account], INDEXED[account])
        return stored(whose, {**self.record(remote_id), **given})

    def record(self, remote_id: str) -> dict[str, Any]:
        """A record of a CRM; every field may be missing."""
        r = self.random
        first, last = r.choice((*FIRST, None)), r.choice((*LAST, None))
        address = {"city": r.choice(("Paris", "PARIS", "Köln")), "country": r.choice(("FR", None))}
        told: dict[str, Any] = {
            "first_name": first,
            "last_name": last,
            "name": r.choice((" ".join(filter(None, (first, last))) or None, last, None)),
            "title": r.choice(("CTO", "cto", "Head of Sales", "")),
            "emails": [
                {"email": f"{r.choice(('ada', 'Jo', 'alex.j'))}@{r.choice(DOMAINS)}"}
                for _ in range(r.choice((0, 1, 1, 2)))
            ],
            "phones": [{"number": r.choice(PHONES)} for _ in range(r.choice((0, 1, 2)))],
            "company": dict(zip(("id", "name"), r.choice(COMPANIES), strict=True)),
            "owner": {"id": r.choice(("o1", "o1", "o1", "o2", "o3", "o4")), "name": "as the CRM has it"},
            "tags": r.sample(TAGS, r.choice((0, 1, 1, 2, 3))),
            "lead_status": r.choice(STATUSES),
            "addresses": [address],
            "custom_fields": {name: r.choice(SCORES) for name in ("score", "tier", "plan") if r.random() < 0.7},
            "created_at": r.choice(MOMENTS),
            "updated_at": r.choice(MOMENTS),
            "last_activity_at": r.choice(MOMENTS),
        }
        lacking = [name for name in told if r.random() < 0.15]
        return {"id": remote_id, **{name: value for name, value in told.items() if name not in lacking}}

    def litter(self, count: int) -> None:
        """Places in lists that belong to nobody, or to somebody who stands elsewhere by now."""
        for _ in range(count):
            stray = self.person(self.account(), f"r{self.random.randrange(200)}")
            some = self.random.sample(stray.postings, min(4, len(stray.postings)))
            self.store.post(BRAND, [(posting, 0) for posting in some if posting not in self._standing(stray.id)])

    def _standing(self, id: str) -> Sequence[Any]:
        there = self.store.held.get((BRAND, id))
        return there.postings if there else ()

    def remove(self, share: float) -> None:
        """Let some be deleted."""
        self.keeper.remove([id for id in self.people if self.random.random() < share])

    def change(self, id: str) -> None:
        """Let one be changed at its CRM, whatever its moment of change says."""
        seen = self.store.held[BRAND, id]
        new = self.person(seen.account, seen.remote_id)
        body = {**new.body, "updated_at": seen.body.get("updated_at")} if "updated_at" in new.body else new.body
        self.keep([stored(Whose(BRAND, seen.account, seen.crm, INDEXED[seen.account]), {"id": seen.remote_id, **body})])


def unowned(person: Stored) -> Stored:
    """The same contact with no owner."""
    return replace(person, body={name: value for name, value in person.body.items() if name != "owner"})
