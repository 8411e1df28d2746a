"""Contacts of one brand, in five accounts, as many as are wanted.

They are spread as they are in life: whoever sells has a share of them, and so has a tag; of one company there are as
many however many companies there are; a few names are common, and every third is rare and begins as a common one does.
Shares are such that of a thousand there are two pages of whatever is asked for by shares: where there are fewer, a page
is cheap for want of contacts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from switchboard.ports import Checkpoint, Owner, Stored
from switchboard.search.keeping import Whose, stored
from tests.journal import Journal
from tests.store import MemoryContacts, packed
from tests.worlds import BRAND, START

NOW = datetime.fromtimestamp(START, UTC)
KNOWN = 1_000
"""So many of them are remembered: whom searches are for."""
COLLEAGUES = 8
"""So many of a company."""
RARE = 0.3
"""So many of all names."""
RECENT = 0.1
"""So many of all contacts changed since yesterday."""

CRMS = {
    "62f44730-dd91-461e-bd6a-aedd9e0ad791": "hubspot",
    "62f44730-dd91-461e-bd6a-aedd9e0ad792": "salesforce",
    "62f44730-dd91-461e-bd6a-aedd9e0ad793": "pipedrive",
    "62f44730-dd91-461e-bd6a-aedd9e0ad794": "zoho",
    "62f44730-dd91-461e-bd6a-aedd9e0ad795": "close",
}
ACCOUNTS = dict(zip(CRMS, (30, 25, 20, 15, 10), strict=True))
SELLERS = {"ada": 40, "grace": 30, "mary": 20, "hedy": 10}
TAGS = {"newsletter": 40, "vip": 30, "partner": 20, "fair": 10}
STATUSES = {"open": 40, "working": 30, "won": 20, "lost": 10}
FIRST = (
    "Maria", "Marie", "Mario", "John", "Anna", "James", "Linda", "Robert", "Laura", "David", "Emma", "Peter", "Sofia",
    "Paul", "Julia", "Thomas", "Elena", "Mark", "Alice", "Daniel", "Nina", "Simon", "Clara", "Victor",
)  # fmt: skip
LAST = (
    "Garcia", "Smith", "Müller", "Johnson", "Martin", "Brown", "Rossi", "Jones", "Silva", "Davis", "Novak", "Wilson",
    "Nguyen", "Moore", "Weber", "Taylor", "Fischer", "Thomas", "Larsen", "Jackson", "Moreau", "White", "Costa",
)  # fmt: skip
SYLLABLES = (
    "ba", "ber", "chi", "den", "do", "fel", "ga", "go", "hart", "ka", "lin", "lo", "man", "mar", "ni", "no", "quist",
    "ra", "ri", "ro", "sen", "ski", "ta", "ton", "va", "vi", "wen",
)  # fmt: skip
TRADES = ("Logistics", "Foods", "Systems", "Energy", "Partners", "Studios")


def ranked(names: Sequence[str]) -> dict[str, float]:
    """Names and how common each is: the second half as common as the first, the third a third."""
    return {name: 1 / rank for rank, name in enumerate(names, 1)}


class Drawn:
    """Values that are drawn by their shares."""

    def __init__(self, shares: Mapping[str, float]) -> None:
        self._names, self._sums = list(shares), list(accumulate(shares.values()))

    def __call__(self, random: Random) -> str:
        return random.choices(self._names, cum_weights=self._sums)[0]


account, seller, status = Drawn(ACCOUNTS), Drawn(SELLERS), Drawn(STATUSES)
first_name, last_name = Drawn(ranked(FIRST)), Drawn(ranked(LAST))


def when(moment: datetime) -> str:
    """A moment as CRMs tell it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def invented(random: Random, syllables: int = 3) -> str:
    """A word that few others have, or none."""
    return "".join(random.choices(SYLLABLES, k=syllables))


def record(random: Random, number: int, whose: str) -> dict[str, Any]:
    """A contact as its CRM tells of it."""
    first, last = first_name(random), last_name(random)
    if random.random() < RARE:
        last = last[:3] + invented(random, 4)
    company = number // COLLEAGUES
    name = invented(Random(company))
    made = NOW - timedelta(days=random.uniform(2, 1000))
    recent = random.random() < RECENT
    changed = NOW - timedelta(days=random.uniform(0, 0.9)) if recent else made + (NOW - made) * random.uniform(0, 0.4)
    return {
        "id": str(100_000_000 + number),
        "first_name": first,
        "last_name": last,
        "name": f"{first} {last}",
        "title": random.choice(("Head of Sales", "Engineer", "Buyer", "Director of Operations")),
        "emails": [{"email": f"{first}.{last}.{number % COLLEAGUES}@{name}{company}.com".lower(), "type": "work"}],
        "phones": [{"number": f"+1 555 {number:07d}", "type": "work"}],
        "company": {"id": str(company), "name": f"{name.title()} {TRADES[company % len(TRADES)]}"},
        "owner": {"id": f"{seller(random)}-{whose[-1]}"},
        "tags": [tag for tag, share in TAGS.items() if random.random() * 100 < share],
        "lead_status": status(random),
        "addresses": [{"street": f"{number % 200} Main Street", "city": random.choice(("Paris", "Köln", "Boston"))}],
        "description": " ".join(random.choices(SYLLABLES, k=random.randrange(60))),
        "custom_fields": {"tier": random.choice(("gold", "silver")), "score": number % 100, "region": "emea"},
        "created_at": when(made),
        "updated_at": when(changed),
        "last_activity_at": when(NOW - timedelta(days=random.uniform(0, 400))),
    }


@dataclass
class Crowd:
    """Contacts of one brand, and more and more of them."""

    random: Random = field(default_factory=lambda: Random(5))
    store: MemoryContacts = field(default_factory=lambda: MemoryContacts(Journal()))
    size: int = 0
    known: list[Stored] = field(default_factory=list[Stored])

    def __post_init__(self) -> None:
        for whose, crm in CRMS.items():
            self.store.points[BRAND, whose] = Checkpoint(BRAND, whose, crm, 1, indexed=("tier",))
            told = {f"{name}-{whose[-1]}": Owner(name.title(), f"{name}@us.example") for name in SELLERS}
            self.store.named[BRAND, whose] = told

    def grow(self, size: int) -> None:
        """Let there be so many. What syncs would post place by place is put into the lists at once, and sorted."""
        for number in range(self.size, size):
            each = self.person(number)
            self.store.held[BRAND, each.id], self.store.sizes[BRAND, each.id] = each, packed(each)
            for posting in each.postings:
                self.store.lists.setdefault((BRAND, posting.list), []).append(posting.at)
            if number < KNOWN:
                self.known.append(each)
        for held in self.store.lists.values():
            held.sort()
        self.size = size

    def person(self, number: int) -> Stored:
        """One as it is to be stored."""
        whose = account(self.random)
        return stored(of_account(whose), record(self.random, number, whose))


def of_account(whose: str) -> Whose:
    """Whose the contacts of an account are."""
    return Whose(BRAND, whose, CRMS[whose], ("tier",))
