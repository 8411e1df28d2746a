"""Worlds in memory: the ports answered by plain objects, CRMs that do as they are told, and a clock that a test holds.

Nothing here is a mock: each port keeps the promise that `switchboard.ports` makes, and writes its name in a journal.
The journal can let the process die before or after any of these calls; what is dead stays so until it is revived.
"""

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from switchboard.api import keys
from switchboard.api.call import Call
from switchboard.api.reading import Read
from switchboard.api.reply import Reply, refusal
from switchboard.api.walk import Create
from switchboard.crm import catalog, registry, wire
from switchboard.crm.auth import Credentials, Header, OAuth2
from switchboard.crm.catalog import Host, Resource, Unsupported
from switchboard.crm.codecs import moment, rfc3339, text
from switchboard.crm.complaint import Complaint, sentence
from switchboard.crm.dialect import Dialect, Draft, Rate
from switchboard.crm.mapping import Table, row
from switchboard.crm.paging import Offset, Since, Whole
from switchboard.crm.places import Named, Slots
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.wire import Request, Response, Talk, dig, many
from switchboard.models.lead import LEAD
from switchboard.models.schema import Verb
from switchboard.ports import (
    Account,
    Admission,
    Brand,
    Claim,
    Deadline,
    Exhausted,
    KeyRefusal,
    Page,
    Pod,
    Services,
    Template,
    User,
)
from switchboard.talks.tokens import Tokens
from tests.journal import Journal
from tests.store import MemoryContacts

START = 1_795_253_400.0
"""Saturday, 21 November 2026, 09:30 UTC."""
SECONDS = 27.5
"""What a function of 29 seconds may use."""
TRACE = "0123456789abcdef"
BRAND = "acme01"
ACCOUNT = "62f44730-dd91-461e-bd6a-aedd9e0ad79d"


# --- the journal, and death ------------------------------------------------------------------------------------------


class HeldClock:
    """Time that passes only when a test or a sleeper lets it."""

    def __init__(self, start: float = START) -> None:
        self.at = start
        self.slept: list[float] = []

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds

    def pass_(self, seconds: float) -> None:
        self.at += seconds


@dataclass
class KeyRecord:
    """What is kept of an API key."""

    brand: str
    owner: str
    role: str
    scopes: frozenset[str]
    limit: int
    revoked: bool = False
    last_used: int = 0
    hits: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])


