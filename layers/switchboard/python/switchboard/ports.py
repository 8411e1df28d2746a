"""What the pure parts need from the world, as protocols. `aws` and `sender` answer them; tests do so from memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, NamedTuple, Protocol

from switchboard.crm.auth import Credentials
from switchboard.crm.wire import Request, Response


class KeyRefusal(StrEnum):
    """Why a key did not open the door."""

    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Exhausted:
    """A key that has made its calls for now, of which it has so many."""

    limit: int


@dataclass(frozen=True, slots=True)
class Admission:
    """A key that opened the door: whose it is, what it may do, and how much of its window is left."""

    brand: str
    key_id: str
    owner: str
    role: str
    scopes: frozenset[str]
    limit: int
    used: int


@dataclass(frozen=True, slots=True)
class Account:
    """A connected CRM of a brand. Times are epoch seconds; `origin` is the account's own host, if it has one."""

    brand: str
    id: str
    crm: str
    scheme: str
    status: Literal["active", "needs_reauth"] = "active"
    origin: str | None = None
    retried_at: int = 0
    doubtful_until: int = 0
    created_at: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    searchable: tuple[str, ...] = ()
    """Custom fields of contacts that have an index."""


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand as it stands: whether it is there at all, its connected CRMs, oldest first, and whether members see all
    contacts or only their own and those of nobody."""

    exists: bool
    accounts: tuple[Account, ...] = ()
    members_see: Literal["all", "own"] = "all"


@dataclass(frozen=True, slots=True)
class User:
    """A user of a brand."""

    id: str
    email: str
    role: str


@dataclass(frozen=True, slots=True)
class Template:
    """A template of a brand. `layout` is what pages are made of, by pods.blocks; times are epoch seconds."""

    brand: str
    id: str
    name: str
    layout: Mapping[str, Any]
    created_at: int
    updated_at: int
    version: int = 1


@dataclass(frozen=True, slots=True)
class Pod:
    """A page about a CRM's record. Times are epoch seconds.

    object: what the caller calls the kind of record. layout: its own copy of the template's, with the variables in it.
    values: the record as it was read. overrides: what is said instead, by the names of variables. missing: variables
    that have no value. once: the name of the request that made it, where that had a key.
    """

    brand: str
    id: str
    crm: str
    object: str
    crm_id: str
    account: str
    template: str
    owner: str
    created_at: int
    updated_at: int
    refreshed_at: int
    version: int = 1
    title: str = ""
    missing: tuple[str, ...] = ()
    once: str = ""
    layout: Mapping[str, Any] = field(default_factory=dict[str, Any])
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    overrides: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Page:
    """What the public may see of a pod: nothing of the record but what its page says.

    html: the page, made by the renderer of that name, compressed by gzip. shown: the layout with all filled in.
    """

    html: bytes
    etag: str
    renderer: str
    shown: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Claim:
    """An idempotency record as it stands. Times are epoch seconds; `attempt` counts the runs of this key."""

    key: str
    state: Literal["claimed", "settled", "unknown"]
    fingerprint: str
    claimed_at: float
    lease_until: float
    attempt: int = 1
    settles_at: float = 0
    """Not before this moment may a CRM's "no such record" be taken as final."""
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    run: str = ""
    """The name of the run that wrote it, so that a write whose answer was lost does not stand in its own way."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns records at a CRM, as far as its users tell."""

    name: str | None = None
    email: str | None = None


class Posting(NamedTuple):
    """A place of a contact in a list of the index: `at` is what the list is sorted by, with the contact's id."""

    list: str
    at: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A contact as it is kept.

    body: the record in our form. digest: of the body and the postings. postings: where it stands in the index.
    drops: where it may still stand although it should not. settled: whether its places are as they should be.
    gone_until: it was deleted, and an older state of it is not believed before that moment (epoch seconds); 0 if it is
    there.
    """

    brand: str
    id: str
    account: str
    crm: str
    remote_id: str
    body: Mapping[str, Any]
    version: int = 1
    digest: str = ""
    postings: tuple[Posting, ...] = ()
    drops: tuple[Posting, ...] = ()
    gone_until: int = 0
    settled: bool = True

    @property
    def updated_at(self) -> str:
        """The CRM's moment of change; empty where it tells none."""
        return str(self.body.get("updated_at") or "")


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a list of the index, from one place to another, both included."""

    list: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far the sync of one account's contacts has come. Times are epoch seconds of ours; moments of the CRM are RFC
    3339.

    stage: what is being walked. anchor: everything that changed before it is stored. since: where the present walk
    began. newest: the newest moment of change that the walk has met. position: where in the CRM's list it is.
    begun: when the walk began. synced_at: when the last walk of changes began that came to its end. deleted_at,
    swept_at: likewise of deletions and of sweeps. described_at: when owners and custom columns were last asked for.
    size: contacts stored. due_at: when the planner is to look again. custom: custom columns to ask for. indexed: custom
    fields with an index. failures: walks that broke off in a row. untold: the CRM's list of deletions was refused.
    asked: the owner who was last asked for anew. listed: what stands for the ids on the last page.
    """

    brand: str
    account: str
    crm: str
    version: int = 0
    stage: Literal["deletions", "changes", "sweep", "compare", "purge"] = "changes"
    anchor: str = ""
    since: str = ""
    newest: str = ""
    position: Mapping[str, Any] | None = None
    begun: float = 0
    synced_at: float = 0
    deleted_at: float = 0
    swept_at: float = 0
    described_at: float = 0
    size: int = 0
    pages: int = 0
    due_at: float = 0
    failures: int = 0
    last_error: str = ""
    untold: bool = False
    custom: tuple[str, ...] = ()
    indexed: tuple[str, ...] = ()
    asked: str = ""
    listed: str = ""


