"""A circuit: one account in a fake CRM, our sync over it, and a store in memory. No sockets, and a clock that is held.

What may go wrong between any two steps is thrown in by whoever turns the crank: the process dies, messages come twice
or late or in another order, the CRM is busy, its searches lag behind.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import urlencode

from switchboard.crm import registry
from switchboard.crm.catalog import Resource
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.wire import Request, Response
from switchboard.ports import Account, Checkpoint, Deadline, Services
from switchboard.search.contact import kept, linked
from switchboard.sender import _read
from switchboard.sync import running, scheduling
from switchboard.sync.planning import Message
from switchboard.sync.running import Means
from switchboard.talks.line import Line
from tests.journal import CrashError
from tests.local import samples
from tests.local.samples import Body, Person
from tests.sandbox import exchange, vendors
from tests.sandbox.fake import Fake
from tests.worlds import BRAND, START, HeldClock, World

SAMPLES = samples.load()
FIRST = ("Ada", "Grace", "Mary", "Katherine", "Annie", "Hedy", "Radia", "Barbara")
LAST = ("Lovelace", "Hopper", "Somerville", "Johnson", "Easley", "Lamarr", "Perlman", "Liskov")
TURN_SECONDS = 200
"""What a function of five minutes may use, less a good part."""


class InProcess:
    """A sender that hands requests to a fake, and may be told to go wrong."""

    def __init__(self, fake: Fake, clock: HeldClock) -> None:
        self.fake, self.clock = fake, clock
        self.sent: list[Request] = []
        self.busy = 0
        """So many calls from now on meet a CRM that is busy."""
        self.broken = 0
        """So many calls from now on get no answer."""
        self.meanwhile: Callable[[], None] = lambda: None
        """What others do at the CRM while we ask it."""

    def __call__(self, request: Request, origin: str, deadline: Deadline) -> Response:
        self.sent.append(request)
        self.clock.pass_(0.05)
        self.meanwhile()
        if self.busy:
            self.busy -= 1
            return Response(429, {"retry-after": "7"}, {"message": "slow down"})
        if self.broken:
            self.broken -= 1
            raise Problem(Kind.CRM_UNAVAILABLE, "The CRM dropped the connection.")
        delivery = self.fake.receive(self._arrived(request))
        if delivery.answer is None:
            raise Problem(Kind.CRM_UNAVAILABLE, "The CRM dropped the connection.")
        answer = delivery.answer
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return _read(answer.status, headers, answer.payload())

    @staticmethod
    def _arrived(request: Request) -> exchange.Request:
        query = urlencode([*request.query.items(), *request.passed])
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = b""
        if request.json is not None:
            body = json.dumps(request.json).encode()
            headers.setdefault("content-type", "application/json")
        elif request.form is not None:
            body = urlencode(request.form).encode()
            headers.setdefault("content-type", "application/x-www-form-urlencoded")
        headers = {"accept": "application/json", "user-agent": "switchboard", **headers}
        target = request.path + (f"?{query}" if query else "")
        return exchange.Request(request.method, target, headers, body)


@dataclass
class MemoryQueue:
    """Messages, each with the moment from which on it is seen."""

    clock: HeldClock
    waiting: list[tuple[float, dict[str, Any]]] = field(default_factory=list[tuple[float, dict[str, Any]]])

    def send(self, messages: Sequence[Mapping[str, Any]], *, delay: int = 0) -> None:
        self.waiting += [(self.clock.now() + delay, dict(each)) for each in messages]

    def take(self, random: Random) -> dict[str, Any] | None:
        """Any of those that are seen: a queue keeps no order."""
        seen = [each for each in self.waiting if each[0] <= self.clock.now()]
        if not seen:
            return None
        found = random.choice(seen)
        self.waiting.remove(found)
        return found[1]


class Circuit:
    """One CRM."""

    def __init__(self, crm: str, *, random: Random | None = None, **settings: Any) -> None:
        self.random = random or Random(0)
        self.world = World()
        self.clock = self.world.clock
        self.crm = registry.load(crm)
        found = self.crm.resources["contacts"]
        assert isinstance(found, Resource)
        self.resource = found
        self.sample = SAMPLES[crm]
        self.fake = vendors.load(crm)
        self.fake.__init__(self.clock.now)
        self.fake.settings |= settings
        granted = self.fake.control.perform("POST", "grants", {"kind": self.sample.kind})
        assert granted.answer is not None
        grant: Any = granted.answer.body
        self.send = InProcess(self.fake, self.clock)
        self.account = self._connected(crm, grant)
        self.queue = MemoryQueue(self.clock)
        self.store = self.world.contacts
        self.store.points[BRAND, self.account.id] = Checkpoint(BRAND, self.account.id, crm, version=1)
        self.ids: list[str] = []
        self.made = 0
        self.told = self._story()

    def _connected(self, crm: str, grant: Body) -> Account:
        credentials = self.sample.credentials(grant)
        scheme = next(name for name, each in self.crm.auth.items() if set(each.fields) <= credentials.keys())
        account = Account(
            BRAND, f"account-{crm}", crm, scheme, origin=self.sample.origin, settings=self.sample.settings(grant)
        )
        self.world.access.accounts[BRAND, account.id] = account
        self.world.secrets.accounts[BRAND, account.id] = credentials
        if "client_id" in grant:
            self.world.secrets.apps[crm] = {name: grant[name] for name in ("client_id", "client_secret")}
        return account

    def reconnect(self) -> None:
        """The operator gives the account new credentials: who dies between a token's renewal and its storing has lost
        the account, where the CRM knows the old one no more."""
        granted = self.fake.control.perform("POST", "grants", {"kind": self.sample.kind})
        assert granted.answer is not None
        self.account = self._connected(self.crm.name, granted.answer.body)
        self.world.new_process()

    @property
    def services(self) -> Services:
        return replace(self.world.services, send=self.send, origins={self.crm.name: "http://crm.example"})

    # --- at the CRM --------------------------------------------------------------------------------------------------

    def plant(self, noun: str, **fields: Any) -> str:
        return str(self.fake.plant(self.fake.noun(noun), fields))

    def _story(self) -> Mapping[str, str]:
        told = self.sample.story(self.plant)
        self.ids.append(told["contacts"])
        return told

    def add(self, made: datetime | None = None) -> str:
        """Somebody is added at the CRM."""
        self.made += 1
        one = Person(
            first=self.random.choice(FIRST),
            last=self.random.choice(LAST),
            title=self.random.choice(("Programmer", "Engineer")),
            email=f"person{self.made}@engines{self.made % 5}.example",
            phone=f"+44207946{self.made:04d}",
            owner=self.told["users"],
            company=self.told.get("companies", ""),
            made=made or datetime.fromtimestamp(self.clock.now(), UTC),
        )
        id = self.plant("contacts", **self.sample.person(one))
        self.ids.append(id)
        return id

    def change(self, id: str) -> None:
        """A colleague gives somebody another name."""
        fields = self.sample.rename(
            self.random.choice(FIRST), f"{self.random.choice(LAST)}-{self.random.randrange(100)}"
        )
        self.fake.alter(self.fake.noun("contacts"), id, fields)

    def remove(self, id: str) -> None:
        """A colleague deletes somebody."""
        self.fake.erase(self.fake.noun("contacts"), id)
        self.ids.remove(id)

    def something(self) -> None:
        """Anything that people do at a CRM."""
        match self.random.choice(("add", "add", "change", "change", "change", "remove")):
            case "add":
                self.add()
            case "change" if self.ids:
                self.change(self.random.choice(self.ids))
            case "remove" if len(self.ids) > 3:
                self.remove(self.random.choice(self.ids))
            case _:
                pass

    def truth(self) -> dict[str, dict[str, Any]]:
        """What the CRM holds, read one by one by their ids: the judge of all syncs."""
        line = Line(self.services, self.world.tokens, self.crm, self.account, self.deadline)
        custom = line.hold(self.crm.dialect.custom(self.resource))
        found: dict[str, dict[str, Any]] = {}
        for id in self.ids:
            line.deadline = self.deadline
            item = line.hold(self.crm.dialect.get(self.resource, id, custom)).item
            found[id] = kept(linked(item, self.resource, line.origin))
        return found

    def held(self) -> dict[str, dict[str, Any]]:
        """What the store holds, in the same form."""
        return {each.remote_id: {**each.body} for each in self.store.all(BRAND).values()}

    # --- ours --------------------------------------------------------------------------------------------------------

    @property
    def deadline(self) -> Deadline:
        return Deadline(self.clock.now() + TURN_SECONDS, self.clock)

    def plan(self) -> None:
        """What the schedule does."""
        try:
            scheduling.schedule(self.services, self.queue)
        except CrashError:
            self.world.journal.revive()

    def turn(self) -> bool:
        """What the queue does, once; whether there was anything to do."""
        message = self.queue.take(self.random)
        if message is None:
            return False
        means = Means(self.services, self.world.tokens, self.store, self.queue)
        try:
            running.run(Message(message["brand"], message["account"], message.get("due_at")), means, self.deadline)
        except CrashError:
            self.world.journal.revive()
            self.world.new_process()
            # The queue shows it again, and may do so before the lease of who died has run out.
            self.queue.waiting.append((self.clock.now() + self.random.choice((1, 400)), message))
        return True

    def sync(self, hours: float = 0) -> None:
        """Let that time pass and everything run until nothing is left to do."""
        end = self.clock.now() + hours * 3600
        while True:
            self.plan()
            while self.turn():
                pass
            upcoming = [when for when, _ in self.queue.waiting if when > self.clock.now()]
            if upcoming:
                self.clock.pass_(min(upcoming) - self.clock.now())
            elif self.clock.now() < end:
                self.clock.pass_(300)
            else:
                return

    @property
    def point(self) -> Checkpoint:
        return self.store.points[BRAND, self.account.id]


def ago(**span: float) -> datetime:
    """A moment before the worlds begin."""
    return datetime.fromtimestamp(START, UTC) - timedelta(**span)