class MemoryAccess:
    """The port `Access`."""

    def __init__(self, journal: Journal) -> None:
        self.keys: dict[tuple[str, str], KeyRecord] = {}
        self.accounts: dict[tuple[str, str], Account] = {}
        self.marks: list[dict[str, str | int]] = []
        self.brands: set[str] = {BRAND}
        self.users: list[tuple[str, User]] = [(BRAND, User("user-1", "charles@example.com", "admin"))]
        self._step = journal.step

    def admit(
        self, brand: str, digest: str, group: str, *, window: int, now: int
    ) -> Admission | Exhausted | KeyRefusal:
        with self._step("access.admit"):
            found = self.keys.get((brand, digest))
            if found is None or found.revoked:
                return KeyRefusal.UNKNOWN
            slot = (group, now // window)
            if found.hits.get(slot, 0) >= found.limit:
                return Exhausted(found.limit)
            found.hits[slot] = found.hits.get(slot, 0) + 1
            found.last_used = now
            return Admission(
                brand, digest[:16], found.owner, found.role, found.scopes, found.limit, found.hits[slot]
            )  # fmt: skip

    def account(self, brand: str, id: str) -> Account | None:
        with self._step("access.account"):
            return self.accounts.get((brand, id))

    def brand(self, brand: str) -> Brand:
        with self._step("access.brand"):
            found = [each for (whose, _), each in self.accounts.items() if whose == brand]
            return Brand(brand in self.brands, tuple(sorted(found, key=lambda each: (each.created_at, each.id))))

    def user(self, brand: str, *, id: str = "", email: str = "") -> User | None:
        with self._step("access.user"):
            wanted = email.strip().casefold()
            found = (user for whose, user in self.users if whose == brand)
            return next((user for user in found if (user.id == id if id else user.email == wanted)), None)

    def mark(self, account: Account, **changes: str | int) -> None:
        with self._step("access.mark"):
            self.marks.append(changes)
            known: Any = {name: value for name, value in changes.items() if hasattr(account, name)}
            stored = self.accounts[account.brand, account.id]
            self.accounts[account.brand, account.id] = replace(stored, **known)

    def may_retry(self, account: Account, *, now: int, every: int) -> bool:
        with self._step("access.may_retry"):
            stored = self.accounts[account.brand, account.id]
            if stored.retried_at > now - every:
                return False
            self.accounts[account.brand, account.id] = replace(stored, retried_at=now)
            return True


class MemoryPods:
    """The ports `Templates` and `Pods`."""

    def __init__(self, journal: Journal) -> None:
        self.kept: dict[tuple[str, str], Template] = {}
        self.pods: dict[tuple[str, str], Pod] = {}
        self.pages: dict[str, Page] = {}
        self._step = journal.step

    def template(self, brand: str, id: str) -> Template | None:
        with self._step("templates.template"):
            return self.kept.get((brand, id))

    def templates(self, brand: str) -> list[Template]:
        with self._step("templates.templates"):
            return [each for (whose, _), each in self.kept.items() if whose == brand]

    def put_template(self, template: Template, *, seen: int | None) -> bool:
        with self._step("templates.put_template"):
            return self._stored(self.kept, template, seen)

    def delete_template(self, brand: str, id: str) -> bool:
        with self._step("templates.delete_template"):
            return self.kept.pop((brand, id), None) is not None

    def pod(self, brand: str, id: str) -> Pod | None:
        with self._step("pods.pod"):
            return self.pods.get((brand, id))

    def save(self, pod: Pod, page: Page, *, seen: int | None) -> bool:
        with self._step("pods.save"):
            if not self._stored(self.pods, pod, seen):
                return False
            self.pages[pod.id] = page
            return True

    def delete(self, brand: str, id: str) -> bool:
        with self._step("pods.delete"):
            if self.pods.pop((brand, id), None) is None:
                return False
            del self.pages[id]
            return True

    def search(
        self, brand: str, where: Mapping[str, str], *, before: str | None, limit: int
    ) -> tuple[list[Pod], str | None]:
        names = {"crm_type": "crm", "crm_object": "object", "template_id": "template", "owner_email": "owner"}
        with self._step("pods.search"):
            found = sorted((pod for (whose, _), pod in self.pods.items() if whose == brand), key=lambda pod: pod.id)
            found = [pod for pod in reversed(found) if before is None or pod.id < before]
            told = [
                pod
                for pod in found
                if all(getattr(pod, names.get(name, name)) == value for name, value in where.items())
            ]
            return told[:limit], told[limit - 1].id if len(told) > limit else None

    def page(self, id: str) -> Page | None:
        with self._step("pods.page"):
            return self.pages.get(id)

    @staticmethod
    def _stored[T: (Template, Pod)](held: dict[tuple[str, str], T], new: T, seen: int | None) -> bool:
        old = held.get((new.brand, new.id))
        if (old.version if old else None) != seen:
            return False
        held[new.brand, new.id] = new
        return True


class MemoryClaims:
    """The port `Claims`. The condition of each write is that of the table."""

    def __init__(self, journal: Journal, clock: HeldClock) -> None:
        self.records: dict[str, tuple[Claim, int]] = {}
        self._step = journal.step
        self._clock = clock

    def claim(self, claim: Claim, *, expires: int) -> Claim | None:
        with self._step("claims.claim"):
            found = self.records.get(claim.key)
            if found and found[1] >= int(claim.claimed_at):
                return found[0]
            self.records[claim.key] = (claim, expires)
            return None

    def take_over(self, claim: Claim, *, seen: Claim, expires: int) -> bool:
        with self._step("claims.take_over"):
            return self._put(claim, (seen.state, seen.lease_until, seen.attempt), expires)

    def settle(self, claim: Claim, *, expires: int) -> None:
        with self._step("claims.settle"):
            self._put(claim, ("claimed", claim.lease_until, claim.attempt), expires)

    def release(self, claim: Claim) -> None:
        with self._step("claims.release"):
            if self._stands(claim.key, ("claimed", claim.lease_until, claim.attempt)):
                del self.records[claim.key]

    def read(self, key: str, *, now: int) -> Claim | None:
        with self._step("claims.read"):
            found = self.records.get(key)
            return found[0] if found and found[1] >= now else None

    @property
    def only(self) -> Claim:
        """The one record there is."""
        [(claim, _)] = self.records.values()
        return claim

    def _stands(self, key: str, seen: tuple[str, float, int]) -> bool:
        found = self.records.get(key)
        return found is not None and (found[0].state, found[0].lease_until, found[0].attempt) == seen

    def _put(self, claim: Claim, seen: tuple[str, float, int], expires: int) -> bool:
        stands = self._stands(claim.key, seen)
        if stands:
            self.records[claim.key] = (claim, expires)
        return stands


class MemoryLeases:
    """The port `Leases`."""

    def __init__(self, journal: Journal) -> None:
        self.held: dict[tuple[str, str], tuple[str, float]] = {}
        self._step = journal.step
        self._lock = threading.Lock()

    def acquire(self, brand: str, name: str, holder: str, *, now: float, seconds: int) -> bool:
        with self._step("leases.acquire"), self._lock:
            held = self.held.get((brand, name))
            if held and held[1] >= now:
                return False
            self.held[brand, name] = (holder, now + seconds)
            return True

    def release(self, brand: str, name: str, holder: str) -> None:
        with self._step("leases.release"), self._lock:
            if self.held.get((brand, name), ("", 0))[0] == holder:
                del self.held[brand, name]


class MemorySecrets:
    """The port `Secrets`."""

    def __init__(self, journal: Journal) -> None:
        self.accounts: dict[tuple[str, str], Credentials] = {}
        self.apps: dict[str, Credentials] = {}
        self._step = journal.step

    def account(self, brand: str, id: str) -> Credentials:
        with self._step("secrets.account"):
            if (brand, id) not in self.accounts:
                raise Problem(Kind.NEEDS_REAUTH, "The credentials of this account are missing.")
            return self.accounts[brand, id]

    def keep(self, brand: str, id: str, credentials: Credentials) -> None:
        with self._step("secrets.keep"):
            self.accounts[brand, id] = dict(credentials)

    def app(self, crm: str) -> Credentials:
        with self._step("secrets.app"):
            return self.apps[crm]

    def signing(self) -> bytes:
        with self._step("secrets.signing"):
            return b"a key that signs cursors"


class MemoryLog:
    """The port `Log`."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def info(self, msg: str, **kwargs: Any) -> None:
        self.lines.append((msg, kwargs))

    def exception(self, msg: str, **kwargs: Any) -> None:
        self.lines.append((msg, kwargs))


# --- CRMs ------------------------------------------------------------------------------------------------------------


class AcmeDialect(Dialect):
    """As plain as they come: `/leads`, bare objects, and a list that does not lag."""

    codes = {"quota": Kind.CRM_RATE_LIMITED, "dead_token": Kind.NEEDS_REAUTH}  # noqa: RUF012
    forwarded = ("x-acme-",)

    def complaint(self, response: Response) -> Complaint | None:
        if response.ok:
            return None
        code, wait = dig(response.body, "code"), dig(response.body, "wait")
        return Complaint(
            code=code if isinstance(code, str) else None,
            message=sentence(response.body),
            fields=tuple(each["field"] for each in many(response.body, "fields")),
            existing_id=dig(response.body, "existing"),
            retry_after=wait if isinstance(wait, int) else None,
            missing_scopes=tuple(dig(response.body, "scopes") or ()),
        )

    def rate(self, response: Response) -> Rate | None:
        told = [response.headers.get(f"x-acme-{name}", "") for name in ("limit", "remaining", "reset")]
        return Rate(*(int(each) for each in told)) if all(each.isdecimal() for each in told) else None

    def candidates(self, resource: Resource, draft: Draft, since: datetime) -> Talk[list[Any]]:
        found = yield from self.ask(wire.get(resource.path))
        return many(found.body, "leads")


class BriefDialect(AcmeDialect):
    """A create answers the id and nothing else."""

    def answers_whole(self, resource: Resource, response: Response) -> bool:
        return False


class MuteDialect(AcmeDialect):
    """There is no way to ask whether a record arrived."""

    def candidates(self, resource: Resource, draft: Draft, since: datetime) -> Talk[list[Any]]:
        yield from ()
        raise Problem(Kind.OUTCOME_UNKNOWN, "This CRM offers no way to ask whether the record arrived.")


TABLE = Table(
    LEAD,
    row("id", "id", text, read_only=True),
    row("title", "title", text, required=True, key=True),
    row("owner.id", "owner_id", text),
    row("first_name", "first", text),
    row("email_addresses", Slots("email", {"primary": "email", "work": "work_email"})),
    row("custom_fields", Named(lambda name: name.startswith("c_"), "they begin with c_")),
    row("created_at", "created", moment, read_only=True),
    row("updated_at", "updated", moment, read_only=True),
)
LINKED_TABLE = Table(
    LEAD,
    *TABLE.rows,
    row("contact.id", "contact_id", text, key=True),
    row("account.id", "account_id", text, key=True),
)
PATH = "/v9/leads"
LIST = Offset("leads", start="start", most=50, since=Since("since", at="updated"))
OAUTH = OAuth2("/oauth/token")


def vendor(name: str, dialect: Dialect, leads: Resource | Unsupported | None, *, own_host: bool = False) -> catalog.CRM:
    """A CRM of a test; `own_host` gives each account a host of its own, below `<name>.example`."""
    api = Host(None if own_host else f"https://api.{name}.example", (f"{name}.example",))
    return catalog.CRM(
        name=name,
        title=name.capitalize(),
        docs=f"https://docs.{name}.example",
        hosts={"api": api, "token": Host(f"https://login.{name}.example")},
        auth={"oauth2": OAUTH, "api_key": Header()},
        dialect=dialect,
        pace=catalog.Pace(1000, 1),
        resources={"leads": leads} if leads else {},
    )


READ_ONLY = Unsupported("Its leads come from its own forms.", "https://docs.deaf.example/leads")

CRMS = {
    crm.name: crm
    for crm in (
        vendor("acme", AcmeDialect(), Resource(TABLE, PATH, paging=LIST)),
        vendor("brief", BriefDialect(), Resource(TABLE, PATH, link="/show/{id}", paging=Whole("leads")), own_host=True),
        vendor("closed", AcmeDialect(), Unsupported("It keeps leads to itself.", "https://docs.closed.example/leads")),
        vendor("deaf", AcmeDialect(), Resource(TABLE, PATH, lacks={"create": READ_ONLY, "delete": READ_ONLY})),
        vendor("early", AcmeDialect(), None),
        vendor("linked", AcmeDialect(), Resource(LINKED_TABLE, PATH, any_of=(("contact.id", "account.id"),))),
        vendor("mute", MuteDialect(), Resource(TABLE, PATH)),
    )
}


def install(patch: pytest.MonkeyPatch) -> None:
    """Let the registry know these CRMs and no others."""
    patch.setattr(registry, "NAMES", tuple(sorted(CRMS)))
    patch.setattr(registry, "load", CRMS.__getitem__)


@dataclass(frozen=True)
class Sent:
    """A request as it left us."""

    request: Request
    origin: str

    @property
    def line(self) -> str:
        return f"{self.request.method} {self.request.path}"

    @property
    def bearer(self) -> str:
        """The credential in its header."""
        return self.request.headers.get("authorization", "").removeprefix("Bearer ")


type Turn = Callable[["MemoryCRM", Request], Response]


class MemoryCRM:
    """The port `Send`, with a CRM behind it: it keeps leads, and takes the turns it was given before it behaves."""

    def __init__(self, journal: Journal, clock: HeldClock) -> None:
        self.records: dict[str, dict[str, Any]] = {}
        self.sent: list[Sent] = []
        self.turns: deque[Turn] = deque()
        self.token_turns: deque[Turn] = deque()
        self.accepted: set[str] | None = None
        """The tokens that it takes; None is any."""
        self.clock_behind = 0.0
        self._late: list[tuple[float, Request]] = []
        self._numbers = count(1)
        self._step = journal.step
        self.clock = clock

    def __call__(self, request: Request, origin: str, deadline: Deadline) -> Response:
        with self._step(f"send {request.method} {request.path}"):
            self.arrive()
            sent = Sent(request, origin)
            self.sent.append(sent)
            turns = self.token_turns if request.to == "token" else self.turns
            if request.to == "api" and self.accepted is not None and sent.bearer not in self.accepted:
                return Response(401, {}, {"message": "Who are you?"})
            return turns.popleft()(self, request) if turns else self.serve(request)

    def serve(self, request: Request) -> Response:
        """Behave."""
        if request.to == "token":
            token = f"fresh-{next(self._numbers)}"
            if self.accepted is not None:
                self.accepted.add(token)
            return Response(200, {}, {"access_token": token, "expires_in": 1800})
        if request.method == "POST":
            return Response(201, {}, self.store(request.json))
        if request.path == PATH:
            return Response(200, {}, {"leads": self.page(request.query)})
        id = request.path.rpartition("/")[2]
        found = self.records.pop(id, None) if request.method == "DELETE" else self.records.get(id)
        return Response(200, {}, found) if found else Response(404, {}, {"message": "No such lead."})

    def page(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """The records that a list answers, oldest change first."""
        found = sorted(self.records.values(), key=lambda each: (each["updated"], int(each["id"])))
        found = [each for each in found if each["updated"] >= query.get("since", "")]
        start = int(query.get("start", 0))
        return found[start : start + int(query.get("limit", 10**6))]

    def store(self, body: Any) -> dict[str, Any]:
        """Make a record."""
        id = str(next(self._numbers))
        when = rfc3339(datetime.fromtimestamp(int(self.clock.now() - self.clock_behind), UTC))
        self.records[id] = {**body, "id": id, "created": when, "updated": when}
        return self.records[id]

    def store_later(self, request: Request, seconds: float) -> None:
        """Be still at work on a request whose caller has given up."""
        self._late.append((self.clock.now() + seconds, request))

    def arrive(self) -> None:
        """Finish what was still at work."""
        due = [each for each in self._late if each[0] <= self.clock.now()]
        self._late = [each for each in self._late if each not in due]
        for _, request in due:
            self.store(request.json)

    def titled(self, title: str) -> list[dict[str, Any]]:
        """The records of that title."""
        self.arrive()
        return [each for each in self.records.values() if each.get("title") == title]

    def promised(self, title: str) -> int:
        """How many records of that title there are, or will be when all work is finished."""
        there = self.titled(title)
        return len(there) + sum(1 for _, request in self._late if dig(request.json, "title") == title)

    @property
    def lines(self) -> list[str]:
        """What was sent, as methods and paths."""
        return [each.line for each in self.sent]


def answers(status: int, body: Any = None, headers: Mapping[str, str] | None = None, *, readable: bool = True) -> Turn:
    """A turn: answer this, and do nothing."""
    return lambda _, __: Response(status, headers or {}, body, readable=readable)


def serves(headers: Mapping[str, str] | None = None) -> Turn:
    """A turn: behave, with these headers."""
    return lambda crm, request: replace(crm.serve(request), headers=headers or {})


def refuses_connection() -> Turn:
    """A turn: nobody listens."""

    def turn(_: MemoryCRM, __: Request) -> Response:
        raise Problem(Kind.CRM_UNAVAILABLE, "The CRM could not be reached.")

    return turn


def drops(*, stored: bool) -> Turn:
    """A turn: the connection breaks before the answer, with or without the work done."""

    def turn(crm: MemoryCRM, request: Request) -> Response:
        if stored and not request.safe:
            crm.serve(request)
        raise Problem(Kind.CRM_UNAVAILABLE, "The CRM dropped the connection.", outcome=_outcome(request))

    return turn


def times_out(*, stored: bool = False, after: float = 20, late: float | None = None) -> Turn:
    """A turn: no answer for so many seconds. The record is stored at once, or some seconds later, or never."""

    def turn(crm: MemoryCRM, request: Request) -> Response:
        if stored and not request.safe:
            crm.serve(request)
        crm.clock.sleep(after)
        if late is not None and not request.safe:
            crm.store_later(request, late)
        raise Problem(Kind.CRM_TIMEOUT, "The CRM did not answer in time.", outcome=_outcome(request))

    return turn


def _outcome(request: Request) -> Outcome:
    return Outcome.NOTHING if request.safe else Outcome.UNKNOWN


# --- a world ---------------------------------------------------------------------------------------------------------


class World:
    """One brand with one key and one account, and everything that can be put beside them."""

    def __init__(self, crm: str = "acme", **account: Any) -> None:
        self.journal = Journal()
        self.clock = HeldClock()
        self.access = MemoryAccess(self.journal)
        self.claims = MemoryClaims(self.journal, self.clock)
        self.pods = MemoryPods(self.journal)
        self.contacts = MemoryContacts(self.journal)
        self.leases = MemoryLeases(self.journal)
        self.secrets = MemorySecrets(self.journal)
        self.crm = MemoryCRM(self.journal, self.clock)
        self.log = MemoryLog()
        self.origins: dict[str, str] = {}
        self._words = count(1)
        self.seconds = SECONDS
        self.tokens = self.new_process()
        self.key = self.issue()
        self.account = self.connect(crm, **account)

    @property
    def services(self) -> Services:
        return Services(
            access=self.access,
            claims=self.claims,
            templates=self.pods,
            pods=self.pods,
            contacts=self.contacts,
            checkpoints=self.contacts,
            leases=self.leases,
            secrets=self.secrets,
            send=self.crm,
            clock=self.clock,
            log=self.log,
            origins=self.origins,
            word=self.word,
        )

    def word(self) -> str:
        return f"{next(self._words):016x}"

    def new_process(self) -> Tokens:
        """What a process knows of credentials when it starts: nothing."""
        self.tokens = Tokens(self.secrets, self.leases, self.clock, self.word)
        return self.tokens

    @property
    def deadline(self) -> Deadline:
        return Deadline(self.clock.now() + self.seconds, self.clock)

    def issue(
        self,
        scopes: Sequence[str] = ("lead.all",),
        role: str = "admin",
        *,
        brand: str = BRAND,
        owner: str = "user-1",
        limit: int = keys.LIMIT,
    ) -> str:
        """An API key."""
        key = keys.issue(brand)
        self.access.keys[brand, keys.digest(key)] = KeyRecord(brand, owner, role, frozenset(scopes), limit)
        return key

    def record(self, key: str) -> KeyRecord:
        """What is kept of a key."""
        return next(each for (_, digest), each in self.access.keys.items() if digest == keys.digest(key))

    def connect(
        self,
        crm: str = "acme",
        id: str = ACCOUNT,
        *,
        brand: str = BRAND,
        credentials: Credentials | None = None,
        **more: Any,
    ) -> str:
        """An account; with `refresh_token` among its credentials it is one of OAuth."""
        credentials = credentials or {"api_key": "vendor-key"}
        scheme = "oauth2" if "refresh_token" in credentials else "api_key"
        if CRMS[crm].hosts["api"].default is None:
            more = {"origin": f"https://tenant.{crm}.example", **more}
        self.access.accounts[brand, id] = Account(brand, id, crm, scheme, **more)
        self.secrets.accounts[brand, id] = credentials
        self.secrets.apps[crm] = {"client_id": "our-client", "client_secret": "our-client-secret"}
        return id

    @property
    def status(self) -> str:
        """The status of the account."""
        return self.access.accounts[BRAND, self.account].status

    def call(
        self,
        body: Any = None,
        *,
        query: str | None = None,
        key: str | None = None,
        idempotency: str | None = None,
        path: str = "/unified/crm/leads",
        **headers: str,
    ) -> Call:
        """A call to create a lead. `body` is JSON, or bytes as they are; headers are named with underscores."""
        given = {"content-type": "application/json", "authorization": f"Bearer {self.key if key is None else key}"}
        if idempotency is not None:
            given["idempotency-key"] = idempotency
        body = {"title": "A lead"} if body is None else body
        return Call(
            method="POST",
            path=path,
            query=f"integrated_account_id={self.account}" if query is None else query,
            headers=given | {name.replace("_", "-"): value for name, value in headers.items()},
            content=body if isinstance(body, bytes) else json.dumps(body).encode(),
            trace_id=TRACE,
        )

    def post(self, body: Any = None, **how: Any) -> Reply:
        """The reply to such a call, a refusal too."""
        return self.answer(self.call(body, **how))

    def answer(self, call: Call) -> Reply:
        """The reply to a call."""
        try:
            return Create(LEAD).walk(call, self.services, self.tokens, self.deadline)
        except Problem as problem:
            return refusal(call, problem)

    def read(
        self, verb: Verb, id: str = "", query: str = "", *, key: str | None = None, plural: str = "leads"
    ) -> Reply:
        """The reply to a call that reads or removes, a refusal too."""
        path = f"/unified/crm/{plural}" + (f"/{id}" if id else "")
        whole = f"integrated_account_id={self.account}" + (f"&{query}" if query else "")
        call = replace(self.call(path=path, query=whole, key=key), method="DELETE" if verb == "delete" else "GET")
        try:
            return Read(verb).walk(call, self.services, self.tokens, self.deadline)
        except Problem as problem:
            return refusal(call, problem)

    def problem(self, body: Any = None, **how: Any) -> Problem:
        """The problem that such a call ends in."""
        with pytest.raises(Problem) as raised:
            Create(LEAD).walk(self.call(body, **how), self.services, self.tokens, self.deadline)
        return raised.value


def parsed(reply: Reply) -> Any:
    """The JSON of a reply."""
    return json.loads(reply.body)


OAUTH_CREDENTIALS: Credentials = {"access_token": "stale-token", "refresh_token": "refresh-1"}
