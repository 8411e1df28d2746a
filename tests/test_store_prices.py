"""The store in memory asks DynamoDB's prices: the same work costs as much as the engine says."""

from collections.abc import Callable, Iterator
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from switchboard.aws.contacts import ContactsTable
from switchboard.ports import Contacts, Posting, Span, Stored
from tests.aws import memory
from tests.journal import Journal
from tests.local.ministack import Ministack
from tests.local.provision import CREDENTIALS
from tests.store import MemoryContacts

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.local

BRAND = "acme01"
ACCOUNT = "62f44730-dd91-461e-bd6a-aedd9e0ad79d"
LIST = f"by#created_at#{ACCOUNT}"


class Meter:
    """A client of an engine, and what that says each request has consumed."""

    def __init__(self, client: "DynamoDBClient") -> None:
        self.client = client
        self.told: list[float | None] = []
        client.meta.events.register("provide-client-params.dynamodb", self._ask)
        client.meta.events.register("after-call.dynamodb", self._note)

    def _ask(self, params: Any, **_: Any) -> Any:
        return {**params, "ReturnConsumedCapacity": "TOTAL"}

    def _note(self, parsed: Any, **_: Any) -> None:
        told = parsed.get("ConsumedCapacity")
        each = told if isinstance(told, list) else [told] if told else []
        self.told.append(sum(one["CapacityUnits"] for one in each) if each else None)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meter]:
    """ministack, with the tables made."""
    with Ministack(logs=tmp_path_factory.mktemp("logs")) as ministack, pytest.MonkeyPatch.context() as patch:
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": ministack.url}.items():
            patch.setenv(name, value)
        client = memory.dynamodb()
        yield Meter(client)
        client.close()


def contact(number: int, size: int) -> Stored:
    """A contact of about so many bytes, which do not become fewer by packing."""
    random = Random(number)
    text = "".join(chr(random.randrange(0x4E00, 0x9FA5)) for _ in range(size // 3))
    at = f"2026-05-01T12:00:00.{number:03d}\x1fcon_{number}"
    body = {"description": text, "updated_at": "2026-05-01T12:00:00Z"}
    return Stored(
        BRAND, f"con_{number}", ACCOUNT, "hubspot", str(number), body,
        digest="d" * 32, postings=(Posting(LIST, at), Posting(f"owner#{ACCOUNT}=17", at)),
    )  # fmt: skip


def place(number: int) -> tuple[Posting, int]:
    """A place in a list."""
    return Posting(LIST, f"2026-05-01T12:00:00.{number:03d}\x1fcon_{number:024d}"), 1


type Work = Callable[[Contacts], Any]


def put(number: int, size: int) -> Work:
    """A contact is stored anew."""
    return lambda contacts: contacts.put(contact(number, size), seen=None)


def places(count: int) -> Work:
    """So many places are written."""
    return lambda contacts: contacts.post(BRAND, [place(number) for number in range(count)])


def settled(contacts: Contacts) -> None:
    """A large contact, and then a small one in its stead: the larger of the two counts."""
    contacts.put(contact(7, 5_000), seen=None)
    contacts.put(contact(7, 100), seen=1)


def query(contacts: Contacts) -> None:
    """A page of a list."""
    contacts.places(BRAND, [Span(LIST, "\x00", "\U0010ffff")], limit=26, descending=True)


def batch(contacts: Contacts) -> None:
    """A page of contacts, of which every other one is more than 4 KB."""
    contacts.contacts(BRAND, [f"con_{number}" for number in range(100, 126)])


def known(contacts: Contacts) -> None:
    """What the two look at."""
    places(30)(contacts)
    for number in range(100, 126):
        put(number, 300 if number % 2 else 6_000)(contacts)


WRITES: dict[str, Work] = {
    "a small contact": put(1, 200),
    "a contact of one kilobyte": put(2, 1_000),
    "a large contact": put(3, 20_000),
    "one that grows smaller": settled,
    "25 places": places(25),
    "26 places in two requests": places(26),
    "a place that is removed": lambda contacts: contacts.drop(BRAND, [place(3)]),
}


def costs(engine: Meter, work: Work, before: Work | None = None) -> tuple[list[float | None], MemoryContacts]:
    """What the engine says that this work consumed, request by request; and the store in memory after the same."""
    contacts, ours = ContactsTable(engine.client, "contacts", lambda _: None), MemoryContacts(Journal())
    for each in (contacts, ours):
        if before:
            before(each)
    engine.told.clear()
    ours.spent.read = ours.spent.written = 0
    ours.spent.requests = 0
    work(contacts)
    work(ours)
    return engine.told, ours


@pytest.mark.parametrize("name", WRITES)
def test_writes_cost_what_the_engine_says(engine: Meter, name: str) -> None:
    told, ours = costs(engine, WRITES[name])
    assert None not in told
    assert sum(filter(None, told)) == pytest.approx(ours.spent.written, abs=1)
    assert len(told) == ours.spent.requests


@pytest.mark.parametrize("work", [query, batch], ids=["a query of 26 places", "a batch of 26 contacts"])
def test_reads_cost_what_the_engine_says(engine: Meter, work: Work) -> None:
    told, ours = costs(engine, work, known)
    assert len(told) == ours.spent.requests == 1
    if told == [None]:
        pytest.skip("ministack does not tell what a batch of reads has consumed")
    assert sum(filter(None, told)) == pytest.approx(ours.spent.read, abs=1)