class Access(Protocol):
    """API keys and connected accounts."""

    def admit(
        self, brand: str, digest: str, group: str, *, window: int, now: int
    ) -> Admission | Exhausted | KeyRefusal:
        """Check the key, count the call in its window and stamp its last use: one conditional write.

        A refusal for exhaustion counts nothing. `window` is in seconds.
        """
        ...

    def account(self, brand: str, id: str) -> Account | None:
        """The brand's account of that id. Another brand's is None."""
        ...

    def brand(self, brand: str) -> Brand:
        """The brand and its accounts, in one read."""
        ...

    def user(self, brand: str, *, id: str = "", email: str = "") -> User | None:
        """The brand's user of that id, or of that e-mail address whatever its case."""
        ...

    def mark(self, account: Account, **changes: str | int) -> None:
        """Note what a call learnt: `status`, `retried_at`, `doubtful_until`, `last_error`."""
        ...

    def may_retry(self, account: Account, *, now: int, every: int) -> bool:
        """Take the one live try per `every` seconds of an account that needs to be connected again."""
        ...


class Templates(Protocol):
    """Templates of a brand."""

    def template(self, brand: str, id: str) -> Template | None:
        """The brand's template of that id. Another brand's is None."""
        ...

    def templates(self, brand: str) -> list[Template]:
        """All of a brand, newest first."""
        ...

    def put_template(self, template: Template, *, seen: int | None) -> bool:
        """Store it, if it still stands as seen: in that version, or not at all."""
        ...

    def delete_template(self, brand: str, id: str) -> bool:
        """Remove it; False where there is none."""
        ...


class Pods(Protocol):
    """Pods and their pages."""

    def pod(self, brand: str, id: str) -> Pod | None:
        """The brand's pod of that id. Another brand's is None."""
        ...

    def save(self, pod: Pod, page: Page, *, seen: int | None) -> bool:
        """Store a pod and its page together, if the pod still stands as seen: in that version, or not at all."""
        ...

    def delete(self, brand: str, id: str) -> bool:
        """Remove a pod and its page together; False where there is none."""
        ...

    def search(
        self, brand: str, where: Mapping[str, str], *, before: str | None, limit: int
    ) -> tuple[list[Pod], str | None]:
        """Pods of a brand without their contents, newest first, that hold these values; and where the rest begins."""
        ...

    def page(self, id: str) -> Page | None:
        """The page of a pod, by the pod's id alone: one read."""
        ...


class Contacts(Protocol):
    """Contacts and the lists of their index. Whoever reads a list looks at the contacts, which alone are the truth."""

    def contacts(self, brand: str, ids: Sequence[str]) -> dict[str, Stored]:
        """Those that are kept, by id; deleted ones too, as long as they are remembered."""
        ...

    def put(self, stored: Stored, *, seen: int | None) -> bool:
        """Store it, if it still stands as seen: in that version, or not at all."""
        ...

    def put_all(self, wanted: Sequence[tuple[Stored, int | None]]) -> list[bool]:
        """The same with many, each with the version that was seen; which of them were stored."""
        ...

    def post(self, brand: str, places: Sequence[tuple[Posting, int]]) -> None:
        """Write places in lists, each for a version of its contact; doing it twice does no harm."""
        ...

    def drop(self, brand: str, places: Sequence[tuple[Posting, int]]) -> None:
        """Remove places, unless they were written for a newer version of their contact than the one named."""
        ...

    def places(self, brand: str, spans: Sequence[Span], *, limit: int, descending: bool) -> list[list[str]]:
        """The first places of each of these, at most so many."""
        ...


