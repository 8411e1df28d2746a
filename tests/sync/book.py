"""A CRM of contacts in memory, in the ways in which CRMs differ for a sync, and a world with one account in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from switchboard.aws.queue import LONGEST
from switchboard.crm import catalog, registry, wire
from switchboard.crm.catalog import Deletions, Resource
from switchboard.crm.codecs import moment, rfc3339, text
from switchboard.crm.dialect import Cursor, Gone, Stretch
from switchboard.crm.mapping import Table, row
from switchboard.crm.paging import second
from switchboard.crm.places import Named
from switchboard.crm.wire import Request, Response, Talk, dig, many, texts
from switchboard.models.contact import CONTACT
from switchboard.models.user import USER
from switchboard.ports import Checkpoint, Deadline, Stored
from switchboard.search.contact import contact_id
from switchboard.sync import running, scheduling
from switchboard.sync.planning import Message
from switchboard.sync.running import Means
from tests.journal import Journal
from tests.worlds import ACCOUNT, BRAND, START, AcmeDialect, MemoryCRM, World, vendor

REGISTERED = {name: registry.load(name) for name in registry.NAMES}
"""The CRMs that there are, of which a test may have the registry know nothing."""

MOST = 3
"""Records on a page."""
HOUR, DAY = 3600, 86400


class BookDialect(AcmeDialect):
    """Lists go on behind what was told last, so that what changes meanwhile is neither passed by nor met for ever."""

    lag = 30

    def page_request(
        self, resource: Resource, since: datetime | None, cursor: Cursor, limit: int, extra: Sequence[str] = ()
    ) -> Request:
        changed = {"since": second(since)} if since else {}
        return wire.get(resource.path, {**changed, **cursor, "limit": str(min(limit, MOST)), "with": ",".join(extra)})

    def page(
        self, resource: Resource, response: Response, since: datetime | None, cursor: Cursor, limit: int
    ) -> Stretch:
        following = dig(response.body, "next")
        return many(response.body, "found"), {"after": following} if following else None

    def removed(self, resource: Resource, body: Any) -> bool:
        return bool(dig(body, "removed"))

    def custom(self, resource: Resource) -> Talk[Sequence[str]]:
        found = yield from self.ask(wire.get("/columns"))
        return texts(found.body, "columns")

    def deleted(self, resource: Resource, *, since: datetime, cursor: Mapping[str, Any] | None = None) -> Talk[Gone]:
        found = yield from self.ask(wire.get("/deleted", {"since": second(since), **(cursor or {})}))
        following = dig(found.body, "next")
        return Gone(texts(found.body, "ids"), {"after": following} if following else None)


CONTACTS = Table(
    CONTACT,
    row("id", "id", text, read_only=True),
    row("name", "name", text),
    row("lead_status", "status", text),
    row("owner.id", "owner", text),
    row("custom_fields", Named(lambda name: name.startswith("c_"), "they begin with c_")),
    row("created_at", "created", moment, read_only=True),
    row("updated_at", "updated", moment, read_only=True),
)
USERS = Table(
    USER,
    row("id", "id", text, read_only=True),
    row("name", "name", text, read_only=True),
    row("email", "mail", text, read_only=True),
)


def book(name: str, deletions: Deletions, *, changes: bool = True) -> catalog.CRM:
    """A CRM in which it comes out like this what was deleted, and that tells what changed, or does not."""
    contacts = Resource(CONTACTS, "/contacts", asks_for_changes=changes, deletions=deletions)
    resources = {"contacts": contacts, "users": Resource(USERS, "/users")}
    return replace(vendor(name, BookDialect(), None), resources=resources, pods={})


BOOKS = {
    each.name: each
    for each in (
        book("listing", "listed"),
        book("sweeping", "swept"),
        book("telling", "told"),
        book("plain", "swept", changes=False),
    )
}


class Book(MemoryCRM):
    """The CRM behind the port `Send`. A clock of its own is not needed: what it tells lags by nothing."""

    def __init__(self, journal: Journal, world: "Syncs") -> None:
        super().__init__(journal, world.clock)
        self.users: dict[str, dict[str, str]] = {}
        self.columns: list[str] = []
        self.gone: list[tuple[str, str]] = []
        self.seconds = 0.0
        """So long it takes to answer."""
        self.deletions = 200
        """What the list of deletions answers."""
        self.forgotten: set[str] = set()
        """Contacts that are there and stand in no list."""
        self._told = world.crm_name == "telling"

    @property
    def moment(self) -> str:
        return rfc3339(datetime.fromtimestamp(int(self.clock.now()), UTC))

    def add(self, name: str, **more: Any) -> str:
        """Make a contact behind the API; answers its id."""
        id = str(len(self.records) + len(self.gone) + 1)
        self.records[id] = {"id": id, "name": name, "created": self.moment, "updated": self.moment, **more}
        return id

    def change(self, id: str, **more: Any) -> None:
        """Change a contact."""
        self.records[id] |= {"updated": self.moment, **more}

    def remove(self, id: str) -> None:
        """Delete a contact."""
        self.gone.append((self.moment, id))
        if self._told:
            self.change(id, removed=True)
        else:
            del self.records[id]

    def serve(self, request: Request) -> Response:
        if request.to == "token":
            return super().serve(request)
        self.clock.sleep(self.seconds)
        match request.path.split("/")[1:]:
            case ["contacts"]:
                return Response(200, {}, self._page(request.query))
            case ["contacts", id]:
                return self._one(self.records, id)
            case ["users", id]:
                return self._one(self.users, id)
            case ["columns"]:
                return Response(200, {}, {"columns": self.columns})
            case _ if self.deletions != 200:
                return Response(self.deletions, {}, {"message": "You may not see what was deleted."})
            case _:
                since, after = request.query["since"], int(request.query.get("after", 0))
                ids = [id for when, id in self.gone if when >= since]
                rest = len(ids) > after + MOST
                body = {"ids": ids[after : after + MOST], "next": str(after + MOST) if rest else None}
                return Response(200, {}, body)

    def _page(self, query: Mapping[str, str]) -> dict[str, Any]:
        changes = "since" in query

        def place(each: Mapping[str, Any]) -> str:
            return f"{each['updated'] if changes else ''}/{each['id']:>9}"

        found = sorted((each for each in self.records.values() if self._shown(each, query)), key=place)
        rest = [each for each in found if place(each) > query.get("after", "")]
        page = rest[: int(query["limit"])]
        return {"found": page, "next": place(page[-1]) if len(rest) > len(page) else None}

    def _shown(self, each: Mapping[str, Any], query: Mapping[str, str]) -> bool:
        if each["id"] in self.forgotten:
            return False
        return each["updated"] >= query["since"] if "since" in query else not each.get("removed")

    @staticmethod
    def _one(held: Mapping[str, Any], id: str) -> Response:
        return Response(200, {}, held[id]) if id in held else Response(404, {}, {"message": "No such record."})

    @property
    def asked(self) -> list[str]:
        """What was asked for, without what columns there are: paths, with where a list began."""
        lines = [(each.request.path, each.request.query.get("since", "")) for each in self.sent]
        return [f"{path} {since}".strip() for path, since in lines if path != "/columns"]


@dataclass
class MemoryQueue:
    """The port `Queue`: what waits, and from when on it is given out."""

    journal: Journal
    world: "Syncs"
    waiting: list[tuple[float, Mapping[str, Any]]] = field(default_factory=list[tuple[float, Mapping[str, Any]]])

    def send(self, messages: Sequence[Mapping[str, Any]], *, delay: int = 0) -> None:
        with self.journal.step("queue.send"):
            assert delay <= LONGEST, "SQS would deliver sooner than wanted"
            self.waiting += [(self.world.clock.now() + delay, each) for each in messages]


class Syncs(World):
    """A world with one account whose contacts are synced."""

    def __init__(self, crm: str = "listing", **account: Any) -> None:
        self.crm_name = crm
        super().__init__(crm, **account)
        self.crm = self.book = Book(self.journal, self)
        self.queue = MemoryQueue(self.journal, self)
        self.begin()

    def begin(self, **state: Any) -> None:
        """The checkpoint of an account that was just connected; or one that is further."""
        told: Any = {"version": 1, "due_at": START, **state}
        self.contacts.points[BRAND, ACCOUNT] = Checkpoint(BRAND, ACCOUNT, self.crm_name, **told)

    @property
    def point(self) -> Checkpoint:
        """The checkpoint."""
        return self.contacts.points[BRAND, ACCOUNT]

    def turn(self, seconds: float = 300, due_at: float | None = None) -> None:
        """One turn at the account, of at most so many seconds."""
        deadline = Deadline(self.clock.now() + seconds, self.clock)
        means = Means(self.services, self.tokens, self.contacts, self.queue)
        running.run(Message(BRAND, ACCOUNT, due_at), means, deadline)

    def plan(self) -> int:
        """A run of the planner."""
        return scheduling.schedule(self.services, self.queue)

    def deliver(self, seconds: float = 300) -> int:
        """Turns for all that waits, and for what comes of them; how many. Time passes until it is given out."""
        turns = 0
        while self.queue.waiting:
            self.queue.waiting.sort(key=lambda each: each[0])
            ready, message = self.queue.waiting.pop(0)
            assert message == Message(BRAND, ACCOUNT, message.get("due_at")).body
            self.clock.at = max(self.clock.at, ready)
            self.turn(seconds, message.get("due_at"))
            turns += 1
            assert turns < 100, "the sync comes to no end"
        return turns

    def look(self, after: float = 0) -> None:
        """What happens when the account is due: the planner, and the turns that follow."""
        self.clock.pass_(after)
        self.clock.at = max(self.clock.at, self.point.due_at)
        assert self.plan() == 1
        self.deliver()

    def stored(self, id: str) -> Stored | None:
        """The contact of that id at the CRM, as it is kept."""
        return self.contacts.all(BRAND).get(contact_id(BRAND, ACCOUNT, id))

    @property
    def names(self) -> list[str]:
        """Names of all contacts that are kept."""
        return sorted(str(each.body["name"]) for each in self.contacts.all(BRAND).values())

    @property
    def truth(self) -> list[str]:
        """Names of all contacts at the CRM."""
        return sorted(each["name"] for each in self.book.records.values() if not each.get("removed"))


def peopled(crm: str = "listing", count: int = 8) -> Syncs:
    """A world with so many contacts, made a minute apart a day ago."""
    made = Syncs(crm)
    made.clock.pass_(-DAY)
    for number in range(count):
        made.book.add(f"Contact {number}")
        made.clock.pass_(60)
    made.clock.at = START
    return made
