"""Races on ministack, whose conditional writes have one winner: fifty at once, over processes and over threads."""

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from switchboard.aws.contacts import ContactsTable
from switchboard.crm.codecs import rfc3339
from switchboard.ports import Posting, Stored
from switchboard.search import index
from switchboard.search.keeping import BusyError, Keeper, Whose, stored
from tests.local.inside import Invocation
from tests.local.stack import Stack
from tests.local.tenant import Tenant, connect

AT_ONCE = 50

type Answer = tuple[int, str]
"""Status and body."""
type Caller = Callable[[Tenant, str, dict[str, Any], str | None], Answer]


def by_gateway(tenant: Tenant, crm: str, body: dict[str, Any], key: str | None) -> Answer:
    """Over HTTP: eight processes, as Lambda would run them."""
    answer = tenant.create(crm, body, key=key)
    while answer.status_code == 409:  # told to come back
        answer = tenant.create(crm, body, key=key)
    return answer.status_code, answer.text


def by_handler(tenant: Tenant, crm: str, body: dict[str, Any], key: str | None) -> Answer:
    """In this process: as many as there are threads."""
    from functions.create_lead.app import handler

    event = tenant.event(crm, body, key)
    answer = handler(event, Invocation(25))
    while answer["statusCode"] == 409:
        answer = handler(event, Invocation(25))
    return answer["statusCode"], answer["body"]


@pytest.fixture(params=[by_gateway, by_handler], ids=["eight-processes", "fifty-threads"])
def call(request: pytest.FixtureRequest, process: None) -> Caller:
    """Both ways to call."""
    return request.param


def all_at_once(work: Callable[[int], Answer]) -> list[Answer]:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(work, range(AT_ONCE)))


three_shapes = pytest.mark.parametrize("crm", ["hubspot", "pipedrive", "salesforce"])
"""The races are ours, not the CRM's: three of them, that answer in different ways, are enough."""


@three_shapes
def test_fifty_calls_with_one_key_are_one_post_and_one_answer(tenant: Tenant, crm: str, call: Caller) -> None:
    vendor, body = tenant.vendors[crm], tenant.lead(crm)
    posts = vendor.posts

    answers = all_at_once(lambda _: call(tenant, crm, body, "one-key"))

    assert vendor.posts == posts + 1
    assert len(set(answers)) == 1, "fifty identical bodies"
    assert answers[0][0] == 201


@three_shapes
def test_fifty_calls_on_an_expired_rotating_token_are_one_refresh_and_no_error(
    tenant: Tenant, crm: str, call: Caller
) -> None:
    vendor = tenant.vendors[crm]
    account = connect(tenant.admin, tenant.brand, crm, vendor, expired=True, rotates=True)
    caller = tenant.with_accounts(**{crm: account})
    body = caller.lead(crm)
    refreshes = vendor.control("GET", "counts").get("POST token", 0)

    answers = all_at_once(lambda _: call(caller, crm, body, None))

    assert {status for status, _ in answers} == {201}, [body for status, body in answers if status != 201][:1]
    assert vendor.control("GET", "counts")["POST token"] == refreshes + 1


# --- the store of contacts -------------------------------------------------------------------------------------------

BRAND = "race01"
WRITERS, ROUNDS = 8, 8
BEGAN = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def table(stack: Stack) -> Iterator[ContactsTable]:
    """The stack's table of contacts."""
    aws = stack.aws_environment
    session = boto3.Session(aws["AWS_ACCESS_KEY_ID"], aws["AWS_SECRET_ACCESS_KEY"], region_name=aws["AWS_REGION"])
    config = Config(max_pool_connections=AT_ONCE)
    client = session.client("dynamodb", endpoint_url=stack.aws_endpoint, config=config)
    yield ContactsTable(client, stack.environment["RunSync"]["SWITCHBOARD_CONTACTS_TABLE"], time.sleep)
    client.close()


def standing(table: ContactsTable, id: str) -> set[Posting]:
    """All places of a contact that there are, in any list."""
    pages = table.client.get_paginator("scan").paginate(TableName=table.name, ConsistentRead=True)
    keys = [(item["pk"]["S"], item["sk"]["S"]) for page in pages for item in page["Items"]]  # type: ignore[typeddict-item]
    prefix = f"{BRAND}#"
    return {Posting(pk.removeprefix(prefix), sk) for pk, sk in keys if pk.startswith(prefix) and index.id_at(sk) == id}


@dataclass(frozen=True)
class Race:
    """One contact, and writers who know different states of it."""

    table: ContactsTable
    whose: Whose
    removing: bool

    def state(self, number: int) -> Stored:
        """The contact as it was at a moment: another name, another address, another owner each time."""
        when = rfc3339(BEGAN + timedelta(seconds=number))
        return stored(
            self.whose,
            {
                "id": "501",
                "first_name": f"Ada {number % 3}",
                "name": f"Ada {number % 3} Lovelace",
                "emails": [{"email": f"ada{number % 5}@engines.example"}],
                "owner": {"id": str(number % 2)},
                "created_at": rfc3339(BEGAN),
                "updated_at": when,
            },
        )

    def write(self, number: int) -> None:
        """What one writer does, until nobody is in its way."""
        while True:
            keeper = Keeper(self.table, BRAND, time.time())
            try:
                if self.removing and number % WRITERS == 0:
                    keeper.remove([self.state(number).id])
                else:
                    keeper.keep([self.state(number)])
            except BusyError:
                continue
            return

    def round(self, first: int) -> None:
        """All writers at once."""
        start = threading.Barrier(WRITERS)
        numbers = list(range(first, first + WRITERS))
        random.Random(first).shuffle(numbers)

        def work(number: int) -> None:
            start.wait()
            self.write(number)

        with ThreadPoolExecutor(WRITERS) as threads:
            list(threads.map(work, numbers))

    def agrees(self) -> None:
        """The contact and the lists say the same."""
        id = self.state(0).id
        kept = self.table.contacts(BRAND, [id])[id]
        there, wanted = standing(self.table, id), set(kept.postings)
        assert wanted - there == set(), "places are missing"
        assert there - wanted == set(), "there are places too many"
        assert (kept.settled, kept.drops) == (True, ())


@pytest.mark.parametrize("removing", [False, True], ids=["changes", "changes-and-removals"])
def test_eight_writers_of_one_contact_leave_it_and_its_lists_in_agreement(table: ContactsTable, removing: bool) -> None:
    race = Race(table, Whose(BRAND, str(uuid4()), "hubspot"), removing)
    for number in range(ROUNDS):
        race.round(number * WRITERS)
        race.agrees()
    if not removing:
        newest = race.state(ROUNDS * WRITERS - 1)
        assert table.contacts(BRAND, [newest.id])[newest.id].digest == newest.digest


def test_twenty_who_ask_one_crm_never_ask_closer_to_each_other_than_they_may(table: ContactsTable) -> None:
    account, interval, each = str(uuid4()), 0.05, 10

    def ask(_: int) -> list[float]:
        asked: list[float] = []
        for _ in range(each):
            now = time.time()
            asked.append(table.reserve(BRAND, account, interval=interval, now=now, until=now + 60))
        return asked

    with ThreadPoolExecutor(20) as threads:
        places = sorted(place for asked in threads.map(ask, range(20)) for place in asked)

    assert len(places) == 20 * each
    gaps = [after - before for before, after in itertools.pairwise(places)]
    assert min(gaps) > interval - 1e-6