class Checkpoints(Protocol):
    """How far syncs have come, and who owns records at each account."""

    def checkpoint(self, brand: str, account: str) -> Checkpoint | None:
        """The checkpoint of an account's contacts, as it stands now."""
        ...

    def checkpoints(self, brand: str) -> list[Checkpoint]:
        """All of a brand: what a search has to know of its accounts."""
        ...

    def move(self, checkpoint: Checkpoint) -> bool:
        """Store it as the next version, if it still stands in the one before."""
        ...

    def forget(self, checkpoint: Checkpoint) -> None:
        """Remove it, and what belongs to it."""
        ...

    def due(self, now: float, limit: int) -> list[Checkpoint]:
        """Of all brands, those to be looked at by now, the oldest first; brand, account and `due_at` are told."""
        ...

    def postpone(self, checkpoint: Checkpoint, until: float) -> bool:
        """Move `due_at`, if nobody else has; nothing else of it changes."""
        ...

    def owners(self, brand: str, account: str | None = None) -> dict[str, dict[str, Owner]]:
        """Owners by account and id, of one account or of all."""
        ...

    def know(self, brand: str, account: str, owners: Mapping[str, Owner]) -> None:
        """Keep the owners of an account, all at once."""
        ...

    def seen(self, brand: str, account: str, run: str, part: int, ids: Sequence[str]) -> None:
        """Note ids at the CRM that a sweep has met."""
        ...

    def met(self, brand: str, account: str, run: str) -> set[str]:
        """All ids that a sweep has met."""
        ...


class Queue(Protocol):
    """Where work waits for whoever is free."""

    def send(self, messages: Sequence[Mapping[str, Any]], *, delay: int = 0) -> None:
        """Put messages in, to be seen after so many seconds."""
        ...


class Paces(Protocol):
    """What all workers of an account may ask its CRM together."""

    def reserve(self, brand: str, account: str, *, interval: float, now: float, until: float) -> float:
        """The moment at which the next call may be made; each call takes `interval` seconds of the row. If that is
        after `until`, no place was taken: the moment tells when to come back."""
        ...

    def rest(self, brand: str, account: str, until: float) -> None:
        """No place before that moment: the CRM has said so."""
        ...


class Claims(Protocol):
    """Idempotency records. Each method is one conditional write (or one read), so that races have one winner."""

    def claim(self, claim: Claim, *, expires: int) -> Claim | None:
        """Put the record if there is none (or only an expired one). Answers the record in the way, else None."""
        ...

    def take_over(self, claim: Claim, *, seen: Claim, expires: int) -> bool:
        """Claim a record whose outcome is unknown, if it still stands as seen."""
        ...

    def settle(self, claim: Claim, *, expires: int) -> None:
        """Store the reply, or that the outcome is unknown, if the claim is still ours."""
        ...

    def release(self, claim: Claim) -> None:
        """Forget the claim, if it is still ours."""
        ...

    def read(self, key: str, *, now: int) -> Claim | None:
        """The record, if it has not expired by now."""
        ...


class Leases(Protocol):
    """Short exclusive rights, so that one refreshes a token while others wait."""

    def acquire(self, brand: str, name: str, holder: str, *, now: float, seconds: int) -> bool:
        """Take the lease if it is free or has run out."""
        ...

    def release(self, brand: str, name: str, holder: str) -> None:
        """Give it back, if it is still ours."""
        ...


class Secrets(Protocol):
    """Credentials of accounts and of OAuth apps."""

    def account(self, brand: str, id: str) -> Credentials:
        """The credentials of an account, as they stand now."""
        ...

    def keep(self, brand: str, id: str, credentials: Credentials) -> None:
        """Store them, before anything is done with them."""
        ...

    def app(self, crm: str) -> Credentials:
        """The client id and secret of our OAuth app at a CRM."""
        ...

    def signing(self) -> bytes:
        """The key that signs what callers hold and bring back."""
        ...


class Clock(Protocol):
    """Time, so that tests may hold it."""

    def now(self) -> float:
        """Epoch seconds."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment by which an answer has to be ready, in epoch seconds."""

    at: float
    clock: Clock

    @property
    def left(self) -> float:
        """Seconds left; never negative."""
        return max(0.0, self.at - self.clock.now())

    def __call__(self, at_most: float) -> float:
        """Seconds left, but at most these."""
        return min(self.left, at_most)


class Send(Protocol):
    """The only way to a CRM."""

    def __call__(self, request: Request, origin: str, deadline: Deadline) -> Response:
        """Send one request to a host that was checked. Raises a Problem that says whether anything was sent."""
        ...


class Log(Protocol):
    """Structured lines. Nothing that a vendor or a caller wrote goes in unasked."""

    def info(self, msg: str, **kwargs: Any) -> None:
        """A line of the ordinary course."""
        ...

    def exception(self, msg: str, **kwargs: Any) -> None:
        """A line about a fault of ours, with its traceback."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """The world, as the walk sees it."""

    access: Access
    claims: Claims
    templates: Templates
    pods: Pods
    contacts: Contacts
    checkpoints: Checkpoints
    leases: Leases
    secrets: Secrets
    send: Send
    clock: Clock
    log: Log
    word: Callable[[], str]
    """A new unguessable word, made after restore."""
    public_url: str = ""
    """Where readers find us, if that is not the host that was called: a domain of the operator's own."""
    origins: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where a CRM is to be found instead of its own hosts; only ever filled in the local stage."""
